"""Nothing is kept of what a visitor's components showed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

from gradio.state_holder import SessionState

import app
from iterit_ui.access.guarded_page import event_names


def test_a_session_keeps_no_values_of_components(tmp_path: Path) -> None:
    async def asked() -> SessionState:
        page = app.build(tmp_path.resolve())
        state = SessionState(page)
        assert len(state.config_values) > 100
        number = next(one for one, called in page.fns.items() if event_names(page, called)[0] == "restore")
        request = SimpleNamespace(username=None, session_hash="s", headers={}, query_params={})
        answer = await page.process_api(number, [None] * len(page.fns[number].inputs), state, request)
        assert answer["data"]
        return state

    state = asyncio.run(asked())
    assert len(state.config_values) == 0 and list(state.components) == []
    assert state.state_data  # what the page's states hold is kept
