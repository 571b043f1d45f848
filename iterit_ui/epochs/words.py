"""What a person reads on the Epochs tab."""

from __future__ import annotations

LINE = "Step through the epochs of a run and see which samples came, stayed and went."
BENCH = {
    "key": "epochs",
    "panels": [
        {"key": "flow", "title": "Who stays, comes and goes", "strip": "row", "divider": "bottom"},
        {"key": "views", "title": "Map", "bar": True, "full": True, "fold": False},
        {"key": "bars", "title": "Distributions", "divider": "left"},
    ],
}
