"""Partial traces of Hermite moments: d or d(d + 1)/2 numbers instead of d^k.

He_k(x), x in R^d, is the symmetric tensor of degree k.  Contracted over p of its pairs of indices
it is a polynomial in |x|^2 times x or x x', since Laplace's operator commutes with rotations.  This
file does not know how means are found.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from math import factorial
from typing import TypeVar, final

import numpy as np
from scipy.special import eval_genlaguerre, gammaln

from sqsim.algorithms.descent import random_direction
from sqsim.algorithms.hermite_series import HermiteSum
from sqsim.algorithms.iterates import unit_start
from sqsim.algorithms.label_transforms import (
    Bounded,
    Transformation,
    extreme_eigenvector,
    transformed_spectral_start,
    transformed_start,
)
from sqsim.errors import BadInput
from sqsim.lowrank import Array, dense
from sqsim.problems.problem import Problem
from sqsim.queries import Batch, Correlation, Query, Ridge, Statistic
from sqsim.seeds import Seed
from sqsim.strategy import CSQ, SQ, Answers, ask

LARGEST_DEGREE = 12

Q = TypeVar("Q", bound=Query)


@final
@dataclass(frozen=True)
class RadialWeight:
    """x -> (-2)^p p! L_p(|x|^2 / 2) / unit, with which x or x x' - I is a partial trace of He_k.

    For odd k = 2p + 1, x times this is He_k(x) contracted over p pairs, with the Laguerre
    polynomial L_p of index d/2.  For even k = 2p + 2 and index d/2 + 1, x x' - I times this is the
    contraction plus a polynomial of degree k - 4 in |x| times the identity.  Derived here.

    Attributes
    ----------
    degree : k, at least 1.
    dimension : d.
    """

    degree: int
    dimension: int

    def __post_init__(self) -> None:
        whole = isinstance(self.degree, int) and not isinstance(self.degree, bool)
        if not whole or not 1 <= self.degree <= LARGEST_DEGREE:
            raise BadInput(
                f"degree is {self.degree!r}; a partial trace is of degree 1 to {LARGEST_DEGREE}"
            )

    def __call__(self, x: Array) -> Array:
        squares = np.sum(np.square(x), axis=-1)
        index = self.dimension / 2 + (self.power - 1)
        values = eval_genlaguerre(self.pairs, index, squares / 2)
        return np.asarray(self.factor * values / self.unit)

    @property
    def power(self) -> int:
        """Indices that are left: 1 for odd degrees, 2 for even ones."""
        return 2 - self.degree % 2

    @property
    def pairs(self) -> int:
        """p, the pairs that are contracted."""
        return (self.degree - self.power) // 2

    @property
    def factor(self) -> float:
        """(-2)^p p!."""
        return float((-2) ** self.pairs * factorial(self.pairs))

    @property
    def unit(self) -> float:
        """The largest L2 norm of an entry, for x ~ N(0, I_d), before it is divided by this.

        Odd: E[x_i^2 L_p^2] = (2/d) Gamma(p + d/2 + 1) / (p! Gamma(d/2)).  Even: the entries on the
        diagonal, their parts of trace 0, degree k and lower degrees added up (derived here).
        """
        p, half = self.pairs, self.dimension / 2
        if self.power == 1:
            return abs(self.factor) * float(np.sqrt(_rising(half, p + 1) / factorial(p) / half))
        d = self.dimension
        aside = 4 * _rising(half, p + 2) / (factorial(p) * d * (d + 2))
        along = 4 * (p + 1) ** 2 * _rising(half, p + 1) / factorial(p + 1) / d**2
        lower = sum((p - j) ** 2 * _rising(half, j) / factorial(j) for j in range(p))
        diagonal = 2 * (1 - 1 / d) * aside + along + lower
        return abs(self.factor) * float(np.sqrt(max(aside, diagonal) if d > 1 else diagonal))

    @property
    def signal(self) -> float:
        """The mean is this times E[T(y) h_k(<v, x>)] times v or v v' (+ a multiple of I)."""
        return float(np.sqrt(float(factorial(self.degree)))) / self.unit


@final
@dataclass(frozen=True)
class LabelledRadialWeight:
    """(x, y) -> T(y) times a radial weight."""

    weight: RadialWeight
    label: Bounded

    def __call__(self, x: Array, y: Array) -> Array:
        return np.asarray(self.label(y) * self.weight(x))


