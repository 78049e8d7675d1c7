"""Specs as they should not be, each with what is said of it."""
