"""Where a pool comes from: those that are loaded, files under the data folders, an upload, a hub dataset, the demo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from backend import data, store
from backend.data import demo
from backend.data.batch import TABLE_SUFFIXES, TEXT_SUFFIXES, suffix_of
from backend.data.hub import is_id
from backend.errors import StudioError, without_folders
from backend.records import Pool
from iterit_ui.components import note, status_line
from iterit_ui.components.base import component
from iterit_ui.components.screen import when_shown
from iterit_ui.data import mapping_form as mapping
from iterit_ui.data.words import HUB_ID, SOURCE
from iterit_ui.shared import messages, theme
from iterit_ui.shared.launch import inside
from iterit_ui.shared.session import DRAW, QUIET, Session, bound, forget_pools

MOST_FILES = 2000


@dataclass(frozen=True)
class Chooser:
    """The inputs of the side column that the panel of chosen files hangs on."""

    chosen: gr.State
    load: gr.Button
    files: gr.Dropdown
    upload: gr.File
    hub: gr.Textbox


def build_sources(session: Session) -> Chooser:
    """The column of the Data tab in which a pool is chosen."""
    home = session.home
    roots = allowed_roots(session.data_roots)
    gr.HTML("<h3 class='st-side-title first'>Loaded pools</h3>", apply_default_css=False)
    pools = component("pools", listed(home, ""), events=("open",), elem_id="pools")
    gr.HTML("<h3 class='st-side-title'>Add a pool</h3>", apply_default_css=False, elem_classes="changes")
    with gr.Tabs(elem_classes=["kinds", "changes"]):
        with gr.Tab("Files", id="files"):
            files = gr.Dropdown(
                choices_under(session.data_roots),
                label="From the data folders",
                multiselect=True,
                info=SOURCE["files"] if session.data_roots else SOURCE["no_roots"],
                # until the files of now are known: in a list that grows under the pointer a click takes another file
                interactive=False,
                elem_id="pool-files",
            )
        with gr.Tab("Upload", id="upload"):
            upload = gr.File(
                label="Drop files here",
                file_count="multiple",
                type="filepath",
                elem_id="pool-upload",
                height=120,
            )
        with gr.Tab("Hub", id="hub"):
            hub = gr.Textbox(
                label="Hugging Face dataset",
                placeholder="owner/name or owner/name:split",
                info=SOURCE["hub"],
                elem_id="pool-hub",
            )
    name = gr.Textbox(
        label="Name", placeholder="made from the files", max_lines=1, elem_id="pool-name", max_length=80
    )
    load = gr.Button("Load this pool", variant="primary", elem_id="load-pool", interactive=False)
    progress = status_line(None, elem_id="load-status")
    told = note(None, elem_id="source-note")
    chosen = gr.State(dict(mapping.NOTHING))

    # what lies in the folders may have changed since the app was started
    def offer() -> gr.Dropdown:
        return gr.Dropdown(choices=choices_under(session.data_roots), interactive=True)

    when_shown("data", "ready")(offer, None, files, **DRAW)
    # all that is chosen in the three tabs together makes one pool
    gr.on(
        [files.change, upload.change, hub.submit, hub.blur],
        bound(choose, roots),
        [files, upload, hub, chosen],
        [chosen, told],
        **QUIET,
    )

    def load_files(state: dict[str, Any], called: str) -> Iterator[list[Any]]:
        # a generator of its own: Gradio looks at the function, not at what it returns
        yield from load_chosen(home, roots, state, called)

    opened = [session.pool, session.settings, session.scores, session.sample, session.filter]
    load.click(
        load_files,
        [chosen, name],
        [*opened, progress, told, pools, files, upload, hub, name],
        api_visibility="private",
        show_progress="hidden",
    )

    def open_pool(event: gr.EventData) -> Any:
        return switched(home, event._data)

    pools.open(open_pool, None, opened, **QUIET)
    when_shown("data", "ready", "pool")(bound(listed, home), session.pool, pools, **DRAW)
    return Chooser(chosen, load, files, upload, hub)


def build_preview(session: Session, chooser: Chooser) -> None:
    """The panel that shows what the chosen files hold, above the pool that is open."""
    roots = allowed_roots(session.data_roots)
    chosen = chooser.chosen
    panel = component("preview", None, events=("file", "map", "reset"), elem_id="preview")

    def map_column(state: dict[str, Any], event: gr.EventData) -> Any:
        return mapping.mapped(state, roots, event._data)

    def show_file(state: dict[str, Any], event: gr.EventData) -> Any:
        return mapping.shown(state, event._data)

    # one after another: each adds to what the one before has set
    panel.map(map_column, chosen, chosen, trigger_mode="multiple", concurrency_limit=1, **QUIET)
    panel.file(show_file, chosen, chosen, **QUIET)
    panel.reset(lambda state: mapping.as_found(state, roots), chosen, chosen, **QUIET)
    chosen.change(bound(previewed, roots), chosen, [panel, chooser.load], **DRAW)


def choices_under(roots: tuple[Path, ...]) -> list[tuple[str, str]]:
    """(label, path) of the demo, and of the files and folders under the roots that may hold samples."""
    found = [("demo (embedded)", "demo")] if demo.POOL.exists() else []
    for root in roots:
        files = [path for path in sorted(root.rglob("*")) if may_hold_samples(root, path)]
        inside = Counter(path.parent for path in files)
        below = Counter(folder for path in files for folder in path.parents)
        for path in files:
            folder = path.parent
            if inside.pop(folder, 0) > 1:
                inner = "" if folder == root else f"{folder.relative_to(root)}/"
                found.append((f"{root.name}/{inner} · all {below[folder]} files", str(folder)))
            found.append((f"{root.name}/{path.relative_to(root)}", str(path)))
            if len(found) >= MOST_FILES:
                return found
    return found


def may_hold_samples(root: Path, path: Path) -> bool:
    """Whether a file is of a kind that is read, not hidden, and in the folder: a link may lead out of it."""
    hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    return (
        suffix_of(path) in (*TEXT_SUFFIXES, *TABLE_SUFFIXES)
        and not hidden
        and path.is_file()
        and inside(root, path)
    )


def choose(
    roots: tuple[Path, ...],
    files: list[str] | None,
    upload: list[str] | None,
    hub: str,
    chosen: dict[str, Any],
) -> list[Any]:
    """What is chosen in the tabs together, and a note where the hub's id is none."""
    hub = (hub or "").strip()
    told = None
    if hub and not is_id(hub):
        told, hub = {"tone": "error", "title": "This is not a dataset id", "text": HUB_ID}, ""
    paths = list(dict.fromkeys([*(files or []), *map(str, upload or []), *([hub] if hub else [])]))
    if paths == chosen["paths"]:
        return [gr.skip(), told if told else gr.skip()]
    return [{**chosen, "paths": paths, "active": 0}, told if told or paths else gr.skip()]


