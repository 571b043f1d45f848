"""What a person reads on the Compare tab."""

from __future__ import annotations

LINE = "Put strategies and runs side by side: which selection ends with the lowest held-out loss, and is it more than chance?"
EQUAL_TOKENS = "As much text as"
EQUAL_TOKENS_HELP = (
    "Also random, redrawn each epoch, and full, trained on as many response tokens as this run was: what a strategy selects is "
    "often longer than what is drawn."
)
LADDER = "Compute multiplier"
LADDER_HELP = (
    "Also trains fresh random draws for a quarter, half, once, twice and four times the steps, to say how many of them a "
    "selection is worth."
)
LADDER_HINT = (
    f"Is selecting worth it? To see how many steps of fresh random draws each strategy is worth, switch on “{LADDER}” when you "
    "start a comparison."
)
