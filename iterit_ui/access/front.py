"""What every request passes before Gradio sees it: names of this app, pages of others, logins, uploads, calls that fit no event."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import orjson
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from iterit_ui.access.act_order import number_of
from iterit_ui.access.addresses import host_of, names_fit
from iterit_ui.access.guarded_page import NOT_READ, GuardedPage, visitor_of
from iterit_ui.access.upload_bounds import Uploads
from iterit_ui.access.visitors import CLIENT
from iterit_ui.shared import messages

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LONGEST_CALL = 64 * 2**20  # bytes of an event with its values; ours stay below one
API = "/gradio_api"
CALLS = tuple(f"{API}/{name}" for name in ("component_server", "queue/join", "run/", "api/", "call/"))
# parts of Gradio that no page of ours uses: files fetched from elsewhere, recordings, links to a copy of a session, its editor
CLOSED = tuple(
    f"{API}/{name}"
    for name in (
        "file=http",
        "file/http",
        "proxy=",
        "process_recording",
        "deep_link",
        "stream/",
        "run-history",
        "vibe-",
        "undo-vibe-edit",
        "dev/",
        "profiling",
    )
)


class Front:
    """ASGI middleware around Gradio's app.

    hosts : names that the app answers to, `*.example.org` for all below one; empty for any. trusted : hosts whose pages may send
    requests beside its own.
    """

    def __init__(
        self,
        app: Any,
        *,
        page: GuardedPage,
        hosts: Collection[str] = (),
        trusted: Collection[str] = (),
        uploads: Uploads,
    ) -> None:
        self.app, self.page, self.uploads = app, page, uploads
        self.hosts, self.trusted = tuple(hosts), tuple(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        client = scope.get("client")
        CLIENT.set(client[0] if client else "")
        path = str(scope["path"]).removeprefix(scope.get("root_path") or "").rstrip("/")
        refused = wrong_host(headers, self.hosts) or foreign_origin(headers, scope, self.hosts, self.trusted)
        if refused is None and path.lower().startswith(CLOSED):
            refused = _answer(
                404,
                "This app fetches nothing from elsewhere, and has no recordings or links of Gradio's own.",
            )
        if refused is not None:
            await refused(scope, receive, send)
        elif path == f"{API}/upload":
            await self._upload(scope, receive, send, headers)
        elif scope["method"] == "POST" and path.startswith(CALLS):
            await self._call(scope, receive, send, path, headers)
        else:
            if not path and scope["method"] == "GET":
                self._read_ahead(Request(scope))
            await self.app(scope, receive, send)

    def _read_ahead(self, request: Request) -> None:
        """Start computing what an opened link shows while its page is still loading."""
        let_in = self.page.access.logins is None or visitor_of(request) is not None
        if self.page.read_ahead is not None and let_in:
            self.page.read_ahead(dict(request.query_params))

    async def _upload(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        name = visitor_of(Request(scope))
        if name is None and self.page.access.logins is not None:
            await self.app(scope, receive, send)  # Gradio asks for the name
            return
        if not self.page.access.may_change(name):
            await _answer(403, self.page.access.refusal)(scope, receive, send)
            return
        visitor = name or CLIENT.get()
        if problem := self.uploads.problem(visitor, headers.get("content-length")):
            await _answer(413, problem)(scope, receive, send)
            return
        parts: list[bytes] = []

        async def note(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
            await send(message)

        with self.uploads.under_way(visitor, headers["content-length"]):
            await self.app(scope, receive, note)
            self.uploads.note(visitor, _paths(b"".join(parts)))

    async def _call(self, scope: Scope, receive: Receive, send: Send, path: str, headers: Headers) -> None:
        """An event or a question, whose body is looked at once before Gradio reads it: there it would be a traceback."""
        body = await _body(receive)
        if body is None or not fits(self.page, path, headers.get("content-type", ""), body):
            await _answer(400, NOT_READ)(scope, receive, send)
            return
        given = False

        async def again() -> MutableMapping[str, Any]:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        heard, queued = messages.listen(), False

        async def note(message: MutableMapping[str, Any]) -> None:
            nonlocal queued
            if message["type"] == "http.response.start":
                queued = path == f"{API}/queue/join" and message["status"] == 200
                if heard:
                    said = (messages.HEADER, messages.as_header(heard))
                    message["headers"] = [*message["headers"], said]
            await send(message)

        number = number_of(headers)
        session = None if number is None else orjson.loads(body).get("session_hash")
        if number is None or not session:
            await self.app(scope, again, note)
            return
        self.page.act_order.arrive(session, number)
        try:
            await self.app(scope, again, note)
        finally:
            if not queued:  # what waits in the queue is finished by whoever does it
                self.page.act_order.finish(session, number)


def wrong_host(headers: Headers, hosts: Collection[str]) -> Response | None:
    """An answer where the request names another host than this app's: a page elsewhere that has its name point here."""
    for name in ("host", "x-forwarded-host"):
        given = headers.get(name)
        if hosts and (given is not None or name == "host") and not names_fit(host_of(given or ""), hosts):
            said = host_of(given or "") or "no name"
            return _answer(
                421,
                f"This app does not answer to {said[:100]!r}; whoever runs it can start it with --allowed-host {said[:100]}.",
            )
    return None


