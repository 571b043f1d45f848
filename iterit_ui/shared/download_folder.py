"""Folders for files that are made for a download."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from pathlib import Path

KEPT = 3600  # seconds


def download_folder(kind: str) -> Path:
    """A new folder for one file, such as an "export". Those made more than an hour ago are deleted: Gradio sends copies."""
    for path in Path(tempfile.gettempdir()).glob(f"iterit-{kind}-*"):
        with contextlib.suppress(FileNotFoundError):  # another request is deleting it
            if path.stat().st_mtime < time.time() - KEPT:
                shutil.rmtree(path, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"iterit-{kind}-"))
