"""Values of a secret polynomial on the sphere, of which an adversary has replaced some.

This file does not know queries or learners.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.multinomial import MonomialFeatures
from sqsim.problems.dataset import Dataset
from sqsim.seeds import Role, Seed, rng


class Adversary(Protocol):
    """Who replaces labels: it sees everything."""

    def __call__(
        self, inputs: Array, values: Array, count: int, stream: np.random.Generator
    ) -> tuple[NDArray[np.int64], Array]:
        """Which `count` rows are wrong, and their labels in [0, 1]."""
        ...


@final
@dataclass(frozen=True)
class FarEnd:
    """Rows drawn at random; a label goes to the end of [0, 1] that is further from it."""

    def __call__(
        self, inputs: Array, values: Array, count: int, stream: np.random.Generator
    ) -> tuple[NDArray[np.int64], Array]:
        rows = stream.permutation(len(values))[:count]
        return rows, np.where(values[rows] < 0.5, 1.0, 0.0)


@final
@dataclass(frozen=True)
class Lifted:
    """The rows where the polynomial is least; their labels are 1, so that all errors agree."""

    def __call__(
        self, inputs: Array, values: Array, count: int, stream: np.random.Generator
    ) -> tuple[NDArray[np.int64], Array]:
        rows = np.argsort(values, kind="stable")[:count]
        return rows, np.ones(count)


@final
@dataclass(frozen=True)
class Impostor:
    """Rows drawn at random, whose labels come from one other polynomial of the same kind."""

    degree: int

    def __call__(
        self, inputs: Array, values: Array, count: int, stream: np.random.Generator
    ) -> tuple[NDArray[np.int64], Array]:
        rows = stream.permutation(len(values))[:count]
        features = MonomialFeatures(inputs.shape[1], self.degree)
        other = _between(features, inputs, stream)
        return rows, np.clip(features.values(other, inputs[rows]), 0.0, 1.0)


@final
@dataclass(frozen=True, eq=False)
class PlantedPolynomial:
    """A table with its secret.

    Attributes
    ----------
    dataset : inputs on the sphere, labels in [0, 1]: what an oracle is made of.
    features : MonomialFeatures
    coefficients : of the polynomial, in their coordinates.
    wrong : (rows,) booleans, where the label is not the polynomial's.
    """

    dataset: Dataset
    features: MonomialFeatures
    coefficients: Array
    wrong: NDArray[np.bool_]

    @property
    def weight(self) -> float:
        """The sum of its squared coefficients."""
        return float(self.coefficients @ self.coefficients)

    def __call__(self, inputs: Array) -> Array:
        """Its values at the rows of an (n, dimension) array."""
        return self.features.values(self.coefficients, inputs)


def planted_polynomial(
    *,
    rows: int,
    dimension: int,
    degree: int,
    wrong: float,
    adversary: Adversary,
    seed: Seed = 0,
) -> PlantedPolynomial:
    """A random polynomial with values in [0, 1] at points drawn uniformly from the sphere.

    Parameters
    ----------
    rows, dimension, degree : int
    wrong : float
        The fraction of labels that the adversary replaces, in [0, 1/2).
    adversary : FarEnd, Lifted, Impostor or a function of one's own
    seed : int
    """
    if not 0 <= wrong < 0.5:
        raise BadInput(f"wrong is {wrong!r}; the fraction of wrong labels is in [0, 1/2)")
    stream = rng(seed, Role.INSTANCE)
    features = MonomialFeatures(dimension, degree)
    x = stream.standard_normal((rows, dimension))
    x /= np.linalg.norm(x, axis=1)[:, None]
    coefficients = _between(features, x, stream)
    values = features.values(coefficients, x)
    count = int(wrong * rows)
    labels, marked = values.copy(), np.zeros(rows, dtype=bool)
    if count:
        chosen, replaced = adversary(x, values, count, stream)
        labels[chosen], marked[chosen] = replaced, True
    return PlantedPolynomial(Dataset(x, labels), features, coefficients, marked)


def _between(features: MonomialFeatures, inputs: Array, stream: np.random.Generator) -> Array:
    """Random coefficients, moved and scaled so that all values on these inputs are in [0, 1]."""
    coefficients = stream.standard_normal(features.size)
    values = features.values(coefficients, inputs)
    low, high = float(values.min()), float(values.max())
    coefficients /= high - low
    coefficients[np.flatnonzero(features.degrees == 0)[0]] -= low / (high - low)
    return coefficients
