"""What a person reads on the Compare tab."""

from __future__ import annotations

LINE = "Put strategies and runs side by side: which selection ends with the lowest held-out loss, and is it more than chance?"
