"""Entries on agnostic hardness by duality: how well polynomials approximate a link."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial

import numpy as np

from sqsim.gaussian import ridge_expectation
from sqsim.links import relu, sign
from sqsim.lowerbounds.approximation import L1, L2, approximation_degree
from sqsim.lowerbounds.duality import l1_approximation
from sqsim.lowerbounds.hermite import hermite_coefficients, parseval_tail
from sqsim.lowerbounds.named import named_expansion
from sqsim.lowerbounds.precision import ball, enclose, working_bits
from sqsim.queries import Ridge
from sqsim.special import hermite_functions
from sqsim.verification.conditions import exactly, joined, near, rounded
from sqsim.verification.entry import Entry, Finding, close, within

SOURCE = "Diakonikolas, Kane, Pittas and Zarifis (2021)"
HALF = np.ones(1)


def _l1(name: str, degree: int, constant: Fraction) -> Finding:
    """min E|f - p| over polynomials of degree < `degree`, f of norm 1: polynomial and sign pattern.

    The second way integrates f times the dual, which must be orthogonal to the low degrees.
    """
    link = relu(0.0) if name == "relu" else sign()
    found = l1_approximation(link, degree)
    with working_bits(120):
        scale = ball(2).sqrt() if name == "relu" else ball(1)
        distance = enclose(found.distance.ball() * scale, 15)
    dual = found.dual
    kinks = (*dual.kinks, 0.0)

    def mean(values: object) -> float:
        return float(ridge_expectation(Ridge(values, HALF, kinks=kinks), 1).value)  # type: ignore[arg-type]

    attained = mean(lambda s: link(s) * dual(s)) * float(_scale(name))
    low = [mean(lambda s, k=k: hermite_functions(s, k)[k] * dual(s)) for k in range(min(degree, 6))]
    return joined(
        within(constant, distance, digits=3),
        near(float(constant), float(distance), 5e-3),
        near(attained, float(distance), 1e-8),
        max(map(abs, low)) < 1e-8,
    )


def _scale(name: str) -> float:
    """1 / ||f||_2."""
    return math.sqrt(2.0) if name == "relu" else 1.0


def _l2_scaled(degree: int) -> float:
    """d eps^(4/3), eps the L2 distance of the ReLU of norm 1 from degrees < d."""
    tail = parseval_tail(relu(0.0), degree - 1, digits=12)
    return float(degree * (2 * float(tail)) ** (2 / 3))


def _l2(degree: int, constant: Fraction) -> Finding:
    proved = _l2_scaled(degree)
    squares = [float(c) ** 2 for c in hermite_coefficients(relu(0.0), degree - 1, digits=15)]
    summed = degree * (2 * (0.5 - math.fsum(squares))) ** (2 / 3)
    return joined(rounded(constant, proved, digits=3), near(proved, summed, 1e-6))


def _l2_limit(constant: Fraction) -> Finding:
    """The limit of d eps^(4/3): extrapolated in 1/d, and (sqrt 2 / (6 pi^(3/2)))^(2/3) / ..."""
    n = 2000
    one, two = _l2_scaled(n), _l2_scaled(2 * n)
    limit = 2 * two - one
    # c_2j^2 = C(2n, n) 4^-n / (2 pi (2n + 1) (2n + 2)), n = j - 1, and C(2n, n) 4^-n ~ (pi n)^-1/2.
    closed = (2 * 2**1.5 / (12 * math.pi**1.5)) ** (2 / 3)
    return joined(close(constant, limit, error=1e-4), near(limit, closed, 1e-3))


def _degree_l1(constant: Fraction) -> Finding:
    """The first degree whose best polynomial is within 0.4 of the sign."""
    found = approximation_degree(sign(), "0.4", norm=L1())
    lower, upper = (l1_approximation(sign(), d).distance.bounds for d in (found + 1, found))
    return joined(exactly(constant, found), lower[1] <= Fraction(2, 5) < upper[0])


def _degree_l2(constant: Fraction) -> Finding:
    """The first degree whose L2 projection is within 0.01 of sqrt 2 times the ReLU."""
    link = named_expansion("relu")
    # eps / sqrt 2 for the ReLU as it is.
    eps = Fraction(70710678118654752440, 10**22)
    found = approximation_degree(link, eps, norm=L2())
    tails = [2 * float(parseval_tail(link, d, digits=15)) for d in (found, found - 1)]
    return joined(exactly(constant, found), tails[0] <= 1e-4 < tails[1])


TABLE = (
    ("relu", 1, "0.564", None),
    ("relu", 2, "0.335", None),
    ("relu", 3, "0.111", None),
    ("relu", 5, "0.0670", None),
    ("relu", 9, "0.0376", None),
    ("relu", 17, "0.0201", None),
    ("relu", 33, "0.0101", "0.0104426"),
    ("sign", 2, "0.522", None),
    ("sign", 5, "0.399", None),
    ("sign", 9, "0.296", None),
    ("sign", 17, "0.215", None),
    ("sign", 33, "0.152", "0.154155"),
)

DUALS: tuple[Entry, ...] = (
    *(
        Entry(
            f"dkpz.l1-{name}-{degree}",
            f"min E|f - p| = {shown} over deg p < {degree}, f = {name} of norm 1",
            f"{SOURCE}, Theorems 4 and 7; table of this project's specification"
            + ("" if truth is None else ", whose last digits are those of a grid: computed here"),
            "polynomial and sign pattern prove both sides; the dual integrated in floats",
            shown,
            partial(_l1, name, degree),
            truth=truth,
        )
        for name, degree, shown, truth in TABLE
    ),
    Entry(
        "dkpz.l2-3",
        "d eps^(4/3) = 0.239 at d = 3, eps the L2 distance of the ReLU of norm 1",
        f"{SOURCE}, Theorem 6; value of this project's specification",
        "proved Parseval tail; sum of coefficients in floats",
        "0.239",
        partial(_l2, 3),
    ),
    Entry(
        "dkpz.l2-65",
        "d eps^(4/3) = 0.195 at d = 65",
        f"{SOURCE}, Theorem 6; value of this project's specification",
        "proved Parseval tail; sum of coefficients in floats",
        "0.195",
        partial(_l2, 65),
    ),
    Entry(
        "dkpz.l2-limit",
        "correlational queries for the ReLU: d = 0.193 eps^(-4/3) (1 + o(1))",
        f"{SOURCE}, Theorem 6; limit derived for this index",
        "tails at d = 2000 and 4000 extrapolated; asymptotics of binomial coefficients",
        "0.193",
        _l2_limit,
    ),
    Entry(
        "dkpz.l1-degree",
        "the sign is within 0.4 in L1 of a polynomial of degree 3, and of none below",
        f"{SOURCE}, Theorem 4; degree computed here",
        "bisection over proved distances; the two distances next to it",
        "3",
        _degree_l1,
    ),
    Entry(
        "dkpz.l2-degree",
        "the ReLU of norm 1 is within 0.01 in L2 of a polynomial of degree 90, and of none below",
        f"{SOURCE}, Theorem 6; degree computed here",
        "one pass over proved coefficients; the two tails next to it",
        "90",
        _degree_l2,
    ),
)
