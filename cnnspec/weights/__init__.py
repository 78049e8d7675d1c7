"""Weights that come from elsewhere: readers of checkpoints, and the rules by which names are mapped."""
