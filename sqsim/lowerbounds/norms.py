"""Norms of a decision problem: how far queries can move the distributions on average.

For a prior mu, A the matrix of D_i - D_0, G its chi-square correlations (Feldman 2017, section 6;
Feldman, Perkins and Vempala 2015):
    mean       max over |phi| <= 1 of E_mu |D[phi] - D_0[phi]|,            ||B_mu A|| from inf to 1
    L2         the same over E_{D_0} phi^2 = 1 (the discrimination norm)
    spectral   max over E_{D_0} phi^2 = 1 of (E_mu (D[phi] - D_0[phi])^2)^(1/2)
and mean <= L2 <= spectral, since E_{D_0} phi^2 <= 1 where |phi| <= 1, and by Jensen's inequality;
also L2^2 <= E_{mu x mu} |G_ij|, the average correlation.  This file counts no
queries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowerbounds.discrimination import Decision, chi_square_correlations
from sqsim.lowerbounds.eigenvalues import DIGITS, largest_eigenvalue
from sqsim.lowerbounds.matrices import Correlations
from sqsim.lowerbounds.precision import (
    Enclosure,
    Exact,
    ball,
    bits_for,
    enclose,
    enclose_between,
    exact_fraction,
    working_bits,
)
from sqsim.lowerbounds.quantities import Quantity, Rational

ENUMERATED = 14
"""Signs: all 2^13 patterns up to the common one take less than a second."""

Rows = list[list[int]]


def mean_discrimination(problem: Decision, *, prior: Sequence[Exact] | None = None) -> Quantity:
    """max over phi: X -> [-1, 1] of E_mu |D[phi] - D_0[phi]|.

    Exact where there are at most 14 distributions or 14 points (the maximum is at a vertex on
    either side); above, between what alternating maximisation reaches and E_mu ||D - D_0||_1.

    Parameters
    ----------
    prior : mu; uniform unless given.
    """
    weights = _prior(problem, prior)
    rows = [
        [weight * value for value in row]
        for weight, row in zip(weights, problem.differences, strict=True)
    ]
    if len(rows) > len(rows[0]):
        rows = [list(column) for column in zip(*rows, strict=True)]
    scale = math.lcm(*(value.denominator for row in rows for value in row))
    whole = [[int(value * scale) for value in row] for row in rows]
    if len(whole) <= ENUMERATED:
        return Rational(Fraction(_largest_sum(whole), scale))
    total = sum(abs(value) for row in whole for value in row)
    return enclose_between(Fraction(_climbed_sum(whole), scale), Fraction(total, scale), DIGITS)


def discrimination_norm(problem: Decision, *, prior: Sequence[Exact] | None = None) -> Enclosure:
    """max over E_{D_0} phi^2 = 1 of E_mu |D[phi] - D_0[phi]|.

    Its square is the largest sum of mu_i mu_j s_i s_j G_ij over signs s.  Tight where there are
    at most 14 distributions; above, between a local maximum and the spectral norm.

    Parameters
    ----------
    prior : mu; uniform unless given.
    """
    weights = np.array(_prior(problem, prior), object)
    form = chi_square_correlations(problem).matrix * weights[:, None] * weights
    scale = math.lcm(*(value.denominator for row in form.tolist() for value in row))
    whole = [[int(value * scale) for value in row] for row in form.tolist()]
    if len(whole) <= ENUMERATED:
        square = Fraction(_largest_form(whole), scale)
        return _root(square, square)
    low = Fraction(_climbed_form(whole), scale)
    high = _spectral_square(problem, weights.tolist()).bounds[1]
    return _root(low, max(low, high))


def spectral_discrimination(
    problem: Decision, *, prior: Sequence[Exact] | None = None
) -> Enclosure:
    """max over E_{D_0} phi^2 = 1 of (E_mu (D[phi] - D_0[phi])^2)^(1/2), by a proved eigenvalue.

    It is the spectral norm of B_mu^(1/2) A B_{D_0}^(-1/2), whose square is the largest eigenvalue
    of (mu_i mu_j)^(1/2) G_ij.  By Chebyshev's inequality no query into [-1, 1] tells more than
    the fraction spectral^2 / tau^2 of mu from D_0, so RSD(tau) >= tau^2 / spectral^2.

    Parameters
    ----------
    prior : mu; uniform unless given.
    """
    low, high = _spectral_square(problem, _prior(problem, prior)).bounds
    return _root(max(Fraction(0), low), high)


def _spectral_square(problem: Decision, weights: Sequence[Fraction]) -> Enclosure:
    correlations = chi_square_correlations(problem)
    if len(set(weights)) == 1:
        return largest_eigenvalue(Correlations(correlations.matrix * weights[0]))
    roots = np.array([math.sqrt(weight) for weight in weights])
    matrix = np.array(correlations.matrix.tolist(), float) * np.outer(roots, roots)
    # At most seven roundings of relative size 2^-53; a weight that underflows has a root of 2^-511.
    largest = Fraction(abs(correlations.matrix).max())
    radius = 8 * Fraction(float(abs(matrix).max())) / 2**53 + (1 + largest) / 2**500
    return largest_eigenvalue(Correlations(matrix, radius))


def _largest_sum(rows: Rows) -> int:
    """max over signs s of sum_x |sum_i s_i rows[i][x]|, by flipping one sign at a time."""
    sums = [sum(column) for column in zip(*rows, strict=True)]
    best: int = sum(map(abs, sums))
    signs = [1] * len(rows)
    for step in range(1, 2 ** (len(rows) - 1)):
        i = _flipped(step)
        sums = [total - 2 * signs[i] * value for total, value in zip(sums, rows[i], strict=True)]
        signs[i] = -signs[i]
        best = max(best, sum(map(abs, sums)))
    return best


def _largest_form(form: Rows) -> int:
    """max over signs s of s' form s."""
    pulls: list[int] = [sum(row) for row in form]
    value = best = sum(pulls)
    signs = [1] * len(form)
    for step in range(1, 2 ** (len(form) - 1)):
        i = _flipped(step)
        value += 4 * (form[i][i] - signs[i] * pulls[i])
        pulls = [pull - 2 * signs[i] * part for pull, part in zip(pulls, form[i], strict=True)]
        signs[i] = -signs[i]
        best = max(best, value)
    return best


