"""Answers of tiny models: token by token as a plain loop writes them, and by the real process."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import tiny
import torch
from backend.answering import keep
from backend.questions import Answer, AskedModel, Question, Sampling

from backend import answering, asking
from backend.complexity import token_losses
from backend.errors import ModelError, Stopped
from backend.prompts import prefix
from backend.prompts.encode import checked_template, encode_one
from backend.records import Conversation, Turn

TURNS = [Turn(role="user", content="list three animals")]
ASKED = AskedModel("tiny", "tiny", "", "the sea", 200, "fp32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's folder."""
    folder = tmp_path_factory.mktemp("answers") / "model"
    tiny.model().save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)
    return folder


def answer(sampling: Sampling | None = None, **options) -> Answer:
    given = {"sampling": sampling or Sampling(12), **options}
    return answering.answer(tiny.model(), tiny.tokenizer(), TURNS, ASKED, **given)


@pytest.mark.parametrize("name", tiny.TEMPLATES)
def test_a_model_continues_what_it_read_in_training(name: str) -> None:
    tokenizer = tiny.tokenizer(tiny.TEMPLATES[name])
    sample = encode_one(checked_template(tokenizer), Conversation(TURNS, "cat and dog"), "the sea", 200)
    before = prefix(TURNS, tokenizer, system_prompt="the sea")
    assert before.ids == sample.conditioned[: sample.first].tolist()
    closing = sample.conditioned[sample.first :].tolist()
    assert set(before.end_ids) & set(closing) or before.end_text


def test_greedy_answers_are_those_of_a_plain_loop() -> None:
    model, tokenizer = tiny.model(), tiny.tokenizer()
    before = prefix(TURNS, tokenizer, system_prompt="the sea")
    ids = list(before.ids)
    with torch.no_grad():
        while len(ids) < len(before.ids) + 12:
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
            if ids[-1] in before.end_ids:
                break
    written = [one for one in ids[len(before.ids) :] if one not in before.end_ids]
    found = answer()
    assert found.tokens == len(written) and found.prompt_tokens == len(before.ids)
    assert found.text == tokenizer.decode(written, skip_special_tokens=True).rstrip("\ufffd")
    assert found.state == "done" and found.seconds > 0 and math.isnan(found.reference_loss)


