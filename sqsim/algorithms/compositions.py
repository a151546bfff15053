"""Polynomials in place of networks: degree, error and coefficient norm of a composition.

In the space of the multinomial kernel let N(f) be the sum of the norms of the homogeneous parts of
f.  Parts multiply as tensors, so N(f g) <= N(f) N(g), and the norm of f is at most N(f); a linear
form <a, x> + b has N = |a| + |b|, and a polynomial sum of beta_i t^i of f at most
sum |beta_i| N(f)^i.  Everything here follows from that and from one polynomial near relu on
[-1, 1]; derived here.  This file does not know queries.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import final

from sqsim.errors import BadInput
from sqsim.polynomials import LARGEST_DEGREE, NeuronPolynomial, nearest_relu

MOST_LAYERS = 3
"""Layers up to which degrees are chosen one by one; beyond they are all the same."""

UP = 1 + 2.0**-40


@final
@dataclass(frozen=True)
class Composition:
    """A polynomial that is near a whole class of functions on the unit ball.

    Attributes
    ----------
    degrees : of the polynomial in place of relu, layer by layer.
    error : every function of the class has a polynomial within this, on all of the unit ball.
    norm : a bound on the norm of that polynomial in the space of the multinomial kernel.
    """

    degrees: tuple[int, ...]
    error: float
    norm: float

    @property
    def degree(self) -> int:
        """Their product."""
        return math.prod(self.degrees)

    @property
    def weight(self) -> float:
        """B: the bound on the sum of squared coefficients."""
        return self.norm**2 * UP


def network_composition(*, hidden: int, weight: float, reach: float, epsilon: float) -> Composition:
    """For ReLU networks with `hidden` layers, l1 weights W and |<a, x> + b| <= M in the first.

    A layer of reach R has relu replaced by R p(t / R), |p - relu| <= e on [-1, 1]: its values are
    in [-R e, R (1 + e)], the next reach is W R (1 + e), and errors are multiplied by W on their
    way.  With the same relative error in all D layers that is about D e M W^D, hence the degree
    about (0.14 D M W^D / epsilon)^D: Goel, Kanade, Klivans and Thaler (2017), Theorem 34,
    with constants.  Of all choices of degrees up to three layers the smallest product is taken.

    Parameters
    ----------
    hidden : D >= 1.
    weight : W > 0, as `LayeredRelu.weight`.
    reach : M > 0, as `LayeredRelu.reach`.
    epsilon : the error that is allowed.
    """
    _check(hidden=hidden, weight=weight, reach=reach, epsilon=epsilon)

    def composed(degrees: tuple[int, ...]) -> Composition:
        norm, scale, error = reach, reach, 0.0
        for each in degrees:
            p = _neuron(each)
            norm = weight * scale * _absolute(p.coefficients, norm / scale)
            error = weight * (error + scale * p.error)
            scale = weight * scale * (1 + p.error)
        return Composition(degrees, error * UP, norm * UP)

    return _least((composed(degrees) for degrees in _choices(hidden)), epsilon)


def maximum_composition(
    *,
    pieces: Sequence[int],
    reach: float = 1.0,
    epsilon: float | None = None,
    degree: int | None = None,
) -> Composition:
    """For sums of maxima of affine functions with |<a, x> + b| <= M on the unit ball.

    max(a, b) = (a + b) / 2 + |a - b| / 2 takes one polynomial instead of three.  Values within H
    become values within H (1 + 2 e), and max is 1-Lipschitz, so that errors add up over the
    ceil(log2 k) levels and are not multiplied: about 2 e M for each, hence the degree about
    (0.28 m M log2(k) / epsilon)^(log2 k) for m maxima of k.  Derived here; the theorem for
    networks has (k / epsilon)^(log2 k), Goel, Kanade, Klivans and Thaler (2017), Theorem 9 [45].

    Parameters
    ----------
    pieces : of each of the maxima that are added up.
    reach : M.
    epsilon, or degree : one of them
        The error that is allowed, for the least degree; or the degree, for the least error.
    """
    if not pieces or any(isinstance(k, bool) or not isinstance(k, int) or k < 1 for k in pieces):
        raise BadInput(f"pieces are {pieces!r}; wanted whole numbers of at least 1")
    if (epsilon is None) == (degree is None):
        raise BadInput("give epsilon or degree, one of them")
    _check(hidden=1, weight=1.0, reach=reach, epsilon=1.0 if epsilon is None else epsilon)
    levels = max(math.ceil(math.log2(k)) for k in pieces)
    if not levels:
        return Composition((1,), 0.0, len(pieces) * reach * UP)

    def composed(degrees: tuple[int, ...]) -> Composition:
        norm, scale, error = reach, reach, 0.0
        for each in degrees:
            p = _neuron(each)
            even = [c if i % 2 == 0 else 0.0 for i, c in enumerate(p.coefficients)]
            norm = norm + 2 * scale * _absolute(even, norm / scale)
            error += 2 * scale * p.error
            scale *= 1 + 2 * p.error
        return Composition(degrees, len(pieces) * error * UP, len(pieces) * norm * UP)

    found = (composed(degrees) for degrees in _choices(levels))
    if epsilon is not None:
        return _least(found, epsilon)
    assert degree is not None
    return _of_degree(found, degree)


def parametric_composition(*, slope: float, epsilon: float) -> Composition:
    """For x -> t where t = <w, x> >= 0 and slope t elsewhere, ||w|| <= 1.

    It is (1 - slope) relu(t) + slope t, so that only the first part needs a polynomial: the error
    is |1 - slope| that of relu, half of it for |t| being slope -1 and none for slope 1.
    """
    if not math.isfinite(slope):
        raise BadInput(f"slope is {slope!r}; wanted a finite number")
    _check(hidden=1, weight=1.0, reach=1.0, epsilon=epsilon)

    def composed(degrees: tuple[int, ...]) -> Composition:
        p, share = _neuron(degrees[0]), 1 - slope
        beta = [share * c for c in p.coefficients] + [0.0] * (2 - len(p.coefficients))
        beta[1] += slope
        return Composition(
            (max(degrees[0], 1),),
            abs(share) * p.error * UP,
            math.sqrt(sum(c * c for c in beta)) * UP,
        )

    if slope == 1:
        return Composition((1,), 0.0, UP)
    return _least((composed(degrees) for degrees in _choices(1)), epsilon)


def _least(found: Iterable[Composition], epsilon: float) -> Composition:
    """The smallest degree, and among those the smallest norm, with an error of at most epsilon."""
    good, best_error = None, math.inf
    for each in found:
        best_error = min(best_error, each.error)
        if each.error <= epsilon and (
            good is None or (each.degree, each.norm) < (good.degree, good.norm)
        ):
            good = each
    if good is None:
        raise BadInput(
            f"epsilon is {epsilon:g}, and polynomials of degree {LARGEST_DEGREE} in each layer "
            f"reach {best_error:.4g}; ask for a larger epsilon, or smaller weights"
        )
    return good


def _of_degree(found: Iterable[Composition], degree: int) -> Composition:
    """The smallest error with a degree of at most this."""
    good = [each for each in found if each.degree <= degree]
    if isinstance(degree, bool) or not good:
        raise BadInput(f"degree is {degree!r}; wanted a whole number of at least 1")
    return min(good, key=lambda each: (each.error, each.norm))


def _choices(layers: int) -> Iterable[tuple[int, ...]]:
    degrees = (1, *range(2, LARGEST_DEGREE + 1, 2))
    if layers <= MOST_LAYERS:
        return product(degrees, repeat=layers)
    return ((degree,) * layers for degree in degrees)


@lru_cache(maxsize=64)
def _neuron(degree: int) -> NeuronPolynomial:
    return nearest_relu(degree=degree)


def _absolute(coefficients: Sequence[float], at: float) -> float:
    """Sum of |beta_i| at^i."""
    value = 0.0
    for c in reversed(coefficients):
        value = value * at + abs(c)
    return value


def _check(*, hidden: int, weight: float, reach: float, epsilon: float) -> None:
    if isinstance(hidden, bool) or not isinstance(hidden, int) or hidden < 1:
        raise BadInput(f"hidden is {hidden!r}; wanted at least one layer of ReLUs")
    for name, value in (("weight", weight), ("reach", reach), ("epsilon", epsilon)):
        if isinstance(value, bool) or not 0 < value < math.inf:
            raise BadInput(f"{name} is {value!r}; wanted a finite number > 0")
