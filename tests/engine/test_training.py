"""Training on selections that change between epochs: order, steps, labels, stopping, resuming."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Trainer,
)

from backend.config import RunConfig, config_from
from backend.distributed.process_group import ProcessGroup
from backend.errors import Stopped
from backend.prompts import Encoded, encode
from backend.records import Metrics, Progress
from backend.training import SelectionSampler, last_checkpoint, save_model, steps_per_epoch, train
from backend.training.checkpoints import UNFINISHED
from backend.training.dataset import IGNORED, ResponseDataset, collate
from backend.training.trainer import SelectionTrainer

SELECTIONS = [np.array([1, 5, 7, 2, 9, 11, 12]), np.array([5, 3, 4]), np.array([0, 2, 4, 6, 8, 10, 13])]


def config(**changes: object) -> RunConfig:
    return config_from(
        {"learning_rate": 1e-2, "batch_size": 4, "device_batch_size": 2, "warmup_ratio": 0.2, **changes}
    )


@pytest.fixture(scope="module")
def encoded() -> Encoded:
    return encode(tiny.random_pool(14), tiny.tokenizer(), system_prompt="", max_length=200)


@dataclass
class Recorder:
    """Takes every record; stops at a step where asked to."""

    stop_at: int = -1
    records: list[Progress | Metrics] = field(default_factory=list)
    calls: list[tuple[object, ...]] = field(default_factory=list)

    def __call__(self, record: Progress | Metrics) -> None:
        self.records.append(record)
        if isinstance(record, Metrics) and record.step == self.stop_at:
            raise Stopped("asked to")

    def choose(self, epoch: int) -> np.ndarray:
        self.calls.append(("choose", epoch))
        return SELECTIONS[epoch]

    def measure(self, epochs: float, step: int, progress: Callable[[Progress], None]) -> None:
        self.calls.append(("after", epochs, step))

    @property
    def metrics(self) -> list[tuple[int, float, float | None, float | None, float | None, int | None]]:
        lines = [line for line in self.records if isinstance(line, Metrics)]
        return [(m.step, m.epoch, m.loss, m.learning_rate, m.grad_norm, m.tokens) for m in lines]


def trained(
    model: LlamaForCausalLM,
    encoded: Encoded,
    recorder: Recorder,
    folder: Path,
    *,
    resume: bool = False,
    **changes: object,
) -> Trainer:
    return train(
        model,
        encoded,
        config(**changes),
        length=7,
        choose=recorder.choose,
        measure=recorder.measure,
        report=recorder,
        folder=folder,
        checkpoint=last_checkpoint(folder) if resume else None,
    )


def test_sampler_shuffles_and_fills() -> None:
    sampler = SelectionSampler(7, seed=3)
    orders = {}
    for epoch, rows in enumerate(SELECTIONS):
        sampler.choose(epoch, rows)
        orders[epoch] = list(sampler)
        assert list(sampler) == orders[epoch]
        assert len(orders[epoch]) == len(sampler) == 7
    assert sorted(orders[0]) == sorted(SELECTIONS[0]) and orders[0] != SELECTIONS[0].tolist()
    # a smaller selection is gone through again, each time in another order
    assert sorted(orders[1][:3]) == sorted(orders[1][3:6]) == [3, 4, 5] and orders[1][6] in (3, 4, 5)
    other = SelectionSampler(7, seed=4)
    other.choose(0, SELECTIONS[0])
    assert list(other) != orders[0]
    sampler.choose(1, SELECTIONS[0])
    assert list(sampler) != orders[0]
    for rows in (np.zeros(0, dtype=np.int64), np.arange(8)):
        with pytest.raises(ValueError, match="an epoch of 7 samples cannot read a selection of"):
            sampler.choose(0, rows)


def test_labels_are_the_response_and_its_closing(
    encoded: Encoded, tokenizer: PreTrainedTokenizerFast
) -> None:
    dataset = ResponseDataset(encoded)
    batch = collate([dataset[0], dataset[1], dataset[2]], pad_id=0)
    pool = tiny.random_pool(14)
    for at in range(3):
        labels = batch["labels"][at]
        kept = labels != IGNORED
        assert tokenizer.decode(labels[kept]) == pool.response(at) + "<|im_end|>\n"
        assert torch.equal(batch["input_ids"][at][kept], labels[kept])
        assert int(batch["attention_mask"][at].sum()) == len(encoded.conditioned.tokens(at))
        assert not kept[batch["attention_mask"][at] == 0].any()


def test_reads_each_epochs_selection(encoded: Encoded, model: LlamaForCausalLM, tmp_path: Path) -> None:
    """The rows that reach the model are those chosen before that very epoch, in the sampler's order."""
    read: list[list[int]] = []
    inner = model.forward

    def watched(**inputs: object) -> object:
        ids, mask = inputs["input_ids"], inputs["attention_mask"]
        for tokens, kept in zip(ids, mask):  # type: ignore[call-overload]
            wanted = tokens[kept == 1].tolist()
            read[-1].append(next(r for r in range(14) if encoded.conditioned.tokens(r).tolist() == wanted))
        return inner(**inputs)

    recorder = Recorder()
    choose = recorder.choose

    def choose_and_watch(epoch: int) -> np.ndarray:
        read.append([])
        return choose(epoch)

    recorder.choose = choose_and_watch  # type: ignore[method-assign]
    model.forward = watched  # type: ignore[method-assign, assignment]
    trained(model, encoded, recorder, tmp_path)
    expected = []
    for epoch, rows in enumerate(SELECTIONS):
        sampler = SelectionSampler(7, seed=0)
        sampler.choose(epoch, rows)
        expected.append(list(sampler))
    assert read == expected
    assert recorder.calls == [
        ("choose", 0), ("after", 1, 2), ("choose", 1), ("after", 2, 4), ("choose", 2), ("after", 3, 6),
    ]  # fmt: skip


