"""The same on a GPU: bf16 where it has it, float32 weights where they are trained."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch

from backend.cli.scoring import score_pool
from backend.complexity import score
from backend.config import config_from
from backend.iterate import Record, run
from backend.model import load as models
from backend.prompts import encode
from backend.records import EpochRecord, Metrics
from benchmarks import complexity

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU on this machine"),
]


def saved(folder: Path) -> str:
    tiny.model().save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)
    return str(folder)


def test_scores_are_near_the_cpus(tmp_path: Path) -> None:
    folder = saved(tmp_path)
    cpu, tokenizer = models.load(folder, device="cpu")
    encoded = encode(tiny.random_pool(40), tokenizer, system_prompt="", max_length=200)
    expected = score(cpu, encoded, batch_tokens=1000).complexity
    exact, _ = models.load(folder, precision="fp32")
    assert exact.device.type == "cuda"
    np.testing.assert_allclose(score(exact, encoded, batch_tokens=1000).complexity, expected, rtol=1e-3)
    model, _ = models.load(folder)
    assert model.dtype == (torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32)
    np.testing.assert_allclose(score(model, encoded, batch_tokens=1000).complexity, expected, rtol=0.1)


def test_a_whole_run(tmp_path: Path) -> None:
    model, tokenizer = models.load(saved(tmp_path / "base"), train=True)
    assert model.dtype == torch.float32
    settings = config_from(
        {"budget": 8, "batch_size": 4, "device_batch_size": 2, "max_complexity": 3.0, "held_out": "0.1"}
    )
    records: list[Record] = []
    run(settings, tiny.random_pool(60), model, tokenizer, report=records.append, folder=tmp_path / "run")
    assert [record.epoch for record in records if isinstance(record, EpochRecord)] == [0, 1, 2]
    lines = [record for record in records if isinstance(record, Metrics)]
    assert [line.held_out_epoch for line in lines if line.held_out is not None] == [0, 1, 2, 3]
    assert all(np.isfinite(line.loss) for line in lines if line.loss is not None)
    assert (tmp_path / "run" / "model" / "model.safetensors").is_file()


def test_two_processes(tmp_path: Path) -> None:
    """On one GPU they share it, on several each has its own."""
    settings = config_from({"model": saved(tmp_path / "model"), "epochs": 0, "batch_tokens": 200})
    pool = tiny.random_pool(40)
    one = score_pool(tmp_path / "one", dataclasses.replace(settings, processes=1), pool).scores
    two = score_pool(tmp_path / "two", dataclasses.replace(settings, processes=2), pool).scores
    np.testing.assert_allclose(two.complexity, one.complexity, rtol=0.02)


def test_the_benchmark(shared: Path) -> None:
    parser = argparse.ArgumentParser()
    complexity.add_options(parser)
    words = ["--device", "cuda", "--parameters", "2e6", "--samples", "40", "--peak-tflops", "100"]
    result = complexity.measure(parser.parse_args(words))
    assert result["device"] == torch.cuda.get_device_name() and result["precision"] == "bf16"
    assert result["median_rel_diff"] < 0.05
    assert 0 < result["mfu"] < 1
