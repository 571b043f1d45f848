"""Where a visitor of the Epochs tab is, as one frozen record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from iterit_ui.epochs.lists import USUAL

# what the colours of the map can mean
MODES = {"moved": "this epoch's selection", "first": "epoch first trained in"}
VIEW: dict[str, Any] = {"which": USUAL, "sort": "rank", "descending": False, "page": 0}


@dataclass(frozen=True)
class EpochsState:
    """run, epoch, sample are the session's, and so in the address; the rest is this tab's own.

    view : the table's, see `samples/sample_list`; its `which` is a key of `epochs/lists`.
    since : the earlier epoch that complexity is compared with. colour : what the map's colours mean, a key of `MODES`.
    answered : number of the player's last event that was answered.
    seen : what was on disk when the tab was drawn last, see `epochs/run_choices.on_disk`.
    turn : number of the last answer that has reached these states.
    """

    run: str = ""
    epoch: int = 0
    sample: str = ""
    view: dict[str, Any] = field(default_factory=lambda: dict(VIEW))
    since: int = 0
    colour: str = "moved"
    answered: int = 0
    seen: str = ""
    turn: int = 0
