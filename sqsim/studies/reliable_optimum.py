"""The best reliable ReLU of a small table, enclosed by branch and bound.

This file does not know strategies or oracles.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import numpy as np
from scipy.optimize import nnls

from sqsim.errors import BadInput
from sqsim.losses import LinearLoss, Loss
from sqsim.lowrank import Array
from sqsim.problems.dataset import Dataset
from sqsim.risks import check_labels

LARGEST_DIMENSION = 3
BOXES = 400_000
CELLS = 2**22
TRIED = 12
ROUNDING = 1e-12


@final
@dataclass(frozen=True, eq=False)
class ReliableOptimum:
    """lower <= min of E[l(max(<w, x>, 0), y) 1{y > 0}] <= upper, attained at `weights` but for
    roundings; over ||w|| <= 1 with <w, x> <= 0 wherever y = 0."""

    lower: float
    upper: float
    weights: Array = field(repr=False)


def best_reliable_relu(dataset: Dataset, loss: Loss, *, gap: float = 1e-3) -> ReliableOptimum:
    """An enclosure of width `gap`, or what 400 000 boxes give: branch and bound over w.

    Over a box of weights each score <w, x> has an interval, each loss a least value in it, and a
    box in which some x with y = 0 has a positive score throughout holds no reliable neuron.  Upper
    bounds are at reliable weights: centres of boxes projected onto the cone of them.

    Parameters
    ----------
    dataset : at most 3 columns, labels in [0, 1].
    loss : a monotone loss, or LinearLoss().
    """
    x, y = np.asarray(dataset.inputs, float), check_labels(dataset.targets)
    n = x.shape[1]
    if n > LARGEST_DIMENSION:
        raise BadInput(
            f"{n} columns; the brute-force optimum divides the ball of weights, which is feasible "
            f"for at most {LARGEST_DIMENSION}"
        )
    if not (loss.monotone or isinstance(loss, LinearLoss)):
        raise BadInput(f"{loss!r} is not monotone; wanted a monotone loss or LinearLoss()")
    search = _Search(x[y > 0], y[y > 0], x[y == 0], len(y), loss)
    centres, half = np.zeros((1, n)), 1.0
    best, upper = np.zeros(n), search.value(np.zeros(n))
    lower, settled = -np.inf, np.inf
    while True:
        bounds = search.bounds(centres, half)
        open_boxes = bounds < np.inf
        centres, bounds = centres[open_boxes], bounds[open_boxes]
        for place in np.argsort(bounds, kind="stable")[:TRIED]:
            w = search.reliable(centres[place])
            if (value := search.value(w)) < upper:
                best, upper = w, value
        lower = min(settled, float(np.min(bounds, initial=np.inf)), upper)
        keep = bounds < upper - gap / 2
        # A box that is left as it is keeps its bound.
        settled = min(settled, float(np.min(bounds[~keep], initial=np.inf)))
        centres = centres[keep]
        if not len(centres) or len(centres) << n > BOXES:
            return ReliableOptimum(lower - ROUNDING, upper + ROUNDING, best)
        half /= 2
        corners = 1.0 - 2.0 * (np.arange(1 << n)[:, None] >> np.arange(n) & 1)
        centres = (centres[:, None] + half * corners[None]).reshape(-1, n)


@final
@dataclass(frozen=True, eq=False)
class _Search:
    """Positive examples, inputs labelled 0, and how many rows there are in all."""

    x: Array
    y: Array
    zeros: Array
    rows: int
    loss: Loss

    def value(self, w: Array) -> float:
        return float(np.sum(self.loss.value(np.maximum(self.x @ w, 0.0), self.y)) / self.rows)

    def bounds(self, centres: Array, half: float) -> Array:
        """Least loss in each box, from below; infinite where no reliable neuron is."""
        step = max(1, CELLS // max(len(self.x), len(self.zeros), 1))
        found = [self._bounds(centres[i : i + step], half) for i in range(0, len(centres), step)]
        return np.concatenate(found)

    def _bounds(self, centres: Array, half: float) -> Array:
        reach = half * np.abs(self.x).sum(axis=1)
        scores = centres @ self.x.T
        low, high = np.maximum(scores - reach, 0.0), np.maximum(scores + reach, 0.0)
        guess = np.clip(self.y, low, high) if self.loss.monotone else high
        total = self.loss.value(guess, np.broadcast_to(self.y, guess.shape)).sum(axis=1)
        nearest = np.maximum(np.abs(centres) - half, 0.0)
        outside = np.linalg.norm(nearest, axis=1) > 1 + ROUNDING
        if len(self.zeros):
            least = centres @ self.zeros.T - half * np.abs(self.zeros).sum(axis=1)
            outside |= least.max(axis=1) > ROUNDING
        return np.where(outside, np.inf, total / self.rows)

    def reliable(self, w: Array) -> Array:
        """The nearest weights of a reliable neuron, moved into the ball."""
        if len(self.zeros) and (self.zeros @ w).max() > 0:
            # w minus its projection onto the cone of the zeros' inputs (Moreau).
            multipliers, _ = nnls(self.zeros.T, w)
            w = w - self.zeros.T @ multipliers
        return np.asarray(w / max(1.0, float(np.linalg.norm(w))))
