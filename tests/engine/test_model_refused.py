"""Parts of a model that do not belong together: one sentence where it is loaded, and reasons where samples are read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from transformers import LlamaForCausalLM
from typer.testing import CliRunner

from backend.cli.commands import app
from backend.data import load_pool
from backend.errors import ModelError
from backend.model import load as models
from backend.prompts import encode
from backend.store.scores_file import read_scores

HORSES = (
    "{% for m in messages %}{% if 'horse' in m['content'] %}{{ raise_exception('no horses here') }}{% endif %}"
    "{% endfor %}"
)
LAST = "model.layers.1.mlp.down_proj.weight"


def saved(
    folder: Path, model: LlamaForCausalLM, *, added: Sequence[str] = (), template: str = tiny.CHATML
) -> Path:
    model.save_pretrained(folder)
    tokenizer = tiny.tokenizer(template)
    tokenizer.add_tokens(list(added))
    tokenizer.save_pretrained(folder)
    return folder


def one_sentence(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        models.load(str(folder), device="cpu")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def vocabulary() -> int:
    return len(tiny.tokenizer())


def test_an_embedding_that_lacks_tokens(tmp_path: Path) -> None:
    size = vocabulary()
    text = one_sentence(saved(tmp_path, tiny.model(size - 3)))
    assert f"has 3 tokens beyond the {size - 3} rows of the model's embedding" in text
    assert f"has the id {size - 3})" in text


def test_an_added_token_without_a_row(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It harms only the samples that hold it, and those say why they are not scored."""
    folder = saved(tmp_path, tiny.model(vocabulary()), added=["<image>"])
    model, tokenizer = models.load(str(folder), device="cpu")
    assert "'<image>'" in caplog.text and "cannot be scored" in caplog.text
    pool = tiny.pool([("a cat", "the dog"), ("see <image>", "the dog"), ("a cat", "is <image>")])
    encoded = encode(pool, tokenizer, system_prompt="", max_length=64).readable(models.embedding_rows(model))
    assert encoded.reason.tolist() == ["", *["a token beyond the model's embedding"] * 2]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(tmp_path: Path, value: float) -> None:
    model = tiny.model(vocabulary())
    with torch.no_grad():
        model.get_parameter(LAST)[-1, -1] = value
    assert f"tensor {LAST} of model {tmp_path} holds NaN or infinite numbers" in one_sentence(
        saved(tmp_path, model)
    )


def test_tensors_of_another_shape(tmp_path: Path) -> None:
    folder = saved(tmp_path, tiny.model(vocabulary()))
    values = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**values, "intermediate_size": 96}))
    text = one_sentence(folder)
    assert (
        "do not match its config.json: model.layers.0.mlp.down_proj.weight has the shape 32 x 64, and 32 x 96"
        in text
    )
    assert text.endswith("(and 5 more)")


def test_a_folder_that_goes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = saved(tmp_path / "model", tiny.model(vocabulary()))
    read = models._check_config

    def read_too_late(name: str, source: str) -> object:
        folder.rename(tmp_path / "elsewhere")
        return read(name, source)

    monkeypatch.setattr(models, "_check_config", read_too_late)
    assert f"model folder {folder} does not exist any more" in one_sentence(folder)


def rows(path: Path, rows: list[tuple[str, str]]) -> Path:
    path.write_text("".join(json.dumps({"prompt": p, "completion": c}) + "\n" for p, c in rows))
    return path


def scored(pool: Path, folder: Path, out: Path) -> tuple[int, str]:
    words = ["score", str(pool), "--model", str(folder), "--out", str(out), "--threads", "1"]
    words += ["--runs-dir", str(out.parent / "runs")]
    result = CliRunner().invoke(app, words)
    return result.exit_code, result.stderr + str(result.exception or "")


def test_score_says_why_samples_were_not_scored(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model", tiny.model(vocabulary()), template=HORSES + tiny.CHATML)
    pool = rows(
        tmp_path / "pool.jsonl", [("a cat", "the dog"), ("a horse", "is red"), ("a dog", "horse"), ("a", " ")]
    )
    code, said = scored(pool, folder, tmp_path / "scores.jsonl")
    assert code == 0
    assert "2 not scored: chat template: no horses here" in said
    reasons = read_scores(tmp_path / "scores.jsonl", load_pool([str(pool)])).scores.unscored()
    assert reasons == {"chat template: no horses here": 2, "empty response": 1}


def test_a_template_that_refuses_every_sample(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model", tiny.model(vocabulary()), template=HORSES + tiny.CHATML)
    pool = rows(tmp_path / "pool.jsonl", [("a horse", "is red"), ("horse", "the dog")])
    code, said = scored(pool, folder, tmp_path / "scores.jsonl")
    assert code != 0 and "no horses here" in said and "Traceback" not in said
    assert not (tmp_path / "scores.jsonl").exists()


def test_nothing_could_be_scored(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model", tiny.model(vocabulary()), added=["<image>"])
    pool = rows(tmp_path / "pool.jsonl", [("see <image>", "the dog"), ("<image>", "a cat")])
    code, said = scored(pool, folder, tmp_path / "scores.jsonl")
    assert code != 0 and "2 not scored: a token beyond the model's embedding" in said
    assert "no sample of pool" in said and "could be scored" in said
    assert np.isnan(read_scores(tmp_path / "scores.jsonl", load_pool([str(pool)])).scores.complexity).all()
