"""Weights from elsewhere: files, names, commands."""
