"""Setting a run up: the form, the command and the launch, called as the plain functions that they are."""

from __future__ import annotations

import dataclasses
import shlex

import gradio as gr
import pytest
from run_folders import trees

from backend import jobs, store
from backend.config import PRESETS, RunConfig, config_from
from backend.errors import ConfigError
from iterit_ui import tune_form as form
from iterit_ui import tune_launch as launching
from iterit_ui import tune_run, tune_setup

NAMES = form.form_fields()


@pytest.fixture
def home(tmp_path):
    store.save_pool(tmp_path, trees(), inputs=("trees.jsonl",))
    return tmp_path


def values(preset="paper", **changes):
    shown = dict(zip(NAMES, form.preset_values(preset, {})))
    return [{**shown, **changes}[name] for name in NAMES]


# ---------------------------------------------------------------- the form


def test_every_setting_has_a_control():
    everything = {f.name for f in dataclasses.fields(RunConfig)}
    assert set(NAMES) | set(form.OWN) == everything
    assert len(NAMES) == len(set(NAMES))


@pytest.mark.parametrize("name", NAMES)
def test_a_control_shows_help_and_default(name):
    made = form.control(name)
    meta = form.FIELDS[name].metadata
    assert meta["help"][1:] in made.info and "Default:" in made.info
    assert made.label
    assert meta["unit"] in made.label or meta["unit"] in name
    assert form.from_control(name, made.value) == form.default(name)


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_preset_comes_back_as_the_configuration_that_it_is(preset):
    config = form.config_of(values(preset), pool=("demo",), model="demo", preset=preset)
    assert config == config_from({"pool": ("demo",), "model": "demo"}, preset=preset)


def test_settings_of_the_curate_tab_lie_on_top_of_the_preset():
    carried = {"decay": 0.5, "source_weights": {"web": 0.5}, "pinned": ["a-0", "b-0"]}
    shown = dict(zip(NAMES, form.preset_values("demo", carried)))
    assert shown["decay"] == 0.5 and shown["budget"] == 0.10
    assert shown["source_weights"] == "web = 0.5" and shown["pinned"] == "a-0\nb-0"
    config = form.config_of([shown[name] for name in NAMES], pool=("demo",), model="demo", preset="demo")
    assert config.source_weights == {"web": 0.5} and config.pinned == ("a-0", "b-0")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source_weights": "web 0.5"}, "not of the form name = value"),
        ({"budget": None}, "budget is empty"),
        ({"budget": -1}, "smallest allowed"),
        ({"epochs": 2.5}, "whole number"),
        ({"batch_size": 12, "device_batch_size": 8}, "not a multiple"),
        ({"source_weights": "web = much"}, "needed"),
        ({"strategy": "magic"}, "allowed: iterit"),
    ],
)
def test_a_mistake_is_said_before_the_launch(home, changes, words):
    note, button, command = tune_setup.check(home, trees().id, "nowhere/tiny", "paper", *values(**changes))
    assert note["tone"] == "error" and words in note["text"]
    assert button.interactive is False and command == gr.skip()


def test_without_pool_or_model_the_form_says_so(home):
    assert "no pool" in tune_setup.check(home, None, "demo", "paper", *values())[0]["text"]
    assert "model is empty" in tune_setup.check(home, trees().id, None, "paper", *values())[0]["text"]


def test_a_sentence_says_what_a_launch_would_do(home):
    note, button, _ = tune_setup.check(
        home, trees().id, "nowhere/tiny", "paper", *values(budget=10, batch_size=8)
    )
    assert note["text"] == "3 epochs of about 10 samples each, 2 steps an epoch; 6 samples are held out."
    assert button.interactive is True
    assert (
        "nothing is trained"
        in tune_setup.check(home, trees().id, "a/b", "paper", *values(epochs=0))[0]["text"]
    )


# ---------------------------------------------------------------- the command


def test_the_command_holds_what_differs_from_the_preset(home):
    config = form.config_of(
        values("demo", decay=0.2, make_map=False, source_weights="my web = 0.5", pinned="a-0\nb-0"),
        pool=("demo",),
        model="demo",
        preset="demo",
    )
    words = shlex.split(launching.command_line(config, preset="demo", home=home))
    assert words[:7] == ["python", "-m", "backend", "tune", "demo", "--model", "demo"]
    assert "--preset" not in words  # the command line starts from it where both are the demo
    rest = " ".join(words)
    assert "--decay 0.2" in rest and "--no-make-map" in rest and "--source-weights my web=0.5" in rest
    assert rest.count("--pinned") == 2 and "--learning-rate" not in rest
    assert words[-2:] == ["--runs-dir", str(home)]


