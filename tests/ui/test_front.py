"""What a request passes before Gradio sees it, asked as a browser, a page elsewhere or a script would ask."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from gradio.routes import App
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse

import app
from backend.errors import ConfigError
from iterit_ui.access import upload_bounds, visitors
from iterit_ui.access.addresses import LOOPBACK, listening, own_hosts
from iterit_ui.access.front import Front, foreign_origin
from iterit_ui.access.guarded_page import GuardedPage, event_names, questions
from iterit_ui.access.logins import Login
from iterit_ui.access.upload_bounds import Uploads
from iterit_ui.access.visitors import Access, Tries, asked
from tests.ways_out import SECRET, spellings

HERE = "http://127.0.0.1"
PROXY = "studio.example.org"
UPLOADS = Uploads()
LOGINS = [Login("ada", "adapassword"), Login("eve", "evepassword", "look")]


class Client:
    """A browser or a script before the app, without a server between them."""

    def __init__(self, served: App, loop: asyncio.AbstractEventLoop) -> None:
        self.transport = httpx.ASGITransport(served, client=("192.0.2.7", 1))
        self.loop = loop
        self.http = httpx.AsyncClient(transport=self.transport, base_url=HERE)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.loop.run_until_complete(self.http.get(path, **options))

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.loop.run_until_complete(self.http.post(path, **options))


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.run_until_complete(made.shutdown_default_executor())
    made.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, loop: asyncio.AbstractEventLoop) -> Iterator[GuardedPage]:
    folder = tmp_path_factory.mktemp("served").resolve()

    async def made() -> GuardedPage:
        return app.build(folder / "home")  # where no loop runs, Gradio makes one that nobody closes

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "uploads"))
        yield loop.run_until_complete(made())


@pytest.fixture(scope="module")
def served(page: GuardedPage, loop: asyncio.AbstractEventLoop) -> App:
    """The app as it is served on this machine, with passwords."""
    page.access, page.auth_message = Access(LOGINS), ""
    page.auth, page.max_file_size = asked(page.access), upload_bounds.LARGEST
    page.config = page.get_config_file()
    front = Middleware(
        Front, page=page, hosts=own_hosts("127.0.0.1", [PROXY]), trusted=[PROXY], uploads=UPLOADS
    )

    async def made() -> App:
        return App.create_app(page, app_kwargs={"middleware": [front]})

    return loop.run_until_complete(made())


@pytest.fixture
def client(
    served: App, page: GuardedPage, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    """A visitor who has not been here before."""
    # a third of a second each; that hashes are checked is held by tests/ui/test_logins.py
    monkeypatch.setattr(visitors, "matches", lambda given, stored: False)
    UPLOADS.files.clear()
    page.access.tries.known.clear()
    found = Client(served, loop)
    yield found
    loop.run_until_complete(found.http.aclose())


def log_in(client: Client, name: str) -> None:
    answer = client.post("/login", data={"username": name, "password": f"{name}password"})
    assert answer.status_code == 200


def event(page: GuardedPage, name: str, data: Any = None, **other: Any) -> dict[str, Any]:
    index, called = next((i, one) for i, one in page.fns.items() if one.fn and name in event_names(page, one))
    values = [None] * len(called.inputs)
    return {"fn_index": index, "data": values, "session_hash": "s", "event_data": data, **other}


def test_another_name_for_this_machine_is_refused(client: Client) -> None:
    answer = client.get("/robots.txt", headers={"host": "evil.example"})
    assert answer.status_code == 421 and "--allowed-host evil.example" in answer.json()["detail"]
    assert client.get("/robots.txt", headers={"x-forwarded-host": "evil.example"}).status_code == 421
    assert client.get("/robots.txt", headers={"host": "localhost:7860"}).status_code == 200
    assert client.get("/robots.txt", headers={"host": "[::1]:7860"}).status_code == 200


@pytest.mark.parametrize("path", ["/gradio_api/upload", "/gradio_api/queue/join", "/login"])
def test_a_page_of_another_site_sends_nothing(client: Client, path: str) -> None:
    log_in(client, "ada")
    for origin in ("https://evil.example", "null", "http://127.0.0.1:8000"):
        answer = client.post(path, headers={"origin": origin}, files={"files": b"x"})
        assert answer.status_code == 403 and "another site" in answer.json()["detail"]
    assert (
        client.post(path, headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}).status_code
        == 403
    )


def test_its_own_pages_send_what_they_like(client: Client) -> None:
    log_in(client, "ada")
    for origin in (HERE, "https://studio.example.org"):
        answer = client.post("/gradio_api/upload", headers={"origin": origin}, files={"files": b"x"})
        assert answer.status_code == 200
    assert (
        client.get("/robots.txt", headers={"origin": "https://evil.example"}).status_code == 403
    )  # it would read along
    assert (
        client.get(
            "/robots.txt", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
        ).status_code
        == 200
    )


def test_who_looks_uploads_nothing(client: Client) -> None:
    assert client.post("/gradio_api/upload", files={"files": b"x"}).status_code == 401
    log_in(client, "eve")
    answer = client.post("/gradio_api/upload", files={"files": b"x"})
    assert answer.status_code == 403 and answer.json()["detail"] == "You can look; ada may change."


async def in_pieces() -> AsyncIterator[bytes]:
    """What is sent without its length."""
    yield b"x"


def test_uploads_are_bounded_in_number_and_size(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(client, "ada")
    monkeypatch.setattr(upload_bounds, "MOST_FILES", 2)

    def upload(content: bytes) -> Any:
        return client.post("/gradio_api/upload", files={"files": ("a.txt", content)})

    kept = [Path(upload(bytes([65 + i])).json()[0]) for i in range(2)]
    assert upload(b"third").status_code == 413 and "2 may lie here" in upload(b"third").json()["detail"]
    kept[0].unlink()  # a day later
    assert upload(b"third").status_code == 200
    monkeypatch.setattr(upload_bounds, "MOST_FILES", 9)
    monkeypatch.setattr(upload_bounds, "MOST_BYTES", 1000)
    assert upload(b"x" * 1000).status_code == 413 and not UPLOADS.coming["ada"]
    monkeypatch.setattr(upload_bounds, "LARGEST", 10)
    assert "may have 0 MB" in upload(b"x").json()["detail"]
    answer = client.post(
        "/gradio_api/upload", content=in_pieces(), headers={"content-type": "multipart/form-data; boundary=a"}
    )
    assert answer.status_code == 413 and "Content-Length" in answer.json()["detail"]


def test_old_uploads_and_what_was_cut_off_are_deleted(tmp_path: Path) -> None:
    (tmp_path / "hash").mkdir()
    for name in ("hash/pool.json", "tmpcutoff"):
        (tmp_path / name).write_text("x")
    elsewhere = tmp_path / "link"
    elsewhere.symlink_to(tmp_path / "hash" / "pool.json")
    uploads, written = Uploads(tmp_path), (tmp_path / "tmpcutoff").stat().st_mtime
    uploads.sweep(written + upload_bounds.KEPT - 60)
    assert (tmp_path / "hash/pool.json").exists() and (tmp_path / "tmpcutoff").exists()
    uploads.sweep(written + upload_bounds.KEPT + 60)
    assert not (tmp_path / "hash/pool.json").exists() and not (tmp_path / "tmpcutoff").exists()
    Uploads(None).sweep(written + 10 * upload_bounds.KEPT)


@pytest.mark.parametrize(
    "change",
    [
        {"fn_index": 99_999},
        {"fn_index": "1"},
        {"fn_index": True},
        {"data": "x"},
        {"data": [1] * 99},
        {"session_hash": 5},
        {"trigger_id": []},
        {"fn_index": None},
    ],
)
def test_a_call_that_fits_no_event_is_answered_with_a_sentence(
    client: Client, page: GuardedPage, capfd: pytest.CaptureFixture[str], change: dict[str, Any]
) -> None:
    log_in(client, "ada")
    for path in ("run/predict", "queue/join"):
        sent = event(page, "data-sample.pin", {"id": "x"}) | change
        answer = client.post(f"/gradio_api/{path}", json=sent)
        assert answer.status_code == 400 and "cannot be read" in answer.json()["detail"]
    assert (
        client.post(
            "/gradio_api/run/predict", content=b"{", headers={"content-type": "application/json"}
        ).status_code
        == 400
    )
    assert "Traceback" not in capfd.readouterr().err


def test_what_a_page_sends_with_an_event_is_checked_too(
    client: Client, page: GuardedPage, capfd: pytest.CaptureFixture[str]
) -> None:
    log_in(client, "ada")
    for data in ("x", [1], 5):
        answer = client.post("/gradio_api/run/predict", json=event(page, "data-sample.pin", data))
        assert "cannot be read" in answer.json()["error"]
    assert "Traceback" not in capfd.readouterr().err


def test_who_looks_is_refused_by_the_server(client: Client, page: GuardedPage) -> None:
    log_in(client, "eve")
    answer = client.post("/gradio_api/run/predict", json=event(page, "data-sample.pin", {"id": "x"}))
    assert answer.json()["error"] == "You can look; ada may change."
    _, part, function = next(one for one in questions(page) if one[0] == "tune-form.count")
    body = {"component_id": part._id, "fn_name": function, "session_hash": "s", "data": {}}
    assert client.post("/gradio_api/component_server", json=body).json() == {
        "error": "You can look; ada may change."
    }


def test_questions_are_answered_and_odd_ones_with_a_sentence(client: Client, page: GuardedPage) -> None:
    log_in(client, "eve")
    watch = next(part for name, part, _ in questions(page) if name == "watch.look")
    body = {"component_id": watch._id, "fn_name": "look", "session_hash": "s", "data": ["", "", "data"]}
    assert "stamps" in client.post("/gradio_api/component_server", json=body).json()
    for change in ({"component_id": 99_999}, {"component_id": [1]}, {"fn_name": 5}, {"data": None}):
        answer = client.post("/gradio_api/component_server", json=body | change)
        assert answer.status_code == 400 or "error" in answer.json()
    assert (
        client.post("/gradio_api/component_server", json=body | {"fn_name": "postprocess"}).status_code == 404
    )


@pytest.mark.parametrize("prefix", ["", "/studio"])
def test_a_proxy_shows_it_below_a_path(
    client: Client, served: App, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    """What a proxy sends that takes the path away and one that leaves it; the rules are the same below it."""
    monkeypatch.setattr(served, "root_path", "/studio")
    told = {
        "host": PROXY,
        "x-forwarded-proto": "https",
        "x-forwarded-host": PROXY,
        "origin": f"https://{PROXY}",
    }
    answer = client.post(f"{prefix}/login", data={"username": "eve", "password": "evepassword"}, headers=told)
    assert answer.status_code == 200
    assert client.post(f"{prefix}/gradio_api/upload", files={"files": b"x"}, headers=told).status_code == 403
    config = client.get(f"{prefix}/config", headers=told).json()
    assert config["root"] == f"https://{PROXY}/studio"
    elsewhere = {**told, "origin": "https://evil.example"}
    assert (
        client.post(f"{prefix}/gradio_api/upload", files={"files": b"x"}, headers=elsewhere).status_code
        == 403
    )


def test_only_links_of_those_who_may_come_in_are_read_ahead(
    page: GuardedPage, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    links: list[dict[str, str]] = []
    monkeypatch.setattr(page, "access", Access(LOGINS))
    monkeypatch.setattr(page, "read_ahead", links.append)

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("the page")(scope, receive, send)

    front = Front(behind, page=page, hosts=own_hosts("127.0.0.1", []), uploads=UPLOADS)

    def open_link(visitor: str | None, path: str, host: str = HERE) -> int:
        async def answer() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(front), base_url=host) as browser:
                return await browser.get(path)

        monkeypatch.setattr("iterit_ui.access.front.visitor_of", lambda request: visitor)
        return loop.run_until_complete(answer()).status_code

    assert open_link(None, "/?tab=curate&pool=first") == 200
    assert open_link("eve", "/theme.css?tab=curate") == 200
    assert open_link("eve", "/?tab=curate&pool=second", host="http://elsewhere.example.org") == 421
    assert links == []
    assert open_link("eve", "/?tab=curate&pool=third") == 200
    monkeypatch.setattr(page, "access", Access())
    assert open_link(None, "/?tab=epochs") == 200
    assert links == [{"tab": "curate", "pool": "third"}, {"tab": "epochs"}]


def test_nothing_is_fetched_from_elsewhere(client: Client) -> None:
    log_in(client, "ada")
    for path in (
        "file=http://127.0.0.1:1/x",
        "file/HTTP://127.0.0.1:1/x",
        "deep_link?session_hash=s",
        "proxy=https://a.hf.space",
    ):
        answer = client.get(f"/gradio_api/{path}")
        assert answer.status_code == 404 and "nothing from elsewhere" in answer.json()["detail"]


def test_no_address_serves_what_lies_elsewhere(
    client: Client, page: GuardedPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(client, "ada")
    uploads = Path(os.environ["GRADIO_TEMP_DIR"])
    uploads.mkdir(exist_ok=True)
    secret = tmp_path / "outside" / "secret.json"
    secret.parent.mkdir()
    secret.write_text(SECRET)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(secret.parent))
    root = tmp_path / "root"
    root.mkdir()
    names = [quote(name, safe="/%:") for name in spellings(root, secret)]
    home = next(Path(folder) for folder in page.folders if Path(folder).name == "home")
    database = quote(str(home / "studio.sqlite"))  # in the app's own folder, and nobody's to fetch
    client.transport.raise_app_exceptions = False  # some name the page itself, which nobody has launched here
    doors = (
        "/gradio_api/file=",
        "/gradio_api/file/",
        "/static/",
        "/assets/",
        "/svelte/",
        "/custom_component/",
    )
    answers = [client.get(f"{door}{name}") for door in doors for name in [*names, database]]
    assert len(answers) > 300
    assert [str(answer.url) for answer in answers if SECRET in answer.text] == []
    served = [answer for answer in answers if answer.status_code == 200]
    assert all("text/html" in answer.headers["content-type"] for answer in served), [
        str(a.url) for a in served
    ]


def test_no_name_of_an_upload_leaves_the_folder_of_uploads(client: Client, tmp_path: Path) -> None:
    log_in(client, "ada")
    uploads = Path(os.environ["GRADIO_TEMP_DIR"]).resolve()
    before = {path for path in uploads.parent.rglob("*") if not path.is_relative_to(uploads)}
    names = ["../out.json", "../../out.json", "/tmp/out.json", "..\\out.json", "a/../../out.json", "\0out.json", ".", "..", "~/x", "%2e%2e%2fout.json", "x" * 400]  # fmt: skip
    for name in names:
        answer = client.post("/gradio_api/upload", files={"files": (name, b"{}")})
        for path in answer.json() if answer.status_code == 200 else []:
            assert Path(path).resolve().is_relative_to(uploads), (name, path)
    after = {path for path in uploads.parent.rglob("*") if not path.is_relative_to(uploads)}
    assert {path for path in after - before if "out" in path.name} == set()
    assert not Path("/tmp/out.json").exists()


def test_a_forwarded_name_counts_only_where_names_are_checked() -> None:
    """A page elsewhere can send the header, and Gradio lets it where the app is asked for by a name of the network."""
    told = Headers(
        {"host": "10.0.0.5:7860", "x-forwarded-host": "evil.example", "origin": "https://evil.example"}
    )
    assert foreign_origin(told, {"method": "POST"}, (), ()) is not None
    assert foreign_origin(told, {"method": "POST"}, ("evil.example",), ()) is None


def test_wrong_tries_have_to_wait(client: Client, page: GuardedPage, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    page.access.tries.clock = lambda: now[0]

    def right() -> bool:
        return client.post("/login", data={"username": "ada", "password": "adapassword"}).status_code == 200

    for _ in range(visitors.FREE_TRIES):
        assert client.post("/login", data={"username": "ada", "password": "no"}).status_code == 400
    assert not right()
    now[0] += 1.1
    assert right()
    assert right()  # what came before no longer counts


def test_the_wait_doubles_to_a_minute_and_is_forgotten() -> None:
    now = [0.0]
    tries = Tries(clock=lambda: now[0])
    waits = []
    for _ in range(visitors.FREE_TRIES + 8):
        tries.wrong("address 1")
        waits.append(tries.wait("address 1", "name x"))
    assert waits[:5] == [0, 0, 0, 0, 1] and waits[5:] == [2, 4, 8, 16, 32, 60, 60, 60]
    assert tries.wait("address 2") == 0
    now[0] = visitors.FORGOTTEN + 1
    tries.wrong("address 1")
    assert tries.wait("address 1") == 0


def test_a_name_of_this_machine_works_and_another_is_refused_before_the_start() -> None:
    assert listening("localhost") == "localhost" and listening("127.0.0.1") == "127.0.0.1"
    for host, words in (
        ("no.such.name.invalid", "no such name"),
        ("192.0.2.1", "no address of this machine"),
    ):
        with pytest.raises(ConfigError, match=words):
            listening(host)


def test_the_names_that_the_app_answers_to() -> None:
    assert own_hosts("127.0.0.1", []) == LOOPBACK
    assert own_hosts("0.0.0.0", []) == ()  # any, with passwords
    assert own_hosts("0.0.0.0", ["Studio.example.org"]) == (*LOOPBACK, "studio.example.org")
    with pytest.raises(ConfigError, match="without https"):
        own_hosts("127.0.0.1", ["https://studio.example.org"])


def test_sharing_needs_passwords() -> None:
    with pytest.raises(ConfigError, match=r"--share.*--auth-file"):
        app.launch(None, share=True)  # type: ignore[arg-type]


def test_an_act_that_is_refused_or_done_is_awaited_by_nobody(client: Client, page: GuardedPage) -> None:
    body = event(page, "data-sample.pin", {"id": "x"})
    act = {"x-act": "1"}
    assert client.post("/gradio_api/run/predict", json=body, headers=act).status_code == 401
    log_in(client, "ada")
    for path in ("run/predict", "queue/join"):
        assert client.post(f"/gradio_api/{path}", json={**body, "data": []}, headers=act).status_code == 400
    client.post("/gradio_api/run/predict", json=body, headers=act)
    assert not page.act_order._pages


def test_an_act_that_waits_in_the_queue_is_awaited(client: Client, page: GuardedPage) -> None:
    log_in(client, "ada")
    body = event(page, "data-sample.pin", {"id": "x"})
    assert client.post("/gradio_api/queue/join", json=body, headers={"x-act": "4"}).status_code == 200
    assert list(page.act_order._pages["s"]) == [4]
    page.act_order.finish("s", 4)
