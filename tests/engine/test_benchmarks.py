"""The other benchmarks run, in a small size, and say what they should."""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import warm

from benchmarks.__main__ import BENCHMARKS
from benchmarks.common import NotRun, pool_input

ROOT = Path(__file__).parents[2]


def measured(name: str, *words: str) -> dict[str, Any]:
    module = importlib.import_module(f"benchmarks.{name}")
    parser = argparse.ArgumentParser()
    module.add_options(parser)
    return module.measure(parser.parse_args(words))


def test_selection() -> None:
    result = measured("selection", "--pool", "demo", "--budget", "60")
    assert result["identical"] is True
    assert result["rows"] == 2200
    for key in ("tfidf_ratio", "first_ratio", "reselect_ratio", "reselect_ms"):
        assert result[key] > 0


def test_scale() -> None:
    result = measured("scale", "--rows", "3000", "--words", "20", "--budget", "150")
    assert 17 < result["words_on_average"] < 23
    assert result["shared_ngrams"] > 1000
    assert result["seconds"] > 0 and result["peak_gib"] > 0 and result["reselect_ms"] >= 0


def test_encode(shared: Path) -> None:
    result = measured("encode", "--pool", "demo", "--tokenizer", "tiny-llama")
    assert result["identical"] is True
    assert result["rows_per_s"] > 0


def test_run(shared: Path, tmp_path: Path, warm_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.run.subprocess", warm.Starting(warm_server))
    rows = [{"instruction": f"Say {k}", "output": f"the number {k} it is, {k % 7} times"} for k in range(80)]
    pool = tmp_path / "pool.json"
    pool.write_text(json.dumps(rows))
    result = measured("run", "--pool", str(pool), "--epochs", "1", "--budget", "8", "--threads", "1")
    assert 0 < result["overhead_share"] < 1
    parts = sum(result[f"{stage}_s"] for stage in ("score", "train", "evaluate"))
    assert parts + result["overhead_s"] == pytest.approx(result["total_s"], abs=0.3)
    assert 0 <= result["second_run_score_s"] < result["total_s"]


def test_every_benchmark_is_there_and_one_line_of_json_is_printed(shared: Path) -> None:
    for name in BENCHMARKS:
        module = importlib.import_module(f"benchmarks.{name}")
        assert callable(module.measure) and callable(module.add_options)
    words = [sys.executable, "-m", "benchmarks", "selection", "--pool", "demo", "--budget", "20", "--json"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert result["benchmark"] == "selection" and result["cores"] >= 1 and result["date"]


def test_a_pool_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("benchmarks.common.SHARED", tmp_path)
    with pytest.raises(NotRun, match="ITERIT_SHARED names the folder"):
        pool_input("pool_52k")
