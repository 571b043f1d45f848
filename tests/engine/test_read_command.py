"""`python -m backend read`: the text with the response marked, the table of losses, JSON, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from backend import store
from backend.cli.commands import app
from backend.cli.reading import shade, visible
from backend.data import load_pool


def read(*words: str) -> str:
    result = CliRunner().invoke(app, ["read", *words])
    assert result.exit_code == 0, result.output
    return result.stdout


def refusal(*words: str) -> str:
    result = CliRunner().invoke(app, ["read", *words])
    assert result.exit_code == 1
    return result.stderr


def test_the_text_and_the_losses() -> None:
    pool = load_pool(["demo"])
    out = read("demo", "5", "--model", "demo", "--losses")
    prompt, response = pool.turns(5)[0]["content"], pool.response(5)
    lines = out.splitlines()
    assert pool.ids[5] in lines[0] and "65 tokens, 43 of them the response" in lines[1]
    assert f"--- prompt ---\n<|user|>\n{prompt}<|end|>\n<|assistant|>\n" in out
    assert f"--- response ---\n{response}\n--- closes the turn ---\n<|endoftext|>\n" in out
    table = lines[next(at for at, line in enumerate(lines) if "with prompt" in line) + 1 :]
    assert table[0].split() == ["G", "1", "7.329", "5.584", "1.745"] and len(table) == 43 + 1
    assert table[-1].startswith("mean per token: 8.0233 with the prompt, 7.9275 without; complexity 1.1")


def test_cut_at_max_length() -> None:
    out = read("demo", "5", "--model", "demo", "--max-length", "40")
    assert "40 of 65 tokens (cut after 40), 18 of them the response" in out
    assert "It can be se\n--- left out by max_length ---\nen in different" in out and "with prompt" not in out
    assert "cannot be scored: no response token" in read("demo", "5", "--model", "demo", "--max-length", "8")


def test_json_of_a_stored_pool_by_sample_id(tmp_path: Path) -> None:
    pool = load_pool(["demo"])
    store.save_pool(tmp_path, pool)
    words = [
        pool.id,
        pool.ids[7],
        "--runs-dir",
        str(tmp_path),
        "--model",
        "demo",
        "--system-prompt",
        "Be kind.",
    ]
    found = json.loads(read(*words, "--losses", "--json"))
    assert (found["row"], found["sample"], found["pool"]) == (7, pool.ids[7], pool.id)
    assert (
        "".join(part["text"] for part in found["segments"]) == found["text"] and "Be kind." in found["text"]
    )
    losses = found["losses"]
    assert "".join(losses["pieces"]) == found["text"][found["start"] :]
    np.testing.assert_allclose(np.sum(losses["conditioned"]) / losses["response_tokens"], losses["loss_cond"])
    assert json.loads(read(*words, "--json"))["losses"] is None


def test_what_is_not_there(tmp_path: Path) -> None:
    assert "no sample '2200' (allowed: an id such as" in refusal("demo", "2200", "--model", "demo")
    assert "no sample '-0'" in refusal("demo", "--model", "demo", "--", "-0")
    assert "config.json is missing" in refusal("demo", "1", "--model", str(tmp_path))


def test_data_cannot_steer_the_terminal() -> None:
    assert visible("a\x1b[2Jb\x07\n\t\x9bé日\x7f") == "a␛[2Jb␇\n\t\\x9bé日␡"
    assert [bool(shade(nats)) for nats in (0.1, 0.6, 9.0, float("nan"))] == [False, True, True, False]
