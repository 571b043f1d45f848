"""The demo's tiny model: it loads, its template gives the right spans, training works and can be resumed."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from backend.prompts import show
from backend.records import Conversation, Pool
from tools.demo import pretrain
from tools.demo.check import auroc, frequency_table, label_table, score_pool
from tools.demo.corpus import draw_documents
from tools.demo.pool import Row, read_heldout, read_pool
from tools.demo.pretrain import Schedule, Shape

ASSETS = Path(__file__).parents[2] / "assets" / "demo"
TINY = Shape(hidden=32, layers=1, heads=2, feed_forward=64, positions=64)
SHORT = Schedule(tokens=24 * 4 * 32, batch=4, length=32, warm_up=4, learning_rate=1e-2)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(ASSETS / "model")


@pytest.fixture(scope="module")
def model() -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(ASSETS / "model", dtype=torch.float32)


@pytest.fixture(scope="module")
def stream(tokenizer: PreTrainedTokenizerBase) -> np.ndarray:
    return pretrain.draw_token_stream(tokenizer, SHORT.tokens, guard=None)


def as_pool(rows: list[Row]) -> Pool:
    """The columns that scoring reads."""
    turns = [[{"role": "user", "content": row.prompt()}] for row in rows]
    return Pool("demo", "demo", pa.table({"turns": turns, "response": [row.output for row in rows]}))


def test_model_is_small_and_whole(model: PreTrainedModel) -> None:
    assert sum(parameter.numel() for parameter in model.parameters()) == 2_164_416
    assert model.config.vocab_size == 2048 and model.config.tie_word_embeddings
    assert model.lm_head.weight is model.model.embed_tokens.weight
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())
    path = ASSETS / "model" / "model.safetensors"
    assert path.stat().st_size < 4_500_000
    with safe_open(path, framework="pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118


def test_tokenizer_keeps_digits_single_and_text_whole(tokenizer: PreTrainedTokenizerBase) -> None:
    assert len(tokenizer) == 2048
    pieces = tokenizer.tokenize("Add 4807 and 12.")
    assert [piece for piece in pieces if piece.strip("Ġ").isdigit()] == list("480712")
    for row in read_pool(ASSETS / "pool.jsonl")[:50]:
        ids = tokenizer(row.output, add_special_tokens=False)["input_ids"]
        assert tokenizer.decode(ids) == row.output
    for text in pretrain.SPECIAL_TOKENS:
        assert len(tokenizer(text, add_special_tokens=False)["input_ids"]) == 1


def test_template_renders_every_turn(tokenizer: PreTrainedTokenizerBase) -> None:
    system = {"role": "system", "content": "Be brief."}
    user = {"role": "user", "content": "What is 2 + 2?"}
    assistant = {"role": "assistant", "content": "4"}

    def render(*turns: dict[str, str], prompt: bool = False) -> str:
        return tokenizer.apply_chat_template(list(turns), tokenize=False, add_generation_prompt=prompt)

    question = "<|user|>\nWhat is 2 + 2?<|end|>\n"
    assert render(user, assistant) == f"{question}<|assistant|>\n4<|endoftext|>"
    assert render(user, prompt=True) == f"{question}<|assistant|>\n"
    assert render(assistant) == "<|assistant|>\n4<|endoftext|>"
    assert render(system, user) == f"<|system|>\nBe brief.<|end|>\n{question}"


def test_response_span_is_the_response_and_its_end(tokenizer: PreTrainedTokenizerBase) -> None:
    turns = [{"role": "user", "content": "What is 2 + 2?"}]
    shown = show(Conversation(turns, "It is 4."), tokenizer, system_prompt="", max_length=512)
    assert shown.text[shown.start :] == "It is 4.<|endoftext|>"
    assert shown.alone_text == "<|assistant|>\nIt is 4.<|endoftext|>"
    assert shown.response_tokens == len(tokenizer.tokenize("It is 4.")) + 1
    assert shown.reason == ""


def test_every_row_fits_the_positions(tokenizer: PreTrainedTokenizerBase) -> None:
    rows = [*read_pool(ASSETS / "pool.jsonl"), *read_heldout(ASSETS / "heldout.jsonl")]
    ids = tokenizer([f"{row.prompt()}{row.output}" for row in rows])["input_ids"]
    assert max(map(len, ids)) < 256  # pre-training saw positions up to 256


def test_complexity_puts_mismatches_above_clean_rows(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    pool = read_pool(ASSETS / "pool.jsonl")
    rows = [row for label in ("clean", "mismatch") for row in [r for r in pool if r.label == label][:120]]
    table = label_table(score_pool(model, tokenizer, as_pool(rows)), [row.label for row in rows])
    assert table.loc["clean", "median"] < 0.95 < table.loc["mismatch", "median"]
    assert table.loc["clean", "at least 1"] < 0.15
    assert table.loc["mismatch", "AUROC"] > 0.85
    assert table.loc["clean", "AUROC"] == pytest.approx(0.5)


def test_rare_answers_are_harder_than_common_ones(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    rows = read_heldout(ASSETS / "heldout.jsonl")[:120]
    table = frequency_table(score_pool(model, tokenizer, as_pool(rows)), [row.cohort for row in rows])
    assert table.loc["rare", "loss"] > table.loc["common", "loss"]
    assert table.loc["all", "rows"] == 120


def test_auroc_is_the_share_of_ordered_pairs() -> None:
    rng = np.random.default_rng(0)
    negative, positive = rng.integers(0, 9, 40).astype(float), rng.integers(2, 12, 30).astype(float)
    pairs = [float(high > low) + 0.5 * float(high == low) for high in positive for low in negative]
    assert auroc(negative, positive) == pytest.approx(np.mean(pairs))


def test_tokenizer_training_repeats_itself() -> None:
    first, second = (
        pretrain.train_tokenizer(draw_documents(1, 200), vocabulary=400).backend_tokenizer.to_str()
        for _ in range(2)
    )
    assert first == second


def test_token_stream_repeats_itself(tokenizer: PreTrainedTokenizerBase, stream: np.ndarray) -> None:
    again = pretrain.draw_token_stream(tokenizer, SHORT.tokens, guard=None)
    assert stream.dtype == np.uint16 and stream.shape == (SHORT.tokens,)
    assert (stream == again).all()
    assert stream[0] == tokenizer.bos_token_id


def test_learning_rate_rises_stays_and_falls() -> None:
    schedule = Schedule(tokens=100 * 16 * 256, warm_up=10, learning_rate=1.0)
    rates = [schedule.learning_rate_at(step) for step in range(schedule.steps)]
    assert schedule.steps == 100
    assert rates[:3] == pytest.approx([0.1, 0.2, 0.3])
    assert rates[10:83] == [1.0] * 73
    assert rates[82:] == pytest.approx([1 - step / 18 for step in range(18)])


def test_training_learns_and_resumes_where_it_was_interrupted(
    tokenizer: PreTrainedTokenizerBase, stream: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrain, "CHECKPOINT_EVERY", 6)
    monkeypatch.setattr(pretrain, "LOG_EVERY", 4)

    def train(folder: Path) -> Iterator[dict[str, float]]:
        return pretrain.train(
            tokenizer, stream, schedule=SHORT, shape=TINY, work_folder=folder, use_compile=False
        )

    whole = list(train(tmp_path / "whole"))
    assert [record["step"] for record in whole] == [4, 8, 12, 16, 20, 24]
    assert whole[-1]["loss"] < whole[0]["loss"]

    interrupted = train(tmp_path / "interrupted")
    assert [next(interrupted)["step"] for _ in range(3)] == [4, 8, 12]
    interrupted.close()
    assert [record["step"] for record in train(tmp_path / "interrupted")] == [16, 20, 24]

    weights, resumed = (
        torch.load(tmp_path / name / "checkpoint.pt")["model"] for name in ("whole", "interrupted")
    )
    assert all(torch.equal(weights[name], resumed[name]) for name in weights)

    pretrain.save_model(tmp_path / "whole" / "checkpoint.pt", len(tokenizer), TINY, tmp_path / "model")
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype=torch.float32)
    assert torch.allclose(loaded.lm_head.weight, weights["lm_head.weight"], atol=1e-3)
    assert loaded.generation_config.eos_token_id == tokenizer.eos_token_id
