"""Non-Gaussian component analysis: one hidden direction of the data is not Gaussian.

Along v the data has law A, across it N(0, I); A agrees with N(0, 1) in its first 2m - 1 moments.
This file does not know queries, oracles or bounds; exact means are in `oracles.mixture_quadrature`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import final

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from sqsim.errors import BadInput
from sqsim.inputs import Gaussian, Inputs
from sqsim.lowrank import Array
from sqsim.problems.problem import Problem
from sqsim.queries import Ridge
from sqsim.seeds import Role, Seed, rng

LARGEST_RULE = 40
"""Nodes that numpy's rule holds full precision for."""


@final
@dataclass(frozen=True)
class SecretInputs(Inputs):
    """A law of the inputs that no learner is told: what is asked of it are statistical queries."""

    dimension: int

    def sample(self, rng: np.random.Generator, count: int) -> Array:
        raise BadInput("the law of the inputs is the secret of this problem; draw from an instance")

    def expectation(self, form: Ridge) -> Array:
        raise BadInput(
            "the law of the inputs is the secret of this problem: a label-free expectation costs a "
            "query here, Correlation or Statistic"
        )


@final
@dataclass(frozen=True)
class Bump:
    """A Gaussian along the hidden direction, and the label of what is drawn from it."""

    weight: float
    mean: float
    variance: float
    label: float


@final
@dataclass(frozen=True)
class NonGaussianComponent(Problem):
    """x has law A along a hidden v and is N(0, I) across it: P_v.

    A = sum_i w_i N(sqrt(1 - s) x_i, s) over the Gauss-Hermite rule of m nodes: it agrees with
    N(0, 1) in the moments 1, ..., 2m - 1, and E_A[h_2m] = -(1 - s)^m m! / sqrt((2m)!).  Hence
    |chi(P_u, P_v)| <= |<u, v>|^(2m) chi^2(A, N) (Diakonikolas, Kane and Stewart 2017).

    Unlabelled: y = 1 always, so that Correlation(g) asks E[g(x)], a statistical query about x.
    Labelled: y is -1 or 1 with probability 1/2, x ~ P_v given y = 1 and x ~ N(0, I) given y = -1,
    so that E[y g(x)] is half of E_(P_v)[g] - E_N[g], and no query sees a moment that matches.

    Parameters
    ----------
    dimension : int
    nodes : int
        m.
    smoothing : float
        s in (0, 1), the variance of each bump: less smoothing, larger chi-square.
    labelled : bool
    """

    dimension: int
    nodes: int
    smoothing: float = field(default=0.1, kw_only=True)
    labelled: bool = field(default=False, kw_only=True)
    norm: float | None = field(default=None, init=False)
    bias: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        Gaussian(self.dimension)
        nodes = self.nodes
        whole = isinstance(nodes, int | np.integer) and not isinstance(nodes, bool)
        if not whole or not 1 <= nodes <= LARGEST_RULE:
            raise BadInput(f"nodes is {nodes!r}; give a number of nodes from 1 to {LARGEST_RULE}")
        if not 0 < self.smoothing < 1:
            raise BadInput(
                f"smoothing is {self.smoothing!r}; a variance of bumps that leaves the second "
                "moment at 1 lies strictly between 0 and 1"
            )

    @property
    def inputs(self) -> SecretInputs:
        return SecretInputs(self.dimension)

    @property
    def matched_moments(self) -> int:
        """How many moments of A are those of N(0, 1): 2m - 1."""
        return 2 * self.nodes - 1

    @cached_property
    def bumps(self) -> tuple[Bump, ...]:
        """The parts of A, and that of N(0, 1) where there are labels."""
        points, weights = hermegauss(self.nodes)
        share = 0.5 if self.labelled else 1.0
        weights = share * weights / weights.sum()
        means = np.sqrt(1 - self.smoothing) * points
        found = [
            Bump(float(w), float(m), float(self.smoothing), 1.0)
            for w, m in zip(weights, means, strict=True)
        ]
        return (*found, Bump(0.5, 0.0, 1.0, -1.0)) if self.labelled else tuple(found)

    def density_ratio(self, t: Array) -> Array:
        """A(t) / N(t), for the law of x given y = 1."""
        t = np.asarray(t, dtype=np.float64)
        parts = [bump for bump in self.bumps if bump.label > 0]
        share = sum(bump.weight for bump in parts)
        total = np.zeros_like(t)
        for b in parts:
            exponent = t * t / 2 - (t - b.mean) ** 2 / (2 * b.variance)
            total += b.weight / share * np.exp(exponent) / np.sqrt(b.variance)
        return total

    def draw(self, *, seed: Seed = 0, direction: Array | None = None) -> ComponentInstance:
        """An instance with a hidden direction, uniform on the sphere unless given."""
        if direction is None:
            v = rng(seed, Role.INSTANCE).standard_normal(self.dimension)
        else:
            v = np.array(direction, dtype=np.float64)
            if v.shape != (self.dimension,) or not 0 < np.linalg.norm(v) < np.inf:
                raise BadInput(
                    f"direction of shape {v.shape}; wanted a finite non-zero ({self.dimension},)"
                )
        return ComponentInstance(self, v / np.linalg.norm(v))


@final
@dataclass(frozen=True, eq=False)
class ComponentInstance:
    """A problem with its secret, the direction of the component."""

    problem: NonGaussianComponent
    direction: Array = field(repr=False)

    @property
    def label_bound(self) -> float:
        """The largest |y|."""
        return 1.0

    def examples(
        self, of_inputs: np.random.Generator, of_labels: np.random.Generator, count: int, turn: int
    ) -> tuple[Array, Array]:
        """Inputs (count, d) and labels (count,)."""
        bumps = self.problem.bumps
        weights = np.array([b.weight for b in bumps])
        which = of_labels.choice(len(bumps), size=count, p=weights / weights.sum())
        g = of_inputs.standard_normal((count, self.problem.dimension))
        along = g @ self.direction
        means = np.array([b.mean for b in bumps])[which]
        deviations = np.sqrt([b.variance for b in bumps])[which]
        moved = means + (deviations - 1) * along
        return g + np.outer(moved, self.direction), np.array([b.label for b in bumps])[which]
