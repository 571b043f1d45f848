"""Parts of a model's folder that do not belong together, found from its files before anything is loaded."""

import json
from pathlib import Path

import pytest
from model_folders import give_tokens, model_folder, set_number

from backend.config import config_from
from backend.preflight import checks
from backend.preflight.checks import Problem

EMBEDDING = "model.embed_tokens.weight"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return model_folder(tmp_path / "model")


def problems(folder: Path) -> list[Problem]:
    values = {
        "model": str(folder),
        "pool": ("small.json",),
        "budget": 64,
        "max_length": 512,
        "make_map": False,
    }
    return [problem for problem in checks.preflight(config_from(values), 1000) if problem.field == "model"]


def only(folder: Path, *, fatal: bool = True) -> str:
    (problem,) = problems(folder)
    assert problem.fatal is fatal and "\n" not in problem.text
    return problem.text


def test_a_tokenizer_with_ids_that_the_embedding_has(folder: Path) -> None:
    give_tokens(folder, {"a": 0, "b": 998}, {"<pad>": 999}, pad_token="<pad>")
    assert problems(folder) == []


@pytest.mark.parametrize(
    ("tokens", "added", "roles", "named"),
    [
        pytest.param({"a": 0, "b": 1000}, {}, {}, "'b' has the id 1,000", id="an ordinary token"),
        pytest.param(
            {"a": 0}, {"[PAD]": 1000}, {"pad_token": "[PAD]"}, "'[PAD]' has the id 1,000", id="the padding"
        ),
        pytest.param(
            {"a": 0},
            {"<image>": 1000, "messages": 1001},
            {},
            "'messages' has the id 1,001",
            id="in the template",
        ),
    ],
)
def test_tokens_beyond_the_embedding(
    folder: Path, tokens: dict[str, int], added: dict[str, int], roles: dict[str, str], named: str
) -> None:
    give_tokens(folder, tokens, added, **roles)
    text = only(folder)
    assert "beyond the 1,000 rows of the model's embedding" in text and named in text
    assert "take the tokenizer that belongs to these weights" in text


def test_an_added_token_that_nothing_uses_is_told_and_does_no_harm(folder: Path) -> None:
    give_tokens(folder, {"a": 0}, {"<image_soft_token>": 1000})
    assert "a sample that holds one of them cannot be scored" in only(folder, fatal=False)


def test_a_vocabulary_that_is_a_list(folder: Path) -> None:
    listed = {"model": {"type": "Unigram", "vocab": [[f"t{i}", -1.0] for i in range(1001)]}}
    (folder / "tokenizer.json").write_text(json.dumps(listed))
    assert "'t1000' has the id 1,000" in only(folder)


def test_weights_of_another_configuration(folder: Path) -> None:
    values = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**values, "vocab_size": 1200}))
    assert "has the shape 1,000 x 64, and 1,200 x 64 is expected" in only(folder)
    (folder / "config.json").write_text(json.dumps({**values, "num_hidden_layers": 4}))
    assert "lack layers: config.json says 4, and the files hold 2" in only(folder)


@pytest.mark.parametrize("bits", [pytest.param(0x7FC0, id="NaN"), pytest.param(0xFF80, id="infinite")])
def test_weights_that_are_no_numbers(folder: Path, bits: int) -> None:
    set_number(folder, "model.layers.1.mlp.up_proj.weight", 77, bits)
    assert "tensor model.layers.1.mlp.up_proj.weight of model" in only(folder)
    assert "holds NaN or infinite numbers" in only(folder)


def test_a_file_that_was_not_fetched_whole(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    assert "was not copied or downloaded completely" in only(folder)
    path.rename(folder / "model-00001-of-00002.safetensors")
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "model-00002-of-00002.safetensors is missing (1 of the 2 files" in only(folder)


def test_a_chat_template_that_is_none(folder: Path) -> None:
    template = folder / "chat_template.jinja"
    template.write_text("{% for m in messages %}\n{{ m['content' }}{% endfor %}")
    assert "is not one: " in only(folder) and "(line 2)" in only(folder)
    template.write_text(
        "{% for m in messages %}{% generation %}{{ m }}{% endgeneration %}{% break %}{% endfor %}"
    )
    assert problems(folder) == []
    template.write_text("")
    (folder / "tokenizer_config.json").write_text("{}")
    assert "has no chat template" in only(folder)
