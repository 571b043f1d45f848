"""A model, a tokenizer and rows as people have them: what is read of them, scored and trained."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from backend import model as models
from backend.complexity import score
from backend.data import load_pool
from backend.prompts import encode
from backend.records import Pool

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


@pytest.fixture(scope="module")
def twenty(shared: Path) -> Pool:
    """20 rows from all over a file, none of them long."""
    pool = load_pool([str(shared / "data" / "pool_small.json")])
    texts = [[turn["content"] for turn in pool.turns(row)] + [pool.response(row)] for row in range(len(pool))]
    short = [row for row, text in enumerate(texts) if sum(map(len, text)) < 200 and text[-1].strip()]
    return dataclasses.replace(pool, table=pool.table.take(short[:: len(short) // 20][:20]))


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


def test_what_is_scored_is_the_response_and_the_end_of_its_turn(real: Real, twenty: Pool) -> None:
    _, tokenizer = real
    encoded = encode(twenty, tokenizer, system_prompt=SYSTEM, max_length=512)
    for row in range(len(twenty)):
        for sequences in (encoded.conditioned, encoded.alone):
            first = int(sequences.first[row])
            response = tokenizer.decode(sequences.tokens(row)[first:])
            assert response == twenty.response(row) + "<|im_end|>\n"
            assert tokenizer.decode(sequences.tokens(row)[:first]).endswith("<|im_start|>assistant\n")


def test_losses_are_those_of_a_plain_computation(real: Real, twenty: Pool) -> None:
    model, tokenizer = real
    encoded = encode(twenty, tokenizer, system_prompt=SYSTEM, max_length=512)
    scores = score(model, encoded, batch_tokens=2048)
    system, assistant = f"<|im_start|>system\n{SYSTEM}<|im_end|>\n", "<|im_start|>assistant\n"
    for row in range(len(twenty)):
        (asked,) = twenty.turns(row)
        user = f"<|im_start|>user\n{asked['content']}<|im_end|>\n"
        turn = twenty.response(row) + "<|im_end|>\n"
        conditioned = loss(model, tokenizer, system + user + assistant, turn)
        alone = loss(model, tokenizer, OWN_SYSTEM + assistant, turn)
        assert scores.loss_cond[row] == pytest.approx(conditioned, abs=1e-4)
        assert scores.loss_prior[row] == pytest.approx(alone, abs=1e-4)
        assert scores.complexity[row] == pytest.approx(np.exp(conditioned - alone), rel=1e-3)
    # a pretrained model finds responses likelier behind their prompts
    assert np.median(scores.complexity) < 0.9
