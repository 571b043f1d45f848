"""Settings: defaults are the paper's, wrong values are refused in words, every one is documented."""

import dataclasses
from pathlib import Path

import pytest

from backend.config import (
    PRESETS,
    RunConfig,
    SelectionSettings,
    at_least,
    at_most,
    budget_of,
    config_from,
    held_out_share,
    selection_settings,
    share_bounds,
    share_text,
    to_json,
)
from backend.config.settings_table import markdown
from backend.errors import ConfigError

ROOT = Path(__file__).parents[2]


def test_defaults_are_the_papers():
    config = RunConfig()
    assert (config.epochs, config.budget, config.learning_rate) == (3, 0.05, 2e-5)
    assert (config.decay, config.update_ratio, config.max_complexity) == (0.1, 3.0, 1.0)
    assert (config.schedule, config.warmup_ratio, config.weight_decay, config.batch_size) == (
        "cosine",
        0.03,
        0.0,
        32,
    )


@pytest.mark.parametrize(
    ("budget", "n", "samples"),
    [(0.05, 1500, 75), (0.29, 100, 29), (0.07, 100, 7), (1, 100, 100), (2600, 52002, 2600), (500, 100, 100)],
)
def test_budget_is_a_share_up_to_one_and_a_number_above(budget, n, samples):
    assert budget_of(budget, n) == samples


@pytest.mark.parametrize(
    ("text", "bounds", "written"),
    [
        ("0.1-0.3", (0.1, 0.3), "0.1-0.3"),
        ("0.10-", (0.1, 1), "0.1-"),
        (" - .3", (0, 0.3), "-0.3"),
        ("0-1", (0, 1), ""),
        ("0-0", (0, 0), "-0"),
        ("1-", (1, 1), "1-"),
    ],
)
def test_bounds_of_a_share_are_read_and_written(text, bounds, written):
    assert share_bounds("web", text) == bounds
    assert share_text(*bounds) == written
    assert not written or share_bounds("web", written) == bounds


def test_samples_of_a_share_are_rounded_as_meant():
    assert [at_least(low, 100) for low in (0.07, 0.071, 0.29, 0)] == [7, 8, 29, 0]
    assert [at_most(high, 100) for high in (0.07, 0.079, 0.29, 1)] == [7, 7, 29, 100]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"strategy": "best"}, "allowed: iterit, iterit-cumulative, iterit-static"),
        ({"budget": 0}, "share above 0"),
        ({"budget": float("nan")}, "finite"),
        ({"decay": 1.5}, "largest allowed value is 1"),
        ({"epochs": 1.5}, "whole number"),
        ({"epochs": "many"}, "epochs is 'many'"),
        ({"lr": 1}, "setting 'lr' is unknown"),
        ({"min_response_tokens": 9, "max_response_tokens": 5}, "is below"),
        ({"pinned": ["a"], "excluded": ["a"]}, "both pinned and excluded"),
        ({"source_weights": {"web": -1}}, "'web' is -1"),
        ({"source_shares": {"web": "0.3"}}, "'web' is '0.3'; expected low-high, low- or -high"),
        ({"source_shares": {"web": "-"}}, "expected low-high"),
        ({"source_shares": {"web": "0.1-2"}}, "largest allowed share is 1"),
        ({"source_shares": {"web": "0.3-0.1"}}, r"the lower bound \(0.3\) is above the upper \(0.1\)"),
        ({"source_shares": {"web": "0.7-", "book": "0.5-"}}, "lower bounds add up to 1.2"),
        ({"batch_size": 10, "device_batch_size": 4}, "multiple"),
        ({"save_checkpoints": "no"}, "true or false"),
        ({"epochs": float("inf")}, "epochs is inf"),
        ({"system_prompt": None}, "system_prompt is None; needed: str"),
        ({"held_out": "1"}, "held_out is 1; expected a share from 0 up to"),
        ({"held_out": -0.1}, "held_out is -0.1; expected a share from 0 up to"),
        ({"held_out": "nan"}, "held_out is nan; expected a share from 0 up to"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(values, says):
    with pytest.raises(ConfigError, match=says):
        config_from(values)


def test_held_out_is_a_share_or_a_file():
    assert held_out_share(config_from({"held_out": "0.25"})) == 0.25
    assert held_out_share(config_from({"held_out": ""})) == 0
    assert held_out_share(config_from({"held_out": "demo"})) is None


def test_an_unknown_preset_is_refused():
    with pytest.raises(ConfigError, match="known: paper, lora-24gb, demo"):
        config_from({}, preset="fast")


def test_what_is_given_wins_over_the_preset():
    config = config_from({"budget": 0.2, "pool": "demo"}, preset="demo")
    assert config.budget == 0.2
    assert config.learning_rate == PRESETS["demo"]["learning_rate"]
    assert config.pool == ("demo",)


def test_a_configuration_survives_json():
    config = config_from({"pool": ["a.json"], "source_weights": {"web": 0.5}, "pinned": ["x"]})
    assert config_from(to_json(config)) == config


def test_the_selection_part_can_be_changed_and_is_checked():
    config = config_from({"budget": 0.2})
    changed = selection_settings(config, decay=0.5)
    assert isinstance(changed, SelectionSettings)
    assert (changed.budget, changed.decay) == (0.2, 0.5)
    with pytest.raises(ConfigError, match="decay"):
        selection_settings(config, decay=-1)


def test_every_setting_says_what_it_is():
    for f in dataclasses.fields(RunConfig):
        assert len(f.metadata["help"]) > 10, f.name
        assert f.metadata["group"] in {"data", "model", "selection", "training", "lora", "running"}, f.name


def test_the_documentation_of_the_settings_is_fresh():
    written = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == markdown(), "run: python -m backend.config.settings_table > docs/settings.md"
