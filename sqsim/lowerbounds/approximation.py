"""From which degree on polynomials approximate a link, in L1 or in L2: whole numbers, proved."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import final

from flint import arb

from sqsim.errors import BadInput, NotCertified
from sqsim.links import Link
from sqsim.lowerbounds.duality import LARGEST_DEGREE, exact_pieces, l1_approximation
from sqsim.lowerbounds.expansions import Expansion
from sqsim.lowerbounds.named import expansion_of
from sqsim.lowerbounds.precision import Exact, ball, exact_fraction, working_bits

LARGEST_L2_DEGREE = 2**17


@final
@dataclass(frozen=True)
class L1:
    """E|f(Z) - p(Z)|, which governs statistical queries."""


@final
@dataclass(frozen=True)
class L2:
    """E[(f(Z) - p(Z))^2]^(1/2), which governs correlational queries."""


def approximation_degree(
    link: Link | Expansion, epsilon: Exact, *, norm: L1 | L2, digits: int = 40
) -> int:
    """The least D such that a polynomial of degree <= D is within epsilon of the link.

    Agnostic learning of a link with ||f||_2 = 1 to excess about epsilon needs statistical queries
    of tolerance d^(-Omega(D)) or 2^(d^Omega(1)) of them, with D in L1 at 2 epsilon; correlational
    ones with D in L2 at epsilon (Diakonikolas, Kane, Pittas and Zarifis, COLT 2021).  The link is
    taken as it is: divide it by its norm, or multiply epsilon.

    Parameters
    ----------
    link : Link or Expansion
        Any square-integrable one for L2, a piecewise polynomial for L1.
    epsilon : exact number
        Positive.
    norm : L1() or L2()
    digits : of the comparisons in L2.

    Raises
    ------
    NotCertified
        If the degree is more than 39 in L1 or 131 072 in L2, or a distance cannot be told from
        epsilon.

    Notes
    -----
    L2 costs one pass over the coefficients; L1 about log2(D) best approximations.
    """
    limit = exact_fraction(epsilon, "epsilon")
    if limit <= 0:
        raise BadInput(f"epsilon is {epsilon!r}; a distance to be reached is positive")
    match norm:
        case L1():
            return _first_in_l1(exact_pieces(link), limit)
        case L2():
            f = link if isinstance(link, Expansion) else expansion_of(link)
            return _first_in_l2(f, limit, digits)
    raise BadInput(f"norm is {norm!r}; wanted L1() or L2()")


def _first_in_l1(f: Expansion, limit: Fraction) -> int:
    """By doubling and bisection: the distance does not grow with the degree."""
    top = LARGEST_DEGREE - 1 if f.top is None else min(f.top, LARGEST_DEGREE - 1)
    below, above = -1, 0
    while not _within(f, above, limit):
        if above == top:
            raise NotCertified(
                f"polynomials of degree {top} are not within epsilon in L1, and higher degrees "
                "are not tried; choose a larger epsilon"
            )
        below, above = above, min(2 * above + 1, top)
    while above - below > 1:
        middle = (above + below) // 2
        if _within(f, middle, limit):
            above = middle
        else:
            below = middle
    return above


def _within(f: Expansion, degree: int, limit: Fraction) -> bool:
    if f.top is not None and f.top <= degree:
        return True
    low, high = l1_approximation(f, degree + 1).distance.bounds
    if low <= limit < high:
        raise NotCertified(f"the L1 distance of degree {degree} cannot be told from epsilon")
    return high <= limit


def _first_in_l2(f: Expansion, limit: Fraction, digits: int) -> int:
    """The first partial sum of c_k^2 that leaves at most epsilon^2 of E[f^2]."""
    degree, start = 7, 0
    rest: arb | None = None
    while start <= LARGEST_L2_DEGREE:
        with working_bits(4 * digits + f.guard_bits(degree)):
            rest = f.second_moment() if rest is None else rest
            for k, c in enumerate(f.coefficients(degree)[start:], start=start):
                rest = rest - c * c
                left = arb(0) if f.top is not None and k >= f.top else rest
                if left <= ball(limit * limit):
                    return k
                if not left > ball(limit * limit):
                    raise NotCertified(
                        f"the tail above degree {k} cannot be told from epsilon^2 at {digits} "
                        "digits; ask for more"
                    )
        start, degree = degree + 1, 2 * degree + 1
    raise NotCertified(
        f"polynomials of degree {LARGEST_L2_DEGREE} are not within epsilon in L2, and higher "
        "degrees are not tried; choose a larger epsilon"
    )
