"""Where a pool comes from: those that are loaded, files under the data folders, an upload, or a hub dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from backend import data, store
from backend.errors import StudioError
from iterit_ui import text, theme
from iterit_ui.components import note
from iterit_ui.session import DRAW, QUIET, Session, bound

ENDINGS = (".json", ".jsonl", ".csv", ".tsv", ".parquet", ".arrow", ".gz", ".zst")
MOST_FILES = 2000
FIRST_LOOKS = 8  # files that are looked at before loading
ROLES = ("prompt", "input", "response", "messages", "system", "source")
NOTHING: dict[str, Any] = {"paths": [], "mapped": False}


def build_sources(session: Session) -> None:
    """The column of the Data tab in which a pool is chosen."""
    home = session.home
    roots = allowed_roots(session.data_roots)
    loaded = gr.Radio(
        [], label="Pools that are loaded", elem_id="pools", interactive=True, elem_classes="pools"
    )
    gr.HTML("<h3 class='st-side-title'>Add a pool</h3>", apply_default_css=False)
    with gr.Tabs(elem_classes="kinds"):
        with gr.Tab("Files", id="files"):
            files = gr.Dropdown(files_under(session.data_roots), label="From the data folders", multiselect=True, info=text.SOURCE["files"] if session.data_roots else text.SOURCE["no_roots"],
                                interactive=bool(session.data_roots), elem_id="pool-files")  # fmt: skip
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
                info=text.SOURCE["hub"],
                elem_id="pool-hub",
            )
    told = note(None, elem_id="source-note")
    with gr.Column(visible=False, elem_id="mapping", elem_classes="mapping") as mapping_panel:
        mapping = [
            gr.Dropdown([], label=f"Column of the {role}", interactive=True, elem_id=f"map-{role}")
            for role in ROLES
        ]
    load = gr.Button("Load this pool", variant="primary", elem_id="load-pool", interactive=False)
    inputs = gr.State(dict(NOTHING))

    looked = [inputs, told, mapping_panel, load, *mapping]
    files.change(bound(look_at, roots), files, looked, **DRAW)
    upload.upload(bound(look_at, roots), upload, looked, **DRAW)
    gr.on([hub.submit, hub.blur], bound(look_at_hub, roots), hub, looked, **DRAW)
    gr.on(
        [choice.input for choice in mapping],
        bound(look_again, roots),
        [inputs, *mapping],
        [told, load],
        **QUIET,
    )
    opened = [session.pool, session.settings, session.scores, session.sample, told, loaded]
    load.click(bound(opened_inputs, home, roots), [inputs, *mapping], opened, api_visibility="private")
    loaded.input(bound(switched, home), loaded, opened[:4], **QUIET)
    gr.on([session.ready.change, session.pool.change], bound(listed, home), session.pool, loaded, **DRAW)


def files_under(roots: tuple[Path, ...]) -> list[tuple[str, str]]:
    """(label, path) of the files under the roots that may hold samples."""
    found = []
    for root in roots:
        for path in sorted(root.rglob("*")):
            if (
                path.suffix.lower() in ENDINGS
                and path.is_file()
                and not any(part.startswith(".") for part in path.relative_to(root).parts)
            ):
                found.append((f"{root.name}/{path.relative_to(root)}", str(path)))
                if len(found) >= MOST_FILES:
                    return found
    return found


def listed(home: Path, pool_id: str) -> Any:
    """The loaded pools, the open one chosen."""
    pools = store.list_pools(home)
    choices = [(f"{info.name} · {theme.counted(info.rows, 'sample')}", info.id) for info in pools]
    known = {value for _, value in choices}
    return gr.Radio(choices=choices, value=pool_id if pool_id in known else None)


def switched(home: Path, pool_id: str) -> list[Any]:
    """Open a loaded pool: its id, and settings, scores and sample of its own."""
    try:
        store.pool_info(home, pool_id)
    except StudioError as error:
        gr.Warning(str(error))
        return [gr.skip()] * 4
    return [pool_id, {}, "", ""]


def look_at(roots: tuple[Path, ...], paths: list[str] | None) -> list[Any]:
    """What the chosen files hold: inputs, note, mapping, button, and the columns for each role."""
    paths = paths or []
    if not paths:
        return [
            NOTHING,
            None,
            gr.Column(visible=False),
            gr.Button(interactive=False),
            *[gr.skip()] * len(ROLES),
        ]
    try:
        found = data.preview(paths[0], roots=roots)
    except (StudioError, OSError) as error:
        problem = {"tone": "error", "title": "This file cannot be read", "text": str(error)}
        return [
            NOTHING,
            problem,
            gr.Column(visible=False),
            gr.Button(interactive=False),
            *[gr.skip()] * len(ROLES),
        ]
    readable = bool(found.samples)
    for path in paths[1:FIRST_LOOKS]:
        try:
            data.preview(path, roots=roots, limit=1)
        except (StudioError, OSError) as error:
            problem = {
                "tone": "error",
                "title": "One of these files cannot be read",
                "text": f"{error}. Take it out; the others can then be loaded.",
            }
            return [NOTHING, problem, gr.Column(visible=False), gr.Button(interactive=False), *[gr.skip()] * len(ROLES)]  # fmt: skip
    columns = [("(none)", ""), *((name, name) for name in [*found.columns, *nested(found)])]
    boxes = [gr.Dropdown(choices=columns, value=found.mapping.get(role, "")) for role in ROLES]
    told = {"paths": [str(path) for path in paths], "mapped": not readable}
    return [
        told,
        preview_note(found, len(paths)),
        gr.Column(visible=not readable and bool(found.columns)),
        gr.Button(interactive=readable),
        *boxes,
    ]


def nested(found: data.Preview) -> list[str]:
    """Text below the top columns of the first row, by path: `instances.0.output`."""
    paths: list[str] = []

    def walk(value: Any, path: str, depth: int) -> None:
        if isinstance(value, str) and depth:
            paths.append(path)
        elif isinstance(value, dict) and depth < 4:
            for key, item in value.items():
                walk(item, f"{path}.{key}" if path else str(key), depth + bool(path))
        elif isinstance(value, (list, tuple)) and value and path and depth < 4:
            walk(value[0], f"{path}.0", depth + 1)

    walk(found.rows[0] if found.rows else {}, "", 0)
    return paths[:40]


def look_at_hub(roots: tuple[Path, ...], name: str) -> list[Any]:
    """What a hub dataset holds; the same values as `look_at`."""
    name = name.strip()
    parts = name.split(":")[0].split("/")
    if name and (len(parts) != 2 or not all(parts) or name.startswith((".", "/"))):
        problem = {
            "tone": "error",
            "title": "This is not a dataset's id",
            "text": "A hub dataset is called owner/name, or owner/name:split.",
        }
        return [
            NOTHING,
            problem,
            gr.Column(visible=False),
            gr.Button(interactive=False),
            *[gr.skip()] * len(ROLES),
        ]
    found = look_at(roots, [name] if name else [])
    if isinstance(found[1], dict) and found[1]["tone"] == "error":
        # the part about paths is for those who typed one
        said = found[1]["text"].partition("could not be loaded. ")[2] or found[1]["text"]
        found[1] = {"tone": "error", "title": f"The dataset {name} cannot be read", "text": said}
    return found


def look_again(roots: tuple[Path, ...], inputs: dict[str, Any], *columns: str) -> list[Any]:
    """The note and the button after a column was chosen by hand."""
    mapping = mapping_of(columns)
    if not inputs["paths"] or not mapping:
        return [gr.skip(), gr.skip()]
    if "messages" not in mapping and not {"prompt", "response"} <= mapping.keys():
        missing = "response" if "prompt" in mapping else "prompt"
        told = {"tone": "info", "title": f"Now choose the column of the {missing}"}
        return [told, gr.Button(interactive=False)]
    try:
        found = data.preview(inputs["paths"][0], mapping=mapping, roots=roots)
    except (StudioError, OSError) as error:
        return [
            {"tone": "error", "title": "These columns do not fit", "text": str(error)},
            gr.Button(interactive=False),
        ]
    return [preview_note(found, len(inputs["paths"])), gr.Button(interactive=bool(found.samples))]


def opened_inputs(home: Path, roots: tuple[Path, ...], inputs: dict[str, Any], *columns: str) -> list[Any]:
    """Read the chosen inputs as a pool, store it, and open it."""
    if not inputs["paths"]:
        return [gr.skip()] * 6
    try:
        mapping = mapping_of(columns) if inputs["mapped"] else None
        pool = data.load_pool(inputs["paths"], mapping=mapping, roots=roots)
        store.save_pool(home, pool, inputs=inputs["paths"])
    except (StudioError, OSError) as error:
        return [gr.skip()] * 4 + [
            {"tone": "error", "title": "This pool cannot be loaded", "text": str(error)},
            gr.skip(),
        ]
    done = {
        "tone": "good",
        "title": f"{pool.name} is open",
        "text": f"{theme.counted(len(pool), 'sample')} read, {theme.counted(len(pool.rejected), 'row')} rejected.",
    }
    return [pool.id, {}, "", "", done, listed(home, pool.id)]


def mapping_of(columns: tuple[str, ...]) -> dict[str, str]:
    """Column by role of those that were chosen."""
    return {role: name for role, name in zip(ROLES, columns) if name}


def preview_note(found: data.Preview, files: int) -> dict[str, Any]:
    """What was recognised in a file, or what is needed."""
    if not found.samples:
        first = str(found.rows[0]) if found.rows else ""
        lines = [f"It has the columns {', '.join(found.columns)}.", f"First row: {first[:140]}…" if len(first) > 140 else f"First row: {first}"]  # fmt: skip
        if not found.columns:
            lines = found.problems[:1]
        return {"tone": "warn", "title": "The format is not recognised", "text": "\n".join(lines),
                "steps": ["Choose below which column holds the prompt and which the response.", "Load the pool."] if found.columns else []}  # fmt: skip
    columns = ", ".join(f"{role}: {name}" for role, name in found.mapping.items())
    more = f", first of {files} files" if files > 1 else ""
    lines = [f"Columns: {columns}." if columns else "", *found.problems[:2]]
    return {
        "tone": "info",
        "title": f"Format: {found.format}{more}",
        "text": "\n".join(line for line in lines if line),
    }


def allowed_roots(roots: tuple[Path, ...]) -> tuple[Path, ...]:
    """The folders that a visitor's word may open: those given at start, and where uploads arrive."""
    return (*roots, Path(get_upload_folder()).resolve())
