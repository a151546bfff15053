"""Uniform approximation on [-1, 1]: truncated, best, and with values in [0, 1]; all proved.

This is what makes a ReLU of <w, x> learnable on the sphere: a polynomial of degree about 1/epsilon
whose coefficients are small.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias, final

from flint import arb, fmpq_poly

from sqsim.errors import BadInput, NotCertified
from sqsim.links import Link
from sqsim.lowerbounds.chebyshev import chebyshev_truncation, one_kink
from sqsim.lowerbounds.expansions import Expansion, Piecewise
from sqsim.lowerbounds.minimax import best_approximation
from sqsim.lowerbounds.precision import (
    Enclosure,
    bits_for,
    enclose,
    enclose_between,
    rational,
    working_bits,
)
from sqsim.lowerbounds.suprema import (
    error_bits,
    extremes,
    largest_error,
    on_the_interval,
    polynomial_range,
)


@final
@dataclass(frozen=True)
class Chebyshev:
    """The truncated Chebyshev series; of a ReLU, error exactly 1 / (pi (2m + 1)) at degree 2m."""

    name = "chebyshev"


@final
@dataclass(frozen=True)
class Minimax:
    """The best polynomial, by Remez's exchange."""

    name = "minimax"


@final
@dataclass(frozen=True)
class RangeSafe:
    """s (q - 1/2) + 1/2 of the best q, s = 1 / (1 + 2 delta), whose values are in [0, 1].

    Error 2 delta / (1 + 2 delta), delta that of q (derived here; Goel, Kanade, Klivans and Thaler,
    2017, whose construction it is, state twice as much).
    """

    name = "range-safe"


Kind: TypeAlias = Chebyshev | Minimax | RangeSafe


@final
@dataclass(frozen=True)
class UniformApproximation:
    """A polynomial near a function on [-1, 1].

    Attributes
    ----------
    sup_error : holds max |f - p|; of a minimax polynomial also the best possible error.
    coefficients : of 1, t, t^2, ...
    coefficient_norm_squared : sum of their squares.
    values : [min p, max p] with its ends rounded outwards; None for a truncation.
    exact : the coefficients as rationals; None for a truncation, which has others.
    largest : max |f| on [-1, 1], from above.
    """

    kind: Kind
    degree: int
    sup_error: Enclosure
    coefficients: tuple[Enclosure, ...]
    coefficient_norm_squared: Enclosure
    largest: Fraction
    values: Enclosure | None = None
    exact: tuple[Fraction, ...] | None = None


def uniform_approximation(
    link: Link | Expansion, degree: int, *, kind: Kind | None = None, digits: int = 20
) -> UniformApproximation:
    """A polynomial of degree <= `degree` on [-1, 1], its sup error proved.

    Parameters
    ----------
    link : continuous and piecewise polynomial with rational data on [-1, 1]
        relu, leaky relu, `named_expansion("abs")`, `named_expansion("min(max(1/2+2*z,0),1)")`.
    degree : int
        Up to 256; for truncations of functions with one kink, at 0, and straight pieces 20 000.
    kind : Chebyshev(), Minimax() (where none is given) or RangeSafe()
    digits : of the error and of every coefficient, as numbers proved.

    Raises
    ------
    BadInput
        If f jumps, is itself a polynomial of such a degree (other than for truncations), or has
        values outside [0, 1] where a range-safe polynomial is asked for.
    """
    f = on_the_interval(link)
    match kind:
        case Chebyshev():
            return truncated(f, degree, digits)
        case None | Minimax():
            best = best_approximation(f, degree, digits=digits)
            return _rational(f, Minimax(), degree, best.polynomial, best.sup_error, digits)
        case RangeSafe():
            return _range_safe(f, degree, digits)
    raise BadInput(f"kind is {kind!r}; wanted Chebyshev(), Minimax() or RangeSafe()")


def truncated(f: Piecewise, degree: int, digits: int) -> UniformApproximation:
    size = degree if isinstance(degree, int) else 0
    for attempt in (1, 2, 4):
        # Rounding grows slowly in the closed form; the general form cancels like the monomials.
        guard = 64 + 2 * size.bit_length() if one_kink(f) else 64 + 4 * size
        with working_bits(attempt * (bits_for(digits) + guard)):
            found = chebyshev_truncation(f, degree)
            error = enclose(found.sup_error, digits)
            norm = enclose(sum((c * c for c in found.coefficients), arb(0)), digits)
            largest = _size(f)
            coefficients = tuple(enclose(c, digits) for c in found.coefficients)
        if min(error.digits, norm.digits) >= digits:
            return UniformApproximation(Chebyshev(), degree, error, coefficients, norm, largest)
    raise NotCertified(f"the truncation at degree {degree} is not known to {digits} digits")


def _rational(
    f: Piecewise, kind: Kind, degree: int, p: fmpq_poly, error: Enclosure, digits: int
) -> UniformApproximation:
    exact = [Fraction(int(c.p), int(c.q)) for c in p.coeffs()]
    exact += [Fraction(0)] * (degree + 1 - len(exact))
    norm = sum((c * c for c in exact), Fraction(0))
    with working_bits(200):
        largest = _size(f)
    return UniformApproximation(
        kind,
        degree,
        error,
        tuple(enclose_between(c, c, digits) for c in exact),
        enclose_between(norm, norm, digits),
        largest,
        polynomial_range(exact, digits=digits),
        tuple(exact),
    )


def _range_safe(f: Piecewise, degree: int, digits: int) -> UniformApproximation:
    check_range(f)
    # With more digits neither the rounding of delta nor the room for strictness shows in the error.
    best = best_approximation(f, degree, digits=digits + 16)
    delta = best.sup_error.bounds[1] * (1 + Fraction(1, 10 ** (digits + 12)))
    shrunk = 1 / (1 + 2 * delta)
    p = best.polynomial * rational(shrunk) + fmpq_poly([rational((1 - shrunk) / 2)])
    with working_bits(error_bits(p, digits)):
        error = enclose(largest_error(f, p), digits)
    found = _rational(f, RangeSafe(), degree, p, error, digits)
    assert found.values is not None
    # |q - 1/2| <= 1/2 + delta, so that p is in [0, 1] whatever its ends were rounded to.
    low, high = found.values.bounds
    values = Enclosure(
        "0" if low < 0 else found.values.lower, "1" if high > 1 else found.values.upper
    )
    return replace(found, values=values)


def _size(f: Piecewise) -> Fraction:
    return enclose(largest_error(f, fmpq_poly([0])), 12).bounds[1]


def check_range(f: Piecewise) -> None:
    with working_bits(200):
        low, high = extremes(f, fmpq_poly([0]))
        if not (low >= 0 and high <= 1):
            raise BadInput(
                f"the function has values from {float(low):.6g} to {float(high):.6g} on [-1, 1]; "
                "a range-safe polynomial is for values in [0, 1]: rescale the function"
            )
