"""Entries on norms of decision problems and the radius of a family of laws."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial

import numpy as np

from sqsim.lowerbounds.averages import (
    average_correlation,
)
from sqsim.lowerbounds.discrimination import (
    chi_square_correlations,
)
from sqsim.lowerbounds.norms import (
    discrimination_norm,
    mean_discrimination,
    spectral_discrimination,
)
from sqsim.verification.conditions import exactly, joined, near, rounded
from sqsim.verification.decision_dimensions import FELDMAN, parities
from sqsim.verification.entry import Entry, Finding, within


def _norm_chain(constant: Fraction) -> Finding:
    problem = parities()
    mean, root, spectral = (
        mean_discrimination(problem),
        discrimination_norm(problem),
        spectral_discrimination(problem),
    )
    correlations = chi_square_correlations(problem)
    average = average_correlation(correlations, range(7))
    return joined(
        within(constant, root, digits=9),
        mean.bounds[1] <= root.bounds[0],
        near(float(root), float(spectral)),
        average.bounds == (Fraction(1, 7), Fraction(1, 7)),
        near(float(root) ** 2, 1 / 7),
    )


def _mean_norm(constant: Fraction) -> Finding:
    """max over |phi| <= 1 of the average of |D[phi] - D_0[phi]|: all 2^16 sign queries too."""
    problem = parities()
    found = mean_discrimination(problem)
    rows = np.array([[float(v) for v in row] for row in problem.differences])
    queries = 1 - 2 * (np.arange(2**16)[:, None] >> np.arange(16) & 1)
    other = float(np.abs(queries @ rows.T).mean(axis=1).max())
    return joined(exactly(constant, Fraction(found.bounds[0])), near(float(found), other))


def _root_against_mean(largest: bool, constant: Fraction) -> Finding:
    """kappa_v / kappa_1, or kappa_v^2 / kappa_1, over pairs of laws on two points.

    Both norms are those of the event that tells the two laws apart best, or of its complement.
    """
    steps = np.linspace(0, 1, 2001)
    a, b = np.meshgrid(steps, steps)
    kappa_1 = 2 * np.abs(a - b)
    apart = kappa_1 > 1e-9
    kappa_v = np.maximum(np.abs(np.sqrt(a) - np.sqrt(b)), np.abs(np.sqrt(1 - a) - np.sqrt(1 - b)))
    if largest:
        return rounded(constant, float((kappa_v[apart] ** 2 / kappa_1[apart]).max()), digits=6)
    found = float((kappa_v[apart] / kappa_1[apart]).min())
    return joined(rounded(constant, found, digits=5), found >= 1 / 4)


def _radius(constant: Fraction) -> Finding:
    """min over D_1 of max over D of KL(D || D_1), all nonempty parities of 3 bits.

    By symmetry the mixture is the best D_1; Blahut's iteration, which knows none, agrees.
    """
    rows = np.array([[float(p) for p in row] for row in parities().distributions])
    weights = np.full(len(rows), 1 / len(rows)) + np.linspace(-0.05, 0.05, len(rows))
    divergences = np.zeros(len(rows))
    for _ in range(300):
        mixture = weights @ rows
        ratios = np.divide(rows, mixture, out=np.ones_like(rows), where=rows > 0)
        divergences = (rows * np.log(ratios)).sum(axis=1)
        weights = weights * np.exp(divergences)
        weights /= weights.sum()
    by_symmetry = 7 / 8 * (3 / 7 * math.log(7 / 3) + 4 / 7 * math.log(7 / 4))
    return joined(
        rounded(constant, by_symmetry, digits=6),
        near(float(divergences.max()), by_symmetry, 1e-6),
        by_symmetry <= math.log(2),
    )


def _radius_bound(constant: Fraction) -> Finding:
    """max over D of KL(D || x uniform, y a fair coin), which the mixture of 2^14 parities nears."""
    rows = np.array([[float(p) for p in row] for row in parities().distributions])
    reference = np.array([float(p) for p in parities().reference])
    parts = np.where(rows > 0, rows * np.log(np.where(rows > 0, rows, 1.0) / reference), 0.0)
    n = 2**14
    share = (n / 2 - 1) / (n - 1)
    mixture = (1 - 1 / n) * -(share * math.log(share) + (1 - share) * math.log(1 - share))
    bound = float(parts.sum(axis=1).max())
    return joined(rounded(constant, bound, digits=6), 0.999 * bound < mixture <= bound)


FAMILY_NORMS: tuple[Entry, ...] = (
    Entry(
        "feldman.norm-chain",
        "7 parities: kappa_1 <= kappa_2 <= spectral norm = 0.377964473, and kappa_2^2 <= rho = 1/7",
        f"{FELDMAN}, section 6; Feldman, Perkins and Vempala (2015)",
        "sign enumeration, proved eigenvalue and exact average; equality for orthogonal families",
        "0.377964473",
        _norm_chain,
    ),
    Entry(
        "feldman.mean-norm",
        "7 parities of 3 bits: max over |phi| <= 1 of avg |D[phi] - D_0[phi]| = 9/28",
        f"{FELDMAN}; number computed here",
        "integers over sign patterns; all sign queries in floats",
        "9/28",
        _mean_norm,
    ),
    Entry(
        "feldman.roots-and-means",
        "kappa_v >= 0.353553 kappa_1, which is more than the kappa_1 / 4 of the source",
        f"{FELDMAN}; the sharp constant 1 / (2 sqrt 2) is computed here",
        "all pairs of laws on two points, to which the claim reduces, on a grid",
        "0.353553",
        partial(_root_against_mean, False),
    ),
    Entry(
        "feldman.means-and-roots",
        "kappa_1 / 4 >= kappa_v^2 / 2: kappa_v^2 <= 1/2 kappa_1, with equality",
        FELDMAN,
        "all pairs of laws on two points, to which the claim reduces, on a grid",
        "1/2",
        partial(_root_against_mean, True),
    ),
    Entry(
        "feldman.kl-radius-bound",
        "R_KL <= ln 2 = 0.693147 where all distributions share the law of x",
        FELDMAN,
        "largest divergence from a fair coin's label; 2^14 parities come within 0.1 percent",
        "0.693147",
        _radius_bound,
    ),
    Entry(
        "feldman.kl-radius",
        "R_KL of the 7 parities of 3 bits is 0.597545",
        f"{FELDMAN}; number computed here",
        "divergence from the mixture by symmetry; Blahut's iteration",
        "0.597545",
        _radius,
    ),
)
