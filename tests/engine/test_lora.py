"""LoRA: what is trained, how it scores, what is saved, how it is loaded and resumed."""

from __future__ import annotations

import copy
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM, PreTrainedTokenizerFast

from backend import complexity
from backend.config import RunConfig, config_from
from backend.errors import ModelError, Stopped
from backend.iterate import Record, run
from backend.model import adapters, model_files
from backend.model import load as models
from backend.prompts import Encoded, encode
from backend.records import EpochRecord, Metrics, Scores
from backend.training import last_checkpoint

N = 40
POOL = tiny.random_pool(N)
LAYERS = ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"]


def config(**changes: object) -> RunConfig:
    values = {
        "budget": 8,
        "epochs": 2,
        "update_ratio": 2,
        "batch_size": 4,
        "device_batch_size": 4,
        "learning_rate": 3e-2,
        "max_complexity": 3.0,
        "held_out": "0.1",
        "batch_tokens": 600,
        "system_prompt": "",
        "lora_rank": 4,
        "precision": "fp32",
    }
    return config_from({**values, **changes})


@dataclass
class Recorder:
    """Takes every record, and stops once it has seen so many epochs' selections."""

    stop_at: int = 99
    records: list[Record] = field(default_factory=list)

    def __call__(self, record: Record) -> None:
        if isinstance(record, EpochRecord) and record.epoch == self.stop_at:
            raise Stopped("asked to")
        self.records.append(record)

    @property
    def epochs(self) -> list[EpochRecord]:
        return [record for record in self.records if isinstance(record, EpochRecord)]

    @property
    def metrics(self) -> dict[tuple[int, bool], tuple[float | None, float | None]]:
        lines = [record for record in self.records if isinstance(record, Metrics)]
        return {(m.step, m.held_out is not None): (m.loss, m.held_out) for m in lines}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an untouched model."""
    folder = tmp_path_factory.mktemp("base")
    tiny.model().save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def finished(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Recorder, LlamaForCausalLM]:
    """The folder, the records and the model of a run with adapters, left as the run left it."""
    folder, recorder = tmp_path_factory.mktemp("run"), Recorder()
    model = go(base, folder, recorder, save_merged=True)
    return folder, recorder, model


def go(
    base: Path,
    folder: Path,
    recorder: Recorder,
    *,
    resume: bool = False,
    done: list[EpochRecord] | None = None,
    **changes: object,
) -> LlamaForCausalLM:
    chosen = config(model=str(base), **changes)
    model, tokenizer = models.load_for(chosen)
    run(chosen, POOL, model, tokenizer, report=recorder, folder=folder, resume=resume, done=done or ())
    assert isinstance(model, LlamaForCausalLM)
    return model


@pytest.fixture(scope="module")
def encoded() -> Encoded:
    return encode(POOL, tiny.tokenizer(), system_prompt="", max_length=200)


def scores(model: object, encoded: Encoded) -> Scores:
    return complexity.score(model, encoded, batch_tokens=600)  # type: ignore[arg-type]


def shaken(model: LlamaForCausalLM, **changes: object) -> PeftModel:
    """Adapters on the model that are as if they had been trained: at first their second half is zero."""
    adapted = adapters.add(model, config(**changes))
    torch.manual_seed(1)
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return adapted


def test_new_adapters_change_nothing_and_only_they_are_trained(encoded: Encoded) -> None:
    model = tiny.model()
    before = scores(model, encoded)
    adapted = adapters.add(model, config())
    after = scores(model, encoded)
    np.testing.assert_array_equal(after.complexity, before.complexity)
    trained = {name for name, parameter in adapted.named_parameters() if parameter.requires_grad}
    assert trained and all("lora_" in name for name in trained)
    assert sorted({name.split(".")[-4] for name in trained}) == LAYERS
    scaling = {
        part.scaling["default"]
        for part in model.modules()
        if hasattr(part, "scaling") and hasattr(part, "lora_A")
    }
    assert scaling == {2.0}  # alpha is twice the rank where none is given


def test_settings_of_adapters_are_honoured() -> None:
    adapted = adapters.add(
        tiny.model(), config(lora_rank=2, lora_alpha=3, lora_dropout=0.25, lora_targets=["q_proj", "v_proj"])
    )
    about = adapted.peft_config["default"]
    assert (about.r, about.lora_alpha, about.lora_dropout) == (2, 3, 0.25)
    trained = [name for name, parameter in adapted.named_parameters() if parameter.requires_grad]
    assert {name.split(".")[-4] for name in trained} == {"q_proj", "v_proj"}
    with pytest.raises(
        ModelError, match=r"lora_targets names 'query', .* \(there are: down_proj, gate_proj.*v_proj"
    ):
        adapters.add(tiny.model(), config(lora_targets=["q_proj", "query"]))


def test_adapters_are_drawn_from_the_seed_alone() -> None:
    def drawn(seed: int) -> torch.Tensor:
        adapted = adapters.add(tiny.model(), config(seed=seed))
        return next(parameter for name, parameter in adapted.named_parameters() if "lora_A" in name).detach()

    torch.manual_seed(3)
    first = drawn(0)
    state = torch.random.get_rng_state()
    assert torch.equal(drawn(0), first) and not torch.equal(drawn(1), first)
    assert torch.equal(torch.random.get_rng_state(), state)  # nobody else's draws are moved


@pytest.mark.parametrize("tied", [False, True])
def test_an_adapted_model_scores_as_the_merged_one(encoded: Encoded, tied: bool) -> None:
    """With and without the shortcuts: the model that has adapters in its layers, and peft's wrapper around it."""
    model = tiny.model(tie_word_embeddings=tied)
    untouched = scores(model, encoded)
    adapted = shaken(model)
    apart, wrapped = scores(model, encoded), scores(adapted, encoded)
    together = scores(adapters.merged(copy.deepcopy(adapted)), encoded)
    for found in (apart, wrapped):
        np.testing.assert_allclose(found.complexity, together.complexity, rtol=1e-5)
        np.testing.assert_allclose(found.loss_cond, together.loss_cond, rtol=1e-5)
    assert np.abs(apart.complexity - untouched.complexity).max() > 1e-2


