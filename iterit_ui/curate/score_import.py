"""The button that takes a file of scores that were computed elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from backend.errors import StudioError
from backend.store import foreign_scores, imported_scores
from iterit_ui.curate.words import IMPORT_SCORES, IMPORTED, NOT_IMPORTED
from iterit_ui.shared import messages
from iterit_ui.shared.session import QUIET, Session, bound, get_pool


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
    pool, path = get_pool(home, pool_id), Path(file)
    try:
        found = foreign_scores.read_foreign_scores([file], pool)
        kept = imported_scores.keep_imported(home, pool, found, name=path.stem, who=who)
    except StudioError as error:
        # where the server put the file is nobody's business
        messages.warning(NOT_IMPORTED.format(str(error).replace(file, path.name)))
        return gr.skip()
    messages.info(IMPORTED.format(kept.name, " ".join(map(messages.sentence, found.sentences))))
    return kept.key
