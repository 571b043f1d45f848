"""A pool with one planted overlap of each kind with a small evaluation file, and ones that look like it but are not."""

from __future__ import annotations

import json
from pathlib import Path

PUMP = "How does a heat pump move warmth into a house in the winter?"
PUMPED = (
    "A heat pump takes warmth from the air outside with a cold fluid, squeezes the fluid so that it grows hot, "
    "and lets it warm the rooms."
)
SHEEP = "A farmer has seventeen sheep and all but nine of them run away over the hill before supper. How many are left?"
PHRASE = "As a language model I do not have any personal opinions about this matter"
EVALUATION = [
    (PUMP, PUMPED),
    ("Is water wet?", "Yes."),
    (SHEEP, "Nine sheep are left."),
    ("What do you think of it?", f"I am sorry. {PHRASE} today."),
]
PLANTED = [
    ("how does a heat pump  move WARMTH into a house in the winter?", "By electricity."),
    ("Describe that machine to a child.", f" {PUMPED.upper()}"),
    (SHEEP.replace("hill", "hills"), "It is a riddle."),
    ("Describe that device to an adult.", PUMPED.replace("rooms", "room")),
    ("Explain a riddle in which seventeen sheep and all but nine of them run away over the hill appear in a tale.", "No."),
]  # fmt: skip
LOOK_ALIKES = [
    ("Explain a riddle in which sheep and all but nine of them run away over the hill appear in a tale.", "No idea."),
    ("Is ice cold?", "Yes."),
    ("How does a steam engine move weight into a mine in the autumn?", "With pistons."),
]  # fmt: skip
PHRASES = [
    (f"Which is the best of the {i} towns?", f"Number {i} is on the coast. {PHRASE}, but {i} people like it.")
    for i in range(11)
]
ROWS = {
    "overlap_exact": [0, 1],
    "overlap_near": [2, 3],
    "overlap_run": [0, 1, 2, 3, 4],
}
POOL = PLANTED + LOOK_ALIKES + PHRASES


def write_files(folder: Path) -> tuple[Path, Path]:
    """The pool and the evaluation file, both with prompts and completions."""
    for name, pairs in (("overlapping.json", POOL), ("evaluation.json", EVALUATION)):
        (folder / name).write_text(json.dumps([{"prompt": ask, "completion": reply} for ask, reply in pairs]))
    return folder / "overlapping.json", folder / "evaluation.json"
