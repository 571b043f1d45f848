"""What a command is told to write, looked at before the work begins: an hour of scoring must have a place to go."""

from __future__ import annotations

import tempfile
from pathlib import Path

from backend.errors import StudioError


def check_file(path: Path) -> None:
    """Raise a StudioError where no file can be written under this name; its folder is made where it is missing."""
    if path.is_dir():
        raise StudioError(f"{path} is a folder; name a file to write")
    check_folder(path.parent)


def check_folder(folder: Path) -> None:
    """Raise a StudioError where nothing can be written into this folder, which is made where it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StudioError(f"nothing can be written to {folder} ({error.strerror or error})") from error
