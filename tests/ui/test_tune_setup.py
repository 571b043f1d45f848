"""Setting a run up: the form, what is said about it, the command and the launch, called as the plain functions they are."""

from __future__ import annotations

import dataclasses
import json
import shlex
from typing import get_args

import gradio as gr
import pytest
from run_folders import trees

from backend import store
from backend.config import PRESETS, RunConfig, config_from, to_json
from backend.config.command_line import command_line
from backend.errors import ConfigError
from backend.jobs import lifecycle, pool_work, run_launch
from backend.store import database
from iterit_ui.shared import launch as launching
from iterit_ui.shared import settings
from iterit_ui.shared.session import VIEW, first_pool
from iterit_ui.tune import form_config as config_form
from iterit_ui.tune import form_fields as form
from iterit_ui.tune import setup_panel
from iterit_ui.tune.form_check import off, verdict

NAMES = form.form_fields()


@pytest.fixture
def home(tmp_path):
    store.save_pool(tmp_path, trees(), inputs=("trees.jsonl",))
    return tmp_path


def launched(home, sent, *, data=(), settings=None):
    """What a launch answers to a form that has heard of everything."""
    told = setup_panel.carried(home, sent["pool"], settings or {})
    return setup_panel.launched(home, data, (), {**sent, "carried": told}, sent["pool"], settings or {})


def draft(preset="paper", *, pool=None, model="nowhere/tiny", parallel=False, parent="", **changes):
    """The form as the page sends it."""
    values = {name: form.to_form(name, form.default(name, preset)) for name in NAMES}
    return {
        "pool": trees().id if pool is None else pool,
        "model": model,
        "preset": preset,
        "values": {**values, **changes},
        "parallel": parallel,
        "parent": parent,
    }


def config_of(sent, inputs=("demo",), model="demo"):
    return config_form.config_of(config_form.read_draft(sent), inputs, model)


def said(home, sent):
    return verdict(home, (), (), sent)


def texts(found):
    return " ".join(problem["text"] for problem in found["problems"] if problem["fatal"])


# ---------------------------------------------------------------- the form


@pytest.mark.parametrize("name", settings.SHAPES)
def test_a_setting_has_the_same_words_on_every_screen(name):
    made, panel = form.described(name), settings.panel_field(name, form.default(name), form.default(name))
    assert made["label"] == panel["label"] and made["help"].startswith(panel["help"])
    assert made.get("options") == panel.get("options")
    if "max" in panel and panel["kind"] != "budget":  # what a slider reaches is allowed
        low, high = (settings.FIELDS[name].metadata[end] for end in ("low", "high"))
        assert (low is None or panel["min"] >= low) and (high is None or panel["max"] <= high)


def test_words_that_differ_from_the_configuration_are_of_settings_that_there_are():
    assert set(settings.LABEL) | set(settings.HELP) | set(settings.CHOICES) <= set(settings.FIELDS)
    for name, choices in settings.CHOICES.items():
        assert set(choices) == set(get_args(settings.HINTS[name]))


def test_every_setting_has_a_control():
    everything = {f.name for f in dataclasses.fields(RunConfig)}
    assert set(NAMES) | set(form.OWN) == everything
    assert len(NAMES) == len(set(NAMES))
    schema = form.schema()
    assert [name for group in schema["groups"] for name in group["fields"]] == NAMES
    assert [preset["name"] for preset in schema["presets"]] == list(PRESETS)


@pytest.mark.parametrize("name", NAMES)
def test_a_control_shows_help_and_default(name):
    made = form.described(name)
    meta = form.FIELDS[name].metadata
    assert made["help"].startswith(settings.help_of(name)) and "Default:" in made["help"]
    assert name in settings.HELP or meta["help"][1:] in made["help"]
    assert made["label"] and made["unit"] == meta["unit"]
    assert form.from_form(name, form.to_form(name, form.default(name))) == form.default(name)


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_preset_comes_back_as_the_configuration_that_it_is(preset):
    assert config_of(draft(preset)) == config_from({"pool": ("demo",), "model": "demo"}, preset=preset)


def test_what_was_set_on_curate_lies_on_top(home):
    store.set_mark(home, trees().id, [trees().ids[3]], "pinned", who="test")
    found = setup_panel.carried(home, trees().id, {"decay": 0.5, "source_weights": {"web": 0.5}})
    assert found == {"decay": "0.5", "source_weights": "web = 0.5", "pinned": trees().ids[3]}
    value = setup_panel.shown(home, (), (), trees().id, {"decay": 0.5}, {})
    assert value["pool"] == trees().id and value["carried"]["decay"] == "0.5"
    assert value["demo"] == first_pool()


# ---------------------------------------------------------------- what is said before a launch


