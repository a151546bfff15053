"""The common heuristic for maxima of affine functions: least squares on a partition, alternately.

This file does not know labels, nor how well polynomials do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from sqsim.errors import BadInput
from sqsim.inputs import Empirical
from sqsim.lowrank import Array
from sqsim.problems.gadgets import MaxAffine
from sqsim.problems.problem import Problem
from sqsim.queries import Correlation, Opaque
from sqsim.seeds import Role, Seed, rng
from sqsim.strategy import CSQ, ask, together

SPANNED = 1e-9
"""Second moments of a cell below this share of the largest are taken to be 0."""


@final
@dataclass(frozen=True, eq=False)
class PartitionFit:
    """What a start of the heuristic ended with.

    Attributes
    ----------
    function : MaxAffine
    excess : E[(h - y)^2] - E[y^2], as answers tell.
    rounds : how many were asked.
    settled : whether the partition no longer changed.
    """

    function: MaxAffine
    excess: float
    rounds: int
    settled: bool


def fit_partitions(
    problem: Problem, *, pieces: int, steps: int = 30, starts: int = 5, seed: Seed = 0
) -> CSQ[PartitionFit]:
    """Alternating least squares on the cells where one plane is the largest; the best of starts.

    Each step fits a plane to the labels of each cell, and the cells are where its plane is the
    largest; the first cells are those nearest to k random inputs.  The inputs are known, so cells
    and second moments cost nothing, and E[y x 1(cell)] is a correlation: for each start k (n + 1)
    + 1 correlational queries a round, of which at most steps + 1, all starts side by side.

    No guarantee: the partition may settle far from the best, or never; the iterate of least loss
    is kept.  Magnani and Boyd (2009), as correlational queries.

    Parameters
    ----------
    pieces, steps, starts : k, steps at most, and random starts.
    seed : int

    Raises
    ------
    BadInput
        Where the inputs are not known one by one (a table).
    """
    if not isinstance(problem.inputs, Empirical):
        raise BadInput(
            f"inputs are {type(problem.inputs).__name__}; cells are made of the rows of a table"
        )
    for name, value in (("pieces", pieces), ("steps", steps), ("starts", starts)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise BadInput(f"{name} is {value!r}; wanted at least 1")
    table = np.asarray(problem.inputs.table, dtype=float)
    streams = rng(seed, Role.LEARNER).spawn(starts)
    runs = [_descend(table, _nearest(table, pieces, each), steps) for each in streams]
    fits = yield from together(*runs)
    return min(fits, key=lambda fit: fit.excess)


def _descend(table: Array, centres: MaxAffine, steps: int) -> CSQ[PartitionFit]:
    """From the cells of these planes, which are not a fit themselves."""
    best: PartitionFit | None = None
    function, fitted = centres, False
    cells = _cells(function, table)
    for step in range(steps + 1):
        answer = np.asarray((yield from ask(_question(function), step=step)))
        if fitted:
            excess = float(np.mean(function(table) ** 2)) - 2 * float(answer[0])
            if best is None or excess < best.excess:
                best = PartitionFit(function, excess, step + 1, False)
        function = _planes(table, cells, answer[1:].reshape(function.pieces, -1))
        before, cells, fitted = cells, _cells(function, table), True
        if best is not None and np.array_equal(before, cells):
            return PartitionFit(best.function, best.excess, step + 1, True)
    assert best is not None
    return PartitionFit(best.function, best.excess, steps + 1, False)


def _question(function: MaxAffine) -> Correlation:
    """E[y h], and E[y (x, 1) 1(cell)] for each cell of h."""

    def columns(x: Array) -> Array:
        cells = _cells(function, x)
        extended = np.column_stack([x, np.ones(len(x))])
        parts = [extended * (cells == j)[:, None] for j in range(function.pieces)]
        return np.column_stack([function(x), *parts])

    size = function.pieces * (function.weights.shape[1] + 1) + 1
    return Correlation(Opaque(columns, size), "labels on the cells of a partition")


def _planes(table: Array, cells: NDArray[np.intp], correlations: Array) -> MaxAffine:
    """Least squares on each cell; a cell with too few rows for a plane gets that of all rows."""
    extended = np.column_stack([table, np.ones(len(table))])
    whole = _plane(extended, correlations.sum(axis=0), len(table))
    planes = np.tile(whole, (len(correlations), 1))
    for j, correlation in enumerate(correlations):
        rows = extended[cells == j]
        if len(rows) > extended.shape[1]:
            planes[j] = _plane(rows, correlation, len(table))
    return MaxAffine(planes[:, :-1], planes[:, -1])


def _plane(rows: Array, correlation: Array, count: int) -> Array:
    """From E[y (x, 1)] over the cell; directions that its rows do not span are left at 0."""
    found = np.linalg.lstsq(rows.T @ rows / count, correlation, rcond=SPANNED)[0]
    return np.asarray(found)


def _cells(function: MaxAffine, inputs: Array) -> NDArray[np.intp]:
    """Which plane is the largest."""
    return np.asarray(np.argmax(inputs @ function.weights.T + function.offsets, axis=1))


def _nearest(table: Array, pieces: int, stream: np.random.Generator) -> MaxAffine:
    """Planes whose cells are the points nearest to random rows: <c, x> - |c|^2 / 2."""
    centres = table[stream.permutation(len(table))[:pieces]]
    if len(centres) < pieces:
        raise BadInput(f"{len(table)} rows for {pieces} pieces; wanted at least one row each")
    return MaxAffine(centres, -(centres**2).sum(axis=1) / 2)
