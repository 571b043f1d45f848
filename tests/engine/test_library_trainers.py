"""`IterITCallback` in stock trainers: what they read in each epoch is what a plain re-selection picks, by content."""

from __future__ import annotations

import dataclasses
import json
import logging
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import tiny
import torch
from transformers import (
    DataCollatorForSeq2Seq,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

import iterit
from backend import complexity, diversity, prompts, selection
from backend.config import budget_of, config_from
from backend.errors import ConfigError
from backend.records import Pool, Scores

# TRL's own defaults still go by transformers' former names
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*is deprecated and will be removed in v6:FutureWarning"),
    pytest.mark.filterwarnings("ignore:'pin_memory' argument is set as true but no accelerator:UserWarning"),
]
SETTINGS = {"budget": 0.25, "update_ratio": 2.0, "seed": 3}
SYSTEM = "You are a helpful assistant."
LENGTH = 96
ROOT = Path(__file__).resolve().parents[2]


class Seen(TrainerCallback):
    """What the model read in each epoch while it was trained, as token ids, and its weights before each epoch."""

    def __init__(self, model: LlamaForCausalLM) -> None:
        self.model, self.epochs, self.states = model, [], []
        model.register_forward_pre_hook(self.read, with_kwargs=True)

    def on_epoch_begin(self, *_: Any, **__: Any) -> None:
        self.states.append({name: value.clone() for name, value in self.model.state_dict().items()})
        self.epochs.append([])

    def read(self, model: LlamaForCausalLM, _: Any, given: dict[str, Any]) -> None:
        if model.training and self.epochs:
            for ids, mask in zip(given["input_ids"], given["attention_mask"]):
                self.epochs[-1].append(tuple(ids[mask.bool()].tolist()))


def plain_selections(
    pool: Pool, tokenizer: PreTrainedTokenizerFast, states: list[dict[str, torch.Tensor]], there: np.ndarray
) -> list[np.ndarray]:
    """(k,) rows before each epoch, from the method's definition and the weights as they were then.

    there : (n,) bool, the samples that can be trained on.
    """
    config = config_from(SETTINGS)
    encoded = prompts.encode(pool, tokenizer, system_prompt=SYSTEM, max_length=LENGTH)
    counts = diversity.count_ngrams(pool.responses())
    budget = budget_of(config.budget, int(there.sum()))
    picks: list[np.ndarray] = []
    known = made = order = None
    for state in states:
        model = tiny.model()
        model.load_state_dict(state)
        rows = np.flatnonzero(there)
        if made is not None:
            order = selection.rank_for_next_epoch(made, known, settings=config, previous_order=order)
            rows = np.sort(selection.top_rows(order, update_ratio=config.update_ratio, budget=budget))
        new = complexity.score(model, encoded, rows, batch_tokens=10**6)
        if known is not None:
            one = np.isin(np.arange(len(pool)), rows)
            new = Scores(
                *(
                    np.where(one, getattr(new, name), getattr(known, name))
                    for name in ("loss_cond", "loss_prior", "complexity", "response_tokens", "reason")
                )
            )
        known = new
        made = selection.select_of_pool(
            pool, counts, known, config, budget=len(picks[0]) if picks else budget, rows=rows, held_out=~there
        )
        picks.append(made.rows)
    return picks


def blocks(file: str = "docs/library.md") -> list[str]:
    """The Python of a page, block by block."""
    return re.findall(r"```python\n(.*?)```", (ROOT / file).read_text(), re.DOTALL)


def with_long_prompts(pool: Pool) -> tuple[Pool, list[int]]:
    """The pool with two samples whose prompts fill max_length, and their rows."""
    made = [
        (turns[0]["content"], pool.response(row))
        for row, turns in enumerate(map(pool.turns, range(len(pool))))
    ]
    for at in (5, 20):
        made.insert(at, ("how many days are in a week " * 30 + str(at), "seven"))
    return tiny.pool(made, sources=("books", "web")), [5, 20]


@pytest.fixture
def pool() -> Pool:
    return tiny.random_pool(60)


