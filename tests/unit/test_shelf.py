"""Results kept in memory: which are kept, how much they take, and which go first."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from backend import analysis
from backend.config import SelectionSettings
from backend.store import shelf
from backend.store.shelf import SHELF, Shelf, bytes_of, keep_last

KB = 1024


def test_a_function_is_called_once_for_each_of_its_last_arguments() -> None:
    asked: list[int] = []

    @keep_last(2)
    def double(value: int) -> int:
        """Twice the value."""
        asked.append(value)
        if value < 0:
            raise ValueError(value)
        return 2 * value

    assert [double(1), double(2), double(1), double(1)] == [2, 4, 2, 2] and asked == [1, 2]
    double(3)  # 2 was asked for longest ago
    assert [double(1), double(2)] == [2, 4] and asked == [1, 2, 3, 2]
    double.cache_clear()
    assert double(2) == 4 and asked[-1] == 2 and len(asked) == 5
    for _ in range(2):  # what fails is asked again
        with pytest.raises(ValueError, match="-1"):
            double(-1)
    assert asked[-2:] == [-1, -1]
    assert (double.__name__, double.__doc__) == ("double", "Twice the value.")  # type: ignore[attr-defined]


def ask_beside(ask: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """A thread that asks, and where its answer comes."""
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(ask()))
    thread.start()
    return thread, answers


@pytest.mark.parametrize("fails", [False, True])
def test_of_two_that_ask_at_once_one_makes_it(fails: bool) -> None:
    shelf, began, go, made = Shelf(1 << 20), threading.Event(), threading.Event(), []

    def slow() -> str:
        made.append("slow")
        began.set()
        assert go.wait(30)
        if fails:
            raise ValueError("it cannot be made")
        return "the first one's"

    def quick() -> str:
        made.append("quick")
        return "the second one's"

    def ask() -> Any:
        try:
            return shelf.get("kind", "key", slow, 4)
        except ValueError as error:
            return str(error)

    first, own = ask_beside(ask)
    assert began.wait(30)
    second, answers = ask_beside(lambda: shelf.get("kind", "key", quick, 4))
    go.set()
    first.join(30)
    second.join(30)
    if fails:
        assert (own, answers, made) == (["it cannot be made"], ["the second one's"], ["slow", "quick"])
    else:
        assert (own, answers, made) == (["the first one's"], ["the first one's"], ["slow"])
        assert shelf.peek("kind", "key") == "the first one's"


def test_what_is_let_go_while_it_is_made_is_not_cached_nor_waited_for() -> None:
    shelf, began, go = Shelf(1 << 20), threading.Event(), threading.Event()

    def slow() -> str:
        began.set()
        assert go.wait(30)
        return "of the old file"

    thread, answers = ask_beside(lambda: shelf.get("kind", "key", slow, 4))
    assert began.wait(30)
    shelf.clear("kind")
    assert shelf.get("kind", "key", lambda: "of the new file", 4) == "of the new file"
    go.set()
    thread.join(30)
    assert answers == ["of the old file"]
    assert shelf.peek("kind", "key") == "of the new file"


def test_what_asks_for_itself_while_it_is_made_does_not_wait() -> None:
    shelf = Shelf(1 << 20)
    assert shelf.get("kind", 1, lambda: shelf.get("kind", 1, lambda: "within", 4) + " it", 4) == "within it"


def test_what_was_asked_for_longest_ago_goes_first_whoever_asked() -> None:
    kept = Shelf(10 * KB)

    def array(of: str, key: int, kilobytes: int = 3) -> None:
        kept.get(of, key, lambda: np.zeros(kilobytes * KB, np.uint8), 10)

    array("a", 1)
    array("b", 1)
    array("a", 2)
    array("a", 1)  # asked for again
    array("b", 2)
    assert [(of, key) for of in "ab" for key in (1, 2) if kept.peek(of, key) is not None] == [
        ("a", 1),
        ("a", 2),
        ("b", 2),
    ]
    assert kept.bytes == 9 * KB and kept.count("a") == 2
    array("b", 3, kilobytes=40)  # more than there is room for: it stays, alone
    assert (kept.count("a"), kept.count("b"), kept.bytes) == (0, 1, 40 * KB)
    array("a", 4)
    assert kept.peek("b", 3) is None and kept.bytes == 3 * KB
    kept.clear("a")
    assert kept.bytes == 0


def test_what_is_computed_of_a_result_later_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class View:
        @cached_property
        def order(self) -> np.ndarray:
            return np.zeros(50 * KB, np.uint8)

    kept = Shelf(60 * KB)
    view = kept.get("view", 1, View, 4)
    assert view.order.nbytes > kept.bytes
    monkeypatch.setattr(shelf, "WEIGHED_AGAIN", 0.0)
    kept.get("other", 1, lambda: np.zeros(KB, np.uint8), 4)
    assert 51 * KB <= kept.bytes < 53 * KB
    kept.get("other", 2, lambda: np.zeros(20 * KB, np.uint8), 4)
    assert kept.peek("view", 1) is None and kept.count("other") == 2


def test_memory_is_counted_once_and_about_right(tmp_path: Path) -> None:
    array = np.arange(1000)
    assert bytes_of(array) == 8000
    both = bytes_of({"first": array, "again": array})
    assert 8000 < both < 8600
    assert bytes_of([array, array], {id(array)}) < 200  # it is kept by itself
    texts = [f"text number {i} " * 3 for i in range(20_000)]
    exact = sum(map(len, texts)) + len(texts) * (49 + 8)  # a string's and a list's own
    assert exact * 0.9 < bytes_of(texts) < exact * 1.1
    assert exact * 0.9 < bytes_of(np.array(texts, dtype=object)) < exact * 1.1
    table = pa.table({"a": array, "b": [str(i) for i in array]})
    assert bytes_of(table) == table.nbytes
    frame = pd.DataFrame({"a": array})
    assert 8000 <= bytes_of(frame) < 8400
    np.save(tmp_path / "a.npy", array)
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    assert bytes_of(mapped) == bytes_of(np.asarray(mapped)) == 0
    circle: list[object] = []
    circle.append(circle)
    assert bytes_of(circle) < 200


def test_the_bound_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = shelf._most_bytes()
    assert 0 < usual <= shelf.LARGEST
    monkeypatch.setenv(shelf.VARIABLE, "0.5")
    assert shelf._most_bytes() == 2**29
    monkeypatch.setenv(shelf.VARIABLE, "much")
    assert shelf._most_bytes() == usual


def test_what_dies_while_the_shelf_is_at_work_does_not_hold_it_up() -> None:
    kept = Shelf(10 * KB)

    class Owner:
        pass

    class Kind:
        """Its hash is asked for while the lock is held; then somebody's owner dies."""

        owner: Owner | None = None

        def __hash__(self) -> int:
            self.owner = None
            return 1

    kind, owner = Kind(), Owner()
    kept.get("theirs", 1, lambda: np.zeros(KB), 4)
    weakref.finalize(owner, kept.leave, "theirs")
    kind.owner, owner = owner, None  # type: ignore[assignment]
    done = threading.Thread(target=lambda: kept.get(kind, 1, lambda: 1, 4), daemon=True)
    done.start()
    done.join(30)
    assert not done.is_alive() and kept.count("theirs") == 0 and kept.count(kind) == 1


def test_weighed_candidates_go_with_the_cache_that_held_them() -> None:
    cache = analysis.TfidfCache()
    cache.get("p", SelectionSettings(), np.array([1]), lambda: np.zeros(KB))  # type: ignore[arg-type, return-value]
    kind = cache._kind
    assert SHELF.count(kind) == 1
    del cache
    gc.collect()
    assert SHELF.count(kind) == 0
