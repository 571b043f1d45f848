"""Present: one screen a story, for showing to others what was selected and whether it helped."""
