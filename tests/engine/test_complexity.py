"""Complexity against a twin that reads one sample at a time, and against the authors' own results."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from torch import nn
from transformers import (
    Cohere2Config,
    Cohere2ForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    GraniteConfig,
    GraniteForCausalLM,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from backend.complexity import held_out_loss, score
from backend.complexity.batches import LOGIT_CELLS, pad, plan
from backend.complexity.losses import ResponseLosses
from backend.errors import Stopped
from backend.model import load as models
from backend.prompts import Encoded, encode
from backend.records import Progress


def twin(model: PreTrainedModel, encoded: Encoded, row: int) -> tuple[float, float, int]:
    """(loss_cond, loss_prior, response tokens) of one sample: no batch, no padding, logits of every token."""
    losses = []
    for sequences in (encoded.conditioned, encoded.alone):
        ids, first = torch.from_numpy(sequences.tokens(row).astype(np.int64)), int(sequences.first[row])
        with torch.inference_mode():
            log_probs = model(input_ids=ids[None]).logits[0].float().log_softmax(-1)
        losses.append(-log_probs[torch.arange(first - 1, len(ids) - 1), ids[first:]].mean().item())
    return losses[0], losses[1], len(ids) - first


def other_models() -> dict[str, PreTrainedModel]:
    """Heads that scale or cap their logits, learned positions, an untied head with a bias."""
    size = {
        "vocab_size": 400,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "pad_token_id": 0,
    }
    size |= {"num_key_value_heads": 2, "intermediate_size": 64, "bos_token_id": 1, "eos_token_id": 2}
    size |= {"max_position_embeddings": 256, "initializer_range": 0.2}
    torch.manual_seed(0)
    made = {
        "gemma2": Gemma2ForCausalLM(
            Gemma2Config(**size, head_dim=8, final_logit_softcapping=2.0, sliding_window=16)
        ),
        "granite": GraniteForCausalLM(GraniteConfig(**size, logits_scaling=3.0)),
        "cohere2": Cohere2ForCausalLM(Cohere2Config(**size, logit_scale=0.25, sliding_window=16)),
        "gpt2": GPT2LMHeadModel(
            GPT2Config(vocab_size=400, n_embd=32, n_layer=2, n_head=4, bos_token_id=1, eos_token_id=2)
        ),
    }
    return {name: model.eval() for name, model in made.items()}


@pytest.mark.parametrize("batch_tokens", [64, 500, 8192])
def test_agrees_with_the_twin(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, batch_tokens: int
) -> None:
    samples = [("hi", ""), ("the cat " * 200, "dog"), ("hi", "the cat " * 200)]
    pool = tiny.pool(samples + [(f"name {i} animals", "dog " * (1 + i % 9)) for i in range(40)])
    encoded = encode(pool, tokenizer, system_prompt="", max_length=models.usable_length(model, 1024))
    scores = score(model, encoded, batch_tokens=batch_tokens)
    assert list(scores.reason[:3]) == ["empty response", "no response token within max_length", ""]
    assert np.isnan(scores.complexity[:2]).all() and np.isnan(scores.loss_cond[:2]).all()
    for row in range(2, len(pool)):
        conditioned, alone, tokens = twin(model, encoded, row)
        assert scores.loss_cond[row] == pytest.approx(conditioned, rel=1e-5)
        assert scores.loss_prior[row] == pytest.approx(alone, rel=1e-5)
        assert scores.complexity[row] == pytest.approx(np.exp(conditioned - alone), rel=1e-5)
        assert scores.response_tokens[row] == tokens
        assert scores.reason[row] == ""


@pytest.mark.parametrize("name", ["gemma2", "granite", "cohere2", "gpt2"])
def test_any_head_is_read_the_fast_way(tokenizer: PreTrainedTokenizerFast, name: str) -> None:
    model = other_models()[name]
    encoded = encode(tiny.random_pool(12), tokenizer, system_prompt="", max_length=200)
    reader = checked_reader(model, encoded)
    assert reader.head == ("pieces" if name == "gpt2" else "response")  # the others change their logits
    scores = score(model, encoded, batch_tokens=400)
    for row in range(12):
        conditioned, alone, _ = twin(model, encoded, row)
        assert scores.loss_cond[row] == pytest.approx(conditioned, rel=1e-5)
        assert scores.loss_prior[row] == pytest.approx(alone, rel=1e-5)


class HeadOfAllPositions(nn.Module):
    """A head whose logits depend on the whole sequence: what the fast way cannot serve."""

    def __init__(self, head: nn.Linear) -> None:
        super().__init__()
        self.head = head
        self.weight = head.weight

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.head(hidden.cumsum(dim=1))


class HeadOfBatches(HeadOfAllPositions):
    """A head that breaks where it is not given the whole batch."""

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        if hidden.shape[0] == 1:
            raise RuntimeError("a batch is needed")
        return self.head(hidden)


@pytest.mark.parametrize("head", [HeadOfAllPositions, HeadOfBatches])
def test_other_heads_are_read_the_plain_way(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    head: type[HeadOfAllPositions],
    caplog: pytest.LogCaptureFixture,
) -> None:
    encoded = encode(tiny.random_pool(8), tokenizer, system_prompt="", max_length=200)
    assert checked_reader(model, encoded).head == "pieces" and not caplog.text
    model.set_output_embeddings(head(model.lm_head))
    assert checked_reader(model, encoded).head == "all"
    assert "LlamaForCausalLM cannot give the response tokens' logits alone" in caplog.text
    scores = score(model, encoded, batch_tokens=4000)
    if head is HeadOfAllPositions:
        for row in range(8):
            conditioned, alone, _ = twin(model, encoded, row)
            assert scores.loss_cond[row] == pytest.approx(conditioned, rel=1e-4)
            assert scores.loss_prior[row] == pytest.approx(alone, rel=1e-4)
    else:
        assert np.isfinite(scores.complexity).all()


def checked_reader(model: PreTrainedModel, encoded: Encoded) -> ResponseLosses:
    reader = ResponseLosses(model)
    with torch.no_grad():
        reader.check(pad(encoded.conditioned, np.arange(2), pad_id=0))
    return reader


def test_only_the_rows_asked_for(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    encoded = encode(tiny.random_pool(20), tokenizer, system_prompt="", max_length=200)
    everything = score(model, encoded, batch_tokens=400)
    some = score(model, encoded, np.array([7, 3, 11]), batch_tokens=400)
    asked = np.isin(np.arange(20), [3, 7, 11])
    np.testing.assert_allclose(some.complexity[asked], everything.complexity[asked], rtol=1e-5)
    assert np.isnan(some.complexity[~asked]).all()
    assert set(some.reason[~asked]) == {"not scored"} and set(some.reason[asked]) == {""}
    assert np.array_equal(some.response_tokens, everything.response_tokens)
    nothing = score(model, encoded, np.zeros(0, dtype=np.int64), batch_tokens=400)
    assert set(nothing.reason) == {"not scored"}


def test_a_loss_that_is_not_finite_has_a_reason(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> None:
    pool = tiny.pool([("hi", "dog"), ("hi", "zebra"), ("hi", "cat")])
    encoded = encode(pool, tokenizer, system_prompt="", max_length=100)
    z = tokenizer.convert_tokens_to_ids("z")
    assert z in encoded.conditioned.tokens(1)
    with torch.no_grad():
        model.get_input_embeddings().weight[z] = float("nan")
    scores = score(model, encoded, batch_tokens=400)
    assert list(scores.reason) == ["", "non-finite loss", ""]
    assert list(np.isnan(scores.complexity)) == [False, True, False]


def test_a_response_at_the_very_beginning(model: LlamaForCausalLM) -> None:
    """Nothing predicts a text's first token: it is left out, and where it is the only one, that is the reason."""
    bare = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    encoded = encode(
        tiny.pool([("hi ", "z"), ("hi ", "zz z")]), tiny.tokenizer(bare), system_prompt="", max_length=100
    )
    assert list(encoded.alone.first) == [0, 0]
    scores = score(model, encoded, batch_tokens=400)
    assert list(scores.reason) == ["no token before the response", ""]
    # both losses are of the same tokens, of which the first response has none
    assert np.isfinite(scores.loss_cond).tolist() == [False, True]
    ids = torch.from_numpy(encoded.alone.tokens(1).astype(np.int64))
    with torch.inference_mode():
        log_probs = model(input_ids=ids[None]).logits[0].log_softmax(-1)
    expected = -log_probs[torch.arange(len(ids) - 1), ids[1:]].mean().item()
    assert scores.loss_prior[1] == pytest.approx(expected, rel=1e-5)


