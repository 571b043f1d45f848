"""What is found to go wrong before a run is started, and how much memory training takes."""

import json
import math
import shutil
from pathlib import Path

import pytest
from model_folders import model_folder, tensors
from small_runs import small_pool

from backend import store
from backend.config import RunConfig, config_from
from backend.errors import ConfigError
from backend.jobs import run_launch
from backend.model import shape as model_shape
from backend.preflight import checks, machine, memory
from backend.preflight.checks import Problem


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return model_folder(tmp_path / "model")


def config(folder: Path, **changes: object) -> RunConfig:
    values = {
        "model": str(folder),
        "pool": ("small.json",),
        "budget": 64,
        "max_length": 512,
        "make_map": False,
    }
    return config_from({**values, **changes})


def found(folder: Path, rows: int = 1000, **changes: object) -> dict[str, Problem]:
    return {problem.field: problem for problem in checks.preflight(config(folder, **changes), rows)}


def device(monkeypatch: pytest.MonkeyPatch, gib: float, *, gpu: bool = True) -> None:
    monkeypatch.setattr(machine, "training_device", lambda: machine.Device("Card", int(gib * 2**30), gpu))


def test_nothing_is_wrong_with_a_run_that_works(folder: Path) -> None:
    assert checks.preflight(config(folder), 1000) == []
    checks.refuse(config(folder), 1000)


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ("config.json", "config.json is missing"),
        ("model.safetensors", r"no \*.safetensors weights"),
        ("tokenizer.json", "tokenizer.json is missing"),
    ],
)
def test_a_model_that_lacks_a_part(folder: Path, missing: str, says: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(ConfigError, match=says):
        checks.refuse(config(folder), 1000)


def test_a_model_that_is_not_there_or_cannot_be_used(folder: Path, tmp_path: Path) -> None:
    gone = found(tmp_path / "gone")["model"]
    assert gone.fatal and gone.text == f"model folder {tmp_path / 'gone'} does not exist"
    bare = found(model_folder(tmp_path / "bare", template=False))["model"]
    assert bare.fatal and "has no chat template" in bare.text
    (tmp_path / "bare" / "chat_template.jinja").write_text("{{ messages }}")
    assert found(tmp_path / "bare") == {}
    (folder / "model.safetensors").write_bytes(b"\x05\0\0\0\0\0\0\0oh no")
    assert found(folder)["model"].fatal and "cannot be read as safetensors" in found(folder)["model"].text
    hub = checks.preflight(config_from({"model": "some/one", "budget": 64}), 1000)
    assert [(problem.field, problem.fatal) for problem in hub] == [("model", False)]
    assert "fetched from the hub" in hub[0].text


def test_adapters_lead_to_their_model(folder: Path, tmp_path: Path) -> None:
    adapters = tmp_path / "adapters"
    adapters.mkdir()
    about = {"peft_type": "LORA", "base_model_name_or_path": str(folder)}
    (adapters / "adapter_config.json").write_text(json.dumps(about))
    assert "adapter_model.safetensors is missing" in found(adapters)["model"].text
    (adapters / "adapter_model.safetensors").touch()
    (adapters / "tokenizer.json").write_text("{}")
    (adapters / "chat_template.jinja").write_text("{{ messages }}")
    assert found(adapters) == {}
    assert "conversations are cut after 512" in found(adapters, max_length=600)["max_length"].text
    (folder / "config.json").rename(folder / "other.json")
    assert found(adapters)["model"].fatal
    about["base_model_name_or_path"] = str(tmp_path / "gone")
    (adapters / "adapter_config.json").write_text(json.dumps(about))
    text = found(adapters)["model"].text
    assert (
        text
        == f"the model of the adapters in {adapters} was not found: model folder {tmp_path / 'gone'} does not exist"
    )


@pytest.mark.parametrize(
    ("changes", "rows", "field", "fatal", "says"),
    [
        ({"max_length": 600}, 1000, "max_length", False, "built for 512 tokens"),
        (
            {"budget": 5000},
            1000,
            "budget",
            False,
            "budget is 5,000 samples, and there are 950 to choose from",
        ),
        ({"budget": 20}, 1000, "budget", False, "budget is 20 samples and batch_size 32"),
        ({"budget": 0.001}, 100, "budget", True, "budget is 0.001, which of 95 samples is less than one"),
        ({}, 0, "pool", True, "holds no samples"),
        ({"max_steps": 9}, 1000, "max_steps", False, "max_steps is 9, and 3 epochs have 6 steps"),
        ({"epochs": 1, "budget": 32}, 1000, "warmup_ratio", False, "1 of the run's 1 steps warm up"),
        (
            {"held_out": "/no/such.json"},
            1000,
            "held_out",
            True,
            "held_out is '/no/such.json', and there is no such file",
        ),
        (
            {"accelerate_config": "/no/such.yaml"},
            1000,
            "accelerate_config",
            True,
            "/no/such.yaml cannot be read",
        ),
        ({"attention": "flash_attention_2"}, 1000, "attention", True, "needs a CUDA GPU, and there is none"),
        ({"precision": "fp16"}, 1000, "precision", True, "needs a CUDA GPU"),
        (
            {"lora_rank": 2, "lora_targets": ["query"]},
            1000,
            "lora_targets",
            False,
            "there are: down_proj, gate_proj",
        ),
    ],
)
def test_one_setting_is_wrong(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, object],
    rows: int,
    field: str,
    fatal: bool,
    says: str,
) -> None:
    device(monkeypatch, 16, gpu=False)
    problem = found(folder, rows, **changes)[field]
    assert says in problem.text and problem.fatal == fatal


