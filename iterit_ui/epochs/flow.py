"""Who stays, comes, goes and comes back from epoch to epoch, as the value of the flow's picture."""

from __future__ import annotations

from backend.analysis.alluvial import KINDS, Alluvial
from iterit_ui.epochs.views import Value
from iterit_ui.shared.theme import (
    ADDED,
    DROPPED,
    KEPT,
    POOL,
    counted,
)

FLOW_LEGEND = [
    {"label": "kept", "colour": KEPT},
    {"label": "new, never selected before", "colour": ADDED},
    {"label": "came back", "colour": ADDED, "hatched": True},
    {"label": "dropped", "colour": DROPPED},
    {"label": "stayed away", "colour": POOL},
]

FLOW_NOTE = "Each column is an epoch's selection; below it are samples that earlier epochs selected and this one did not. Heights are numbers of samples. Click a band or a column to list its samples, an epoch's name to show that epoch."


def flow_value(flow: Alluvial, epoch: int, listed: str) -> Value:
    """Who stays, comes, goes and comes back, for `alluvial`. listed : the key of what the table lists."""
    said = {
        "kept": "kept from epoch {0} to epoch {1}",
        "new": "selected for the first time in epoch {1}",
        "back": "came back in epoch {1}: selected earlier, but not in epoch {0}",
        "dropped": "selected in epoch {0}, not in epoch {1}",
        "away": "selected before epoch {0}, neither in epoch {0} nor in epoch {1}",
    }
    columns = []
    for column in flow.columns:
        words = {
            "selected": f"{counted(len(column.selected), 'sample')} selected for epoch {column.epoch}",
            "gone": f"{counted(len(column.gone), 'sample')} selected before, not for epoch {column.epoch}",
        }
        columns.append(
            {
                "epoch": column.epoch,
                "selected": len(column.selected),
                "gone": len(column.gone),
                "keys": {
                    side: {"key": f"column:{column.epoch}:{side}", "words": words[side]} for side in words
                },
            }
        )
    kinds = {band.kind for band in flow.bands}
    return {
        "title": "Who stays, who comes, who goes?",
        "note": FLOW_NOTE,
        "legend": [item for item, kind in zip(FLOW_LEGEND, KINDS, strict=True) if kind in kinds],
        "epoch": epoch,
        "on": listed if listed.startswith(("flow:", "column:")) else "",
        "columns": columns,
        "bands": [
            {
                "start": band.start,
                "end": band.end,
                "kind": band.kind,
                "count": len(band.rows),
                "key": f"flow:{band.start}:{band.kind}",
                "words": f"{counted(len(band.rows), 'sample')} {said[band.kind].format(band.start, band.end)}",
            }
            for band in flow.bands
        ],
    }
