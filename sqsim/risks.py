"""The two risks of reliable learning, the class C+, and the rule from scores to hypotheses.

This file does not know who learns, nor where scores come from.
"""

from __future__ import annotations

import numpy as np

from sqsim.errors import BadInput
from sqsim.losses import Loss, clipped
from sqsim.lowrank import Array

LEEWAY = 1e-9


def reliable_output(values: Array, *, epsilon: float) -> Array:
    """0 where clip01(f) <= 2 epsilon, else clip01(f): the hypothesis that a score f stands for.

    P[h != 0, y = 0] <= E[max(f - epsilon, 0) 1{y = 0}] / epsilon, and for a monotone loss
    L_{>0}(h) <= E[l(f, y) 1{y > 0}] + 2 epsilon L with l continued beyond [0, 1]: a value that is
    set to 0 moves by at most 2 epsilon.  Goel, Kanade, Klivans and Thaler (2017).
    """
    _check_epsilon(epsilon)
    inside = clipped(values)
    return np.where(inside <= 2 * epsilon, 0.0, inside)


def excess(values: Array, *, epsilon: float) -> Array:
    """max(f - epsilon, 0), the convex penalty of a score on examples labelled 0.

    Divided by epsilon it lies above clip((f - epsilon) / epsilon, 0, 1), which is 1 where
    `reliable_output` is not 0.
    """
    _check_epsilon(epsilon)
    return np.maximum(np.asarray(values, float) - epsilon, 0.0)


def false_positive_rate(values: Array, labels: Array, *, weights: Array | None = None) -> float:
    """L_{=0}(h) = P[h(x) != 0, y = 0].

    Parameters
    ----------
    values, labels : (n,) arrays
        h(x) and y, the labels in [0, 1].
    weights : (n,) array, optional
        Probabilities of the examples; 1/n each where not given.
    """
    h, y, p = _sample(values, labels, weights)
    return float(p @ ((h != 0) & (y == 0)))


def positive_loss(
    loss: Loss, values: Array, labels: Array, *, weights: Array | None = None
) -> float:
    """L_{>0}(h) = E[l(h(x), y) 1{y > 0}]; parameters as of `false_positive_rate`."""
    h, y, p = _sample(values, labels, weights)
    return float(p @ (loss.value(h, y) * (y > 0)))


def is_reliable(values: Array, labels: Array, *, weights: Array | None = None) -> bool:
    """Whether a function belongs to C+: it is 0 wherever the label is 0, almost surely."""
    return false_positive_rate(values, labels, weights=weights) == 0


def check_labels(labels: Array) -> Array:
    """The labels as floats, once they lie in [0, 1]."""
    y = np.asarray(labels, float)
    if not np.isfinite(y).all():
        raise BadInput("a label is not finite; reliable learning assumes labels in [0, 1]")
    low, high = (float(y.min()), float(y.max())) if y.size else (0.0, 0.0)
    if low < 0 or high > 1:
        raise BadInput(
            f"labels lie in [{low:g}, {high:g}]; reliable learning assumes [0, 1]: rescale them, "
            f"for instance (y - {low:g}) / {high - low or 1.0:g}; a label that means 'negative' "
            "must become exactly 0"
        )
    return y


def _sample(values: Array, labels: Array, weights: Array | None) -> tuple[Array, Array, Array]:
    h, y = np.asarray(values, float), check_labels(labels)
    p = np.full(y.shape, 1.0 / max(y.size, 1)) if weights is None else np.asarray(weights, float)
    if h.ndim != 1 or not h.shape == y.shape == p.shape or not h.size:
        raise BadInput(
            f"values, labels and weights have shapes {h.shape}, {y.shape}, {p.shape}; wanted "
            "vectors of one length"
        )
    if not np.isfinite(h).all() or not (p >= 0).all() or not abs(float(p.sum()) - 1) < LEEWAY:
        raise BadInput("values must be finite, and weights probabilities that sum to 1")
    return h, y, p


def _check_epsilon(epsilon: float) -> None:
    if isinstance(epsilon, bool) or not 0 < epsilon < 0.5:
        raise BadInput(f"epsilon is {epsilon!r}; wanted one in (0, 1/2): above, all guesses are 0")
