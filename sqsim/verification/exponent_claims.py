"""Entries on information and generative exponents, and on the best transform of a label."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial

import numpy as np
from scipy.special import ndtri

from sqsim.algorithms.label_transforms import conditional_mean
from sqsim.links import Relu, hermite
from sqsim.lowerbounds.exponents import generative_exponent, information_exponent
from sqsim.lowerbounds.hermite import hermite_coefficients, second_moment
from sqsim.lowerbounds.named import named_expansion
from sqsim.lowerbounds.spectrum import ridge_spectrum
from sqsim.verification.conditions import exactly, joined, near, rounded
from sqsim.verification.entry import Entry, Finding, close
from sqsim.verification.label_information import LINKS, SOURCE, expansion, proved_lambdas

EXPONENTS = {
    "he2": (2, 2), "he3": (3, 1), "he4": (4, 2), "damped": (4, 4), "relu": (1, 1),
    "shifted-relu": (1, 1), "sign": (1, 1), "band": (2, 2), "abs": (2, 2), "square": (2, 2),
}  # fmt: skip


def _exponents(name: str, constant: Fraction) -> Finding:
    """The generative exponent, with the information exponent beside it."""
    f = expansion(name)
    information, generative = information_exponent(f), generative_exponent(f, max_degree=5)
    assert generative.value is not None
    return joined(
        exactly(constant, generative.value),
        generative.decided and information.decided,
        information.value == EXPONENTS[name][0],
    )


def _biased(constant: Fraction) -> Finding:
    """Both exponents of max(z + b, 0), b = 3, 0, -1, -4, -8: the largest."""
    found = [
        (information_exponent(f).value, generative_exponent(f, max_degree=2).value)
        for f in (named_expansion("relu", bias=b) for b in (3, 0, -1, -4, -8))
    ]
    return joined(exactly(constant, max(max(i or 0, g or 0) for i, g in found)),
                  all(i is not None and g is not None for i, g in found))  # fmt: skip


def _share(a: int, constant: Fraction) -> Finding:
    """c_1^2 / ||s_b||^2 with c_1 = Phi(-a)."""
    f = named_expansion("relu", bias=-a)
    first = hermite_coefficients(f, [1], digits=15)[0]
    share = float(first) ** 2 / float(second_moment(f, digits=15))
    tail = math.erfc(a / math.sqrt(2)) / 2
    return joined(rounded(constant, share, digits=3, how="two enclosures"),
                  near(float(constant), share, 5e-3), near(float(first), tail))  # fmt: skip


def _powers(constant: Fraction) -> Finding:
    """He_3, its square and its cube: information exponents 3, 2 and 1."""
    cube = "(z**3-3*z)**"
    found = [information_exponent(named_expansion(cube + str(p))).value for p in (1, 2, 3)]
    assert found[2] is not None
    return joined(exactly(constant, found[2]), found[:2] == [3, 2])


def _hard_tolerance(constant: Fraction) -> Finding:
    """The slope in d of the largest variance of E[h_3(<v, x>) g] over v, ||g|| = 1."""
    eigenvalues = [
        max(float(value) for value in ridge_spectrum(hermite(3), dimension=d).eigenvalues[1:])
        for d in (10**4, 10**5)
    ]
    slope = math.log(eigenvalues[1] / eigenvalues[0]) / math.log(10)
    closed = 3 / (10**4 * (10**4 + 2))
    return joined(close(constant, slope, error=1e-3), near(eigenvalues[0], closed))


def _best_transform(constant: Fraction) -> Finding:
    """E[T h_1] / ||T|| of T = E[h_1 | bin of y], y = max(z, 0): at most lambda_1, nearly that."""
    limit = math.sqrt(float(proved_lambdas("relu")[0]))
    transform = conditional_mean(Relu(), 1, bins=256)
    count = 10**6
    z = ndtri((np.arange(count) + 0.5) / count)
    values = transform(np.maximum(z, 0))
    attained = float(np.mean(values * z) / math.sqrt(np.mean(values**2)))
    return joined(close(constant, attained, error=1e-4), attained <= limit * (1 + 1e-6))


EXPONENT_CLAIMS: tuple[Entry, ...] = (
    *(
        Entry(
            f"dplb.exponents-{name}",
            f"y = {LINKS[name][0]} has information exponent {information} and generative {both}",
            SOURCE,
            "proved zeros and nonzero enclosures",
            str(both),
            partial(_exponents, name),
        )
        for name, (information, both) in EXPONENTS.items()
    ),
    Entry(
        "dplb.biased-relu",
        "both exponents of the biased ReLU are 1 for every bias",
        f"{SOURCE}; derived for this index",
        "proved at b = 3, 0, -1, -4, -8",
        "1",
        _biased,
    ),
    *(
        Entry(
            f"dplb.degree-1-share-{a}",
            f"c_1^2 / ||s_b||^2 = {shown} at b = -{a}",
            "value of this project's specification",
            "two enclosures; Phi(-a) in floats",
            shown,
            partial(_share, a),
        )
        for a, shown in ((1, "0.334"), (2, "0.0897"), (3, "0.00896"), (4, "0.000325"))
    ),
    Entry(
        "dplb.powers",
        "y = He_3 has information exponent 3, y^2 has 2 and y^3 has 1: powers of the label suffice",
        f"{SOURCE}; Dandi et al. (2024)",
        "exact coefficients of the polynomials",
        "1",
        _powers,
    ),
    Entry(
        "dls.tolerance-exponent",
        "y = He_3: for a fixed number of queries tau^2 must fall like d^-2; packings give d^-3/2",
        "Damian, Lee and Soltanolkotabi (2022), Theorem 2; exponent of the sphere computed here",
        "Funk-Hecke eigenvalues at d = 10^4 and 10^5; 3 / (d (d + 2))",
        "-2",
        _hard_tolerance,
    ),
    Entry(
        "dplb.best-transform",
        "E[T(y) h_1] / ||T|| is largest for T = E[h_1 | y], y = max(z, 0): lambda_1 = 0.904605",
        f"{SOURCE}; number computed here",
        "square root of the proved bracket bounds what 256 bins of the label attain",
        "0.904605",
        _best_transform,
    ),
)
