"""A finite pool of queries that does whatever any query into [-1, 1] can do.

Which distributions a query phi tells from D_0, and in which direction, is all that counts.  A
pattern of directions is possible iff some phi has s_i (D_i - D_0)[phi] > tau for its i, and
impossible iff some weights w have ||sum_i w_i s_i (D_i - D_0)||_1 <= tau (linear duality).  Both
are linear programs, solved in floats and proved in rationals.  This file knows no dimension.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from scipy.optimize import linprog

from sqsim.errors import BadInput, NotCertified
from sqsim.lowerbounds.discrimination import Decision, Table
from sqsim.lowerbounds.precision import Exact, exact_fraction

MOST = 9
"""Distributions: there are up to (3^N - 1) / 2 patterns, a few milliseconds each."""

DENOMINATORS = (1, 12, 1000, 10**6, 10**9, 2**60)

Pattern = dict[int, int]
"""The direction, 1 or -1, for each distribution that is told apart."""


def extreme_queries(problem: Decision, *, tolerance: Exact) -> tuple[Table, ...]:
    """Queries, one for each largest set of distributions that some phi in [-1, 1] tells apart.

    For this pool `randomised_dimension` and `deterministic_dimension` are those of the class of
    all queries into [-1, 1].  Empty where no query tells anything apart.

    Raises
    ------
    BadInput
        For more than 9 distributions.
    NotCertified
        Where a pattern stays open: the tolerance is its threshold, and the weights that prove it
        are not recognised.
    """
    tau = exact_fraction(tolerance, "the tolerance")
    count = len(problem.distributions)
    if tau < 0:
        raise BadInput(f"the tolerance is {tolerance!r}; it is at least 0")
    if count > MOST:
        raise BadInput(
            f"{count} distributions have up to {(3**count - 1) // 2} patterns; at most {MOST} "
            "distributions are enumerated: give a pool of queries instead"
        )
    found: dict[frozenset[int], Table] = {}
    nothing = tuple(Fraction(0) for _ in problem.reference)
    _extend(problem.differences, tau, {}, nothing, found)
    largest = [told for told in found if not any(told < other for other in found)]
    return tuple(found[told] for told in largest)


def _extend(
    rows: tuple[Table, ...],
    tau: Fraction,
    pattern: Pattern,
    query: Table,
    found: dict[frozenset[int], Table],
) -> None:
    """Collect what the patterns beyond this one tell apart, where it is not within a known set."""
    for i in range(max(pattern, default=-1) + 1, len(rows)):
        within = frozenset(pattern) | frozenset(range(i, len(rows)))
        # The likelier direction first; phi and -phi tell the same apart, so one will do at first.
        likely = 1 if not pattern or _dot(rows[i], query) >= 0 else -1
        for direction in (likely, -likely) if pattern else (likely,):
            if any(within <= told for told in found):
                return
            wider = {**pattern, i: direction}
            better = query if _tells(rows, tau, wider, query) else _query(rows, tau, wider)
            if better is not None:
                _extend(rows, tau, wider, better, found)
                found.setdefault(frozenset(wider), better)


def _tells(rows: tuple[Table, ...], tau: Fraction, pattern: Pattern, query: Table) -> bool:
    return all(direction * _dot(rows[i], query) > tau for i, direction in pattern.items())


def _query(rows: tuple[Table, ...], tau: Fraction, pattern: Pattern) -> Table | None:
    """A query with this pattern, or None, proved."""
    signed = [[direction * value for value in rows[i]] for i, direction in pattern.items()]
    points = len(signed[0])
    matrix = np.array([[1.0, *(-float(value) for value in row)] for row in signed])
    found = linprog(
        [-1.0] + [0.0] * points,
        A_ub=matrix,
        b_ub=np.zeros(len(signed)),
        bounds=[(None, None)] + [(-1, 1)] * points,
        method="highs",
    )
    if not found.success:
        raise NotCertified(f"a linear program was not solved: {found.message}")
    for most in DENOMINATORS:
        query = tuple(_near(value, most, -1) for value in found.x[1:])
        if _tells(rows, tau, pattern, query):
            return query
        weights = [_near(-value, most, 0) for value in found.ineqlin.marginals]
        columns = zip(*signed, strict=True)
        norm = sum(abs(_dot(weights, column)) for column in columns)
        if any(weights) and norm <= tau * sum(weights):
            return None
    raise NotCertified(
        f"whether some query tells distributions {sorted(pattern)} apart at tolerance {tau} stays "
        "open; move the tolerance a little"
    )


def _near(value: float, most: int, least: int) -> Fraction:
    return min(max(Fraction(float(value)).limit_denominator(most), Fraction(least)), Fraction(1))


def _dot(left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True)), Fraction(0))
