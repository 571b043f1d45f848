"""What other trainers put labels on when they read an export: exactly the tokens that the studio trains on."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from tests.engine import trainer_labels as reading


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(reading.MODEL)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of TRL's own imports
def test_a_stock_sft_trainer_trains_on_the_response_alone(tmp_path: Path, tokenizer, monkeypatch) -> None:
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    pool = reading.small_pool(tmp_path)
    trainer = reading.trl_trainer(reading.exported(pool, tmp_path, "prompt_completion"), tmp_path)
    assert reading.trl_labels(trainer) == reading.our_labels(pool, tokenizer)
    assert math.isfinite(trainer.train().training_loss) and trainer.state.global_step == 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("format", ["messages", "sharegpt"])
def test_axolotl_trains_on_the_last_turn_alone(tmp_path: Path, tokenizer, format) -> None:
    pytest.importorskip("axolotl", reason="axolotl is not installed (requirements-templates.txt)")
    pool = reading.small_pool(tmp_path)
    made = reading.axolotl_labels(reading.exported(pool, tmp_path, format), tokenizer)
    assert made == reading.our_labels(pool, tokenizer)


@pytest.mark.parametrize("format", ["messages", "sharegpt", "alpaca"])
def test_llama_factory_trains_on_as_many_tokens_by_its_rules(tmp_path: Path, tokenizer, format) -> None:
    pool = reading.small_pool(tmp_path)
    folder = reading.exported(pool, tmp_path, format)
    ours = [len(reading.labelled(one)) for one in reading.our_labels(pool, tokenizer)]
    assert reading.llama_factory_labels(folder, tokenizer) == ours
    assert "mask_history: true" in (folder / "llama_factory.yaml").read_text()
