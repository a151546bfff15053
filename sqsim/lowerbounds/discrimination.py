"""To tell finitely many distributions from a reference: what a pool of queries can do.

Feldman (2017), A general characterization of the statistical query complexity.  Distributions are
tables of rational probabilities on a finite domain.  This file knows no learner.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowerbounds.covers import (
    Cover,
    FractionalCover,
    Incidence,
    cover_number,
    fractional_cover,
)
from sqsim.lowerbounds.matrices import Correlations
from sqsim.lowerbounds.precision import Exact, exact_fraction

Table = tuple[Fraction, ...]
"""A number for each point of the domain."""


@final
@dataclass(frozen=True)
class Decision:
    """The decision problem B(D, D_0): is the source D_0, or one of D_1, ..., D_N?

    Attributes
    ----------
    distributions : N tables of probabilities.
    reference : D_0.
    """

    distributions: tuple[Table, ...]
    reference: Table

    def __post_init__(self) -> None:
        if not self.distributions:
            raise BadInput("a decision problem needs at least one distribution")
        for name, table in (
            ("the reference", self.reference),
            *((f"distribution {i}", table) for i, table in enumerate(self.distributions)),
        ):
            if len(table) != len(self.reference):
                raise BadInput(f"{name} has {len(table)} points, not {len(self.reference)}")
            if sum(table) != 1 or min(table) < 0:
                raise BadInput(
                    f"{name} sums to {float(sum(table)):.6g} and has the least entry "
                    f"{float(min(table)):.3g}; probabilities are at least 0 and sum to 1 exactly "
                    "(give them as fractions)"
                )

    @staticmethod
    def of(distributions: Sequence[Sequence[Exact]], reference: Sequence[Exact]) -> Decision:
        """From rows of exact numbers: Fractions, or text such as "1/3" and "0.1"."""
        return Decision(tuple(map(_table, distributions)), _table(reference))

    @property
    def differences(self) -> tuple[Table, ...]:
        """D_i - D_0."""
        return tuple(
            tuple(p - q for p, q in zip(table, self.reference, strict=True))
            for table in self.distributions
        )


def told_apart(
    problem: Decision, queries: Sequence[Sequence[Exact]], *, tolerance: Exact
) -> Incidence:
    """Row phi, column i: whether |D_i[phi] - D_0[phi]| > tau, decided exactly.

    Parameters
    ----------
    queries : tables of values in [-1, 1].
    """
    tau = _tolerance(tolerance)

    def apart(shifted: Fraction, still: Fraction) -> bool:
        return abs(shifted - still) > tau

    return _incidence(problem, queries, -1, apart)


def told_apart_by_roots(
    problem: Decision, queries: Sequence[Sequence[Exact]], *, tolerance: Exact
) -> Incidence:
    """Row phi, column i: whether |sqrt D_i[phi] - sqrt D_0[phi]| > tau, decided exactly.

    The distance of the oracle vSTAT(tau), whose answers lie within tau of the root.

    Parameters
    ----------
    queries : tables of values in [0, 1].
    """
    tau = _tolerance(tolerance)

    def apart(shifted: Fraction, still: Fraction) -> bool:
        # sqrt(a) > sqrt(b) + tau says a - b - tau^2 > 2 tau sqrt(b).
        low, high = sorted((shifted, still))
        rest = high - low - tau * tau
        return rest > 0 and rest * rest > 4 * tau * tau * low

    return _incidence(problem, queries, 0, apart)


def randomised_dimension(
    problem: Decision, queries: Sequence[Sequence[Exact]], *, tolerance: Exact
) -> FractionalCover:
    """RSD(tau) for a pool: sup over mu of min over phi of 1 / P_{D~mu}[|D[phi] - D_0[phi]| > tau].

    By duality the least total weight of queries that tells every D apart with weight 1.  A
    learner that asks only queries of the pool needs (1 - 2 delta) RSD of them to succeed with
    probability 1 - delta against STAT(tau); RSD ln(1 / delta) draws from `sets` suffice against
    STAT(tau / 2).  For a larger class of queries RSD is smaller: the pool's is an upper bound,
    and equal where the pool is that of `extreme_queries`.

    Returns
    -------
    FractionalCover
        `sets` weighs the queries, `points` (over its sum) is the hardest mu.

    Raises
    ------
    BadInput
        Where no query tells some D_i from D_0: then no number of queries suffices.
    """
    return fractional_cover(told_apart(problem, queries, tolerance=tolerance))


def deterministic_dimension(
    problem: Decision, queries: Sequence[Sequence[Exact]], *, tolerance: Exact
) -> Cover:
    """cvr(tau) for a pool: the fewest queries such that each D is told apart by one of them.

    At least as many as a deterministic learner needs against STAT(tau / 2), and no more than it
    needs against STAT(tau), from the same pool.
    """
    return cover_number(told_apart(problem, queries, tolerance=tolerance))


def chi_square_correlations(problem: Decision) -> Correlations:
    """E_{D_0}[(D_i / D_0 - 1)(D_j / D_0 - 1)], exactly.

    Every D_i must vanish where D_0 does.
    """
    rows = np.array(problem.differences, object)
    reference = np.array(problem.reference, object)
    support = reference > 0
    if rows[:, ~support].any():
        raise BadInput(
            "a distribution has mass where the reference has none, so that its chi-square "
            "distance is infinite; mix the reference with it"
        )
    return Correlations((rows[:, support] / reference[support]) @ rows[:, support].T)


def _incidence(
    problem: Decision,
    queries: Sequence[Sequence[Exact]],
    least: int,
    apart: Callable[[Fraction, Fraction], bool],
) -> Incidence:
    if not queries:
        raise BadInput("the pool holds no query")
    rows = []
    for number, query in enumerate(map(_table, queries)):
        if len(query) != len(problem.reference):
            raise BadInput(
                f"query {number} has {len(query)} values, and the domain "
                f"{len(problem.reference)} points"
            )
        if not all(least <= value <= 1 for value in query):
            raise BadInput(f"query {number} has values outside [{least}, 1]; rescale it")
        still = _mean(problem.reference, query)
        rows.append([apart(_mean(table, query), still) for table in problem.distributions])
    return np.array(rows, bool)


def _mean(table: Table, query: Table) -> Fraction:
    return sum((p * value for p, value in zip(table, query, strict=True)), Fraction(0))


def _table(values: Sequence[Exact]) -> Table:
    return tuple(exact_fraction(value, "an entry") for value in values)


def _tolerance(tolerance: Exact) -> Fraction:
    tau = exact_fraction(tolerance, "the tolerance")
    if tau < 0:
        raise BadInput(f"the tolerance is {tolerance!r}; it is at least 0")
    return tau
