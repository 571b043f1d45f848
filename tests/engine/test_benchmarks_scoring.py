"""The scoring benchmarks run, in a small size, and say what they should."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import pytest
import torch

from benchmarks import complexity, shards
from benchmarks.common import NotRun

SMALL = ["--samples", "12", "--parameters", "2e6"]


def measured(*words: str) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    complexity.add_options(parser)
    return complexity.measure(parser.parse_args(words))


def test_on_a_cpu(shared: Path) -> None:
    result = measured(*SMALL)
    assert result["ratio"] > 0 and result["tokens_per_s"] > 0
    assert result["max_rel_diff"] < 1e-4
    assert result["prefix_tokens"] == [20, 4]
    assert math.isnan(result["mfu"]) and "--peak-tflops" in result["mfu_reason"]


def test_the_path_of_a_gpu(shared: Path) -> None:
    """bf16 and a known peak, as on a GPU; numbers are near."""
    result = measured(*SMALL, "--precision", "bf16", "--peak-tflops", "1")
    assert result["median_rel_diff"] < 0.05
    assert 0 < result["mfu"] < 1


def test_two_processes(shared: Path) -> None:
    parser = argparse.ArgumentParser()
    shards.add_options(parser)
    result = shards.measure(parser.parse_args(SMALL))
    assert result["processes"] == 2 and result["ratio"] > 0 and result["start_s"] > 0
    assert result["max_rel_diff"] < 1e-5


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu() -> None:
    with pytest.raises(NotRun, match="no CUDA device"):
        measured("--device", "cuda")


@pytest.mark.parametrize("parameters", [34e6, 1.5e9])
@pytest.mark.parametrize("tied", [False, True])
def test_the_model_has_about_the_size_asked_for(parameters: float, tied: bool) -> None:
    with torch.device("meta"):
        model = complexity.random_llama(parameters, device="meta", dtype=torch.float32, tied=tied)
    assert model.num_parameters() == pytest.approx(parameters, rel=0.2)
