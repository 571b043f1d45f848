"""The page as a table of contents: header, the guided tabs, and the address bar that mirrors the session."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from backend import store
from backend.errors import StudioError
from iterit_ui.access.guarded_page import GuardedPage, guard_questions
from iterit_ui.compare import tab as compare_tab
from iterit_ui.components import note
from iterit_ui.components.base import component
from iterit_ui.components.screen import when_shown
from iterit_ui.components.watcher import watcher
from iterit_ui.curate import tab as curate_tab
from iterit_ui.data import tab as data_tab
from iterit_ui.data.callbacks import NEWEST
from iterit_ui.epochs import tab as epochs_tab
from iterit_ui.present.view import presenter
from iterit_ui.reading_ahead import reader
from iterit_ui.samples.marks import name_of
from iterit_ui.shared import address, glossary, messages, program_calls, text
from iterit_ui.shared.answer_order import next_number, numbered
from iterit_ui.shared.session import (
    DRAW,
    EVENT,
    QUIET,
    STATES,
    TABS,
    Session,
    first_pool,
    get_pool,
    new_session,
    prepare,
)
from iterit_ui.tune import tab as tune_tab
from iterit_ui.watching import watched

BUILDERS = {
    "data": data_tab.build,
    "curate": curate_tab.build,
    "tune": tune_tab.build,
    "epochs": epochs_tab.build,
    "compare": compare_tab.build,
}

LOOKED_AT = ("run", "epoch", "comparison", "chosen")
"""States that go back with the browser's Back, beside the tab."""

# constant, as every template is: Gradio evaluates templates as code
HEADER = f"""
<header class="st-header">
  <a class="st-skip" href="#steps">Skip to the screen</a>
  <svg class="st-logo" viewBox="0 0 32 32" aria-hidden="true">
    <rect x="1" y="1" width="30" height="30" rx="8" class="frame"/>
    <circle cx="9" cy="10" r="2.6"/><circle cx="16" cy="10" r="2.6"/><circle cx="23" cy="10" r="2.6"/>
    <circle cx="9" cy="16.5" r="2.6"/><circle cx="16" cy="16.5" r="2.6" class="on"/><circle cx="23" cy="16.5" r="2.6"/>
    <circle cx="9" cy="23" r="2.6" class="on"/><circle cx="16" cy="23" r="2.6"/><circle cx="23" cy="23" r="2.6" class="on"/>
  </svg>
  <div class="st-name"><h1>IterIT Studio</h1><p>Pick the samples worth fine-tuning on, epoch by epoch, and see why</p></div>
  <button type="button" class="st-link-button" title="The address of what is shown, for a colleague">Copy link</button>
  <button type="button" class="st-glossary-button" aria-haspopup="dialog">Glossary</button>
  <button type="button" class="st-present-button" aria-haspopup="dialog" title="For showing to others (p, or Shift and p where p pins)">Present</button>
  <button type="button" class="st-theme" title="Light or dark"><svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="8.5" class="ring"/><path d="M12 3.5a8.5 8.5 0 0 1 0 17z"/></svg></button>
</header>
<dialog class="st-glossary" aria-labelledby="st-glossary-title"><div>
  <form method="dialog"><h3 id="st-glossary-title">Glossary</h3><button class="st-action">Close</button></form>
  {glossary.html()}
</div></dialog>
"""


def build(
    home: Path,
    data_roots: Sequence[Path] = (),
    model_roots: Sequence[Path] = (),
    *,
    delete_cache: tuple[int, int] = (3600, 86400),
) -> GuardedPage:
    """The whole page over the runs folder `home`; nothing outside the roots is read on a visitor's word."""
    prepare(home)
    with GuardedPage(
        title="IterIT Studio", fill_width=True, analytics_enabled=False, delete_cache=delete_cache
    ) as page:
        header = component("header", template=HEADER, events=("name",), elem_id="header")
        archive = read_only_value(home)
        if archive:
            note(archive, elem_id="read-only")
        tabs = gr.Tabs(elem_id="steps", selected="data", render=False)
        # not inside the tabs: whatever is there shifts the order by which Gradio knows them
        bar = component("address", events=("back",), elem_id="address", render=False)
        watch = watcher(functions=[watched(home)], elem_id="watch", render=False)
        # the states come first: with every event the page looks each of them up, from the first component on
        session = new_session(home, tuple(data_roots), tuple(model_roots), tabs, bar, watch)
        for part in (tabs, bar, watch):
            part.render()
        items = {}
        with tabs:
            for name in TABS:
                with gr.Tab(text.TAB[name], id=name, elem_id=f"tab-{name}") as items[name]:
                    BUILDERS[name](session)
        presenter(session)
        _wire_address(page, session, items, bar)
        header.name(_named, None, session.who, **QUIET)
        role = component("role", elem_id="role", elem_classes="unseen")
        page.load(_role_of(page), None, role, **QUIET)
        program_calls.offer(home)
    guard_questions(page)
    page.folders = (home, *data_roots, *model_roots, Path.home())
    page.read_ahead = reader(home)
    return page


