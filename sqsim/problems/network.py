"""Sums of a few biased ReLU neurons: the depth-2 network, its regression problem, its directions.

This file does not know who learns.  Losses are E[(yhat - y)^2], without 1/2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.inputs import Gaussian
from sqsim.links import Relu, Scaled
from sqsim.lowrank import Array
from sqsim.problems.corruption import Corruption, LabelNoise
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.index import IndexInstance
from sqsim.problems.labels import LabelLaw, Term
from sqsim.problems.problem import Problem
from sqsim.seeds import Role, Seed, rng


@final
@dataclass(frozen=True, eq=False, repr=False)
class ReluNetwork:
    """x -> sum_j outer[j] max(0, <directions[j], x> + biases[j]), the directions of unit length.

    Parameters
    ----------
    outer : (k,) array
        Weights of any sign.
    directions : (k, d) array
    biases : (k,) array
    """

    outer: Array
    directions: Array
    biases: Array

    def __post_init__(self) -> None:
        outer, rows, biases = (
            np.array(part, dtype=np.float64) for part in (self.outer, self.directions, self.biases)
        )
        count = len(outer) if outer.ndim == 1 else -1
        if rows.ndim != 2 or len(rows) != count or biases.shape != (count,):
            raise BadInput(
                f"outer {outer.shape}, directions {rows.shape} and biases {biases.shape}; wanted "
                "(k,), (k, d) and (k,)"
            )
        if not all(np.isfinite(part).all() for part in (outer, rows, biases)):
            raise BadInput("a network has finite weights, directions and biases")
        lengths = np.linalg.norm(rows, axis=1)
        if np.any(np.abs(lengths - 1) > 1e-9):
            raise BadInput(f"directions have lengths {lengths}; wanted 1: put norms into `outer`")
        object.__setattr__(self, "outer", outer)
        object.__setattr__(self, "directions", rows / lengths[:, None])
        object.__setattr__(self, "biases", biases)

    def __call__(self, inputs: Array) -> Array:
        return np.asarray(np.maximum(inputs @ self.directions.T + self.biases, 0.0) @ self.outer)

    def __repr__(self) -> str:
        sizes = ", ".join(
            f"{a:.4g} sigma(. {b:+.4g})" for a, b in zip(self.outer, self.biases, strict=True)
        )
        return f"ReluNetwork(dimension={self.dimension}: {sizes or 'zero'})"

    @property
    def count(self) -> int:
        """How many neurons."""
        return len(self.outer)

    @property
    def dimension(self) -> int:
        return int(self.directions.shape[1])

    def without(self, index: int) -> ReluNetwork:
        """The other neurons."""
        kept = np.arange(self.count) != index
        return ReluNetwork(self.outer[kept], self.directions[kept], self.biases[kept])

    def joined(self, other: ReluNetwork) -> ReluNetwork:
        """The sum of the two."""
        return ReluNetwork(
            np.append(self.outer, other.outer),
            np.concatenate([self.directions, other.directions]),
            np.append(self.biases, other.biases),
        )

    def links(self) -> list[Scaled]:
        """The neurons as functions of their projections."""
        pairs = zip(self.outer.tolist(), self.biases.tolist(), strict=True)
        return [Scaled(Relu(bias), weight) for weight, bias in pairs]


def no_neurons(dimension: int) -> ReluNetwork:
    """The network that predicts 0 everywhere."""
    return ReluNetwork(np.zeros(0), np.zeros((0, dimension)), np.zeros(0))


def neuron_network(neuron: ReluHypothesis, *, sign: float = 1.0) -> ReluNetwork:
    """One neuron, or its negative; none where its weights are 0."""
    norm = neuron.norm
    if norm == 0.0:
        return no_neurons(len(neuron.weights))
    bias = np.array([neuron.bias / norm])
    return ReluNetwork(np.array([sign * norm]), neuron.weights[None, :] / norm, bias)


@final
@dataclass(frozen=True)
class NetworkRegression(Problem):
    """Agnostic regression: y is near sum_j a_j sigma(<v_j, x> + b_j), x ~ N(0, I_d).

    Depth-2 networks of general ReLU neurons are those of Awasthi, Tang and Vijayaraghavan (2021);
    here the number of neurons is small and told, and labels may be corrupted.

    Parameters
    ----------
    dimension : int
    neurons : int
        How many the learner is told there are.
    """

    dimension: int
    neurons: int
    norm: None = None
    bias: None = None

    def __post_init__(self) -> None:
        Gaussian(self.dimension)
        if not 1 <= self.neurons <= self.dimension:
            raise BadInput(
                f"{self.neurons} neurons in dimension {self.dimension}; wanted 1 to the dimension"
            )

    @property
    def inputs(self) -> Gaussian:
        return Gaussian(self.dimension)

    def network(
        self,
        *,
        overlap: float | Array | None = 0.0,
        biases: float | Sequence[float] = 0.0,
        outer: float | Sequence[float] = 1.0,
        seed: Seed = 0,
    ) -> ReluNetwork:
        """A network whose span is uniform in R^d.

        Parameters
        ----------
        overlap : number, (k, k) array or None
            Every <v_i, v_j>, or their Gram matrix, or None for independent uniform directions.
        biases, outer : number or one for each neuron
        """
        k, generator = self.neurons, rng(seed, Role.INSTANCE)
        gaussian = generator.standard_normal((self.dimension, k))
        if overlap is None:
            rows = (gaussian / np.linalg.norm(gaussian, axis=0)).T
        else:
            rows = (np.linalg.qr(gaussian)[0] @ _root(_gram(overlap, k))).T
            rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return ReluNetwork(_each(outer, k, "outer"), rows, _each(biases, k, "biases"))

    def draw(
        self, network: ReluNetwork, *, corruptions: Sequence[Corruption] = (), seed: Seed = 0
    ) -> IndexInstance:
        """An instance with these neurons; corruptions act relative to the first of them.

        The target that an instance names is that one neuron: the network is the caller's.
        """
        if network.dimension != self.dimension or network.count != self.neurons:
            raise BadInput(
                f"a network of {network.count} neurons in dimension {network.dimension}; the "
                f"problem has {self.neurons} in dimension {self.dimension}"
            )
        if not network.outer[0]:
            raise BadInput("the first neuron has weight 0; corruptions are relative to it")
        labels, budget = LabelLaw(terms_of(network)), 0.0
        generator = rng(seed, Role.INSTANCE, 1)
        for corruption in corruptions:
            labels, added = corruption.apply(labels, generator)
            if not isinstance(corruption, LabelNoise):
                # Functions of x add by the triangle inequality, independent noise exactly.
                budget = (np.sqrt(budget) + np.sqrt(added)) ** 2 if budget else added
        size = abs(float(network.outer[0]))
        target = ReluHypothesis(size * network.directions[0], size * float(network.biases[0]))
        return IndexInstance(self, labels, target, float(budget) + labels.noise**2)


def terms_of(network: ReluNetwork) -> tuple[Term, ...]:
    """The network as terms of a label."""
    return tuple(
        Term(row, link) for row, link in zip(network.directions, network.links(), strict=True)
    )


def _gram(overlap: float | Array, count: int) -> Array:
    given = np.asarray(overlap, dtype=np.float64)
    gram = given if given.ndim else np.full((count, count), float(given))
    if not given.ndim:
        gram = gram + (1 - float(given)) * np.eye(count)
    square = gram.shape == (count, count) and np.array_equal(gram, gram.T)
    if not square or np.any(np.abs(np.diag(gram) - 1) > 1e-12):
        raise BadInput(
            f"overlap is {overlap!r}; wanted a number, or a symmetric ({count}, {count}) matrix "
            "with 1 on its diagonal"
        )
    if float(np.linalg.eigvalsh(gram)[0]) < -1e-12:
        raise BadInput(
            f"overlap is {overlap!r}, of least eigenvalue {np.linalg.eigvalsh(gram)[0]:.3g}; no "
            f"{count} unit vectors have these inner products"
        )
    return gram


def _root(gram: Array) -> Array:
    values, vectors = np.linalg.eigh(gram)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T)


def _each(given: float | Sequence[float], count: int, name: str) -> Array:
    values = np.asarray(given, dtype=np.float64)
    if values.ndim == 0:
        values = np.full(count, float(values))
    if values.shape != (count,) or not np.isfinite(values).all():
        raise BadInput(f"{name} are {given!r}; wanted one finite number, or one for each neuron")
    return values
