"""Tails and norms of the biased ReLU: the preliminaries of Guo and Vijayaraghavan (2024)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from scipy.integrate import quad
from scipy.special import ndtr

from sqsim.lowerbounds.expansions import Piecewise
from sqsim.lowerbounds.hermite import hermite_coefficients, second_moment
from sqsim.lowerbounds.precision import Enclosure, ball
from sqsim.verification.biased_relu import (
    FAR,
    energy,
    neuron,
    norm_ratio,
    phi,
    proved,
    rounds_to,
    table,
    tail,
)
from sqsim.verification.conditions import joined
from sqsim.verification.entry import Entry, Finding, within

if TYPE_CHECKING:
    pass

SOURCE = "Guo and Vijayaraghavan (2024)"
BIASES = (2, 3, 4, 6, 8, 10, 20)


def _mills(constant: Fraction) -> Finding:
    """Partial sums 1/t - 1/t^3 + 3/t^5 err by less than the next term; its coefficient."""

    def error(t: int) -> Fraction:
        sum_of_three = Fraction(1, t) - Fraction(1, t**3) + Fraction(3, t**5)
        low, high = proved(lambda: (ball(sum_of_three) - tail(t) / phi(t)) * t**7).bounds
        assert low > 0
        return high

    limit = proved(
        lambda: (
            (
                ball(Fraction(1, FAR) - Fraction(1, FAR**3) + Fraction(3, FAR**5))
                - tail(FAR) / phi(FAR)
            )
            * FAR**7
        )
    )
    return joined(within(constant, limit, digits=4), *(error(t) < 15 for t in (1, 2, 5, 20)))


def _second_tail_moment(constant: Fraction) -> Finding:
    line = Piecewise((Fraction(2),), ((), (Fraction(0), Fraction(1))))
    closed = proved(lambda: 2 * phi(2) + tail(2))
    integral = quad(lambda t: t * t * math.exp(-t * t / 2), 2, 40)[0] / math.sqrt(2 * math.pi)
    same = second_moment(line, digits=12)
    return joined(
        within(constant, closed, digits=8),
        abs(integral / float(closed) - 1) < 1e-9,
        abs(float(same) / float(closed) - 1) < 1e-11,
    )


def _norm_series(constant: Fraction) -> Finding:
    found = proved(lambda: ((energy(FAR) * FAR**3 / phi(FAR) - 2) * FAR**2 + 12) * FAR**2)
    return within(constant, found, digits=4)


def _norm_table(constant: Fraction) -> Finding:
    row = [norm_ratio(a) for a in BIASES]
    return table(constant, row, "0.507 0.678 0.781 0.884 0.930 0.953 0.988", decisive=3)


def _norm_correction(constant: Fraction) -> Finding:
    found = proved(lambda: (1 - energy(FAR) * FAR**2 / (2 * tail(FAR))) * FAR**2)
    return within(constant, found, digits=4)


def _first_coefficient(constant: Fraction) -> Finding:
    (found,) = hermite_coefficients(neuron(3), [1], digits=12)
    integral = quad(lambda t: (t - 3) * t * math.exp(-t * t / 2), 3, 40)[0] / math.sqrt(2 * math.pi)
    return joined(
        within(constant, found, digits=8),
        abs(integral / float(ndtr(-3.0)) - 1) < 1e-9,
    )


def _beyond(a: int) -> Enclosure:
    """Share of ||s_b||^2 that lies beyond a + 1/a."""
    edge = Fraction(a) + Fraction(1, a)
    return proved(
        lambda: (ball(1 + a * a) * tail(edge) + ball(edge - 2 * a) * phi(edge)) / energy(a)
    )


def _beyond_ten(constant: Fraction) -> Finding:
    found = _beyond(10)
    upper = quad(lambda u: u * u * math.exp(-10 * u - u * u / 2), 0.1, 5)[0]
    whole = quad(lambda u: u * u * math.exp(-10 * u - u * u / 2), 0, 5)[0]
    return joined(within(constant, found, digits=4), abs(upper / whole / float(found) - 1) < 1e-7)


def _beyond_far(constant: Fraction) -> Finding:
    found = _beyond(FAR)
    return joined(
        within(constant, found, digits=4),
        rounds_to(proved(lambda: ball(Fraction(5, 2)) / ball(1).exp()), "0.9197"),
    )


RELU_MASSES: tuple[Entry, ...] = (
    Entry(
        "gv.mills",
        "1/t - 1/t^3 + 3/t^5 exceeds the Mills ratio by less than C / t^7, and C is sharp",
        SOURCE,
        "balls at t = 1000 for the constant, and the inequality at t = 1, 2, 5, 20",
        "15",
        _mills,
    ),
    Entry(
        "gv.second-tail-moment",
        "the integral of t^2 beyond a is a phi(a) + Phi(-a): at a = 2 it is C",
        SOURCE,
        "the formula in balls, the second moment of a cut line, and quadrature",
        "0.13073206",
        _second_tail_moment,
    ),
    Entry(
        "gv.neuron-norm",
        "||s_b||^2 = (phi(a) / a^3) (2 - 12 / a^2 + C / a^4 - ...), a = -b",
        f"{SOURCE} for the norm; the expansion computed here",
        "the closed form in balls at a = 1000",
        "90",
        _norm_series,
    ),
    Entry(
        "gv.neuron-norm-ratio",
        "||s_b||^2 over 2 Phi(b) / b^2 is C at b = -6 (and .507 .678 .781 .930 .953 .988 at 2, 3, "
        "4, 8, 10, 20)",
        "computed here",
        "the closed form in balls",
        "0.884",
        _norm_table,
    ),
    Entry(
        "gv.neuron-norm-correction",
        "||s_b||^2 = (2 Phi(b) / b^2) (1 - C / b^2 + O(b^-4))",
        f"{SOURCE} state the leading term; the correction computed here",
        "the closed form in balls at b = -1000",
        "5",
        _norm_correction,
    ),
    Entry(
        "gv.first-coefficient",
        "E[s_b(z) z] = Phi(b): at b = -3 it is C",
        SOURCE,
        "the proved Hermite coefficient of degree 1, and quadrature",
        "0.0013498980",
        _first_coefficient,
    ),
    Entry(
        "gv.energy-beyond",
        "the part of ||s_b||^2 beyond a + 1/a is C of it at a = 10",
        "computed here",
        "the closed form in balls, and quadrature of the shifted tail",
        "0.9152",
        _beyond_ten,
    ),
    Entry(
        "gv.energy-beyond-limit",
        "the part of ||s_b||^2 beyond a + c/a tends to e^-c (1 + c + c^2/2): C at c = 1",
        SOURCE,
        "the closed form in balls at a = 1000, against 5 / (2 e)",
        "0.9197",
        _beyond_far,
    ),
)
