"""What the processes of one run do together; where there is one process, each of these is a plain call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import distributed

from backend.errors import AnotherFailed, Stopped

T = TypeVar("T")

# One process may wait for a person while the others wait for it, so this is long; whoever dies breaks its connections,
# which is noticed at once. Gloo counts milliseconds in 32 bits: 24 days would be too long.
PATIENCE = timedelta(days=20)
STOPPED = "stopped, because another process of this run was"
FAILED = "another process of this run failed; what it says stands above"


class ProcessGroup:
    """This process among those of a run. Every process makes the same calls in the same order.

    Messages go through gloo, on the CPU and in a group of their own: they neither wait for a GPU nor keep it waiting.

    size, rank : how many processes there are, and which this one is; process 0 reports, selects and writes.
    """

    def __init__(self) -> None:
        there = distributed.is_available() and distributed.is_initialized()
        self.size = distributed.get_world_size() if there else 1
        self.rank = distributed.get_rank() if there else 0
        self._group = distributed.new_group(backend="gloo", timeout=PATIENCE) if self.size > 1 else None

    def from_rank0(self, make: Callable[[], T]) -> T:
        """What `make` returns in process 0, in every process. It may take as long as it likes there.

        Raises
        ------
        Stopped, AnotherFailed : in the others, where `make` raised; process 0 raises what it raised.
        """
        if self.size == 1:
            return make()
        if self.rank == 0:
            try:
                made = make()
            except BaseException as error:
                self._broadcast((_kind(error), None))
                raise
            self._broadcast(("", made))
            return made
        kind, value = self._broadcast(None)
        _raise_for(kind)
        return value

    def on_all_ranks(self, make: Callable[[], T]) -> T:
        """What `make` returns here, once it has returned in every process.

        Raises
        ------
        Stopped, AnotherFailed : where it raised in another process and not here.
        """
        if self.size == 1:
            return make()
        try:
            made = make()
        except BaseException as error:
            self.gather(_kind(error))
            raise
        kinds = self.gather("")
        _raise_for("failed" if "failed" in kinds else "stopped" if "stopped" in kinds else "")
        return made

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process."""
        if self.size == 1:
            return flag
        flags = torch.tensor([int(flag)])
        distributed.all_reduce(flags, group=self._group)
        return bool(flags.item())

    def gather(self, value: T) -> list[T]:
        """Every process's value, in the order of the processes."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        distributed.all_gather_object(values, value, group=self._group)
        return values

    def wait(self) -> None:
        """Return once every process has called this."""
        if self.size > 1:
            distributed.barrier(group=self._group)

    def _broadcast(self, value: Any) -> Any:
        values = [value]
        distributed.broadcast_object_list(values, src=0, group=self._group)
        return values[0]


def _kind(error: BaseException) -> str:
    return "stopped" if isinstance(error, (Stopped, KeyboardInterrupt)) else "failed"


def _raise_for(kind: str) -> None:
    if kind == "stopped":
        raise Stopped(STOPPED)
    if kind:
        raise AnotherFailed(FAILED)
