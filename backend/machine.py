"""What this machine has to compute with, found without torch."""