def ids_of(pool: Pool, tokenizer: PreTrainedTokenizerFast) -> dict[tuple[int, ...], str]:
    """A sample's id by its tokens."""
    encoded = prompts.encode(pool, tokenizer, system_prompt=SYSTEM, max_length=LENGTH)
    return {tuple(encoded.conditioned.tokens(row).tolist()): str(one) for row, one in enumerate(pool.ids)}


def arguments(folder: Path, **changes: Any) -> dict[str, Any]:
    return {
        "output_dir": str(folder),
        "num_train_epochs": 3,
        "per_device_train_batch_size": 4,
        "learning_rate": 5e-3,
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": True,
        "save_strategy": "no",
        "dataloader_pin_memory": False,
        **changes,
    }


def check_epochs(
    seen: Seen, callback: iterit.IterITCallback, pool: Pool, tokenizer: PreTrainedTokenizerFast
) -> None:
    """In each epoch the model read exactly what the plain re-selection picks, and not always the same."""
    there = callback.places >= 0
    picks = plain_selections(pool, tokenizer, seen.states, there)
    names = ids_of(pool, tokenizer)
    read = [[names[tokens] for tokens in epoch] for epoch in seen.epochs]
    assert [sorted(epoch) for epoch in read] == [sorted(pool.ids[rows]) for rows in picks]
    assert len({frozenset(epoch) for epoch in read}) > 1
    assert [list(record.selection.rows) for record in callback.records] == [list(rows) for rows in picks]
    assert list(callback.table()["selected"]) == [len(rows) for rows in picks]


