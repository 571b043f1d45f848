"""Labels of strategies, and which settings a strategy ignores."""

from __future__ import annotations

from backend.config import STRATEGY_HELP

STRATEGIES = [name for name in STRATEGY_HELP if name != "full"]
# what a strategy is called wherever a person reads it
STRATEGY_NAMES = {
    "iterit": "IterIT",
    "iterit-cumulative": "IterIT, cumulative",
    "iterit-static": "IterIT, selected once",
    "complexity": "Complexity alone",
    "superfiltering": "Superfiltering",
    "diversity": "Diversity alone",
    "longest": "Longest responses",
    "random": "Random",
    "random-each-epoch": "Random, redrawn each epoch",
    "full": "Full pool",
}
# what is said beside it where one is chosen
STRATEGY_DETAILS = {
    "iterit": "complexity x diversity",
    "iterit-cumulative": "every epoch covers what the earlier ones left",
    "superfiltering": "complexity alone, scored once",
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
        "factor_column": strategy not in ("longest", "random", "random-each-epoch", "full"),
        "factor_weight": strategy not in ("longest", "random", "random-each-epoch", "full"),
        "max_complexity": iterit or strategy in ("complexity", "superfiltering"),
    }
    return "" if used.get(name, True) else "Not used by this strategy."


def strategy_name(strategy: str) -> str:
    """What a person calls a strategy; the identifier of one that is not known, as a run of a later version may have."""
    return STRATEGY_NAMES.get(strategy, strategy)


def strategy_label(strategy: str) -> str:
    """Its name where one is chosen, with what it does where the name does not tell."""
    return ": ".join([strategy_name(strategy), *filter(None, [STRATEGY_DETAILS.get(strategy)])])
