"""The Compare screen: runs side by side, models' answers, evaluations, and the list of all runs."""
