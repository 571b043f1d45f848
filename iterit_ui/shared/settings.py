"""A setting as a person meets it, the same on every screen: label, help, unit, choices and range.

What `RunConfig` says of a setting is the source; here stand only the words that differ from it and the ranges of
sliders, which are narrower than what is allowed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np

from backend.config import STRATEGY_HELP, RunConfig, share_bounds, share_text
from backend.errors import ConfigError
from backend.records import Pool
from iterit_ui.shared import theme
from iterit_ui.shared.strategies import strategy_label

FIELDS = {f.name: f for f in dataclasses.fields(RunConfig)}
HINTS = get_type_hints(RunConfig)
# where it is not the field's name with spaces
LABEL = {
    "decay": "Diversity decay",
    "max_complexity": "Complexity limit",
    "min_response_tokens": "Shortest response",
    "max_response_tokens": "Longest response",
    "seed": "Seed of random draws",
    "name": "Name of the run",
    "lora_rank": "LoRA rank",
    "lora_alpha": "LoRA alpha",
    "lora_dropout": "LoRA dropout",
    "lora_targets": "Layers with adapters",
    "save_merged": "Save the merged model too",
    "max_length": "Longest conversation",
    "max_grad_norm": "Gradient clipping",
    "warmup_ratio": "Warm-up",
    "device_batch_size": "Samples per forward pass",
    "review": "Review before each epoch trains",
    "review_minutes": "Continue automatically after",
    "report_to": "Also report to",
    "accelerate_config": "Accelerate configuration file",
    "make_map": "Lay out the map",
    "held_out_every": "Held-out loss every",
    "max_steps": "Max optimizer steps",
    "earlier_samples": "Samples of earlier epochs",
    "factor_column": "Column as a factor",
    "factor_weight": "Column weight",
}
# where it is not what the configuration says
HELP = {
    "strategy": "How samples are picked.",
    "budget": "How many samples one epoch trains on: a share of the pool, or a number.",
    "update_ratio": "Before each later epoch the best (update ratio x budget) samples are rescored; 1 means the whole pool. The first selection is the same with any.",
    "decay": "How much a phrase still counts once a pick has covered it. 1: nothing is ever covered; 0: once is enough.",
    "complexity_weight": "How much “hard for the model” counts: the exponent a in complexity^a x diversity^b.",
    "diversity_weight": "How much “new among the picks” counts: the exponent b in complexity^a x diversity^b.",
    "source_weights": "Factor on the gain of a source's samples; 0 leaves the source out.",
    "source_shares": "At least and at most so much of the selection is from a source, pinned samples counted. Shares of the budget from 0 to 1, as low-high: 0.1-0.3, 0.1- or -0.3.",
    "factor_column": "A column of your data with numbers (scores of another judge) multiplies the gain. Only ratios matter: scores of 1 and 5 weigh as 10 and 50 do, and 0 is picked last. Samples without a value are left out.",
    "factor_weight": "How much the column counts: the exponent w in complexity^a x diversity^b x value^w. 0: not at all.",
    "max_complexity": "At 1 the prompt does not help the model, often a mismatch. Never selected at or above this.",
    "min_response_tokens": "Shorter responses are left out.",
    "max_response_tokens": "Longer responses are left out; 0 means no limit.",
    "earlier_samples": "What a later epoch makes of samples that were trained on before.",
    "words": "What counts as a word where phrases are counted. Languages written without spaces need “Unicode”.",
}
# choices by value: what a person calls them, and what they do
CHOICES = {
    "strategy": {
        name: (strategy_label(name), f"{hint[0].upper()}{hint[1:]}.") for name, hint in STRATEGY_HELP.items()
    },
    "earlier_samples": {
        "both": (
            "Left out, and covered",
            "They are not selected again, and their phrases keep the weight that they were left with.",
        ),
        "left-out": (
            "Left out",
            "They are not selected again; every epoch begins with all phrases at their full weight.",
        ),
        "covered": (
            "Covered",
            "They may be selected again; their phrases keep the weight that they were left with.",
        ),
    },
    "words": {
        "paper": (
            "Between spaces (paper)",
            "Words of two or more letters or digits, as scikit-learn splits them.",
        ),
        "unicode": (
            "Unicode, by character",
            "Each character of Chinese, Japanese, Thai, Lao, Khmer and Burmese is a word; all other text is split by Unicode's word rules.",
        ),
    },
}
# kind of control, lowest, highest, step: of what changes a selection at once
SHAPES: dict[str, tuple[str, float, float, float]] = {
    "strategy": ("choice", 0, 0, 0),
    "budget": ("budget", 0, 100, 0.5),
    "update_ratio": ("slider", 1, 10, 0.5),
    "decay": ("slider", 0, 1, 0.05),
    "complexity_weight": ("slider", 0, 3, 0.1),
    "diversity_weight": ("slider", 0, 3, 0.1),
    "earlier_samples": ("choice", 0, 0, 0),
    "words": ("choice", 0, 0, 0),
    "factor_column": ("choice", 0, 0, 0),
    "factor_weight": ("slider", 0, 3, 0.1),
    "max_complexity": ("slider", 0.1, 2, 0.01),
    "min_response_tokens": ("number", 0, 1_000_000, 1),
    "max_response_tokens": ("number", 0, 1_000_000, 1),
    "seed": ("number", 0, 1_000_000, 1),
}


def label(name: str) -> str:
    """What a person calls a setting."""
    words = name.replace("_", " ")
    return LABEL.get(name, words[0].upper() + words[1:])


def with_labels(message: str) -> str:
    """A message with settings' names as words; what else holds an underscore, as a column's name may, stays."""
    for name in FIELDS:
        if "_" in name:
            message = message.replace(name, name.replace("_", " "))
    return message


def help_of(name: str) -> str:
    """What a setting does, in sentences."""
    if name in HELP:
        return HELP[name]
    meaning = FIELDS[name].metadata["help"]
    return f"{meaning[0].upper()}{meaning[1:]}."


def options(name: str, keys: Sequence[str] | None = None) -> list[dict[str, str]]:
    """What a choice offers, {value, label, hint} each; all of it, or these values."""
    hint = HINTS[name]
    known = get_args(hint) if get_origin(hint) is Literal else ()
    words = CHOICES.get(name, {})
    return [
        dict(zip(("value", "label", "hint"), (key, *words.get(key, (key, ""))), strict=True))
        for key in (known if keys is None else keys)
    ]


def panel_field(
    name: str, value: Any, default: Any, *, message: str = "", off: str = "", **other: Any
) -> dict[str, Any]:
    """One control of a panel of settings, see `components/settings_panel`.

    message : what is wrong with the value. off : why it has no effect. other : what differs from the usual.
    """
    kind, low, high, step = SHAPES[name]
    unit = "tokens" if name.endswith("tokens") else "x budget" if name == "update_ratio" else ""
    shown = {"name": name, "label": label(name), "kind": kind, "value": value, "default": default}
    shown |= {"help": help_of(name), "message": message, "off": off, "unit": unit}
    if kind == "choice":
        # what a column's name can be depends on the pool: `column_choices`
        if get_origin(HINTS[name]) is Literal:
            shown["options"] = options(name)
    else:
        shown |= {"min": low, "max": high, "step": step}
    if name == "max_response_tokens":
        shown["words"] = {"0": "no limit"}
    return {**shown, **other}


def column_choices(pool: Pool, value: str) -> list[dict[str, str]]:
    """What `factor_column` offers: the pool's columns with numbers, and the present one where it is none of them."""
    found = [{"value": "", "label": "None", "hint": "The paper's gain: complexity and diversity."}]
    for name, kind in pool.own_columns.items():
        if kind == "number":
            known = pool.own(name)[np.isfinite(pool.own(name))]
            words = f"{known.min():,.6g} to {known.max():,.6g}" if len(known) else "no values"
            found.append({"value": name, "label": name, "hint": f"{words} in this pool"})
    if value and all(one["value"] != value for one in found):
        found.append({"value": value, "label": value, "hint": "not a column with numbers of this pool"})
    return found


