"""Folders for files that are made for a download."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest

from iterit_ui.shared.download_folder import KEPT, download_folder


def test_files_of_before_go_and_those_of_now_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    old, new, other = download_folder("export"), download_folder("export"), download_folder("log")
    (old / "picks.jsonl").write_text("{}")
    long_ago = time.time() - KEPT - 60
    for folder in (old, other):
        os.utime(folder, (long_ago, long_ago))
    latest = download_folder("export")
    assert sorted(tmp_path.iterdir()) == sorted([new, other, latest])
