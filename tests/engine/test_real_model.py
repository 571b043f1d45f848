"""A model, a tokenizer and rows as people have them: what is read of them, scored and trained."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from backend.complexity import score
from backend.config import config_from
from backend.data import load_pool
from backend.errors import Stopped
from backend.iterate import Record, run
from backend.model import load as models
from backend.prompts import encode
from backend.records import EpochRecord, Metrics, Pool, Progress
from backend.training import last_checkpoint

pytestmark = pytest.mark.slow

Real = tuple[PreTrainedModel, PreTrainedTokenizerBase]

SYSTEM = "You are a helpful assistant."
# what its template puts before an assistant's turn that stands alone
OWN_SYSTEM = (
    "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
)


@pytest.fixture(scope="module")
def real(real_model: Path) -> Real:
    return models.load(str(real_model), device="cpu", precision="fp32")


def short_rows(shared: Path, count: int, characters: int) -> Pool:
    """Rows from all over a file, none of them longer than so many characters."""
    pool = load_pool([str(shared / "data" / "pool_small.json")])
    texts = [[turn["content"] for turn in pool.turns(row)] + [pool.response(row)] for row in range(len(pool))]
    short = [row for row, text in enumerate(texts) if sum(map(len, text)) < characters and text[-1].strip()]
    return dataclasses.replace(pool, table=pool.table.take(short[:: len(short) // count][:count]))


@pytest.fixture(scope="module")
def twelve(shared: Path) -> Pool:
    return short_rows(shared, 12, 200)


def loss(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, header: str, turn: str) -> float:
    """Mean nats of the tokens of an assistant's turn, written down plainly: one text, every logit, no batch."""
    # a special token or a line's end parts the two: together they have the tokens that each has by itself
    before, after = (tokenizer(text, add_special_tokens=False).input_ids for text in (header, turn))
    assert tokenizer(header + turn, add_special_tokens=False).input_ids == before + after
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([before + after])).logits[0, len(before) - 1 : -1]
    log_probs = logits.double().log_softmax(-1)
    return -log_probs[torch.arange(len(after)), torch.tensor(after)].mean().item()


def test_it_knows_the_capital_of_france(real: Real) -> None:
    model, tokenizer = real
    question = [{"role": "user", "content": "What is the capital of France?"}]
    asked = tokenizer.apply_chat_template(
        question, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    answer = model.generate(**asked, max_new_tokens=12, do_sample=False)[0, asked["input_ids"].shape[1] :]
    assert tokenizer.decode(answer) == "The capital of France is Paris.<|im_end|>"


def test_what_is_scored_is_the_response_and_the_end_of_its_turn(real: Real, twelve: Pool) -> None:
    _, tokenizer = real
    encoded = encode(twelve, tokenizer, system_prompt=SYSTEM, max_length=512)
    for row in range(len(twelve)):
        for sequences in (encoded.conditioned, encoded.alone):
            first = int(sequences.first[row])
            response = tokenizer.decode(sequences.tokens(row)[first:])
            assert response == twelve.response(row) + "<|im_end|>\n"
            assert tokenizer.decode(sequences.tokens(row)[:first]).endswith("<|im_start|>assistant\n")


def test_losses_are_those_of_a_plain_computation(real: Real, twelve: Pool) -> None:
    model, tokenizer = real
    encoded = encode(twelve, tokenizer, system_prompt=SYSTEM, max_length=512)
    scores = score(model, encoded, batch_tokens=2048)
    system, assistant = f"<|im_start|>system\n{SYSTEM}<|im_end|>\n", "<|im_start|>assistant\n"
    for row in range(len(twelve)):
        (asked,) = twelve.turns(row)
        user = f"<|im_start|>user\n{asked['content']}<|im_end|>\n"
        turn = twelve.response(row) + "<|im_end|>\n"
        conditioned = loss(model, tokenizer, system + user + assistant, turn)
        alone = loss(model, tokenizer, OWN_SYSTEM + assistant, turn)
        assert scores.loss_cond[row] == pytest.approx(conditioned, abs=1e-4)
        assert scores.loss_prior[row] == pytest.approx(alone, abs=1e-4)
        assert scores.complexity[row] == pytest.approx(np.exp(conditioned - alone), rel=1e-3)
    # a pretrained model finds responses likelier behind their prompts
    assert np.median(scores.complexity) < 0.9


class Recorder:
    """Takes what a run reports, and stops it once an optimizer step is done."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.stop_after = stop_after
        self.epochs: list[EpochRecord] = []
        self.losses: dict[int, float | None] = {}

    def __call__(self, record: Record) -> None:
        if isinstance(record, EpochRecord):
            self.epochs.append(record)
        elif isinstance(record, Metrics) and record.held_out is None:
            self.losses[record.step] = record.loss
        elif isinstance(record, Progress) and record.stage == "train" and record.done == self.stop_after:
            raise Stopped("asked to")


@pytest.mark.parametrize("lora_rank", [0, 8])
def test_an_epoch_that_is_stopped_and_resumed_ends_as_one_that_is_not(
    real_model: Path, shared: Path, tmp_path: Path, lora_rank: int
) -> None:
    pool = short_rows(shared, 6, 100)
    config = config_from(
        {
            "model": str(real_model),
            "budget": 4,
            "epochs": 1,
            "batch_size": 2,
            "device_batch_size": 2,
            "learning_rate": 1e-3 if lora_rank else 1e-4,
            "warmup_ratio": 0.0,
            "held_out": "0",
            "max_length": 128,
            "batch_tokens": 2048,
            "lora_rank": lora_rank,
            "save_checkpoints": False,  # but for the one of a stop
        }
    )

    def go(name: str, recorder: Recorder, **more: Any) -> Path:
        run(config, pool, *models.load_for(config), report=recorder, folder=tmp_path / name, **more)
        return tmp_path / name / "model"

    whole, first, second = Recorder(), Recorder(stop_after=1), Recorder()
    trained = go("whole", whole)
    with pytest.raises(Stopped):
        go("parts", first)
    stopped = last_checkpoint(tmp_path / "parts" / "checkpoints")
    assert stopped is not None and stopped.step == 1
    resumed = go("parts", second, resume=True, done=first.epochs)

    np.testing.assert_array_equal(whole.epochs[0].selection.rows, first.epochs[0].selection.rows)
    assert (whole.epochs[0].scores.reason == "").all() and len(whole.epochs[0].selection) == 4
    assert {**first.losses, **second.losses} == whole.losses and list(whole.losses) == [1, 2]
    files = "adapter_model.safetensors" if lora_rank else "model.safetensors"
    one, other = (load_file(folder / files) for folder in (trained, resumed))
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)

    # what was trained on is expected more than before, by the model as it is loaded again
    model, tokenizer = models.load(str(trained), device="cpu", precision="fp32")
    encoded = encode(pool, tokenizer, system_prompt=config.system_prompt, max_length=config.max_length)
    rows = whole.epochs[0].selection.rows
    after = score(model, encoded, rows, batch_tokens=2048)
    assert after.loss_cond[rows].mean() < whole.epochs[0].scores.loss_cond[rows].mean()
    shutil.rmtree(tmp_path)  # gigabytes, which pytest would keep for three sessions
