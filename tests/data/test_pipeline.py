"""Batches: order, resume, division among hosts, and augmentation."""

from __future__ import annotations

import numpy as np
import pytest

from cnnspec.data.augment import augment
from cnnspec.data.base import ArrayDataset
from cnnspec.data.config import Affine, Augmentation, Colour, Loading, ResizedCrop
from cnnspec.data.draws import Draws
from cnnspec.data.frame import Frame
from cnnspec.data.parts import parts_of
from cnnspec.data.pipeline import EvaluationBatches, Share, TrainingBatches, iterate

EVERYTHING = Augmentation(
    crop=2,
    affine=Affine(shift=1, rotate=10, scale=(0.9, 1.1), shear=5),
    flip=True,
    colour=Colour(brightness=0.2, contrast=0.2, saturation=0.2),
)


def dataset(count: int = 10, channels: int = 1) -> ArrayDataset:
    images = np.random.default_rng(0).integers(0, 256, (count, 8, 8, channels)).astype(np.uint8)
    return ArrayDataset("test", [str(i) for i in range(count)], images, np.arange(count), Frame(8, 8, channels))


def batches(**changes) -> TrainingBatches:
    settings = {"batch": 4, "steps": 20, "seed": 3, "augmentation": EVERYTHING, **changes}
    return TrainingBatches(dataset(), **settings)


def test_every_image_is_seen_once_an_epoch_even_across_batches():
    labels = np.concatenate([batches()[step]["label"] for step in range(20)])
    epochs = labels.reshape(8, 10)
    assert (np.sort(epochs, axis=1) == np.arange(10)).all()
    assert len({tuple(epoch) for epoch in epochs}) == 8


def test_a_loop_over_the_batches_ends():
    assert len(list(batches())) == 20
    assert len(list(EvaluationBatches(dataset(), batch=4))) == 3


def test_a_batch_larger_than_the_set_is_filled_from_the_next_epochs():
    labels = batches(batch=25)[0]["label"]
    assert np.bincount(labels[:20]).tolist() == [2] * 10


@pytest.mark.parametrize("processes", [0, 1])
def test_a_restored_position_gives_the_same_batches(processes):
    loading = Loading(threads=2, processes=processes)
    iterator = iterate(batches(), loading)
    for _ in range(7):
        next(iterator)
    state = iterator.get_state()
    expected = [next(iterator) for _ in range(3)]
    again = iterate(batches(), loading)
    again.set_state(state)
    for batch in expected:
        other = next(again)
        assert (batch["image"] == other["image"]).all()
        assert (batch["label"] == other["label"]).all()


def test_hosts_divide_a_batch_without_changing_it():
    whole = batches()[5]
    parts = [batches(share=Share(i, 2))[5] for i in range(2)]
    for name, rows in whole.items():
        assert (np.concatenate([part[name] for part in parts]) == rows).all()


def test_another_seed_is_another_order_and_another_augmentation():
    first, second = batches()[0], batches(seed=4)[0]
    assert (first["label"] != second["label"]).any()


def test_an_evaluation_counts_every_image_once():
    source = EvaluationBatches(dataset(), batch=4)
    parts = [source[i] for i in range(len(source))]
    labels = np.concatenate([p["label"][p["mask"]] for p in parts])
    assert labels.tolist() == list(range(10))
    assert {len(p["image"]) for p in parts} == {4}
    shared = [EvaluationBatches(dataset(), batch=4, share=Share(i, 2)) for i in range(2)]
    found = np.concatenate([s[i]["label"][s[i]["mask"]] for s in shared for i in range(len(s))])
    assert sorted(found) == list(range(10))


def draws(count: int) -> Draws:
    return Draws(0, 0, count, slice(0, count))


def test_an_augmentation_that_does_nothing_changes_nothing():
    images = dataset(6, 3).read(np.arange(6))[0]
    assert (augment(images, Augmentation(), draws(6)) == images).all()
    assert (augment(images, Augmentation(affine=Affine()), draws(6)) == images).all()
    assert (augment(images, Augmentation(colour=Colour()), draws(6)) == images).all()


