"""Starting a sensitivity study: a few settings, several values of each, several seeds, as ordinary queued runs.

One setting at a time, as in the paper's Fig. 4: each value is tried with all other settings as in the base. The base
itself is run once for all of them. Crossed, every combination of the values is run.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from backend import config
from backend.config import RunConfig, Strategy
from backend.errors import ConfigError
from backend.jobs.comparison_start import MOST_RUNS, Variant, candidates, runs_of

VARIED = ("budget", "update_ratio", "decay", "complexity_weight", "diversity_weight")
ALIAS = {"a": "complexity_weight", "b": "diversity_weight"}  # as the paper writes them
MOST_VALUES = 20
REFERENCES = ("random", "random-each-epoch")
_WEIGHTS = frozenset({"complexity_weight", "diversity_weight"})
_ALL_BUT_BUDGET = frozenset(VARIED[1:])
# what a strategy takes no account of; one that is not named here takes account of all
WITHOUT_EFFECT: dict[str, frozenset[str]] = {
    "iterit-static": frozenset({"update_ratio"}),
    "complexity": _WEIGHTS | {"decay"},
    "superfiltering": _ALL_BUT_BUDGET,
    "diversity": _WEIGHTS | {"update_ratio"},
    "longest": _ALL_BUT_BUDGET,
    "random": _ALL_BUT_BUDGET,
    "random-each-epoch": _ALL_BUT_BUDGET,
    "full": frozenset(VARIED),
}


@dataclass(frozen=True)
class Study:
    """What a sensitivity study runs.

    base : value of each setting of `VARIED` in the base. vary : the values of each setting that is varied, ascending, the
    base's among them. cross : whether all combinations are run. variants : the base first, then the others, each once;
    strategies run for comparison last.
    """

    strategy: str
    base: dict[str, float]
    vary: dict[str, tuple[float, ...]]
    cross: bool
    references: tuple[str, ...]
    variants: tuple[Variant, ...]

    def remembered(self, seeds: Sequence[int]) -> dict[str, Any]:
        """What the comparison has to remember, as JSON values."""
        return {
            "strategy": self.strategy,
            "base": self.base,
            "vary": {name: list(values) for name, values in self.vary.items()},
            "cross": self.cross,
            "references": list(self.references),
            "seeds": list(seeds),
        }


def study(
    base: RunConfig,
    vary: Mapping[str, Sequence[float]],
    rows: int,
    *,
    cross: bool = False,
    references: Sequence[str] = (),
) -> Study:
    """What is run where these settings take these values.

    rows : samples in the pool, which decide whether two budgets are the same number of samples. references : strategies
    that are run beside it with the base's settings.

    Raises
    ------
    ConfigError : nothing is varied, a setting that is unknown or that the strategy does not use, a value that is named
        twice or lies outside the setting's range, or values that are all the base's.
    """
    if not any(vary.values()):
        raise ConfigError(f"no setting is varied; give values for at least one of: {', '.join(VARIED)}")
    pool = candidates(base, rows)
    kept = {name: _values(base, name, vary[name], pool) for name in _in_order(vary) if vary[name]}
    found = {name: values for name, values in kept.items() if len(values) > 1}
    if not found:
        said = ", ".join(f"{name} {getattr(base, name):g}" for name in kept)
        raise ConfigError(f"every value is the base's ({said}), so nothing is varied; give another one")
    for name in references:
        if name not in get_args(Strategy):
            raise ConfigError(
                f"references: {name!r} is not a strategy; allowed: {', '.join(get_args(Strategy))}"
            )
        if name == base.strategy:
            raise ConfigError(f"references: {name} is the strategy whose settings are varied; name another")
    _refuse_twice("references", references)
    changes = _crossed(base, found) if cross else _one_at_a_time(base, found)
    variants = [Variant(_name(one), dict(one)) for one in changes]
    variants += [Variant(name, {"strategy": name}) for name in references]
    return Study(
        base.strategy,
        {name: float(getattr(base, name)) for name in VARIED},
        found,
        cross,
        tuple(references),
        tuple(variants),
    )


def configurations(base: RunConfig, made: Study, seeds: Sequence[int]) -> tuple[RunConfig, ...]:
    """The runs of a study: every variant with every seed, seed by seed.

    Raises
    ------
    ConfigError : no seed or one that is named twice, too many runs, or settings that contradict each other.
    """
    count = len(seeds) * len(made.variants)
    if count > MOST_RUNS:
        less = "fewer values or seeds, or one setting at a time" if made.cross else "fewer values or seeds"
        raise ConfigError(
            f"{len(made.variants):,} variants with {len(seeds):,} seeds are {count:,} runs; at most {MOST_RUNS} are queued "
            f"at once (give {less})"
        )
    return runs_of(base, made.variants, seeds)


def vary_of(words: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Values by setting from what somebody typed: "decay=0,0.1,0.5", each setting once.

    Raises
    ------
    ConfigError : something else.
    """
    found: dict[str, tuple[float, ...]] = {}
    for word in words:
        name, equals, text = word.partition("=")
        name = name.strip().replace("-", "_")
        name = ALIAS.get(name, name)
        if not equals:
            raise ConfigError(f"vary {word!r}: expected SETTING=VALUE,VALUE, such as decay=0,0.1,0.5")
        if name not in VARIED:
            raise ConfigError(f"vary {word!r}: {name!r} cannot be varied; allowed: {', '.join(VARIED)}")
        if name in found:
            raise ConfigError(f"vary names {name} twice; give all its values at once: {name}=VALUE,VALUE")
        found[name] = values_of(name, text)
        if not found[name]:
            raise ConfigError(f"vary {word!r}: no value is given, such as {name}=1,2")
    return found


