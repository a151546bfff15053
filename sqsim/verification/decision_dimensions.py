"""Entries on decision problems: covers by queries, fractional and whole."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache, partial
from itertools import product

from sqsim.lowerbounds.covers import fractional_cover
from sqsim.lowerbounds.discrimination import (
    Decision,
    deterministic_dimension,
    randomised_dimension,
    told_apart_by_roots,
)
from sqsim.lowerbounds.patterns import extreme_queries
from sqsim.lowerbounds.precision import Exact, exact_fraction
from sqsim.verification.conditions import exactly, joined, near, rounded
from sqsim.verification.entry import Entry, Finding

FELDMAN = "Feldman (2017)"
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


def labelled_parities(bits: int = BITS) -> list[list[int]]:
    """y chi_S(x), as values in {-1, 1}."""
    cube = list(product((0, 1), repeat=bits))
    return [
        [(-1) ** (sum(map(math.prod, zip(s, x, strict=True))) + y) for x in cube for y in (0, 1)]
        for s in cube[1:]
    ]


def _pool(tolerance: Exact, constant: Fraction) -> Finding:
    """RSD of the pool of labelled parities: the cover's weight, the packing's, and whole covers."""
    found = randomised_dimension(parities(), labelled_parities(), tolerance=tolerance)
    whole = deterministic_dimension(parities(), labelled_parities(), tolerance=tolerance)
    return joined(
        exactly(constant, found.lower),
        found.lower == found.upper == sum(found.sets) == sum(found.points),
        whole.lower == whole.upper == 7,
    )


def _every_query(tolerance: Exact, constant: Fraction) -> Finding:
    """RSD over all queries: between tau^2 / kappa_2^2 = 7 tau^2 and the least whole cover."""
    problem = parities()
    queries = extreme_queries(problem, tolerance=tolerance)
    found = randomised_dimension(problem, queries, tolerance=tolerance)
    whole = deterministic_dimension(problem, queries, tolerance=tolerance)
    spectral = 7 * exact_fraction(tolerance) ** 2
    return joined(
        exactly(constant, found.lower),
        found.lower == found.upper,
        spectral <= found.lower <= whole.lower == whole.upper == math.ceil(found.lower),
    )


def _draws(constant: Fraction) -> Finding:
    """Draws from the cover until each of 7 parities is told apart, over RSD ln(1 / delta).

    A draw tells one parity with probability 1 / RSD, whichever is hidden.
    """
    found = randomised_dimension(parities(), labelled_parities(), tolerance="1/2")
    told = float(sum(weight for weight in found.sets[:1]) / found.upper)
    share = -1 / (float(found.upper) * math.log1p(-told))
    return joined(rounded(constant, share, digits=6), share <= 1, near(told, 1 / 7))


def _roots(constant: Fraction) -> Finding:
    """The finest tau at which no parity is told apart by roots: 1 - 1 / sqrt 2."""
    queries = [[Fraction(1 + v, 2) for v in row] for row in labelled_parities()]
    threshold = 1 - math.sqrt(0.5)
    at = [told_apart_by_roots(parities(), queries, tolerance=Fraction(threshold + shift))
          for shift in (-1e-9, 1e-9)]  # fmt: skip
    pool = fractional_cover(at[0]).lower
    return joined(
        rounded(constant, threshold, digits=6), not at[1].any(), pool == 7 and at[0].sum() == 7
    )


DECISION_DIMENSIONS: tuple[Entry, ...] = (
    Entry(
        "feldman.rsd-pool",
        "RSD(1/2) of 7 parities of 3 bits for the pool of parities is 7, as is every cover",
        f"{FELDMAN}: RSD is a fractional cover",
        "linear program proved on both sides in rationals; whole covers by search",
        "7",
        partial(_pool, "1/2"),
    ),
    Entry(
        "feldman.rsd-all-queries",
        "RSD(0.6) of 7 parities of 3 bits for all queries is 7 as well: 2.52 <= RSD <= cover",
        f"{FELDMAN}; number computed here",
        "every possible pattern of answers; spectral bound tau^2 / kappa_2^2 and whole covers",
        "7",
        partial(_every_query, "0.6"),
    ),
    Entry(
        "feldman.rsd-few-queries",
        "RSD(0.4) of 7 parities of 3 bits for all queries is 7/4: 1.12 <= RSD <= cover = 2",
        f"{FELDMAN}; number computed here",
        "every possible pattern of answers; spectral bound tau^2 / kappa_2^2 and whole covers",
        "7/4",
        partial(_every_query, "0.4"),
        slow=True,
    ),
    Entry(
        "feldman.rsd-upper",
        "RSD ln(1 / delta) draws from the cover suffice; 7 parities need 0.926737 of them",
        f"{FELDMAN}; share computed here",
        "the cover's weights from the linear program; geometric tails",
        "0.926737",
        _draws,
    ),
    Entry(
        "feldman.rsd-roots",
        "vSTAT(tau) tells 7 parities apart by 7 queries below tau = 0.292893, and none above",
        f"{FELDMAN}; number computed here",
        "exact comparison of roots on both sides of 1 - 1/sqrt 2; linear program",
        "0.292893",
        _roots,
    ),
)
