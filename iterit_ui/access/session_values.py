"""Gradio remembers for each visitor what every component showed last, megabytes of charts and maps with a large pool, so that a
link to a copy of a session can be made. This app has no such links (`front.CLOSED`), so nothing of it is kept.
"""

from __future__ import annotations

from typing import Any

from gradio.state_holder import SessionState


class NoValues(dict[int, Any]):
    """In the place of the configurations of a session's components, by their ids: says that each is there, and holds none."""

    def __contains__(self, key: object) -> bool:
        return True  # else Gradio would make it

    def __getitem__(self, key: int) -> Any:
        return {}

    def __setitem__(self, key: int, value: Any) -> None:
        """Keep nothing."""


def keep_no_values(state: Any) -> None:
    """Forget what a session's components showed, and what they will show. state : as Gradio hands it to an event."""
    if isinstance(state, SessionState) and not isinstance(state.config_values, NoValues):
        state.config_values = NoValues()
