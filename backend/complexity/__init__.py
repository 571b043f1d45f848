"""Complexity (the paper's S_COM): how much a prompt helps a model to predict its response."""

from backend.complexity.kept import Keep, Kept, Known, kept_losses, score_unknown, scores_depend_on
from backend.complexity.score import held_out_loss, score, scoring_tokens
from backend.complexity.token_losses import token_losses

__all__ = [
    "Keep",
    "Kept",
    "Known",
    "held_out_loss",
    "kept_losses",
    "score",
    "score_unknown",
    "scores_depend_on",
    "scoring_tokens",
    "token_losses",
]