def foreign_origin(
    headers: Headers, scope: Scope, hosts: Collection[str], trusted: Collection[str]
) -> Response | None:
    """An answer where a page of another site sends the request: it would do so with the cookies of whoever has both open.

    A browser names the site in `Origin` with everything but plain reading of the same site; links from elsewhere carry none.
    """
    origin = headers.get("origin")
    if origin is None:
        cross = headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate"
        allowed = not cross or scope["method"] in ("GET", "HEAD")
    else:
        # a page elsewhere can send a header of that name; where the app answers to any name, nobody has checked it
        forwarded = headers.get("x-forwarded-host", "") if hosts else ""
        site = urlsplit(origin).netloc.lower()
        own = {headers.get("host", "").lower(), forwarded.lower()} - {""}
        allowed = site in own or names_fit(host_of(site), trusted)
    return None if allowed else _answer(403, "This request comes from a page of another site and is refused.")


def fits(page: GuardedPage, path: str, kind: str, body: bytes) -> bool:
    """Whether a call names an event or a question of this page in the form that Gradio reads."""
    # files come by /upload, no component takes them with a question
    if not kind.startswith("application/json"):
        return False
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    if not isinstance(sent, dict) or not isinstance(sent.get("session_hash", ""), str | None):
        return False
    if path.endswith("/component_server"):
        known = sent.get("component_id")
        return (
            _whole(known) and known in page.blocks and isinstance(sent.get("fn_name"), str) and "data" in sent
        )
    if path.startswith(f"{API}/call/"):
        return any(one.api_name == path.rpartition("/")[2] for one in page.fns.values())
    index, data = sent.get("fn_index"), sent.get("data")
    if index is None:
        return isinstance(data, list) and any(
            one.api_name == path.rpartition("/")[2] for one in page.fns.values()
        )
    trigger = sent.get("trigger_id")
    if not _whole(index) or index not in page.fns or not (trigger is None or _whole(trigger)):
        return False
    return isinstance(data, list) and len(data) == len(page.fns[index].inputs)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


async def _body(receive: Receive) -> bytes | None:
    """What the request holds; None where it is too long or was cut off."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LONGEST_CALL:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


def _paths(answer: bytes) -> list[str]:
    """The files that Gradio says it has kept; none where it kept none."""
    try:
        found = json.loads(answer)
    except ValueError:
        return []
    return [path for path in found if isinstance(path, str)] if isinstance(found, list) else []


def _answer(status: int, words: str) -> JSONResponse:
    # `detail` is where Gradio's page looks for the reason
    return JSONResponse({"detail": words, "error": words}, status_code=status)
