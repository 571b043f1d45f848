"""IterIT as a library: the few names that a notebook or a training script needs.

    pool = iterit.load_pool("pool.jsonl")                 # files, a hub dataset, a datasets.Dataset, a DataFrame
    scores = iterit.score(pool, "MODEL_FOLDER")           # complexity of every sample
    picks = iterit.select(pool, scores, budget=0.05)      # the samples worth training on, in order
    iterit.why(picks, picks.ids[0]).headline              # and why
    iterit.export(picks, "picked.jsonl")                  # in the format that a trainer reads
    iterit.IterITCallback(pool).attach(trainer)           # selects again before every epoch of a stock Trainer

Importing it imports neither torch nor transformers; a name brings what it needs when it is first used. docs/library.md
has the rest.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from backend import __version__

if TYPE_CHECKING:
    from backend.errors import StudioError
    from backend.records import Pool, Scores
    from backend.training.sampler import SelectionSampler
    from iterit.adapter import IterITCallback
    from iterit.notebook import Launched, launch
    from iterit.pool_input import DEMO_MODEL, load_pool, to_dataset, with_ids
    from iterit.reselection import Reselection
    from iterit.selected import Selected, export, score, select, why

_WHERE = {
    "DEMO_MODEL": "iterit.pool_input",
    "IterITCallback": "iterit.adapter",
    "Launched": "iterit.notebook",
    "Pool": "backend.records",
    "Reselection": "iterit.reselection",
    "Scores": "backend.records",
    "Selected": "iterit.selected",
    "SelectionSampler": "backend.training.sampler",
    "StudioError": "backend.errors",
    "export": "iterit.selected",
    "launch": "iterit.notebook",
    "load_pool": "iterit.pool_input",
    "score": "iterit.selected",
    "select": "iterit.selected",
    "to_dataset": "iterit.pool_input",
    "why": "iterit.selected",
    "with_ids": "iterit.pool_input",
}

__all__ = [
    "DEMO_MODEL",
    "IterITCallback",
    "Launched",
    "Pool",
    "Reselection",
    "Scores",
    "Selected",
    "SelectionSampler",
    "StudioError",
    "__version__",
    "export",
    "launch",
    "load_pool",
    "score",
    "select",
    "to_dataset",
    "why",
    "with_ids",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'iterit' has no attribute {name!r} (there are: {', '.join(__all__)})")
    found = getattr(importlib.import_module(_WHERE[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
