"""Counting a pool's tokens from the form of a run, so that its estimate knows tokens and time before any launch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backend.errors import StudioError, without_folders
from backend.jobs import pool_work
from backend.store import Job
from iterit_ui.shared import text
from iterit_ui.tune.form_check import launchable
from iterit_ui.tune.form_config import read_draft, worded


def count(home: Path, data_roots: Sequence[Path], model_roots: Sequence[Path], asked: Any) -> dict[str, Any]:
    """Begin to count the tokens of the form's pool under its model's tokenizer, or say how far that is.

    asked : {form, begin: whether to begin}.
    Returns {state: "running", "ready", "failed" or "absent", text, done, total, error}; error "" unless failed.
    """
    if not isinstance(asked, dict):
        return _told("failed", error="the page asked for nothing")
    try:
        draft = read_draft(asked.get("form"))
        if not asked.get("begin"):
            return _said(pool_work.work_info(home, draft.pool, "lengths"))
        config = launchable(home, draft, data_roots, model_roots)
        words = ["--model", config.model, "--max-length", str(config.max_length)]
        return _said(
            pool_work.start_work(
                home, draft.pool, "lengths", [*words, "--system-prompt", config.system_prompt]
            )
        )
    except StudioError as error:
        return _told("failed", error=worded(str(error)))


def _said(info: Job) -> dict[str, Any]:
    stage = f"{info.stage[:1].upper()}{info.stage[1:]}" if info.stage else text.WORK["lengths"][1]
    state = "running" if info.unfinished else "ready" if info.state == "done" else info.state
    return _told(
        state, words=stage, done=info.done, total=info.total, error=without_folders(info.error or "")
    )


def _told(state: str, *, words: str = "", done: int = 0, total: int = 0, error: str = "") -> dict[str, Any]:
    return {"state": state, "text": words, "done": done, "total": total, "error": error}
