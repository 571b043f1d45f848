"""What the page says about the form before a launch: what is wrong, what has no effect, what the run will cost, and
the same as a command and as a config.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backend import analysis, store
from backend.analysis import Figure, PlanEstimate
from backend.analysis.held_out_words import file_words
from backend.analysis.plan_tokens import NOT_COUNTED, unscorable
from backend.config import RunConfig
from backend.config.command_line import command_line
from backend.errors import ConfigError, StudioError
from backend.jobs import run_launch
from backend.jobs.overlap_checks import overlap_problems
from backend.preflight import checks
from backend.preflight.checks import Problem
from backend.records import Pool
from iterit_ui.shared import theme
from iterit_ui.shared.launch import pool_inputs, pool_mapping, with_allowed_files
from iterit_ui.shared.session import get_pool
from iterit_ui.shared.settings import label
from iterit_ui.shared.strategies import without_effect
from iterit_ui.tune.form_config import (
    Draft,
    config_of,
    config_text,
    fields_named,
    read_draft,
    settings_of,
    worded,
)

TRAINING_ONLY = (
    "learning_rate",
    "schedule",
    "warmup_ratio",
    "weight_decay",
    "batch_size",
    "device_batch_size",
    "max_grad_norm",
    "max_steps",
    "gradient_checkpointing",
    "save_checkpoints",
    "checkpoint_every",
    "held_out_every",
    "lora_rank",
    "report_to",
)
ADAPTERS_ONLY = ("lora_alpha", "lora_dropout", "lora_targets", "save_merged")


def verdict(home: Path, data_roots: Sequence[Path], model_roots: Sequence[Path], data: Any) -> dict[str, Any]:
    """What there is to say about the form that the page sent.

    Returns {problems: [{field, fields, text, fatal}], off: {setting: why it has no effect}, plan, command, config,
    ready}; plan, command and config are None where the form describes no run.
    """
    draft = read_draft(data)
    settings, problems = settings_of(draft)
    found: dict[str, Any] = {"off": off(settings), "plan": None, "command": None, "config": None}
    config = None
    try:
        pool = _pool(home, draft)
        if not problems:
            config = launchable(home, draft, data_roots, model_roots)
    except StudioError as error:
        problems.append(_problem(error))
    if config is not None:
        problems += checks.preflight(config, len(pool), home=home)
        problems += unknown_ids(home, draft.pool, pool, config)
        unread = unscorable(home, config, draft.pool)
        problems += [unread] if unread is not None else []
        problems += overlap_problems(home, config, pool)
        found["command"] = command_line(config, preset=draft.preset, home=home)
        found["config"] = config_text(run_launch.with_absolute_paths(config))
        try:
            found["plan"] = plan_words(
                analysis.plan_estimate(home, config, draft.pool, len(pool)), config, len(pool)
            )
        except StudioError as error:
            problems.append(_problem(error))
    found["problems"] = [
        {
            "field": problem.field,
            "fields": fields_named(problem.text.replace("“", "").replace("”", "")) or [problem.field],
            "text": worded(problem.text),
            "fatal": problem.fatal,
        }
        for problem in sorted(problems, key=lambda problem: not problem.fatal)
    ]
    found["ready"] = config is not None and not any(problem.fatal for problem in problems)
    return found


def launchable(
    home: Path, draft: Draft, data_roots: Sequence[Path], model_roots: Sequence[Path]
) -> RunConfig:
    """The configuration as the worker gets it.

    Raises
    ------
    StudioError : the form describes no run that may be launched here.
    """
    if not draft.model.strip():
        raise ConfigError("model is empty; choose one from the list, or type a hub id (owner/name)")
    config = config_of(
        draft, pool_inputs(home, draft.pool), draft.model.strip(), pool_mapping(home, draft.pool)
    )
    return with_allowed_files(config, data_roots, model_roots)


def off(settings: Mapping[str, Any]) -> dict[str, str]:
    """Why a setting has no effect with the others as they are, by setting; what cannot be read counts as set."""
    why: dict[str, str] = {}
    epochs, strategy = settings.get("epochs", 1), settings.get("strategy", "iterit")
    if epochs == 0:
        why |= dict.fromkeys(TRAINING_ONLY, "Nothing is trained with 0 epochs.")
    for name in (
        "update_ratio",
        "decay",
        "complexity_weight",
        "diversity_weight",
        "max_complexity",
        "factor_column",
        "factor_weight",
    ):
        words = without_effect(name, strategy)
        if words:
            why[name] = words
    if "update_ratio" not in why and epochs in (0, 1):
        why["update_ratio"] = "Used before later epochs; this run has none."
    if "update_ratio" in why:
        why["ranking"] = why["update_ratio"]
    if strategy == "full":
        why["budget"] = why["source_shares"] = "This strategy trains on the whole pool."
    if settings.get("lora_rank") == 0:
        needed = f"Only with adapters: set “{label('lora_rank')}” above 0."
        why |= dict.fromkeys(ADAPTERS_ONLY, needed)
    if settings.get("review") is False:
        why["review_minutes"] = f"Only where “{label('review')}” is on."
    if settings.get("save_checkpoints") is False:
        why["checkpoint_every"] = f"Only where “{label('save_checkpoints')}” is on."
    if settings.get("accelerate_config"):
        why["processes"] = "The accelerate configuration file says how many."
    elif settings.get("processes"):
        why["accelerate_config"] = "Only where no number of processes is given."
    if settings.get("held_out") in ("", "0", "0.0"):
        why["held_out_every"] = "Nothing is held out, so there is nothing to measure on."
    return why


def unknown_ids(home: Path, pool_id: str, pool: Pool, config: RunConfig) -> list[Problem]:
    """Samples and sources that the configuration names and the pool does not hold: a run refuses to select with them."""
    problems = []
    for name in ("pinned", "excluded"):
        ids = getattr(config, name)
        unknown = store.unknown_samples(home, pool_id, ids) if ids else []
        if unknown:
            named = f"{unknown[0]}{', …' if len(unknown) > 1 else ''}"
            words = f"This pool does not hold {theme.number(len(unknown))} of the {theme.counted(len(ids), 'sample')} named here ({named})"
            problems.append(Problem(name, f"{words}; remove them, or reset the setting.", True))
    known = ", ".join(pool.sources[:8]) + (", …" if len(pool.sources) > 8 else "")
    for name, done in (("source_weights", "weighted"), ("source_shares", "bounded")):
        sources = [source for source in getattr(config, name) if source not in pool.sources]
        if sources:
            words = f"The pool has no source {sources[0]!r}, so it cannot be {done}; it has {known}."
            problems.append(Problem(name, words, True))
    return problems


# ---------------------------------------------------------------- what it will cost


def plan_words(plan: PlanEstimate, config: RunConfig, rows: int) -> dict[str, Any]:
    """The estimate as the page shows it: {line, cards: [{label, value, unit, hint}], rows: [{label, value, hint}], uncounted}.

    rows : samples in the pool. uncounted : tokens and time would be known if the pool's tokens were counted.
    """
    each = theme.counted(plan.budget, "sample")
    line = f"{theme.counted(plan.epochs, 'epoch')} of {each}, chosen from {theme.number(plan.candidates)}"
    if not plan.epochs:
        line = f"Scores the pool and selects {each} of {theme.number(plan.candidates)}; nothing is trained"
    kept = rows - plan.candidates
    line += f"; {theme.number(kept)} held out." if kept > 0 else "."
    cards = [
        {
            "label": "Steps",
            "value": theme.number(plan.steps),
            "unit": "",
            "hint": f"{theme.number(plan.steps_per_epoch)} an epoch, {config.batch_size} samples each"
            if plan.steps
            else "nothing is trained",
        },
        _card("Tokens trained on", plan.training_tokens, short(plan.training_tokens.value)),
        _card("Time", plan.seconds, theme.duration(plan.seconds.value)),
        _card(
            "Memory", plan.memory, theme.score(plan.memory.value, 2 if plan.memory.value < 1 else 1), "GiB"
        ),
    ]
    if plan.memory_there.known and plan.memory.known:
        cards[3]["unit"] = f"of {theme.score(plan.memory_there.value, 1)} GiB"
    listed = [
        ("Scored before the first epoch", theme.counted(plan.scored_first, "sample"), ""),
        ("Scored before each later one", theme.counted(plan.scored_later, "sample"), ""),
        ("Held-out loss measured", theme.counted(plan.evaluations, "time"), _on(plan.held_out)),
        _row("Tokens read to score", plan.scoring_tokens, theme.number),
        _row("Tokens read to measure", plan.evaluating_tokens, theme.number),
        _row("Time to train", plan.training_seconds, theme.duration),
        _row("Time to score", plan.scoring_seconds, theme.duration),
        _row("Time to measure", plan.evaluating_seconds, theme.duration),
        _row("Numbers in the model", plan.parameters, short),
        _row("of which are trained", plan.trained, short),
        _row("Memory: weights", plan.weights, _gib),
        _row("Memory: gradients", plan.gradients, _gib),
        _row("Memory: optimizer", plan.optimizer, _gib),
        _row("Memory: activations", plan.activations, _gib),
        _row("Memory measured before", plan.memory_measured, _gib),
    ]
    return {
        "line": line,
        "cards": cards,
        "uncounted": plan.training_tokens.source == NOT_COUNTED,
        "rows": [{"label": name, "value": value, "hint": hint} for name, value, hint in listed],
    }


def short(value: float) -> str:
    """A large number in three figures: 12,345 up to a hundred thousand, then 1.23 million."""
    for size, words in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if value >= size:
            return f"{value / size:.3g} {words}"
    return theme.number(value)


def _card(name: str, figure: Figure, value: str, unit: str = "") -> dict[str, Any]:
    known = figure.known
    return {
        "label": name,
        "value": value if known else "not known",
        "unit": unit if known else "",
        "hint": figure.source,
        "known": known,
    }


def _row(name: str, figure: Figure, written: Any) -> tuple[str, str, str]:
    return name, written(figure.value) if figure.known else "not known", figure.source


def _on(held_out: Figure) -> str:
    if not held_out.known:
        return held_out.source
    if held_out.source.startswith("the demo"):
        return f"on {file_words('demo', round(held_out.value))}"
    return f"on {theme.counted(round(held_out.value), 'sample')} {held_out.source}"


def _gib(value: float) -> str:
    return f"{theme.score(value, 2 if value < 1 else 1)} GiB"


# ---------------------------------------------------------------- what is wrong


def _pool(home: Path, draft: Draft) -> Pool:
    if not draft.pool:
        raise ConfigError("pool is empty; choose one here or on the Data tab")
    return get_pool(home, draft.pool)


def _problem(error: StudioError) -> Problem:
    """An error as a problem of the setting that it is about; of the whole form where it names none."""
    return Problem(next(iter(fields_named(str(error))), ""), str(error), True)
