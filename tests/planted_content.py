"""A pool with one planted case of each kind of content finding, and beside each one that looks like it but is not."""

from __future__ import annotations

import json
from pathlib import Path

LONG = (
    "The river rises in the hills and flows past the old mill. It reaches the town after two days of walking."
)
GERMAN = "Der Fluss entspringt in den Hügeln und fließt an der alten Mühle vorbei, bevor er nach zwei Tagen die Stadt erreicht."
# kind: (planted prompt, response), (look-alike prompt, response)
PAIRS: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "no_content": (
        ("Why is the sky blue?", "See above."),
        ("Is this fine? Answer ok or not ok.", "ok"),
    ),
    "cut_off": (
        ("Tell me about rivers.", LONG + " After that it turns to the south and meets the"),
        ("Name a book about rivers that you like.", "The Long Way Down to the Sea: a Journey along the Rhine"),
    ),
    "loop": (
        ("Describe a walk.", "I went home. " + "Then I walked to the shop again. " * 6),
        ("Write a song about a walk.", "Oh walk with me, my darling friend.\n" * 6),
    ),
    "markup": (
        ("What is a river?", "<p>A river is a stream of water.</p><|im_end|>"),
        ("Write a paragraph in HTML.", "<p>A river is a stream of water.</p>"),
    ),
    "encoding": (
        ("Who was she?", "She was naÃ¯ve and lived in the cafÃ© by the sea."),
        ("Who was he?", "He was naïve and lived in the café in SÃO PAULO – by the sea."),
    ),
    "open_fence": (
        ("Print the numbers to three.", "Here it is:\n```python\nfor i in range(3):\n    print(i)"),
        ("Print the numbers to four.", "Here it is:\n```python\nfor i in range(4):\n    print(i)\n```\nThat is all."),
    ),
    "language": (
        ("Where does the river come from, and where does it go to after the mill?", GERMAN),
        ("Translate into German: " + LONG, GERMAN.replace("Fluss", "Strom")),
    ),
    "email": (
        ("Whom do I write to?", "Write to Karla at karla.brenner@uni-bonn.de today."),
        ("Whom do I ask?", "Write to your.name@example.com today."),
    ),
    "phone": (
        ("Whom do I call?", "Call Karla on (212) 736-4892 before noon."),
        ("Whom do I phone?", "Call 555-123-4567 or 1-800-273-8255, or dial 2024-11-05."),
    ),
    "secret": (
        ("How do I log in?", "Use the token ghp_9fKq2LmZx81RtYbVc3NwEj7HsUo4Pd5AgXi6."),
        ("How do I log on?", 'Set api_key = "your-api-key-here" and password = "password123".'),
    ),
}  # fmt: skip


def write_pool(path: Path) -> Path:
    """The planted rows first, then their look-alikes, then fifty plain ones, as an Alpaca file."""
    pairs = [pair[side] for side in (0, 1) for pair in PAIRS.values()]
    pairs += [
        (f"What does house number {i} look like?", f"House number {i} has {i % 7 + 1} windows and the door of it is green.")
        for i in range(50)
    ]  # fmt: skip
    path.write_text(json.dumps([{"instruction": prompt, "output": response} for prompt, response in pairs]))
    return path
