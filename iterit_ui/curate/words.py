"""What a person reads on the Curate tab."""

from __future__ import annotations

from iterit_ui.samples.hand_over import EXPORT_ACTION
from iterit_ui.samples.replace_all import ACTION

LINE = "Set what makes a sample worth training on. The selection on the right follows at once; no model runs."
BENCH = {
    "key": "curate",
    "panels": [
        {"key": "side", "title": "Settings", "bar": True, "divider": "right"},
        {
            "key": "views",
            "title": "Map",
            "full": True,
            "views": [
                {"id": "curate-map", "label": "Map"},
                {"id": "density-chart", "label": "Trade-off"},
                {"id": "frontier-chart", "label": "Budget"},
            ],
        },
        {"key": "bars", "title": "Distributions", "divider": "left"},
        {"key": "list", "title": "Samples", "full": True, "strip": "row", "divider": "top"},
        {"key": "aside", "title": "Open sample", "bar": True, "divider": "left"},
    ],
}
CHART = {
    "complexity": (
        "How hard for the model?",
        "Complexity: perplexity of the response with its prompt / without it.",
    ),
    "diversity": (
        "How much do they add?",
        "Diversity before any pick: weighted phrases of the response.",
    ),
    "lengths": (
        "How long are they?",
        "Against the pool, a random draw, the longest and Superfiltering at the same budget.",
    ),
    "density": (
        "Hard and new at once?",
        "Candidates by complexity and diversity; the selected on top. Click a cell to list its samples.",
    ),
    "frontier": (
        "What does a larger budget buy?",
        "Gain of each pick, and the share of the pool's wording that the picks hold.",
    ),
    "map": (
        "Where in the pool are they?",
        "Near each other: similar wording; identical places are spread a little. Click a point to read it, draw around some to list them.",
    ),
}
DEMO_TITLE = "What complexity sees on this demo, and what it misses"
DEMO_NOTE = (
    "On this demo complexity rejects most mismatched and boilerplate answers, but it cannot see cut-off ones, lets about "
    "two in five refusals and near misses pass, and rejects one clean answer in eight. Nearly all the mismatches that "
    "pass lie just below 1: read a few before you train."
)
AHEAD = (
    "What epoch {} would take",
    "The epochs before it would have trained on {}; “Samples of earlier epochs” on the left says what becomes of these. "
    "Training changes the scores, so a run's own selection will differ.",
    "The pool is used up by then, so a new round begins with all of it. Training changes the scores, so a run's own "
    "selection will differ.",
)
LANGUAGE = (
    "Their prompts do not help it with their responses, so none of these can be selected; of all other samples {others} are "
    "rejected. Train a model that knows the language, or leave these samples out. "
)
NO_POOL = "No pool is open. Choose one on the Data tab."
NO_SCORES = {
    "tone": "empty",
    "title": "This pool has not been scored yet",
    "text": "Complexity needs a model that reads every sample once. Until then the strategies Diversity and Random "
    "work; choose one on the left, or score the pool here.",
}
SELECT_NOTHING = (
    "These settings select nothing",
    "Raise the budget or a source's weight, widen the limits, or press Reset.",
)
FILTERS = {
    "selected": "Selected",
    "added": "Added",
    "dropped": "Dropped",
    "candidates": "Candidates",
    "rejected": "Rejected",
    "unscorable": "Unscorable",
    "all": "All",
}
ACTIONS = [
    {"key": "pin", "label": "Pin", "hint": "always in the selection, first", "tone": "pinned"},
    {"key": "exclude", "label": "Exclude", "hint": "never in the selection", "tone": "rejected"},
    {"key": "clear", "label": "Clear marks", "hint": "remove the pin or exclusion", "tone": "plain"},
    {"key": "note", "label": "Note", "hint": "add the same note to all of them", "tone": "plain"},
    ACTION,
    {"key": "copy", "label": "Copy ids", "hint": "one id per line", "tone": "plain"},
    EXPORT_ACTION,
]
NO_MAP = "This pool has no map yet. Laying it out takes about a minute and is done once; the rest of this page does not need it."
MAP_STAGE = {
    "tfidf": "Counting phrases",
    "svd": "Finding what sets the responses apart most",
    "umap": "Laying the responses out in two dimensions",
}
MAP_WAIT = "Counting phrases, then laying the responses out in two dimensions"

EDITED_NOTE = (
    (
        "{} has no score, so it is not picked unless pinned",
        "{} have no score, so they are not picked unless pinned",
    ),
    "Score {} anew",
    "These scores are of a model in training, which is not kept: choose scores of the untouched model to score edited samples.",
)
EDITED_IMPORTED = (
    "These scores were imported: have the edited samples scored where the others were, and import them again."
)

IMPORT_SCORES = "Import scores from a file"
IMPORTED = "Scores “{}” are chosen. {}"
NOT_IMPORTED = "No scores were imported: {}."
