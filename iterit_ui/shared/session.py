"""What the tabs share: ids and paths in the visitor's session, data in caches of this process by id.

Every `gr.State` holds an id or plain settings, never data; the address bar mirrors them, so a reload or a colleague's
browser shows the same view.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from backend import analysis, store
from backend.config import PRESETS, SelectionSettings, Words, selection_settings
from backend.data import demo, load_pool
from backend.records import Pool, Scores
from backend.store import PoolMap
from backend.store.shelf import keep_last
from iterit_ui.components.screen import announce

if TYPE_CHECKING:
    from backend.diversity import NgramCounts

# no progress on any component: the page looks for every one of them anew at each event, which takes seconds in all
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "show_progress_on": []}
LIVE: dict[str, Any] = {**QUIET, "trigger_mode": "always_last"}
# for callbacks that only draw: without the queue they answer sooner, but a state they set tells nobody
DRAW: dict[str, Any] = {**LIVE, "queue": False}
# every event with its own data: "always_last" would send that of the one under way a second time
EVENT: dict[str, Any] = {**DRAW, "trigger_mode": "multiple"}
STATES = (
    "tab",
    "pool",
    "scores",
    "run",
    "epoch",
    "sample",
    "filter",
    "view",
    "colour",
    "settings",
    "comparison",
    "chosen",
)
TABS = ("data", "curate", "tune", "epochs", "compare")
VIEW: dict[str, Any] = {"which": "selected", "sort": "rank", "descending": False, "page": 0}
COLOURS = {
    "status": "status",
    "source": "source",
    "cluster": "cluster",
    "writing": "language (letters)",
    "complexity": "complexity",
    "diversity": "diversity",
    "tokens": "length",
    "rank": "pick",
}
"""What the map of the Curate tab can be coloured by, and what a person calls it."""
WHO = "visitor"  # until the page has said who sits before it


def bound(function: Callable[..., Any], *first: Any) -> Callable[..., Any]:
    """`function` with its first arguments given, as a plain function: Gradio miscounts those of a `partial`."""

    def call(*rest: Any) -> Any:
        return function(*first, *rest)

    call.__name__ = function.__name__
    return call


@dataclass(frozen=True)
class Session:
    """Folders of this app and the states of one visitor's session.

    pool, scores, run, sample : ids, "" for none; scores is a key of `analysis.score_sets`.
    settings : SelectionSettings fields that differ from `defaults_of` the pool.
    epoch : epoch shown on the Epochs tab. tab : one of TABS.
    filter : which samples the Curate tab shows, as `analysis.filters` takes it.
    view : the Curate tab's list, its order and page; see `VIEW`. colour : what colours the map, a key of `COLOURS`.
    who : the visitor's name, written beside what they pin, exclude and note.
    marked : the pool's curation revision on this page; a change of it draws what depends on marks and notes.
    bar : mirrors the states in the address. watch : says `changed` when something was changed elsewhere.
    ready : 0 until the address bar has been read, then 1.
    comparison : id of the comparison that is shown, "" for none. chosen : ids of the runs that are compared without one.
    """

    home: Path
    data_roots: tuple[Path, ...]
    model_roots: tuple[Path, ...]
    tabs: gr.Tabs
    bar: gr.HTML
    watch: gr.HTML
    pool: gr.State
    settings: gr.State
    scores: gr.State
    run: gr.State
    epoch: gr.State
    sample: gr.State
    filter: gr.State
    view: gr.State
    colour: gr.State
    tab: gr.State
    who: gr.State
    marked: gr.State
    ready: gr.State
    comparison: gr.State
    chosen: gr.State

    @property
    def states(self) -> list[gr.State]:
        """What the address bar mirrors, in the order of `STATES`."""
        return [getattr(self, name) for name in STATES]


def new_session(
    home: Path,
    data_roots: tuple[Path, ...],
    model_roots: tuple[Path, ...],
    tabs: gr.Tabs,
    bar: gr.HTML,
    watch: gr.HTML,
) -> Session:
    """A session's states; call inside `gr.Blocks`."""
    made = Session(
        home=home,
        data_roots=data_roots,
        model_roots=model_roots,
        tabs=tabs,
        bar=bar,
        watch=watch,
        pool=gr.State(""),
        settings=gr.State({}),
        scores=gr.State(""),
        run=gr.State(""),
        epoch=gr.State(0),
        sample=gr.State(""),
        filter=gr.State({}),
        view=gr.State(dict(VIEW)),
        colour=gr.State("status"),
        tab=gr.State("data"),
        who=gr.State(WHO),
        marked=gr.State(0),
        ready=gr.State(0),
        comparison=gr.State(""),
        chosen=gr.State([]),
    )
    announce(**{name: getattr(made, name) for name in (*STATES, "marked", "ready")})
    return made


@lru_cache(maxsize=1)
def demo_pool() -> Pool:
    """The embedded pool."""
    return load_pool(["demo"])


def prepare(home: Path) -> None:
    """Put the embedded pool into the runs folder, so that the first screen shows something at once."""
    if demo.POOL.exists() and not store.is_read_only(home):
        store.save_pool(home, demo_pool(), inputs=["demo"])


