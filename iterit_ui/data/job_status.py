"""Jobs that the Data tab starts and waits for: findings and the search index, overlaps with evaluation data, token counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from backend import config, store
from backend.data.inputs import find_sources
from backend.errors import StudioError, without_folders
from backend.jobs import pool_work
from backend.store import Job
from iterit_ui.shared import messages, text
from iterit_ui.shared import pool_health as health
from iterit_ui.shared.launch import model_choices

KINDS: tuple[pool_work.PoolKind, ...] = ("findings", "overlaps", "lengths")


def begun(home: Path, pool_id: str) -> list[Any]:
    """Status, timer and stamp after a pool was opened; what has never been looked for is looked for now."""
    if not pool_id:
        return [None, gr.Timer(active=False), ""]
    info = pool_work.work_info(home, pool_id, "findings")
    if info.state == "absent" and not store.is_read_only(home):
        info = pool_work.start_work(home, pool_id, "findings")
    health.warm(home, pool_id)
    return [*shown(info, *works_of(home, pool_id)[1:]), stamp_of(home, pool_id)]


def asked(
    home: Path,
    roots: tuple[Path, ...],
    pool_id: str,
    model: str,
    longest: float | None,
    event: dict[str, Any],
) -> list[Any]:
    """Status and timer after a button of the list's head that makes something known: {key}."""
    key = str(event.get("key"))
    if pool_id and key == "find":
        pool_work.start_work(home, pool_id, "findings")
        return shown(*works_of(home, pool_id))
    if key == "count":
        return counted(home, roots, pool_id, model, longest)
    if pool_id and key in [f"forget:{against.id}" for against, _ in store.load_overlaps(home, pool_id)]:
        store.forget_overlaps(home, pool_id, key.partition(":")[2])
        return [gr.skip(), gr.Timer(active=True)]  # its next tick sees that less is known
    return [gr.skip()] * 2


def counted(
    home: Path, roots: tuple[Path, ...], pool_id: str, model: str, longest: float | None
) -> list[Any]:
    """Status and timer after somebody asked for token counts."""
    if not pool_id or model not in [value for _, value in model_choices(roots)]:
        return [gr.skip()] * 2
    if longest is None or longest < 8:
        messages.warning("Enter a token limit of 8 or more.")
        return [gr.skip()] * 2
    words = ["--model", model, "--max-length", str(int(longest)), "--system-prompt", limits_of(model)[1]]
    try:
        info = pool_work.start_work(home, pool_id, "lengths", words)
    except StudioError as error:
        messages.warning(str(error))
        return [gr.skip()] * 2
    return shown(*works_of(home, pool_id)[:2], info)


def compared(home: Path, roots: tuple[Path, ...], pool_id: str, path: str | None) -> list[Any]:
    """Status and timer after somebody asked to compare the pool with a file of evaluation data."""
    if not pool_id:
        return [gr.skip()] * 2
    if not path:
        messages.warning("Choose a file of evaluation data first.")
        return [gr.skip()] * 2
    try:
        find_sources([path], roots=roots)  # a visitor's word opens the data folders and uploads only
        pool_work.start_work(home, pool_id, "overlaps", ["--against", path])
    except StudioError as error:
        messages.warning(str(error))
        return [gr.skip()] * 2
    return shown(*works_of(home, pool_id))


def followed(home: Path, pool_id: str, seen: str) -> list[Any]:
    """Status, timer, and the stamp of what is known now, which tells the page to draw it."""
    if not pool_id:
        return [None, gr.Timer(active=False), gr.skip()]
    works = works_of(home, pool_id)
    if works[0].state == "absent" and not store.is_read_only(
        home
    ):  # the cutting into words was changed while it was looked for under another
        works[0] = pool_work.start_work(home, pool_id, "findings")
    now = stamp_of(home, pool_id)
    return [*shown(*works), gr.skip() if now == seen else now]


def stamp_of(home: Path, pool_id: str) -> str:
    """What is known about a pool, as a short text that changes with it."""
    names = (
        health.FILES["near"],
        health.FILES["no_content"],
        "words.json",
        "search.sqlite",
        health.FILES["too_long"],
        health.FILES["overlap_exact"],
    )
    return str([health.stamp(home, pool_id, name) for name in names]) if pool_id else ""


def works_of(home: Path, pool_id: str) -> list[Job]:
    """The work on a pool that this tab waits for: findings, overlaps, lengths."""
    return [pool_work.work_info(home, pool_id, kind) for kind in KINDS]


def shown(*found: Job) -> list[Any]:
    """A line for the work that runs, else for what failed; the timer runs while something does."""
    works = [(info, text.WORK[info.kind]) for info in found]
    running = [(info, words) for info, words in works if info.unfinished]
    failed = [(info, words) for info, words in works if info.state == "failed"]
    value = None
    if running:
        info, (title, words) = running[0]
        value = {
            "state": "running",
            "title": title,
            "text": f"{info.stage[:1].upper()}{info.stage[1:]}" if info.stage else words,
            "done": info.done,
            "total": info.total,
        }
    elif failed:
        info, (title, _) = failed[0]
        value = {"state": "failed", "title": title, "error": without_folders(info.error or "")}
    return [value, gr.Timer(active=bool(running))]


def limits_of(model: str) -> tuple[int, str]:
    """Default token limit and system prompt of a model."""
    values = {**config.PRESETS["demo"]} if model == "demo" else {}
    usual = config.RunConfig()
    return values.get("max_length", usual.max_length), values.get("system_prompt", usual.system_prompt)