def test_held_out_loss_counts_tokens_not_samples(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> None:
    encoded = encode(tiny.random_pool(15), tokenizer, system_prompt="", max_length=200)
    rows = np.array([1, 4, 9])
    parts = [twin(model, encoded, row) for row in rows]
    expected = sum(loss * tokens for loss, _, tokens in parts) / sum(tokens for _, _, tokens in parts)
    assert held_out_loss(model, encoded, rows, batch_tokens=300) == pytest.approx(expected, rel=1e-5)
    empty = encode(tiny.pool([("hi", "")]), tokenizer, system_prompt="", max_length=200)
    assert np.isnan(held_out_loss(model, empty, batch_tokens=300))


def test_progress_stop_and_mode(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    encoded = encode(tiny.random_pool(30), tokenizer, system_prompt="", max_length=200)
    seen: list[Progress] = []
    model.train()
    score(model, encoded, batch_tokens=200, epoch=2, on_progress=seen.append)
    assert model.training
    assert {(p.stage, p.epoch, p.total, p.unit) for p in seen} == {("score", 2, 30, "samples")}
    done = [p.done for p in seen]
    assert done[0] == 0 and done[-1] == 30 and done == sorted(done) and len(done) > 5
    assert seen[-1].tokens == encoded.conditioned.lengths.sum() + encoded.alone.lengths.sum()

    def stop(progress: Progress) -> None:
        if progress.done > 10:
            raise Stopped("asked to")

    with pytest.raises(Stopped):
        score(model, encoded, batch_tokens=200, on_progress=stop)
    assert model.training


def test_batches_hold_every_sequence_once_within_the_budget() -> None:
    draw = np.random.default_rng(0)
    lengths = draw.integers(2, 90, size=300)
    responses = np.maximum(1, lengths // 2)
    batches = plan(lengths, responses, batch_tokens=400, vocabulary=1000)
    assert sorted(np.concatenate(batches).tolist()) == list(range(300))
    assert all(len(batch) * lengths[batch].max() <= 400 for batch in batches)
    padding = sum(len(batch) * lengths[batch].max() for batch in batches) / lengths.sum()
    assert padding < 1.05
    # a vocabulary so large that the logits set the limit, and a sequence longer than the budget
    wide = plan(lengths, responses, batch_tokens=10**9, vocabulary=LOGIT_CELLS // 50)
    assert all(len(batch) == 1 or responses[batch].sum() <= 50 for batch in wide)
    assert [
        batch.tolist() for batch in plan(np.array([5000]), np.array([9]), batch_tokens=64, vocabulary=9)
    ] == [[0]]
    assert plan(np.zeros(0, int), np.zeros(0, int), batch_tokens=64, vocabulary=9) == []


def test_bf16_scores_are_near(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    encoded = encode(tiny.random_pool(10), tokenizer, system_prompt="", max_length=200)
    exact = score(model, encoded, batch_tokens=400)
    under_autocast = score(model, encoded, batch_tokens=400, precision="bf16")
    np.testing.assert_allclose(under_autocast.complexity, exact.complexity, rtol=0.1)
    assert not np.array_equal(under_autocast.complexity, exact.complexity)
    np.testing.assert_allclose(
        score(model.bfloat16(), encoded, batch_tokens=400).complexity, exact.complexity, rtol=0.1
    )


def test_golden_complexity(shared: Path) -> None:
    """The authors' own losses of 1,500 real samples, to 1e-4 relative."""
    golden = json.loads((shared / "golden" / "complexity.json").read_text())
    data = json.loads((shared / "data" / "pool_small.json").read_text())
    pool = tiny.pool(
        [
            (row["instruction"] + (f"\nInput: {row['input']}" if row["input"] else ""), row["output"])
            for row in data
        ]
    )
    model, tokenizer = models.load(str(shared / "golden" / "tiny-llama"), device="cpu")
    length = models.usable_length(model, 1024)
    encoded = encode(pool, tokenizer, system_prompt="You are a helpful assistant.", max_length=length)
    scores = score(model, encoded, batch_tokens=2048)
    assert np.array_equal(scores.response_tokens, golden["response_tokens"])
    for name in ("loss_cond", "loss_prior", "complexity"):
        expected = np.array([np.nan if value is None else value for value in golden[name]])
        np.testing.assert_allclose(getattr(scores, name), expected, rtol=1e-4, equal_nan=True)
    assert {"", "no response token within max_length"} == set(scores.reason)
