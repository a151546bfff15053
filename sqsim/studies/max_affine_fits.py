"""Maxima of affine functions on the user's table: polynomials, the common heuristic, one plane.

This file does not know how results are printed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from typing import Any, final

import numpy as np

from sqsim.algorithms.network_polynomials import max_affine
from sqsim.algorithms.partition_fitting import PartitionFit, fit_partitions
from sqsim.errors import BadInput
from sqsim.loop import run
from sqsim.lowrank import Array
from sqsim.oracles.simulated import SimulatedOracle, csq
from sqsim.problems.dataset import Dataset, split
from sqsim.problems.polynomial_hypothesis import PolynomialHypothesis
from sqsim.problems.tables import read_table
from sqsim.queries import Correlation
from sqsim.record import Ledger
from sqsim.seeds import Seed
from sqsim.studies.conventions import POLICIES
from sqsim.tolerance import Absolute, Tolerance, Unperturbed

ROWS_FOR_EACH_FEATURE = 4
"""Training rows that a feature should have where the degree is chosen here."""

LARGEST_DEFAULT = 6


@final
@dataclass(frozen=True, eq=False)
class _Scaled:
    """Columns standardised, rows in the unit ball, labels in [-1, 1]; by the training rows."""

    mean: Array
    deviation: Array
    longest: float
    middle: float
    half: float

    def inputs(self, x: Array) -> Array:
        """Rows that are longer than all of the training ones are moved onto the sphere."""
        z = (np.asarray(x, float) - self.mean) / self.deviation / self.longest
        return np.asarray(z / np.maximum(np.linalg.norm(z, axis=1), 1.0)[:, None])

    def labels(self, y: Array) -> Array:
        return np.asarray((np.asarray(y, float) - self.middle) / self.half)

    def loss(self, values: Array, targets: Array) -> float:
        """E[(y - yhat)^2] in the units of the table."""
        return float(np.mean((targets - (self.middle + self.half * values)) ** 2))


def fit_max_affine(
    path: str | PathLike[str],
    *,
    target: str,
    pieces: int,
    epsilon: float | None = None,
    degree: int | None = None,
    reach: float | None = None,
    test_fraction: float = 0.25,
    tolerance: float | None = None,
    policy: str = "exact",
    starts: int = 5,
    seed: Seed = 0,
) -> dict[str, Any]:
    """Results of schema sqsim.fit-max-affine/1: losses on training and test rows, and costs.

    Three learners ask the same correlational oracle over the training rows: `max_affine`, whose
    values are clipped to the range of the training labels; `fit_partitions`; and the plane of
    least squares, which is a maximum of one.  Losses are E[(y - yhat)^2] in the table's units.

    Parameters
    ----------
    path : .csv, .parquet or .npz file
    target : column to predict
    pieces : k >= 1
    epsilon, degree, reach : as in `max_affine`, in units in which rows lie in the unit ball and
        labels in [-1, 1].  Neither of the first two: the largest degree, up to 6, at which every
        feature has four rows.  No reach: twice the size of the plane of least squares.
    test_fraction : part of the rows that is held out; 0 for none.
    tolerance, policy : of every answer, Absolute; None: the means themselves.
    starts : of the heuristic.
    seed : of the split, the heuristic and the oracle.
    """
    if policy not in POLICIES:
        raise BadInput(f"policy is {policy!r}; wanted one of {', '.join(POLICIES)}")
    if epsilon is not None and degree is not None:
        raise BadInput("give epsilon or degree, not both")
    table = read_table(path, target=target)
    train, test = (
        split(table, test_fraction=test_fraction, seed=seed)
        if test_fraction
        else (
            table,
            None,
        )
    )
    scaled = _scaling(train)
    seen = Dataset(scaled.inputs(train.inputs), scaled.labels(train.targets), train.names)
    if epsilon is None and degree is None:
        degree = _default_degree(len(seen.targets), seen.problem.dimension)
    granted: Tolerance = Unperturbed() if tolerance is None else Absolute(tolerance)
    oracle = csq(seen, tolerance=granted, policy=POLICIES[policy], seed=seed)
    rows = _fits(seen, oracle, pieces, epsilon, degree, reach, starts, seed)
    parts = {"train": train, "test": test}
    return {
        "schema": "sqsim.fit-max-affine/1",
        "table": {
            "path": str(path),
            "target": target,
            "rows": len(train.targets),
            "test_rows": 0 if test is None else len(test.targets),
            "dimension": seen.problem.dimension,
        },
        "pieces": pieces,
        "oracle": {"access": "CSQ", "tolerance": tolerance, "policy": policy},
        "fits": [
            {
                **facts,
                "queries": ledger.queries,
                "rounds": ledger.rounds,
                **{f"{name}_loss": _loss(scaled, guess, part) for name, part in parts.items()},
            }
            for facts, guess, ledger in rows
        ],
        "seed": seed,
    }


def _fits(
    seen: Dataset,
    oracle: SimulatedOracle[Correlation],
    pieces: int,
    epsilon: float | None,
    degree: int | None,
    reach: float | None,
    starts: int,
    seed: Seed,
) -> list[tuple[dict[str, Any], Callable[[Array], Array], Ledger]]:
    """What was fitted: what is said of it, the function, and its cost."""
    problem = seen.problem
    polynomial = run(
        max_affine(problem, pieces=pieces, epsilon=epsilon, degree=degree, reach=reach), oracle
    )
    heuristic = run(fit_partitions(problem, pieces=pieces, starts=starts, seed=seed), oracle)
    plane = run(fit_partitions(problem, pieces=1, starts=1, seed=seed), oracle)
    assert polynomial.value is not None
    found: list[tuple[dict[str, Any], Callable[[Array], Array], Ledger]] = [
        (
            {
                "name": "polynomial",
                "degree": polynomial.value.features.degree,
                "features": polynomial.value.features.size,
                "coefficient_norm_squared": polynomial.value.norm_squared,
            },
            _clipped(polynomial.value, seen.targets),
            polynomial.ledger,
        )
    ]
    for name, result in (("alternating least squares", heuristic), ("least squares", plane)):
        fit = result.value
        assert isinstance(fit, PartitionFit)
        features = fit.function.pieces * (problem.dimension + 1)
        facts = {"name": name, "degree": 1, "features": features, "settled": fit.settled}
        found.append((facts, fit.function, result.ledger))
    return found


def _clipped(polynomial: PolynomialHypothesis, labels: Array) -> Callable[[Array], Array]:
    low, high = float(labels.min()), float(labels.max())

    def values(x: Array) -> Array:
        return np.asarray(np.clip(polynomial(x), low, high))

    return values


def _loss(scaled: _Scaled, guess: Callable[[Array], Array], part: Dataset | None) -> float | None:
    if part is None:
        return None
    return scaled.loss(guess(scaled.inputs(part.inputs)), np.asarray(part.targets, float))


def _scaling(train: Dataset) -> _Scaled:
    x, y = np.asarray(train.inputs, float), np.asarray(train.targets, float)
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    longest = float(np.linalg.norm((x - mean) / deviation, axis=1).max()) * (1 + 1e-12)
    low, high = float(y.min()), float(y.max())
    if not high > low:
        raise BadInput(f"all targets are {low:g}; wanted targets that differ")
    return _Scaled(mean, deviation, longest, (low + high) / 2, (high - low) / 2)


def _default_degree(rows: int, dimension: int) -> int:
    """The largest degree at which every feature has four rows, from 1 to 6."""
    degree = 1
    while (
        degree < LARGEST_DEFAULT
        and ROWS_FOR_EACH_FEATURE * math.comb(dimension + degree + 1, degree + 1) <= rows
    ):
        degree += 1
    return degree