@pytest.mark.parametrize(
    ("changes", "words", "field"),
    [
        ({"source_weights": "web 0.5"}, "not of the form name = value", "source_weights"),
        ({"budget": ""}, "is empty; expected a number", "budget"),
        ({"budget": "-1"}, "smallest allowed", "budget"),
        ({"budget": "0,05"}, "a point and not a comma", "budget"),
        ({"epochs": "2.5"}, "whole number", "epochs"),
        ({"batch_size": "12", "device_batch_size": "8"}, "not a multiple", "batch_size"),
        ({"source_shares": "web = 0.3"}, "expected low-high", "source_shares"),
        ({"source_weights": "web = much"}, "is not a number", "source_weights"),
        ({"strategy": "magic"}, "allowed: iterit", "strategy"),
        ({"save_merged": True}, "LoRA rank", "save_merged"),
    ],
)
def test_a_mistake_is_said_at_its_field_before_the_launch(home, changes, words, field):
    found = said(home, draft(**changes))
    assert words in texts(found)
    assert any(field in problem["fields"] for problem in found["problems"] if problem["fatal"])
    assert not found["ready"] and found["command"] is None


def test_without_pool_or_model_the_form_says_so(home):
    assert "ool is empty" in texts(said(home, draft(pool="")))
    assert "odel is empty" in texts(said(home, draft(model="")))


def test_a_model_that_is_not_there_is_said(home, tmp_path):
    found = verdict(home, (), (tmp_path,), draft(model=str(tmp_path / "none" / "here")))
    assert not found["ready"] and "none/here" in texts(found)


def test_what_a_launch_would_do_and_cost_is_said(home):
    found = said(home, draft(budget="10", batch_size="8"))
    assert found["ready"]
    assert found["plan"]["line"] == "3 epochs of 10 samples, chosen from 114; 6 held out."
    steps, *others = found["plan"]["cards"]
    assert (steps["label"], steps["value"]) == ("Steps", "6")
    unknown = [card for card in others if card["known"] is False]
    assert all(card["value"] == "not known" and card["hint"] for card in unknown) and unknown
    assert json.loads(found["config"])["budget"] == 10
    assert "--budget 10" in found["command"]
    assert "nothing is trained" in said(home, draft(epochs="0"))["plan"]["line"]


def test_what_has_no_effect_is_said():
    plain = {name: getattr(RunConfig(), name) for name in NAMES}
    assert "set “LoRA rank” above 0" in off(plain)["lora_alpha"]
    assert "lora_alpha" not in off({**plain, "lora_rank": 8})
    assert "review_minutes" not in off({**plain, "review": True})
    assert "update_ratio" in off({**plain, "strategy": "random"})
    assert "learning_rate" in off({**plain, "epochs": 0})


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("pinned", "nobody-0", "does not hold 1 of the 1 sample"),
        ("excluded", "nobody-0\nnobody-1", "2 of the 2 samples"),
        ("source_weights", "radio = 2", "it has book, forum, web"),
        ("source_shares", "radio = 0.1-", "it has book, forum, web"),
    ],
)
def test_what_the_pool_does_not_hold_is_no_run(home, field, value, words):
    found = said(home, draft(**{field: value}))
    assert words in texts(found) and not found["ready"]
    assert [problem["field"] for problem in found["problems"] if problem["fatal"]] == [field]


@pytest.mark.parametrize(
    "sent", [None, 3, {}, {"values": []}, {"values": {"x": 1}}, {"values": {}, "preset": "best"}]
)
def test_what_is_no_form_is_refused_in_words(home, sent):
    say, load, count, _ = setup_panel.questions(home, (), ())
    assert say(sent)["error"]
    assert load(sent)["error"]
    assert count(sent)["error"] and count({"form": sent, "begin": True})["error"]
    assert setup_panel.launched(home, (), (), sent, "", {})[1]["note"]["tone"] == "error"


# ---------------------------------------------------------------- counting tokens


def test_tokens_are_counted_for_the_form_as_it_is(home, monkeypatch):
    begun = []
    monkeypatch.setattr(
        pool_work, "start_work", lambda *words: begun.append(words) or pool_work.work_info(home, *words[1:3])
    )
    count = setup_panel.questions(home, (), ())[2]
    sent = draft("demo", model="demo", max_length="300", system_prompt="Be brief.")
    assert said(home, sent)["plan"]["uncounted"]
    assert count({"form": sent, "begin": False})["state"] == "absent" and not begun
    assert not count({"form": sent, "begin": True})["error"]
    words = ["--model", "demo", "--max-length", "300", "--system-prompt", "Be brief."]
    assert begun == [(home, trees().id, "lengths", words)]


