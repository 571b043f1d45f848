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
    "pool": "all samples you can pick from",
    "complexity": "how hard the response is for the model even when it reads the prompt: "
    "perplexity with the prompt / perplexity without it. Near 0: the prompt gives the answer away. "
    "1 or more: the prompt does not help, often a mismatched response",
    "diversity": "how much a response adds in words and phrases that the picks so far do not cover",
    "budget": "how many samples one epoch trains on",
    "update ratio": "how many samples are scored anew before each later epoch, as a multiple of the budget",
    "decay": "what a phrase still counts once a pick has covered it: 0.1 for general data, 0 for a narrow domain",
    "epoch": "one pass of training over the selection",
    "gain": "complexity x diversity at the moment a sample was picked",
}
