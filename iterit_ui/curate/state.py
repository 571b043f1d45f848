"""Where a visitor of the Curate tab is: the session's states and the tab's own as one frozen record."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from backend import analysis
from backend.records import Selection
from iterit_ui.curate import views
from iterit_ui.curate.sample_panel import EXTRAS
from iterit_ui.curate.settings_form import PAST
from iterit_ui.samples.filter_lookup import kept, usable
from iterit_ui.samples.sample_list import SampleList
from iterit_ui.shared.selections import SelectionView, earlier, scores_key, selected
from iterit_ui.shared.session import VIEW, WHO

Value = dict[str, Any]


@dataclass(frozen=True)
class CurateState:
    """The states that the tab reads and changes; the first twelve are `Session.states`, in that order.

    seen : tokens of the selection on screen and of the one before it, and their pool.
    past : settings that can be taken back or done again.
    answered : {seq, problem} of the settings panel's last event.
    asked : what was asked for about the open sample. error : what is wrong with the search.
    compared : whether saved settings are compared. who : the visitor. marked : the pool's curation revision here.
    turn : number of the last answer that has reached these states.
    """

    tab: str = "curate"
    pool: str = ""
    scores: str = ""
    run: str = ""
    epoch: int = 0
    sample: str = ""
    filter: Value = field(default_factory=dict)
    view: Value = field(default_factory=lambda: dict(VIEW))
    colour: str = "status"
    settings: Value = field(default_factory=dict)
    comparison: str = ""
    runs: list[str] = field(default_factory=list)
    seen: Value = field(default_factory=lambda: {"now": "", "before": ""})
    past: Value = field(default_factory=lambda: dict(PAST))
    answered: Value = field(default_factory=lambda: {"seq": 0, "problem": ["", ""]})
    asked: Value = field(default_factory=lambda: dict(EXTRAS))
    error: str = ""
    compared: bool = False
    who: str = WHO
    marked: int = 0
    turn: int = 0


@dataclass(frozen=True)
class CurateView:
    """A selection with what of it is looked at.

    wanted : the filter, as far as it can be answered; problem says why the rest cannot.
    mask : (n,) bool, what it keeps, None without one.
    """

    shown: SelectionView
    wanted: Value
    problem: str
    mask: np.ndarray | None
    view: Value
    previous: Selection | None
    opened: str

    @cached_property
    def listed(self) -> SampleList:
        """The present list, in the table's order."""
        rows = views.listed_rows(self.shown, self.view["which"], self.previous, self.mask)
        rows = analysis.ordered_rows(
            self.shown.pool,
            self.shown.scores,
            self.shown.what.selection,
            rows,
            diversity=self.shown.what.diversity,
            sort=self.view["sort"],
            descending=self.view["descending"],
        )
        return SampleList(self.shown.pool, rows, self.view)


def selection_of(home: Path, here: CurateState) -> SelectionView:
    """What the settings select.

    Raises
    ------
    StudioError : they select nothing.
    """
    return selected(home, here.pool, scores_key(home, here.pool, here.scores), here.settings)


def selection_view(home: Path, here: CurateState) -> CurateView:
    """The selection that the settings make, and what of it is looked at.

    Raises
    ------
    StudioError : these settings select nothing.
    """
    shown = selection_of(home, here)
    wanted, problem = usable(home, here.pool, here.filter)
    mask = kept(home, shown, wanted)
    return CurateView(
        shown, wanted, problem, mask, here.view, earlier(here.seen["before"], here.pool), here.sample
    )