def values_of(name: str, text: str) -> tuple[float, ...]:
    """The values of one setting from "0, 0.1, 50 %"; none where nothing is typed.

    Raises
    ------
    ConfigError : something that is not a number, or too many values.
    """
    found = []
    # "5 %" is one value
    for word in text.replace(" %", "%").replace(",", " ").replace(";", " ").split():
        number = word.removesuffix("%")
        try:
            value = float(number) / (100 if number != word else 1)
        except ValueError as error:
            raise ConfigError(f"{name}: {word!r} is not a number; give values such as 0, 0.1, 0.5") from error
        found.append(value)
    if len(found) > MOST_VALUES:
        raise ConfigError(f"{name}: {len(found):,} values are given; at most {MOST_VALUES} are allowed")
    return tuple(found)


def _in_order(vary: Mapping[str, Any]) -> list[str]:
    unknown = [name for name in vary if name not in VARIED]
    if unknown:
        raise ConfigError(f"{unknown[0]} cannot be varied; allowed: {', '.join(VARIED)}")
    return [name for name in VARIED if name in vary]


def _values(base: RunConfig, name: str, given: Sequence[float], pool: int) -> tuple[float, ...]:
    """The values of a setting, ascending, with the base's among them; each does something else than the others."""
    if name in WITHOUT_EFFECT.get(base.strategy, ()):
        raise ConfigError(f"the strategy {base.strategy} does not use {name}, so there is nothing to vary")
    own = float(getattr(base, name))
    found = {_effect(name, own, pool): own}
    named: dict[float, float] = {}
    for value in map(float, given):
        _refuse_outside(name, value)
        effect = _effect(name, value, pool)
        if effect in named:
            same = (
                f" are the same {effect:,.0f} samples" if name == "budget" and named[effect] != value else ""
            )
            words = f"{named[effect]:g} and {value:g}{same}" if same else f"{value:g} is named twice"
            raise ConfigError(f"{name}: {words}; each is run once")
        named[effect] = value
        found.setdefault(effect, value)
    return tuple(found[effect] for effect in sorted(found))


def _effect(name: str, value: float, pool: int) -> float:
    """What a value does: a share of the pool and a number of samples may be the same budget."""
    return float(config.budget_of(value, pool)) if name == "budget" and math.isfinite(value) else value


def _refuse_outside(name: str, value: float) -> None:
    """Raise what `config.check` raises, with the range that is allowed."""
    meta = RunConfig.__dataclass_fields__[name].metadata
    low, high = meta["low"], meta["high"]
    above = f"above {low:g}" if name == "budget" else f"{low:g}"  # 0 samples are no budget
    allowed = (
        f"{above} to {high:g}" if high is not None else f"{above} or more" if name != "budget" else above
    )
    inside = math.isfinite(value) and value >= low and (high is None or value <= high)
    if not inside or (name == "budget" and value <= 0):
        raise ConfigError(f"{name} is {value:g}; allowed: {allowed}")


def _one_at_a_time(base: RunConfig, vary: Mapping[str, Sequence[float]]) -> list[dict[str, float]]:
    """The base, then each other value alone."""
    return [{}, *({name: v} for name, values in vary.items() for v in values if v != getattr(base, name))]


def _crossed(base: RunConfig, vary: Mapping[str, Sequence[float]]) -> list[dict[str, float]]:
    """The base, then every other combination."""
    grid = (dict(zip(vary, values, strict=True)) for values in itertools.product(*vary.values()))
    changes = [{name: v for name, v in one.items() if v != getattr(base, name)} for one in grid]
    return sorted(changes, key=len)


def _name(changes: Mapping[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in changes.items()) or "base"


def _refuse_twice(what: str, values: Sequence[str]) -> None:
    for value in values:
        if list(values).count(value) > 1:
            raise ConfigError(f"{what}: {value} is named twice; each is run once")
