"""One thing to read, with the kind of fault it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Input:
    """A file to be read: its kind of fault, its name, its bytes, and a mapping where one belongs to it.

    make : puts something else than a file with bytes there (a pipe, a link).
    """

    kind: str
    name: str
    data: bytes = b""
    mapping: dict[str, str] = field(default_factory=dict)
    make: Callable[[Path], None] | None = None

    def write(self, folder: Path) -> Path:
        """Put it into a folder of its own."""
        folder.mkdir(parents=True)
        path = folder / self.name
        if self.make is not None:
            self.make(path)
        else:
            path.write_bytes(self.data)
        return path
