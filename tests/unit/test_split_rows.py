"""Disjoint sets of rows, the same for the same seed."""

import pytest

from tools.split_rows import split_rows

ROWS = [{"q": i % 12} for i in range(20)]


def test_sets_share_no_row_and_come_back_with_the_seed() -> None:
    made = split_rows(ROWS, {"pool": 7, "heldout": 5}, seed=3)
    values = [row["q"] for part in made.values() for row in part]
    assert [len(part) for part in made.values()] == [7, 5] and sorted(values) == list(range(12))
    assert split_rows(ROWS, {"pool": 7, "heldout": 5}, seed=3) == made
    assert split_rows(ROWS, {"pool": 7, "heldout": 5}, seed=4) != made


def test_more_than_there_are() -> None:
    with pytest.raises(ValueError, match="13 rows are asked for; there are 12 distinct ones"):
        split_rows(ROWS, {"pool": 13}, seed=0)
