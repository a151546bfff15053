"""Best L1 approximation by polynomials, proved from both sides, with the dual: a hard instance.

max{E[f g] : |g| <= 1, E[g h_k] = 0 for k < d} = min{E|f - p| : deg p < d}, and the maximum is
attained by a g of values 1 and -1.  This file does not know queries.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import final

import numpy as np
from flint import arb

from sqsim.errors import BadInput
from sqsim.links import Link, Step
from sqsim.lowerbounds.dual_search import Candidate, Core, searched
from sqsim.lowerbounds.dual_values import dual_value, primal_value
from sqsim.lowerbounds.expansions import Expansion, Piecewise, Polynomial
from sqsim.lowerbounds.levels import hermite_polynomial, parts_of
from sqsim.lowerbounds.named import expansion_of
from sqsim.lowerbounds.orthogonal import Pattern, proved
from sqsim.lowerbounds.pieces import combine, constant, multiply
from sqsim.lowerbounds.precision import Enclosure, enclose, working_bits
from sqsim.lowerbounds.smooth import Multiple
from sqsim.lowrank import Array
from sqsim.smoothing import EPSILON, Smoothed

LARGEST_DEGREE = 40
DIGITS = 30


@final
@dataclass(frozen=True)
class SignPattern(Link):
    """1 and -1 in turn between breaks.

    Attributes
    ----------
    breaks : increasing.
    first : the value left of them all, 1 or -1.
    """

    breaks: tuple[float, ...]
    first: int = -1

    def __post_init__(self) -> None:
        finite = all(np.isfinite(t) for t in self.breaks)
        if not finite or any(a >= b for a, b in pairwise(self.breaks)):
            raise BadInput(f"breaks are {self.breaks}; wanted finite, increasing numbers")
        if self.first not in (1, -1):
            raise BadInput(f"the first value is {self.first!r}; wanted 1 or -1")

    @property
    def kinks(self) -> tuple[float, ...]:
        return self.breaks

    def __call__(self, t: Array) -> Array:
        passed = np.searchsorted(np.array(self.breaks), np.asarray(t), side="right")
        return np.where(passed % 2 == 0, float(self.first), -float(self.first))

    def smoothed(self, mean: Array, deviation: float) -> Smoothed:
        moments = np.zeros((3, len(mean)))
        moments[0] = self.first
        magnitudes, errors = np.abs(moments), EPSILON * np.abs(moments)
        for i, t in enumerate(self.breaks):
            part = Step(-t).smoothed(mean, deviation)
            moments = moments + self.first * (-2 if i % 2 == 0 else 2) * part.moments
            magnitudes = magnitudes + 2 * part.magnitudes
            errors = errors + 2 * part.errors + EPSILON * np.abs(moments)
        return Smoothed(moments, magnitudes, errors)


@final
@dataclass(frozen=True)
class L1Approximation:
    """How well polynomials of degree < `degree` approximate a link in L1, with both witnesses.

    Attributes
    ----------
    distance : min E|f - p|, proved.
    polynomial : coefficients of 1, t, t^2, ... of a p whose E|f - p| is at most the upper end.
    breaks : where the dual g changes sign: some choice in these intervals is exactly orthogonal
        to degrees < `degree`, and its E[f g] is at least the lower end.
    dual : that g as a link, its breaks rounded to float64: the hard instance.
    """

    degree: int
    distance: Enclosure
    polynomial: Polynomial
    breaks: tuple[Enclosure, ...]
    dual: SignPattern


def l1_approximation(link: Link | Expansion, degree: int) -> L1Approximation:
    """min E|f(Z) - p(Z)| over polynomials of degree < `degree`, Z ~ N(0, 1), with its dual.

    The dual g is hard: labels with mean g(<v, x>) are orthogonal to every polynomial of degree
    < d along any direction, and correlate with f(<v, x>) as much as the distance; so agnostic
    learning of f to a small excess needs statistical queries as hard as degree d (Diakonikolas,
    Kane, Pittas and Zarifis, COLT 2021, Theorems 4 and 7, which assume ||f||_2 = 1).

    Parameters
    ----------
    link : Link or Expansion
        Piecewise polynomial: relu, leaky relu, sign, step and their multiples, expressions.
    degree : int
        From 1 to 40: beyond, floats no longer find the outer breaks.  Costs about degree^3
        operations with 240 + 12 degree bits.

    Raises
    ------
    BadInput
        If f is itself a polynomial of smaller degree: then nothing is hard.
    NotCertified
        If no exactly orthogonal pattern near the numerical optimum could be proved.
    """
    if isinstance(degree, bool) or not isinstance(degree, int) or not 1 <= degree <= LARGEST_DEGREE:
        raise BadInput(f"degree is {degree!r}; polynomials of degree < 1 to {LARGEST_DEGREE}")
    f = exact_pieces(link)
    if f.top is not None and f.top < degree:
        raise BadInput(
            f"the link is a polynomial of degree {f.top} and is approximated exactly; "
            f"ask for degree <= {f.top}"
        )
    with working_bits(240 + 12 * degree):
        core, removed = _core(f, degree)
        candidate = searched(core)
        pattern = proved(candidate.pattern)
        low = abs(dual_value(core, pattern))
        polynomial = _polynomial(candidate)
        high = primal_value(core, polynomial)
        distance = Enclosure(enclose(low, DIGITS).lower, enclose(high, DIGITS).upper)
        first, breaks = _continued(core, pattern)
        if dual_value(core, pattern) < 0:
            first = -first
        shown = tuple(enclose(t, DIGITS) for t in breaks)
    whole = combine(Piecewise((), (polynomial,)), removed, Fraction(1)).pieces[0]
    dual = SignPattern(tuple(float(t) for t in breaks), first)
    return L1Approximation(degree, distance, whole, shown, dual)


def exact_pieces(link: Link | Expansion) -> Piecewise:
    """The link as a piecewise polynomial with rational data."""
    f = link if isinstance(link, Expansion) else expansion_of(link)
    if isinstance(f, Multiple):
        return multiply(constant(f.factor), exact_pieces(f.whole))
    if not isinstance(f, Piecewise):
        raise BadInput(
            f"{type(f).__name__} is not piecewise polynomial; L1 approximation is proved for "
            "relu, leaky relu, sign, step, their multiples and expressions in z"
        )
    return f


def _core(f: Piecewise, degree: int) -> tuple[Core, Piecewise]:
    """f less an even or odd part that is a polynomial of degree < `degree`, and that part."""
    parts = parts_of(f)
    for parity in (0, 1):
        other = parts[1 - parity]
        degrees = tuple(range(parity, degree, 2))
        if other.top is not None and other.top < degree:
            return Core(parts[parity], degrees, True, parity == 1), Piecewise((), (_only(other),))
    return Core(f, tuple(range(degree)), False), constant(Fraction(0))


def _only(f: Piecewise) -> Polynomial:
    """The one polynomial of a function without essential breaks."""
    return f.pieces[0]


def _polynomial(candidate: Candidate) -> Polynomial:
    """Rational coefficients, in powers of t."""
    total = [Fraction(0)] * (max(candidate.pattern.degrees, default=-1) + 1)
    for k, weight in zip(candidate.pattern.degrees, candidate.weights, strict=True):
        norm = hermite_polynomial(k).pieces[0]
        scaled = weight / arb(math.factorial(k)).sqrt()
        mantissa, exponent = scaled.mid().man_exp()
        value = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
        for m, c in enumerate(norm):
            total[m] += value * c
    return tuple(total)


def _continued(core: Core, pattern: Pattern) -> tuple[int, list[arb]]:
    """First value and breaks on the whole line."""
    if not core.half:
        return pattern.first, list(pattern.breaks)
    left = [-t for t in reversed(pattern.breaks)]
    last = pattern.first * (-1) ** len(pattern.breaks)
    if not core.odd:
        return last, [*left, *pattern.breaks]
    return -last, [*left, arb(0), *pattern.breaks]
