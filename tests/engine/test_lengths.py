"""Token counts without the model: they are those that scoring would have, for every cut."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tiny
from typer.testing import CliRunner

from backend import data, prompts, store
from backend.cli.commands import app
from backend.jobs import pool_work
from backend.model.load import load_tokenizer
from backend.prompts.encode import checked_template
from backend.records import Conversation


@pytest.fixture(scope="module")
def demo():
    return data.load_pool(["demo"]), *load_tokenizer("demo")


@pytest.mark.parametrize("max_length", [12, 60, 100, 512])
@pytest.mark.parametrize("system_prompt", ["", "Be brief."])
def test_reasons_and_response_tokens_are_those_of_scoring(demo, max_length, system_prompt):
    pool, tokenizer, positions = demo
    asked = {"max_length": max_length, "system_prompt": system_prompt}
    counted = prompts.count_lengths(pool, tokenizer, model="demo", positions=positions, **asked)
    encoded = prompts.encode(pool, tokenizer, **asked)
    assert counted.reason.tolist() == encoded.reason.tolist()
    np.testing.assert_array_equal(counted.response_tokens, encoded.response_tokens)
    assert counted.response_tokens.dtype == counted.tokens.dtype == np.int32
    scorable = encoded.reason == ""
    cut = np.minimum(counted.tokens, max_length)[scorable]
    np.testing.assert_array_equal(cut, encoded.conditioned.lengths[scorable])
    assert counted.limit == max_length and counted.too_long.sum() == (counted.tokens > max_length).sum()


def test_tokens_are_those_of_the_whole_conversation(demo):
    pool, tokenizer, positions = demo
    counted = prompts.count_lengths(
        pool, tokenizer, model="demo", positions=positions, max_length=20, system_prompt=""
    )
    template = checked_template(tokenizer)
    for row in range(0, len(pool), 97):
        text = template.conversation(Conversation(pool.turns(row), pool.response(row)), system_prompt="").text
        assert counted.tokens[row] == len(tokenizer(text, add_special_tokens=False)["input_ids"])
    assert (counted.tokens > 20).mean() > 0.9


@pytest.mark.parametrize("template", ["CHATML", "CHATML_TRIMMED", "LLAMA3", "GEMMA", "MISTRAL"])
def test_other_templates_and_samples_that_cannot_be_scored(template):
    tokenizer = tiny.tokenizer()
    tokenizer.chat_template = getattr(tiny, template)
    pool = tiny.pool([("question " * k, "answer " * (k % 5)) for k in range(1, 12)])
    for max_length in (10, 40):
        asked = {"max_length": max_length, "system_prompt": ""}
        counted = prompts.count_lengths(pool, tokenizer, model="tiny", positions=None, **asked)
        encoded = prompts.encode(pool, tokenizer, **asked)
        assert counted.reason.tolist() == encoded.reason.tolist()
        np.testing.assert_array_equal(counted.response_tokens, encoded.response_tokens)
        empty = counted.reason == prompts.EMPTY_RESPONSE
        assert empty.sum() == 2 and (counted.tokens[empty] == -1).all() and (counted.tokens[~empty] > 0).all()


def test_a_model_with_fewer_positions_cuts_there(demo):
    pool, tokenizer, positions = demo
    assert positions == 512
    counted = prompts.count_lengths(
        pool, tokenizer, model="demo", positions=64, max_length=4096, system_prompt=""
    )
    assert (counted.max_length, counted.limit) == (4096, 64)
    assert counted.response_tokens.max() <= 64 and counted.too_long.any()


def test_the_command_counts_once_and_keeps_it(tmp_path):
    words = ["lengths", "demo", "--model", "demo", "--max-length", "80", "--system-prompt", "Be brief."]
    result = CliRunner().invoke(app, [*words, "--json", "--runs-dir", str(tmp_path)])
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    pool_id = document["pool"]
    kept = store.load_lengths(tmp_path, pool_id, model="demo", max_length=80, system_prompt="Be brief.")
    assert document["too_long"] == kept.too_long.sum() > 0
    assert document["response_tokens"] == kept.response_tokens.sum()
    assert pool_work.work_info(tmp_path, pool_id, "lengths").state == "done"
    path = next(store.pool_folder(tmp_path, pool_id).glob("lengths-*"))
    stamp = path.stat().st_mtime_ns
    assert CliRunner().invoke(app, [*words, "--runs-dir", str(tmp_path)]).exit_code == 0
    assert path.stat().st_mtime_ns == stamp
    report = CliRunner().invoke(
        app, ["health", pool_id, "--json", "--runs-dir", str(tmp_path), "--model", "demo", *words[4:]]
    )
    lines = {line["key"]: line for line in json.loads(report.stdout)["findings"]}
    assert lines["too_long"]["count"] == document["too_long"]


def test_stored_lengths_are_read_without_transformers(tmp_path):
    CliRunner().invoke(
        app, ["lengths", "demo", "--model", "demo", "--max-length", "80", "--runs-dir", str(tmp_path)]
    )
    code = (
        "import sys\nfrom pathlib import Path\nfrom backend import store, findings\n"
        f"home = Path({str(tmp_path)!r})\npool = store.load_pool_from_store(home, store.list_pools(home)[0].id)\n"
        "key = store.stored_lengths(home, pool.id)[0]\n"
        "lengths = store.load_lengths(home, pool.id, **key.__dict__)\n"
        "assert any(f.key == 'too_long' and f.known for f in findings.report(pool, lengths=lengths))\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'torch', 'transformers', 'tokenizers'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
