"""Options of training: checkpointed activations, attention, a limit of steps, tensorboard, and the memory they take."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import tiny
import torch
from safetensors.torch import load_file
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from backend.complexity import score
from backend.config import RunConfig, config_from
from backend.errors import ModelError
from backend.iterate import Record, run
from backend.model import adapters
from backend.model import load as models
from backend.model import shape as model_shape
from backend.preflight import memory
from backend.prompts import encode
from backend.records import EpochRecord, Metrics, Progress

POOL = tiny.random_pool(40)


def config(**changes: object) -> RunConfig:
    values = {
        "budget": 12,
        "epochs": 3,
        "update_ratio": 2,
        "batch_size": 4,
        "device_batch_size": 2,
        "learning_rate": 1e-2,
        "warmup_ratio": 0,
        "max_complexity": 9.0,
        "held_out": "0.1",
        "batch_tokens": 600,
        "system_prompt": "",
        "precision": "fp32",
    }
    return config_from({**values, **changes})


@dataclass
class Recorder:
    records: list[Record] = field(default_factory=list)

    def __call__(self, record: Record) -> None:
        self.records.append(record)

    def lines(self, *, held_out: bool) -> list[Metrics]:
        metrics = [record for record in self.records if isinstance(record, Metrics)]
        return [line for line in metrics if (line.held_out is not None) == held_out]

    def progress(self, stage: str) -> list[Progress]:
        return [record for record in self.records if isinstance(record, Progress) and record.stage == stage]


def went(tokenizer: PreTrainedTokenizerFast, folder: Path, **changes: object) -> Recorder:
    recorder = Recorder()
    run(config(**changes), POOL, tiny.model(), tokenizer, report=recorder, folder=folder)
    return recorder


@pytest.mark.parametrize("rank", [0, 4])
def test_checkpointed_activations_change_nothing(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path, rank: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Losses and weights are the same, and layers are computed a second time."""
    passes: list[int] = []
    inner = torch.nn.functional.scaled_dot_product_attention

    def counted(*args: object, **named: object) -> torch.Tensor:
        passes[-1] += torch.is_grad_enabled()
        return inner(*args, **named)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", counted)
    runs = []
    for again in (False, True):
        passes.append(0)
        folder = tmp_path / str(again)
        runs.append(went(tokenizer, folder, lora_rank=rank, gradient_checkpointing=again, epochs=2))
    plain, checkpointed = ([(m.step, m.loss) for m in one.lines(held_out=False)] for one in runs)
    assert len(plain) == 6
    for (step, loss), (other_step, other) in zip(plain, checkpointed, strict=True):
        assert step == other_step and loss == pytest.approx(other, rel=1e-5)
    name = "adapter_model.safetensors" if rank else "model.safetensors"
    one, other_weights = (load_file(tmp_path / str(again) / "model" / name) for again in (False, True))
    assert all(torch.allclose(one[key], other_weights[key], atol=1e-5) for key in one)
    assert passes[1] == 2 * passes[0] > 0


@pytest.mark.parametrize(("limit", "epochs"), [(1, 1), (3, 1), (5, 2), (9, 3), (20, 3)])
def test_max_steps_ends_the_run(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path, limit: int, epochs: int
) -> None:
    recorder = went(tokenizer, tmp_path, max_steps=limit)
    steps = min(limit, 9)
    lines = recorder.lines(held_out=False)
    assert lines[-1].step == steps and lines[-1].epoch == pytest.approx(steps / 3)
    # the learning rate is laid over these steps: cosine from its peak, without warm-up
    for line in lines:
        expected = 0.5e-2 * (1 + math.cos(math.pi * (line.step - 1) / steps))
        assert line.learning_rate == pytest.approx(expected)
    assert [r.epoch for r in recorder.records if isinstance(r, EpochRecord)] == list(range(epochs))
    # measured untouched and after each epoch, a part of one too
    measured = recorder.lines(held_out=True)
    assert [line.step for line in measured] == [0, *(min(3 * e, steps) for e in range(1, epochs + 1))]
    last = recorder.progress("train")[-1]
    assert (last.done, last.total) == (steps - 3 * (epochs - 1),) * 2
    assert (tmp_path / "model" / "model.safetensors").is_file()


