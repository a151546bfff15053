"""Hermite coefficients of the biased ReLU, and the degree t_eps up to which they can be removed.

Guo and Vijayaraghavan (2024), section 4: f(z) = max(z - a, 0), 3 eps = E[f^2].
"""

from __future__ import annotations

import math
from fractions import Fraction

from scipy.integrate import quad
from scipy.special import eval_hermitenorm

from sqsim.lowerbounds.hermite import (
    hermite_coefficients,
    parseval_tail,
    relu_tail_bound,
    second_moment,
    t_eps,
)
from sqsim.lowerbounds.precision import Enclosure, ball
from sqsim.verification.biased_relu import energy, logarithm, neuron, phi, proved, table, tail
from sqsim.verification.conditions import joined
from sqsim.verification.entry import Check, Entry, Finding, close, within

SOURCE = "Guo and Vijayaraghavan (2024), section 4"
BIASES = (3, 4, 5, 6, 8, 10, 15, 20)
FAR = (80, 120)


def _mean(degree: int) -> float:
    """E[f(t) h_k(t)] at a = 3, by quadrature."""

    def integrand(t: float) -> float:
        return (t - 3) * float(eval_hermitenorm(degree, t)) * math.exp(-t * t / 2)

    scale = math.sqrt(2 * math.pi * math.factorial(degree))
    return float(quad(integrand, 3, 30, epsabs=0, epsrel=1e-11, limit=200)[0]) / scale


def _coefficient_zero(constant: Fraction) -> Finding:
    (found,) = hermite_coefficients(neuron(3), [0], digits=12)
    closed = proved(lambda: phi(3) - 3 * tail(3))
    return joined(
        within(constant, found, digits=5),
        abs(float(closed) / float(found) - 1) < 1e-11,
        abs(_mean(0) / float(found) - 1) < 1e-8,
    )


def _coefficient_ten(constant: Fraction) -> Finding:
    """H_8(a) phi(a) / sqrt(10!) at a = 3, proved, by the printed formula and by quadrature."""
    (found,) = hermite_coefficients(neuron(3), [10], digits=12)
    eighth = round(float(eval_hermitenorm(8, 3.0)))
    closed = proved(lambda: eighth * phi(3) / ball(math.factorial(10)).sqrt())
    return joined(
        within(constant, found, digits=5),
        abs(float(closed) / float(found) - 1) < 1e-11,
        abs(_mean(10) / float(found) - 1) < 1e-8,
    )


def _missing_mass(constant: Fraction) -> Finding:
    """Share of E[f^2] beyond degree 2000 at a = 3, and its closed bound."""
    beyond = parseval_tail(neuron(3), 2000, digits=15)
    share = proved(lambda: beyond.ball() / energy(3))
    most = relu_tail_bound(-3, 2000).bounds[1]
    return joined(within(constant, share, digits=3), beyond.bounds[1] < most)


def _missing_rate(constant: Fraction) -> Finding:
    """Exponent of c_k^2, from the masses beyond degrees 2000 and 4000."""
    near, far = (float(parseval_tail(neuron(3), k, digits=15)) for k in (2000, 4000))
    return close(constant, 1 + math.log2(near / far), error=1e-3)


def _accuracy(a: int) -> Enclosure:
    return proved(lambda: energy(a) / 3)


def _three_epsilon(constant: Fraction) -> Finding:
    found = second_moment(neuron(3), digits=12)
    integral = quad(lambda t: (t - 3) ** 2 * math.exp(-t * t / 2), 3, 40)[0]
    integral /= math.sqrt(2 * math.pi)
    return joined(within(constant, found, digits=5), abs(integral / float(found) - 1) < 1e-8)


def _accuracies(constant: Fraction) -> Finding:
    shown = "6.781e-5 1.0e-6 6.4e-9 1.6e-11 6.0e-18 4.8e-26 1e-53 4.5e-92"
    return table(constant, [_accuracy(a) for a in BIASES], shown, decisive=0, digits=4)


def _removable(alpha: int, shown: str) -> Check:
    """A row of proved degrees; the claimed one is the last."""
    others = [int(text) for text in shown.split()]

    def check(constant: Fraction) -> Finding:
        row = [t_eps(neuron(a), alpha=alpha) for a in BIASES]
        holds = row[:-1] == others and row[-1] == constant
        return Finding(holds, f"{row[-1]} (proved)")

    return check


