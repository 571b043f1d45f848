"""The runs that the Epochs tab can show, and a mark that changes with what is on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zlib import crc32

import gradio as gr

from backend import store
from backend.errors import StudioError
from iterit_ui.epochs.run_history import held_out_losses
from iterit_ui.shared.session import map_key
from iterit_ui.shared.theme import counted

COMING = ("queued", "running", "waiting", "stopping")  # states in which a run may select yet


def known_runs(home: Path) -> list[tuple[store.RunInfo, int]]:
    """Runs that have selected at least once or still will, newest first, each with its number of epochs."""
    found = [(info, len(store.epochs(home, info.id))) for info in store.runs(home)]
    return [(info, epochs) for info, epochs in found if epochs or info.state in COMING]


def on_disk(home: Path, run: str) -> tuple[str, str]:
    """The run, the newest that has selected where none is chosen, and a mark that changes with what is on disk."""
    infos = known_runs(home)
    chosen = run or next((info.id for info, epochs in infos if epochs), infos[0][0].id if infos else "")
    mark = " ".join(f"{info.id}:{info.state}:{epochs}:{crc32(info.name.encode())}" for info, epochs in infos)
    if chosen:
        pool_id = next((info.pool_id for info, _ in infos if info.id == chosen), "")
        mark += f" | {chosen} {measured(home, chosen)} {map_key(home, pool_id) if pool_id else ''}"
    return chosen, mark


def measured(home: Path, run: str) -> int:
    """How often a run's held-out loss was measured; 0 where there is no such run."""
    try:
        return len(held_out_losses(home, run))
    except StudioError:
        return 0


def run_choice(home: Path, run: str) -> Any:
    """The list of runs with the chosen one."""
    choices = [(run_label(info, epochs), info.id) for info, epochs in known_runs(home)] or [
        ("no run yet", "")
    ]
    return gr.Dropdown(choices=choices, value=run if run in [key for _, key in choices] else None)


def run_label(info: store.RunInfo, epochs: int) -> str:
    """A run in one line of a list."""
    state = "" if info.state == "done" else f", {info.state}"
    return f"{info.name} · {info.pool_name} · {counted(epochs, 'epoch') if epochs else 'no epoch yet'}{state}"
