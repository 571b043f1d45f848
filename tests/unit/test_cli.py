"""The command line without a model: selecting from scores, looking at runs, exit codes, help."""

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from small_runs import small_config, small_pool, small_record
from typer.testing import CliRunner

from backend import store
from backend.cli.commands import app
from backend.cli.options import option_name
from backend.config import RunConfig
from backend.data import load_pool
from backend.jobs import lifecycle
from backend.records import Metrics, Scores
from backend.store.scores_file import read_scores, write_scores
from tests.unit.compared import made_run

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("ITERIT_SHARED", ROOT.parent / "shared"))
ANSWERS = [
    "red apples grow on trees",
    "green apples grow on old trees",
    "a train leaves the station",
    "the train leaves at noon",
    "nothing in common here",
    "",
]


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def pool_file(tmp_path) -> Path:
    path = tmp_path / "pool.json"
    rows = [
        {"instruction": f"question {i}", "output": text, "source": ("x", "y")[i % 2]}
        for i, text in enumerate(ANSWERS)
    ]
    path.write_text(json.dumps(rows))
    return path


@pytest.fixture
def scores_file(tmp_path, pool_file) -> Path:
    """Scores of the whole pool: complexity 0.9, 0.8, ... by row, the last row unscorable."""
    pool = load_pool([pool_file])
    scores = Scores.unknown(len(pool), np.array([5, 6, 5, 5, 4, 0], dtype=np.int32), reason="")
    scores.complexity[:-1] = [0.9, 0.8, 0.7, 0.6, 1.5]
    scores.reason[-1] = "empty response"
    path = tmp_path / "scores.parquet"
    write_scores(path, pool, scores)
    return path


@pytest.fixture
def home(tmp_path) -> Path:
    home = tmp_path / "runs"
    store.save_pool(home, small_pool())
    return home


# --- select ---


def test_select_writes_rows_in_pick_order_and_counts_the_others(tmp_path, pool_file, scores_file):
    out = tmp_path / "picks.json"
    result = run("select", pool_file, "--scores", scores_file, "--budget", 2, "--out", out)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    assert "2 of 6 samples selected" in result.stderr
    picks = json.loads(out.read_text())
    assert len(picks["selected"]) == 2 and picks["selected"][0] in (0, 1)
    assert picks["counts"] == {
        "selected": 2,
        "outranked": 2,
        "too complex": 1,
        "unscorable: empty response": 1,
    }
    assert picks["ids"] == list(load_pool([pool_file]).ids[picks["selected"]])
    assert picks["gain"][0] >= picks["gain"][1] and picks["terms"][0]
    assert picks["settings"]["budget"] == 2


def test_select_prints_json_where_no_file_is_named(pool_file, scores_file):
    result = run(
        "select", pool_file, "--scores", scores_file, "--budget", 3, "--strategy", "longest", "--seed", 1
    )
    picks = json.loads(result.stdout)
    assert picks["selected"] == [1, 0, 2]
    assert picks["gain"] == [None, None, None]


def test_select_reads_every_setting(pool_file, scores_file):
    ids = load_pool([pool_file]).ids
    result = run(
        "select", pool_file, "--scores", scores_file, "--budget", 3, "--pin", ids[3], "--exclude", ids[0],
        "--source-weight", "y=0.5", "--decay", 0, "--complexity-weight", 2, "--diversity-weight", 0,
        "--max-complexity", 2, "--min-response-tokens", 5,
    )  # fmt: skip
    picks = json.loads(result.stdout)
    # complexity squared times the source's weight: row 1 has 0.32, row 2 has 0.49
    assert picks["selected"] == [3, 2, 1]
    assert picks["counts"]["excluded"] == 1 and picks["counts"]["too short"] == 1