def previewed(roots: tuple[Path, ...], chosen: dict[str, Any]) -> list[Any]:
    """The panel of chosen files and the button that loads them."""
    value = mapping.preview_value(chosen, roots)
    return [value, gr.Button(interactive=bool(value and value["ready"]))]


def load_chosen(
    home: Path, roots: tuple[Path, ...], chosen: dict[str, Any], name: str
) -> Iterator[list[Any]]:
    """Read what is chosen as a pool, say how far that is, store it and open it."""
    skip = [gr.skip()] * 12
    if not chosen["paths"]:
        yield skip
        return
    done = [0, 0]  # bytes read, bytes in all

    def note_progress(read: int, total: int) -> None:
        done[:] = read, total

    def read() -> Pool:
        here = {item.key for item in mapping.items_of(chosen["paths"], roots)}
        pool = data.load_outside(
            chosen["paths"],
            mappings={key: own for key, own in chosen["mappings"].items() if key in here},
            roots=roots,
            name=" ".join((name or "").split()) or None,
            on_progress=note_progress,
        )
        store.save_pool(home, pool, inputs=chosen["paths"])
        return pool

    with ThreadPoolExecutor(1, thread_name_prefix="read-pool") as worker:
        reading = worker.submit(read)
        while wait([reading], timeout=0.25).not_done:
            yield [*skip[:5], progress_value(*done), None, *skip[7:]]
    try:
        pool = reading.result()
    except (StudioError, OSError) as error:
        problem = {
            "tone": "error",
            "title": "This pool cannot be loaded",
            "text": without_folders(str(error)),
        }
        yield [*skip[:5], None, problem, *skip[7:]]
        return
    forget_pools()
    good = {
        "tone": "good",
        "title": f"{pool.name} is open",
        "text": f"{theme.counted(len(pool), 'sample')} read, {theme.counted(pool.left_out, 'row')} left out.",
    }
    yield [pool.id, {}, "", "", {}, None, good, listed(home, pool.id), [], None, "", ""]


def progress_value(read: int, total: int) -> dict[str, Any]:
    """How much of the files has been read, for `status_line`."""
    storing = total and read >= total
    return {
        "state": "running",
        "title": "Storing the pool" if storing else "Reading the files",
        "done": round(read / 1e6, 1),
        "total": round(total / 1e6, 1),
        "unit": "MB",
    }


def switched(home: Path, event: dict[str, Any]) -> list[Any]:
    """Open a loaded pool: its id, and settings, scores, sample and filter of its own."""
    pool_id = event.get("id")
    try:
        store.pool_info(home, str(pool_id))
    except StudioError as error:
        messages.warning(str(error))
        return [gr.skip()] * 5
    return [pool_id, {}, "", "", {}]


def listed(home: Path, pool_id: str) -> dict[str, Any]:
    """The loaded pools, the open one marked, and what is wrong with those that cannot be read."""
    return {
        "open": pool_id,
        "pools": [pool_value(home, info) for info in store.list_pools(home)],
        "damaged": [said.replace(f"{home}/", "") for said in store.damaged_pools(home)],
    }


def pool_value(home: Path, info: store.PoolInfo) -> dict[str, Any]:
    """One loaded pool of the list."""
    names = [
        given if is_id(given) and not given.startswith("/") else Path(given).name for given in info.inputs
    ]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    folder = store.pool_folder(home, info.id)
    return {
        "id": info.id,
        "name": info.name,
        "rows": info.rows,
        "bytes": sum(file.stat().st_size for file in folder.iterdir() if file.is_file()),
        "at": info.created,
        "from": (", ".join(names[:3]) or "its samples") + more,
    }


def allowed_roots(roots: tuple[Path, ...]) -> tuple[Path, ...]:
    """The folders that a visitor's word may open: those given at start, and where uploads arrive."""
    return (*roots, Path(get_upload_folder()).resolve())
