"""Every setting of a run, once: its default, unit, range, help and where the default comes from.

The command line, the app's forms, the documentation and the validation are all made from these fields, so a
setting that is not described here does not exist.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin, get_type_hints

from backend.errors import ConfigError

Strategy = Literal[
    "iterit",
    "iterit-static",
    "complexity",
    "superfiltering",
    "diversity",
    "longest",
    "random",
    "random-each-epoch",
    "full",
]
Ranking = Literal["paper", "authors"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]
Schedule = Literal["cosine", "linear", "constant"]

STRATEGY_HELP: dict[str, str] = {
    "iterit": "complexity x diversity, re-scored and re-selected before every epoch (the method)",
    "iterit-static": "complexity x diversity, epoch 0's selection kept (the paper's ablation)",
    "complexity": "complexity alone, re-scored before every epoch",
    "superfiltering": "complexity of the untouched model alone, once",
    "diversity": "diversity alone, once; needs no model",
    "longest": "the longest responses, in tokens",
    "random": "a seeded draw, kept for all epochs",
    "random-each-epoch": "a new seeded draw before every epoch: the fair control for changing data",
    "full": "the whole pool",
}


def setting(
    default: Any,
    help: str,
    *,
    group: str,
    unit: str = "",
    origin: str = "ours",
    low: float | None = None,
    high: float | None = None,
) -> Any:
    """A dataclass field that carries what a form, a --help and a range check need."""
    meta = {"help": help, "group": group, "unit": unit, "origin": origin, "low": low, "high": high}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=meta)
    return field(default=default, metadata=meta)


@dataclass(frozen=True, kw_only=True)
class SelectionSettings:
    """What decides a selection once the scores are known; changing one needs no model."""

    strategy: Strategy = setting("iterit", "how samples are chosen", group="selection", origin="paper")
    budget: float = setting(
        0.05,
        "how many samples an epoch trains on: a share of the pool up to 1, else a number of samples",
        group="selection",
        unit="share or samples",
        origin="paper",
        low=0.0,
    )
    update_ratio: float = setting(
        3.0,
        "before each later epoch only the top (update ratio x budget) samples are scored anew; "
        "1 means the whole pool",
        group="selection",
        unit="x budget",
        origin="paper",
        low=1.0,
    )
    decay: float = setting(
        0.1,
        "what an n-gram's weight is multiplied with once a pick has covered it "
        "(0.1 for general data, 0 for a narrow domain)",
        group="selection",
        origin="paper",
        low=0.0,
        high=1.0,
    )
    complexity_weight: float = setting(
        1.0,
        "exponent a in complexity^a x diversity^b",
        group="selection",
        origin="paper (a = 1)",
        low=0.0,
        high=10.0,
    )
    diversity_weight: float = setting(
        1.0,
        "exponent b in complexity^a x diversity^b",
        group="selection",
        origin="paper (b = 1)",
        low=0.0,
        high=10.0,
    )
    source_weights: dict[str, float] = setting(
        {},
        "factor on the gain of a source's samples, by source name; 1 where not named, 0 leaves the source out",
        group="selection",
    )
    max_complexity: float = setting(
        1.0,
        "samples with complexity at or above this are never selected: the prompt does not help",
        group="selection",
        origin="paper",
        low=0.0,
    )
    min_response_tokens: int = setting(
        0, "shorter responses are not candidates", group="selection", unit="tokens", low=0
    )
    max_response_tokens: int = setting(
        0, "longer responses are not candidates; 0 sets no limit", group="selection", unit="tokens", low=0
    )
    pinned: tuple[str, ...] = setting((), "sample ids that are always in, first", group="selection")
    excluded: tuple[str, ...] = setting((), "sample ids that are never in", group="selection")
    ranking: Ranking = setting(
        "paper",
        "order from which the update ratio's top is taken; 'authors' puts complexity >= 1 before the "
        "runners-up, as the authors' code does",
        group="selection",
        origin="paper",
    )
    response_suffix: str = setting(
        "",
        "text added to every response before its n-grams are counted (the authors' code counts the turn's "
        "closing marker too, for example <|im_end|>)",
        group="selection",
        origin="paper (none)",
    )
    seed: int = setting(
        0, "seed of every draw: random strategies, held-out split, batch order", group="selection", low=0
    )


@dataclass(frozen=True, kw_only=True)
class RunConfig(SelectionSettings):
    """A complete run: running the same configuration again on the same machine gives the same run."""

    pool: tuple[str, ...] = setting((), "files, folders, a hub dataset id, or 'demo'", group="data")
    mapping: dict[str, str] = setting(
        {},
        "columns by role (prompt, input, response, system, source) for a file whose format is not recognised",
        group="data",
    )
    model: str = setting("", "folder of a causal language model, a hub id, or 'demo'", group="model")
    name: str = setting("", "what to call this run; made from strategy and budget where empty", group="data")
    epochs: int = setting(
        3,
        "passes of training; 0 only scores and selects",
        group="training",
        unit="epochs",
        origin="paper",
        low=0,
    )
    learning_rate: float = setting(2e-5, "peak learning rate", group="training", origin="paper", low=0.0)
    schedule: Schedule = setting(
        "cosine", "shape of the learning rate over all epochs", group="training", origin="paper"
    )
    warmup_ratio: float = setting(
        0.03,
        "share of all steps that warm up",
        group="training",
        unit="share",
        origin="paper",
        low=0.0,
        high=1.0,
    )
    weight_decay: float = setting(0.0, "AdamW's weight decay", group="training", origin="paper", low=0.0)
    batch_size: int = setting(
        32, "samples per optimizer step", group="training", unit="samples", origin="paper", low=1
    )
    device_batch_size: int = setting(
        8,
        "samples per forward pass; gradients are accumulated up to the batch size",
        group="training",
        unit="samples",
        low=1,
    )
    max_grad_norm: float = setting(1.0, "gradient clipping", group="training", origin="transformers", low=0.0)
    held_out: str = setting(
        "0.05",
        "what the held-out loss is measured on: a share of the pool that is kept aside, or a file; 0 for none",
        group="data",
        unit="share or file",
    )
    max_length: int = setting(
        1024,
        "a conversation is cut at its end after this many tokens (never more than the model's positions)",
        group="model",
        unit="tokens",
        low=8,
    )
    system_prompt: str = setting(
        "You are a helpful assistant.",
        "system turn put before conversations that bring none; empty for none",
        group="model",
        origin="authors' code",
    )
    precision: Precision = setting(
        "auto", "auto: bf16 on a GPU that has it, else float32", group="model", origin="paper (bf16)"
    )
    batch_tokens: int = setting(
        8192, "tokens in one scoring batch, padding included", group="model", unit="tokens", low=64
    )
    threads: int = setting(0, "CPU threads; 0 leaves it to torch", group="model", unit="threads", low=0)
    processes: int = setting(
        0,
        "processes that score together; 0 takes one per GPU, and one where there is none; more than one only "
        "where nothing is trained",
        group="model",
        unit="processes",
        low=0,
    )
    make_map: bool = setting(True, "lay out the pool's map once", group="data")
    save_checkpoints: bool = setting(
        True, "write a checkpoint after each epoch, so that the run can be resumed", group="training"
    )


PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "demo": {
        "budget": 0.10,
        "learning_rate": 3e-4,
        "batch_size": 8,
        "device_batch_size": 8,
        "epochs": 3,
        "max_length": 512,
        "system_prompt": "",
        "held_out": "demo",
        "batch_tokens": 6144,
    },
}
PRESET_HELP = {
    "paper": "the paper's recommendation: 3 epochs, 5 %, learning rate 2e-5, cosine, batch 32",
    "demo": "for the embedded pool and its 2-million-parameter model: 10 %, learning rate 3e-4, batch 8",
}


def config_from(values: Mapping[str, Any], *, preset: str = "paper") -> RunConfig:
    """A checked run configuration from a preset and what differs from it.

    Raises
    ------
    ConfigError : an unknown name, a value of the wrong kind, out of range, or in contradiction to another.
    """
    if preset not in PRESETS:
        raise ConfigError(f"preset {preset!r} is unknown (known: {', '.join(PRESETS)})")
    known = {f.name for f in dataclasses.fields(RunConfig)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ConfigError(f"setting {unknown[0]!r} is unknown (known: {', '.join(sorted(known))})")
    merged = {**PRESETS[preset], **values}
    hints = get_type_hints(RunConfig)
    config = RunConfig(**{name: _coerce(name, value, hints[name]) for name, value in merged.items()})
    check(config)
    return config


def selection_settings(config: SelectionSettings, **changes: Any) -> SelectionSettings:
    """The selection part of a configuration, with some of it changed and checked."""
    names = [f.name for f in dataclasses.fields(SelectionSettings)]
    hints = get_type_hints(SelectionSettings)
    unknown = sorted(set(changes) - set(names))
    if unknown:
        raise ConfigError(f"setting {unknown[0]!r} is unknown (known: {', '.join(names)})")
    values = {name: getattr(config, name) for name in names} | changes
    settings = SelectionSettings(
        **{name: _coerce(name, value, hints[name]) for name, value in values.items()}
    )
    check(settings)
    return settings


def check(settings: SelectionSettings) -> None:
    """Raise ConfigError where a value is out of its range or contradicts another."""
    for f in dataclasses.fields(settings):
        value, low, high = getattr(settings, f.name), f.metadata["low"], f.metadata["high"]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if not math.isfinite(value):
                raise ConfigError(f"{f.name} is {value}; a finite number is needed")
            if low is not None and value < low:
                raise ConfigError(f"{f.name} is {value:g}; the smallest allowed value is {low:g}")
            if high is not None and value > high:
                raise ConfigError(f"{f.name} is {value:g}; the largest allowed value is {high:g}")
    if settings.budget <= 0:
        raise ConfigError(
            f"budget is {settings.budget:g}; give a share above 0 up to 1, or a number of samples"
        )
    if settings.max_response_tokens and settings.max_response_tokens < settings.min_response_tokens:
        raise ConfigError(
            f"max_response_tokens ({settings.max_response_tokens}) is below "
            f"min_response_tokens ({settings.min_response_tokens})"
        )
    both = sorted(set(settings.pinned) & set(settings.excluded))
    if both:
        raise ConfigError(f"sample {both[0]} is both pinned and excluded")
    for name, weight in settings.source_weights.items():
        if not math.isfinite(weight) or weight < 0:
            raise ConfigError(f"source_weights: {name!r} is {weight}; 0 or a positive number is needed")
    if not isinstance(settings, RunConfig):
        return
    held_out_share(settings)
    if settings.processes > 1 and settings.epochs:
        raise ConfigError(
            f"processes is {settings.processes} and epochs {settings.epochs}: a run that trains scores with the model it "
            "trains, in one process (allowed: processes 0 or 1, or epochs 0)"
        )
    if settings.batch_size % min(settings.device_batch_size, settings.batch_size):
        raise ConfigError(
            f"batch_size ({settings.batch_size}) is not a multiple of device_batch_size ({settings.device_batch_size})"
        )


def held_out_share(config: RunConfig) -> float | None:
    """The share of the pool to keep aside, from 0 up to 1, or None where `held_out` names a file.

    Raises
    ------
    ConfigError : a number outside [0, 1).
    """
    try:
        share = float(config.held_out or 0)
    except ValueError:
        return None
    if not (math.isfinite(share) and 0 <= share < 1):
        raise ConfigError(
            f"held_out is {config.held_out}; a share from 0 up to (not including) 1, or a file, is needed"
        )
    return share


def budget_of(budget: float, n: int) -> int:
    """Number of samples an epoch trains on: floor(budget * n) up to 1, else the number itself, at most n."""
    if budget <= 1:
        # 0.07 * 100 is 7.000000000000001 and 0.29 * 100 is 28.999999999999996: floor what was meant
        return math.floor(round(budget * n, 9))
    return min(int(budget), n)


def to_json(config: SelectionSettings) -> dict[str, Any]:
    """The configuration as plain JSON values."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def _coerce(name: str, value: Any, hint: Any) -> Any:
    """`value` as the field's type, or a ConfigError that says what is needed."""
    origin = get_origin(hint)
    if origin is Literal:
        allowed = get_args(hint)
        if value not in allowed:
            raise ConfigError(f"{name} is {value!r}; allowed: {', '.join(map(str, allowed))}")
        return value
    try:
        if origin is tuple:
            return (value,) if isinstance(value, str) else tuple(str(item) for item in value)
        if origin is dict:
            kind = get_args(hint)[1]
            return {str(key): kind(item) for key, item in dict(value).items()}
        if hint is bool:
            if not isinstance(value, bool):
                raise ValueError("true or false")
            return value
        if hint is int:
            if float(value) != int(value):
                raise ValueError("a whole number")
            return int(value)
        if hint is str and not isinstance(value, (str, int, float)):
            raise ValueError("text")  # str() would make "None" of null
        return hint(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigError(
            f"{name} is {value!r}; needed: {getattr(hint, '__name__', hint)} ({error})"
        ) from error
