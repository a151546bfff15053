"""Parities of Gaussian signs: how a ReLU sees them, and what the lift from the cube keeps.

Conventions: x ~ N(0, I_d); chi_S(x) = prod_(i in S) sign(x_i); relu(t) = max(t, 0);
c_k = E[relu((z_1 + ... + z_k) / sqrt(k)) chi(z)].  This file does not know learners or tolerances.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from flint import acb, arb, arb_poly

from sqsim.errors import BadInput, NotCertified
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

LARGEST_PARITY = 4000
LARGEST_SERIES = 20_000


def relu_parity_correlation(k: int, *, digits: int = 30) -> Enclosure:
    """c_k = E[relu(sum z_i / sqrt(k)) prod sign z_i], k even, proved to this many digits.

    With g(u) = E[sin(u |z|)] = (2 / sqrt(pi)) D(u / sqrt(2)), D Dawson's integral,

        c_k = (-1)^(k/2 + 1) k^(-1/2) / pi  times the integral of g(u)^k / u^2 over u > 0,

    from |t| = (2 / pi) int (1 - cos(u t)) / u^2 du and E[e^(iuz) sign z] = i g(u); the odd part
    t / 2 of the ReLU has no product with a parity of two or more signs.  As g > 0, c_k > 0 for
    k = 2, 6, 10, ... and c_k < 0 for k = 4, 8, 12, ...  Up to U the integral is ball quadrature;
    beyond, g is an asymptotic sum with a proved remainder (see `_tail`), integrated term by term.

    Goel, Karmalkar and Klivans (2019) use c_k for their reduction from sparse parities.
    """
    _even_order(k)

    def value() -> arb:
        cut = _cut(working_precision())
        front = acb(2 / arb.pi()).sqrt()

        def integrand(u: acb, analytic: bool) -> acb:
            ratio = front * (-u * u / 2).hypgeom_1f1(acb(1), acb(3) / 2)
            return ratio**k * u ** (k - 2)

        # c_k shrinks like 0.61^k, so the absolute tolerance has to as well.
        goal = arb(2) ** (-working_precision())
        body = acb.integral(integrand, 0, cut, abs_tol=goal).real
        return _sign(k) * (body + _tail(k, cut)) / (arb.pi() * arb(k).sqrt())

    return proved_number(value, digits, 32 + k, f"c_{k}")


def relu_parity_series(k: int, terms: int) -> Enclosure:
    """c_k again, from the Hermite series of the ReLU and of the signs: slower, and independent.

    c_k = sum_(m >= 0) T_(k+2m), all of one sign, with P(z) = sum_j z^j / (j! 2^j (2j + 1)) and

        |T_(k+2m)| = (2 pi)^(-1/2) (2 / pi)^(k/2) k^(-k/2 - m) (k + 2m - 3)!! [z^m] P(z)^k.

    (The published formula has a factor more; 1 / (n_1! ... n_k!) enters to the power 1.)  As
    P(z) = E[e^(z s^2 / 2)] for s uniform on [0, 1], and D(t) <= 1 / t,

        [z^m] P^k = (k/2)^m E[(|s|^2 / k)^m] / m! <= (k/2)^m (k / m)^k / m!,

    so what follows M terms is at most A k^(k/2) (2 + k/M)^(k/2 - 1) / sqrt(pi) times
    M^(-(k+3)/2) + 2 M^(-(k+1)/2) / (k + 1), A = (2 pi)^(-1/2) (2 / pi)^(k/2): a polynomial rate.

    Parameters
    ----------
    terms : M, at least k.  Cost: a power series of that length to the power k.
    """
    _even_order(k)
    if isinstance(terms, bool) or not isinstance(terms, int) or not k <= terms <= LARGEST_SERIES:
        raise BadInput(f"terms is {terms!r}; the tail is bounded from k = {k} terms on, and "
                       f"{LARGEST_SERIES} are allowed")  # fmt: skip
    with working_bits(160 + 4 * k):
        moments, coefficient = [], arb(1)
        for j in range(terms):
            moments.append(coefficient / (2 * j + 1))
            coefficient /= 2 * (j + 1)
        power = _power(moments, k, terms)
        front = (2 / arb.pi()) ** (k // 2) / (2 * arb.pi()).sqrt()
        scale = front * _double_factorial(k - 3) / arb(k) ** (k // 2)
        total = arb(0)
        for m in range(terms):
            total += scale * power[m]
            scale = scale * (k + 2 * m - 1) / k
        count = arb(terms)
        rate = count ** (-arb(k + 3) / 2) + 2 * count ** (-arb(k + 1) / 2) / (k + 1)
        tail = front * arb(k) ** (k // 2) * (2 + arb(k) / count) ** (k // 2 - 1)
        tail *= rate / arb.pi().sqrt()
        return enclose(_sign(k) * total.union(total + tail), 30)


def relu_parity_leading_term(k: int, *, digits: int = 30) -> Enclosure:
    """T_k = (-1)^(k/2+1) k! / (sqrt(2 pi) k^(k/2) (k - 1) (k/2)! pi^(k/2)).

    The part of c_k from degree k alone; of the same sign and smaller in absolute value, by a
    factor that grows exponentially in k.
    """
    _even_order(k)
    half = k // 2
    ratio = Fraction(math.factorial(k), k**half * (k - 1) * math.factorial(half))

    def value() -> arb:
        return _sign(k) * ball(ratio) / ((2 * arb.pi()).sqrt() * arb.pi() ** half)

    return proved_number(value, digits, 32 + k.bit_length(), f"T_{k}")


def relu_parity_gap(k: int, *, noise: Exact = 0, digits: int = 30) -> Enclosure:
    """By how much a ReLU can beat, on a noisy k-sparse parity, every ReLU blind to the parity.

    Labels y' = (1 + y) / 2 with y = chi_S(x) flipped with probability `noise`, |S| = k, and
    k = 2, 6, 10, ...  A unit-norm ray s u_S, u_S = k^(-1/2) 1_S, has
    min_s E[(relu(s <u_S, x>) - y')^2] = 1/2 - q^2 / 2 with q = (2 pi)^(-1/2) + (1 - 2 noise) c_k,
    while E[relu(<w, x>) chi_S(x)] = 0 gives at least 1/2 - 1 / (4 pi).  The gap is

        (1 - 2 noise) c_k / sqrt(2 pi) + (1 - 2 noise)^2 c_k^2 / 2,

    a lower bound of what the best ReLU gains; it shrinks with the noise.
    """
    _even_order(k)
    if k % 4 == 0:
        raise BadInput(f"k is {k}: c_k < 0 there, and the ray gains only for k = 2, 6, 10, ...")
    flips = exact_fraction(noise, "noise")
    if not 0 <= flips < Fraction(1, 2):
        raise BadInput(f"noise is {noise!r}; labels are flipped with a probability in [0, 1/2)")
    correlation = relu_parity_correlation(k, digits=digits + 3)

    def value() -> arb:
        signal = ball(1 - 2 * flips) * correlation.ball()
        return signal / (2 * arb.pi()).sqrt() + signal * signal / 2

    return proved_number(value, digits, 32, "the gap")


def _cut(bits: int) -> int:
    """Where quadrature stops: e^(-U^2/4) is then below 2^-bits."""
    return math.ceil(2 * math.sqrt(bits * math.log(2))) + 2


def _tail(k: int, cut: int) -> arb:
    """The integral of g(u)^k / u^2 over u > cut.

    With Z = u^2 / 2 and (1 - v)^(-1/2) = sum_j b_j v^j, b_j = (2j choose j) / 4^j,

        g(u) = sqrt(2 / pi) / u  times  Z int_0^1 e^(-Z v) (1 - v)^(-1/2) dv
             = sqrt(2 / pi) / u  times  (sum_(j < J) b_j j! / Z^j + R),
        |R| <= J (J + 1) / 2 e^(-Z) + sqrt(2) J! / Z^J + sqrt(2) Z e^(-Z/2)   for J <= Z.

    The first part is Gamma(j + 1, Z) cut off at v = 1, the rest is the series' remainder, at most
    v^J (1 - v)^(-1/2), split at v = 1/2.  All three decrease in Z >= 2, so R at the cut serves.
    """
    z = arb(cut * cut) / 2
    count = max(1, cut * cut // 8)
    reach = arb(count * (count + 1)) / 2 * (-z).exp() + arb(2).sqrt() * z * (-z / 2).exp()
    reach += arb(2).sqrt() * arb(math.factorial(count)) / z**count
    # In the variable 1 / Z at the cut, so that the coefficients are those of one small number.
    series, coefficient = [], arb(1)
    for j in range(count):
        series.append(coefficient)
        coefficient = coefficient * (2 * j + 1) / (2 * z)
    series[0] += arb(0, reach.abs_upper())
    length = count * 2
    power = _power(series, k, length)
    front = (2 / arb.pi()) ** (k // 2) / arb(cut) ** (k + 1)
    total = sum((power[i] / (k + 1 + 2 * i) for i in range(length)), arb(0))
    return front * (total + arb(0, _beyond(series, k, length)))


def _beyond(series: list[arb], k: int, length: int) -> arb:
    """Bound of the terms of series^k from `length` on: each is positive, and all add to sum^k."""
    absolute = [s.abs_upper() for s in series]
    whole = sum(absolute, arb(0)) ** k
    power = _power(absolute, k, length)
    rest = whole - sum((power[i] for i in range(length)), arb(0))
    return rest.abs_upper()


def _power(series: list[arb], exponent: int, length: int) -> list[arb]:
    """The first coefficients of series^exponent, by repeated squaring."""
    result, square = [arb(1)], series[:length]
    while exponent:
        if exponent & 1:
            result = truncated_product(result, square, length)
        exponent >>= 1
        if exponent:
            square = truncated_product(square, square, length)
    return result + [arb(0)] * (length - len(result))


def truncated_product(a: list[arb], b: list[arb], length: int) -> list[arb]:
    return list((arb_poly(a) * arb_poly(b)).coeffs()[:length])


def proved_number(value: Callable[[], arb], digits: int, guard: int, what: str) -> Enclosure:
    """The value at the first precision that gives the digits."""
    need = bits_for(digits)
    for _ in range(5):
        with working_bits(need + guard):
            found = value()
            if found.is_zero() or (found.is_finite() and found.rel_accuracy_bits() >= need):
                return enclose(found, digits)
        guard = 2 * guard + need
    raise NotCertified(f"{what} is not proved to {digits} digits with {need + guard} bits; "
                       "ask for fewer digits")  # fmt: skip


def _even_order(k: int) -> None:
    if isinstance(k, bool) or not isinstance(k, int) or k < 2 or k % 2 or k > LARGEST_PARITY:
        raise BadInput(
            f"k is {k!r}: for odd k > 1 the correlation is zero (relu(t) - t / 2 is even, and a "
            f"parity of k > 1 signs has no product with t); give an even k up to {LARGEST_PARITY}"
        )


def _sign(k: int) -> int:
    return 1 if k % 4 == 2 else -1


def _double_factorial(n: int) -> int:
    return math.prod(range(n, 0, -2))
