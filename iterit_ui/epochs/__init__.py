"""The Epochs screen: what was selected before each epoch, and why."""
