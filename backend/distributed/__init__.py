"""What the processes of a run agree on, and the one launcher that starts them for scoring and for training."""
