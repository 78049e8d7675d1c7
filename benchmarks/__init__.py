"""Measurements: each beside what a user would pick instead, in one run, as ratios.

`sections/` says what is measured, `engines/` how each contender runs a network, `handwritten/` holds the networks as a
Flax user would write them. An engine runs in a `worker` process of its own; `turns` lets workers take turns.
"""
