"""Whatever writes into a runs folder, killed at every point of it: what is there then, and what the same makes of it once more."""

from __future__ import annotations

import argparse
import logging
import re
import shutil
import subprocess
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from backend import store
from backend.jobs import lifecycle
from tools.soak.deaths import Told, do_and_die
from tools.soak.exported import exported
from tools.soak.store_folder import make_folder
from tools.soak.stored_content import Content, content_of, ids_in
from tools.soak.table import print_table
from tools.soak.write_operations import OPERATIONS, Place, perform

OLD, NEW, STEP, NAMED, BACK = "as before", "done", "part done", "said to be damaged", "comes back"
HALF, OTHER_HIT, NOT_AGAIN, DIFFERENT, TRACEBACK = (
    "HALF",
    "HIDES OTHERS",
    "NOT AGAIN",
    "DIFFERENT",
    "TRACEBACK",
)
OUTCOMES = (OLD, STEP, NAMED, BACK, NEW, HALF, OTHER_HIT, NOT_AGAIN, DIFFERENT, TRACEBACK)
FALLEN = OUTCOMES[5:]
POINTS = 400  # no operation has so many


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--only", default="", help="operations whose names hold this text")


def run(options: argparse.Namespace) -> int:
    """Kill every operation at every point; 1 where something was half there, hidden, not to be done again, or a traceback."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")  # Gradio's, where no page is there to be told
    # what is queued is claimed and started as ever, and does nothing
    lifecycle.spawn = lambda command, log, *, threads=0: subprocess.Popen(["true"])
    rows: dict[str, Counter[str]] = {}
    left: Counter[str] = Counter()
    asked = 0
    fallen: list[str] = []
    for name, found in kill_all(options.seed, [one for one in OPERATIONS if options.only in one]):
        rows[name] = Counter(found.outcomes)
        left["at most by one"] = max(left["at most by one"], *found.left)
        left["in all"] += sum(found.left)
        left["not removed"] += sum(found.remain)
        asked += found.asked
        fallen += found.fallen
        print(
            f"{name}: {dict(rows[name])}, files left {sum(found.left)}, not removed {sum(found.remain)}",
            flush=True,
        )
    print()
    print_table(f"Writes, seed {options.seed}: deaths by operation", "operation", OUTCOMES, rows)
    print(f"\n{asked} questions to commands and screens; files left after the second try: {dict(left)}")
    for text in fallen:
        print(f"\n{text}")
    return int(bool(fallen))


@dataclass
class Found:
    """What came of killing one operation at each of its points.

    outcomes : of each point. left : files that nobody asked for, after the second try; remain : after they were looked for. asked : questions to screens and
    commands. fallen : what fell, in words.
    """

    outcomes: list[str] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    remain: list[int] = field(default_factory=list)
    asked: int = 0
    fallen: list[str] = field(default_factory=list)


def kill_all(seed: int, names: list[str], *, ask: bool = True) -> Iterator[tuple[str, Found]]:
    """(operation, `Found`) of each operation. ask : also ask what screens and commands say of each state that it leaves."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        whole = Path(folder).resolve() / "whole" / "runs"
        whole.mkdir(parents=True)
        first, second = make_folder(whole, seed=seed)
        for name in names:
            yield name, _Killed(Path(folder).resolve(), Place(whole, first, second), name, ask=ask).all()


