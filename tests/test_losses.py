"""Losses keep their constants and their shape; the two risks are sums over the examples."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from sqsim.errors import BadInput
from sqsim.losses import (
    AbsoluteLoss,
    Continued,
    Hinge,
    Insensitive,
    LinearLoss,
    Loss,
    Square,
    clipped,
)
from sqsim.risks import (
    check_labels,
    excess,
    false_positive_rate,
    is_reliable,
    positive_loss,
    reliable_output,
)
from sqsim.supplied_losses import supplied_loss

LOSSES: list[Loss] = [
    Square(),
    AbsoluteLoss(),
    Hinge(),
    Insensitive(0.25),
    LinearLoss(),
    supplied_loss(
        lambda g, y: np.logaddexp(0.0, 4 * (y - g)),
        lambda g, y: -4 / (1 + np.exp(4 * (g - y))),
        lipschitz=4.0,
        bound=4.1,
        monotone=False,
    ),
]
POINTS = np.linspace(0.0, 1.0, 41)
GUESS, LABEL = np.meshgrid(POINTS, POINTS, indexing="ij")
WIDE = np.linspace(-2.0, 3.0, 201)


def kind(loss: Loss) -> str:
    return type(loss).__name__


@pytest.mark.parametrize("loss", LOSSES, ids=kind)
def test_slope_is_the_derivative_away_from_kinks(loss: Loss) -> None:
    """Central differences agree wherever the two one-sided ones do."""
    h = 1e-6
    inner, label = GUESS[1:-1] + 1e-4, LABEL[1:-1]
    up = (loss.value(inner + h, label) - loss.value(inner, label)) / h
    down = (loss.value(inner, label) - loss.value(inner - h, label)) / h
    smooth = np.abs(up - down) < 1e-4
    assert smooth.mean() > 0.9
    assert loss.slope(inner, label)[smooth] == pytest.approx(((up + down) / 2)[smooth], abs=1e-4)


@pytest.mark.parametrize("loss", LOSSES[:5], ids=kind)
def test_constants_hold_and_are_attained(loss: Loss) -> None:
    """L and b are the least ones on [0, 1]."""
    assert np.abs(loss.value(GUESS, LABEL)).max() == pytest.approx(loss.bound, abs=1e-15)
    assert np.abs(loss.slope(GUESS, LABEL)).max() == pytest.approx(loss.lipschitz, abs=1e-15)


@pytest.mark.parametrize("loss", LOSSES, ids=kind)
def test_monotone_says_that_the_label_is_best(loss: Loss) -> None:
    """Toward the label no monotone loss grows; of the others, one does somewhere."""
    rise = np.diff(loss.value(GUESS, LABEL), axis=0)
    worst = np.where(GUESS[:-1] < LABEL[:-1], rise, -rise).max()
    assert (worst <= 1e-12) == loss.monotone


@pytest.mark.parametrize("loss", LOSSES, ids=kind)
def test_a_continued_loss_is_convex_and_as_steep_as_before(loss: Loss) -> None:
    """The same on [0, 1]; on the line slopes rise, stay within L and are subgradients."""
    whole = Continued(loss)
    assert (whole.value(GUESS, LABEL) == loss.value(GUESS, LABEL)).all()
    assert (whole.lipschitz, whole.bound, whole.monotone) == (
        loss.lipschitz,
        loss.bound,
        loss.monotone,
    )
    for y in (0.0, 0.3, 1.0):
        label = np.full(WIDE.shape, y)
        value, slope = whole.value(WIDE, label), whole.slope(WIDE, label)
        assert (np.diff(slope) >= -1e-12).all()
        assert (np.abs(slope) <= loss.lipschitz).all()
        rise, step = np.diff(value), np.diff(WIDE)
        assert (rise >= slope[:-1] * step - 1e-12).all()
        assert (rise <= slope[1:] * step + 1e-12).all()


@pytest.mark.parametrize("loss", LOSSES, ids=kind)
def test_clipping_costs_nothing_where_the_loss_is_monotone(loss: Loss) -> None:
    """And for the linear loss it does: that is why it is not clipped."""
    whole = Continued(loss)
    guess, label = np.meshgrid(WIDE, POINTS, indexing="ij")
    grows = whole.value(clipped(guess), label) > whole.value(guess, label) + 1e-12
    assert grows.any() != loss.monotone


def test_a_supplied_loss_is_the_built_in_one() -> None:
    """The square, written by hand."""
    own = supplied_loss(
        lambda g, y: (g - y) ** 2, lambda g, y: 2 * (g - y), lipschitz=2.0, bound=1.0
    )
    assert (own.value(GUESS, LABEL) == Square().value(GUESS, LABEL)).all()
    assert (own.slope(GUESS, LABEL) == Square().slope(GUESS, LABEL)).all()
    assert own.monotone


def square(g, y):
    return (g - y) ** 2


def rise(g, y):
    return 2 * (g - y)


@pytest.mark.parametrize(
    ("function", "derivative", "options", "words"),
    [
        (lambda g, y: -square(g, y), lambda g, y: -rise(g, y), {}, "not convex"),
        (lambda g, y: np.sqrt(np.abs(g - y)), lambda g, y: 0 * g, {}, "not convex"),
        (square, lambda g, y: -rise(g, y), {}, "derivative is not its own"),
        (lambda g, y: -g * y, lambda g, y: -y + 0 * g, {}, "not monotone"),
        (lambda g, y: (g - y / 2) ** 2, lambda g, y: 2 * g - y, {}, "not monotone"),
        (square, rise, {"lipschitz": 1.5}, "steeper than its Lipschitz constant 1.5"),
        (square, rise, {"bound": 0.5}, "exceeds its bound 0.5"),
        (square, rise, {"bound": 0.0}, "bound is 0.0"),
        (square, rise, {"lipschitz": float("inf")}, "lipschitz is inf"),
        (lambda g, y: 0 * g + np.inf, rise, {}, "not finite at guess 0 and label 0"),
        (lambda g, y: 0.0, rise, {}, "whole arrays"),
    ],
)
def test_a_loss_that_is_not_one_is_refused(function, derivative, options, words) -> None:
    """With what is assumed, and where it fails."""
    with pytest.raises(BadInput, match=words):
        supplied_loss(function, derivative, **{"lipschitz": 2.0, "bound": 1.0, **options})


def sample(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    scores = rng.uniform(-0.5, 1.5, 300)
    labels = np.where(rng.random(300) < 0.5, 0.0, rng.random(300))
    weights = rng.integers(1, 9, 300) / 1.0
    return scores, labels, weights / weights.sum()


@pytest.mark.parametrize("loss", LOSSES, ids=kind)
def test_risks_are_sums_over_the_examples(loss: Loss) -> None:
    """Against a loop in rationals for the rate, in floats for the loss."""
    scores, labels, weights = sample(1)
    guesses = reliable_output(scores, epsilon=0.1)
    rate = sum(Fraction(w) for h, y, w in zip(guesses, labels, weights, strict=True)
               if h != 0 and y == 0)  # fmt: skip
    assert false_positive_rate(guesses, labels, weights=weights) == pytest.approx(float(rate))
    total = 0.0
    for h, y, w in zip(guesses, labels, weights, strict=True):
        if y > 0:
            total += w * float(loss.value(np.array([h]), np.array([y]))[0])
    assert positive_loss(loss, guesses, labels, weights=weights) == pytest.approx(total)
    plain = np.mean(loss.value(guesses, labels) * (labels > 0))
    assert positive_loss(loss, guesses, labels) == pytest.approx(float(plain))


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss.monotone], ids=kind)
@pytest.mark.parametrize("epsilon", [0.02, 0.1, 0.3])
def test_the_rule_costs_what_it_says(loss: Loss, epsilon: float) -> None:
    """The rate is at most the mean excess / epsilon, the loss grows by at most 2 epsilon L."""
    for seed in range(5):
        scores, labels, p = sample(seed)
        h = reliable_output(scores, epsilon=epsilon)
        penalty = float(p @ (excess(scores, epsilon=epsilon) * (labels == 0))) / epsilon
        assert false_positive_rate(h, labels, weights=p) <= penalty
        before = float(p @ (Continued(loss).value(scores, labels) * (labels > 0)))
        after = positive_loss(loss, h, labels, weights=p)
        assert after <= before + 2 * epsilon * loss.lipschitz + 1e-12
        assert ((h == 0) | ((h > 2 * epsilon) & (h <= 1))).all()


def test_reliable_functions_are_zero_where_labels_are() -> None:
    """C+: of the neurons here, those that do not fire on a label 0 of positive probability."""
    x = np.array([[1.0, 0.0], [0.0, 1.0], [-0.6, 0.8]])
    y = np.array([0.5, 0.0, 0.0])
    for w, expected in (([1.0, 0.0], True), ([0.6, 0.8], False), ([0.8, -0.6], True)):
        h = np.maximum(x @ np.array(w), 0.0)
        assert is_reliable(h, y) == expected
    fires = np.maximum(x @ np.array([0.6, 0.8]), 0.0)
    assert is_reliable(fires, y, weights=np.array([1.0, 0.0, 0.0]))


def test_bad_input() -> None:
    """Labels outside [0, 1] are told how to be rescaled."""
    ones = np.ones(2)
    with pytest.raises(BadInput, match=r"rescale them, for instance \(y - -1\) / 3"):
        check_labels(np.array([-1.0, 2.0]))
    with pytest.raises(BadInput, match="not finite"):
        false_positive_rate(ones, np.array([0.0, np.nan]))
    with pytest.raises(BadInput, match="one length"):
        positive_loss(Square(), ones, np.ones(3))
    with pytest.raises(BadInput, match="sum to 1"):
        is_reliable(ones, ones, weights=ones)
    with pytest.raises(BadInput, match="epsilon"):
        reliable_output(ones, epsilon=0.5)
    with pytest.raises(BadInput, match="width"):
        Insensitive(1.0)
