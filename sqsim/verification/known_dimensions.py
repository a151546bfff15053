"""Entries on dimensions of known families: events of pairs, weak learning, the sphere."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache, partial
from itertools import product

import numpy as np
from scipy.special import betaln
from scipy.stats import beta

from sqsim.lowerbounds.averages import (
    conditional_dimension,
)
from sqsim.lowerbounds.dimension import (
    sq_dimension,
)
from sqsim.lowerbounds.discrimination import (
    Decision,
)
from sqsim.lowerbounds.families import parity_family
from sqsim.lowerbounds.matrices import Correlations
from sqsim.lowerbounds.quantities import Rational
from sqsim.lowerbounds.spectrum import sphere_moment
from sqsim.lowerbounds.theorems import (
    conditional_average_to_vstat,
    sq_dimension_bound,
)
from sqsim.verification.conditions import exactly, joined, near, rounded
from sqsim.verification.entry import Entry, Finding, close, within

BRENNAN = "Brennan, Bresler, Hopkins, Li and Schramm (2021)"
BITS = 3


@cache
def parities(bits: int = BITS, flips: Fraction = Fraction(0)) -> Decision:
    """Uniform x with its noisy parity, for every nonempty set, against a uniform label."""
    cube = list(product((0, 1), repeat=bits))
    tables = []
    for chosen in cube[1:]:
        table = []
        for x in cube:
            odd = sum(map(math.prod, zip(chosen, x, strict=True))) % 2
            table += [(1 - flips if odd == y else flips) / len(cube) for y in (0, 1)]
        tables.append(table)
    return Decision.of(tables, [Fraction(1, 2 * len(cube))] * (2 * len(cube)))


def _events(constant: Fraction) -> Finding:
    """The largest q with E[|chi| | E] <= 1/16 for all P(E) >= 1/q^2, 1024 orthonormal functions."""
    found = conditional_dimension(Correlations(np.eye(1024)), samples=16)
    by_hand = math.isqrt((1024**2 - 1) // (16 * 1024 - 1))
    assert found.lower is not None
    bound = conditional_average_to_vstat(samples=16, dimension=found.lower)
    return joined(
        exactly(constant, found.lower),
        found.lower == found.upper == by_hand,
        bound.samples.bounds[0] == Fraction(16, 3),
    )


def _single_index(largest: bool, constant: Fraction) -> Finding:
    """n(q) lambda^2 over (d / (4 ln q))^(k/2), q = 1000, d = 10^2, 10^3, 10^4, k = 1, ..., 4.

    n(q) = 1 / E[|t|^k | |t| >= t_q], P(|t| >= t_q) = q^-2, t^2 ~ Beta(1/2, (d - 1)/2).
    """
    shares = []
    for k, d in product((1, 2, 3, 4), (10**2, 10**3, 10**4)):
        side = (d - 1) / 2
        cut = beta(0.5, side).isf(1e-6)
        tilted = math.exp(betaln(0.5 + k / 2, side) - betaln(0.5, side))
        conditional = tilted * float(beta(0.5 + k / 2, side).sf(cut)) * 1e6
        shares.append((4 * math.log(1000) / d) ** (k / 2) / conditional)
    return rounded(constant, max(shares) if largest else min(shares), digits=4, error=1e-6)


def _weak_learning(constant: Fraction) -> Finding:
    """The bound over d^(1/3), d = 10^12."""
    found = sq_dimension_bound(dimension=10**12)
    return close(constant, float(found) / 10**4, error=1e-9)


def _sq_dimension(constant: Fraction) -> Finding:
    """All 32 parities of 5 bits, for both definitions."""
    sets = [tuple(i for i in range(5) if mask >> i & 1) for mask in range(32)]
    found = [sq_dimension(parity_family(sets), power=p) for p in (1, 3)]
    return joined(exactly(constant, found[0].lower), all(f.lower == f.upper == 32 for f in found))


def _moment(constant: Fraction) -> Finding:
    """E t^4 = 3 / (d (d + 2)) for a coordinate of a uniform unit vector, d = 100."""
    proved = sphere_moment(4, 0, 100)
    law = beta(0.5, 99 / 2)
    return joined(
        within(constant, Rational(proved), digits=7),
        proved == Fraction(3, 100 * 102),
        near(float(law.var() + law.mean() ** 2), float(proved)),
    )


KNOWN_DIMENSIONS: tuple[Entry, ...] = (
    Entry(
        "brennan.sda",
        "SDA(16) of 1024 orthonormal functions over events of pairs is 8",
        BRENNAN,
        "sorted correlations in whole numbers; q^2 (n N - 1) < N^2",
        "8",
        _events,
    ),
    Entry(
        "brennan.single-index-most",
        "n(q) lambda^2 <= 1.428 (d / (4 ln q))^(k/2) for d = 10^2 to 10^4, q = 10^3, k = 1 to 4",
        f"{BRENNAN}; the specification's 1.4 to more digits, computed here",
        "conditional moments of the beta law",
        "1.428",
        partial(_single_index, True),
    ),
    Entry(
        "brennan.single-index-least",
        "n(q) lambda^2 >= 1.035 (d / (4 ln q))^(k/2) on the same grid",
        f"{BRENNAN}; the specification's 1.0 to more digits, computed here",
        "conditional moments of the beta law",
        "1.035",
        partial(_single_index, False),
    ),
    Entry(
        "blum.weak-learning",
        "SQ-DIM d needs 0.5 d^(1/3) queries of tolerance d^(-1/3)",
        "Blum, Furst, Jackson, Kearns, Mansour and Rudich (1994)",
        "the pairwise bound with these numbers at d = 10^12, in balls",
        "0.5",
        _weak_learning,
    ),
    Entry(
        "blum.parities",
        "SQ-DIM of the 32 parities of 5 bits is 32",
        "Blum, Furst, Jackson, Kearns, Mansour and Rudich (1994)",
        "exact cliques, for thresholds d^-3 and d^-1",
        "32",
        _sq_dimension,
    ),
    Entry(
        "sphere.fourth-moment",
        "E t^4 = 2.941176e-4 for a coordinate of a uniform unit vector, d = 100",
        "Funk-Hecke formula, degree 4; value of this project's specification",
        "rational closed form; moments of the beta law",
        "2.941176e-4",
        _moment,
    ),
)
