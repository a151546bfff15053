"""Entries on the landscape of a binarised network: its loss and its gradient."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from sqsim.algorithms.coarse_landscape import (
    network_gradient,
    network_loss,
)
from sqsim.lowrank import Array
from sqsim.oracles.quadrature import Quadrature
from sqsim.problems.binarised import BinarisedNetwork, BinarisedRegression
from sqsim.queries import Correlation, Ridge
from sqsim.tolerance import Scale
from sqsim.verification.conditions import joined, near, rounded
from sqsim.verification.entry import Entry, Finding

SOURCE = "Yin, Lyu, Zhang, Osher, Qi and Xin (2019)"
ROWS, COLUMNS = 3, 4
PROBLEM = BinarisedRegression(ROWS, COLUMNS)
TARGET = BinarisedNetwork(np.array([1.0, -0.6, 0.8]), np.array([0.6, 0.0, -0.8, 0.0]))
OTHER = BinarisedNetwork(np.array([0.7, 0.4, -0.3]), np.array([0.3, 1.1, 0.2, -0.5]))
ORTHOGONAL = BinarisedNetwork(np.array([0.6, 1.0, 0.0]), OTHER.filter)
"""Outer weights orthogonal to the target's."""


def angle(network: BinarisedNetwork) -> float:
    w = network.filter
    cosine = float(w @ TARGET.filter) / float(np.linalg.norm(w) * np.linalg.norm(TARGET.filter))
    return math.acos(cosine)


def _bracket(network: BinarisedNetwork) -> float:
    """The form whose eighth the loss is said to be."""
    v, planted = network.outer, TARGET.outer
    share = 1 - 2 * angle(network) / math.pi
    own = v @ v + v.sum() ** 2
    cross = share * (v @ planted) + v.sum() * planted.sum()
    return float(own - 2 * cross + planted @ planted + planted.sum() ** 2)


def _asked_loss(network: BinarisedNetwork) -> float:
    """Half of E[(yhat - y)^2] from answers: E[y 1(<z_i, w> > 0)] for each row."""
    instance = PROBLEM.draw(outer=TARGET.outer, filter=TARGET.filter)
    forms = [
        Correlation(Ridge(lambda s: (s > 0) * 1.0, PROBLEM.in_row(network.filter, i), kinks=(0.0,)))
        for i in range(ROWS)
    ]
    means = Quadrature().means(instance, forms, [Scale.NONE] * ROWS)
    agreed = float(network.outer @ np.array([mean.number for mean in means]))

    def energy(outer: Array) -> float:
        return float(outer @ outer / 2 + (outer.sum() ** 2 - outer @ outer) / 4)

    return (energy(network.outer) - 2 * agreed + energy(TARGET.outer)) / 2


def _loss(constant: Fraction) -> Finding:
    """The factor of the bracket, by quadrature of the loss at two networks."""
    found = [_asked_loss(n) / _bracket(n) for n in (OTHER, ORTHOGONAL)]
    return joined(
        rounded(constant, found[0], digits=8, error=1e-10),
        near(found[0], found[1]),
        near(network_loss(TARGET, OTHER), _asked_loss(OTHER)),
    )


def slopes_at(network: BinarisedNetwork) -> tuple[Array, Array]:
    """The gradient of the asked loss in v and w, by central differences extrapolated twice."""
    point = np.append(network.outer, network.filter)

    def slope(h: Array) -> float:
        ends = [_asked_loss(BinarisedNetwork(z[:ROWS], z[ROWS:])) for z in (point + h, point - h)]
        return ends[0] - ends[1]

    size = 8e-3
    found = np.array(
        [
            (45 * slope(h) - 9 * slope(2 * h) + slope(3 * h)) / (60 * size)
            for h in size * np.eye(ROWS + COLUMNS)
        ]
    )
    return found[:ROWS], found[ROWS:]


def _outer_gradient(constant: Fraction) -> Finding:
    """The factor of (I + J) v - ((1 - 2 theta/pi) I + J) v*."""
    v, planted = OTHER.outer, TARGET.outer
    share = 1 - 2 * angle(OTHER) / math.pi
    direction = v + v.sum() - share * planted - planted.sum()
    slopes = slopes_at(OTHER)[0]
    factor = float(slopes @ direction) / float(direction @ direction)
    left = float(np.abs(slopes - factor * direction).max())
    return joined(rounded(constant, factor, digits=7, error=1e-9), left <= 1e-8)


def _filter_gradient(constant: Fraction) -> Finding:
    """The factor of -<v, v*> / ||w|| times the unit part of w* orthogonal to w."""
    w = OTHER.filter
    unit = w / np.linalg.norm(w)
    side = TARGET.filter - (TARGET.filter @ unit) * unit
    side = side / np.linalg.norm(side)
    slopes = slopes_at(OTHER)[1]
    scale = -float(OTHER.outer @ TARGET.outer) / float(np.linalg.norm(w))
    factor = float(slopes @ side) / scale
    left = float(np.abs(slopes - factor * scale * side).max())
    closed = network_gradient(TARGET, OTHER)[1]
    return joined(
        rounded(constant, factor, digits=7, error=1e-9),
        left <= 1e-8,
        bool(np.abs(closed - slopes).max() <= 1e-8),
    )


BINARISED_LANDSCAPE: tuple[Entry, ...] = (
    Entry(
        "ste.loss",
        "f = 1/8 [v'(I + J)v - 2 v'((1 - 2 theta/pi) I + J)v* + v*'(I + J)v*]",
        SOURCE,
        "the loss from exact answers at two networks; the closed form",
        "1/8",
        _loss,
    ),
    Entry(
        "ste.outer-gradient",
        "grad_v f = 1/4 [(I + J) v - ((1 - 2 theta/pi) I + J) v*]",
        SOURCE,
        "difference quotients of the loss from exact answers",
        "1/4",
        _outer_gradient,
    ),
    Entry(
        "ste.filter-gradient",
        "grad_w f = -0.1591549 <v, v*> / ||w|| along w* orthogonal to w, the factor 1 / (2 pi)",
        SOURCE,
        "difference quotients of the loss from exact answers; the closed form",
        "0.1591549",
        _filter_gradient,
    ),
)