def test_select_keeps_the_bounds_of_a_source_and_says_where_it_cannot(pool_file, scores_file):
    common = ("select", pool_file, "--scores", scores_file, "--strategy", "diversity")
    free = json.loads(run(*common, "--budget", 4).stdout)
    assert "share_notes" not in free
    codes = [load_pool([pool_file]).sources[c] for c in load_pool([pool_file]).source_codes]
    result = run(*common, "--budget", 4, "--source-share", "y=-0.25", "--source-share", "x=0.5-")
    picks = json.loads(result.stdout)
    assert [codes[row] for row in picks["selected"]].count("y") <= 1
    assert picks["settings"]["source_shares"] == {"y": "-0.25", "x": "0.5-"}
    short = run(*common, "--budget", 6, "--source-share", "y=-0", "--source-share", "x=1-")
    notes = json.loads(short.stdout)["share_notes"]
    assert any("has no more candidates" in note for note in notes)
    assert any("stay empty: y has reached its share" in note for note in notes)
    assert all(f"shares of sources: {note}" in " ".join(short.stderr.split()) for note in notes)
    refused = run(*common, "--budget", 4, "--source-share", "radio=0.1-")
    assert refused.exit_code
    assert "no source 'radio' in this pool (known: x, y)" in " ".join(refused.stderr.split())


def test_rows_that_a_list_of_scores_leaves_out_are_no_candidates(tmp_path, pool_file):
    scores = tmp_path / "scores.json"
    scores.write_text(json.dumps([{"row": 3, "complexity": 0.5}, {"row": 0, "complexity": None}]))
    for strategy, expected in (("iterit", [3]), ("diversity", [0, 3])):
        picks = json.loads(
            run("select", pool_file, "--scores", scores, "--strategy", strategy, "--budget", 6).stdout
        )
        assert sorted(picks["selected"]) == expected
        assert picks["counts"]["not scored"] == 4


@pytest.mark.parametrize("options", [("--strategy", "longest"), ("--max-response-tokens", "9")])
def test_lengths_that_a_list_of_scores_does_not_have_are_asked_for(tmp_path, pool_file, options):
    scores = tmp_path / "scores.json"
    scores.write_text(json.dumps([{"row": 3, "complexity": 0.5}]))
    result = run("select", pool_file, "--scores", scores, "--budget", 1, *options)
    assert result.exit_code == 1
    assert "lengths in tokens, which are not known" in result.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"row": 9, "complexity": 0.5}]', "row 9 is not in the pool pool (rows 0 to 5)"),
        ('[{"row": -1, "complexity": 0.5}]', "row -1 is not in the pool"),
        ('[{"row": 1, "complexity": 0.5}, {"row": 1, "complexity": 0.5}]', "row 1 is named twice"),
        ('[{"row": 1.5, "complexity": 0.5}]', 'record 0: "row" is 1.5; expected a row number'),
        ('[{"row": true, "complexity": 0.5}]', '"row" is True'),
        ('[{"row": 1, "complexity": "high"}]', "\"complexity\" is 'high'; expected a number"),
        ('[{"row": 1, "score": 0.5}]', '"complexity" is missing (found: row, score)'),
        ('[{"row": 1, "complexity": 0.5, "id": "x"}]', "belongs to another pool: row 1 is x there"),
        ('{"row": 1}', 'expected a list of {"row": ..., "complexity": ...}'),
        ("[1]", "a list of"),
        ("[]", '"row" is missing (found: nothing)'),
        ("[", "cannot be read as scores"),
    ],
)
def test_scores_that_do_not_fit_say_why(tmp_path, pool_file, content, message):
    scores = tmp_path / "scores.json"
    scores.write_text(content)
    result = run("select", pool_file, "--scores", scores)
    assert result.exit_code == 1 and result.stdout == ""
    assert message in result.stderr and "\nerror: " in f"\n{result.stderr}"


