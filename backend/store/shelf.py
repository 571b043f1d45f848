"""What was read or computed, kept in memory for whoever asks next: one bound in bytes for all of it together.

A pool of 300,000 samples takes a hundred times the memory of the demo, so that a number of results bounds nothing. All
functions marked with `keep_last` share one shelf; where it is full, what was asked for longest ago is let go.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from functools import update_wrapper
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np
import psutil
import pyarrow as pa

VARIABLE = "ITERIT_KEPT_GIB"
SHARE, LARGEST = 4, 4 << 30  # a quarter of the machine's memory, and no more than 4 GiB
WEIGHED_AGAIN = 30.0  # seconds; what is computed of a result later is kept with it
PATIENCE = 60.0  # seconds for which a thread waits for another one to make what it needs
SAMPLED = 64  # items of a long collection that are weighed; the others are taken to be like them

P = ParamSpec("P")
R = TypeVar("R")


@dataclass
class _Result:
    value: Any
    bytes: int


class _Making:
    """A result that one thread is computing and others may wait for. value : valid once `done` is set, unless `failed`."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.done = threading.Event()
        self.value: Any = None
        self.failed = True


class Shelf:
    """A cache of results by kind and key, in the order in which they were last used. Safe to share between threads."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._results: OrderedDict[tuple[Hashable, Hashable], _Result] = OrderedDict()
        self._made: dict[tuple[Hashable, Hashable], _Making] = {}
        self._lock = threading.Lock()
        self._weighed = time.monotonic()
        self._left: deque[Hashable] = deque()

    @property
    def bytes(self) -> int:
        """The total size of all results when they were last measured."""
        with self._lock:
            return sum(result.bytes for result in self._results.values())

    def count(self, of: Hashable) -> int:
        """How many results of one kind are kept."""
        with self._lock:
            self._forget_left()
            return sum(kind == of for kind, _ in self._results)

    def get(self, of: Hashable, key: Hashable, make: Callable[[], R], most: int) -> R:
        """The cached result, or what `make` returns, which is then cached. of : its kind; at most `most` of a kind are cached.

        Of threads that ask for the same at once one makes it, and the others wait for it.
        """
        with self._lock:
            if (found := self._results.get((of, key))) is not None:
                self._results.move_to_end((of, key))
                value: R = found.value
                return value
            others = self._made.get((of, key))
            if others is None:
                making = self._made[of, key] = _Making()
        if others is not None:
            # where it does not come, or the same thread asks again on its way there, it is made here, and not cached
            waited = others.thread != threading.get_ident() and others.done.wait(PATIENCE)
            if waited and not others.failed:
                value = others.value
                return value
            return make()
        try:
            value = making.value = make()
            making.failed = False
            making.done.set()
            made = _Result(value, bytes_of(value, self._ids()))
            self._weigh()
            with self._lock:
                self._forget_left()
                if self._made.get((of, key)) is making:  # else it was let go while it was made
                    self._results[of, key] = made
                    self._results.move_to_end((of, key))
                    self._make_room(of, most)
        finally:
            making.done.set()
            with self._lock:
                if self._made.get((of, key)) is making:
                    del self._made[of, key]
        return value

    def peek(self, of: Hashable, key: Hashable) -> Any:
        """The result where it is kept, else None."""
        with self._lock:
            found = self._results.get((of, key))
            return None if found is None else found.value

    def clear(self, of: Hashable) -> None:
        """Let all results of one kind go."""
        with self._lock:
            self._forget(of)

    def leave(self, of: Hashable) -> None:
        """Let all results of one kind go, soon. For what Python calls when an object dies, which may be in this thread and
        while it holds the lock."""
        self._left.append(of)

    def empty(self) -> None:
        """Let everything go."""
        with self._lock:
            self._results.clear()
            self._made.clear()

    def _forget_left(self) -> None:
        while self._left:
            self._forget(self._left.popleft())

    def _forget(self, of: Hashable) -> None:
        for kept in (self._results, self._made):
            for name in [name for name in kept if name[0] == of]:
                del kept[name]

    def _make_room(self, of: Hashable, most: int) -> None:
        ours = [name for name in self._results if name[0] == of]
        for name in ours[: max(0, len(ours) - most)]:
            del self._results[name]
        total = sum(result.bytes for result in self._results.values())
        # the newest stays, however large: it is what somebody waits for
        for name in list(self._results)[:-1]:
            if total <= self.most_bytes:
                break
            total -= self._results.pop(name).bytes

    def _weigh(self) -> None:
        """Measure all results again from time to time: a result may grow after it was cached."""
        with self._lock:
            if time.monotonic() - self._weighed < WEIGHED_AGAIN:
                return
            self._weighed = time.monotonic()
            results = list(self._results.values())
        ids = {id(result.value) for result in results}
        for result in results:
            result.bytes = bytes_of(result.value, ids)

    def _ids(self) -> set[int]:
        with self._lock:
            return {id(result.value) for result in self._results.values()}


def _most_bytes() -> int:
    given = os.environ.get(VARIABLE, "")
    try:
        return int(float(given) * 2**30)
    except ValueError:
        return min(LARGEST, psutil.virtual_memory().total // SHARE)


SHELF = Shelf(_most_bytes())
"""The one of this process."""


class LastResults(Generic[P, R]):
    """A function whose last results are kept on the shelf."""

    def __init__(self, function: Callable[P, R], most: int) -> None:
        self._function, self._most = function, most
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        key = (args, tuple(sorted(kwargs.items())))
        return SHELF.get(self, key, lambda: self._function(*args, **kwargs), self._most)

    def cache_clear(self) -> None:
        """Drop all cached results, like the method of the same name in `functools.lru_cache`."""
        SHELF.clear(self)


def keep_last(most: int) -> Callable[[Callable[P, R]], LastResults[P, R]]:
    """Keep a function's last results by its arguments, which must be hashable: `most` of them, and fewer where the shelf
    is full. What fails is not kept."""
    return lambda function: LastResults(function, most)


def bytes_of(value: Any, elsewhere: Collection[int] = ()) -> int:
    """About how much memory a result takes: arrays and tables exactly, long collections by a sample of their items.

    elsewhere : ids of objects that count where they are kept themselves. What is mapped from a file counts nothing.
    """
    total = 0.0
    seen: dict[int, Any] = {}  # holds on to what it has seen, so that no id is given away meanwhile
    waiting: list[tuple[Any, float]] = [(value, 1.0)]
    while waiting:
        one, weight = waiting.pop()
        if id(one) in seen or (one is not value and id(one) in elsewhere):
            continue
        seen[id(one)] = one
        own, parts = _own_bytes(one)
        total += weight * own
        some = parts if len(parts) <= SAMPLED else parts[:: len(parts) // SAMPLED]
        waiting += [(part, weight * len(parts) / len(some)) for part in some]
    return int(total)


def _own_bytes(one: Any) -> tuple[int, Sequence[Any]]:
    """(what an object takes itself, what it holds beside)."""
    if isinstance(one, np.ndarray):
        if isinstance(one, np.memmap) or isinstance(one.base, np.memmap):
            return 0, ()
        return one.nbytes, one.ravel().tolist() if one.dtype == object else ()
    if isinstance(one, pa.Table | pa.RecordBatch | pa.ChunkedArray | pa.Array):
        return one.nbytes, ()
    if hasattr(one, "memory_usage"):  # a pandas table or column
        return int(np.sum(one.memory_usage(deep=True))), ()
    if isinstance(one, dict):
        return sys.getsizeof(one), [*one.keys(), *one.values()]
    if isinstance(one, list | tuple | set | frozenset | deque):
        return sys.getsizeof(one), list(one)
    if isinstance(one, type | ModuleType | Path | pa.DataType) or callable(one):
        return 0, ()
    slots = [getattr(one, name) for name in getattr(type(one), "__slots__", ()) if hasattr(one, name)]
    return sys.getsizeof(one), [*slots, *getattr(one, "__dict__", {}).values()]
