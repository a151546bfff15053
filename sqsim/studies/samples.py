"""How many examples the answers of a run are worth.

This file does not know learners.  A sample of n independent examples answers q queries, fixed
before it is drawn, all within their radius, with probability at least 1 - failure.  Queries that
depend on earlier answers need a fresh sample in each round.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.chunked import Chunked, examples, row_count
from sqsim.problems.dataset import Dataset
from sqsim.queries import Correlation, Opaque, Query, Ridge
from sqsim.record import Ledger
from sqsim.tolerance import Absolute, RootMeanSquare, Tolerance

FAILURE = 0.05
"""Probability that some answer is farther off than its radius."""


def hoeffding(
    tolerance: float | None, *, queries: int, size: float = 1.0, failure: float = FAILURE
) -> int | None:
    """Examples for radius `tolerance` and functions with values in [-size, size].

    P(|average - mean| > t) <= 2 exp(-n t^2 / (2 size^2)) (Hoeffding 1963, theorem 2), so
    n = 2 size^2 ln(2 q / failure) / t^2 makes q of these at most `failure` in sum.  None where
    there is no tolerance.
    """
    return _examples(tolerance, _logarithm(queries, failure), Fraction(2) * Fraction(size) ** 2)


def bernstein(
    tolerance: float | None,
    *,
    queries: int,
    peak: float,
    deviation: float = 1.0,
    failure: float = FAILURE,
) -> int | None:
    """Examples for radius `tolerance` times a norm r, which is known for each function.

    Assumed of every phi: standard deviation <= deviation r and |phi - E phi| <= peak r.  Then
    P(|average - mean| > t r) <= 2 exp(-n t^2 / (2 (deviation^2 + peak t / 3))) (Bernstein;
    Boucheron, Lugosi and Massart 2013, corollary 2.11; r cancels), and
    n = 2 (deviation^2 + peak t / 3) ln(2 q / failure) / t^2 makes q of these at most `failure` in
    sum.  None where there is no tolerance.
    """
    logarithm = _logarithm(queries, failure)
    if not tolerance:
        return None
    factor = Fraction(deviation) ** 2 + Fraction(peak) * Fraction(tolerance) / 3
    return _examples(tolerance, logarithm, 2 * factor)


def sample_size(
    tolerance: Tolerance | None,
    ledger: Ledger,
    table: Dataset | Chunked,
    *,
    size: float | None = None,
) -> dict[str, Any]:
    """What a run on this table would have needed, were the table a population to draw from.

    Drawing with replacement from N rows, |phi - E phi| <= sqrt(N) times the standard deviation of
    phi, since one row's square is at most the sum of all; and a standard deviation is at most
    ||phi||, for a Correlation y g(x) at most max |y| ||g||.  This is all that Bernstein assumes
    here.

    Parameters
    ----------
    size : float, optional
        Largest |phi| of all queries, from `largest_value`: what Hoeffding assumes.
    """
    found: dict[str, Any] = {"hoeffding": None, "bernstein": None, "confidence": 1 - FAILURE}
    if tolerance is None or not ledger.queries:
        reason = "no tolerance was set" if tolerance is None else "no query was answered"
        return found | {"words": f"{reason}: the average over the table is the answer"}
    rows, tau = row_count(table), tolerance.tau
    if isinstance(tolerance, Absolute):
        size = 1.0 if size is None else size
        found["hoeffding"] = hoeffding(tau, queries=ledger.queries, size=size)
        assumed = f"Hoeffding, for functions of size at most {size:.3g}"
    else:
        product = isinstance(tolerance, RootMeanSquare)
        label = 1.0 if product else max(1.0, _largest_label(table))
        found["bernstein"] = bernstein(
            tau, queries=ledger.queries, peak=label * math.sqrt(rows), deviation=label
        )
        assumed = "Bernstein, for functions of values on the training rows"
        assumed += "" if product else f" and labels of size at most {label:.3g}"
    count = found["hoeffding"] or found["bernstein"]
    words = (
        f"{count:,} examples in each of {ledger.rounds} rounds, fresh ones in each since later "
        f"questions depend on earlier answers, keep all {ledger.queries} answers within the "
        f"tolerance with probability {1 - FAILURE:.0%} ({assumed})"
    )
    return found | {"words": words}


def largest_value(queries: Sequence[Query], table: Dataset | Chunked) -> float:
    """Largest |phi| over the rows of a table, over all entries of all queries.

    Exact for scalars and vectors, an upper bound for matrices; one more pass over the table.
    """
    largest = 0.0
    for x, y in examples(table):
        longest = np.abs(x).max(axis=1)
        for query in queries:
            largest = max(largest, float(_sizes(query, x, y, longest).max()))
    return largest


def _largest_label(table: Dataset | Chunked) -> float:
    if isinstance(table, Chunked):
        return table.label_bound
    return float(np.abs(table.targets).max())


def _sizes(query: Query, x: Array, y: Array, longest: Array) -> Array:
    """Largest |phi| over the entries, for each row."""
    correlational = isinstance(query, Correlation)
    labels = None if correlational else y
    form = query.form
    if isinstance(form, Ridge):
        along = None if form.frame is None else (x @ form.frame).reshape(len(x), -1)
        sizes = np.abs(form.values(along, labels, len(x)))
        # |x_j x_k - 1(j = k)| is at most the larger of 1 and the largest square.
        sizes = sizes * (np.maximum(longest**2, 1.0) if form.power == 2 else longest**form.power)
    elif isinstance(form, Opaque):
        sizes = np.abs(form.values(x, labels)).reshape(len(x), -1).max(axis=1)
    else:
        raise BadInput(f"a query of form {type(form).__name__}; wanted a Ridge or an Opaque")
    return np.asarray(sizes * np.abs(y) if correlational else sizes)


def _logarithm(queries: int, failure: float) -> Fraction:
    if queries < 1 or not 0 < failure < 1:
        raise BadInput(
            f"queries is {queries} and failure is {failure}; wanted at least 1 query and a "
            "probability strictly between 0 and 1"
        )
    return Fraction(math.nextafter(math.log(2 * queries / failure), math.inf))


def _examples(tolerance: float | None, logarithm: Fraction, factor: Fraction) -> int | None:
    if not tolerance:
        return None
    if not 0 < tolerance < math.inf:
        raise BadInput(f"tolerance is {tolerance}; it must be a finite number > 0, or None")
    # In fractions, so that no square of a small tolerance vanishes.
    return max(1, math.ceil(factor * logarithm / Fraction(tolerance) ** 2))
