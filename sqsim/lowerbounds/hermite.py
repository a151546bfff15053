"""Proved Hermite coefficients of links, their masses and tails, and the degree t_eps.

Conventions: t ~ N(0, 1), h_k orthonormal, c_k = E[f(t) h_k(t)].  A float parameter is the binary
fraction that it holds; use `named_expansion` for parameters given as text or fractions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any, TypeVar

from flint import arb

from sqsim.errors import BadInput, NotCertified
from sqsim.links import Link
from sqsim.lowerbounds.expansions import Expansion
from sqsim.lowerbounds.named import expansion_of, named_expansion
from sqsim.lowerbounds.precision import (
    Enclosure,
    Exact,
    ball,
    bits_for,
    enclose,
    exact_fraction,
    working_bits,
    working_precision,
)

T = TypeVar("T")
MEMORY = 2**31
ATTEMPTS = 5


def hermite_coefficients(
    link: Link | Expansion, degrees: int | Iterable[int], *, digits: int = 50
) -> tuple[Enclosure, ...]:
    """Orthonormal Hermite coefficients, each proved to this many significant digits.

    Parameters
    ----------
    link : Link or Expansion
    degrees : int or iterable of int
        One number N means 0, ..., N.
    digits : int
        Of every coefficient that is not exactly zero.
    """
    wanted = _degrees(degrees)
    need = bits_for(digits)

    def attempt(f: Expansion) -> tuple[Enclosure, ...] | None:
        values = f.coefficients(max(wanted, default=0))
        if all(_accurate(values[k], need) for k in wanted):
            return tuple(enclose(values[k], digits) for k in wanted)
        return None

    return _until_proved(link, max(wanted, default=0), digits, attempt, "a coefficient")


def second_moment(link: Link | Expansion, *, digits: int = 50) -> Enclosure:
    """E[f(t)^2], proved to this many significant digits."""
    return _number(link, 0, digits, lambda f: f.second_moment(), "the second moment")


def low_degree_mass(link: Link | Expansion, degree: int, *, digits: int = 50) -> Enclosure:
    """sum of c_k^2 over k <= degree, proved to this many significant digits."""
    top = _checked(degree)
    return _number(link, top, digits, lambda f: _squares(f, top), "the mass")


def parseval_tail(link: Link | Expansion, degree: int, *, digits: int = 50) -> Enclosure:
    """sum of c_k^2 over k > degree, which is E[f^2] less the low-degree mass."""
    top = _checked(degree)

    def tail(f: Expansion) -> arb:
        if f.top is not None and f.top <= top:
            return arb(0)
        return f.second_moment() - _squares(f, top)

    return _number(link, top, digits, tail, "the tail")


def relu_tail_bound(bias: Exact, degree: int, *, digits: int = 30) -> Enclosure:
    """[0, B] with sum_{k > K} c_k^2 <= B for max(t + bias, 0), K = degree, in closed form.

    B = e^(-b^2/2) / (2 pi) sqrt(2 / pi) (K - 1/2) / (K - 1/2 - b^2/4) (2/3) (K - 1/2)^(-3/2), about
    twice the tail, for K >= 2 with K - 1/2 > b^2 / 4.  With u = e^(-x^2/4) h_j, u'' = -Q u and
    Q = j + 1/2 - x^2/4 > 0 the function Q u^2 + u'^2 falls in |x| (Sonin), so h_j(b)^2 e^(-b^2/2)
    <= ((j + 1/2) h_j(0)^2 + j h_{j-1}(0)^2) / Q(b) <= sqrt(2 / pi) j / (sqrt(j - 1/2) Q(b)); here
    c_{j+2}^2 = phi(b)^2 h_j(b)^2 / ((j + 1) (j + 2)), the terms are at most those of Q(b) / (j +
    1/2) at j = K - 1 and of (j + 1)^(-5/2), and the sum of the convex last is below its integral.
    """
    b, top = exact_fraction(bias, "bias"), _checked(degree)
    room = Fraction(2 * top - 1, 2)
    if top < 2 or room <= b * b / 4:
        raise BadInput(
            f"degree is {top}; the closed bound holds from degree 2 on, and where degree - 1/2 "
            f"exceeds bias^2 / 4, here {float(b * b / 4):.6g}; ask parseval_tail, which has no "
            "such condition"
        )
    with working_bits(bits_for(digits) + 32 + 2 * max(b.numerator.bit_length(), 0)):
        front = ball(-b * b / 2).exp() / (2 * arb.pi()) * (2 / arb.pi()).sqrt()
        bound = front * ball(Fraction(2, 3) / (room - b * b / 4)) / ball(room).sqrt()
        return enclose(arb(0).union(bound), digits)


def t_eps(link: Link | Expansion, *, alpha: Exact, digits: int = 50) -> int:
    """max{t : sum_{k<=t} c_k^2 <= eps / alpha} with 3 eps = E[f^2].

    -1 where c_0^2 alone is more.  Every comparison is proved, at `digits` digits or a few times
    as many; NotCertified where a sum cannot be told from the threshold.
    """
    ratio = exact_fraction(alpha, "alpha")
    if ratio < 1:
        raise BadInput(f"alpha is {alpha!r}; an approximation factor is at least 1")

    def attempt(f: Expansion) -> int | None:
        second = f.second_moment()
        if second.is_zero():
            raise BadInput("the link is zero almost everywhere; t_eps needs one that is not")
        return _crossing(f, second / ball(3 * ratio), need)

    need = bits_for(digits)
    return _until_proved(link, 15, digits, attempt, f"a comparison with eps / {alpha}")


def _crossing(f: Expansion, threshold: arb, need: int) -> int | None:
    """The last degree before the mass exceeds the threshold; None where that stays open."""
    start, total, degree = 0, arb(0), 15
    while True:
        with working_bits(max(working_precision(), need + f.guard_bits(degree))):
            values = f.coefficients(degree)
        for k in range(start, degree + 1):
            total += values[k] ** 2
            if total > threshold:
                return k - 1
            if not total <= threshold:
                return None
        start, degree = degree + 1, 2 * degree
        _refuse_beyond_memory(degree, need + f.guard_bits(degree))


def _squares(f: Expansion, degree: int) -> arb:
    return sum((c * c for c in f.coefficients(degree)), arb(0))


def _number(
    link: Link | Expansion, degree: int, digits: int, compute: Callable[[Expansion], arb], what: str
) -> Enclosure:
    need = bits_for(digits)

    def attempt(f: Expansion) -> Enclosure | None:
        value = compute(f)
        return enclose(value, digits) if _accurate(value, need) else None

    return _until_proved(link, degree, digits, attempt, what)


def _until_proved(
    link: Link | Expansion,
    degree: int,
    digits: int,
    attempt: Callable[[Expansion], T | None],
    what: str,
) -> T:
    """The attempt's result at the first precision that suffices."""
    f = link if isinstance(link, Expansion) else expansion_of(link)
    need = bits_for(digits)
    guard = f.guard_bits(degree)
    for _ in range(ATTEMPTS):
        _refuse_beyond_memory(degree, need + guard)
        with working_bits(need + guard):
            result = attempt(f)
        if result is not None:
            return result
        guard = 2 * guard + need
    raise NotCertified(
        f"{what} is not decided to {digits} digits with {need + guard} bits: it may be exactly "
        "zero or exactly equal; perturb the parameters or ask for other degrees"
    )


