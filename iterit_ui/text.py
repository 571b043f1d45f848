"""The words of the screens, in one place: plain English, short, each term explained where it first appears."""

from __future__ import annotations

TAB = {"data": "Data", "curate": "Curate", "tune": "Tune", "epochs": "Epochs"}

LINE = {
    "data": "Choose the pool of samples to pick from. Below is what was read from it, and what could not be.",
    "curate": "Set what makes a sample worth training on. The selection on the right follows at once; no model runs.",
    "tune": "Fine-tune a model on the selection; IterIT scores and selects again before every epoch.",
    "epochs": "Step through the epochs of a run and see which samples came, stayed and went.",
}

TERM = {
    "complexity": "how hard the response is for the model even when it reads the prompt: "
    "perplexity with the prompt / perplexity without it. Near 0: the prompt gives the answer away. "
    "1 or more: the prompt does not help, often a mismatched response",
    "diversity": "how much a response adds in words and phrases that the picks so far do not cover",
    "gain": "complexity x diversity at the moment a sample was picked",
}

CONTROL = {
    "strategy": "What decides which samples are picked.",
    "budget": "Samples in one epoch.",
    "decay": "What a phrase still counts once covered.",
    "complexity_weight": "How much “hard for the model” counts.",
    "diversity_weight": "How much “new among the picks” counts.",
    "source_weights": "Factor on a source's gain; 0 leaves it out.",
    "max_complexity": "At 1 the prompt does not help the model, often a mismatch. Never selected at or above this.",
    "min_response_tokens": "Shorter responses are left out.",
    "max_response_tokens": "Longer ones are left out; 0 sets no limit.",
    "scores": "The model whose reading is used.",
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
    "lengths": ("How long are the responses?", "Against the pool and two simple strategies, same budget."),
    "map": (
        "Where in the pool are they?",
        "Near each other: similar wording; alike ones are spread a little. Click a point to read it, draw around some to list them.",
    ),
}

DEMO_NOTE = (
    "On this demo complexity rejects most mismatched and boilerplate answers, but it cannot see cut-off ones, lets about "
    "two in five refusals and near misses pass, and rejects one clean answer in eight. Nearly all the mismatches that "
    "pass lie just below 1: read a few before you train."
)
DEMO_HELD_OUT = " Half of the demo's ask for facts that stand nowhere else, so their loss stays high; compare runs by their difference."
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
NO_SAMPLE = "Click a row of the table or a point of the map to read the sample, and why it was picked or not."
FILTERS = {
    "selected": "Selected",
    "added": "Added",
    "dropped": "Dropped",
    "candidates": "Candidates",
    "rejected": "Rejected",
    "unscorable": "Unscorable",
    "all": "All",
}
NO_MAP = "This pool has no map yet. Laying it out takes about a minute and is done once; the rest of this page does not need it."
MAP_WAIT = "Counting phrases, then laying the responses out in two dimensions"

SOURCE = {
    "files": "JSON, JSONL, CSV, Parquet or Arrow, also compressed. Several files make one pool.",
    "no_roots": "Start the app with --data-root FOLDER to list a folder's files here.",
    "hub": "Needs a network; press Enter to look at it.",
}
DATA_CHART = {
    "sources": ("Where do the samples come from?", "Samples by source."),
    "lengths": ("How long are the responses?", "In characters; tokens are counted when a model reads them."),
}
NO_POOL_YET = "Choose files on the left, or upload some, to make a pool: the samples that you can pick from."
NO_DATA_SAMPLE = "Click a row to read the whole sample."
