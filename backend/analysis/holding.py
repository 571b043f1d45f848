"""What a run holds, and so what is lost with it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from backend import store
from backend.store import Export, RunInfo


@dataclass(frozen=True)
class Holding:
    """What would go with a run. size : of its folder, in bytes. exports : of its selections, the oldest first."""

    epochs: int
    has_model: bool
    size: int
    exports: tuple[Export, ...]

    @property
    def words(self) -> str:
        """ "selections of 3 epochs, metrics, log, the tuned model; 12.3 MiB"."""
        parts = [f"selections of {self.epochs} epoch{'s' if self.epochs != 1 else ''}"] if self.epochs else []
        parts += ["metrics", "log"]
        parts += ["the tuned model"] if self.has_model else []
        return f"{', '.join(parts)}; {_size(self.size)}"


def holding(home: Path, info: RunInfo) -> Holding:
    """What a run that was not deleted holds."""
    folder = store.run_folder(home, info.id)
    size = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.stat(os.path.join(path, name), follow_symlinks=False).st_size
            except FileNotFoundError:  # a run that is at work puts files aside
                continue
    return Holding(
        epochs=len(store.epochs(home, info.id)),
        has_model=(folder / "model").is_dir(),
        size=size,
        exports=tuple(store.exports(home, info.id)),
    )


def _size(count: int) -> str:
    for unit, size in (("GiB", 2**30), ("MiB", 2**20)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count / 1024:,.0f} KiB"