def panel_sources(
    pool: Pool,
    counts: Sequence[int],
    weights: Mapping[str, float],
    shares: Mapping[str, str],
    problem: tuple[str, str] = ("", ""),
) -> dict[str, Any]:
    """The weights of a pool's sources and the bounds on their shares in a panel of settings.

    counts : samples by source. problem : `source_name` of a source and why its new bounds were not taken.
    """
    bounds = {name: share_bounds(name, text) for name, text in shares.items()}
    return {
        "title": "Sources",
        "help": "Weight: the factor on the gain of a source's samples; 0 leaves it out. At least, at most: its share of the selection.",
        "items": [
            {
                "name": name,
                "colour": theme.source_colour(code),
                "count": theme.number(count),
                "weight": float(weights.get(name, 1.0)),
                **dict(zip(("least", "most"), (round(100 * x, 6) for x in bounds.get(name, (0.0, 1.0))))),
                "message": problem[1] if problem[0] == source_name(code) else "",
            }
            for code, (name, count) in enumerate(zip(pool.sources, counts, strict=True))
        ],
    }


def source_name(index: Any) -> str:
    """What names a source's row in a panel where a value was refused."""
    return f"source {index}"


def with_bounds(shares: Mapping[str, str], sources: Sequence[str], data: Mapping[str, Any]) -> dict[str, str]:
    """Bounds on sources' shares after `weigh` {index, least, most} in percent of the selection.

    Raises
    ------
    ConfigError : no such source, no shares, the least above the most, or all sources together above everything.
    """
    index, least, most = data.get("index"), data.get("least"), data.get("most")
    if type(index) is not int or not 0 <= index < len(sources):
        raise ConfigError(f"the page sent source {index!r}; the pool has {len(sources)}")
    name = sources[index]
    for value in (least, most):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 100:
            raise ConfigError(f"the share of {name} is {value!r}; allowed: 0 to 100 %")
    assert isinstance(least, (int, float)) and isinstance(most, (int, float))
    if least > most:
        raise ConfigError(
            f"{name} would be at least {least:g} % and at most {most:g} %; the least is above the most"
        )
    kept = {other: text for other, text in shares.items() if other != name}
    text = share_text(least / 100, most / 100)
    together = sum(share_bounds(other, one)[0] for other, one in kept.items()) + least / 100
    if together > 1 + 1e-9:
        raise ConfigError(
            f"the sources would have at least {100 * together:.6g} % together; there is no more than 100 %"
        )
    return {**kept, name: text} if text else kept