def get_pool(home: Path, pool_id: str) -> Pool:
    """A pool by its id, with the edits that people made to it by now; by an edited pool's own id that one.

    What is computed from its texts is kept under the id of what this returns; marks, notes and the map under either.
    Raises StudioError where this app does not know it.
    """
    return exact_pool(home, content_id(home, pool_id))


def content_id(home: Path, pool_id: str) -> str:
    """Id of a pool with its current edits; the pool's own id where there are none."""
    return store.edited_pool_id(home, pool_id)


def exact_pool(home: Path, pool_id: str) -> Pool:
    """The pool that a run was started on: without what was edited since. Raises StudioError likewise."""
    return _read_pool(home, pool_id, store.samples_written(home, store.root_of(home, pool_id)))


def forget_pools() -> None:
    """Have pools read anew: the same samples may have another name now."""
    _read_pool.cache_clear()


@keep_last(6)
def _read_pool(home: Path, pool_id: str, written: int) -> Pool:
    """A pool as it was stored at that moment: other files with the same samples may bring it other columns."""
    if not written and demo.POOL.exists() and pool_id == demo_pool().id:
        return demo_pool()
    return store.load_pool_from_store(home, pool_id)


def first_pool() -> str:
    """The pool that a new visitor sees: the embedded one, "" where it is not built."""
    return demo_pool().id if demo.POOL.exists() else ""


@keep_last(4)
def get_counts(home: Path, pool_id: str, words: Words = "paper") -> NgramCounts:
    """The n-grams of a pool's responses under one cutting into words, counted once and stored beside the pool.

    pool_id : as `content_id` gives it."""
    return analysis.ngram_counts(home, exact_pool(home, pool_id), words=words)


def get_scores(home: Path, pool_id: str, key: str) -> Scores:
    """Stored scores of a pool by their key in `analysis.score_sets`; unknown for every row where key is "", and for what
    was edited since."""
    return _scores(home, content_id(home, pool_id), key)


@keep_last(8)
def _scores(home: Path, pool_id: str, key: str) -> Scores:
    pool = exact_pool(home, pool_id)
    return analysis.load_scores(home, pool, key) if key else Scores.unknown(len(pool))


def get_marks(home: Path, pool_id: str) -> dict[str, str]:
    """What people pinned or excluded in a pool: "pinned" or "excluded" by sample id."""
    return dict(store.marks(home, pool_id))


def is_demo(pool_id: str) -> bool:
    """Whether this is the embedded pool."""
    return bool(pool_id) and demo.POOL.exists() and pool_id == demo_pool().id


def defaults_of(home: Path, pool_id: str) -> dict[str, Any]:
    """The settings from which a pool's differences are counted: the demo has a preset of its own, and any pool may have
    another cutting into words."""
    names = SelectionSettings.__dataclass_fields__
    preset = PRESETS["demo" if is_demo(store.root_of(home, pool_id)) else "paper"]
    words = store.pool_words(home, pool_id)
    return {k: v for k, v in preset.items() if k in names} | ({} if words == "paper" else {"words": words})


def epoch_of(changed: dict[str, Any]) -> int:
    """The epoch that is looked ahead to; 0 where the visitor did not choose one."""
    return int(changed.get("ahead", 0))


def settings_of(home: Path, pool_id: str, changed: dict[str, Any]) -> SelectionSettings:
    """The complete settings: defaults, what the visitor changed, and the pool's pins and excludes."""
    marks = get_marks(home, pool_id)
    return selection_settings(
        SelectionSettings(),
        **{
            **defaults_of(home, pool_id),
            **{name: value for name, value in changed.items() if name != "ahead"},
            "pinned": tuple(i for i, mark in marks.items() if mark == "pinned"),
            "excluded": tuple(i for i, mark in marks.items() if mark == "excluded"),
        },
    )


def map_file(home: Path, pool_id: str) -> Path | None:
    """Where a pool's map lies, None where there is none yet."""
    path = store.pool_folder(home, store.root_of(home, pool_id)) / "map.parquet"
    return path if path.exists() else None


@keep_last(4)
def _read_map(home: Path, pool_id: str, written: int) -> PoolMap | None:
    return store.load_map(home, pool_id)


def get_pool_map(home: Path, pool_id: str) -> PoolMap | None:
    """A pool's map as it lies on disk now; None where there is none yet."""
    path = map_file(home, pool_id)
    return None if path is None else _read_map(home, pool_id, path.stat().st_mtime_ns)


def get_map(home: Path, pool_id: str) -> np.ndarray | None:
    """(n, 2) float32: the map's coordinates, NaN where a sample has no place; None where there is no map yet."""
    found = get_pool_map(home, pool_id)
    return None if found is None else found.xy


def map_key(home: Path, pool_id: str) -> str:
    """Names a pool's map as it is now, so that a page asks for its coordinates again once there are others."""
    path = map_file(home, pool_id)
    found = get_pool_map(home, pool_id)
    if path is None or found is None:
        return ""
    return f"{store.root_of(home, pool_id)}/{path.stat().st_mtime_ns}{'' if found.final else 'first'}"


def beginning(text: str, length: int) -> str:
    """The beginning of a text on one line."""
    line = " ".join(text[: 2 * length].split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"
