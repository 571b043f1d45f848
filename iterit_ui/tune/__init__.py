"""The Tune screen: set up a run, launch it, watch it."""