class _Killed:
    """One operation, killed at one point after another."""

    def __init__(self, folder: Path, whole: Place, name: str, *, ask: bool) -> None:
        self.folder, self.whole, self.name = folder, whole, name
        self.ask = ask and not OPERATIONS[name].alone
        self.found, self.seen, self.known, self.number = Found(), set[str](), set[str](), 0

    def all(self) -> Found:
        """Kill it at every point."""
        self.before = self._copy(self.whole)
        told = self._do(self.before, 0, before=True)
        if told.trace:
            raise RuntimeError(f"{self.name} cannot be prepared: {told.trace}")
        self.known = ids_in(self.before.home)
        self.old, self.files_before = self._content(self.before), self._files(self.before)
        untouched = self._copy(self.before)
        told = self._do(untouched, 0)
        if told.trace:
            raise RuntimeError(f"{self.name} cannot be done: {told.trace}")
        self.new, self.files = self._content(untouched), self._files(untouched)
        for number in range(1, POINTS):
            place = self._copy(self.before)
            told = self._do(place, number)
            if not told.died:
                if told.trace:
                    self._fell(TRACEBACK, told, told.trace)
                break
            self._look(place, told)
            shutil.rmtree(place.home.parent)
        for done in (self.before, untouched, place):
            shutil.rmtree(done.home.parent)
        return self.found

    def _look(self, place: Place, told: Told) -> None:
        """What is there after a death, and after the same was done again."""
        now = self._content(place)
        outcome, why = self._judged(place, now)
        files = self._files(place)
        state = repr(sorted(now.items())) + repr(sorted(files))
        whole = (now, files) in ((self.old, self.files_before), (self.new, self.files))
        if self.ask and not whole and state not in self.seen:
            self.seen.add(state)
            self._ask(place, told)
        if now != self.new:
            again = self._do(place, 0)
            then = self._content(place)
            if again.trace:
                outcome, why = NOT_AGAIN, again.trace
            elif then != self.new:
                outcome, why = DIFFERENT, _differences(then, self.old, self.new)
        self.found.left.append(len(self._files(place) - self.files))
        store.remove_leftovers(place.home, older=-1.0)
        self.found.remain.append(len(self._files(place) - self.files))
        if self._content(place) != self.new and outcome not in FALLEN:
            outcome, why = DIFFERENT, f"after what was left is removed: {_differences(self._content(place), self.old, self.new)}"  # fmt: skip
        if outcome in FALLEN:
            self._fell(outcome, told, why)
        self.found.outcomes.append(outcome)

    def _judged(self, place: Place, now: Content) -> tuple[str, str]:
        """Whether each part is as it was before or as it shall be."""
        if now == self.old:
            return OLD, ""
        if now == self.new:
            return NEW, ""
        parts = {*now, *self.old, *self.new}
        half = [part for part in parts if now.get(part) not in self._right(part)]
        others = [part for part in half if any(one in part for one in self.whole.second)]
        if others:
            return OTHER_HIT, _differences(now, self.old, self.new)
        if not half:
            return STEP, ""
        if store.damaged_files(place.home):
            return NAMED, ""
        swept = self._copy(place)
        store.remove_leftovers(swept.home, older=-1.0)
        then = self._content(swept)
        shutil.rmtree(swept.home.parent)
        if now != then and self._judged(swept, then)[0] in (OLD, NEW, STEP):
            return BACK, ""
        return HALF, _differences(now, self.old, self.new)

    def _right(self, part: str) -> tuple[str | None, ...]:
        """What a part may be: as before, as it shall be; what is computed from the samples, and an export, may be gone."""
        gone = ("null", None) if part.startswith(("pool ", "export")) and ": " in part else ()
        return (self.old.get(part), self.new.get(part), *gone)

    def _ask(self, place: Place, told: Told) -> None:
        """What commands and screens say, of a copy: they change it."""
        from tools.soak.stores import BAD, ask_all  # all screens: seconds, which not everybody asks for

        copy = self._copy(place)
        for question, outcome, text in ask_all(copy.home, copy.home, "", self.whole.first, self.whole.second):
            self.found.asked += 1
            if outcome in BAD:
                self._fell(outcome, told, f"{question}\n{text}")
        shutil.rmtree(copy.home.parent)

    def _fell(self, outcome: str, told: Told, why: str) -> None:
        self.found.fallen.append(
            f"{outcome}: {self.name}, killed before point {told.points} ({told.last}): {why}"
        )

    def _do(self, place: Place, number: int, *, before: bool = False) -> Told:
        return do_and_die(partial(perform, before=before), (self.name, place), place.home.parent, number)

    def _content(self, place: Place) -> Content:
        return {**content_of(place.home, self.known), **exported(place.out)}

    def _files(self, place: Place) -> set[str]:
        """All files below a folder and beside it, but for what SQLite keeps for itself; new ids are one name."""
        found, listed = set(), ids_in(place.home)
        new = listed - self.known
        for path in place.home.parent.rglob("*"):
            # a deleted run is the same wherever it lies
            name = str(path.relative_to(place.home.parent)).replace("runs/deleted/", "runs/")
            if not name.endswith(("-wal", "-shm")):
                found.add(
                    _NAMES.sub(lambda one: "NEW" if one[0] in new or len(one[0]) > 24 else one[0], name)
                )
        return found

    def _copy(self, place: Place) -> Place:
        self.number += 1
        target = self.folder / f"{self.number}"
        shutil.copytree(place.home.parent, target)
        return Place(target / "runs", place.first, place.second)


# ids of runs, and files of kept scores
_NAMES = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}|(?<=/)\d{16,}-\d+-[0-9a-f]{6}")


def _differences(now: Content, old: Content, new: Content) -> str:
    """The parts that are neither as before nor as they shall be, and what they are."""
    lines = []
    for part in sorted({*now, *old, *new}):
        if now.get(part) != new.get(part):
            lines += [f"  {part}", *(f"    {word}: {str(one.get(part))[:1500]}" for word, one in (("before", old), ("is", now), ("shall be", new)))]  # fmt: skip
    return "\n" + "\n".join(lines)
