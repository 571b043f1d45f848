"""The Compare screen: runs side by side, answers, evaluations, and all runs."""