def test_packages_that_are_not_installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device(monkeypatch, 16)
    monkeypatch.setattr(checks, "missing_package", lambda name: name in ("wandb", "flash_attn"))
    wrong = found(folder, report_to=["tensorboard", "wandb"], attention="flash_attention_2")
    assert wrong["report_to"] == Problem(
        "report_to", "report_to names wandb, which is not installed; install it with: pip install wandb", True
    )
    assert "flash-attn, which is not installed" in wrong["attention"].text
    monkeypatch.undo()
    assert checks.missing_package("no_such_package_here") and not checks.missing_package("numpy")


@pytest.mark.parametrize("name", ["a.yaml", "a.json"])
def test_an_accelerate_configuration_says_how_many_processes(folder: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text('{"num_processes": 3}' if name.endswith("json") else "num_processes: 3\n")
    assert checks.accelerate_processes(path) == 3
    wrong = found(folder, accelerate_config=str(path))
    assert (
        "batch_size (32) is not a multiple of device_batch_size (8) x the 3 processes"
        in wrong["batch_size"].text
    )
    assert found(folder, accelerate_config=str(path), batch_size=24, budget=72) == {}
    path.write_text("[1, 2" if name.endswith("json") else "a: [1")
    assert "cannot be read" in found(folder, accelerate_config=str(path))["accelerate_config"].text
    path.write_text("[]")
    assert (
        "does not say num_processes" in found(folder, accelerate_config=str(path))["accelerate_config"].text
    )


def test_a_model_that_cannot_fit_is_refused_and_a_tight_one_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = model_shape.shape_of(folder)
    assert shape is not None
    need = memory.needed(shape, config(folder), sixteen_bit=True, longest=512)
    device(monkeypatch, need.certain * 0.99 / 2**30)
    problem = found(folder)["model"]
    assert (
        problem.fatal
        and "AdamW's averages alone take" in problem.text
        and "lora_rank above 0" in problem.text
    )
    device(monkeypatch, need.total / 2**30)
    problem = found(folder)["device_batch_size"]
    assert not problem.fatal and "gradient_checkpointing, lora_rank above 0" in problem.text
    device(monkeypatch, need.total * 2 / 2**30)
    assert found(folder) == {}


def test_a_launch_that_must_fail_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "runs"
    store.save_pool(home, small_pool())
    with pytest.raises(ConfigError, match=r"no/such\.yaml cannot be read"):
        run_launch.launch(
            home, config(folder, accelerate_config="/no/such.yaml", held_out="0"), pool=small_pool().id
        )
    assert store.runs(home) == []


def test_sizes_come_from_the_heads_of_the_files(folder: Path) -> None:
    shape = model_shape.shape_of(folder)
    assert shape is not None
    assert shape.parameters == sum(math.prod(size) for size in tensors().values())
    assert shape.bytes == 2 * shape.parameters
    assert len(shape.linear) == 14 and not any("embed" in name for name in shape.linear)
    assert (shape.layers, shape.hidden, shape.head_dim, shape.kv_heads, shape.positions) == (
        2,
        64,
        16,
        2,
        512,
    )
    values = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({"text_config": values, "model_type": "sees"}))
    assert model_shape.shape_of(folder) == shape
    values.pop("num_hidden_layers")
    (folder / "config.json").write_text(json.dumps(values))
    assert model_shape.shape_of(folder) is None