def _degree_growth(constant: Fraction) -> Finding:
    """Slope of t_eps in a^2 between a = 80 and 120, where neighbours are 1 / 8000 apart."""
    near, far = (t_eps(neuron(a), alpha=10) for a in FAR)
    return close(constant, (far - near) / 8000, error=4e-4)


def _degree_slope() -> float:
    """Of t_eps in log(1 / eps)."""
    near, far = (t_eps(neuron(a), alpha=10) for a in FAR)
    return (far - near) / (logarithm(_accuracy(FAR[0])) - logarithm(_accuracy(FAR[1])))


def _degree_in_accuracy(constant: Fraction) -> Finding:
    return close(constant, _degree_slope(), error=8e-4)


def _tolerance_exponent(constant: Fraction) -> Finding:
    """Of (t_eps + 1) / 4 in log(1 / eps): tau^2 = gamma = d^(-(t + 1) / 2)."""
    return close(constant, _degree_slope() / 4, error=2e-4)


RELU_DEGREES: tuple[Entry, ...] = (
    Entry(
        "gv.coefficient-0",
        "E[f] = phi(a) - a Phi(-a): C at a = 3",
        SOURCE,
        "the proved coefficient, the formula in balls, and quadrature",
        "0.00038215",
        _coefficient_zero,
    ),
    Entry(
        "gv.coefficient-k",
        "E[f H_k] = H_(k-2)(a) phi(a) for k >= 2: E[f h_10] = C at a = 3",
        SOURCE,
        "the proved coefficient, the formula in balls, and quadrature",
        "-0.0012005",
        _coefficient_ten,
    ),
    Entry(
        "gv.missing-mass",
        "degrees up to 2000 hold all but a share C of E[f^2] at a = 3",
        "computed here",
        "proved coefficients, and the closed tail bound",
        "2.586e-5",
        _missing_mass,
    ),
    Entry(
        "gv.coefficient-decay",
        "c_k^2 falls like k^-C",
        "computed here",
        "the proved masses beyond degrees 2000 and 4000",
        "5/2",
        _missing_rate,
    ),
    Entry(
        "gv.three-epsilon",
        "3 eps = E[f^2] = C at a = 3",
        f"{SOURCE} for the definition; the value computed here",
        "the proved second moment, and quadrature",
        "2.0343e-4",
        _three_epsilon,
    ),
    Entry(
        "gv.epsilon",
        "eps = C 1.0e-6 6.4e-9 1.6e-11 6.0e-18 4.8e-26 1e-53 4.5e-92 at a = 3 4 5 6 8 10 15 20",
        f"{SOURCE} for the definition; the values computed here",
        "the closed form in balls",
        "6.781e-5",
        _accuracies,
    ),
    Entry(
        "gv.degree-2",
        "t_eps = 2 4 7 10 17 26 59 C for alpha = 2, a = 3 4 5 6 8 10 15 20",
        f"{SOURCE} for the definition; the degrees computed here",
        "proved comparisons of masses with eps / alpha",
        "104",
        _removable(2, "2 4 7 10 17 26 59"),
    ),
    Entry(
        "gv.degree-10",
        "t_eps = 1 3 5 8 15 24 55 C for alpha = 10",
        f"{SOURCE} for the definition; the degrees computed here",
        "proved comparisons of masses with eps / alpha",
        "99",
        _removable(10, "1 3 5 8 15 24 55"),
    ),
    Entry(
        "gv.degree-100",
        "t_eps = 0 2 4 6 13 21 52 C for alpha = 100",
        f"{SOURCE} for the definition; the degrees computed here",
        "proved comparisons of masses with eps / alpha",
        "95",
        _removable(100, "0 2 4 6 13 21 52"),
    ),
    Entry(
        "gv.degree-growth",
        "t_eps = (C + o(1)) a^2",
        "computed here",
        "proved degrees at a = 80 and 120, alpha = 10",
        "1/4",
        _degree_growth,
    ),
    Entry(
        "gv.degree-in-epsilon",
        "t_eps = (C + o(1)) log(1 / eps)",
        "computed here",
        "proved degrees and eps at a = 80 and 120, alpha = 10",
        "1/2",
        _degree_in_accuracy,
    ),
    Entry(
        "gv.theorem-2",
        "the tolerance excluded is d^-F(eps), F(eps) = (C - o(1)) log(1 / eps)",
        f"{SOURCE}, Theorem 2: F(eps) -> infinity; the rate computed here",
        "(t_eps + 1) / 4 from proved degrees at a = 80 and 120",
        "1/8",
        _tolerance_exponent,
    ),
)