def test_flip_mirrors_about_half_of_the_images():
    images = dataset(200).read(np.arange(200))[0]
    flipped = augment(images, Augmentation(flip=True), draws(200))
    same = (flipped == images).all((1, 2, 3))
    mirrored = (flipped == images[:, :, ::-1]).all((1, 2, 3))
    assert (same | mirrored).all()
    assert 70 < mirrored.sum() < 130


def test_a_crop_is_a_window_of_the_padded_image():
    images = dataset(50).read(np.arange(50))[0]
    found = augment(images, Augmentation(crop=2, fill=7), draws(50))
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)), constant_values=7)
    places = set()
    for image, whole in zip(found, padded, strict=True):
        hits = [(y, x) for y in range(5) for x in range(5) if (whole[y : y + 8, x : x + 8] == image).all()]
        assert hits
        places.add(hits[0])
    assert len(places) > 15


def test_a_rotation_turns_and_a_shift_moves_and_brings_in_the_fill():
    images = np.zeros((40, 21, 21, 1), np.uint8)
    images[:, 10, 15] = 255
    found = augment(images, Augmentation(affine=Affine(rotate=90)), draws(40)).astype(float)[..., 0]
    y, x = np.mgrid[:21, :21] - 10.0
    mass = found.sum((1, 2))
    radius = np.hypot((found * x).sum((1, 2)) / mass, (found * y).sum((1, 2)) / mass)
    assert np.allclose(radius, 5, atol=0.2)
    moved = augment(np.full((40, 9, 9, 1), 200, np.uint8), Augmentation(affine=Affine(shift=3), fill=50), draws(40))
    assert (moved.min(), moved.max()) == (50, 200)


def test_every_channel_moves_alike_whether_they_differ_or_not():
    moves = Augmentation(affine=Affine(shift=3, rotate=20, scale=(0.8, 1.2), shear=10), fill=30)
    colours = np.random.default_rng(0).integers(0, 256, (6, 17, 13, 3), np.uint8)
    each = [augment(colours[..., i : i + 1], moves, draws(6)) for i in range(3)]
    assert (augment(colours, moves, draws(6)) == np.concatenate(each, -1)).all()
    grey = np.repeat(colours[..., :1], 3, -1)
    assert (augment(grey, moves, draws(6)) == np.repeat(each[0], 3, -1)).all()


@pytest.mark.parametrize("size", [(300, 200), (50, 80)])
def test_parts_by_area_lie_within_the_image_and_have_the_asked_area_and_ratio(size):
    config = Augmentation(resized_crop=ResizedCrop(area=(0.2, 0.5), ratio=(0.8, 1.25)))
    found = np.array([part.box(*size) for part in parts_of(config, (8, 8, 3), draws(300))])
    across, down = found[:, 2] - found[:, 0], found[:, 3] - found[:, 1]
    assert found.min() >= 0
    assert (found[:, 2:] <= np.array(size) + 1e-9).all()
    share = across * down / np.prod(size)
    assert (share.min() > 0.19, share.max() < 0.51) == (True, True)
    assert (across / down > 0.79).all()
    assert (across / down < 1.26).all()


def test_a_random_resize_crops_squares_of_pixels_at_every_scale():
    config = Augmentation(random_resize=(256, 512))
    found = np.array([part.box(500, 375) for part in parts_of(config, (224, 224, 3), draws(400))])
    across, down = found[:, 2] - found[:, 0], found[:, 3] - found[:, 1]
    assert np.allclose(across, down)
    sides = 224 * 375 / across
    assert (256 <= sides.min() < 265, 500 < sides.max() <= 512) == (True, True)
    assert abs(sides.mean() - 384) < 10
    assert (found[:, 2].max() > 480, found[:, 0].min() < 10) == (True, True)


def test_lighting_moves_all_pixels_of_an_image_alike_and_most_along_grey():
    images = np.full((300, 4, 4, 3), 128, np.uint8)
    found = augment(images, Augmentation(colour=Colour(lighting=0.1)), draws(300)).astype(float) - 128
    assert (found == found[:, :1, :1]).all()
    moved = found[:, 0, 0]
    assert np.allclose(moved.std(0), 255 * 0.1 * 0.2175 * 0.577, rtol=0.15)
    assert np.corrcoef(moved.T).min() > 0.95
