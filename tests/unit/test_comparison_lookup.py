"""Which comparison a person means at the command line: by id, beginning, name or "last", and of one kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend import store
from backend.cli.comparison_lookup import WORDS, find_comparison
from backend.errors import RunError


def test_the_newest_of_a_kind_and_by_id_beginning_and_name(tmp_path: Path) -> None:
    pilot = store.create_comparison(tmp_path, "mine", kind="pilot")
    search = store.create_comparison(tmp_path, "mine", kind="budget")
    assert find_comparison(tmp_path, "last").id == search
    assert find_comparison(tmp_path, "last", "pilot").id == pilot
    for name in (pilot, pilot[:-2], "mine"):
        assert find_comparison(tmp_path, name, "pilot").id == pilot
    with pytest.raises(
        RunError, match=f"search for a budget '{pilot}' not found in .* \\(there are: {search}\\)"
    ):
        find_comparison(tmp_path, pilot, "budget")
    with pytest.raises(RunError, match="'mine' is the beginning or name of 2 comparisons"):
        find_comparison(tmp_path, "mine")


@pytest.mark.parametrize("kind", WORDS)
def test_where_there_is_none_the_error_says_how_to_start_one(
    tmp_path: Path, kind: store.ComparisonKind
) -> None:
    name, _, command = WORDS[kind]
    with pytest.raises(RunError, match=f"no {name} yet in .*; start one with: python -m backend {command}"):
        find_comparison(tmp_path, "last", kind)
