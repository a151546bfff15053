"""The spectrum of a ridge family over the whole sphere: Funk-Hecke eigenvalues, proved.

For v uniform on the unit sphere of R^d and f_v(x) = f(<v, x>), x ~ N(0, I_d), the kernel
E[f_u f_v] = k(<u, v>), k(t) = sum_m c_m^2 t^m, acts on spherical harmonics of degree l as
lambda_l = E_t[k(t) P_l(t)], where t is one coordinate of v and P_l the Gegenbauer polynomial with
P_l(1) = 1.  This file does not know queries or tolerances.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import final

from flint import arb

from sqsim.errors import BadInput
from sqsim.links import Link
from sqsim.lowerbounds.expansions import Expansion
from sqsim.lowerbounds.named import expansion_of
from sqsim.lowerbounds.precision import (
    Enclosure,
    ball,
    bits_for,
    enclose,
    enclose_ends,
    working_bits,
)

MOST_TERMS = 1000


def sphere_moment(power: int, harmonic: int, dimension: int) -> Fraction:
    """E[t^m P_l(t)] for a coordinate t of a uniform unit vector, exactly.

    It is m! / (2^m ((m - l) / 2)! (d/2)(d/2 + 1)...(d/2 + (m + l)/2 - 1)) for m >= l of the same
    parity and 0 otherwise.  For fixed m it falls with l in steps of 2, by the factor
    (m - l) / (d + m + l); for l <= 2 and d >= 2 it does not grow with m in steps of 2.
    """
    check_dimension(dimension)
    if power < 0 or harmonic < 0:
        raise BadInput(f"power {power} and harmonic {harmonic}: whole numbers from 0 on wanted")
    if power < harmonic or (power - harmonic) % 2:
        return Fraction(0)
    rising = math.prod(range(dimension, dimension + power + harmonic, 2))
    half = (power - harmonic) // 2
    return Fraction(math.factorial(power), 2**half * math.factorial(half) * rising)


def check_dimension(dimension: int) -> None:
    """The sphere of directions needs at least two dimensions."""
    if isinstance(dimension, bool) or not isinstance(dimension, int) or dimension < 2:
        raise BadInput(
            f"dimension is {dimension!r}; a sphere of directions needs a whole number from 2 on"
        )


@final
@dataclass(frozen=True)
class RidgeSpectrum:
    """What a ridge family without its degrees <= cutoff looks like to a correlational query.

    Attributes
    ----------
    whole : E[f^2] with nothing removed.
    second_moment : E[f^2] of what is left, the same for every direction.
    removed : sum of c_m^2 over m <= cutoff of the whole link.
    eigenvalues : lambda_0, lambda_1, lambda_2; every other lambda_l is at most the one of
        lambda_1, lambda_2 with its parity.
    terms : degrees up to here were summed, the rest is inside the enclosures.
    """

    whole: Enclosure
    second_moment: Enclosure
    removed: Enclosure
    eigenvalues: tuple[Enclosure, Enclosure, Enclosure]
    terms: int


def ridge_spectrum(
    link: Link | Expansion,
    *,
    dimension: int,
    cutoff: int = -1,
    digits: int = 30,
    terms: int | None = None,
) -> RidgeSpectrum:
    """The first Funk-Hecke eigenvalues of {f(<v, .>)} with the degrees <= cutoff removed.

    Parameters
    ----------
    link : Link or Expansion
    dimension : int
        At least 2.
    cutoff : int
        -1 removes nothing.
    digits : int
        Enough degrees are summed for this many digits, up to 1000 degrees: in a few dimensions
        the series converges slowly and the enclosures are wider.
    terms : int, optional
        Sum up to this degree instead.

    Notes
    -----
    The degrees m > N that are not summed contribute between 0 and E[t^n P_l] sum_{m>N} c_m^2,
    where n is the first of them with the parity of l.
    """
    check_dimension(dimension)
    if cutoff < -1:
        raise BadInput(f"cutoff is {cutoff}; Hermite degrees start at 0 (-1: nothing is removed)")
    if terms is not None and terms < 0:
        raise BadInput(f"terms is {terms}; degrees from 0 on can be summed")
    f = link if isinstance(link, Expansion) else expansion_of(link)
    top = enough_terms(dimension, cutoff, digits) if terms is None else max(terms, cutoff)
    guard = f.guard_bits(top) + 64
    with working_bits(2 * bits_for(digits) + guard):
        squares = [c * c for c in f.coefficients(top)]
        low = sum(squares[: cutoff + 1], arb(0))
        full = f.second_moment()
        second = full - low
        rest = second - sum(squares[cutoff + 1 :], arb(0))
        if f.top is not None and f.top <= top:
            rest = arb(0)
        values = [_eigenvalue(squares, rest, cutoff, order, dimension) for order in (0, 1, 2)]
        return RidgeSpectrum(
            enclose(full, digits),
            enclose(second, digits),
            enclose(low, digits),
            (
                enclose_ends(*values[0], digits),
                enclose_ends(*values[1], digits),
                enclose_ends(*values[2], digits),
            ),
            top,
        )


def enough_terms(dimension: int, cutoff: int, digits: int) -> int:
    """A degree after which a unit of mass weighs 10^-digits of the first degree that is left."""
    top, goal = cutoff + 2, digits * math.log(10) + 12
    fall = 0.0
    while fall < goal and top < MOST_TERMS:
        top += 2
        fall += math.log((dimension + top) / (top + 1))
    return top


def _eigenvalue(
    squares: list[arb], rest: arb, cutoff: int, order: int, dimension: int
) -> tuple[arb, arb]:
    """Bounds of lambda_order: the summed degrees, and these with the most the others can add."""
    total = arb(0)
    start = cutoff + 1 + (cutoff + 1 - order) % 2
    for m in range(start, len(squares), 2):
        total += squares[m] * ball(sphere_moment(m, order, dimension))
    following = max(len(squares) + (len(squares) - order) % 2, order)
    weight = ball(sphere_moment(following, order, dimension))
    return total, total + weight * rest
