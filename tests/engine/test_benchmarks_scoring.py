"""The scoring benchmarks run, in a small size, and say what they should."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.complexity.losses import Prefix
from backend.complexity.reading_plan import Work
from backend.prompts import Encoded, Sequences
from benchmarks import complexity, shards
from benchmarks.common import NotRun

SMALL = ["--samples", "12", "--parameters", "2e6"]


@pytest.fixture
def few_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as the small tokenizer has: the head of Llama 2's 32,000 would take nearly all of the time."""
    words = len(complexity.tokenizer())
    monkeypatch.setattr(complexity, "WORDS", words)


def measured(*words: str) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    complexity.add_options(parser)
    return complexity.measure(parser.parse_args(words))


def test_on_a_cpu(shared: Path, few_words: None) -> None:
    result = measured(*SMALL)
    assert result["ratio"] > 0 and result["tokens_per_s"] > 0
    assert result["max_rel_diff"] < 1e-4
    assert result["prefix_tokens"] == [20, 4]
    assert math.isnan(result["mfu"]) and "--peak-tflops" in result["mfu_reason"]


def test_the_path_of_a_gpu(shared: Path, few_words: None) -> None:
    """bf16 and a known peak, as on a GPU; numbers are near."""
    result = measured(*SMALL, "--samples", "3", "--precision", "bf16", "--peak-tflops", "0.1")
    assert result["median_rel_diff"] < 0.05
    assert 0 < result["mfu"] < 1


def test_two_processes(shared: Path, few_words: None) -> None:
    parser = argparse.ArgumentParser()
    shards.add_options(parser)
    result = shards.measure(parser.parse_args(SMALL))
    assert result["processes"] == 2 and result["ratio"] > 0 and result["start_s"] > 0
    assert result["max_rel_diff"] < 1e-5


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu() -> None:
    with pytest.raises(NotRun, match="no CUDA device"):
        measured("--device", "cuda")


@pytest.mark.parametrize("parameters", [34e6, 2.5e9])
@pytest.mark.parametrize("tied", [False, True])
def test_the_model_has_about_the_size_asked_for(parameters: float, tied: bool) -> None:
    with torch.device("meta"):
        model = complexity.random_llama(parameters, device="meta", dtype=torch.float32, tied=tied)
    assert model.num_parameters() == pytest.approx(parameters, rel=0.2)


@pytest.mark.parametrize(
    ("name", "peak"),
    [
        ("NVIDIA H200", 989e12),
        ("NVIDIA H100 PCIe", 756e12),
        ("NVIDIA H100 80GB HBM3", 989e12),
        ("NVIDIA A100-SXM4-80GB", 312e12),
        ("NVIDIA L40S", 362e12),
        ("NVIDIA L4", 121e12),
        ("NVIDIA GeForce RTX 4090", 165e12),
        ("NVIDIA A10G", None),
    ],
)
def test_peaks_by_name(name: str, peak: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: name)
    parser = argparse.ArgumentParser()
    complexity.add_options(parser)
    found, reason = complexity.device_peak(parser.parse_args(["--device", "cuda"]))
    assert found == peak
    assert (reason == "") is (peak is not None)
    exact = parser.parse_args(["--device", "cuda", "--precision", "fp32"])
    assert complexity.device_peak(exact)[0] is None
    assert complexity.device_peak(parser.parse_args(["--peak-tflops", "2.5"])) == (2.5e12, "")


def test_the_work_that_is_needed() -> None:
    """Two texts, by hand: tokens behind a shared prefix once each, the prefix once, the head for responses only."""
    model = complexity.random_llama(2e6, device="cpu", dtype=torch.float32)
    config = model.config
    ids = np.arange(9, dtype=np.int32) % 3
    conditioned = Sequences(ids, np.array([0, 4, 9]), np.array([3, 3], dtype=np.int32))
    alone = Sequences(ids[:5], np.array([0, 2, 5]), np.array([1, 1], dtype=np.int32))
    encoded = Encoded(conditioned, alone, np.array([1, 2]), np.array(["", ""], dtype=object), 0)
    works = [Work(0, np.array([0, 1]), Prefix(2, []), 9, 5, 6), Work(1, np.array([0, 1]), None, 5, 5, 6)]
    width, layers = config.hidden_size, config.num_hidden_layers
    matrices = sum(p.numel() for name, p in model.named_parameters() if "proj" in name)
    pairs = (4**2 - 2**2) / 2 + (5**2 - 2**2) / 2 + 2**2 / 2 + 3**2 / 2
    expected = 2 * matrices * (5 + 2 + 5) + 2 * config.vocab_size * width * 6 + 4 * layers * width * pairs
    assert complexity.needed_flop(model, encoded, np.arange(2), works) == pytest.approx(expected)