def test_one_schedule_over_all_epochs(encoded: Encoded, model: LlamaForCausalLM, tmp_path: Path) -> None:
    recorder = Recorder()
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    assert steps_per_epoch(7, config()) == 2
    trained(model, encoded, recorder, tmp_path)
    steps, epochs, losses, rates, norms, tokens = zip(*recorder.metrics)
    assert steps == (1, 2, 3, 4, 5, 6)
    assert epochs == pytest.approx((0.5, 1.0, 1.5, 2.0, 2.5, 3.0))
    # 0.2 of 6 steps warm up (2), then half a cosine down to 0
    assert rates == pytest.approx([0, 0.005, 0.01, *(0.005 * (1 + np.cos(np.pi * k / 4)) for k in (1, 2, 3))])
    assert all(np.isfinite(losses)) and all(norm > 0 for norm in norms)
    assert losses[4] < losses[0]
    assert tokens[-1] > tokens[0] > 0
    assert not any(torch.equal(before[name], weight) for name, weight in model.named_parameters())
    progress = [record for record in recorder.records if isinstance(record, Progress)]
    assert [(p.stage, p.epoch, p.done, p.total, p.unit) for p in progress][:5] == [
        ("train", 0, 0, 2, "steps"),
        ("train", 0, 0, 2, "steps"),  # after the first of two forward passes of a step
        ("train", 0, 1, 2, "steps"),
        ("train", 0, 1, 2, "steps"),
        ("train", 0, 2, 2, "steps"),
    ]
    assert progress[5].epoch == 1 and progress[5].tokens == 0
    assert model.config.use_cache


@pytest.mark.parametrize(
    ("schedule", "last"), [("linear", 0.25), ("constant", 1.0), ("cosine", 0.5 * (1 + np.cos(np.pi * 3 / 4)))]
)
def test_schedules(
    encoded: Encoded, model: LlamaForCausalLM, tmp_path: Path, schedule: str, last: float
) -> None:
    recorder = Recorder()
    trained(model, encoded, recorder, tmp_path, schedule=schedule, save_checkpoints=False)
    assert recorder.metrics[-1][3] == pytest.approx(last * 1e-2)
    assert not list(tmp_path.glob("checkpoint-*"))