def test_a_run_trains_and_saves_adapters(
    base: Path, finished: tuple[Path, Recorder, LlamaForCausalLM], encoded: Encoded
) -> None:
    folder, recorder, left = finished
    assert {path.name for path in folder.iterdir()} == {"checkpoints", "model", "merged"}
    losses = [loss for (_, held_out), (loss, _) in recorder.metrics.items() if not held_out]
    assert len(losses) == 4 and losses[-1] is not None and losses[0] is not None and losses[-1] < losses[0]
    weights = load_file(folder / "model" / model_files.ADAPTER_WEIGHTS)
    assert all("lora_" in name and tensor.dtype == torch.float32 for name, tensor in weights.items())
    assert {path.name for path in (folder / "model").iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
        "chat_template.jinja",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    # the weights below are what they were
    untouched = load_file(base / "model.safetensors")
    apart, tokenizer = models.load(str(folder / "model"), device="cpu")
    kept = {
        name.replace(".base_layer", ""): tensor
        for name, tensor in apart.state_dict().items()
        if "lora_" not in name
    }
    assert kept.keys() == {*untouched, *(["lm_head.weight"] if "lm_head.weight" in kept else [])}
    assert all(torch.equal(kept[name], tensor) for name, tensor in untouched.items())
    assert tokenizer.chat_template == tiny.CHATML and not apart.training
    # the same complexity from the folder of adapters, from the merged folder, and as transformers alone reads it
    by_hand = AutoModelForCausalLM.from_pretrained(folder / "merged").eval()
    assert isinstance(by_hand, LlamaForCausalLM)
    assert AutoTokenizer.from_pretrained(folder / "merged").chat_template == tiny.CHATML
    of_run = scores(left, encoded)
    for model in (apart, by_hand, models.load(str(folder / "merged"), device="cpu")[0]):
        np.testing.assert_allclose(scores(model, encoded).complexity, of_run.complexity, rtol=1e-5)
    assert np.nanmax(np.abs(of_run.complexity - recorder.epochs[0].scores.complexity)) > 1e-2


def test_a_later_epoch_is_scored_with_the_adapters_as_they_are_then(
    base: Path, finished: tuple[Path, Recorder, LlamaForCausalLM], encoded: Encoded, tmp_path: Path
) -> None:
    recorder = Recorder(stop_at=1)
    with pytest.raises(Stopped):
        go(base, tmp_path, recorder)
    checkpoint = last_checkpoint(tmp_path / "checkpoints")
    assert checkpoint is not None and checkpoint.step == 2
    tiny.tokenizer().save_pretrained(checkpoint.path)
    then, _ = models.load(str(checkpoint.path), device="cpu")
    second = finished[1].epochs[1]
    rows = np.flatnonzero(second.rescored)
    expected = complexity.score(then, encoded, rows, batch_tokens=600)
    np.testing.assert_allclose(second.scores.complexity[rows], expected.complexity[rows], rtol=1e-5)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_resumed_is_the_uninterrupted_run(base: Path, tmp_path: Path, dropout: float) -> None:
    whole, first, second = Recorder(), Recorder(stop_at=1), Recorder()
    go(base, tmp_path / "whole", whole, lora_dropout=dropout)
    with pytest.raises(Stopped):
        go(base, tmp_path / "parts", first, lora_dropout=dropout)
    go(base, tmp_path / "parts", second, lora_dropout=dropout, resume=True, done=first.epochs)
    for name in ("rows", "gain"):
        np.testing.assert_array_equal(
            getattr(second.epochs[0].selection, name), getattr(whole.epochs[1].selection, name)
        )
    for key, values in second.metrics.items():
        assert values == whole.metrics[key]
    one, other = (
        load_file(tmp_path / name / "model" / model_files.ADAPTER_WEIGHTS) for name in ("whole", "parts")
    )
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_adapters_on_the_model_of_a_run_with_adapters(
    finished: tuple[Path, Recorder, LlamaForCausalLM], encoded: Encoded, tmp_path: Path
) -> None:
    """The second run's base is the first run's model, adapters included."""
    folder = finished[0] / "model"
    recorder = Recorder()
    left = go(folder, tmp_path, recorder, epochs=1)
    np.testing.assert_allclose(
        recorder.epochs[0].scores.complexity,
        np.where(
            np.isnan(recorder.epochs[0].scores.complexity),
            np.nan,
            scores(models.load(str(folder), device="cpu")[0], encoded).complexity,
        ),
        rtol=1e-5,
    )
    assert model_files.adapter_base(tmp_path / "model") == str(folder)
    again, _ = models.load(str(tmp_path / "model"), device="cpu")
    np.testing.assert_allclose(scores(again, encoded).complexity, scores(left, encoded).complexity, rtol=1e-5)


def test_all_weights_of_a_model_with_adapters_can_be_trained(
    finished: tuple[Path, Recorder, LlamaForCausalLM], tmp_path: Path
) -> None:
    folder = finished[0] / "model"
    go(folder, tmp_path, Recorder(), epochs=1, lora_rank=0, learning_rate=1e-3)
    assert (tmp_path / "model" / "config.json").is_file() and not model_files.is_adapter(tmp_path / "model")
    merged = load_file(finished[0] / "merged" / "model.safetensors")
    trained = load_file(tmp_path / "model" / "model.safetensors")
    assert merged.keys() == trained.keys()
    assert all(not torch.equal(merged[name], trained[name]) for name in merged if "proj" in name)


def test_sixteen_bit_weights_carry_float32_adapters(base: Path, encoded: Encoded, tmp_path: Path) -> None:
    recorder = Recorder()
    model = go(base, tmp_path, recorder, precision="bf16", epochs=1, save_merged=False)
    kinds = {
        name.rpartition(".")[0].rpartition(".")[2] == "default" or "lora_" in name: p.dtype
        for name, p in model.named_parameters()
    }
    assert kinds == {True: torch.float32, False: torch.bfloat16}
    again, _ = models.load(str(tmp_path / "model"), device="cpu", precision="bf16")
    assert {p.dtype for n, p in again.named_parameters() if "lora_" in n} == {torch.float32}
    np.testing.assert_array_equal(scores(again, encoded).complexity, scores(model, encoded).complexity)


def test_what_cannot_be_loaded_says_so(
    base: Path, finished: tuple[Path, Recorder, LlamaForCausalLM], tmp_path: Path
) -> None:
    folder = tmp_path / "model"

    def changed(**values: object) -> str:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(finished[0] / "model", folder)
        about = json.loads((folder / model_files.ADAPTER).read_text())
        (folder / model_files.ADAPTER).write_text(json.dumps({**about, **values}))
        return str(folder)

    gone = tmp_path / "gone"
    with pytest.raises(
        ModelError, match=f"the model of the adapters in {folder} was not found: model folder {gone} does not"
    ):
        models.load(changed(base_model_name_or_path=str(gone)))
    with pytest.raises(ModelError, match="does not name the base model"):
        models.load(changed(base_model_name_or_path=None))
    with pytest.raises(ModelError, match="name themselves as their base model"):
        models.load(changed(base_model_name_or_path=str(folder)))
    with pytest.raises(ModelError, match=r"adapters of the kind IA3 cannot be loaded \(allowed: LORA\)"):
        models.load(changed(peft_type="IA3"))
    changed()
    (folder / model_files.ADAPTER_WEIGHTS).rename(folder / "adapter_model.bin")
    with pytest.raises(ModelError, match=r"adapter_model\.safetensors is missing \(found: adapter_config"):
        models.load(str(folder))
    other = tmp_path / "other"
    wide = tiny.model(vocabulary=400)
    wide.config.intermediate_size = 96
    LlamaForCausalLM(wide.config).save_pretrained(other)
    tiny.tokenizer().save_pretrained(other)
    with pytest.raises(ModelError, match=f"the adapters in {folder} do not fit model {other}"):
        models.load(changed(base_model_name_or_path=str(other)))
    with pytest.raises(ModelError, match=f"the adapters in {folder} do not fit model.*missing adapter keys"):
        models.load(changed(target_modules=["q_proj", "lm_head"]))


def test_positions_and_tokenizer_of_adapters(
    finished: tuple[Path, Recorder, LlamaForCausalLM], tokenizer: PreTrainedTokenizerFast
) -> None:
    found, positions = models.load_tokenizer(str(finished[0] / "model"))
    assert positions == 256 and found.chat_template == tokenizer.chat_template
