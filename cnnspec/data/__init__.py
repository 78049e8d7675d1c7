"""Labelled images: where they come from, how they are checked, augmented and cut into batches.

`opening.open_split` gives a `Dataset` (random access to images of the network's size), `pipeline` the batches of
a training or an evaluation. Every mistake in the data is found before the first step and has a code of E85x.
"""
