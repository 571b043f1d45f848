"""What is said beside the pictures of the Epochs tab, and their parts as buttons that list samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from backend.analysis.hardest import Hardest
from backend.analysis.quadrants import Quadrants
from backend.records import Taken
from backend.selection.candidates import BY_COMPLEXITY
from iterit_ui import plots
from iterit_ui.epochs.lists import OF_EPOCH
from iterit_ui.epochs.views import Value, signed
from iterit_ui.shared.strategies import strategy_name
from iterit_ui.shared.theme import (
    number,
    score,
    share,
)


def quadrant_note(found: Quadrants, *, whole: bool) -> str:
    """What the areas mean, and of which samples."""
    among = (
        ""
        if whole
        else (". Not a random part of the pool: after epoch 0 only the most promising are rescored")
    )
    return (
        f"Of the {number(len(found))} samples scored before both epochs. Hard: a complexity of {found.line:.3f} or more, their "
        f"median before epoch {found.earlier}, so half of them were hard then; learned samples are below it now. Rejected: "
        f"{found.ceiling:g} or more now, whatever it was. Below the dashed line complexity fell{among}."
    )


def quadrant_choices(found: Quadrants) -> list[Value]:
    """The areas as buttons."""
    hint = {
        "learned": "hard then, below the line now",
        "still hard": "hard then and now",
        "got harder": "below the line then, hard now",
        "rejected": "now so complex that the prompt does not help: cannot be selected",
        "easy both times": "below the line then and now",
    }
    return [
        {
            "key": f"quadrant:{name}",
            "label": name,
            "count": number(count),
            "colour": plots.QUADRANT_COLOUR[name],
            "share": share(count / len(found)),
            "hint": hint[name],
            "disabled": not count,
        }
        for name, count in found.counts().items()
    ]


def hardest_note(found: Hardest) -> str:
    """What is compared, for the epoch that is shown."""
    part = "the whole pool was scored" if found.whole_pool else "only part of the pool was rescored"
    return (
        f"Hardest: the {number(found.k)} most complex (as many as are selected) of the {number(found.compared)} samples "
        f"scored before both epochs with a complexity below the limit both times; {part}. The marks say what a random order would give"
    )


def hardest_choices(found: list[Hardest]) -> list[Value]:
    """The shown epoch's bars as buttons."""
    return [
        {
            "key": f"hardest:{one.epoch}:{one.earlier}",
            "label": f"new at epoch {one.epoch}, since epoch {one.earlier}",
            "count": number(len(one.new_rows)),
            "share": share(one.share),
            "colour": "",
            "hint": f"among the {one.k:,} hardest before epoch {one.epoch}, not among those before epoch {one.earlier}",
            "disabled": not len(one.new_rows),
        }
        for one in found
        if not one.reason
    ]


def cohort_note(epoch: int, *, first: bool, scored_once: bool, whole: bool) -> str:
    """What the marks are."""
    if first:
        return (
            "Mean loss of the response, of the selected and of the rest, before any training. From the next epoch on "
            "there are those that were kept, added and dropped."
        )
    if scored_once:
        return "This strategy scores the pool once, so what training changed is not known sample by sample."
    part = "" if whole else " Only the most promising are rescored, so compare lengths of lines, not heights."
    return (
        f"Cohorts as epoch {epoch} makes them. Filled: mean loss before an epoch of the members rescored then; hollow: "
        f"the very same samples before epoch 0.{part}"
    )


def cohort_choices(table: pd.DataFrame, epoch: int, first: bool) -> list[Value]:
    """The cohorts as buttons, with what is known before the epoch that is shown."""
    made = []
    row: Any
    for row in table[table["epoch"] == epoch].itertuples():
        label = "selected" if first and row.cohort == "kept" else row.cohort
        if first:
            known = score(row.loss)
            hint = f"{row.scored:,} of {row.members:,} have a loss, {known} on average"
        else:
            known = f"{row.scored:,} rescored" + (f", {signed(row.change, 3)}" if row.scored else "")
            hint = (
                f"{row.scored:,} of {row.members:,} were scored before both epoch 0 and epoch {epoch}: "
                f"{score(row.loss_first)}, then {score(row.loss)}"
                if row.scored
                else f"none of {row.members:,} was rescored before epoch {epoch}"
            )
        made.append(
            {
                "key": row.cohort if row.cohort in OF_EPOCH and not first else f"cohort:{row.cohort}",
                "label": label,
                "count": number(row.members),
                "share": known,
                "colour": plots.COHORT_COLOUR[row.cohort],
                "hint": hint,
            }
        )
    return made


# what these select before epoch 0 stands for the whole run
SELECT_ONCE = ("iterit-static", "superfiltering", "diversity", "longest", "random", "full")


def strategy_note(strategy: str, table: pd.DataFrame) -> str:
    """One honest sentence on what this strategy's epochs can and cannot show."""
    total, last = int(table["selected"].sum()), table.iloc[-1]
    if strategy == "full":
        return f"“{strategy_name(strategy)}” trains on the whole pool in every epoch; there is nothing to select."
    if strategy in SELECT_ONCE:
        return (
            f"“{strategy_name(strategy)}” selects once and keeps it, so nothing comes or goes after epoch 0."
        )
    if strategy == "random-each-epoch":
        return f"“{strategy_name(strategy)}” draws anew before every epoch: what comes and goes is chance, not a judgement."
    if len(table) < 2:
        return ""
    if strategy == "iterit-cumulative":
        return (
            f"Over {len(table)} epochs the model was given {number(last['distinct'])} distinct samples in "
            f"{number(total)} training slots: every epoch leaves out what earlier ones trained on, and n-grams that those "
            "covered count less, until the pool is used up."
        )
    return (
        f"Over {len(table)} epochs the model was given {number(last['distinct'])} distinct samples in {number(total)} training slots. A strategy that keeps its first selection sees fewer distinct samples for the same number of steps; "
        "part of any difference may come from that alone."
    )


def epoch_words(
    epochs: Sequence[int],
    epoch: int,
    planned: int,
    *,
    strategy: str = "iterit",
    trains: bool = True,
    taken: Taken | None = None,
    new_round: bool = False,
) -> str:
    """Which epoch this is, and what that means."""
    if epoch == 0:
        needs_model = strategy in BY_COMPLEXITY
        what = f"chosen {'with the untouched model' if needs_model else 'without a model'}"
        what += f" (scores {taken.words})" if taken else ""
        what += ", trained on first" if trains else "; this run only scores, nothing is trained"
    elif strategy in SELECT_ONCE:
        what = "trained on the selection of epoch 0 again"
    elif strategy == "random-each-epoch":
        what = f"drawn again after {epoch} epoch{'s' if epoch > 1 else ''} of training"
    else:
        what = f"chosen again after {epoch} epoch{'s' if epoch > 1 else ''} of training"
        if new_round:
            what += "; fewer samples were left than an epoch takes, so a new round began with all of them"
    left = max(planned, 1) - len(epochs)
    more = f". {left} more epoch{'s' if left > 1 else ''} to come" if left > 0 else ""
    return f"Epoch {epoch}: {what}{more}."
