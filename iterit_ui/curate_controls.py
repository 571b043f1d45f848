"""The settings of a selection as controls, and back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from backend.config import STRATEGY_HELP, SelectionSettings, budget_of, selection_settings
from backend.errors import ConfigError
from iterit_ui import text, theme
from iterit_ui.components.base import component
from iterit_ui.session import Session, defaults_of, get_pool

PLAIN = SelectionSettings()
STRATEGIES = [name for name in STRATEGY_HELP if name != "full"]
STRATEGY_WORDS = {
    "iterit": "IterIT: complexity x diversity",
    "iterit-static": "IterIT, selected once",
    "complexity": "Complexity alone",
    "superfiltering": "Complexity alone, once (Superfiltering)",
    "diversity": "Diversity alone",
    "longest": "Longest responses",
    "random": "Random",
    "random-each-epoch": "Random, drawn anew each epoch",
}
# names of the settings with a control, in the order of `Controls.inputs`
NAMES = ("strategy", "decay", "complexity_weight", "diversity_weight", "max_complexity", "min_response_tokens",
         "max_response_tokens")  # fmt: skip


@dataclass(frozen=True)
class Controls:
    """The controls of the Curate tab. `share` is the budget in percent of the pool, `count` the same in samples."""

    strategy: gr.Dropdown
    share: gr.Slider
    count: gr.Number
    decay: gr.Slider
    complexity_weight: gr.Slider
    diversity_weight: gr.Slider
    weights: gr.HTML
    max_complexity: gr.Slider
    min_response_tokens: gr.Number
    max_response_tokens: gr.Number

    @property
    def inputs(self) -> list[Any]:
        """Controls of NAMES."""
        return [getattr(self, name) for name in NAMES]

    @property
    def all(self) -> list[Any]:
        """Every control, in the order in which `filled` gives values."""
        return [self.share, self.count, self.weights, *self.inputs]


def build_controls() -> Controls:
    """The column of controls; every one with the help of its setting."""
    words = text.CONTROL
    strategy = gr.Dropdown(
        [(STRATEGY_WORDS[name], name) for name in STRATEGIES],
        value="iterit",
        label="Strategy",
        info=words["strategy"],
        filterable=False,
        elem_id="strategy",
    )
    with gr.Row(elem_classes="pair"):
        share = gr.Slider(
            0, 100, 10, step=0.5, label="Budget, %", info=words["budget"], buttons=[], scale=3, min_width=80, elem_id="budget-share",
        )  # fmt: skip
        # no minimum: Gradio would refuse the value and leave it standing; `budget_to` corrects it
        count = gr.Number(0, label="Samples", precision=0, scale=2, min_width=80, elem_id="budget-count")
    decay = gr.Slider(0, 1, PLAIN.decay, step=0.05, label="Decay", info=words["decay"], elem_id="decay")
    complexity = gr.Slider(
        0,
        3,
        1,
        step=0.1,
        label="Complexity weight",
        info=words["complexity_weight"],
        elem_id="complexity-weight",
    )
    diversity = gr.Slider(
        0,
        3,
        1,
        step=0.1,
        label="Diversity weight",
        info=words["diversity_weight"],
        elem_id="diversity-weight",
    )
    weights = component("weights", None, events=("weigh",), elem_id="source-weights")
    with gr.Accordion("Limits", open=False, elem_id="limits"):
        ceiling = gr.Slider(
            0.1,
            2,
            1,
            step=0.01,
            label="Complexity ceiling",
            info=words["max_complexity"],
            elem_id="max-complexity",
        )
        shortest = gr.Number(
            0,
            label="Shortest response (tokens)",
            info=words["min_response_tokens"],
            precision=0,
            elem_id="min-tokens",
        )
        longest = gr.Number(
            0,
            label="Longest response (tokens)",
            info=words["max_response_tokens"],
            precision=0,
            elem_id="max-tokens",
        )
    return Controls(strategy, share, count, decay, complexity, diversity, weights, ceiling, shortest, longest)


def filled(home: Path, pool_id: str, changed: dict[str, Any]) -> list[Any]:
    """Values of `Controls.all` for a pool and the settings that were changed."""
    if not pool_id:
        return [gr.skip() for _ in range(3 + len(NAMES))]
    pool = get_pool(home, pool_id)
    values = {**{name: getattr(PLAIN, name) for name in NAMES}, **defaults_of(pool_id), **changed}
    budget = float(values.get("budget", PLAIN.budget))
    weights = changed.get("source_weights", {})
    return [percent(budget, len(pool)), budget_of(budget, len(pool)), weights_value(pool_id, home, weights),
            *(values[name] for name in NAMES)]  # fmt: skip


def weights_value(pool_id: str, home: Path, weights: dict[str, float], *, again: int = 0) -> dict[str, Any]:
    """The sliders of a pool's sources. again : another number draws them anew, though nothing else differs."""
    pool = get_pool(home, pool_id)
    counts = _source_counts(home, pool_id)
    return {
        "title": "Source weights",
        "hint": text.CONTROL["source_weights"],
        "pool": pool_id,
        "again": again,
        "sources": [
            {"name": name, "colour": theme.source_colour(code), "count": theme.number(counts[code]), "weight": float(weights.get(name, 1.0))}
            for code, name in enumerate(pool.sources)
        ],
    }  # fmt: skip


