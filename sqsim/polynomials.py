"""A polynomial in place of the ReLU, in floats that learners may use, with a proved error.

The coefficients are the polynomial: they are binary fractions, so that its error and its norm are
facts about exact numbers.  `sqsim.lowerbounds.suprema` proves the same ones with many digits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.remez import Equioscillation, chebyshev_values, equioscillation

LARGEST_DEGREE = 32
DENSITY = 256
ROUNDING = 2.0**-42
UP = 1 + 2.0**-50


@final
@dataclass(frozen=True)
class NeuronPolynomial:
    """p of degree d with |p(t) - max(t, 0)| <= error on [-1, 1].

    For a unit vector w, x -> p(<w, x>) has norm^2 sum of beta_i^2 = `norm_squared` in the space of
    the multinomial kernel sum of <x, x'>^i over i <= d, where x itself has norm^2 d + 1 or less.

    Attributes
    ----------
    coefficients : beta_0, ..., beta_d: of 1, t, t^2, ...
    error : proved, and above the true error by less than 1 part in 10^4 and 2 rounding.
    rounding : how far floats may take `__call__` from p.
    """

    coefficients: tuple[float, ...]
    error: float
    rounding: float

    @property
    def degree(self) -> int:
        return len(self.coefficients) - 1

    @property
    def norm_squared(self) -> float:
        """B: the sum of beta_i^2, rounded up."""
        exact = sum((Fraction(c) ** 2 for c in self.coefficients), Fraction(0))
        return float(exact) * UP

    def __call__(self, t: Array) -> Array:
        """p(t) by Horner, for |t| <= 1."""
        value = np.zeros_like(np.asarray(t, float))
        for c in reversed(self.coefficients):
            value = value * t + c
        return value


def range_safe_relu(*, epsilon: float | None = None, degree: int | None = None) -> NeuronPolynomial:
    """The range-safe polynomial of this degree, or of the least degree with error <= epsilon.

    With the best polynomial q, |q - relu| <= delta on [-1, 1], it is p = s (q - 1/2) + 1/2 with
    s = 1 / (1 + 2 delta), from which p([-1, 1]) is in [0, 1] and |p - relu| <= 2 delta / (1 + 2
    delta), both at once (construction of Goel, Kanade, Klivans and Thaler 2017, whose error is
    stated as twice this one).  delta is about 0.1401 / d.

    Parameters
    ----------
    epsilon : float, or degree : int
        One of them.  At most degree 32: beyond, monomials no longer fit into floats, and epsilon
        is then below 0.0087.
    """
    return _least(epsilon, degree, safe=True)


def nearest_relu(*, epsilon: float | None = None, degree: int | None = None) -> NeuronPolynomial:
    """The best polynomial of this degree, or of the least degree with error <= epsilon.

    Its values are in [-error, 1 + error]; half the degree of `range_safe_relu` is enough where
    that does no harm, as in agnostic regression.  Parameters as there; the error is about
    0.1401 / d.
    """
    return _least(epsilon, degree, safe=False)


def _least(epsilon: float | None, degree: int | None, *, safe: bool) -> NeuronPolynomial:
    if (epsilon is None) == (degree is None):
        raise BadInput("give epsilon or degree, one of them")
    if degree is not None:
        return _of_degree(_checked_degree(degree), safe)
    assert epsilon is not None
    if isinstance(epsilon, bool) or not 0 < epsilon < math.inf:
        raise BadInput(f"epsilon is {epsilon!r}; wanted a number > 0")
    for n in (0, 1, *range(2, LARGEST_DEGREE + 1, 2)):
        found = _of_degree(n, safe)
        if found.error <= epsilon:
            return found
    raise BadInput(
        f"epsilon is {epsilon:g}, and degree {LARGEST_DEGREE} reaches {found.error:.4g}; floats "
        "do not hold the monomials of higher degrees: ask for a larger epsilon, or for the "
        "degree alone from sqsim.lowerbounds.uniform_degree"
    )


def _checked_degree(degree: int) -> int:
    if isinstance(degree, bool) or not isinstance(degree, int) or not 0 <= degree <= LARGEST_DEGREE:
        raise BadInput(f"degree is {degree!r}; wanted a whole number from 0 to {LARGEST_DEGREE}")
    return degree


def _of_degree(degree: int, safe: bool) -> NeuronPolynomial:
    """The scaled or the best polynomial, its coefficients rounded to floats.

    On [0, 1] the error of an even q is a polynomial of degree n, and by Ehlich and Zeller (1964)
    its sup is at most the largest value at N + 1 Chebyshev points divided by cos(n pi / 2N);
    N = 256 n.  Of the floats in it, 2^-42 of the coefficients' sum is added.
    """
    if degree == 0:
        return NeuronPolynomial((0.5,), 0.5, 0.0)
    best = equioscillation(np.abs, tuple(range(0, degree + 1, 2)), start=0.0)
    delta = _proved(best) / 2
    even = monomials(dict(zip(best.degrees, best.weights.tolist(), strict=True)))
    exact = [c / 2 for c in even] + [Fraction(0)] * (degree + 1 - len(even))
    exact[1] += Fraction(1, 2)
    moved = 2.0**-52 * float(sum(abs(c) for c in exact) + 1)
    # The factor also makes room for rounding the coefficients.
    shrunk = Fraction((1 - 2 * moved) / (1 + 2 * delta) * (1 - 2.0**-50)) if safe else Fraction(1)
    exact = [shrunk * c for c in exact]
    exact[0] += (1 - shrunk) / 2
    error = float(shrunk) * delta + float(1 - shrunk) / 2 + moved
    rounding = 2 * (degree + 1) * moved
    return NeuronPolynomial(tuple(float(c) for c in exact), error * UP, rounding)


def monomials(weights: dict[int, float]) -> list[Fraction]:
    """Coefficients of 1, t, t^2, ... of the sum of weights[k] T_k, exactly."""
    total = [Fraction(0)] * (max(weights, default=-1) + 1)
    before, now = [0, -1], [1]
    for k in range(len(total)):
        weight = Fraction(weights.get(k, 0.0))
        if weight:
            for i, c in enumerate(now):
                total[i] += weight * c
        after = [0, *(2 * c for c in now)] if k else [0, 1]
        if k:
            for i, c in enumerate(before):
                after[i] -= c
        before, now = now, after
    return total


def _proved(best: Equioscillation) -> float:
    """sup of | |x| - q(x) | on [0, 1], from above, for the q with exactly these float weights."""
    degree = max(1, *best.degrees)
    count = DENSITY * degree
    nodes = (1 + np.cos(np.pi * np.arange(count + 1) / count)) / 2
    values = np.abs(nodes - chebyshev_values(nodes, best.degrees) @ best.weights)
    room = ROUNDING * (1 + float(np.abs(best.weights).sum()))
    return float(values.max() + room) / math.cos(math.pi * degree / (2 * count)) * UP
