"""Limits on what a visitor may keep uploaded, and for how long."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

MOST_BYTES = 2 * 2**30  # of one visitor
MOST_FILES = 200
LARGEST = 512 * 2**20  # bytes of one upload
KEPT = 86_400  # seconds


class Uploads:
    """The uploads of this app by visitor. folder : where they lie; None where it is not this app's alone, which is left as it is."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.files: dict[str, set[Path]] = {}
        self.coming: dict[str, int] = {}

    def problem(self, visitor: str, length: str | None) -> str:
        """Why an upload is refused; "" where it may come. length : its Content-Length."""
        if length is None or not length.isdecimal():
            return "An upload has to say how long it is (Content-Length)."
        size = int(length)
        if size > LARGEST:
            return f"An upload may have {LARGEST // 2**20:,} MB; this one has {size / 2**20:,.0f} MB."
        self.sweep()
        files = self._there(visitor)
        held = sum(files.values()) + self.coming.get(visitor, 0)
        if len(files) >= MOST_FILES:
            return f"You have uploaded {len(files)} files; {MOST_FILES} may lie here at a time. They go after a day."
        if held + size > MOST_BYTES:
            return (
                f"You have uploaded {held / 2**20:,.0f} MB; with these {size / 2**20:,.0f} MB it would be more than "
                f"{MOST_BYTES // 2**20:,} MB. What was uploaded goes after a day."
            )
        return ""

    @contextlib.contextmanager
    def under_way(self, visitor: str, length: str) -> Iterator[None]:
        """While this upload comes it counts, so that many at once keep to the bound as well."""
        self.coming[visitor] = self.coming.get(visitor, 0) + int(length)
        try:
            yield
        finally:
            self.coming[visitor] -= int(length)

    def note(self, visitor: str, paths: Iterable[str]) -> None:
        """These files are the visitor's."""
        self.files.setdefault(visitor, set()).update(map(Path, paths))

    def sweep(self, now: float | None = None) -> None:
        """Delete what was uploaded more than a day ago, by whomever, and what was cut off."""
        if self.folder is None or not self.folder.is_dir():
            return
        oldest = (time.time() if now is None else now) - KEPT
        for path in [*self.folder.glob("*/*"), *self.folder.glob("*")]:
            with contextlib.suppress(FileNotFoundError):  # Gradio deletes what it has kept by itself
                if path.is_symlink() or path.stat().st_mtime >= oldest:
                    continue
                if path.is_file():
                    path.unlink()
                elif not any(path.iterdir()):
                    path.rmdir()

    def _there(self, visitor: str) -> dict[Path, int]:
        """The visitor's files that have not gone meanwhile, with their bytes."""
        found = {}
        for path in self.files.get(visitor, ()):
            with contextlib.suppress(FileNotFoundError):
                found[path] = path.stat().st_size
        self.files[visitor] = set(found)
        return found