def test_accumulation_does_not_change_the_step(encoded: Encoded, tmp_path: Path) -> None:
    """Loss and gradient are means over the tokens of an optimizer step, however it is cut into passes."""
    lines = []
    for size in (1, 4, 32):
        recorder = Recorder()
        trained(tiny.model(), encoded, recorder, tmp_path, device_batch_size=size, save_checkpoints=False)
        lines.append([(loss, norm) for _, _, loss, _, norm, _ in recorder.metrics])
    np.testing.assert_allclose(lines[0], lines[1], rtol=1e-4)
    np.testing.assert_allclose(lines[1], lines[2], rtol=1e-6)


@pytest.mark.parametrize("stop_at", [1, 2, 3, 4, 5, 6])
def test_stopped_after_its_step_and_resumed_is_the_uninterrupted_run(
    encoded: Encoded, tmp_path: Path, stop_at: int
) -> None:
    whole = Recorder()
    model = tiny.model()
    trained(model, encoded, whole, tmp_path / "whole")
    first = Recorder(stop_at=stop_at)
    with pytest.raises(Stopped):
        trained(tiny.model(), encoded, first, tmp_path / "halves")
    found = last_checkpoint(tmp_path / "halves")
    # a log line comes after it was agreed whether to stop at this step: the next agreement is at an epoch's end or a step
    last = stop_at if stop_at % 2 == 0 else stop_at + 1
    assert found is not None and found.step == last
    second, again = Recorder(), tiny.model(seed=1)
    trained(again, encoded, second, tmp_path / "halves", resume=True)
    assert second.metrics == whole.metrics[last:]
    if last < 6:
        assert ("choose", last // 2) in second.calls
    if last % 2 == 0:  # the stop came before the epoch's end was measured
        assert second.calls[0] == ("after", last / 2, last)
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name]), name


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda path: (path / "complete.json").unlink(), id="no mark"),
        pytest.param(lambda path: (path / "complete.json").write_text("{"), id="half a mark"),
        pytest.param(lambda path: (path / "optimizer.pt").unlink(), id="a file is gone"),
        pytest.param(lambda path: (path / "model.safetensors").write_bytes(b""), id="a file is empty"),
    ],
)
def test_what_is_not_whole_is_passed_over(
    harm: Callable[[Path], None], encoded: Encoded, tmp_path: Path
) -> None:
    trained(tiny.model(), encoded, Recorder(), tmp_path)
    # only the last is kept
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-6"]
    shutil.copytree(tmp_path / "checkpoint-6", tmp_path / "checkpoint-4")
    mark = tmp_path / "checkpoint-4" / "complete.json"
    mark.write_text(mark.read_text().replace('"step": 6', '"step": 4'))
    (tmp_path / "checkpoint-x").mkdir()
    found = last_checkpoint(tmp_path)
    assert found is not None and found.step == 6
    harm(tmp_path / "checkpoint-6")
    found = last_checkpoint(tmp_path)
    assert found is not None and found.step == 4
    assert last_checkpoint(tmp_path / "nothing here") is None


def test_a_checkpoint_is_there_before_another_goes(encoded: Encoded, tmp_path: Path) -> None:
    """Whatever the moment at which one looks, there is a whole one."""
    seen: list[int] = []

    class Looking(Recorder):
        def __call__(self, record: Progress | Metrics) -> None:
            found = last_checkpoint(tmp_path)
            seen.append(found.step if found else 0)
            super().__call__(record)

    trained(tiny.model(), encoded, Looking(), tmp_path, checkpoint_every=1)
    assert seen == sorted(seen) and set(seen) == {0, 1, 2, 3, 4, 5}
    # a checkpoint of the last step comes after the last word
    found = last_checkpoint(tmp_path)
    assert found is not None and found.step == 6
    # what a kill left half written is in the way of nobody
    damaged = tmp_path / "checkpoint-6"
    (damaged / "optimizer.pt").unlink()
    (tmp_path / "unfinished" / "checkpoint-6").mkdir(parents=True)
    (tmp_path / "unfinished" / "checkpoint-6" / "left over").write_text("")
    trained(tiny.model(), encoded, Recorder(), tmp_path)
    found = last_checkpoint(tmp_path)
    assert found is not None and found.step == 6 and not (found.path / "left over").exists()