def _flipped(step: int) -> int:
    """The sign that a Gray code flips; the last sign never is."""
    return (step & -step).bit_length() - 1


def _climbed_sum(rows: Rows) -> int:
    """What alternating signs of rows and of columns reach from each row's own signs."""
    best = 0
    for start in rows:
        columns = [1 if value >= 0 else -1 for value in start]
        value = -1
        while True:
            sums = [sum(a * b for a, b in zip(row, columns, strict=True)) for row in rows]
            total = sum(map(abs, sums))
            if total <= value:
                break
            value = total
            signs = [1 if s >= 0 else -1 for s in sums]
            columns = [
                1 if sum(s * v for s, v in zip(signs, column, strict=True)) >= 0 else -1
                for column in zip(*rows, strict=True)
            ]
        best = max(best, value)
    return best


def _climbed_form(form: Rows) -> int:
    """A value of s' form s that no single flip raises."""
    signs = [1] * len(form)
    pulls = [sum(row) for row in form]
    while True:
        gains = [form[i][i] - signs[i] * pulls[i] for i in range(len(form))]
        i = max(range(len(form)), key=gains.__getitem__)
        if gains[i] <= 0:
            return sum(s * pull for s, pull in zip(signs, pulls, strict=True))
        pulls = [pull - 2 * signs[i] * part for pull, part in zip(pulls, form[i], strict=True)]
        signs[i] = -signs[i]


def _prior(problem: Decision, prior: Sequence[Exact] | None) -> list[Fraction]:
    count = len(problem.distributions)
    if prior is None:
        return [Fraction(1, count)] * count
    weights = [exact_fraction(value, "an entry of the prior") for value in prior]
    if len(weights) != count or min(weights) < 0 or sum(weights) != 1:
        raise BadInput(
            f"the prior has {len(weights)} entries that sum to {float(sum(weights)):.6g}; give "
            f"{count} probabilities that sum to 1 exactly"
        )
    return weights


def _root(low: Fraction, high: Fraction) -> Enclosure:
    """The roots of two numbers as one interval."""
    with working_bits(bits_for(DIGITS) + 16):
        ends = enclose(ball(low).sqrt(), DIGITS), enclose(ball(high).sqrt(), DIGITS)
    return enclose_between(max(Fraction(0), ends[0].bounds[0]), ends[1].bounds[1], DIGITS)
