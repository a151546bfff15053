"""A fixed Gauss-Legendre rule on panels that are scaled to the kinks of a Gaussian tail.

Knows kinks and levels of functions of one coordinate; does not know labels or queries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sqsim.gaussian import LIMIT
from sqsim.lowrank import Array

ORDER = 10
BISECTIONS = 50

BASE = np.linspace(-LIMIT, LIMIT, 41)
_STEP = np.array([1.5, 4.0, 9.0, 17.0])
STEPS = np.concatenate([-_STEP[::-1], [0.0], _STEP])
"""Panel ends about a kink at k, in units of 1 / (1 + |k|), the scale of a Gaussian tail there."""
_SOFT = np.array([1.0, 3.0, 7.0])
SOFT = np.concatenate([-_SOFT[::-1], [0.0], _SOFT])
"""The same about a kink that the inner integral smooths, in units of the width."""


def _rules() -> tuple[Array, Array, Array]:
    """Gauss-Legendre nodes and weights, and weights of lower degree on the same nodes."""
    nodes, weights = np.polynomial.legendre.leggauss(ORDER)
    kept = np.ones(ORDER, dtype=bool)
    kept[[1, -2]] = False
    powers = np.arange(np.count_nonzero(kept))
    moments = (1 - (-1.0) ** (powers + 1)) / (powers + 1)
    low = np.zeros(ORDER)
    low[kept] = np.linalg.solve(nodes[kept][None, :] ** powers[:, None], moments)
    return nodes, weights, low


NODES, WEIGHTS, LOW = _rules()


def panel_ends(kinks: Array, more: Array | None = None) -> Array:
    """Ascending panel ends of every row: the base, and steps about each kink."""
    rows = len(kinks)
    inner = np.where(np.abs(kinks) < LIMIT, kinks, LIMIT)
    near = (inner[:, :, None] + STEPS / (1 + np.abs(inner))[:, :, None]).reshape(rows, -1)
    base = np.broadcast_to(BASE, (rows, len(BASE))) if more is None else more
    return np.sort(np.clip(np.concatenate([base, near], axis=1), -LIMIT, LIMIT), axis=1)


def crossings(
    label: Callable[[np.ndarray, Array], Array], edges: Array, levels: Sequence[float]
) -> Array:
    """Where the label crosses a level inside a panel, one root a panel, padded with LIMIT."""
    rows, panels = len(edges), edges.shape[1] - 1
    row = np.repeat(np.arange(rows), panels)
    start, end = edges[:, :-1].ravel(), edges[:, 1:].ravel()
    inset = 1e-9 * (end - start)
    left, right = label(row, start + inset), label(row, end - inset)
    found = np.full((rows, 0), LIMIT)
    for level in levels:
        at = np.flatnonzero((left < level) != (right < level))
        if not len(at):
            continue
        below, low, high = left[at] < level, (start + inset)[at], (end - inset)[at]
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            same = (label(row[at], middle) < level) == below
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        order = np.arange(len(at)) - np.searchsorted(row[at], row[at])
        more = np.full((rows, int(order.max()) + 1), LIMIT)
        more[row[at], order] = (low + high) / 2
        found = np.concatenate([found, more], axis=1)
    return found
