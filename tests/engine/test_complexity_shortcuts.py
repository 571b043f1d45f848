"""What scoring leaves out, each against what it stands for: shared prefixes, masks, slower kernels."""

from __future__ import annotations

import numpy as np
import pytest
import tiny
import torch
from torch.nn import functional
from transformers import (
    LlamaForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from backend.complexity import kernels, score
from backend.complexity.batches import common_prefix, plan
from backend.complexity.kernels import FasterKernels
from backend.complexity.losses import ResponseLosses
from backend.complexity.reading_plan import Work, works_of
from backend.prompts import Encoded, Sequences, encode
from benchmarks.plain_scoring import plain_complexity

SYSTEM = "the cat and the dog when it rains"


def encoded_pool(tokenizer: PreTrainedTokenizerFast, n: int = 24) -> Encoded:
    return encode(tiny.random_pool(n), tokenizer, system_prompt=SYSTEM, max_length=200)


def works(model: PreTrainedModel, encoded: Encoded, batch_tokens: int = 400) -> list[Work]:
    groups = (encoded.conditioned, encoded.alone)
    with torch.no_grad():
        rows = np.arange(len(encoded))
        return works_of(ResponseLosses(model.eval()), groups, rows, encoded.pad_id, batch_tokens)


def other_models() -> dict[str, PreTrainedModel]:
    size = {"vocab_size": 400, "hidden_size": 32, "num_hidden_layers": 2, "pad_token_id": 0}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 64}
    heads |= {"max_position_embeddings": 256, "initializer_range": 0.2, "bos_token_id": 1, "eos_token_id": 2}
    torch.manual_seed(0)
    return {
        "window": MistralForCausalLM(MistralConfig(**size, **heads, sliding_window=12)),
        "state": MambaForCausalLM(MambaConfig(**size, state_size=4, initializer_range=0.2)),
        "qwen": Qwen3ForCausalLM(Qwen3Config(**size, **heads, head_dim=8)),
    }


def test_the_prefix_is_read_once_and_changes_nothing(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> None:
    encoded = encoded_pool(tokenizer)
    rows = np.arange(len(encoded))
    shared = [common_prefix(of, rows) for of in (encoded.conditioned, encoded.alone)]
    assert shared[0] > 10 and shared[1] > 0
    read = works(model, encoded)
    assert {(work.group, work.skip) for work in read} == {(0, shared[0]), (1, shared[1])}
    plain, tokens = plain_complexity(model, encoded, rows, size=5)
    np.testing.assert_allclose(score(model, encoded, batch_tokens=400).complexity, plain, rtol=1e-4)
    assert sum(work.tokens for work in read) < tokens
    assert sum(work.read for work in read) == sum(work.tokens for work in read) - 24 * sum(shared)


@pytest.mark.parametrize(("name", "shares"), [("window", False), ("state", False), ("qwen", True)])
def test_other_caches(
    tokenizer: PreTrainedTokenizerFast, name: str, shares: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A model whose cache is no list of all keys and values is read without it, and that is said."""
    model, encoded = other_models()[name], encoded_pool(tokenizer)
    with caplog.at_level("INFO"):
        assert all(bool(work.skip) is shares for work in works(model, encoded))
    assert ("that all texts begin with again for each" in caplog.text) is not shares
    plain, _ = plain_complexity(model, encoded, np.arange(24), size=1)
    np.testing.assert_allclose(score(model, encoded, batch_tokens=400).complexity, plain, rtol=1e-4)


def test_a_cache_that_forgets_is_noticed(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = encoded_pool(tokenizer)
    expected = score(model, encoded, batch_tokens=400).complexity
    # half of the layers' memory is lost: positions are right, numbers are not
    monkeypatch.setattr(
        "backend.complexity.losses.Prefix.cache", lambda self, model, size: _forgetful(self, size)
    )
    assert all(work.skip == 0 for work in works(model, encoded))
    np.testing.assert_allclose(score(model, encoded, batch_tokens=400).complexity, expected, rtol=1e-5)


def _forgetful(prefix: object, size: int) -> object:
    from transformers import DynamicCache

    cache = DynamicCache()
    for layer, (keys, values) in enumerate(prefix.states):  # type: ignore[attr-defined]
        cache.update(0 * keys.expand(size, -1, -1, -1), values.expand(size, -1, -1, -1), layer)
    return cache


def test_the_common_prefix_ends_before_what_predicts_a_response() -> None:
    ids = np.array([5, 6, 7, 8, 9, 5, 6, 7, 8, 5, 6, 4, 8, 8], dtype=np.int32)
    of = Sequences(ids, np.array([0, 5, 9, 14]), np.array([4, 3, 4], dtype=np.int32))
    assert common_prefix(of, np.array([0, 1])) == 2  # the third token predicts row 1's first
    assert common_prefix(of, np.arange(3)) == 2
    assert common_prefix(of, np.array([0, 2])) == 2
    assert common_prefix(of, np.array([0])) == common_prefix(of, np.zeros(0, dtype=int)) == 0
    at_once = Sequences(ids, np.array([0, 5, 9, 14]), np.array([0, 3, 4], dtype=np.int32))
    assert common_prefix(at_once, np.array([0, 1])) == 0


def test_little_is_padding() -> None:
    draw = np.random.default_rng(0)
    lengths = np.minimum(1024, draw.lognormal(5.3, 0.7, size=1500).astype(int) + 10)
    for batch_tokens in (2048, 8192, 65536):
        batches = plan(lengths, lengths // 2, batch_tokens=batch_tokens, vocabulary=32_000)
        assert sorted(np.concatenate(batches).tolist()) == list(range(1500))
        assert lengths.sum() / sum(len(batch) * lengths[batch].max() for batch in batches) > 0.95


@pytest.mark.parametrize("bias", [False, True])
def test_onednn_gives_what_mkl_gives(bias: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on a processor where it would not be taken."""
    monkeypatch.setattr(kernels, "onednn_is_faster", lambda: True)
    torch.manual_seed(0)
    layer, given = torch.nn.Linear(48, 96, bias=bias), torch.randn(3, 7, 48)
    with torch.no_grad():
        expected = layer(given)
        with FasterKernels():
            torch.testing.assert_close(layer(given), expected, rtol=1e-5, atol=1e-6)
            torch.testing.assert_close(layer(given[0, 0]), expected[0, 0], rtol=1e-5, atol=1e-6)
            assert layer.bfloat16()(given.bfloat16()).dtype == torch.bfloat16
    assert FasterKernels().__torch_function__(functional.linear, (), (given, torch.ones(2, 48))).shape == (
        3,
        7,
        2,
    )


@pytest.mark.parametrize("kind", ["causal", "window", "padding"])
def test_only_a_causal_mask_is_replaced(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    query, key, value = torch.randn(2, 4, 9, 8), torch.randn(2, 4, 12, 8), torch.randn(2, 4, 12, 8)
    mask = torch.ones(2, 1, 9, 12, dtype=torch.bool).tril(3)
    if kind == "window":
        mask = mask.triu(-2)
    elif kind == "padding":
        mask[1, :, :, 0] = False
    expected = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=0.3)
    replaced = []
    causal = FasterKernels._causal

    def watched(self: FasterKernels, *given: object) -> bool:
        replaced.append(causal(self, *given))  # type: ignore[arg-type]
        return replaced[-1]

    monkeypatch.setattr(FasterKernels, "_causal", watched)
    with FasterKernels():
        found = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=0.3)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    assert replaced == [kind == "causal"]
