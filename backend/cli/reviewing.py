"""The review gate in a terminal: what a waiting run would train on, and the answer that lets it continue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli import console
from backend.cli.curating import Who, login_name
from backend.cli.options import AsJson, RunsDir, with_settings
from backend.cli.showing import RunArgument, find_run
from backend.errors import RunError

if TYPE_CHECKING:
    from backend.analysis import Reviewed

SETTINGS = (
    "budget", "decay", "complexity_weight", "diversity_weight", "source_weights", "source_shares",
    "factor_column", "factor_weight", "max_complexity", "min_response_tokens", "max_response_tokens", "pinned", "excluded",
)  # fmt: skip


@with_settings(SETTINGS)
def review(
    settings: dict[str, Any],
    run: RunArgument,
    accept: Annotated[
        bool, typer.Option("--accept", help="Approve: the run trains, with the settings given here, if any.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Samples listed of each kind.")] = 10,
    who: Who = "",
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Show what came, stayed and went in the selection that a run waits with, and approve it.

    Settings hold for the present epoch alone, pins and exclusions beside the run's own. Without --accept they are only
    tried: what they would select is shown. What somebody has begun on the page is left alone.
    """
    from backend import analysis, store
    from backend.selection import REVIEWABLE

    assert set(SETTINGS) == set(REVIEWABLE)
    home = runs_dir.resolve()
    run_id = find_run(home, run)
    asked = store.open_review(home, run_id)
    info = store.run_info(home, run_id)
    if asked is None or info.state != "waiting":
        raise RunError(f"run {run_id} does not wait for a review (it is {info.state})")
    config = store.read_config(home, run_id)
    changes = dict(settings)
    for name, other in (("pinned", "excluded"), ("excluded", "pinned")):
        if name in settings:
            changes[name] = list(dict.fromkeys([*getattr(config, name), *settings[name]]))
            own = getattr(config, other)
            if set(own) & set(settings[name]) and other not in settings:
                changes[other] = [i for i in own if i not in settings[name]]
    shown = analysis.review_selection(home, run_id, asked.epoch, changes)
    if accept:
        store.answer_review(home, run_id, asked.epoch, changes, who=who or login_name())
        store.drop_draft(home, run_id, asked.epoch)
    told = told_of(shown, run_id, asked, changes, accepted=accept)
    if as_json:
        console.print_json(told)
        return
    _print(told, shown, limit)
    console.say(
        f"run {run_id} continues"
        if accept
        else f"approve it with: python -m backend review {run_id} --accept"
    )


def told_of(
    shown: Reviewed, run_id: str, asked: Any, changes: dict[str, Any], *, accepted: bool
) -> dict[str, Any]:
    """A review as JSON values; samples by id, in the order of their picks."""
    moved, own = shown.moved(), shown.by_hand()

    def ids(rows: Any) -> list[str]:
        return [str(shown.pool.ids[row]) for row in rows]

    return {
        "run": run_id,
        "epoch": asked.epoch,
        "asked": asked.asked,
        "until": asked.until,
        "accepted": accepted,
        "changes": changes,
        "selected": len(shown.selection),
        "most": shown.most,
        **{name: ids(rows) for name, rows in moved.items()},
        "by_hand": {name: ids(rows) for name, rows in own.items()},
    }


def _print(told: dict[str, Any], shown: Reviewed, limit: int) -> None:
    """The review as tables on stdout."""
    first = shown.previous is None
    counts = "the first selection" if first else ", ".join(f"{len(told[name]):,} {name}" for name in ("came", "stayed", "went"))  # fmt: skip
    print(f"epoch {told['epoch']}: {told['selected']:,} samples (at most {told['most']:,}), {counts}")
    if told["until"] is not None:
        print(f"continues automatically at {console.moment(told['until'])}")
    if told["changes"]:
        own = told["by_hand"]
        print(
            f"by hand: {len(own['in']):,} come in, {len(own['out']):,} go out against what the run proposed"
        )
    kinds = ("came",) if first else ("came", "went")
    rows = []
    for name in kinds:
        for sample in told[name][:limit]:
            row = shown.pool.row_of[sample]
            complexity = console.number(float(shown.record.scores.complexity[row]))
            rows.append(
                [name if not first else "selected", sample, complexity, _line(shown.pool.response(row))]
            )
    if rows:
        more = sum(max(0, len(told[name]) - limit) for name in kinds)
        title = "Samples" + (f" ({more:,} more: --limit, --json)" if more else "")
        console.print_table(title, ["what", "sample", "complexity", "response begins"], rows, left=["what", "sample", "response begins"])  # fmt: skip


def _line(text: str) -> str:
    line = " ".join(text[:200].split())
    return line if len(line) <= 70 else line[:69] + "…"
