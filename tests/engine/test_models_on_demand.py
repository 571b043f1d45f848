"""Models on demand with tiny models: answers token by token as a plain loop writes them, the engine, the real process."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
import torch

from backend import store
from backend.complexity import token_losses
from backend.errors import ModelError, ModelProcessError, Stopped
from backend.model.readable import losses_from_json, text_from_json
from backend.models_on_demand import client, generate, loaded, question_queue
from backend.models_on_demand.engine import ModelEngine
from backend.models_on_demand.loaded import LoadedModels
from backend.models_on_demand.questions import Answer, AskedModel, Question, Sampling
from backend.models_on_demand.server import Server
from backend.prompts import prefix, show
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
    return generate.answer(tiny.model(), tiny.tokenizer(), TURNS, ASKED, **given)


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
    long = generate.answer(model, tokenizer, TURNS, ASKED, sampling=Sampling(1000, 0))
    assert long.ended in ("positions", "end") and long.prompt_tokens + long.tokens <= 256
    # the likeliest token from now on is one that ends a turn
    end = prefix(TURNS, tokenizer, system_prompt="").end_ids[-1]
    model.lm_head = torch.nn.Linear(32, 400)
    torch.nn.init.zeros_(model.lm_head.weight)
    torch.nn.init.zeros_(model.lm_head.bias)
    model.lm_head.bias.data[end] = 5
    ended = generate.answer(model, tokenizer, TURNS, ASKED, sampling=Sampling(9))
    assert (ended.ended, ended.text, ended.tokens) == ("end", "", 0)
    with pytest.raises(ModelError, match="no token is left"):
        generate.answer(
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
    needed = loaded.needed_bytes(str(folder), "fp32")
    weights = sum(p.numel() for p in tiny.model().parameters())
    assert needed == int(weights * 4 * loaded.WEIGHTS_SHARE) + loaded.SPARE_BYTES
    loads: list[str] = []
    roomy = LoadedModels(lambda: 2**40)
    for name in (folder, other, folder):
        roomy.get(str(name), "fp32", lambda name=name: loads.append(name.parent.name))
    assert len(roomy) == 2 and len(loads) == 2
    tight = LoadedModels(lambda: needed - 1)
    tight.get(str(folder), "fp32")
    tight.get(str(other), "fp32")
    assert len(tight) == 1
    model, _ = roomy.get(str(other), "fp32")
    (other / "config.json").touch()  # written anew by a run
    assert roomy.get(str(other), "fp32")[0] is not model and len(roomy) == 2


def test_where_memory_ends_the_others_are_let_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = LoadedModels(lambda: 2**40)
    kept.get(str(folder), "fp32")
    load = loaded.models.load

    def short(name: str, **options):
        if len(kept):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return load(name, **options)

    monkeypatch.setattr(loaded.models, "load", short)
    kept.get(str(folder), "bf16")
    monkeypatch.setattr(loaded.models, "load", lambda *a, **o: (_ for _ in ()).throw(MemoryError()))
    with pytest.raises(ModelError, match="does not fit into memory"):
        LoadedModels().get(str(folder), "fp32")


# ---------------------------------------------------------------- the engine of the process


def given(folder: Path | str, **changed: Any) -> dict[str, Any]:
    """A request for a text, losses or an answer."""
    asked = dataclasses.replace(ASKED, model=str(folder), **changed)
    return {
        "id": "a",
        "asked": dataclasses.asdict(asked),
        "turns": list(TURNS),
        "response": "the cat is 😀 cold",
        "messages": None,
        "tools": None,
        "sampling": dataclasses.asdict(Sampling(12, 1.5, 3)),
        "reference": None,
    }


def test_the_engine_finds_what_scoring_finds(folder: Path) -> None:
    said: list[dict[str, Any]] = []
    engine = ModelEngine(said.append)
    sample = Conversation(list(TURNS), "the cat is 😀 cold")
    expected = token_losses(tiny.model(), tiny.tokenizer(), sample, system_prompt="the sea", max_length=200)
    text = text_from_json(engine.show(given(folder)))
    assert text == show(sample, tiny.tokenizer(), system_prompt="the sea", max_length=200)
    assert [one["state"] for one in said] == ["idle"]  # without a model
    assert engine.show(given(folder, max_length=100_000))["max_length"] == 256  # the model's positions
    found = losses_from_json(engine.losses(given(folder)))
    assert (found.pieces, found.closing) == (expected.pieces, expected.closing) and "😀" in found.pieces
    assert "".join(found.pieces) == text.text[text.start : text.cut]
    np.testing.assert_allclose(found.conditioned, expected.conditioned, rtol=1e-5)
    np.testing.assert_allclose(found.alone, expected.alone, rtol=1e-5)
    assert engine.losses({**given(folder), "response": " "})["reason"] == "empty response"
    assert [(one["state"], one["model"]) for one in said[1:]] == [("loading", "tiny"), ("idle", "tiny")]
    assert engine.answer(given(folder), lambda answer: None).state == "done"
    assert [one["state"] for one in said[3:]] == ["answering", "idle"] and len(engine.models) == 1


def test_losses_between_two_tokens_change_no_answer(folder: Path, tmp_path: Path) -> None:
    """Also those of a model that is loaded for them, or cannot be."""
    other = tmp_path / "other"
    tiny.model(seed=1).save_pretrained(other)
    tiny.tokenizer().save_pretrained(other)
    said: list[dict[str, Any]] = []
    server = Server(said.append)
    engine = ModelEngine(lambda said: None)
    engine.models.free = lambda: 2**40
    undisturbed = engine.answer(given(folder), lambda answer: None)
    alone = engine.losses(given(folder))
    ask, number = given(folder), itertools.count()

    def between(answer: Answer) -> None:
        for model in (folder, other, tmp_path):
            server.take(json.dumps({**given(model), "id": f"loss {next(number)}", "do": "losses"}))
        server._find_losses(engine)

    disturbed = engine.answer(ask, between)
    assert disturbed.text == undisturbed.text and disturbed.tokens == undisturbed.tokens > 3
    assert len(said) == next(number) > 9 and len(engine.models) == 2 and not server.open
    assert all(one["found"] == alone for one in said[::3])
    assert said[1]["found"] == said[4]["found"] != alone
    assert all("config.json is missing" in one["error"] for one in said[2::3])


def test_what_fails_is_told_in_a_line(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that cannot be loaded stop nobody from reading texts, and full memory unloads the models."""
    broken = tmp_path / "broken"
    tiny.model().save_pretrained(broken)
    tiny.tokenizer().save_pretrained(broken)
    (broken / "model.safetensors").write_bytes(b"not weights")
    engine = ModelEngine(lambda said: None)
    for _ in range(2):
        with pytest.raises(ModelError, match="cannot be read as safetensors"):
            engine.losses(given(broken))
    assert engine.show(given(broken))["text"]
    told: list[Answer] = []
    failed = engine.answer(given(broken), told.append)
    assert (failed.state, [one.state for one in told]) == ("failed", ["loading"])
    assert "cannot be read as safetensors" in failed.error
    with pytest.raises(ModelError, match=r"config.json is missing"):
        engine.show(given(tmp_path))
    engine.losses(given(folder))
    with pytest.raises(ModelError, match=r"^TypeError: "):
        engine.losses({**given(folder), "turns": [5]})
    monkeypatch.setattr(generate, "answer", lambda *a, **o: (_ for _ in ()).throw(MemoryError("no room")))
    engine.losses(given(folder))
    full = engine.answer(given(folder), told.append)
    assert full.state == "failed" and full.error.startswith("out of memory; the models were unloaded")
    assert "no room" in full.error and len(engine.models) == 0