def read_only_value(home: Path) -> dict[str, Any] | None:
    """What is said where the runs folder can only be read; None where it can be written."""
    return {"tone": "warn", "fold": True, **text.READ_ONLY} if store.is_read_only(home) else None


def _role_of(page: GuardedPage) -> Any:
    def role_value(request: gr.Request) -> dict[str, str]:
        return {"says": "" if page.access.may_change(request.username) else page.access.refusal}

    return role_value


def _named(event: gr.EventData, request: gr.Request) -> str:
    """Who sits before the page: what they call themselves, else the name they gave to be let in."""
    given = event._data.get("name") if isinstance(event._data, dict) else ""
    return name_of(given or request.username)


def _wire_address(page: gr.Blocks, session: Session, items: dict[str, gr.Tab], bar: gr.HTML) -> None:
    def restore(request: gr.Request) -> list[Any]:
        return restored(session.home, dict(request.query_params))

    page.load(restore, None, [*session.states, session.ready, session.tabs], **QUIET)
    for name, item in items.items():
        item.select(_chosen(name), session.ready, session.tab, **QUIET)
    # in the queue, so that the screens are told of the states that it sets
    bar.back(_back, None, [getattr(session, name) for name in LOOKED_AT], **{**EVENT, "queue": True})
    when_shown("", *STATES)(mirrored, [session.ready, *session.states], bar, **DRAW)


def _back(event: gr.EventData) -> list[Any]:
    return looked_at(event._data)


def looked_at(data: Any) -> list[Any]:
    """What was looked at in an entry of the browser's history, in the order of `LOOKED_AT`, from its query parameters.

    Settings, filter and pool stay as they are: Back takes nobody's work away, and they have an undo of their own.
    """
    query = (
        {key: value for key, value in data.items() if isinstance(value, str)}
        if isinstance(data, dict)
        else {}
    )
    view = address.read(query)
    return [view["run"], view["epoch"], view["comparison"], view["runs"]]


def _chosen(name: str) -> Any:
    def chosen(ready: int, request: gr.Request) -> Any:
        for newest in (NEWEST, curate_tab.OPEN):
            newest.left(request.session_hash or "")  # samples may be opened on another tab as well
        # a tab also reports itself as selected while the page starts, before the address bar was read
        return name if ready else gr.skip()

    return chosen


def restored(home: Path, query: dict[str, str]) -> list[Any]:
    """Values for the session's states, `ready` and the tabs, from the address bar; the demo where it is empty."""
    view = address.read(query)
    pool = view["pool"]
    try:
        if pool:
            get_pool(home, pool)
            pool = store.root_of(home, pool)  # where a run's link names the pool with the edits of then
    except StudioError as error:
        messages.warning(f"The pool that the link names cannot be opened ({error}), so another one is shown.")
        pool = ""
    pool = pool or first_pool()
    tab = view["tab"]
    return [
        tab,
        pool,
        view["scores"],
        view["run"],
        view["epoch"],
        view["sample"],
        view["filter"],
        view["view"],
        view["colour"],
        view["settings"],
        view["comparison"],
        view["runs"],
        1,
        gr.skip() if tab == "data" else gr.Tabs(selected=tab),
    ]


def mirrored(ready: int, *values: Any) -> Any:
    """What the address bar shows of the session's states, which come in the order of `Session.states`."""
    if not ready:
        return gr.skip()
    number = next_number()
    return numbered(address.written(**dict(zip(address.NAMES, values, strict=True))), number)
