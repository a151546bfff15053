"""Entries on straight-through estimators: the coarse steps of a binarised network."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial

import numpy as np

from sqsim.algorithms.coarse_landscape import (
    Estimator,
    coarse_gradient,
    network_gradient,
    network_loss,
)
from sqsim.algorithms.straight_through import coarse_gradient_descent
from sqsim.loop import run
from sqsim.lowrank import Array
from sqsim.oracles.simulated import csq
from sqsim.problems.binarised import BinarisedNetwork
from sqsim.tolerance import Unperturbed
from sqsim.verification.binarised_landscape import (
    COLUMNS,
    OTHER,
    PROBLEM,
    ROWS,
    SOURCE,
    TARGET,
    angle,
    slopes_at,
)
from sqsim.verification.conditions import exactly, joined, near, rounded
from sqsim.verification.entry import Entry, Finding

ORTHOGONAL = BinarisedNetwork(np.array([0.6, 1.0, 0.0]), OTHER.filter)
"""Outer weights orthogonal to the target's."""


def _step(network: BinarisedNetwork, estimator: Estimator) -> Array:
    """The coarse gradient in w as a run with exact answers moves along it."""
    instance = PROBLEM.draw(outer=TARGET.outer, filter=TARGET.filter)
    strategy = coarse_gradient_descent(
        PROBLEM, start=network, estimator=estimator, steps=1, step_size=1.0
    )
    found = run(strategy, csq(instance, tolerance=Unperturbed())).value
    assert found is not None
    return np.asarray(network.filter - found.filter)


def _relu_step(constant: Fraction) -> Finding:
    """At <v, v*> = 0: the factor of h w / ||w||, h = ||v||^2 + (1'v)^2 - (1'v)(1'v*)."""
    v = ORTHOGONAL.outer
    h = float(v @ v + v.sum() ** 2 - v.sum() * TARGET.outer.sum())
    unit = ORTHOGONAL.filter / np.linalg.norm(ORTHOGONAL.filter)
    moved = _step(ORTHOGONAL, "relu")
    factor = float(moved @ unit) / h
    closed = coarse_gradient(TARGET, OTHER, estimator="relu")
    return joined(
        rounded(constant, factor, digits=8),
        bool(np.abs(moved - factor * h * unit).max() <= 1e-12),
        bool(np.abs(closed - _step(OTHER, "relu")).max() <= 1e-12),
    )


def _relu_turn(constant: Fraction) -> Finding:
    """The factor of -cos(theta/2) <v, v*> (u + u*)/||u + u*||, the rest taken away."""
    v = OTHER.outer
    overlap = float(v @ TARGET.outer)
    h = float(v @ v + v.sum() ** 2 - v.sum() * TARGET.outer.sum()) + overlap
    unit = OTHER.filter / np.linalg.norm(OTHER.filter)
    rest = _step(OTHER, "relu") - h / (2 * math.sqrt(2 * math.pi)) * unit
    middle = (unit + TARGET.filter) / np.linalg.norm(unit + TARGET.filter)
    return rounded(
        constant, -float(rest @ middle) / (math.cos(angle(OTHER) / 2) * overlap), digits=8
    )


def _identity_step(constant: Fraction) -> Finding:
    """The factor of ||v||^2 u - <v, v*> u*."""
    v = OTHER.outer
    unit = OTHER.filter / np.linalg.norm(OTHER.filter)
    direction = float(v @ v) * unit - float(v @ TARGET.outer) * TARGET.filter
    moved = _step(OTHER, "identity")
    factor = float(moved @ direction) / float(direction @ direction)
    return joined(
        rounded(constant, factor, digits=8),
        bool(np.abs(moved - factor * direction).max() <= 1e-12),
    )


def _descent(estimator: Estimator, constant: Fraction) -> Finding:
    """<g, grad_w f> over sin(theta) <v, v*>^2 / ||w||, from answers and difference quotients."""
    moved = float(_step(OTHER, estimator) @ slopes_at(OTHER)[1])
    size = math.sin(angle(OTHER)) * float(OTHER.outer @ TARGET.outer) ** 2
    return rounded(
        constant, moved * float(np.linalg.norm(OTHER.filter)) / size, digits=6, error=1e-8
    )