def test_sft_trainer_reads_what_is_selected_whatever_it_drops_and_shuffles(
    tmp_path: Path,
    tokenizer: PreTrainedTokenizerFast,
    pool: Pool,
    model: LlamaForCausalLM,
    caplog: pytest.LogCaptureFixture,
) -> None:
    trl = pytest.importorskip("trl")
    pool, long = with_long_prompts(pool)
    args = trl.SFTConfig(**arguments(tmp_path, max_length=LENGTH, shuffle_dataset=True, bf16=False))
    seen = Seen(model)
    trainer = trl.SFTTrainer(
        model, args, train_dataset=iterit.to_dataset(pool), processing_class=tokenizer, callbacks=[seen]
    )
    callback = iterit.IterITCallback(pool, **SETTINGS).attach(trainer)
    with caplog.at_level(logging.WARNING, "iterit"):
        trainer.train()
    assert len(trainer.train_dataset) == len(pool) - 2 and callback.absent.tolist() == long
    assert (
        "2 of the 62 samples" in caplog.text and pool.ids[5] in caplog.text and "looked at" not in caplog.text
    )
    assert callback.selected(0).scores.reason[5] == "not in the trainer's dataset"
    assert iterit.why(callback.selected(0), 5).headline == "Not selected: not in the trainer's dataset."
    check_epochs(seen, callback, pool, tokenizer)
    assert trainer.state.global_step == 3 * -(-len(callback.selected(0)) // 4)


def tokenise(tokenizer: PreTrainedTokenizerFast) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A row as somebody tokenises it for the stock Trainer: the response alone has labels."""

    def read(row: dict[str, Any]) -> dict[str, Any]:
        said = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": row["instruction"]}]
        head = tokenizer.apply_chat_template(said, add_generation_prompt=True, return_dict=False)
        whole = tokenizer.apply_chat_template(
            [*said, {"role": "assistant", "content": row["output"]}], return_dict=False
        )
        return {"input_ids": whole, "labels": [-100] * len(head) + whole[len(head) :]}

    return read


def rows_of(pool: Pool) -> list[dict[str, Any]]:
    return [
        {"instruction": pool.turns(row)[0]["content"], "output": pool.response(row)}
        for row in range(len(pool))
    ]


def test_stock_trainer_reads_what_is_selected(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, pool: Pool, model: LlamaForCausalLM
) -> None:
    rows = rows_of(pool)
    rows.insert(3, {"instruction": "no answer", "output": None})  # becomes no sample, and shifts those below
    given = datasets.Dataset.from_list(rows)
    seen = Seen(model)
    names = {
        "dataset": given,
        "tokenise": tokenise(tokenizer),
        "Trainer": partial(Trainer, callbacks=[seen]),
        "model": model,
        "args": TrainingArguments(**arguments(tmp_path, gradient_accumulation_steps=2)),
        "collator": DataCollatorForSeq2Seq(tokenizer),
        "tokenizer": tokenizer,
        "iterit": iterit,
    }
    settings = ", ".join(f"{name}={value}" for name, value in {**SETTINGS, "max_length": LENGTH}.items())
    exec(
        blocks()[1].replace("budget=0.05", settings).replace("iterit.IterIT", "callback = iterit.IterIT"),
        names,
    )
    trainer, callback, loaded, data = (names[n] for n in ("trainer", "callback", "pool", "dataset"))
    assert len(loaded) == 60 and len(loaded.rejected) == 1
    trainer.train()
    assert len(callback.absent) == 0
    check_epochs(seen, callback, loaded, tokenizer)
    torch_style = [data[at] for at in range(len(data))]
    again = iterit.IterITCallback(loaded, rows=np.arange(60), **SETTINGS)
    trainer.train_dataset = torch_style
    again.attach(trainer)


def test_scoring_leaves_modes_and_random_states(tokenizer: PreTrainedTokenizerFast, pool: Pool) -> None:
    model = tiny.model()
    model.train()
    model.model.layers[0].eval()
    model.register_forward_pre_hook(lambda *_: torch.rand(1) and None)  # a model that draws as it reads
    before = torch.get_rng_state()
    reselection = iterit.Reselection(pool, tokenizer, **SETTINGS)
    rows = reselection.before_epoch(0, model)
    assert torch.equal(torch.get_rng_state(), before)
    assert model.training and not model.model.layers[0].training and model.model.layers[1].training
    assert list(reselection.before_epoch(0, model)) == list(rows)
    with pytest.raises(ConfigError, match="epoch 2 comes before epoch 1"):
        reselection.before_epoch(2, model)


@pytest.fixture(scope="module")
def stock(
    tmp_path_factory: pytest.TempPathFactory, tokenizer: PreTrainedTokenizerFast
) -> Callable[..., Trainer]:
    def make(data: Any, **changes: Any) -> Trainer:
        args = TrainingArguments(**arguments(tmp_path_factory.mktemp("stock"), **changes))
        return Trainer(tiny.model(), args, train_dataset=data, processing_class=tokenizer)

    return make


def test_what_cannot_be_told_apart_is_refused(
    stock: Callable[..., Trainer], pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = datasets.Dataset.from_list(rows_of(pool))

    def refused(words: str, trainer: Trainer, **given: Any) -> None:
        with pytest.raises(ConfigError, match=words):
            iterit.IterITCallback(pool, **{**SETTINGS, **given}).attach(trainer)

    named = data.add_column("id", pool.ids.tolist())
    attached = iterit.IterITCallback(pool).attach(stock(named))
    with pytest.raises(ConfigError, match="the training goes on at step 3"):
        attached.on_train_begin(attached.trainer.args, TrainerState(global_step=3), TrainerControl())
    packed = stock(named)
    packed.args.packing = True  # as TRL's arguments have it
    refused("packing=True puts several samples into one item", packed)
    alone = stock(named)
    alone.processing_class = None
    refused("Trainer has no tokenizer", alone)
    refused(r"has no column 'id' \(found: columns instruction, output\)", stock(data))
    refused("60 of the 60 items .* are no samples of tiny", stock(data.add_column("id", range(60))))
    refused("stands in the trainer's dataset more than once", stock(named.select([0, 1, 0])))
    refused("whole number for each of the 60 items", stock(data), rows=np.arange(59))
    refused("item 0 is row 60", stock(data), rows=np.full(60, 60))
    refused("train_sampling_strategy is 'sequential'", stock(named, train_sampling_strategy="sequential"))
    refused("with a length is needed", stock(named.to_iterable_dataset(), max_steps=1))
    with pytest.raises(ConfigError, match="setting 'epochs' is unknown here"):
        iterit.IterITCallback(pool, epochs=2)
    lone = iterit.IterITCallback(pool)
    with pytest.raises(ConfigError, match="not attached"):
        lone.on_train_begin(*[None] * 3)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="nothing was selected yet"):
        lone.table()
    many = stock(named)
    monkeypatch.setattr(type(many.args), "world_size", 2)
    refused("2 processes, and iterit selects in one", many)


def test_a_trainer_with_a_loader_of_its_own_is_refused(
    tokenizer: PreTrainedTokenizerFast,
    pool: Pool,
    stock: Callable[..., Trainer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = datasets.Dataset.from_list(rows_of(pool)).add_column("id", pool.ids.tolist())
    trainer = stock(given.map(tokenise(tokenizer)))
    trainer.data_collator = DataCollatorForSeq2Seq(tokenizer)
    iterit.IterITCallback(pool, **SETTINGS).attach(trainer)
    own = torch.utils.data.DataLoader(
        given.map(tokenise(tokenizer)).select_columns(["input_ids", "labels"]),
        collate_fn=trainer.data_collator,
    )
    monkeypatch.setattr(trainer, "get_train_dataloader", lambda: own)
    with pytest.raises(ConfigError, match="makes its data loader in its own way"):
        trainer.train()


def test_a_trainer_that_reads_samples_otherwise_is_noticed(
    tmp_path: Path,
    tokenizer: PreTrainedTokenizerFast,
    pool: Pool,
    model: LlamaForCausalLM,
    caplog: pytest.LogCaptureFixture,
) -> None:
    given = datasets.Dataset.from_list(rows_of(pool)).add_column("id", pool.ids.tolist())
    data = given.map(tokenise(tokenizer))
    args = TrainingArguments(**arguments(tmp_path))
    trainer = Trainer(model, args, train_dataset=data, processing_class=tokenizer)
    with caplog.at_level(logging.WARNING, "iterit"):
        iterit.IterITCallback(pool, system_prompt="", **SETTINGS).attach(trainer)
        trainer.get_train_dataloader()
        assert "60 of 60 samples looked at are other tokens for the trainer than for scoring" in caplog.text
        trainer.train_dataset = data.map(lambda row: {"labels": row["input_ids"]})
        iterit.IterITCallback(pool, **SETTINGS).attach(trainer)
        trainer.get_train_dataloader()
        assert "60 of 60 samples looked at are trained on other tokens than their response" in caplog.text


def test_the_twenty_lines_of_the_docs_run_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a part of the embedded pool, so that it takes seconds; the notebook has the same lines."""
    pytest.importorskip("trl")
    lines = blocks()[0]
    assert len([line for line in lines.splitlines() if line.strip()]) <= 20
    notebook = json.loads((ROOT / "docs" / "library.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert "\n\n".join(cells) == lines.strip()
    whole = iterit.load_pool("demo")
    part = dataclasses.replace(whole, table=whole.table.slice(0, 100))
    monkeypatch.setattr(iterit, "load_pool", lambda name: part)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(lines, names)
    printed = capsys.readouterr().out
    assert re.search(r"epoch +rescored +selected +added +mean_complexity", printed)
    assert [record.epoch for record in names["callback"].records] == [0, 1, 2]
    assert names["trainer"].state.log_history[-1]["train_loss"] < 5  # in float16 it would be hundreds
    assert names["callback"].records[0].rescored.all() and "elected" in printed.splitlines()[-1]
    written = (tmp_path / "last_epoch.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in written] == list(names["callback"].selected().ids)


def test_the_other_lines_of_docs_and_readme_run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tokenizer: PreTrainedTokenizerFast,
    pool: Pool,
    model: LlamaForCausalLM,
    capsys: pytest.CaptureFixture[str],
) -> None:
    names: dict[str, Any] = {"iterit": iterit, "pool": pool, "tokenizer": tokenizer, "model": model}
    exec(blocks()[2].replace("budget=0.05", "budget=0.25"), names)
    assert len(names["reselection"].records) == 3 and len(names["rows"]) == 15
    exec(blocks()[3], names)
    assert re.search(r"row +rank +complexity", capsys.readouterr().out) and len(names["picks"]) == 2
    whole = iterit.load_pool("demo")
    part = dataclasses.replace(whole, table=whole.table.slice(0, 60))
    monkeypatch.setattr(iterit, "load_pool", lambda name: part)
    monkeypatch.chdir(tmp_path)
    (readme,) = blocks("README.md")
    exec(readme, names)
    assert "Selected as pick 1 of 3" in capsys.readouterr().out
    assert len((tmp_path / "picked.jsonl").read_text().splitlines()) == 3