def _accurate(value: arb, bits: int) -> bool:
    return value.is_zero() or (value.is_finite() and value.rel_accuracy_bits() >= bits)


def _degrees(degrees: int | Iterable[int]) -> tuple[int, ...]:
    if isinstance(degrees, Iterable):
        return tuple(_checked(k) for k in degrees)
    return tuple(range(_checked(degrees) + 1))


def _checked(degree: int) -> int:
    if isinstance(degree, bool) or not isinstance(degree, int) or degree < 0:
        raise BadInput(f"degree is {degree!r}; Hermite coefficients have whole degrees from 0 on")
    _refuse_beyond_memory(degree, bits_for(1))
    return degree


def _refuse_beyond_memory(degree: int, bits: int) -> None:
    size = 4 * (degree + 1) * (bits // 8 + 64)
    if size > MEMORY:
        raise BadInput(
            f"degree {degree} at {bits} bits or more needs at least {size / 2**30:.3g} GiB, and "
            f"{MEMORY / 2**30:.3g} are allowed; ask for fewer degrees or digits"
        )


def hermite_report(
    link_name: str, bias: Exact, degrees: int | Iterable[int], digits: int
) -> dict[str, Any]:
    """The `sqsim.hermite/1` object of a named link or an expression in z."""
    wanted = _degrees(degrees)
    found = hermite_coefficients(named_expansion(link_name, bias=bias), wanted, digits=digits)
    rows = [
        {"degree": k, "lower": c.lower, "upper": c.upper}
        for k, c in zip(wanted, found, strict=True)
    ]
    return {"schema": "sqsim.hermite/1", "coefficients": rows}
