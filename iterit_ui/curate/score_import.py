"""The button that takes a file of scores that were computed elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from backend.errors import StudioError
from backend.jobs.score_importer import import_apart
from iterit_ui.curate.words import IMPORT_SCORES, IMPORTED, NOT_IMPORTED
from iterit_ui.shared import messages
from iterit_ui.shared.session import QUIET, Session, bound


def build_import(session: Session) -> None:
    """The button; what it takes is chosen at once."""
    upload = gr.UploadButton(IMPORT_SCORES, type="filepath", size="sm", elem_id="import-scores")
    upload.upload(
        bound(on_scores_file, session.home),
        [session.pool, upload, session.who],
        session.scores,
        **QUIET,
    )


def on_scores_file(home: Path, pool_id: str, file: str | None, who: str) -> Any:
    """Keep the scores with the pool, say what matched and what did not, and choose them."""
    if not pool_id or not file:
        return gr.skip()
    path = Path(file)
    try:
        key, sentences = import_apart(home, pool_id, path, name=path.stem, who=who)
    except StudioError as error:
        messages.warning(NOT_IMPORTED.format(error))
        return gr.skip()
    messages.info(IMPORTED.format(path.stem, " ".join(map(messages.sentence, sentences))))
    return key
