"""The exactly orthogonal one-hidden-layer networks, their norms and their values.

f_S(x) = sum over w in {-1, 1}^k of (prod w_i) act(<w, x_S> / sqrt(k)), |S| = k, 2^k units.
This file does not know what an orthogonal family proves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import ArrayLike, NDArray

from sqsim.errors import BadInput, NotCertified
from sqsim.links import Link, relu
from sqsim.lowerbounds.expansions import Expansion, Piecewise, trimmed
from sqsim.lowerbounds.integrals import LARGEST_INTEGRAL_DEGREE, Integrated
from sqsim.lowerbounds.named import expansion_of
from sqsim.lowerbounds.precision import Enclosure, ball, bits_for, enclose, working_bits
from sqsim.lowerbounds.smooth import ErrorFunction

RELU: Link = relu(0.0)
LARGEST_WIDTH = 2**16
LARGEST_ORDER = 400
LARGEST_DEGREE = 4096


def orthogonal_network_norm(
    k: int, activation: Link | Expansion = RELU, *, digits: int = 30
) -> Enclosure:
    """||f_S||^2 = E[f_S(x)^2] for x ~ N(0, I), the same for every S of size k.

    With K(r) = E[act(z) act(z')] at correlation r and act = sum a_m h_m,

        ||f_S||^2 = 2^k sum_j (-1)^j C(k, j) K(1 - 2 j / k) = 4^k sum_m a_m^2 q_m,
        q_m = 2^-k sum_j (-1)^j C(k, j) (1 - 2 j / k)^m,   zero unless m >= k and m = k mod 2.

    For two sets S != T of one size, flipping the sign of x_i with i in S but not in T negates f_S
    and keeps f_T, so E[f_S f_T] = 0 exactly, for every law of x that such flips keep.  Hence
    C(d, k) orthogonal functions in dimension d (Goel, Gollakota, Jin, Karmalkar and Klivans 2020).

    Exactly zero where the activation is seen to have no coefficients of the parity of k.  For the
    ReLU, leaky or not, and |z|, without bias, K is elementary and the finite sum gives any digits;
    the ReLU needs an even k.  Other activations: the series to degree M and its tail, which lies in
    [0, 4^k (E[act^2] - sum_(m <= M) a_m^2) 2^-k sum_j C(k, j) |1 - 2 j / k|^(M+1)].

    Raises NotCertified where the tail falls too slowly for the digits (kinks elsewhere, jumps),
    with what was reached.
    """
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= LARGEST_ORDER:
        raise BadInput(f"k is {k!r}; give a size of the subsets from 1 to {LARGEST_ORDER}")
    f = activation if isinstance(activation, Expansion) else expansion_of(activation)
    if _vanishes(f, k):
        return Enclosure("0", "0")
    slopes = _hinge(f)
    if slopes is not None:
        return _proved(partial(_closed_form, k, *slopes), digits, 4 * k + 32)[0]
    last = LARGEST_INTEGRAL_DEGREE if isinstance(f, Integrated) else LARGEST_DEGREE
    if f.top is not None:
        last = min(last, max(f.top, 1))
    degree = min(max(2 * k, 16), last)
    while True:
        guard = 4 * k + 32 + f.guard_bits(degree)
        reached, enough = _proved(partial(_series, f, k, degree), digits, guard)
        if enough:
            return reached
        if degree == last:
            break
        degree = min(2 * degree, last)
    low, high = (float(Fraction(end)) for end in (reached.lower, reached.upper))
    raise NotCertified(
        f"the norm for k = {k} is in [{low:.12g}, {high:.12g}] by {degree} degrees, and may be "
        "exactly zero if the activation has no part of the parity of k; ask for fewer digits"
    )


def network_values(
    x: ArrayLike, subset: Sequence[int], activation: Callable[[Any], Any] = RELU
) -> NDArray[np.float64]:
    """f_S at the rows of x, summed over its 2^k units in blocks."""
    points, chosen = np.asarray(x, dtype=np.float64), list(subset)
    if points.ndim != 2 or not np.all(np.isfinite(points)):
        raise BadInput(f"x has shape {points.shape}; give finite rows, one a point")
    if len(set(chosen)) != len(chosen) or not all(0 <= i < points.shape[1] for i in chosen):
        raise BadInput(f"{chosen} is no subset of the {points.shape[1]} coordinates")
    if not chosen or 1 << len(chosen) > LARGEST_WIDTH:
        raise BadInput(f"{len(chosen)} coordinates make 2^{len(chosen)} units; evaluate 1 to "
                       f"{LARGEST_WIDTH.bit_length() - 1} coordinates")  # fmt: skip
    k, total = len(chosen), np.zeros(len(points))
    part = points[:, chosen] / math.sqrt(k)
    for index in range(1 << k):
        signs = np.array([-1.0 if index >> i & 1 else 1.0 for i in range(k)])
        total += signs.prod() * np.asarray(activation(part @ signs), dtype=np.float64)
    return total


def _vanishes(f: Expansion, k: int) -> bool:
    """Whether f is seen to have no coefficient a_m with m >= k and m = k mod 2."""
    if f.top is not None and f.top < k:
        return True
    if k % 2 and k > 1 and _hinge(f) is not None:
        return True
    match f:
        case Integrated(odd=True) | ErrorFunction(shift=Fraction(numerator=0)):
            return k % 2 == 0
        case Piecewise(breaks, pieces):
            mirrored = [tuple((-1) ** i * c for i, c in enumerate(p)) for p in reversed(pieces)]
            sign = 1 if k % 2 else -1
            same = all(
                trimmed(p) == trimmed(tuple(sign * c for c in q))
                for p, q in zip(pieces, mirrored, strict=True)
            )
            return same and breaks == tuple(-t for t in reversed(breaks))
    return False


def _hinge(f: Expansion) -> tuple[Fraction, Fraction] | None:
    """Both slopes of a continuous function that is straight on either side of 0."""
    match f:
        case Piecewise((Fraction(numerator=0),), (left, right)) if max(len(left), len(right)) <= 2:
            (a, b), (c, d) = ((*p, Fraction(0), Fraction(0))[:2] for p in (left, right))
            return (b, d) if a == c else None
    return None


def _closed_form(k: int, left: Fraction, right: Fraction) -> arb:
    """The finite sum, with K(r) = (sqrt(1 - r^2) + r (pi - acos r)) / (2 pi) for the ReLU.

    A function of two slopes is (right - left) relu and a line, of which only k = 1 takes notice.
    """
    if k == 1:
        return ball((left + right) ** 2)
    total = arb(0)
    for j in range(k + 1):
        r = Fraction(k - 2 * j, k)
        value = ball(1 - r * r).sqrt() + ball(r) * (arb.pi() - ball(r).acos())
        total += (-1) ** j * math.comb(k, j) * value
    return arb(2**k) * ball((right - left) ** 2) * total / (2 * arb.pi())


def _series(f: Expansion, k: int, degree: int) -> arb:
    """4^k sum over m <= degree of a_m^2 q_m, and the tail as a ball."""
    values = f.coefficients(degree)
    total, seen = arb(0), arb(0)
    for m, a in enumerate(values):
        seen += a * a
        if m >= k and (m - k) % 2 == 0:
            total += a * a * ball(_mean_power(k, m, signed=True))
    tail = (f.second_moment() - seen).nonnegative_part()
    if f.top is None or f.top > degree:
        total += (tail * ball(_mean_power(k, degree + 1, signed=False))).union(arb(0))
    return arb(4**k) * total


def _mean_power(k: int, m: int, *, signed: bool) -> Fraction:
    """E[(prod w) s^m] or E[|s|^m] for s = mean of w uniform on {-1, 1}^k."""
    total = sum(
        math.comb(k, j) * ((-1) ** j * (k - 2 * j) ** m if signed else abs(k - 2 * j) ** m)
        for j in range(k + 1)
    )
    return Fraction(total, 2**k * k**m)


def _proved(value: Callable[[], arb], digits: int, guard: int) -> tuple[Enclosure, bool]:
    """The value, and whether it has the digits; more bits are tried where rounding is to blame."""
    need = bits_for(digits)
    for bits in (need + guard, 2 * need + 3 * guard):
        with working_bits(bits):
            found = value()
            if found.is_zero() or (found.is_finite() and found.rel_accuracy_bits() >= need):
                return enclose(found, digits), True
            reached = enclose(found, digits)
    return reached, False
