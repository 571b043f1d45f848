"""Labels of strategies, the inputs that show selection settings, and which settings a strategy ignores."""

from __future__ import annotations

from backend.config import STRATEGY_HELP

STRATEGIES = [name for name in STRATEGY_HELP if name != "full"]
STRATEGY_WORDS = {
    "iterit": "IterIT: complexity x diversity",
    "iterit-static": "IterIT, selected once",
    "complexity": "Complexity alone",
    "superfiltering": "Complexity alone, once (Superfiltering)",
    "diversity": "Diversity alone",
    "longest": "Longest responses",
    "random": "Random",
    "random-each-epoch": "Random, redrawn each epoch",
}
# how a field is shown: kind, label, lowest, highest, step
SHAPES: dict[str, tuple[str, str, float, float, float]] = {
    "strategy": ("choice", "Strategy", 0, 0, 0),
    "budget": ("budget", "Budget", 0, 100, 0.5),
    "update_ratio": ("slider", "Update ratio", 1, 10, 0.5),
    "decay": ("slider", "Diversity decay", 0, 1, 0.05),
    "complexity_weight": ("slider", "Complexity weight", 0, 3, 0.1),
    "diversity_weight": ("slider", "Diversity weight", 0, 3, 0.1),
    "words": ("choice", "Words", 0, 0, 0),
    "max_complexity": ("slider", "Complexity ceiling", 0.1, 2, 0.01),
    "min_response_tokens": ("number", "Shortest response", 0, 1_000_000, 1),
    "max_response_tokens": ("number", "Longest response", 0, 1_000_000, 1),
    "seed": ("number", "Seed of random draws", 0, 1_000_000, 1),
}


def without_effect(name: str, strategy: str) -> str:
    """The reason a setting has no effect under a strategy; "" if it has one."""
    iterit = strategy in ("iterit", "iterit-static")
    used = {
        "update_ratio": strategy in ("iterit", "complexity"),
        "decay": iterit or strategy == "diversity",
        "words": iterit or strategy == "diversity",
        "complexity_weight": iterit,
        "diversity_weight": iterit,
        "max_complexity": iterit or strategy in ("complexity", "superfiltering"),
    }
    return "" if used.get(name, True) else "Not used by this strategy."
