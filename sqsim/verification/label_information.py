"""Entries on lambda_k^2: how much labels of known links tell about Hermite polynomials."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache, partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.integrate import quad
from scipy.special import lambertw

from sqsim.lowerbounds.conditional import lambda_squared
from sqsim.lowerbounds.expansions import Expansion
from sqsim.lowerbounds.named import named_expansion
from sqsim.lowerbounds.precision import Enclosure
from sqsim.lowrank import Array
from sqsim.special import hermite_functions, normal_density
from sqsim.verification.conditions import joined, near
from sqsim.verification.entry import Entry, Finding, within

SOURCE = "Damian, Pillaud-Vivien, Lee and Bruna (2024)"
POINTS, IN_A_BIN = 400_000, 200
IntegerArray: TypeAlias = npt.NDArray[np.intp]
LINKS: dict[str, tuple[str, Callable[[Array], Array]]] = {
    "he2": ("z**2-1", lambda z: z**2 - 1),
    "he3": ("z**3-3*z", lambda z: z**3 - 3 * z),
    "he4": ("z**4-6*z**2+3", lambda z: z**4 - 6 * z**2 + 3),
    "damped": ("z**2*exp(-z**2)", lambda z: z**2 * np.exp(-(z**2))),
    "relu": ("max(z,0)", lambda z: np.maximum(z, 0)),
    "shifted-relu": ("max(z-2,0)", lambda z: np.maximum(z - 2, 0)),
    "sign": ("sign(z)", lambda z: np.asarray(np.sign(z))),
    "band": ("step(z-1) + 1 - step(z+1)", lambda z: np.asarray((np.abs(z) > 1) * 1.0)),
    "abs": ("abs(z)", np.abs),
    "square": ("z**2", np.square),
}
TABLE = (
    ("he2", 2, "1", None),
    ("he2", 4, "0.85", "1"),
    ("he3", 1, "0.663", "0.667832"),
    ("he3", 2, "0.612", "0.623046"),
    ("he3", 3, "0.936", "1"),
    ("he3", 4, "0.481", "0.706639"),
    ("he4", 2, "0.761", "0.775374"),
    ("he4", 4, "0.850", "1"),
    ("damped", 4, "0.230", None),
    ("relu", 1, "0.817", "0.818310"),
    ("relu", 2, "0.494", "0.5"),
    ("relu", 3, "0.521", "0.553052"),
    ("relu", 4, "0.386", "0.5"),
    ("shifted-relu", 1, "0.132", "0.133715"),
    ("shifted-relu", 2, "0.293", "0.298671"),
    ("shifted-relu", 3, "0.319", "0.351170"),
    ("shifted-relu", 4, "0.212", "0.324697"),
    ("sign", 1, "0.6366197724", None),
    ("sign", 3, "0.106", None),
    ("band", 2, "0.541", None),
    ("band", 4, "0.180", None),
    ("abs", 2, "1", None),
    ("abs", 4, "0.85", "1"),
    ("square", 4, "0.85", "1"),
)


def expansion(name: str) -> Expansion:
    return named_expansion(LINKS[name][0])


@cache
def proved_lambdas(name: str) -> tuple[Enclosure, ...]:
    """lambda_1^2, ..., lambda_4^2; several entries read them."""
    return lambda_squared(expansion(name), max_degree=4)


def _lambda(name: str, degree: int, shown: str, constant: Fraction) -> Finding:
    """The proved bracket, and bins of the label, which see nearly as much."""
    proved = proved_lambdas(name)[degree - 1]
    second = _over_levels(degree) if name == "damped" else _binned(name, degree)
    digits = max(3, len(shown.replace(".", "").lstrip("0")))
    return joined(
        within(constant, proved, digits=digits),
        near(float(constant), float(proved), 5e-3),
        near(second, float(proved), 8e-3),
    )


@cache
def _binned(name: str, degree: int) -> float:
    """sum over bins of the label of E[h_k; bin]^2 / P(bin), by data processing at most lambda_k^2.

    Bins hold equally many points of a fine grid, so that tails are resolved as well.
    """
    half = (np.arange(POINTS // 2) + 0.5) * (18 / POINTS)
    # Exactly symmetric, so that even links have exact ties.
    z = np.concatenate([-half[::-1], half])
    labels = LINKS[name][1](z)
    order = np.argsort(labels, kind="stable")
    labels, z = labels[order], z[order]
    masses = normal_density(z) * (18 / POINTS)
    new = np.flatnonzero(labels[1:] > labels[:-1]) + 1
    wanted = np.searchsorted(new, np.arange(IN_A_BIN, POINTS, IN_A_BIN))
    # A label that is taken often has a bin of its own.
    edges = np.append(0, np.unique(np.append(new[wanted[wanted < len(new)]], _around(new))))
    sums = np.add.reduceat(hermite_functions(z, degree)[degree] * masses, edges)
    return float(np.sum(sums**2 / np.add.reduceat(masses, edges)))


def _over_levels(degree: int) -> float:
    """The integral of h_k zeta_k for y = u e^-u, u = z^2, whose preimages are Lambert's functions.

    Far out a label has one preimage near 0 and one in the tail, which no bin of points balances.
    """

    def weighted(z: float) -> tuple[float, float]:
        u = z * z
        weight = math.exp(-u / 2) / abs(2 * z * (1 - u) * math.exp(-u))
        return weight, float(hermite_functions(np.array([z]), degree)[degree, 0])

    def integrand(z: float) -> float:
        u = z * z
        y = u * math.exp(-u)
        other = math.sqrt(max(-float(lambertw(-y, 0 if u > 1 else -1).real), 1e-300))
        (one, h), (two, g) = weighted(z), weighted(other)
        return 2 * math.exp(-u / 2) / math.sqrt(2 * math.pi) * h * (one * h + two * g) / (one + two)

    return float(sum(quad(integrand, a, b)[0] for a, b in ((1e-6, 0.999999), (1.000001, 6.0))))


def _around(new: IntegerArray) -> IntegerArray:
    """The ends of runs of one label that are longer than a bin."""
    runs = np.concatenate([[0], new, [POINTS]])
    long = np.flatnonzero(np.diff(runs) > IN_A_BIN)
    found = np.concatenate([runs[long], runs[long + 1]])
    return np.asarray(found[(found > 0) & (found < POINTS)])


def _why(truth: str | None) -> str:
    if truth is None:
        return ""
    return ", from bins of the label, which is too small: computed here"


LABEL_INFORMATION: tuple[Entry, ...] = (
    *(
        Entry(
            f"dplb.lambda-{name}-{degree}",
            f"lambda_{degree}^2 = {shown} for y = {LINKS[name][0]}",
            f"{SOURCE}; value of this project's specification{_why(truth)}",
            "proved bracket from branches; fine bins of the label, which see no more",
            shown,
            partial(_lambda, name, degree, truth or shown),
            truth=truth,
        )
        for name, degree, shown, truth in TABLE
    ),
)
