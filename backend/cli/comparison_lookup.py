"""The comparison that a person means: by its id, the beginning of it, its name, or "last"."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from backend.errors import RunError

if TYPE_CHECKING:
    from backend.store import ComparisonInfo, ComparisonKind

# what a comparison of a kind is called, one and many, and the command that starts one
WORDS: dict[ComparisonKind | None, tuple[str, str, str]] = {
    None: ("comparison", "comparisons", "compare start POOL --model MODEL"),
    "strategies": ("comparison", "comparisons", "compare start POOL --model MODEL"),
    "pilot": ("pilot", "pilots", "pilot start POOL --model MODEL"),
    "sensitivity": (
        "sensitivity study",
        "sensitivity studies",
        "sensitivity start POOL --model MODEL --vary decay=0,0.1,0.5",
    ),
    "budget": ("search for a budget", "searches for a budget", "budget start POOL --model MODEL"),
}


def find_comparison(home: Path, name: str, kind: ComparisonKind | None = None) -> ComparisonInfo:
    """The comparison that a person means, among those of a kind where one is given; "last" is the newest.

    Raises
    ------
    RunError : none, or several, are meant; the message says which there are, or how to start one.
    """
    from backend import store

    one, many, start = WORDS[kind]
    there = [info for info in store.comparisons(home) if kind is None or info.kind == kind]
    if not there:
        raise RunError(f"no {one} yet in {home}; start one with: python -m backend {start}")
    if name == "last":
        return there[0]
    found = [info for info in there if info.id.startswith(name)] or [
        info for info in there if info.name == name
    ]
    if len(found) == 1:
        return found[0]
    ids = ", ".join(info.id for info in (found or there)[:5])
    if found:
        raise RunError(f"{name!r} is the beginning or name of {len(found)} {many}: {ids}")
    raise RunError(f"{one} {name!r} not found in {home} (there are: {ids})")
