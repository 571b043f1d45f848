"""Complexity (the paper's S_COM): how much a prompt helps a model to predict its response."""

from backend.complexity.kept import Keep, Kept, Known, kept_losses
from backend.complexity.processes import helpers
from backend.complexity.score import held_out_loss, score
from backend.complexity.token_losses import token_losses

__all__ = ["Keep", "Kept", "Known", "held_out_loss", "helpers", "kept_losses", "score", "token_losses"]
