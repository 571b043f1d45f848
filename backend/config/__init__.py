"""Every setting of a run, once: its default, unit, range, help and where the default comes from.

The command line, the app's forms, the documentation and the validation are all made from these fields, so a
setting that is not described here does not exist.
"""

from backend.config.check import budget_of, check, held_out_share
from backend.config.fields import setting
from backend.config.presets import PRESET_HELP, PRESETS, preset_values
from backend.config.read import config_from, selection_settings, to_json, typed_value
from backend.config.run_config import TRACKERS, Attention, Precision, RunConfig, Schedule
from backend.config.selection import STRATEGY_HELP, Ranking, SelectionSettings, Strategy, Words
from backend.config.shares import at_least, at_most, share_bounds, share_text
from backend.config.steps import batches, epoch_steps, steps_in_all, steps_per_epoch, warmup_steps

__all__ = [
    "PRESETS",
    "PRESET_HELP",
    "STRATEGY_HELP",
    "TRACKERS",
    "Attention",
    "Precision",
    "Ranking",
    "RunConfig",
    "Schedule",
    "SelectionSettings",
    "Strategy",
    "Words",
    "at_least",
    "at_most",
    "batches",
    "budget_of",
    "check",
    "config_from",
    "epoch_steps",
    "held_out_share",
    "preset_values",
    "selection_settings",
    "setting",
    "share_bounds",
    "share_text",
    "steps_in_all",
    "steps_per_epoch",
    "to_json",
    "typed_value",
    "warmup_steps",
]
