"""Event handlers of the Epochs tab: (state, event data) -> new state.

Everything in `data` came from a browser and is checked. A function returns the record that it was given where
nothing changes, and nothing is drawn anew then.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from backend import analysis, store
from backend.errors import StudioError
from iterit_ui.components import checked_int
from iterit_ui.epochs import draw
from iterit_ui.epochs.charts import EpochView
from iterit_ui.epochs.lists import USUAL, listed, means_something
from iterit_ui.epochs.state import MODES, EpochsState
from iterit_ui.samples import hand_over, sample_list

Data = dict[str, Any]
MOST_EPOCH = 10**6


def view_of(home: Path, here: EpochsState) -> EpochView | None:
    """What is looked at; None where that cannot be shown."""
    try:
        return draw.epoch_view(home, here)
    except StudioError:
        return None


def on_export(home: Path, here: EpochsState, data: Any, who: str) -> str:
    """A file to download: the picks of one epoch, of all epochs together, or the samples listed in the table."""
    choices = [one["key"] for one in hand_over.run_choices(home, here.run)] if here.run else []
    asked = hand_over.asked_of(data, [*choices, hand_over.LISTED])
    if asked.which != hand_over.LISTED:
        return hand_over.exported_file(home, hand_over.picks_of_key(home, asked.which), asked, who)
    at = draw.epoch_view(home, here)
    if at is None:
        raise StudioError("nothing is listed yet")
    picks = hand_over.picks_of_list(home, at.story.pool, at.listed.rows, at.record.scores)
    return hand_over.exported_file(home, picks, asked, who, noun="samples")


def on_receipt(home: Path, run: str) -> str:
    """A file of what the run was made from and selected, to download."""
    return hand_over.receipt_file(home, run)


def on_go(home: Path, here: EpochsState, data: Data) -> EpochsState:
    """The player asks for an epoch; every question is answered, also where the epoch is not there."""
    seq = checked_int(data.get("seq"), 0, 2**53)
    epoch = checked_int(data.get("epoch"), 0, MOST_EPOCH)
    return replace(
        here, epoch=draw.epoch_of(home, here.run, epoch), answered=seq, view={**here.view, "page": 0}
    )


def on_jump(home: Path, here: EpochsState, data: Data) -> EpochsState:
    """An epoch's name in the diagram was clicked."""
    epoch = draw.epoch_of(home, here.run, checked_int(data.get("epoch"), 0, MOST_EPOCH))
    return here if epoch == here.epoch else replace(here, epoch=epoch, view={**here.view, "page": 0})


def on_colour(home: Path, here: EpochsState, data: Data) -> EpochsState:
    """The map's colours shall mean something else."""
    key = data.get("key")
    return replace(here, colour=key) if key in MODES else here


def on_back(home: Path, here: EpochsState, data: Data) -> EpochsState:
    """List the selection again."""
    return show_list(home, here, USUAL)


def show_list(home: Path, here: EpochsState, key: str) -> EpochsState:
    """List something else, from its first page, the picks in their order and others by complexity."""
    at = view_of(home, here)
    if at is None or not means_something(home, at.story, key, epoch=at.epoch, since=at.since):
        return here
    what = listed(home, at.story, key, epoch=at.epoch, since=at.since)
    return replace(here, view=sample_list.on_list(here.view, what.key, ranked=what.ranked))


def on_choice(home: Path, here: EpochsState, data: Data) -> EpochsState:
    """A card, band, column or button that lists samples; once more, and the selection is listed again."""
    key = data.get("key")
    if not isinstance(key, str):
        return here
    there = show_list(home, here, key)
    return show_list(home, here, USUAL) if there.view["which"] == here.view["which"] != USUAL else there


def on_list(home: Path, here: EpochsState, data: Data) -> EpochsState:
    """One of the lists above the table."""
    key = data.get("key")
    return show_list(home, here, key) if isinstance(key, str) and key != here.view["which"] else here


def on_click(home: Path, here: EpochsState, data: Data) -> EpochsState:
    """A mark of a chart: a point names its sample by row, everything else a list by its key."""
    custom = data.get("custom")
    mark = custom[0] if isinstance(custom, list) and custom else custom
    if isinstance(mark, str):
        return show_list(home, here, mark)
    at = view_of(home, here)
    if (
        at is None
        or not isinstance(mark, int)
        or isinstance(mark, bool)
        or not 0 <= mark < len(at.story.pool)
    ):
        return here
    return replace(here, sample=str(at.story.pool.ids[mark]))


def on_compare(home: Path, here: EpochsState, data: Data) -> EpochsState:
    """The earlier epoch that complexity is compared with."""
    key = data.get("key")
    at = view_of(home, here)
    if at is None or not isinstance(key, str) or not key.isdecimal() or int(key) not in at.story.epochs:
        return here
    return replace(here, since=int(key), view={**here.view, "page": 0})


def on_lasso(home: Path, here: EpochsState, data: Data) -> EpochsState:
    """Samples inside your outline."""
    at = view_of(home, here)
    rows = None if at is None else sample_list.on_lasso(at.story.pool, data)
    if at is None or rows is None:
        return here
    if not len(rows):
        return show_list(home, here, USUAL)
    return show_list(home, here, f"rows:{store.save_rows(home, at.story.pool.id, rows)}")


def on_lasso_removed(home: Path, here: EpochsState, data: Data) -> EpochsState:
    """Remove the outline from the map."""
    return show_list(home, here, USUAL) if here.view["which"].startswith("rows:") else here


def on_cluster(home: Path, here: EpochsState, data: Data) -> EpochsState:
    """A cluster's label on the map; once more, and the selection is listed again."""
    return on_choice(home, here, {"key": f"cluster:{checked_int(data.get('cluster'), 0, 10**6)}"})


def on_table(home: Path, here: EpochsState, data: Data) -> EpochsState:
    """Another page, or another order."""
    return replace(here, view=sample_list.on_table(here.view, data, analysis.SORTS))


def on_row(home: Path, here: EpochsState, data: Data) -> EpochsState:
    """The sample that a row names."""
    at = view_of(home, here)
    known = at is not None and isinstance(data.get("id"), str) and data["id"] in at.story.pool.row_of
    return replace(here, sample=data["id"]) if known else here


def on_point(home: Path, here: EpochsState, data: Data) -> EpochsState:
    """The sample whose point on the map was clicked."""
    at = view_of(home, here)
    found = None if at is None else sample_list.on_point(at.story.pool, data)
    return replace(here, sample=found) if found else here


def on_step(home: Path, here: EpochsState, data: Data) -> EpochsState:
    """The sample before or after the open one in the table's list, and the page that it is on."""
    at = view_of(home, here)
    there = None if at is None else draw.samples(here, at).on_step(here.sample, data)
    return here if there is None else replace(here, sample=there[0], view=there[1])