def test_memory_follows_the_settings(folder: Path) -> None:
    shape = model_shape.shape_of(folder)
    assert shape is not None

    def need(*, sixteen_bit: bool = False, **changes: object) -> memory.Need:
        return memory.needed(shape, config(folder, **changes), sixteen_bit=sixteen_bit, longest=512)

    whole = need()
    assert (whole.weights, whole.gradients, whole.optimizer) == tuple(shape.parameters * n for n in (4, 4, 8))
    lora = need(lora_rank=4, sixteen_bit=True)
    # by hand: rank x (rows + columns) of q, k, v, o, gate, up and down, in two layers
    trained = 4 * 2 * ((64 + 64) * 2 + (32 + 64) * 2 + (64 + 160) * 3)
    assert lora.trained == trained
    assert (lora.weights, lora.gradients) == (2 * shape.parameters + 4 * trained, 4 * trained)
    assert need(lora_rank=4, lora_targets=["q_proj"]).trained == 4 * 2 * 128
    assert need(gradient_checkpointing=True).activations < whole.activations
    assert need(device_batch_size=4).activations * 2 == whole.activations
    assert need(sixteen_bit=True).activations < whole.activations
    assert need(epochs=0).optimizer == 0


def test_the_drivers_list_of_gpus() -> None:
    lines = "0, NVIDIA A10, 23028\n1, NVIDIA H100 80GB HBM3, 81559\n"
    both = machine._listed(lines, None)
    assert [gpu.name for gpu in both] == ["NVIDIA A10", "NVIDIA H100 80GB HBM3"] and both[
        0
    ].bytes == 23028 << 20
    assert [gpu.name for gpu in machine._listed(lines, "1")] == ["NVIDIA H100 80GB HBM3"]


@pytest.mark.parametrize(("visible", "count"), [(None, 2), ("GPU-8f6b", 1), ("MIG-1,MIG-2,MIG-3", 2)])
def test_gpus_are_counted_that_torch_may_use(
    visible: str | None, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "gpus", lambda: (machine.Device("Card", 1, gpu=True),) * 2)
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert machine.gpu_count() == count


def test_a_disk_without_room_for_the_checkpoints_is_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = model_shape.shape_of(folder)
    assert shape is not None
    # two checkpoints of weights and two averages, and the model, in float32
    assert memory.disk_needed(shape, config(folder)) == shape.parameters * 4 * 7
    assert memory.disk_needed(shape, config(folder, epochs=0)) == 0
    assert checks.preflight(config(folder), 1000, home=tmp_path) == []
    total, used, _ = shutil.disk_usage(tmp_path)
    usage = type(shutil.disk_usage(tmp_path))
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda path: usage(total, used, 1000))
    (problem,) = checks.preflight(config(folder), 1000, home=tmp_path)
    assert not problem.fatal and "checkpoints and model take up to" in problem.text
    assert f"the disk of {tmp_path} has 0.00 GiB left" in problem.text
