"""Losses of single tokens against scoring and against a twin without shortcuts; pieces that join to the response."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tiny
import torch
from test_encode_twin import TEMPLATES, llama_like, messy_pool
from transformers import LlamaForCausalLM, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from backend import data
from backend.complexity import score, token_losses
from backend.model import load as models
from backend.model.readable import TokenLosses, losses_from_json, text_from_json, to_json
from backend.prompts import encode, show
from backend.records import Conversation, Pool

RESPONSES = ["the cat", "naïve 😀 日本語\n\n  is it", " dog  ", "e\u0301e\u0301 <|im_end|> x", "a" * 30]


def given(pool: Pool, row: int) -> Conversation:
    return Conversation(pool.turns(row), pool.response(row))


def check_against_scoring(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase, pool: Pool, *, max_length: int
) -> list[TokenLosses]:
    """Losses of every sample, whose means, counts and reasons are those of scoring."""
    encoded = encode(pool, tokenizer, system_prompt="the sea", max_length=max_length)
    scores = score(model, encoded, batch_tokens=512)
    found = []
    for row in range(len(pool)):
        losses = token_losses(
            model, tokenizer, given(pool, row), system_prompt="the sea", max_length=max_length
        )
        text = show(given(pool, row), tokenizer, system_prompt="the sea", max_length=max_length)
        assert losses.reason == text.reason == scores.reason[row]
        np.testing.assert_allclose(losses.loss_cond, scores.loss_cond[row], rtol=2e-5)
        np.testing.assert_allclose(losses.loss_prior, scores.loss_prior[row], rtol=2e-5)
        np.testing.assert_allclose(losses.complexity, scores.complexity[row], rtol=1e-4)
        if losses.pieces:
            assert losses.response_tokens == text.response_tokens == scores.response_tokens[row]
            assert "".join(losses.pieces) == text.text[text.start : text.cut]
            assert "".join(losses.pieces[: losses.closing]) == text.text[text.start : min(text.end, text.cut)]
        found.append(losses)
    return found


@pytest.mark.parametrize("template", ["chatml", "llama3", "gemma", "own_markers"])
@pytest.mark.parametrize("max_length", [44, 200])
def test_the_means_are_those_of_scoring(model: LlamaForCausalLM, template: str, max_length: int) -> None:
    prompts = ["list three animals", "the cat is red " * 2]
    pool = tiny.pool([(prompt, response) for prompt in prompts for response in [*RESPONSES, ""]])
    tokenizer = tiny.tokenizer(tiny.TEMPLATES[template])
    found = check_against_scoring(model, tokenizer, pool, max_length=max_length)
    assert {losses.reason for losses in found} >= {"", "empty response"}
    for losses in found:
        if losses.pieces:
            # one tokenisation, so the pieces hold every token: their sums are the means
            assert losses.tokens.sum() == losses.response_tokens and (losses.tokens > 0).all()
            for nats, mean in ((losses.conditioned, losses.loss_cond), (losses.alone, losses.loss_prior)):
                np.testing.assert_allclose(nats.sum() / losses.response_tokens, mean, rtol=1e-9)


def test_each_token_is_that_of_a_plain_reading(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> None:
    pool = tiny.pool([("list three animals", "the cat is 😀 cold")])
    found = token_losses(model, tokenizer, given(pool, 0), system_prompt="", max_length=200)
    encoded = encode(pool, tokenizer, system_prompt="", max_length=200)
    for sequences, nats in ((encoded.conditioned, found.conditioned), (encoded.alone, found.alone)):
        ids, first = sequences.tokens(0).astype(np.int64), int(sequences.first[0])
        with torch.no_grad():
            logits = model(input_ids=torch.from_numpy(ids)[None]).logits[0]
        plain = [-logits[at - 1].double().log_softmax(-1)[ids[at]].item() for at in range(first, len(ids))]
        pieces = np.add.reduceat(plain, np.cumsum([0, *found.tokens])[:-1])
        np.testing.assert_allclose(nats, pieces, rtol=1e-4)
    at = found.pieces.index("😀")
    assert found.tokens[at] == 4 and found.tokens.sum() == len(found.pieces) + 3
    assert found.pieces[found.closing :] == ["<|im_end|>", "\n"]


def test_what_is_cut_has_no_loss(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    sample = given(tiny.pool([("list animals", "cat dog horse red blue green city")]), 0)
    whole = token_losses(model, tokenizer, sample, system_prompt="", max_length=200)
    text = show(sample, tokenizer, system_prompt="", max_length=200)
    limit = text.tokens - 6
    short = token_losses(model, tokenizer, sample, system_prompt="", max_length=limit)
    cut = show(sample, tokenizer, system_prompt="", max_length=limit)
    assert short.response_tokens == whole.response_tokens - 6 == len(short.pieces)
    assert short.pieces == whole.pieces[:-6] and short.closing == len(short.pieces)
    np.testing.assert_allclose(short.conditioned, whole.conditioned[:-6], rtol=1e-5)
    assert [part.kind for part in cut.segments] == ["prompt", "response", "cut"]
    assert [part.kind for part in text.segments] == ["prompt", "response", "mark"]
    for one in (text, cut):
        assert "".join(part.text for part in one.segments) == one.text
    assert (cut.tokens, cut.whole_tokens, cut.max_length) == (limit, text.tokens, limit)
    prompt = show(sample, tokenizer, system_prompt="", max_length=3)
    assert [part.kind for part in prompt.segments] == ["prompt", "cut"]
    assert prompt.reason == "no response token within max_length"


@pytest.mark.parametrize("kind", ["bytes", "llama", "strips"])
@pytest.mark.parametrize("template", list(TEMPLATES))
def test_messy_samples_of_any_template_and_tokenizer(kind: str, template: str) -> None:
    """Pieces join to the response whatever a template writes and however a tokenizer cuts it."""
    written = TEMPLATES[template]
    tokenizer = tiny.tokenizer(written) if kind == "bytes" else llama_like(written, strips=kind == "strips")
    model = tiny.model(positions=1024)
    pool = messy_pool(len(template), rows=12)
    for max_length in (24, 1000):
        encoded = encode(pool, tokenizer, system_prompt="", max_length=max_length)
        scores = score(model, encoded, batch_tokens=512)
        for row in range(len(pool)):
            losses = token_losses(model, tokenizer, given(pool, row), system_prompt="", max_length=max_length)
            text = show(given(pool, row), tokenizer, system_prompt="", max_length=max_length)
            assert losses.reason == text.reason == scores.reason[row]
            np.testing.assert_allclose(losses.loss_cond, scores.loss_cond[row], rtol=2e-5)
            np.testing.assert_allclose(losses.loss_prior, scores.loss_prior[row], rtol=2e-5)
            assert text.text[text.start :].startswith("".join(losses.pieces))
            assert all(losses.pieces) and len(losses.pieces) == len(losses.conditioned) == len(losses.alone)
            assert 0 <= losses.closing <= len(losses.pieces)
            if losses.pieces and text.cut == len(text.text):
                assert "".join(losses.pieces) == text.text[text.start :]


def test_a_token_that_nothing_stands_before_has_no_loss(model: LlamaForCausalLM) -> None:
    tokenizer = tiny.tokenizer("{% for m in messages %}{{ m['content'] }}{% endfor %}")
    sample = given(tiny.pool([("the sea ", "cat dog")]), 0)
    found = token_losses(model, tokenizer, sample, system_prompt="", max_length=100)
    assert found.reason == "" and math.isnan(found.alone[0]) and math.isfinite(found.conditioned[0])
    assert np.isfinite(found.alone[1:]).all()
    for loss, nats in ((found.loss_prior, found.alone), (found.loss_cond, found.conditioned)):
        np.testing.assert_allclose(loss, nats[1:].sum() / (found.response_tokens - 1))  # of the same tokens


def test_the_demo_model() -> None:
    model, tokenizer = models.load("demo", device="cpu")
    pool = data.load_pool(["demo"])
    rows = np.arange(0, len(pool), 150)
    encoded = encode(pool, tokenizer, system_prompt="", max_length=512, rows=rows)
    scores = score(model, encoded, rows, batch_tokens=2048)
    for row in rows.tolist():
        found = token_losses(model, tokenizer, given(pool, row), system_prompt="", max_length=512)
        np.testing.assert_allclose(found.loss_cond, scores.loss_cond[row], rtol=1e-4)
        np.testing.assert_allclose(found.loss_prior, scores.loss_prior[row], rtol=1e-4)
        assert "".join(found.pieces) == pool.response(row) + "<|endoftext|>"
        assert found.closing == len(found.pieces) - 1


def test_through_json_and_back(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    sample = given(tiny.pool([("list", "😀 cat")]), 0)
    text = show(sample, tokenizer, system_prompt="", max_length=100)
    assert text_from_json(to_json(text)) == text
    found = token_losses(model, tokenizer, sample, system_prompt="", max_length=100)
    found.alone[0] = np.nan
    values = to_json(found)
    assert values["alone"][0] is None
    back = losses_from_json(values)
    np.testing.assert_array_equal(back.alone, found.alone)
    np.testing.assert_array_equal(back.conditioned, found.conditioned)
    assert (back.pieces, back.tokens.tolist()) == (found.pieces, found.tokens.tolist())
    nothing = token_losses(
        model, tokenizer, Conversation(sample.turns, " "), system_prompt="", max_length=100
    )
    assert nothing.reason == "empty response" and not nothing.pieces and math.isnan(nothing.complexity)
    assert to_json(nothing)["loss_cond"] is None and math.isnan(losses_from_json(to_json(nothing)).loss_cond)
