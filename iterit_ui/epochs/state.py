"""Where a visitor of the Epochs tab is, as one frozen record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from iterit_ui.epochs.lists import USUAL

ORDER: dict[str, Any] = {"sort": "rank", "descending": False}


@dataclass(frozen=True)
class EpochsState:
    """run, epoch, sample are the session's, and so in the address; the rest is this tab's own.

    listed : what the table lists, a key of `epochs/lists`. order : the table's column and direction.
    page : the table's, from 0. since : the earlier epoch that complexity is compared with.
    answered : number of the player's last event that was answered.
    seen : what was on disk when the tab was drawn last, see `epochs/run_choices.on_disk`.
    """

    run: str = ""
    epoch: int = 0
    sample: str = ""
    listed: str = USUAL
    order: dict[str, Any] = field(default_factory=lambda: dict(ORDER))
    page: int = 0
    since: int = 0
    answered: int = 0
    seen: str = ""
