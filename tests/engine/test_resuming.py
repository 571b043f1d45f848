"""What the page says about where a run goes on is what its worker finds."""

import json

import pytest

from backend.analysis import resuming
from backend.training import last_checkpoint


@pytest.mark.parametrize("broken", [False, True])
def test_the_page_and_the_worker_find_the_same_checkpoint(tmp_path, broken):
    for step in (3, 12):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "model.bin").write_bytes(b"12345")
        mark = {"step": step, "carried": {"losses": [0.0], "logged": 0, "seconds": 0.0, "tokens_before": 0}, "files": {"model.bin": 5}}  # fmt: skip
        (folder / "complete.json").write_text(json.dumps(mark))
    if broken:
        (tmp_path / "checkpoint-12" / "model.bin").write_bytes(b"1")
    found = last_checkpoint(tmp_path)
    assert found is not None and found.step == (3 if broken else 12)
    assert max(resuming._step(path) for path in tmp_path.glob("checkpoint-*")) == found.step
