"""A report of what is presented, as one HTML file that opens anywhere: the stories, their pictures, and what they cannot tell."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from backend import __version__, store
from backend.errors import RunError, StudioError
from iterit_ui.present import words
from iterit_ui.present.report_page import report_page
from iterit_ui.present.report_pictures import pictures
from iterit_ui.present.stories import presented, stories_of
from iterit_ui.present.subject import Subject, subject_of, told_selection
from iterit_ui.shared.download_folder import download_folder
from iterit_ui.shared.strategies import strategy_name
from iterit_ui.shared.theme import number

MOST_BYTES = 8_000_000


def write_report(home: Path, run: str, out: Path) -> int:
    """Write the report of a run as its last epoch stands; how many bytes it has.

    Raises
    ------
    RunError : it has not selected anything yet.
    StudioError : it cannot be read, or the file not be written.
    """
    epochs = store.epochs(home, run)
    if not epochs:
        state = store.run_info(home, run).state
        raise RunError(
            f"run {run} has no epochs yet (it is {state}); a report needs a run that has selected at least once"
        )
    about = subject_of(
        home,
        tab="epochs",
        pool="",
        scores="",
        run=run,
        epoch=epochs[-1],
        settings={},
        comparison="",
        runs=(),
    )
    return _written(about, out)


def report_file(home: Path, *states: Any) -> str:
    """A file to download with the report of what a visitor presents. states : values of `Session.states`, in their order.

    Raises
    ------
    StudioError : there is nothing to report yet.
    """
    about = presented(home, *states)
    if not about.pool_id:
        raise StudioError("no data is open; open a pool on the Data screen")
    name = store.run_info(home, about.run).name or about.run if about.run else about.pool.name
    words_of_name = re.sub(r"[^\w.-]+", "-", name).strip("-.")[:60] or "pool"
    out = download_folder("report") / f"report-{words_of_name}.html"
    _written(about, out)
    return str(out)


def report_html(about: Subject) -> str:
    """The page of `report_page` on what is presented."""
    stories = stories_of(about)
    drawn = pictures(about)
    result = next(story for story in stories if story["key"] == "result")
    if about.compared and about.run and about.run not in about.compared and not result["missing"]:
        result["blocks"].append({"kind": "lines", "items": [words.OTHER_RUNS]})
    try:
        settings = told_selection(about).settings
        blind = {"kind": "points", "items": words.blind_spots(settings)}
        lead = f"The samples were chosen by “{strategy_name(settings.strategy)}”."
        stories.append(
            {"key": "limits", "title": words.BLIND, "lead": lead, "blocks": [blind], "missing": None}
        )
    except StudioError:
        pass  # nothing was chosen, and the story of the selection says why
    return report_page(_title(about), _facts(about), stories, drawn)


def _title(about: Subject) -> str:
    if not about.run:
        return f"Report on the data “{about.pool.name}”"
    return f"Report on the run “{store.run_info(about.home, about.run).name or about.run}”"


def _facts(about: Subject) -> list[tuple[str, str]]:
    facts = [("Data", f"{about.pool.name}, {number(len(about.pool))} samples")]
    if about.run:
        info = store.run_info(about.home, about.run)
        began = time.strftime("%d %B %Y", time.localtime(info.created))
        facts += [
            ("Run", f"{info.id}, started on {began}, {info.state}"),
            ("Model", Path(info.model).name or info.model),
            ("Way of choosing", strategy_name(info.strategy)),
        ]
    made = time.strftime("%d %B %Y, %H:%M")
    return [*facts, ("Made", f"{made}, with IterIT Studio {__version__}")]


def _written(about: Subject, out: Path) -> int:
    content = report_html(about).encode("utf-8", errors="replace")
    if len(content) > MOST_BYTES:
        raise StudioError(f"the report would have {len(content):,} bytes, more than {MOST_BYTES:,}")
    try:
        with store.replacing(out) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise StudioError(f"{out} cannot be written ({error.strerror or error})") from error
    return len(content)