# ---------------------------------------------------------------- the real process


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A runs folder with a pool; the process that was started is ended."""
    home = tmp_path_factory.mktemp("runs")
    pool = tiny.pool([(f"list {i} animals", "the cat 😀") for i in range(3)])
    for name, values in {"file": [""] * 3, "row": [0, 1, 2]}.items():
        pool = type(pool)(pool.id, pool.name, pool.table.append_column(name, [values]))
    store.save_pool(home, pool)
    client.unload()
    yield home
    client.unload()


def until(condition: Callable[[], object], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def ended(home: Path, name: str) -> Question:
    until(lambda: not question_queue.current(home, name).live)
    return question_queue.current(home, name)


def test_one_process_with_one_model_shows_reads_and_answers(folder: Path, home: Path) -> None:
    asked = dataclasses.replace(ASKED, model=str(folder))
    nowhere = dataclasses.replace(ASKED, model=str(home / "nowhere"), label="nowhere")
    pool = store.list_pools(home)[0].id
    text, losses = client.show(home, pool, 0, asked), client.losses(home, pool, 0, asked)
    assert "".join(losses.pieces) == text.text[text.start : text.cut]
    assert client.state().state == "idle" and client.state().model == "tiny"
    first = ended(home, question_queue.ask(home, [nowhere, asked], TURNS, sampling=Sampling(12)))
    assert [one.state for one in first.answers] == ["failed", "done"] and first.state == "done"
    assert "does not exist" in first.answers[0].error and first.answers[1].text == answer().text
    with pytest.raises(ModelProcessError, match="does not exist"):
        client.show(home, pool, 1, nowhere)
    process = client._process
    assert process is not None
    process.process.send_signal(signal.SIGINT)  # ctrl-C is the app's to answer
    long = question_queue.ask(home, [asked], TURNS, sampling=Sampling(200, 5.0, 1))
    until(lambda: question_queue.current(home, long).state != "waiting")
    assert client.losses(home, pool, 1, asked).response_tokens == losses.response_tokens
    assert ended(home, long).state == "done" and client._process is process and not process.ended
    process.process.kill()
    until(lambda: client.state().state == "off")
    assert "ended by SIGKILL" in client.state().note
