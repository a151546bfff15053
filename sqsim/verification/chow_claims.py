"""Entries on the Chow parameters of the Gaussian ReLU and what they determine."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from sqsim.algorithms.two_neurons import population_loss
from sqsim.inputs import Gaussian
from sqsim.links import HermiteSeries, LeakyRelu, Link, Relu, Sigmoid, Sign
from sqsim.lowerbounds.hermite import hermite_coefficients, second_moment
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.queries import Ridge
from sqsim.verification.conditions import joined, near, rounded
from sqsim.verification.entry import Entry, Finding, within

SOURCE = "Diakonikolas, Goel, Karmalkar, Klivans and Soltanolkotabi (2020)"
SMOOTH = "Diakonikolas, Kontonis, Tzamos and Zarifis (2022)"
D = 5


def _pairs(count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    stream = np.random.default_rng(4)
    return [(stream.standard_normal(D), stream.standard_normal(D)) for _ in range(count)]


def _chow(w: np.ndarray) -> np.ndarray:
    """E[max(<w, x>, 0) x]."""
    return np.asarray(Gaussian(D).expectation(Ridge(Relu(), w, power=1, kinks=(0.0,))))


def _parameters(constant: Fraction) -> Finding:
    """The component of chi_u along u, and that nothing is left across it."""
    proved = hermite_coefficients(Relu(), [1], digits=20)[0]
    errors = [float(np.abs(_chow(u) - u / 2).max()) for u, _ in _pairs(5)]
    return joined(within(constant, proved, digits=12), max(errors) <= 1e-12)


def _monotone(constant: Fraction) -> Finding:
    """The least <chi_u - chi_v, u - v> / ||u - v||^2 over pairs; it is the largest as well."""
    shares = [
        float((_chow(u) - _chow(v)) @ (u - v)) / float((u - v) @ (u - v)) for u, v in _pairs(12)
    ]
    return joined(rounded(constant, min(shares), digits=6), near(min(shares), max(shares)))


def _contraction(constant: Fraction) -> Finding:
    """The largest |E f h_1| / ||f|| over links: that of the line."""
    links: tuple[Link, ...] = (
        Relu(), Relu(-1.0), LeakyRelu(0.2), Sign(), Sigmoid(), HermiteSeries((0.0, 1.0)),
        HermiteSeries((0.3, 0.5, 0.2)),
    )  # fmt: skip
    shares = [
        abs(float(hermite_coefficients(f, [1], digits=15)[0]))
        / math.sqrt(float(second_moment(f, digits=15)))
        for f in links
    ]
    return rounded(constant, max(shares), digits=6)


def _distances() -> tuple[float, float]:
    """The largest ||s_w - s_v||^2 over ||w - v||^2, and over ||chi_w - chi_v||^2."""
    direct, through = 0.0, 0.0
    stream = np.random.default_rng(1)
    pairs = [*_pairs(60), *((u, float(stream.uniform(0.2, 3)) * u) for u, _ in _pairs(6))]
    for u, v in pairs:
        between = population_loss(ReluHypothesis(u, 0.0), ReluHypothesis(v, 0.0))
        direct = max(direct, between / float((u - v) @ (u - v)))
        gap = _chow(u) - _chow(v)
        through = max(through, between / float(gap @ gap))
    return direct, through


def _half_distance(constant: Fraction) -> Finding:
    return rounded(constant, _distances()[0], digits=6, error=1e-9)


def _learnable(constant: Fraction) -> Finding:
    return rounded(constant, _distances()[1], digits=6, error=1e-9)


def _gradient(constant: Fraction) -> Finding:
    """The largest ||grad F(w*)|| over corruptions g with E[g^2] = 1, F = E[(s - y)^2].

    It is 2 ||E[g 1(<w*, x> > 0) x]||, twice the root of the top eigenvalue of E[1(.) x x'].
    """
    v = np.eye(D)[0]

    def active(s: np.ndarray) -> np.ndarray:
        return (s > 0) * 1.0

    centred = Gaussian(D).expectation(Ridge(active, v, power=2, kinks=(0.0,)))
    share = float(Gaussian(D).expectation(Ridge(active, v, kinks=(0.0,))))
    top = float(np.linalg.eigvalsh(np.asarray(centred) + share * np.eye(D))[-1])
    found = 2 * math.sqrt(top)
    return joined(rounded(constant, found, digits=6), found <= 2)


CHOW_CLAIMS: tuple[Entry, ...] = (
    Entry(
        "dgkks.chow-parameters",
        "E[s(<u, x>) x] = 1/2 u for the ReLU under N(0, I)",
        SOURCE,
        "proved Hermite coefficient; quadrature in five dimensions",
        "1/2",
        _parameters,
    ),
    Entry(
        "dgkks.strong-convexity",
        "<chi_u - chi_v, u - v> >= 1/2 ||u - v||^2",
        SOURCE,
        "least and largest share over random pairs, by quadrature",
        "1/2",
        _monotone,
    ),
    Entry(
        "dgkks.chow-contraction",
        "||chi_f - chi_g|| <= 1 ||f - g||_2, with equality for a line",
        SOURCE,
        "proved coefficients over proved norms, largest of seven links",
        "1",
        _contraction,
    ),
    Entry(
        "dgkks.half-distance",
        "||s_w - s_v||^2 <= 1/2 ||w - v||^2, attained by parallel vectors",
        f"{SOURCE}; constant derived for this index",
        "closed form of two neurons over random and parallel pairs",
        "1/2",
        _half_distance,
    ),
    Entry(
        "dgkks.chow-learnability",
        "||s_w - s_v||^2 <= 2 ||chi_w - chi_v||^2 for the Gaussian ReLU, beta = 2",
        f"{SOURCE}; number computed here",
        "closed form of two neurons against quadrature of the Chow parameters",
        "2",
        _learnable,
    ),
    Entry(
        "dktz.gradient-at-the-optimum",
        "||grad F(w*)|| <= 1.41421 sqrt(OPT), which is within the 2 lambda sqrt(OPT) of the source",
        f"{SMOOTH}; sharp constant sqrt 2 of the Gaussian ReLU computed here",
        "top eigenvalue of E[1(<w, x> > 0) x x'] by quadrature",
        "1.41421",
        _gradient,
    ),
)
