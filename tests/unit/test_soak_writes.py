"""Processes that are killed at every point of a write: nothing is half there, and the same can be done again."""

from tools.soak.writes import kill_all

NAMES = ["cutting into words", "deletion of a run", "erasure of a run"]


def test_a_write_that_is_killed_at_any_point_can_be_done_again() -> None:
    for name, found in kill_all(0, NAMES, ask=False):
        assert found.fallen == [] and sum(found.remain) == 0, name
        assert len(found.outcomes) >= 5, name