def test_a_shell_reads_a_payload_as_one_word(home):
    config = config_from({"pool": ("a b; rm -rf /",), "model": "$(id)", "name": "it's"})
    words = shlex.split(launching.command_line(config, preset="paper", home=home))
    assert "a b; rm -rf /" in words and "$(id)" in words and "it's" in words


# ---------------------------------------------------------------- models and pools


def test_models_are_found_under_the_roots_and_nowhere_else(tmp_path):
    inside, outside = tmp_path / "models" / "tiny", tmp_path / "elsewhere"
    for folder in (inside, outside):
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
    roots = (tmp_path / "models",)
    assert ("models/tiny", str(inside)) in launching.model_choices(roots)
    assert launching.allowed_model(str(inside), roots) == str(inside)
    for model in (str(outside), str(inside / ".." / ".." / "elsewhere"), "/etc"):
        with pytest.raises(ConfigError, match="none of the folders"):
            launching.allowed_model(model, roots)


def test_a_model_may_be_a_hub_id():
    assert launching.allowed_model(" Qwen/Qwen2.5-0.5B ", ()) == "Qwen/Qwen2.5-0.5B"
    for model in ("", "../x", "a/b/c", "-x/y", "a b"):
        with pytest.raises(ConfigError):
            launching.allowed_model(model, ())


def test_pools_are_those_of_the_store(home):
    assert ("trees · 120 samples", trees().id) in launching.pool_choices(home)
    assert launching.pool_inputs(home, trees().id) == ("trees.jsonl",)


# ---------------------------------------------------------------- launching


@pytest.fixture
def no_worker(monkeypatch):
    """Runs are queued but no process is started."""
    monkeypatch.setattr(jobs, "pump", lambda home: [])


def test_a_launch_queues_the_run_that_the_form_describes(home, no_worker):
    run, note = tune_setup.launch_run(
        home, (), (), False, trees().id, "nowhere/tiny", "paper", *values(budget=10, held_out="0.1")
    )
    assert note["tone"] == "good" and "queued" in note["title"]
    config = store.read_config(home, run)
    assert (config.budget, config.model, config.pool) == (10.0, "nowhere/tiny", ("trees.jsonl",))
    assert store.run_info(home, run).pool_id == trees().id


def test_a_second_run_waits_for_the_first(home, no_worker):
    first, _ = tune_setup.launch_run(
        home, (), (), False, trees().id, "nowhere/tiny", "paper", *values(budget=10)
    )
    second, _ = tune_setup.launch_run(
        home, (), (), False, trees().id, "nowhere/tiny", "paper", *values(budget=11)
    )
    store.claim_next(home, "here")
    rows = tune_run.look(home, second, "tune", "")[0]["rows"]
    assert [row["state"]["text"] for row in rows] == ["queued, 1 ahead", "running"]
    assert store.run_info(home, first).state == "running"


def test_a_held_out_file_outside_the_data_roots_is_refused(home, no_worker, tmp_path):
    secret = tmp_path / "secret.jsonl"
    secret.write_text('{"instruction": "a", "output": "b"}\n')
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    run, note = tune_setup.launch_run(
        home, (allowed,), (), False, trees().id, "nowhere/tiny", "paper", *values(held_out=str(secret))
    )
    assert run == gr.skip() and note["tone"] == "error"
    assert store.runs(home) == []


@pytest.mark.parametrize("preset", list(PRESETS))
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"decay": 0.0, "budget": 0.0725, "strategy": "random", "save_checkpoints": False},
        {"source_weights": "my web = 0.5\nbook = 2", "pinned": "a-0\nb-0", "name": "-it's mine-"},
        {"learning_rate": 1.25e-5, "system_prompt": "Be brief.", "response_suffix": "<|im_end|>"},
    ],
)
def test_the_command_line_reads_the_command_as_the_same_configuration(home, monkeypatch, preset, changes):
    from typer.testing import CliRunner

    from backend.cli import commands, running

    found = []
    monkeypatch.setattr(running, "read_pool", lambda *_: trees())
    monkeypatch.setattr(running, "_follow", lambda *_, **__: None)
    monkeypatch.setattr(jobs, "launch", lambda home, config, **_: found.append(config) or "run")
    config = form.config_of(values(preset, **changes), pool=("demo",), model="demo", preset=preset)
    words = shlex.split(launching.command_line(config, preset=preset, home=home))
    result = CliRunner().invoke(commands.app, words[3:])
    assert result.exit_code == 0, result.output
    assert found == [config]
