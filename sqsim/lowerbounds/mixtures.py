"""Laws on the line that mix finitely many Gaussians, with exact Hermite moments.

This file does not know what they are compared with, nor why.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, final

from flint import arb, fmpz_poly

from sqsim.errors import BadInput
from sqsim.lowerbounds.precision import Exact, ball, exact_fraction

LARGEST_RULE = 200
Gaussian = tuple[arb, arb, Fraction]
"""Weight, mean, variance."""


class Component(ABC):
    """A law on the line that mixes finitely many Gaussians."""

    @abstractmethod
    def moments(self, degree: int) -> list[Fraction]:
        """E_A[He_k], k = 0, ..., degree, exactly; He_k = sqrt(k!) h_k."""

    @abstractmethod
    def parts(self) -> list[Gaussian]:
        """The Gaussians as balls at the working precision."""

    @property
    @abstractmethod
    def variances(self) -> tuple[Fraction, ...]:
        """Of all parts."""


@final
@dataclass(frozen=True)
class Mixture(Component):
    """sum of weights[i] N(means[i], variances[i]); variance 0 is a point mass."""

    weights: tuple[Fraction, ...]
    means: tuple[Fraction, ...]
    spreads: tuple[Fraction, ...]

    @property
    def variances(self) -> tuple[Fraction, ...]:
        return self.spreads

    def moments(self, degree: int) -> list[Fraction]:
        """E[e^(t X - t^2 / 2)] = e^(t m - (1 - s) t^2 / 2): a_k+1 = m a_k - k (1 - s) a_k-1."""
        totals = [Fraction(0)] * (degree + 1)
        for w, m, s in zip(self.weights, self.means, self.spreads, strict=True):
            before, now = Fraction(0), Fraction(1)
            for k in range(degree + 1):
                totals[k] += w * now
                before, now = now, m * now - k * (1 - s) * before
        return totals

    def parts(self) -> list[Gaussian]:
        table = zip(self.weights, self.means, self.spreads, strict=True)
        return [(ball(w), ball(m), s) for w, m, s in table]


@final
@dataclass(frozen=True)
class MatchedComponent(Component):
    """sum_i w_i N(sqrt(1 - s) x_i, s) over the Gauss-Hermite rule (x_i, w_i) with m nodes.

    The rule integrates polynomials of degree < 2m exactly, and smoothing by s multiplies E[h_k] by
    (1 - s)^(k/2), so that c_1 = ... = c_(2m-1) = 0; Q[He_m^2] = 0 instead of m! gives
    c_2m = -(1 - s)^m m! / sqrt((2m)!).
    """

    nodes: int
    smoothing: Fraction

    @property
    def variances(self) -> tuple[Fraction, ...]:
        return (self.smoothing,) * self.nodes

    def moments(self, degree: int) -> list[Fraction]:
        """(1 - s)^(k/2) Q[He_k]; zero for odd k, as the rule is symmetric."""
        scale = 1 - self.smoothing
        rule = _rule_moments(self.nodes, degree)
        return [Fraction(0) if k % 2 else q * scale ** (k // 2) for k, q in enumerate(rule)]

    def parts(self) -> list[Gaussian]:
        """w_i = (m - 1)! / (m He_(m-1)(x_i)^2), at the isolated roots of He_m."""
        m = self.nodes
        whole, before = _hermite_polynomial(m), _hermite_polynomial(m - 1)
        scale = ball(1 - self.smoothing).sqrt()
        found = []
        roots: Any = whole.complex_roots()
        for root, _ in roots:
            x = root.real
            value = sum((arb(int(c)) * x**i for i, c in enumerate(before.coeffs())), arb(0))
            weight = arb(math.factorial(m - 1)) / (m * value * value)
            found.append((weight, scale * x, self.smoothing))
        return found


def mixture(
    weights: Sequence[Exact], means: Sequence[Exact], variances: Sequence[Exact]
) -> Mixture:
    """A finite mixture of Gaussians (of points, where a variance is 0), from exact numbers."""
    w = tuple(exact_fraction(x, "a weight") for x in weights)
    m = tuple(exact_fraction(x, "a mean") for x in means)
    s = tuple(exact_fraction(x, "a variance") for x in variances)
    if not w or not len(w) == len(m) == len(s):
        raise BadInput(
            f"{len(w)} weights, {len(m)} means, {len(s)} variances: give as many of each"
        )
    if min(w) < 0 or sum(w) != 1:
        raise BadInput(f"the weights add up to {sum(w)}; give exact weights >= 0 that add up to 1, "
                       "as fractions or text")  # fmt: skip
    if min(s) < 0:
        raise BadInput("a variance is negative")
    return Mixture(w, m, s)


def matched_component(nodes: int, *, smoothing: Exact) -> MatchedComponent:
    """A law that agrees with N(0, 1) in its first 2 nodes - 1 moments and no more.

    Parameters
    ----------
    nodes : m of the Gauss-Hermite rule.
    smoothing : s in (0, 1): the variance of each bump.  Less smoothing, larger chi-square.
    """
    if isinstance(nodes, bool) or not isinstance(nodes, int) or not 1 <= nodes <= LARGEST_RULE:
        raise BadInput(f"nodes is {nodes!r}; give a number of nodes from 1 to {LARGEST_RULE}")
    s = exact_fraction(smoothing, "smoothing")
    if not 0 < s < 1:
        raise BadInput(f"smoothing is {smoothing!r}; give a variance strictly between 0 and 1")
    return MatchedComponent(nodes, s)


def _rule_moments(m: int, degree: int) -> list[Fraction]:
    """Q[He_k] for the m-node rule: the He_0 part of He_k mod He_m, which the rule integrates."""
    before, now = [0] * m, [1] + [0] * (m - 1)
    values = []
    for k in range(degree + 1):
        values.append(Fraction(now[0]))
        # x He_j = He_j+1 + j He_j-1, and He_m vanishes at the nodes.
        shifted = [0, *now[:-1]]
        for j in range(1, m):
            shifted[j - 1] += j * now[j]
        before, now = now, [a - k * b for a, b in zip(shifted, before, strict=True)]
    return values


def _hermite_polynomial(degree: int) -> fmpz_poly:
    before, now = fmpz_poly([]), fmpz_poly([1])
    for k in range(degree):
        before, now = now, fmpz_poly([0, 1]) * now - k * before
    return now