def _spurious(constant: Fraction) -> Finding:
    """The identity's step at theta = pi, (I + J) v = (J - I) v*; the ReLU's is 0 there."""
    ones = np.ones((ROWS, ROWS))
    outer = np.asarray(
        np.linalg.solve(np.eye(ROWS) + ones, (ones - np.eye(ROWS)) @ TARGET.outer), dtype=np.float64
    )
    at = BinarisedNetwork(outer, -1.3 * TARGET.filter)
    length = float(np.linalg.norm(_step(at, "identity")))
    total = float(TARGET.outer.sum())
    formula = 2 * total**2 * (ROWS - 1) / (ROWS + 1) ** 2 / math.sqrt(2 * math.pi)
    return joined(
        rounded(constant, length, digits=6),
        near(length, formula),
        float(np.abs(_step(at, "relu")).max()) <= 1e-12,
        float(np.abs(network_gradient(TARGET, at)[0]).max()) <= 1e-14,
        network_loss(TARGET, at) > 0.1,
    )


def _cost(constant: Fraction) -> Finding:
    """m + m (m n) correlations a step for the ReLU estimator, m = 3, n = 4."""
    instance = PROBLEM.draw(outer=TARGET.outer, filter=TARGET.filter)
    strategy = coarse_gradient_descent(PROBLEM, start=OTHER, estimator="relu", steps=2)
    ledger = run(strategy, csq(instance, tolerance=Unperturbed())).ledger
    return joined(
        exactly(constant, Fraction(ledger.queries, 2)),
        ledger.rounds == 2,
        ledger.queries == 2 * (ROWS + ROWS * ROWS * COLUMNS),
    )


COARSE_STEPS: tuple[Entry, ...] = (
    Entry(
        "ste.relu-length",
        "the ReLU estimator has 0.19947114 h u, the factor 1 / (2 sqrt(2 pi))",
        SOURCE,
        "a step of the descent on exact answers at <v, v*> = 0; the closed form elsewhere",
        "0.19947114",
        _relu_step,
    ),
    Entry(
        "ste.relu-turn",
        "and -0.39894228 cos(theta/2) <v, v*> (u + u*) / ||u + u*||, the factor 1 / sqrt(2 pi)",
        SOURCE,
        "a step of the descent on exact answers",
        "0.39894228",
        _relu_turn,
    ),
    Entry(
        "ste.identity-step",
        "the identity estimator is 0.39894228 (||v||^2 u - <v, v*> u*), the factor 1 / sqrt(2 pi)",
        SOURCE,
        "a step of the descent on exact answers",
        "0.39894228",
        _identity_step,
    ),
    Entry(
        "ste.relu-descends",
        "<g, grad_w f> = 0.0317468 sin(theta) <v, v*>^2 / ||w||, the factor 1 / (2 (2 pi)^(3/2))",
        SOURCE,
        "a step on exact answers against difference quotients of the loss",
        "0.0317468",
        partial(_descent, "relu"),
    ),
    Entry(
        "ste.identity-descends",
        "for the identity the factor is twice that, 0.0634936",
        SOURCE,
        "a step on exact answers against difference quotients of the loss",
        "0.0634936",
        partial(_descent, "identity"),
    ),
    Entry(
        "ste.spurious-point",
        "at a spurious critical point the identity moves on by 0.143619, and the ReLU rests",
        f"{SOURCE}; length 2 (1'v*)^2 (m - 1) / ((m + 1)^2 sqrt(2 pi)) derived for this index",
        "steps on exact answers; the formula",
        "0.143619",
        _spurious,
    ),
    Entry(
        "ste.cost",
        "a step of the ReLU estimator asks 39 correlations for 3 rows of 4 columns",
        SOURCE,
        "ledger of a run; m + m (m n)",
        "39",
        _cost,
    ),
)
