"""The page as Gradio's blocks: every event and every question of a visitor passes here before any callback sees it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import gradio as gr
from fastapi import Request
from gradio.blocks import BlockFunction

from backend.errors import StudioError, in_a_line, without_folders
from iterit_ui.access.act_order import ActOrder, act_of
from iterit_ui.access.roles import DRAWING, changes
from iterit_ui.access.session_values import keep_no_values
from iterit_ui.access.visitors import LOOKS, Access
from iterit_ui.shared import messages

NAMING = ("key", "id", "column", "action", "kind")
"""Fields of what the page sends that name one thing: each is looked up, which a list or an object cannot be."""
NOT_READ = "The page sent something that cannot be read. Reload the page and try again."


class GuardedPage(gr.Blocks):
    """Blocks that refuse what a visitor may not do, and answer what cannot be read with a sentence.

    access : who may change something; whoever serves the page sets it before. folders : whose names no visitor reads in an error.
    read_ahead : called with the query parameters of a link that somebody has opened who may come in.
    """

    access: Access = Access()
    folders: tuple[Path, ...] = ()
    read_ahead: Callable[[dict[str, str]], None] | None = None

    def __init__(self, **options: Any) -> None:
        self.act_order = ActOrder()
        super().__init__(**options)

    def get_config_file(self) -> Any:
        """What the page is told when it is opened: also, by their ids, which of its events are acts (assets/web/page/acts.js),
        and which nobody asked for (waits.js)."""
        unasked = [number for number, called in self.fns.items() if callback_name(called) == "on_refresh"]
        return {**super().get_config_file(), "acts": acts(self), "unasked": unasked}

    async def process_api(  # type: ignore[override]
        self,
        block_fn: BlockFunction | int,
        inputs: list[Any],
        state: Any = None,
        request: Any = None,
        **options: Any,
    ) -> dict[str, Any]:
        """An event: what Gradio answers, or a `gr.Error` that the page shows."""
        asks = request[0] if isinstance(request, list) else request
        keep_no_values(state)
        async with self.act_order.turn(*act_of(asks)):
            return await self._process(block_fn, inputs, state, request, **options)

    async def _process(
        self, block_fn: BlockFunction | int, inputs: list[Any], state: Any, request: Any, **options: Any
    ) -> dict[str, Any]:
        """Gradio prints the traceback of every error but `gr.Error`, so the errors that are made for people are told as such here."""
        called = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        event = options.get("event_data")
        if event is not None and event._data is None:
            event._data = {}
        sent = {} if event is None else event._data
        name = getattr(request[0] if isinstance(request, list) else request, "username", None)
        LOOKS.set(not self.access.may_change(name))
        if LOOKS.get() and any(changes(one, sent) for one in event_names(self, called)):
            raise gr.Error(self.access.refusal, title="Nothing was changed", print_exception=False)
        # Gradio's own components send values of any kind, which no callback of ours reads
        ours = any(isinstance(self.blocks.get(block or -1), gr.HTML) for block, _ in called.targets)
        if ours and not (isinstance(sent, dict) and all(is_plain(sent.get(one)) for one in NAMING)):
            raise gr.Error(NOT_READ, print_exception=False)
        try:
            return await super().process_api(block_fn, inputs, state, request, **options)
        except StudioError as error:
            raise gr.Error(messages.sentence(str(error)), print_exception=False) from error
        except gr.Error as error:  # made for people as well
            error.print_exception = False
            raise
        except Exception as error:
            # a mistake of ours or of a library: Gradio prints the traceback, the visitor gets one line without folders
            raise gr.Error(without_folders(in_a_line(error))) from error

    async def preprocess_data(self, block_fn: BlockFunction, inputs: Any, *rest: Any, **options: Any) -> Any:
        """The values of an event's inputs as its callback gets them; what does not fit its component is a `gr.Error`."""
        try:
            return await super().preprocess_data(block_fn, inputs, *rest, **options)
        except gr.Error:
            raise
        # nothing of ours runs in there: whatever fails is what the page sent, and each component fails in a way of its own
        except Exception as error:
            print(f"app.py: {event_names(self, block_fn)[0]}: {in_a_line(error)}", file=sys.stderr)
            raise gr.Error(NOT_READ, print_exception=False) from error


def acts(page: gr.Blocks) -> list[int]:
    """The ids of what visitors do: events that may come again before they are answered, and that set states."""
    return [
        number
        for number, called in page.fns.items()
        if called.trigger_mode == "multiple"
        and any(isinstance(part, gr.State) for part in called.outputs)
        and not DRAWING.intersection(event_names(page, called))
    ]


def is_plain(value: Any) -> bool:
    """Whether a value can be looked up."""
    return not isinstance(value, (dict, list))


def event_names(page: gr.Blocks, called: BlockFunction) -> list[str]:
    """What an event is called in `roles`, once for each component that it comes from."""
    found = []
    for block, event in called.targets:
        part = page.blocks.get(block) if block is not None else None
        own = getattr(part, "elem_id", None)
        # the page itself and the states have no name of their own
        found.append(f"{own}.{event}" if own else callback_name(called))
    return found or [callback_name(called)]


def callback_name(called: BlockFunction) -> str:
    """The name of the function that answers an event."""
    return getattr(called.fn, "__name__", "")


def questions(page: gr.Blocks) -> Iterator[tuple[str, gr.blocks.Block, str]]:
    """(what it is called in `roles`, component, function) of what components' scripts ask the server."""
    for part in page.blocks.values():
        for function in getattr(part, "server_fns", None) or ():
            name = function.__name__
            yield f"{getattr(part, 'elem_id', '')}.{name}", part, name


def guard_questions(page: GuardedPage) -> None:
    """Have the questions refused as events are; call once, when the page has been built."""
    for name, part, function in questions(page):
        setattr(part, function, _guarded(page, name, getattr(part, function)))


def _guarded(page: GuardedPage, name: str, function: Callable[[Any], Any]) -> Callable[..., Any]:
    # not `functools.wraps`: Gradio would look at the signature of what is wrapped, which takes no request
    def answer(asked: Any, request: gr.Request) -> Any:
        # what Gradio gives here is the server's own request
        if changes(name, asked) and not page.access.may_change(visitor_of(cast(Request, request))):
            return {"error": page.access.refusal}
        # the form of Tune sends objects, which its functions check; all others send what they ask about one after another
        if not name.startswith("tune-form.") and not (isinstance(asked, list) and asked):
            return {"error": NOT_READ}
        try:
            return function(asked)
        except StudioError as error:
            return {"error": messages.sentence(str(error))}

    answer.__name__ = function.__name__
    answer._is_server_fn = True  # type: ignore[attr-defined]
    return answer


def visitor_of(request: Request) -> str | None:
    """The name that a visitor gave to be let in, as Gradio reads it off their cookies; None where nobody was asked."""
    app = request.app
    cookies = request.cookies
    token = cookies.get(f"access-token-{app.cookie_id}") or cookies.get(
        f"access-token-unsecure-{app.cookie_id}"
    )
    return app.tokens.get(token)
