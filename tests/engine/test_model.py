"""Loading: what works, and for everything else which part is missing and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import huggingface_hub.constants
import pytest
import tiny
import torch
from transformers import BertConfig, BertForMaskedLM, T5Config, T5ForConditionalGeneration

from backend.errors import ModelError
from backend.model import load as models


def saved(folder: Path, *, template: str | None = tiny.CHATML, dtype: torch.dtype = torch.float32) -> Path:
    tiny.model().to(dtype).save_pretrained(folder)
    tiny.tokenizer(template).save_pretrained(folder)
    return folder


def test_loads_a_folder(tmp_path: Path) -> None:
    model, tokenizer = models.load(str(saved(tmp_path)), device="cpu")
    assert not model.training and model.dtype == torch.float32 and model.device.type == "cpu"
    assert tokenizer.chat_template == tiny.CHATML
    assert model.config.pad_token_id == tokenizer.pad_token_id == 0
    assert models.usable_length(model, 1000) == 256 and models.usable_length(model, 100) == 100


def test_precisions(tmp_path: Path) -> None:
    folder = str(saved(tmp_path, dtype=torch.float16))
    assert models.load(folder, device="cpu")[0].dtype == torch.float32
    assert models.load(folder, device="cpu", precision="bf16")[0].dtype == torch.bfloat16
    for_training, _ = models.load(folder, device="cpu", precision="bf16", train=True)
    assert for_training.dtype == torch.float32
    with models.autocast(for_training, "bf16"):
        assert torch.is_autocast_enabled("cpu")
    with models.autocast(for_training, "auto"):
        assert not torch.is_autocast_enabled("cpu")
    with pytest.raises(
        ModelError, match=r"precision fp16 needs a CUDA GPU, and this is cpu \(allowed: auto, fp32, bf16\)"
    ):
        models.load(folder, device="cpu", precision="fp16")


def test_the_end_token_pads_where_there_is_no_pad_token(tmp_path: Path) -> None:
    saved(tmp_path)
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    settings.pop("pad_token")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    model, tokenizer = models.load(str(tmp_path), device="cpu")
    assert tokenizer.pad_token == tokenizer.eos_token == "</s>"
    assert model.config.pad_token_id == tokenizer.eos_token_id
    settings.pop("eos_token")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    with pytest.raises(ModelError, match="has neither a pad token nor an end token"):
        models.load(str(tmp_path), device="cpu")


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("config.json", "config.json is missing"),
        ("model.safetensors", r"no \*\.safetensors weights"),
        ("tokenizer.json", "tokenizer.json is missing"),
    ],
)
def test_says_which_part_a_folder_lacks(tmp_path: Path, missing: str, message: str) -> None:
    (saved(tmp_path) / missing).unlink()
    with pytest.raises(ModelError, match=message) as caught:
        models.load(str(tmp_path))
    assert "found: " in str(caught.value)


def test_pickled_weights_are_not_read(tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"convert the \.bin weights to safetensors"):
        models.load(str(tmp_path))


def test_no_chat_template(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"has no chat template; take .* or put a chat_template.jinja beside"
    ):
        models.load(str(saved(tmp_path, template=None)))


def test_broken_files(tmp_path: Path) -> None:
    saved(tmp_path)
    whole = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=f"model folder {tmp_path} cannot be loaded"):
        models.load(str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "never-heard-of"}')
    with pytest.raises(ModelError, match=r"cannot be loaded: .*never-heard-of"):
        models.load(str(tmp_path))


def test_code_that_comes_with_a_model_is_not_run(tmp_path: Path) -> None:
    saved(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config |= {
        "model_type": "own",
        "auto_map": {"AutoConfig": "own.Own", "AutoModelForCausalLM": "own.OwnModel"},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(ModelError, match="cannot be loaded"):
        models.load(str(tmp_path))
    assert not (tmp_path / "ran").exists()


def test_weights_of_another_shape_are_not_filled_in(tmp_path: Path) -> None:
    saved(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["num_hidden_layers"] = 3
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"lack 9 tensors of LlamaForCausalLM, model\.layers\.2"):
        models.load(str(tmp_path))


def test_other_kinds_of_model(tmp_path: Path) -> None:
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    made = {
        "bert": BertForMaskedLM(BertConfig(vocab_size=400, **size)),
        "t5": T5ForConditionalGeneration(
            T5Config(vocab_size=400, d_model=16, d_ff=16, num_layers=1, num_heads=2)
        ),
    }
    for name, model in made.items():
        model.save_pretrained(tmp_path / name)
        tiny.tokenizer().save_pretrained(tmp_path / name)
        with pytest.raises(ModelError, match=f"is {type(model).__name__}, not a causal language model"):
            models.load(str(tmp_path / name))


def test_names_that_lead_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="no model is named"):
        models.load("")
    for name in ("/no/such/folder", "./here", "a/b/c", "word"):
        with pytest.raises(ModelError, match="does not exist"):
            models.load(name)
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match=r"is a file; expected a folder with config\.json"):
        models.load(str(tmp_path / "file"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(
        ModelError, match=r"model nobody/nothing is not a local folder and cannot be fetched .* give a"
    ):
        models.load("nobody/nothing")
    monkeypatch.setattr(models.model_files, "DEMO_MODEL", tmp_path / "demo")
    with pytest.raises(ModelError, match="demo does not exist"):
        models.load("demo")
    saved(tmp_path / "demo")
    assert models.load("demo", device="cpu")[0].config.model_type == "llama"