def test_a_model_out_of_bounds_is_not_counted_with(home, tmp_path):
    found = setup_panel.questions(home, (), ())[2]({"form": draft(model=str(tmp_path)), "begin": True})
    assert found["state"] == "failed" and "--model-root" in found["error"]


def test_accelerate_files_are_offered(tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "two.yaml").write_text("distributed_type: MULTI_GPU\nnum_processes: 2\n")
    (tmp_path / "other.yml").write_text("name: something else\n")
    (tmp_path / "broken.yaml").write_bytes(b"\xff\xfe distributed_type:")
    assert launching.accelerate_files([tmp_path]) == [str(tmp_path / "more" / "two.yaml")]


# ---------------------------------------------------------------- the command


def test_the_command_holds_what_differs_from_the_preset(home):
    config = config_of(
        draft("demo", decay="0.2", make_map=False, source_weights="my web = 0.5", pinned="a-0\nb-0")
    )
    words = shlex.split(command_line(config, preset="demo", home=home))
    assert words[:7] == ["python", "-m", "backend", "tune", "demo", "--model", "demo"]
    assert "--preset" not in words  # the command line starts from it where both are the demo
    rest = " ".join(words)
    assert "--decay 0.2" in rest and "--no-make-map" in rest and "--source-weights my web=0.5" in rest
    assert rest.count("--pinned") == 2 and "--learning-rate" not in rest
    assert words[-2:] == ["--runs-dir", str(home)]


def test_a_shell_reads_a_payload_as_one_word(home):
    config = config_from({"pool": ("a b; rm -rf /",), "model": "$(id)", "name": "it's"})
    words = shlex.split(command_line(config, preset="paper", home=home))
    assert "a b; rm -rf /" in words and "$(id)" in words and "it's" in words


@pytest.mark.parametrize("preset", list(PRESETS))
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"decay": "0", "budget": "0.0725", "strategy": "random", "save_checkpoints": False},
        {"source_weights": "my web = 0.5\nbook = 2", "pinned": "a-0\nb-0", "name": "-it's mine-"},
        {"learning_rate": "1.25e-5", "system_prompt": "Be brief.", "response_suffix": "<|im_end|>"},
        {"review": True, "review_minutes": "5", "checkpoint_every": "10", "report_to": "tensorboard"},
    ],
)
def test_the_command_line_reads_the_command_as_the_same_configuration(home, monkeypatch, preset, changes):
    from typer.testing import CliRunner

    from backend.cli import commands, running

    found = []
    monkeypatch.setattr(running, "read_pool", lambda *_: trees())
    monkeypatch.setattr(running, "_follow", lambda *_, **__: None)
    monkeypatch.setattr(run_launch, "launch", lambda home, config, **_: found.append(config) or "run")
    config = config_of(draft(preset, **changes))
    words = shlex.split(command_line(config, preset=preset, home=home))
    result = CliRunner().invoke(commands.app, words[3:])
    assert result.exit_code == 0, result.output
    assert found == [config]


# ---------------------------------------------------------------- loading a configuration


def test_a_configuration_comes_back_into_the_form(home):
    config = config_of(draft("demo", decay="0.2", lora_rank="8", pinned="a-0"), inputs=("trees.jsonl",))
    found = config_form.load_text(home, (), json.dumps(to_json(config)), "config.json")
    assert found["said"] == [] and found["pool"] == trees().id and found["model"] == "demo"
    assert found["preset"] == "demo"
    back = config_of({**draft("demo"), "values": found["values"]}, inputs=("trees.jsonl",))
    assert back == config


def test_what_cannot_be_loaded_is_named_and_the_rest_is_taken(home):
    words = json.dumps({"budget": 9, "decay": 7, "colour": "blue", "model": "/etc", "pool": ["other.jsonl"]})
    found = config_form.load_text(home, (), words)
    assert found["values"] == {"budget": "9"} and found["pool"] == "" and found["model"] == ""
    told = " ".join(found["said"])
    assert "“colour” is no setting" in told and "ecay is 7" in told
    assert "Its model was left out" in told and "Its pool (other.jsonl) was not found" in told


@pytest.mark.parametrize("words", ["", "{", "[1]", "{}", '{"a": 1}', "9" * 2_000_001])
def test_what_is_no_configuration_is_refused(home, words):
    with pytest.raises(ConfigError):
        config_form.load_text(home, (), words)


def test_a_run_is_copied_into_the_form(home, no_worker):
    run, _ = launched(home, draft(budget="10"))
    found = setup_panel.loaded_run(home, (), f"{run}#1")["filled"]
    assert found["key"] == f"{run}#1" and found["parent"] == run and found["values"]["budget"] == "10"
    again, _ = launched(home, draft(budget="11", parent=run))
    assert store.run_info(home, again).parent == run
    assert setup_panel.loaded_run(home, (), "20200101-000000-aaaaaa#1")["note"]["tone"] == "error"
    assert setup_panel.loaded_run(home, (), "") == {}


