"""What the engine's tests share: one thread, a small tokenizer, a small model, a runs folder."""

import os
import platform
from collections.abc import Iterator
from pathlib import Path

import pytest
import smollm2
import tiny
import torch
import warm
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from backend import store
from backend.cli import scoring
from backend.jobs import lifecycle, processes

SHARED = Path(os.environ.get("ITERIT_SHARED") or Path(__file__).resolve().parents[3] / "shared")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Two-layer models gain nothing from threads, and busy cores make them wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    return tiny.tokenizer()


@pytest.fixture
def model() -> LlamaForCausalLM:
    return tiny.model()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A runs folder; workers that are left in it are ended."""
    yield tmp_path
    for info in store.runs(tmp_path):
        if info.active and info.host == platform.node():
            lifecycle.kill(tmp_path, info.id)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real data and the authors' own results, where they are at hand."""
    if not (SHARED / "golden").is_dir():
        pytest.skip(f"no golden files in {SHARED} (set ITERIT_SHARED)")
    return SHARED


@pytest.fixture(scope="session")
def real_model() -> Path:
    """The folder of SmolLM2-135M-Instruct, for tests that are marked slow; where it cannot be had, they are skipped, but
    never where tests run unwatched."""
    try:
        return smollm2.folder()
    except smollm2.Unavailable as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def warm_server() -> Iterator[str]:
    """Where workers are forked."""
    with warm.server() as address:
        yield address


@pytest.fixture
def warm_workers(warm_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers and scoring processes that this process starts are forked from one that has made their imports."""
    for module in (processes, scoring):
        monkeypatch.setattr(module, "subprocess", warm.Starting(warm_server))
