"""Product laws of the inputs other than the Gaussian, and labels that low degrees do not see.

A sample of a law, with labels, is a table that is taken for the law itself: its means differ from
the law's by about examples^(-1/2).  This file does not know learners.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowerbounds.quantities import Estimate
from sqsim.lowrank import Array
from sqsim.problems.dataset import Dataset
from sqsim.seeds import Role, Seed, rng

LAWS: Mapping[str, Callable[[np.random.Generator, tuple[int, int], float], Any]] = {
    "gaussian": lambda draw, shape, nu: draw.standard_normal(shape),
    "uniform": lambda draw, shape, nu: draw.uniform(-math.sqrt(3), math.sqrt(3), shape),
    "laplace": lambda draw, shape, nu: draw.laplace(0.0, math.sqrt(0.5), shape),
    "student": lambda draw, shape, nu: draw.standard_t(nu, shape) * math.sqrt((nu - 2) / nu),
    "discrete": lambda draw, shape, nu: math.sqrt(1.5) * (draw.integers(0, 3, shape) - 1.0),
    "signs": lambda draw, shape, nu: 1.0 - 2.0 * draw.integers(0, 2, shape),
}
"""Coordinates of mean 0 and variance 1, by name; "discrete" has three equally likely values."""

SILENT = 1e-20
"""Energy of a label that is rounding alone."""

ROWS_A_MONOMIAL = 20
"""Fewer would let the removal of low degrees remove noise as well."""


@final
@dataclass(frozen=True)
class MarginalNeuron:
    """sigma(<v, x> + bias) under a product law, less its best polynomial of degree `cutoff` in x.

    Attributes
    ----------
    law : a name of LAWS.
    cutoff : -1 removes nothing.
    examples : rows of the table.
    freedom : degrees of freedom of "student", above 4 so that energies have a variance.
    """

    dimension: int
    bias: float = -1.5
    law: str = "gaussian"
    cutoff: int = 2
    examples: int = 20_000
    freedom: float = 6.0

    def __post_init__(self) -> None:
        if self.law not in LAWS:
            raise BadInput(f"law is {self.law!r}; wanted one of {', '.join(LAWS)}")
        if not self.freedom > 4:
            raise BadInput(f"freedom is {self.freedom}; a label's energy has a variance above 4")
        if self.dimension < 2 or self.cutoff < -1:
            raise BadInput(
                f"dimension {self.dimension}, cutoff {self.cutoff}; wanted >= 2 and >= -1"
            )
        monomials = math.comb(self.dimension + self.cutoff, max(self.cutoff, 0))
        if self.examples < ROWS_A_MONOMIAL * monomials:
            raise BadInput(
                f"{monomials} monomials of degree up to {self.cutoff} in dimension "
                f"{self.dimension} want {ROWS_A_MONOMIAL * monomials} examples, and there are "
                f"{self.examples}; take more, or a smaller cutoff or dimension"
            )

    def sample(self, seed: Seed) -> MarginalSample:
        """Inputs and a hidden direction of this seed."""
        draw = rng(seed, Role.INSTANCE)
        inputs = LAWS[self.law](draw, (self.examples, self.dimension), self.freedom)
        return MarginalSample(self, np.asarray(inputs), unit_rows(1, self.dimension, draw)[0])


@final
@dataclass(frozen=True, eq=False)
class MarginalSample:
    """A table of inputs with a hidden direction."""

    neuron: MarginalNeuron
    inputs: Array
    direction: Array

    @cached_property
    def low_degrees(self) -> Array:
        """Orthonormal columns that span the polynomials of degree <= cutoff on the table."""
        count, dimension = self.inputs.shape
        columns = [np.ones(count)] if self.neuron.cutoff >= 0 else []
        for degree in range(1, self.neuron.cutoff + 1):
            for chosen in combinations_with_replacement(range(dimension), degree):
                columns.append(np.prod(self.inputs[:, list(chosen)], axis=1))
        if not columns:
            return np.zeros((count, 0))
        u, sizes, _ = np.linalg.svd(np.stack(columns, axis=1), full_matrices=False)
        return np.asarray(u[:, sizes > 1e-9 * sizes[0]])

    def residuals(self, directions: Array) -> Array:
        """The labels of these directions (rows), low degrees removed: one column for each."""
        values = self.neurons(directions)
        return np.asarray(values - self.low_degrees @ (self.low_degrees.T @ values))

    def neurons(self, directions: Array) -> Array:
        """The clean labels, one column for each direction."""
        return np.maximum(self.inputs @ directions.T + self.neuron.bias, 0.0)

    @cached_property
    def removed(self) -> float:
        """E[removed^2] on the table: at least OPT."""
        whole = self.neurons(self.direction[None])
        return float(np.mean((whole - self.residuals(self.direction[None])) ** 2))

    def table(self) -> Dataset:
        """Inputs and labels of the hidden direction."""
        return Dataset(self.inputs, self.residuals(self.direction[None])[:, 0])


def frames(count: int, dimension: int, draw: np.random.Generator) -> Array:
    """At least so many unit vectors: random orthonormal bases of the space, and their opposites.

    Independent directions would by chance weigh some of the space more than the rest, which
    lengthens the largest eigenvalue; bases with both signs weigh all alike to degree 3.
    """
    bases = [
        np.linalg.qr(draw.standard_normal((dimension, dimension)))[0]
        for _ in range(math.ceil(count / (2 * dimension)))
    ]
    return np.concatenate([*bases, *(-base for base in bases)])


def unit_rows(count: int, dimension: int, draw: np.random.Generator) -> Array:
    """Independent uniform unit vectors."""
    rows = draw.standard_normal((count, dimension))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def correlational_dimension(sample: MarginalSample, *, directions: int, seed: Seed) -> Estimate:
    """1 / lambda for the family of residuals, lambda = the largest eigenvalue per unit of energy.

    Of the Gram matrix of N directions, their mean taken away, N times the energy over the largest
    eigenvalue: how many directions a correlational query cannot tell apart while answers are the
    mean of the family, as `dimension_cells` counts them; about N at most.  An estimate: the error
    is the difference from half of the examples, which also have the larger bias.
    """
    rows = frames(directions, sample.neuron.dimension, rng(seed, Role.LEARNER))
    values = sample.residuals(rows)
    whole, half = _dimension(values), _dimension(values[: len(values) // 2])
    method = f"Gram matrix of {directions} directions on {len(values)} examples"
    return Estimate(whole, abs(whole - half), method)


def _dimension(values: Array) -> float:
    energy = float(np.sum(values**2))
    if not energy > SILENT * len(values):
        raise BadInput(
            "the labels of these directions are 0 once low degrees are removed: the neuron is "
            "never active under this law, or is a polynomial there; use a bias nearer to 0, a "
            "smaller cutoff or more dimensions"
        )
    apart = values - values.mean(axis=1, keepdims=True)
    return energy / float(np.linalg.eigvalsh(apart.T @ apart)[-1])
