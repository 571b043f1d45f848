"""Settings of training: contradictions are refused in words that name both fields, and steps are counted."""

import pytest

from backend.config import (
    PRESETS,
    batches,
    config_from,
    epoch_steps,
    steps_in_all,
    steps_per_epoch,
    warmup_steps,
)
from backend.errors import ConfigError


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (
            {"lora_alpha": 32},
            "lora_alpha is 32 and lora_rank 0.*allowed: lora_rank 1 or more, or no lora_alpha",
        ),
        ({"lora_dropout": 0.1}, "lora_dropout is 0.1 and lora_rank 0"),
        ({"lora_targets": ["q_proj", "v_proj"]}, "lora_targets is q_proj, v_proj and lora_rank 0"),
        ({"save_merged": True}, "save_merged is true and lora_rank 0"),
        ({"review_minutes": 5}, "review_minutes is 5 and review false.*allowed: review true"),
        ({"accelerate_config": "a.yaml", "processes": 2}, "accelerate_config is 'a.yaml' and processes 2"),
        (
            {"checkpoint_every": 5, "save_checkpoints": False},
            "checkpoint_every is 5 and save_checkpoints false",
        ),
        ({"max_steps": 5, "epochs": 0}, "max_steps is 5 and epochs 0"),
        ({"held_out_every": 5, "held_out": "0"}, "held_out_every is 5 and held_out 0"),
        ({"held_out_every": 5, "held_out": ""}, "held_out_every is 5 and held_out empty"),
        ({"attention": "flash_attention_2", "precision": "fp32"}, "flash_attention_2 and precision fp32"),
        (
            {"report_to": ["tensorboard", "mlflow"]},
            "report_to names 'mlflow'; allowed: trackio, tensorboard, wandb",
        ),
        ({"batch_size": 12, "device_batch_size": 8}, r"batch_size \(12\).*multiple.*device_batch_size \(8\)"),
    ],
)
def test_what_contradicts_is_refused_with_both_names(values, says):
    with pytest.raises(ConfigError, match=says):
        config_from(values)


@pytest.mark.parametrize(
    "values",
    [
        {
            "lora_rank": 8,
            "lora_alpha": 32,
            "lora_dropout": 0.1,
            "lora_targets": ["q_proj"],
            "save_merged": True,
        },
        {"review": True, "review_minutes": 5},
        {"checkpoint_every": 5},
        {"max_steps": 5, "held_out_every": 2},
        {"report_to": ["trackio", "tensorboard", "wandb"]},
        {"attention": "flash_attention_2"},
        {"processes": 2, "epochs": 0},
    ],
)
def test_what_belongs_together_is_taken(values):
    config_from(values)


def test_every_preset_is_a_configuration():
    for name in PRESETS:
        config_from({}, preset=name)
    lora = config_from({}, preset="lora-24gb")
    assert lora.lora_rank and lora.gradient_checkpointing and lora.learning_rate == 2e-4


def test_steps_of_an_epoch_and_in_all():
    config = config_from({"batch_size": 8, "device_batch_size": 4, "epochs": 3})
    assert batches(config) == (4, 2)
    assert steps_per_epoch(20, config) == 3
    assert epoch_steps(20, config) == [3, 3, 3]
    assert steps_in_all(20, config) == 9
    # in two processes each reads half of an optimizer step
    assert batches(config, 2) == (4, 1)
    assert steps_per_epoch(20, config, 2) == 3


@pytest.mark.parametrize(
    ("max_steps", "by_epoch"),
    [(1, [1]), (3, [3]), (4, [3, 1]), (8, [3, 3, 2]), (9, [3, 3, 3]), (50, [3, 3, 3])],
)
def test_max_steps_ends_the_last_epoch_early(max_steps, by_epoch):
    config = config_from({"batch_size": 8, "epochs": 3, "max_steps": max_steps})
    assert epoch_steps(20, config) == by_epoch
    assert steps_in_all(20, config) == sum(by_epoch)


def test_warmup_is_a_share_of_the_steps_that_are_taken():
    config = config_from({"batch_size": 8, "epochs": 10, "warmup_ratio": 0.2})
    assert warmup_steps(80, config) == 20
    assert (
        warmup_steps(80, config_from({"batch_size": 8, "epochs": 10, "warmup_ratio": 0.2, "max_steps": 15}))
        == 3
    )