def partial_trace_start(problem: Problem, *, degree: int, seed: Seed = 0) -> CSQ[Array]:
    """Direction from the partial trace of E[y He_k(x)], k = `degree`: for information exponent k.

    One round of d correlational queries for odd k, d(d + 1)/2 for even k, of norm at most 1.  The
    mean is sqrt(k!) E[y h_k] / unit times v or v v', about d^(-(k - 1)/4) and d^(-(k - 2)/4)
    E[y h_k] in size.  Independent errors of size tau leave an even start while tau < d^(-k/4); for
    odd k the start then has overlap d^(-1/4), and `tensor_power_steps` go on from there.  Errors
    of a matrix that conspire ask for a further factor d^(-1/2), and a vector moved to zero entry by
    entry for d^(-1/4).  Derived here; for samples Damian et al. (2024), where n = 1 / tau^2.
    """
    weight, d = RadialWeight(degree, problem.dimension), problem.dimension
    # Without pairs the weight is a constant: one direction will do for a frame.
    h, frame = (weight, np.eye(d)) if weight.pairs else (HermiteSum((1 / weight.unit,)), _first(d))
    query = Correlation(Ridge(h, frame, power=weight.power), f"partial trace of degree {degree}")
    return (yield from _direction(problem, query, seed))


def tensor_power_steps(
    problem: Problem, *, degree: int, start: Array, steps: int = 10
) -> CSQ[Array]:
    """w <- E[y h_(k-1)(<w, x>) x] normalised, k = `degree`: power steps on E[y He_k(x)].

    `steps` rounds of d correlational queries of norm at most 1.  Where y has no Hermite part of
    degree k - 2 the mean is sqrt(k) E[y h_k] <w, v>^(k - 1) v, so that errors of length tau sqrt(d)
    below half of that at the start are forgotten after one step; for k >= 3 and information
    exponent k this makes an overlap of d^(-1/4) a good one.  Anandkumar, Ge, Hsu, Kakade and
    Telgarsky (2014) for tensors.
    """
    RadialWeight(degree, problem.dimension)
    w = unit_start(problem, start)
    h = HermiteSum((0.0,) * (degree - 1) + (1.0,))
    for step in range(steps):
        form = Ridge(h.scaled(1 / h.field_norm(w)), w, power=1)
        found = yield from ask(Correlation(form, "tensor power step"), step=step, w=w)
        length = float(np.linalg.norm(found))
        if length == 0.0:
            break
        w = np.asarray(found / length)
    return w


def transformed_partial_trace_start(
    problem: Problem, *, degree: int, transformation: Transformation, seed: Seed = 0
) -> SQ[Array]:
    """The same for E[T(y) He_k(x)]: generative exponent k = `degree`.  Not correlational.

    One round of d queries for odd k, d(d + 1)/2 for even k, of norm at most 1.

    Parameters
    ----------
    transformation : function of labels with values in [-1, 1]
        Such as `conditional_mean(link, degree).signs`.
    """
    weight = RadialWeight(degree, problem.dimension)
    if not weight.pairs:
        start = transformed_start if degree == 1 else transformed_spectral_start
        return (yield from start(problem, transformation=transformation, seed=seed))
    if not callable(transformation):
        raise BadInput(f"transformation is {transformation!r}; wanted a function of labels")
    h = LabelledRadialWeight(weight, Bounded(transformation, 1.0))
    form = Ridge(h, np.eye(problem.dimension), power=weight.power)
    query = Statistic(form, f"transformed partial trace of degree {degree}")
    return (yield from _direction(problem, query, seed))


def _direction(problem: Problem, query: Q, seed: Seed) -> Generator[Batch[Q], Answers, Array]:
    """Of a vector the direction; of a matrix the eigenvector farthest from the mean eigenvalue."""
    found, d = dense((yield from ask(query))), problem.dimension
    if found.ndim == 1:
        length = float(np.linalg.norm(found))
        return random_direction(problem, seed=seed) if length == 0.0 else found / length
    # Lower degrees and constants of the label leave a multiple of the identity.
    return extreme_eigenvector(found - np.trace(found) / d * np.eye(d), seed=seed)


def _first(dimension: int) -> Array:
    """The first basis vector."""
    e = np.zeros(dimension)
    e[0] = 1.0
    return e


def _rising(start: float, count: int) -> float:
    """Gamma(start + count) / Gamma(start)."""
    return float(np.exp(gammaln(start + count) - gammaln(start)))
