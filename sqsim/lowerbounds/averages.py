"""Statistical dimension with average correlation, over subsets and over events of pairs.

This file takes the correlations as they are given: E[f_i f_j] for functions (CSDA), chi-square
correlations for distributions (SDA).  It knows neither the family nor the theorems.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import final

import numpy as np

from sqsim.errors import BadInput, NotCertified
from sqsim.lowerbounds.eigenvalues import (
    DIGITS,
    largest_eigenvalue,
    leading_vector,
    perron_eigenvalue,
)
from sqsim.lowerbounds.matrices import (
    Correlations,
    Given,
    correlations_of,
    refuse_beyond_memory,
)
from sqsim.lowerbounds.precision import Exact, enclose_between, exact_fraction
from sqsim.lowerbounds.quantities import Estimate, Quantity, Rational
from sqsim.lowerbounds.subsets import Weights, heavy_subset, leading, peeled, row_bounds

SEARCH = 40
FACTORED = 3000
"""Functions; above, the O(N^3) bound of the eigenvalue takes longer than it helps."""

REMEDY = "take fewer functions"


@final
@dataclass(frozen=True)
class AverageDimension:
    """N / m*, where m* is the least m such that every subset of m or more functions is harmless.

    Harmless: the average correlation, diagonal included, is at most gamma.  D = N / m* has the
    defining property of SDA (every G' with |G'| >= |G| / D is harmless), and no D >= N / (m* - 1)
    has it.

    Attributes
    ----------
    functions : N.
    smallest : two whole numbers between which m* lies; N + 1 where the whole family is harmful.
    witness : a harmful subset of smallest[0] - 1 functions.
    grade : "certified", or "estimate" where the correlations are estimates.
    """

    functions: int
    smallest: tuple[int, int]
    witness: tuple[int, ...]
    grade: str = "certified"

    @property
    def bounds(self) -> tuple[Fraction, Fraction]:
        """Bounds of N / m*; 0 where the whole family is harmful, since no D >= 1 will do."""
        low, high = (
            Fraction(self.functions, m) if m <= self.functions else Fraction(0)
            for m in reversed(self.smallest)
        )
        return low, high

    @property
    def exact(self) -> bool:
        """Whether m* is known."""
        return self.smallest[0] == self.smallest[1]


@final
@dataclass(frozen=True)
class ConditionalDimension:
    """The largest whole q such that E[|C_uv| | E] <= 1/n for every event E with P(E) >= 1/q^2.

    Attributes
    ----------
    lower, upper : bounds of q; None where every q will do, since no correlation exceeds 1/n.
    pairs : two whole numbers; between them lies the least number K of ordered pairs such that the
        K largest correlations have an average of at most 1/n.
    grade : "certified", or "estimate" where the correlations are estimates.
    """

    lower: int | None
    upper: int | None
    pairs: tuple[int, int]
    grade: str = "certified"


def average_correlation(correlations: Given, members: Sequence[int]) -> Quantity:
    """rho(S) = |S|^-2 sum of |E f_i f_j| over S x S; exact where the correlations are."""
    correlations = correlations_of(correlations)
    _check_members(members, correlations.size)
    low, high = correlations.total(members)
    pairs, error = len(members) ** 2, correlations.error
    if low == high and error == 0:
        return Rational(low / pairs)
    if correlations.grade == "estimate":
        middle = float((low + high) / pairs / 2)
        return Estimate(middle, float(error), "average of estimated correlations")
    return enclose_between(max(Fraction(0), low / pairs - error), high / pairs + error, DIGITS)


def average_dimension(
    correlations: Given, *, gamma: Exact, search_up_to: int = SEARCH
) -> AverageDimension:
    """CSDA(gamma) of functions, SDA(gamma) of distributions, as N / m*.

    Feldman, Grigorescu, Reyzin, Vempala and Xiao (2017), definition with "at most gamma" as in
    Goel, Gollakota, Jin, Karmalkar and Klivans (2020).

    From above, m* <= ceil(lambda / gamma) with lambda the largest eigenvalue of |C|, and sums of
    sorted rows; from below, harmful subsets found by peeling and along the leading eigenvector.

    Parameters
    ----------
    correlations : Correlations, or a Gram matrix such as parity_family(...) or ridge_gram(...).
    search_up_to : the largest family for which branch and bound may close the bracket (at most
        20 000 nodes for each size).  Without it O(N^3) up to 3000 functions and O(N^2 log N) above.
    """
    correlations = correlations_of(correlations)
    threshold = exact_fraction(gamma, "gamma")
    if threshold < 0:
        raise BadInput(f"gamma is {gamma!r}; an average of magnitudes is at least 0")
    refuse_beyond_memory(correlations.size, 6, REMEDY)
    weights, scale = correlations.scaled_integers(up=True)
    safe, sure = threshold - correlations.error, threshold + correlations.error
    # Weights of at most limits[m] prove that a subset of size m is harmless.
    limits = [math.floor(safe * m * m * scale) for m in range(correlations.size + 1)]
    high = _upper_size(correlations, weights, limits, safe)
    witness = _harmful(correlations, weights, scale, sure)
    while len(witness) + 1 < high and correlations.size <= search_up_to:
        size = high - 1

        def beyond(members: Sequence[int], safe: Fraction = safe) -> bool:
            return correlations.total(members)[1] > safe * len(members) ** 2

        try:
            found = heavy_subset(weights, size, limits[size], beyond)
        except NotCertified:
            break
        if found is None:
            high = size
            continue
        if _is_harmful(correlations, found, sure):
            witness = tuple(sorted(found))
        break
    bracket = (len(witness) + 1, high)
    return AverageDimension(correlations.size, bracket, witness, correlations.grade)


def conditional_dimension(correlations: Given, *, samples: Exact) -> ConditionalDimension:
    """SDA(n) of Brennan, Bresler, Hopkins, Li and Schramm (2021), u and v uniform on the family.

    The worst event of a given size holds the largest |C_uv|, so sorting decides; the diagonal
    counts.  An event is a set of ordered pairs.  O(N^2 log N).

    Parameters
    ----------
    correlations : Correlations, or a Gram matrix such as distribution_family(...).
    samples : n > 0.
    """
    correlations = correlations_of(correlations)
    n = exact_fraction(samples, "the number of samples")
    if n <= 0:
        raise BadInput(f"the number of samples is {samples!r}; it must be positive")
    refuse_beyond_memory(correlations.size, 4, REMEDY)
    least, most = (
        _least_pairs(correlations, 1 / n + sign * correlations.error, up=sign < 0)
        for sign in (1, -1)
    )
    total = correlations.size**2
    lower, upper = (
        math.isqrt((total - 1) // (pairs - 1)) if pairs > 1 else None for pairs in (most, least)
    )
    return ConditionalDimension(lower, upper, (least, most), correlations.grade)


def _least_pairs(correlations: Correlations, threshold: Fraction, *, up: bool) -> int:
    """The least K such that the K largest weights have an average within the threshold."""
    weights, scale = correlations.scaled_integers(up=up)
    sums = np.cumsum(np.sort(weights, axis=None)[::-1])
    limit = threshold * scale
    # The average of the K largest falls with K.
    return 1 + bisect_left(
        range(1, len(sums) + 1), True, key=lambda k: int(sums[k - 1]) <= k * limit
    )


def _upper_size(
    correlations: Correlations, weights: Weights, limits: list[int], safe: Fraction
) -> int:
    """The least m that the bounds prove: from m functions on, every subset is harmless."""
    heaviest = row_bounds(weights)
    spectral = math.inf
    if safe > 0:
        entries = Correlations(correlations.magnitudes().matrix)
        largest = perron_eigenvalue(entries).bounds[1]
        if correlations.size <= FACTORED:
            largest = min(largest, largest_eigenvalue(entries).bounds[1])
        spectral = math.ceil(largest / safe)
    size = correlations.size
    while size and (size >= spectral or heaviest[size - 1] <= limits[size]):
        size -= 1
    return size + 1


def _harmful(
    correlations: Correlations, weights: Weights, scale: Fraction, sure: Fraction
) -> tuple[int, ...]:
    """The largest subset that two orders find and exact sums confirm to be harmful."""
    vector = leading_vector(np.asarray(weights, float))
    order = np.argsort(-abs(vector), kind="stable")
    best: tuple[int, ...] = ()
    for found in (peeled(weights), leading(weights, order)):
        for members, weight in found:
            size = len(members)
            if size <= len(best):
                break
            if weight > sure * size * size * scale and _is_harmful(correlations, members, sure):
                best = tuple(sorted(members))
    return best


def _is_harmful(correlations: Correlations, members: Sequence[int], sure: Fraction) -> bool:
    return correlations.total(members)[0] > sure * len(members) ** 2


def _check_members(members: Sequence[int], size: int) -> None:
    if not members or len(set(members)) < len(members):
        raise BadInput("a subset needs at least one function, and each function once")
    if not all(0 <= member < size for member in members):
        raise BadInput(f"a subset names functions by their indices 0, ..., {size - 1}")