@pytest.mark.parametrize("ending", [".parquet", ".jsonl"])
def test_scores_come_back_as_they_were_written(tmp_path, pool_file, ending):
    pool = load_pool([pool_file])
    rng = np.random.default_rng(0)
    scores = Scores.unknown(6, np.arange(6, dtype=np.int32))
    for name in ("loss_cond", "loss_prior", "complexity"):
        getattr(scores, name)[:5] = rng.random(5)
    scores.reason[:5] = ""
    scores.reason[5] = 'empty "response"\u2028with a line of its own'
    path = tmp_path / f"scores{ending}"
    write_scores(path, pool, scores)
    back = read_scores(path, pool)
    for f in dataclasses.fields(Scores):
        np.testing.assert_array_equal(getattr(back.scores, f.name), getattr(scores, f.name))
    assert list(back.rows) == list(range(6))
    if ending == ".parquet":
        names = pq.read_table(path).column_names
    else:
        first = path.read_text().strip().split("\n")[-1]
        names = list(json.loads(first, parse_constant=lambda word: pytest.fail(f"{word} is not JSON")))
    assert names == ["row", "id", "complexity", "loss_cond", "loss_prior", "response_tokens", "reason"]


def test_scores_are_not_written_under_an_unknown_ending(tmp_path, pool_file):
    result = run("score", pool_file, "--model", "nowhere", "--out", tmp_path / "scores.csv")
    assert result.exit_code == 1
    assert "written as .parquet or .jsonl" in result.stderr


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no test data in {SHARED}")
def test_select_makes_the_authors_selection(tmp_path):
    golden = json.loads((SHARED / "golden" / "selection.json").read_text())
    scores = tmp_path / "scores.json"
    pairs = zip(golden["candidates"], golden["score"], strict=True)
    scores.write_text(json.dumps([{"row": row, "complexity": score} for row, score in pairs]))
    for case in golden["cases"]:
        strategy = {"BOTH": "iterit", "IFD": "complexity"}[case["score_type"]]
        result = run(
            "select", SHARED / "data" / "pool_small.json", "--scores", scores, "--budget", case["budget"],
            "--decay", case["decay"], "--strategy", strategy, "--response-suffix", "<|im_end|>",
        )  # fmt: skip
        assert result.exit_code == 0, (result.output, result.exception)
        assert json.loads(result.stdout)["selected"] == case["selected"]


# --- runs, show, export ---


def test_runs_and_show_and_export(tmp_path, home):
    run_id = store.create_run(
        home, small_config(name="<b>[red]mine[/]", decay=0.5, system_prompt=""), small_pool()
    )
    store.write_epoch(home, run_id, small_record(0))
    store.write_epoch(home, run_id, small_record(1))
    store.append_metrics(home, run_id, Metrics(0, 0.0, held_out=2.5, held_out_epoch=0))
    store.append_metrics(home, run_id, Metrics(1, 1.0, held_out=2.25, held_out_epoch=1))
    store.set_state(home, run_id, "failed", error="out of apples")

    listed = run("runs", "--runs-dir", home)
    assert listed.exit_code == 0
    for text in (run_id, "<b>[red]mine[/]", "failed", "out of apples"):
        assert text in listed.stdout
    assert json.loads(run("runs", "--runs-dir", home, "--json").stdout)[0]["id"] == run_id

    shown = run("show", run_id[:15], "--runs-dir", home)
    assert "error: out of apples" in shown.stdout
    assert "--decay 0.5 --system-prompt '' --no-make-map" in shown.stdout
    assert "2.5000" in shown.stdout and "2.2500" in shown.stdout and "100%" in shown.stdout
    document = json.loads(run("show", "last", "--runs-dir", home, "--json").stdout)
    assert document["held_out"][1] == {"epochs_trained": 1, "step": 1, "loss": 2.25}
    assert [epoch["selected"] for epoch in document["epochs"]] == [2, 2]
    assert document["epochs"][0]["overlap"] is None and document["epochs"][1]["overlap"] == 1.0
    assert document["changed"]["decay"] == 0.5

    out = tmp_path / "picked.jsonl"
    result = run("export", run_id, "--epoch", 0, "--format", "alpaca", "--out", out, "--runs-dir", home)
    assert result.exit_code == 0, result.stderr
    texts = [json.loads(line)["output"] for line in out.read_text().splitlines()]
    assert texts == [small_pool().response(3), small_pool().response(1)]
    missing = run("export", run_id, "--epoch", 7, "--out", out, "--runs-dir", home)
    assert missing.exit_code == 1 and "has no epoch 7 (there are: [0, 1])" in missing.stderr