@pytest.mark.parametrize("every", [2, 3])
def test_sums_between_two_log_lines_survive(
    encoded: Encoded, tmp_path: Path, every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log line averages over its steps, whether or not a checkpoint lies between them; so with dropout's draws."""
    monkeypatch.setattr(sys.modules[train.__module__], "LOG_LINES", 6 // every)

    def made() -> LlamaForCausalLM:
        model = tiny.model()
        model.config.attention_dropout = 0.3
        return model

    whole = Recorder()
    model = made()
    trained(model, encoded, whole, tmp_path / "whole", device_batch_size=1)
    for step in range(1, 6):
        folder = tmp_path / str(step)
        first = Recorder()

        def stop(record: Progress | Metrics, first: Recorder = first, step: int = step) -> None:
            first(record)
            if isinstance(record, Progress) and record.epoch * 2 + record.done == step:
                raise Stopped("asked to")

        first_report = Recorder()
        with pytest.raises(Stopped):
            train(
                made(), encoded, config(device_batch_size=1), length=7, choose=first.choose,
                measure=first.measure, report=stop, folder=folder,
            )  # fmt: skip
        found = last_checkpoint(folder)
        assert found is not None and found.step == step
        again = made()
        trained(again, encoded, first_report, folder, resume=True, device_batch_size=1)
        assert first.metrics + first_report.metrics == whole.metrics
        for name, weight in model.state_dict().items():
            assert torch.equal(weight, again.state_dict()[name]), (step, name)


def test_saved_model_is_a_model_like_any_other(
    encoded: Encoded, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    trainer = trained(model, encoded, Recorder(), tmp_path / "checkpoints")
    for _ in range(2):  # an older one is replaced
        save_model(trainer, tokenizer, tmp_path / "model")
    files = {path.name for path in (tmp_path / "model").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"} <= files
    assert not any(name.endswith((".bin", ".pt", ".pth")) for name in files)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("model")] == ["model"]
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values()))
    assert AutoTokenizer.from_pretrained(tmp_path / "model").chat_template == tokenizer.chat_template
    assert json.loads((tmp_path / "model" / "config.json").read_text())["use_cache"] is True


def test_bf16_keeps_float32_weights(encoded: Encoded, model: LlamaForCausalLM, tmp_path: Path) -> None:
    recorder = Recorder()
    trained(model, encoded, recorder, tmp_path, precision="bf16", save_checkpoints=False)
    assert model.dtype == torch.float32
    exact: list[float] = [loss for _, _, loss, *_ in recorder.metrics if loss is not None]
    assert all(np.isfinite(exact))


def test_nothing_is_printed(
    encoded: Encoded, model: LlamaForCausalLM, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(model, encoded, Recorder(), tmp_path)
    printed = capsys.readouterr()
    assert printed.out == "" and "it/s" not in printed.err


def test_the_folder_is_removed_when_every_process_has_left_the_trainer(
    encoded: Encoded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Trainer lists the checkpoints of that folder as it ends; where another process had removed it, that was an error."""
    did: list[str] = []
    unfinished = tmp_path / UNFINISHED

    class Watched(ProcessGroup):
        def wait(self) -> None:
            did.append("waited")

        def from_rank0(self, make: Callable[[], Any]) -> Any:
            before = unfinished.exists()
            made = make()
            if before and not unfinished.exists():
                did.append("removed")
            return made

    inner = SelectionTrainer.train

    def watched(self: SelectionTrainer, **options: Any) -> Any:
        ended = inner(self, **options)
        did.append("trained")
        return ended

    monkeypatch.setattr(SelectionTrainer, "train", watched)
    recorder = Recorder()
    train(
        tiny.model(), encoded, config(epochs=1), length=7, choose=recorder.choose, measure=recorder.measure,
        report=recorder, folder=tmp_path, group=Watched(),
    )  # fmt: skip
    assert did == ["trained", "waited", "removed"]