def percent(budget: float, n: int) -> float:
    """A budget as percent of n samples, for the slider; 100 at most."""
    part = budget if budget <= 1 else budget / max(n, 1)
    return round(min(100.0, 100 * part), 1)


def differences(pool_id: str, changed: dict[str, Any], **values: Any) -> dict[str, Any]:
    """`changed` with new values, without what is the pool's default; checked.

    Raises
    ------
    ConfigError : a value is out of its range or contradicts another.
    """
    start = {**{f: getattr(PLAIN, f) for f in PLAIN.__dataclass_fields__}, **defaults_of(pool_id)}
    merged = {**changed, **values}
    checked = selection_settings(SelectionSettings(), **{**defaults_of(pool_id), **merged})
    return {name: getattr(checked, name) for name in merged if getattr(checked, name) != start[name]}


def wire_controls(session: Session, controls: Controls, reset: gr.Button, live: dict[str, Any]) -> None:
    """Every control writes the session's settings; sliders on input and on release (keys, reset button)."""
    home, both = session.home, [session.pool, session.settings]

    def change_settings(pool_id: str, changed: dict[str, Any], *values: Any) -> Any:
        return changed_to(pool_id, changed, dict(zip(NAMES, values)))

    def change_share(pool_id: str, changed: dict[str, Any], share: float) -> list[Any]:
        least = 2 / len(get_pool(home, pool_id)) if pool_id else 0.0
        return budget_to(home, pool_id, changed, min(max(share / 100, least), 1.0))

    def change_count(pool_id: str, changed: dict[str, Any], count: float | None) -> list[Any]:
        return budget_to(home, pool_id, changed, max(count or 0, 2))  # 1 would be the whole pool, as a share

    def weigh(pool_id: str, changed: dict[str, Any], event: gr.EventData) -> Any:
        return weighed(home, pool_id, changed, event._data)

    def start_over(pool_id: str) -> list[Any]:
        return start_again(home, pool_id)

    events = []
    for control in controls.inputs:
        events += [control.input, *([control.release] if isinstance(control, gr.Slider) else [])]
    gr.on(events, change_settings, [*both, *controls.inputs], session.settings, **live)
    gr.on([controls.share.input, controls.share.release], change_share, [*both, controls.share],
          [session.settings, controls.count], **live)  # fmt: skip
    gr.on([controls.count.submit, controls.count.blur], change_count, [*both, controls.count],
          [session.settings, controls.share, controls.count], **live)  # fmt: skip
    controls.weights.weigh(weigh, both, session.settings, **live)
    reset.click(start_over, session.pool, [session.settings, *controls.all], **live)


def start_again(home: Path, pool_id: str) -> list[Any]:
    """No changed settings, and every control as it was; the page knows the weights that it moved, Python does not."""
    share, count, weights, *rest = filled(home, pool_id, {})
    if pool_id:
        weights["again"] = time.time_ns() // 1_000_000
    return [{}, share, count, weights, *rest]


def changed_to(pool_id: str, changed: dict[str, Any], values: dict[str, Any]) -> Any:
    """New settings from the controls of NAMES; unchanged with a message where they do not fit together."""
    start = {**{name: getattr(PLAIN, name) for name in NAMES}, **defaults_of(pool_id)}
    # an empty box is the default
    known = {name: start[name] if value is None else value for name, value in values.items()}
    shortest, longest = known.get("min_response_tokens", 0), known.get("max_response_tokens", 0)
    if longest and shortest > longest:
        gr.Warning(
            f"The shortest response ({shortest:,} tokens) is above the longest ({longest:,}). "
            "The selection on screen is still the one before."
        )
        return gr.skip()
    try:
        return differences(pool_id, changed, **known)
    except ConfigError as error:
        gr.Warning(f"{str(error).replace('_', ' ')} The selection on screen is still the one before.")
        return gr.skip()


def budget_to(home: Path, pool_id: str, changed: dict[str, Any], budget: float) -> list[Any]:
    """Settings with another budget, and what the other budget control (or both) shows then.

    budget : a share up to 1 (from the slider), else a number of samples.
    """
    n = len(get_pool(home, pool_id)) if pool_id else 0
    from_count = budget > 1 or budget <= 0
    if from_count:
        budget = float(min(max(int(budget), 2), n)) if n else 2.0
    try:
        settings = differences(pool_id, changed, budget=budget)
    except ConfigError as error:
        gr.Warning(str(error))
        return [gr.skip(), gr.skip(), *([gr.skip()] if from_count else [])]
    if from_count:
        return [settings, percent(budget, n), int(budget)]
    return [settings, budget_of(budget, n)]


def weighed(home: Path, pool_id: str, changed: dict[str, Any], data: dict[str, Any]) -> Any:
    """Settings with another weight of one source, as the page sent it."""
    pool = get_pool(home, pool_id)
    index, weight = data.get("index"), data.get("weight")
    if (
        not isinstance(index, int)
        or not 0 <= index < len(pool.sources)
        or not isinstance(weight, (int, float))
    ):
        return gr.skip()
    weights = {**changed.get("source_weights", {}), pool.sources[index]: round(float(weight), 3)}
    return changed_to(pool_id, changed, {"source_weights": {k: v for k, v in weights.items() if v != 1.0}})


def _source_counts(home: Path, pool_id: str) -> list[int]:
    pool = get_pool(home, pool_id)
    return [int((pool.source_codes == code).sum()) for code in range(len(pool.sources))]