def test_a_folder_without_runs_says_how_to_start_one(tmp_path):
    result = run("runs", "--runs-dir", tmp_path / "none")
    assert result.exit_code == 0 and "python -m backend tune" in result.stderr
    assert not (tmp_path / "none").exists()
    assert run("show", "last", "--runs-dir", tmp_path / "none").exit_code == 1


@pytest.mark.parametrize("name", ["nothing", "../..", ""])
def test_a_run_that_is_not_there_or_not_meant_alone(home, name):
    for _ in range(2):
        store.create_run(home, small_config(), small_pool())
    result = run("show", name, "--runs-dir", home)
    assert result.exit_code == 1
    assert ("2 runs" if name == "" else "not found in") in result.stderr


def test_a_dead_worker_shows_when_somebody_looks(home):
    run_id = store.create_run(home, small_config(), small_pool())
    store.take(home, run_id, host=os.uname().nodename, pid=2**22 + 1, process_started=1.0)
    assert json.loads(run("runs", "--runs-dir", home, "--json").stdout)[0]["state"] == "failed"


# --- tune, with a small script in the worker's place ---

WORKER = """
import os, sys, psutil
from pathlib import Path
from backend import store
from backend.jobs import lifecycle
from backend.records import Metrics
home, run = Path(sys.argv[1]), sys.argv[2]
store.take(home, run, host=os.uname().nodename, pid=os.getpid(), process_started=psutil.Process().create_time())
name = store.run_info(home, run).name
store.append_metrics(home, run, Metrics(0, 0.0, held_out=2.5, held_out_epoch=0))
store.set_state(home, run, name, error="no apples left" if name == "failed" else None)
"""


@pytest.fixture
def worker(tmp_path, monkeypatch) -> None:
    """Workers end at once in the state that is their run's name."""
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(
        lifecycle, "command_of", lambda home, job: [sys.executable, str(script), str(home), job.id]
    )


@pytest.mark.parametrize(
    ("state", "code", "message"),
    [
        ("done", 0, "held-out loss 2.5000 before training"),
        ("failed", 1, "no apples left"),
        ("stopped", 130, "resume"),
    ],
)
def test_tune_ends_as_its_run_does(home, pool_file, worker, state, code, message):
    result = run("tune", pool_file, "--model", "no/m", "--budget", 2, "--name", state, "--runs-dir", home)
    assert result.exit_code == code
    run_id = store.runs(home)[0].id
    assert result.stdout == f"{run_id}\n"
    assert message in result.stderr


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([], "does not say which model and settings its scores are of"),
        (["--rescore"], "contradict each other"),
    ],
)
def test_tune_takes_no_scores_that_say_nothing_of_themselves(
    home, pool_file, scores_file, worker, more, message
):
    before = len(store.runs(home))
    result = run("tune", pool_file, "--model", "no/m", "--scores", scores_file, "--runs-dir", home, *more)
    assert result.exit_code == 1 and message in result.stderr
    assert len(store.runs(home)) == before


def test_tune_takes_every_setting(home, pool_file, worker, tmp_path):
    start = tmp_path / "config.json"
    start.write_text(json.dumps({"epochs": 5, "decay": 0.25, "model": "other"}))
    result = run(
        "tune", pool_file, "--model", "no/m", "--config", start, "--runs-dir", home, "--json", "--name", "done",
        "--epochs", 2, "--no-make-map", "--mapping", "prompt=instruction", "--mapping", "response=output",
        "--source-weights", "x=2", "--pinned", "a", "--pinned", "b", "--held-out", "0.1", "--precision", "fp32",
        "--learning-rate", "1e-4", "--schedule", "linear",
    )  # fmt: skip
    document = json.loads(result.stdout)
    config = store.read_config(home, document["id"])
    assert document["state"] == "done"
    assert config == RunConfig(
        pool=(str(pool_file),),
        model="no/m",
        name="done",
        epochs=2,
        decay=0.25,
        make_map=False,
        mapping={"prompt": "instruction", "response": "output"},
        source_weights={"x": 2.0},
        pinned=("a", "b"),
        held_out="0.1",
        precision="fp32",
        learning_rate=1e-4,
        schedule="linear",
    )


