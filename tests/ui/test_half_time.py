"""What is drawn for others rests for as long as it took, and callbacks of a page come one after another."""

from __future__ import annotations

import threading
import time

import pytest

from iterit_ui.shared.answer_order import HalfTime, Turns


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


def test_callbacks_of_a_page_take_their_turns_in_the_order_in_which_they_came() -> None:
    turns, order = Turns(), []

    def act(name: int) -> None:
        with turns.take("page", 0):
            order.append(name)

    acts = [threading.Thread(target=act, args=(name,)) for name in range(8)]
    with turns.take("page", 0):
        for number, one in enumerate(acts):
            one.start()
            while len(turns._known("page").lock._waiting) <= number:
                time.sleep(0.001)
    act(8)  # who comes as the turn is let go does not come before those who wait
    for one in acts:
        one.join()
    assert order == list(range(9))
