"""Fine-tuning on a selection that changes between epochs: a callback and a sampler on transformers' Trainer."""

from backend.config import steps_per_epoch
from backend.training.checkpoints import Checkpoint, damaged_checkpoints, last_checkpoint
from backend.training.sampler import SelectionSampler
from backend.training.train import save_model, train

__all__ = [
    "Checkpoint",
    "SelectionSampler",
    "damaged_checkpoints",
    "last_checkpoint",
    "save_model",
    "steps_per_epoch",
    "train",
]