def test_a_detached_run_is_left_to_itself(home, pool_file, worker):
    result = run(
        "tune",
        pool_file,
        "--model",
        "no/m",
        "--budget",
        2,
        "--name",
        "done",
        "--runs-dir",
        home,
        "--detach",
        "--json",
    )
    document = json.loads(result.stdout)
    assert result.exit_code == 0 and document["id"] == store.runs(home)[0].id
    while store.run_info(home, document["id"]).active:
        time.sleep(0.05)


def test_resume_goes_on_with_a_stopped_run(home, worker):
    run_id = store.create_run(home, small_config(name="done"), small_pool())
    store.set_state(home, run_id, "stopped")
    result = run("resume", "last", "--runs-dir", home)
    assert result.exit_code == 0 and result.stdout == f"{run_id}\n"
    assert run("resume", "last", "--runs-dir", home).exit_code == 1


def test_the_demo_has_its_own_preset(monkeypatch):
    from backend.cli.command_pool import preset_of

    assert preset_of(None, ("demo",), "demo") == "demo"
    assert preset_of("paper", ("demo",), "demo") == "paper"
    assert preset_of(None, ("demo",), "other") == preset_of(None, ("demo", "x"), "demo") == "paper"


# --- what cannot be written ---


@pytest.mark.parametrize(
    "words",
    [
        ("score", "{pool}", "--model", "nowhere", "--out", "{file}/scores.parquet"),
        ("score", "{pool}", "--model", "nowhere", "--out", "{folder}"),
        ("select", "{pool}", "--scores", "{scores}", "--budget", "2", "--out", "{file}/picks.json"),
        ("map", "{pool}", "--out", "{file}/map.parquet"),
        ("map", "{pool}", "--runs-dir", "{file}/runs"),
        ("tune", "{pool}", "--model", "m", "--runs-dir", "{file}/runs"),
    ],
)
def test_a_place_that_cannot_be_written_is_said_before_the_work(tmp_path, pool_file, scores_file, words):
    """Before the model is looked for, which is not there either."""
    folder = tmp_path / "folder.parquet"
    folder.mkdir()
    places = {"pool": pool_file, "scores": scores_file, "file": pool_file, "folder": folder}
    result = run(*(word.format(**places) for word in words))
    assert result.exit_code == 1 and result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert "is a folder" in result.stderr or "nothing can be written to" in result.stderr


def test_the_samples_of_all_epochs_once_each(tmp_path, home):
    run_id = made_run(home, (3.0, 2.5, 2.0), picks=((5, 1, 9), (9, 2, 5)))
    out = tmp_path / "all.jsonl"
    assert run("export", run_id, "--all-epochs", "--out", out, "--runs-dir", home).exit_code == 0
    told = [json.loads(line)["messages"][-1]["content"] for line in out.read_text().splitlines()]
    assert told == [f"answer {row}" for row in (5, 1, 9, 2)]
    assert [(export.epoch, export.rows) for export in store.exports(home, run_id)] == [(store.ALL_EPOCHS, 4)]
    both = run("export", run_id, "--all-epochs", "--epoch", 0, "--out", out, "--runs-dir", home)
    assert both.exit_code == 1 and "contradict" in both.stderr


def test_export_makes_the_folder_it_writes_to(tmp_path, home):
    run_id = store.create_run(home, small_config(), small_pool())
    store.write_epoch(home, run_id, small_record(0))
    out = tmp_path / "new" / "picked.jsonl"
    assert run("export", run_id, "--out", out, "--runs-dir", home).exit_code == 0
    assert out.is_file()
    result = run("export", run_id, "--out", out / "picked.jsonl", "--runs-dir", home)
    assert result.exit_code == 1 and "nothing can be written to" in result.stderr


# --- usage ---


