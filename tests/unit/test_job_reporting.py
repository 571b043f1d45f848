"""What a worker writes down of its run."""

from pathlib import Path

from small_runs import small_config, small_pool, small_record

from backend import store
from backend.jobs.reporting import Reporting


def test_the_first_selection_says_why_samples_cannot_be_scored(tmp_path: Path) -> None:
    store.save_pool(tmp_path, small_pool())
    run = store.create_run(tmp_path, small_config(), small_pool())
    report = Reporting(tmp_path, run)
    for epoch in (0, 1):
        report(small_record(epoch))
    first, later = [event.text for event in store.events(tmp_path, run) if event.kind == "selected"]
    assert first.endswith("2 of 6 samples selected, 4 scored; 1 cannot be scored: 1 empty response")
    assert later.endswith("2 of 6 samples selected, 4 scored")
