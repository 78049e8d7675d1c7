"""The losses against their equations, worked by hand or in numpy."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from cnnspec.training.losses import (
    Kind,
    cross_entropy,
    margin,
    probabilities,
    probability_entropy,
    rbf,
    scores,
    smooth,
    total_loss,
)
from cnnspec.training.recipe import Loss

EYE = np.eye(3, dtype=np.float32)


def test_cross_entropy_of_known_probabilities():
    logits = np.log(np.array([[0.7, 0.2, 0.1]], np.float32))
    assert float(cross_entropy(logits, EYE[:1])[0]) == pytest.approx(-np.log(0.7), rel=1e-6)
    assert float(probability_entropy(np.exp(logits), EYE[:1])[0]) == pytest.approx(-np.log(0.7), rel=1e-6)
    assert np.asarray(smooth(EYE[:1], 0.3))[0] == pytest.approx([0.8, 0.1, 0.1])


def test_margin_loss_by_hand():
    lengths = np.array([[0.95, 0.3, 0.05], [0.5, 0.95, 0.1]], np.float32)
    found = margin(lengths, EYE[[0, 0]], 0.9, 0.1, 0.5)
    assert np.asarray(found) == pytest.approx([0.5 * 0.2**2, 0.4**2 + 0.5 * 0.85**2], rel=1e-5)


def test_rbf_loss_by_hand_and_far_away():
    distances = np.array([[1.0, 2.0, 3.0]], np.float32)
    expected = 1 + np.log(np.exp(-0.1) + np.exp([-1.0, -2.0, -3.0]).sum())
    assert float(rbf(distances, EYE[:1], 0.1)[0]) == pytest.approx(expected, rel=1e-6)
    assert float(rbf(distances * 1e4, EYE[:1], 0.1)[0]) == pytest.approx(1e4 - 0.1, rel=1e-5)
    assert int(scores("distances", distances).argmax()) == 0


def test_the_total_adds_auxiliary_heads_and_the_reconstruction():
    logits = np.log(np.array([[0.5, 0.25, 0.25]], np.float32))
    outputs = {"logits": logits, "aux": logits}
    loss = Loss(auxiliary={"aux": 0.3, "absent": 1.0})
    assert float(total_loss(loss, "logits", outputs, "logits", EYE[:1], None)[0]) == pytest.approx(
        1.3 * np.log(2), rel=1e-6
    )
    image = np.zeros((1, 2, 2, 1), np.float32)
    outputs = {
        "lengths": np.array([[0.9, 0.1, 0.1]], np.float32),
        "reconstruction": np.full((1, 2, 2, 1), 0.5, np.float32),
    }
    found = total_loss(Loss(name="margin", reconstruction_weight=0.1), "lengths", outputs, "lengths", EYE[:1], image)
    assert float(found[0]) == pytest.approx(0.1 * 4 * 0.25, rel=1e-5)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_probabilities_agree_with_the_scores_and_sum_to_one_but_for_capsules(kind):
    judged = np.random.default_rng(0).uniform(0.1, 0.9, (5, 4)).astype(np.float32)
    found = np.asarray(probabilities(kind, judged))
    assert found.sum(-1) == pytest.approx(judged.sum(-1) if kind == "lengths" else np.ones(5), rel=1e-5)
    assert (found.argmax(-1) == np.asarray(scores(kind, judged)).argmax(-1)).all()


def test_cross_entropy_of_distances_is_that_of_their_negatives():
    distances = np.array([[1.0, 2.0, 4.0]], np.float32)
    found = total_loss(Loss(), "distances", {"d": distances}, "d", EYE[:1], None)
    assert float(found[0]) == pytest.approx(float(cross_entropy(-distances, EYE[:1])[0]))