def test_attention_is_chosen(tmp_path: Path) -> None:
    tiny.model().save_pretrained(tmp_path)
    tiny.tokenizer().save_pretrained(tmp_path)
    encoded = encode(POOL, tiny.tokenizer(), system_prompt="", max_length=200)
    found = {}
    for attention in ("auto", "sdpa", "eager"):
        model, _ = models.load_for(config(model=str(tmp_path), attention=attention))
        assert model.config._attn_implementation == ("sdpa" if attention == "auto" else attention)
        found[attention] = score(model, encoded, batch_tokens=600).loss_cond
    assert found["eager"] == pytest.approx(found["auto"], rel=1e-4)


def test_flash_attention_is_refused_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelError, match="needs a CUDA GPU, and this is cpu"):
        models.load(str(tmp_path / "not there"), attention="flash_attention_2", device="cpu")
    monkeypatch.setattr(models, "is_flash_attn_2_available", lambda: False)
    monkeypatch.setattr(models, "arithmetic_of", lambda *given: "bf16")
    with pytest.raises(ModelError, match="needs the package flash-attn, which is not installed"):
        models.load(str(tmp_path / "not there"), attention="flash_attention_2", device="cuda")
    monkeypatch.setattr(models, "is_flash_attn_2_available", lambda: True)
    monkeypatch.setattr(models, "arithmetic_of", lambda *given: "fp32")
    with pytest.raises(ModelError, match="computes in 16 bits, and precision is fp32"):
        models.load(str(tmp_path / "not there"), attention="flash_attention_2", device="cuda")


@pytest.mark.skipif(
    importlib.util.find_spec("tensorboard") is None,
    reason="tensorboard is not installed (pip install tensorboard)",
)
def test_losses_go_to_tensorboard(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    recorder = went(tokenizer, tmp_path, report_to=["tensorboard"])
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    told = {scalar.step: scalar.value for scalar in events.Scalars("train/loss")}
    lines = recorder.lines(held_out=False)
    assert told == pytest.approx({line.step: line.loss for line in lines}, rel=1e-5)
    held_out = {scalar.step: scalar.value for scalar in events.Scalars("train/held_out_loss")}
    assert held_out == pytest.approx(
        {line.step: line.held_out for line in recorder.lines(held_out=True) if line.step}, rel=1e-5
    )


def wide() -> LlamaForCausalLM:
    """A model whose layers weigh more than its odds and ends."""
    model_config = tiny.model().config
    model_config.update(
        {"hidden_size": 128, "intermediate_size": 352, "num_hidden_layers": 4, "head_dim": 32}
    )
    return LlamaForCausalLM(model_config)


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("rank", [0, 8])
def test_the_estimate_of_memory_is_near_what_is_kept(tmp_path: Path, rank: int, checkpointing: bool) -> None:
    """Activations: what autograd keeps between the passes. Trained numbers: exact."""
    model = wide()
    model.save_pretrained(tmp_path)
    shape = model_shape.shape_of(tmp_path)
    assert shape is not None and shape.parameters == model.num_parameters()
    chosen = config(lora_rank=rank, gradient_checkpointing=checkpointing, device_batch_size=2)
    trained = adapters.add(model, chosen) if rank else model
    if checkpointing:
        trained.activation_checkpointing_enable()
    trained.train()
    kept: dict[int, int] = {}
    own = {parameter.untyped_storage().data_ptr() for parameter in trained.parameters()}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    ids = torch.randint(20, 400, (2, 128))
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = trained(input_ids=ids, labels=ids, use_cache=False).loss
    need = memory.needed(shape, chosen, sixteen_bit=False, longest=128)
    assert need.trained == sum(p.numel() for p in trained.parameters() if p.requires_grad)
    assert need.tokens == 256
    measured = sum(kept.values())
    # what is computed again, and the logits' gradient, come later than the hooks count
    head = need.tokens * shape.vocabulary * 4
    later = head + (need.tokens * memory._layer(shape, 4, 4) if checkpointing else 0)
    assert 0.6 < (need.activations - later) / measured < 1.7, (need.activations, measured)
    loss.backward()