@pytest.mark.parametrize(
    "words",
    [
        ("tune",),
        ("tune", "pool.json"),
        ("tune", "--model", "m"),
        ("tune", "p", "--model", "m", "--nonsense"),
        ("tune", "p", "--model", "m", "--strategy", "best"),
        ("tune", "p", "--model", "m", "--epochs", "many"),
        ("select", "p"),
        ("export", "last", "--out", "x", "--format", "xml"),
        ("nothing",),
    ],
)
def test_a_wrong_command_line_has_exit_code_2(words):
    result = run(*words)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("Usage") and result.stdout == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--budget", "-1"), "budget is -1; the smallest allowed value is 0"),
        (("--preset", "best"), "preset 'best' is unknown (known: paper, lora-24gb, demo)"),
        (("--source-weights", "x"), "--source-weights 'x': expected NAME=VALUE"),
        (("--source-weights", "x=much"), "'much' is not a number"),
        (("--config", "nowhere.json"), "nowhere.json does not exist"),
    ],
)
def test_a_setting_that_cannot_be_has_exit_code_1(tmp_path, options, message):
    result = run("tune", "p", "--model", "m", "--runs-dir", tmp_path / "runs", *options)
    assert result.exit_code == 1
    assert message in result.stderr


def test_help_explains_every_setting():
    text = " ".join(run("tune", "--help").stdout.split())
    for f in dataclasses.fields(RunConfig):
        if f.name != "pool":
            assert option_name(f.name) in text
            assert f.metadata["help"].split()[-1] in text
    for words in ("default: 0.05", "from: paper", "unit: samples"):
        assert words in text


def test_help_is_quick_and_imports_nothing_heavy():
    code = (
        "import sys\nfrom backend.cli.commands import main\ntry:\n    main(['--help'])\nexcept SystemExit as end:\n"
        "    heavy = {'torch', 'transformers', 'numba', 'pandas', 'gradio'} & set(sys.modules)\n"
        "    sys.exit(f'{end.code} {sorted(heavy)}' if heavy or end.code else 0)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    for command in ("score", "select", "map", "tune", "resume", "runs", "show", "export", "app"):
        assert f"\n  {command} " in ended.stdout


@pytest.mark.parametrize("how", [[], ["--json"]])
def test_a_terminal_that_lacks_characters_ends_no_command(tmp_path, how):
    """As on Windows, where what is redirected has the system's old encoding."""
    answer = "一二三四五六七八 “quoted”"
    pool = tmp_path / "pool.jsonl"
    pool.write_text(json.dumps({"instruction": "问题", "output": answer}) + "\n")
    words = ["search", pool, "quoted", "--runs-dir", tmp_path / "runs", *how]
    done = subprocess.run(
        [sys.executable, "-m", "backend", *map(str, words)],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        encoding="cp1252",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "“quoted”" in (str(json.loads(done.stdout)) if how else done.stdout)
    assert (answer in str(json.loads(done.stdout))) if how else ("???" in done.stdout)


def test_app_hands_its_arguments_on(monkeypatch, tmp_path):
    called = []
    monkeypatch.setattr(os, "execv", lambda path, words: called.append(words))
    result = run(
        "app", "--port", 7861, "--runs-dir", tmp_path, "--data-root", "a", "--data-root", "b", "--no-browser"
    )
    assert result.exit_code == 0
    assert called[0][1:] == [
        str(ROOT / "app.py"), "--runs-dir", str(tmp_path), "--port", "7861",
        "--data-root", "a", "--data-root", "b", "--no-browser",
    ]  # fmt: skip


def test_app_hands_no_password_on(monkeypatch, tmp_path):
    called = []
    monkeypatch.setattr(
        os, "execv", lambda path, words: called.append((words, os.environ.get("ITERIT_AUTH")))
    )
    monkeypatch.setenv("ITERIT_AUTH", "")
    result = run("app", "--auth", "ada:s3cret")
    assert result.exit_code == 0 and "list of processes" in result.stderr
    words, handed = called[0]
    assert handed == "ada:s3cret" and not any("s3cret" in word for word in words)
    run("app", "--auth-file", tmp_path / "who")
    assert called[1][0][-2:] == ["--auth-file", str(tmp_path / "who")]
    assert run("app", "--auth", "a:b", "--auth-file", tmp_path / "who").exit_code == 1
