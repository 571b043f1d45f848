"""What is drawn for others rests for as long as it took."""

from __future__ import annotations

import time

import pytest

from iterit_ui.shared.answer_order import HalfTime


def test_the_next_waits_for_as_long_as_the_one_before_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    now, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", sleep)
    turns = HalfTime()
    for busy, between in ((3.0, 1.0), (2.0, 9.0), (1.0, 0.0)):
        with turns:
            now[0] += busy
        now[0] += between
    assert slept == [0.0, 2.0, 0.0]  # at once; 3 s after the first had ended; long after the second


def test_one_that_fails_lets_the_next_in() -> None:
    turns = HalfTime()
    with pytest.raises(ValueError), turns:
        raise ValueError
    with turns:
        pass
