"""What Data and Curate say where a pool's words are not written with spaces between them, and the click that changes how
its responses are cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from backend import store
from backend.data.scripts import fitting_words
from backend.jobs import pool_work
from iterit_ui.shared import text, theme
from iterit_ui.shared.session import get_pool


def note_value(home: Path, pool_id: str, changed: dict[str, Any] | None = None) -> dict[str, Any] | None:
    """The note; None where the cutting that is used fits the pool.

    changed : the visitor's settings of Curate, which may hold another cutting than the one chosen for the pool; None on
        Data, where the note stays once it was followed, so that the choice can be taken back.
    """
    if not pool_id:
        return None
    share = store.pool_unspaced_share(home, get_pool(home, pool_id))
    if fitting_words(share) == "paper":
        return None
    chosen = store.pool_words(home, pool_id)
    if (changed or {}).get("words", chosen) == "paper":
        title, words, button = text.WORDS_HINT
        action = {"key": "unicode", "label": button}
        return {
            "tone": "warn",
            "title": title.format(share=theme.share(share)),
            "text": words,
            "action": action,
        }
    if changed is not None:
        return None
    title, words, button = text.WORDS_CHOSEN
    return {"tone": "good", "title": title, "text": words, "action": {"key": "paper", "label": button}}


def on_choice(home: Path, pool_id: str, changed: dict[str, Any], data: dict[str, Any]) -> list[Any]:
    """The pool's revision and the visitor's settings, after the note's button: {key}.

    What depends on the cutting and is found in the background is looked for at once.
    """
    if not pool_id or data.get("key") not in ("paper", "unicode"):
        return [gr.skip(), gr.skip()]
    store.set_pool_words(home, pool_id, data["key"])
    if pool_work.work_info(home, pool_id, "findings").state == "absent":
        pool_work.start_work(home, pool_id, "findings")
    rest = {name: value for name, value in changed.items() if name != "words"}
    return [store.curation_revision(home, pool_id), rest if rest != changed else gr.skip()]
