"""What a person reads on the Epochs tab."""

from __future__ import annotations

LINE = "Step through the epochs of a run and see which samples came, stayed and went."