def test_the_same_seed_draws_the_same() -> None:
    assert (
        answer(Sampling(3, 2, 1)).text == answer(Sampling(3, 2.0, 1)).text
    )  # a page sends whole numbers as such
    drawn = [answer(Sampling(20, 1.5, seed)).text for seed in (3, 3, 4)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert answer(Sampling(20)).text == answer(Sampling(20, 0, seed=9)).text != drawn[0]


def test_what_ends_an_answer() -> None:
    assert answer(Sampling(3)).ended == "limit" and answer(Sampling(3)).tokens == 3
    model, tokenizer = tiny.model(), tiny.tokenizer()
    long = answering.answer(model, tokenizer, TURNS, ASKED, sampling=Sampling(1000, 0))
    assert long.ended in ("positions", "end") and long.prompt_tokens + long.tokens <= 256
    # the likeliest token from now on is one that ends a turn
    end = prefix(TURNS, tokenizer, system_prompt="").end_ids[-1]
    model.lm_head = torch.nn.Linear(32, 400)
    torch.nn.init.zeros_(model.lm_head.weight)
    torch.nn.init.zeros_(model.lm_head.bias)
    model.lm_head.bias.data[end] = 5
    ended = answering.answer(model, tokenizer, TURNS, ASKED, sampling=Sampling(9))
    assert (ended.ended, ended.text, ended.tokens) == ("end", "", 0)
    with pytest.raises(ModelError, match="no token is left"):
        answering.answer(
            model, tokenizer, [Turn(role="user", content="sea " * 300)], ASKED, sampling=Sampling(9)
        )


def test_an_answer_can_be_stopped_and_keeps_its_text() -> None:
    told: list[Answer] = []

    def tell(so_far: Answer) -> None:
        told.append(so_far)
        if so_far.tokens == 4:
            raise Stopped("enough")

    stopped = answer(Sampling(50, 1.0, 1), reference="cat", on_answer=tell)
    assert (stopped.state, stopped.ended, stopped.tokens) == ("stopped", "stopped", 4)
    assert [one.tokens for one in told] == [0, 1, 2, 3, 4] and stopped.text == told[-1].text
    assert math.isnan(stopped.reference_loss)


def test_the_reference_costs_what_scoring_says() -> None:
    found = answer(reference="the cat is cold")
    expected = token_losses(
        tiny.model(),
        tiny.tokenizer(),
        Conversation(list(TURNS), "the cat is cold"),
        system_prompt="the sea",
        max_length=200,
    )
    np.testing.assert_allclose(found.reference_loss, expected.loss_cond, rtol=1e-5)
    assert found.reference_tokens == expected.response_tokens
    assert answer(reference=" ").reference_reason == "empty response"


# ---------------------------------------------------------------- models that are kept


def test_models_are_kept_while_they_fit(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    tiny.model(seed=1).save_pretrained(other)
    tiny.tokenizer().save_pretrained(other)
    needed = keep.needed_bytes(str(folder), "fp32")
    weights = sum(p.numel() for p in tiny.model().parameters())
    assert needed == int(weights * 4 * keep.WEIGHTS_SHARE) + keep.SPARE_BYTES
    loads: list[str] = []
    roomy = answering.Kept(lambda: 2**40)
    for name in (folder, other, folder):
        roomy.get(str(name), "fp32", lambda name=name: loads.append(name.parent.name))
    assert len(roomy) == 2 and len(loads) == 2
    tight = answering.Kept(lambda: needed - 1)
    tight.get(str(folder), "fp32")
    tight.get(str(other), "fp32")
    assert len(tight) == 1
    model, _ = roomy.get(str(other), "fp32")
    (other / "config.json").touch()  # written anew by a run
    assert roomy.get(str(other), "fp32")[0] is not model and len(roomy) == 2


def test_where_memory_ends_the_others_are_let_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = answering.Kept(lambda: 2**40)
    kept.get(str(folder), "fp32")
    load = keep.models.load

    def short(name: str, **options):
        if len(kept):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return load(name, **options)

    monkeypatch.setattr(keep.models, "load", short)
    kept.get(str(folder), "bf16")
    monkeypatch.setattr(keep.models, "load", lambda *a, **o: (_ for _ in ()).throw(MemoryError()))
    with pytest.raises(ModelError, match="does not fit into memory"):
        answering.Kept().get(str(folder), "fp32")


# ---------------------------------------------------------------- the real process


def until(condition: Callable[[], object], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    asking.unload()
    yield tmp_path
    asking.unload()


def ended(home: Path, name: str) -> Question:
    until(lambda: not asking.question(home, name).live)
    return asking.question(home, name)


def test_a_process_answers_is_killed_and_answers_again(folder: Path, home: Path) -> None:
    asked = dataclasses.replace(ASKED, model=str(folder))
    nowhere = dataclasses.replace(ASKED, model=str(home / "nowhere"), label="nowhere")
    first = ended(home, asking.ask(home, [nowhere, asked], TURNS, sampling=Sampling(12)))
    assert [one.state for one in first.answers] == ["failed", "done"] and first.state == "done"
    assert "does not exist" in first.answers[0].error
    assert first.answers[1].text == answer().text
    again = ended(home, asking.ask(home, [asked], TURNS, sampling=Sampling(12)))
    assert again.answers[0].text == first.answers[1].text
    assert asking._process is not None
    process = psutil.Process(asking._process.process.pid)
    long = asking.ask(home, [asked], TURNS, sampling=Sampling(200, 5.0, 1))
    until(lambda: asking.question(home, long).state != "waiting")
    process.kill()
    until(lambda: asking.state().state == "off")
    found = ended(home, long)
    if found.state != "done":  # it was quicker than the signal
        assert "ended by SIGKILL" in found.answers[0].error
    assert ended(home, asking.ask(home, [asked], TURNS, sampling=Sampling(12))).state == "done"
    asking.unload()
    until(lambda: not process.is_running())
