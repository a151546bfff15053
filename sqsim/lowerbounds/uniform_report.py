"""What is said about one uniform approximation: error, norm, and the bounds beside them."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from flint import arb, fmpz_poly

from sqsim.errors import BadInput
from sqsim.lowerbounds.chebyshev import one_kink
from sqsim.lowerbounds.named import named_expansion
from sqsim.lowerbounds.precision import Enclosure, Exact, enclose, enclose_between, working_bits
from sqsim.lowerbounds.suprema import on_the_interval
from sqsim.lowerbounds.uniform import (
    Chebyshev,
    Kind,
    Minimax,
    RangeSafe,
    UniformApproximation,
    uniform_approximation,
)
from sqsim.lowerbounds.uniform_degrees import uniform_degree

BERNSTEIN = 0.2801694990238691
"""The limit of n times the best error of |t| at degree n: a figure, in no proof here.

Bernstein (1914); to 95 digits by Varga and Carpenter, Constructive Approximation 1 (1985).
"""

LONGEST_LIST = 256


def markov_norm_bound(degree: int) -> int:
    """sum of beta_i^2 <= this for p of degree <= d with |p| <= 1 on [-1, 1].

    V. Markov (1892): |beta_i| is at most that coefficient of T_d or T_(d-1), whichever has it.  As
    the absolute coefficients of T_d sum to |T_d(i)|, about (1 + sqrt 2)^d / 2, both together are
    at most (1 + sqrt 2)^d and this number at most (1 + sqrt 2)^(2d) (derived here).
    """
    if isinstance(degree, bool) or not isinstance(degree, int) or degree < 0:
        raise BadInput(f"degree is {degree!r}; wanted a whole number from 0 on")
    used = (degree, degree - 1) if degree else (0,)
    return sum(int(c) ** 2 for k in used for c in fmpz_poly.chebyshev_t(k).coeffs())


def silver_norm_bound(degree: int, *, digits: int = 20) -> Enclosure:
    """(1 + sqrt 2)^(2d), above `markov_norm_bound`."""
    with working_bits(4 * digits + 64 + 4 * degree):
        return enclose((1 + arb(2).sqrt()) ** (2 * degree), digits)


def printed_norm_bound(degree: int, *, digits: int = 20) -> Enclosure:
    """(d + 1) (4e)^(2d), as Goel, Kanade, Klivans and Thaler (2017) have it from Sherstov."""
    with working_bits(4 * digits + 64 + 8 * degree):
        return enclose((degree + 1) * (4 * arb(1).exp()) ** (2 * degree), digits)


def approximation_report(
    function: str,
    *,
    degree: int | None = None,
    epsilon: Exact | None = None,
    kind: Kind | None = None,
    digits: int = 20,
) -> dict[str, Any]:
    """The `sqsim.approximate/1` object of a named function or an expression in z, on [-1, 1].

    Parameters
    ----------
    degree or epsilon : one of them
        With epsilon, the least degree whose error is at most that.
    """
    if (degree is None) == (epsilon is None):
        raise BadInput("give --epsilon E or --degree D: one of them, not both")
    link, kind = named_expansion(function), kind or Minimax()
    if degree is None:
        assert epsilon is not None
        degree = uniform_degree(link, epsilon, kind=kind)
    found = uniform_approximation(link, degree, kind=kind, digits=digits)
    low, high = found.coefficient_norm_squared.bounds
    sup = _largest_value(found)
    bound = sup * sup * markov_norm_bound(degree)
    markov = enclose_between(bound, bound, digits)
    return {
        "schema": "sqsim.approximate/1",
        "function": function,
        "kind": kind.name,
        "epsilon": None if epsilon is None else str(epsilon),
        "degree": degree,
        "sup_error": _ends(found.sup_error),
        "coefficient_norm_squared": _number((low + high) / 2),
        "coefficient_norm_squared_bounds": _ends(found.coefficient_norm_squared),
        "norm_bounds": {
            "markov": markov.upper,
            "silver": silver_norm_bound(degree, digits=digits).upper,
            "printed": printed_norm_bound(degree, digits=digits).upper,
        },
        "degree_times_error": degree * float(found.sup_error),
        "limit_of_degree_times_error": _limit(function, kind),
        "values": None if found.values is None else _ends(found.values),
        "coefficients": [_ends(c) for c in found.coefficients] if degree <= LONGEST_LIST else None,
    }


def _largest_value(found: UniformApproximation) -> Fraction:
    """A bound on |p|: of a truncation, by the sizes of the function and of its error."""
    if found.values is not None:
        return max(abs(end) for end in found.values.bounds)
    return found.largest + found.sup_error.bounds[1]


def _limit(function: str, kind: Kind) -> float | None:
    """Of functions with one kink, at 0; Bernstein's constant times half of its jump in slope."""
    kink = one_kink(on_the_interval(named_expansion(function)))
    if kink is None:
        return None
    jump = abs(float(kink.jump))
    match kind:
        case Chebyshev():
            return 2 * jump / math.pi
        case RangeSafe():
            return 2 * jump * BERNSTEIN
    return jump * BERNSTEIN


def _ends(found: Enclosure) -> dict[str, str]:
    return {"lower": found.lower, "upper": found.upper}


def _number(value: Fraction) -> float | None:
    """None beyond the range of floats."""
    try:
        return float(value)
    except OverflowError:
        return None
