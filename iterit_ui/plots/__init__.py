"""Figures from tables and nothing else: plain {title, note, data, layout, legend} dicts for the chart component.

Colours are names of CSS variables ("--selected"): the page resolves them, so light and dark need no second figure.
Fonts, margins, grid and paper belong to the component. A series keeps its colour in every chart of the app.
"""

from iterit_ui.plots.budget import frontier
from iterit_ui.plots.common import empty
from iterit_ui.plots.complexity_change import QUADRANT_COLOUR, then_and_now
from iterit_ui.plots.density import density
from iterit_ui.plots.distributions import against, distribution, lengths
from iterit_ui.plots.epoch_trends import COHORT_COLOUR, cohort_losses, hardest, labels
from iterit_ui.plots.training_curves import course

__all__ = [
    "COHORT_COLOUR",
    "QUADRANT_COLOUR",
    "against",
    "cohort_losses",
    "course",
    "density",
    "distribution",
    "empty",
    "frontier",
    "hardest",
    "labels",
    "lengths",
    "then_and_now",
]