# ---------------------------------------------------------------- models, pools and files


def test_models_are_found_under_the_roots_and_nowhere_else(tmp_path):
    inside, outside = tmp_path / "models" / "tiny", tmp_path / "elsewhere"
    for folder in (inside, outside):
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
    roots = (tmp_path / "models",)
    assert ("models/tiny", str(inside)) in launching.model_choices(roots)
    assert launching.allowed_model(str(inside), roots) == str(inside)
    for model in (str(outside), str(inside / ".." / ".." / "elsewhere"), "/etc"):
        with pytest.raises(ConfigError, match="not in a folder"):
            launching.allowed_model(model, roots)


def test_a_model_may_be_a_hub_id():
    assert launching.allowed_model(" Qwen/Qwen2.5-0.5B ", ()) == "Qwen/Qwen2.5-0.5B"
    for model in ("", "../x", "a/b/c", "-x/y", "a b"):
        with pytest.raises(ConfigError):
            launching.allowed_model(model, ())


def test_files_lie_inside_the_roots(tmp_path):
    root = tmp_path / "files"
    root.mkdir()
    (root / "two.yaml").write_text("num_processes: 2\n")
    (tmp_path / "secret.yaml").write_text("x: 1\n")
    assert launching.allowed_file("accelerate_config", "two.yaml", (root,)) == str(root / "two.yaml")
    for path in ("../secret.yaml", str(tmp_path / "secret.yaml"), "/etc/passwd", "none.yaml"):
        with pytest.raises(ConfigError, match="inside the folders"):
            launching.allowed_file("accelerate_config", path, (root,))


def test_pools_are_those_of_the_store(home):
    assert ("trees · 120 samples", trees().id) in launching.pool_choices(home)
    assert launching.pool_inputs(home, trees().id) == ("trees.jsonl",)
    assert setup_panel.chosen_pool(home, "", {"pool": trees().id}) == [trees().id, {}, VIEW]
    for sent in ({"pool": "../x"}, {"pool": ""}, None):
        assert setup_panel.chosen_pool(home, "", sent) == [gr.skip()] * 3


# ---------------------------------------------------------------- launching


@pytest.fixture
def no_worker(monkeypatch):
    """Runs are queued but no process is started."""
    monkeypatch.setattr(lifecycle, "pump", lambda home, **_: [])


def test_a_launch_queues_the_run_that_the_form_describes(home, no_worker):
    run, told = launched(home, draft(budget="10", held_out="0.1"))
    assert told["note"]["tone"] == "good" and "queued" in told["note"]["title"]
    config = store.read_config(home, run)
    assert (config.budget, config.model, config.pool) == (10.0, "nowhere/tiny", ("trees.jsonl",))
    assert store.run_info(home, run).pool_id == trees().id
    beside, _ = launched(home, draft(budget="10", parallel=True))
    assert store.run_info(home, beside).allow_parallel
    with database.reading(home) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone()[0] == 2


def test_a_held_out_file_outside_the_data_roots_is_refused(home, no_worker, tmp_path):
    secret = tmp_path / "secret.jsonl"
    secret.write_text('{"instruction": "a", "output": "b"}\n')
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    run, told = launched(home, draft(held_out=str(secret)), data=(allowed,))
    assert run == gr.skip() and told["note"]["tone"] == "error"
    assert store.runs(home) == []


@pytest.mark.parametrize(
    ("told", "settings", "words"),
    [
        (None, {}, "had not reached"),
        ({}, {"budget": 0.2}, "“Budget”"),
        ({"budget": "0.2"}, {"budget": 0.3}, "“Budget”"),
        ({"budget": "0.2"}, {}, "“Budget”"),
    ],
)
def test_a_launch_that_has_not_heard_of_curate_is_refused(home, no_worker, told, settings, words):
    sent = draft(budget="10") | ({} if told is None else {"carried": told})
    run, answer = setup_panel.launched(home, (), (), sent, trees().id, settings)
    assert run == gr.skip() and answer["note"]["tone"] == "warn" and words in answer["note"]["lines"][0]
    assert store.runs(home) == []


def test_a_launch_that_has_heard_of_curate_may_differ_from_it(home, no_worker):
    run, _ = launched(home, draft(budget="10"), settings={"budget": 0.2})
    assert store.read_config(home, run).budget == 10.0


def test_a_launch_of_another_pool_than_the_page_shows_is_refused(home, no_worker):
    sent = {**draft(budget="10"), "carried": {}}
    assert (
        "Another pool"
        in setup_panel.launched(home, (), (), sent, "0123456789abcdef", {})[1]["note"]["lines"][0]
    )
    assert store.runs(home) == []
