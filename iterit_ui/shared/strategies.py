"""Labels of strategies, and which settings a strategy ignores."""

from __future__ import annotations

from backend.config import STRATEGY_HELP

STRATEGIES = [name for name in STRATEGY_HELP if name != "full"]
STRATEGY_WORDS = {
    "iterit": "IterIT: complexity x diversity",
    "iterit-cumulative": "IterIT, cumulative: every epoch covers what the earlier ones left",
    "iterit-static": "IterIT, selected once",
    "complexity": "Complexity alone",
    "superfiltering": "Complexity alone, once (Superfiltering)",
    "diversity": "Diversity alone",
    "longest": "Longest responses",
    "random": "Random",
    "random-each-epoch": "Random, redrawn each epoch",
}


def without_effect(name: str, strategy: str) -> str:
    """The reason a setting has no effect under a strategy; "" if it has one."""
    iterit = strategy in ("iterit", "iterit-cumulative", "iterit-static")
    used = {
        "update_ratio": strategy in ("iterit", "iterit-cumulative", "complexity"),
        "earlier_samples": strategy == "iterit-cumulative",
        "decay": iterit or strategy == "diversity",
        "words": iterit or strategy == "diversity",
        "complexity_weight": iterit,
        "diversity_weight": iterit,
        "max_complexity": iterit or strategy in ("complexity", "superfiltering"),
    }
    return "" if used.get(name, True) else "Not used by this strategy."


def strategy_label(name: str) -> str:
    """What a person calls a strategy."""
    return STRATEGY_WORDS.get(name, "Full: the whole pool")
