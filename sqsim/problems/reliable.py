"""Reliable ReLU regression over any law in the unit ball: the problem, and instances of it.

This file does not know queries or oracles.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.inputs import Empirical, Inputs
from sqsim.lowrank import Array
from sqsim.problems.dataset import Dataset
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.problem import Problem
from sqsim.seeds import Role, Seed, rng


@final
@dataclass(frozen=True, eq=False)
class ReliableRegression(Problem):
    """Labels y in [0, 1] near max(<w, x>, 0), ||w|| <= 1, x in the unit ball; y = 0 must be kept.

    Parameters
    ----------
    law : Inputs
        Sphere(n), or Empirical(points) for a finite support.
    """

    law: Inputs
    norm: float | None = None
    bias: float | None = 0.0

    @property
    def dimension(self) -> int:  # type: ignore[override]
        return self.law.dimension

    @property
    def inputs(self) -> Inputs:
        return self.law

    def draw(
        self,
        *,
        norm: float = 1.0,
        direction: Array | None = None,
        corruptions: Sequence[LabelChange] = (),
        seed: Seed = 0,
    ) -> ReliableInstance:
        """An instance with a hidden neuron, in a uniform direction unless given.

        Parameters
        ----------
        norm : ||w||, in (0, 1].
        corruptions : changes of the label, in order.
        """
        if not 0 < norm <= 1:
            raise BadInput(f"norm is {norm!r}; wanted one in (0, 1], so that labels are in [0, 1]")
        v = rng(seed, Role.INSTANCE).standard_normal(self.dimension)
        v = v if direction is None else np.asarray(direction, dtype=np.float64)
        if v.shape != (self.dimension,) or not 0 < np.linalg.norm(v) < np.inf:
            raise BadInput(f"direction has shape {v.shape}; wanted a non-zero ({self.dimension},)")
        neuron = ReluHypothesis(norm * v / np.linalg.norm(v), 0.0)
        return ReliableInstance(self, ReliableLabels(neuron, tuple(corruptions)))


class LabelChange(ABC):
    """What an adversary does to labels, as a function of the input."""

    @abstractmethod
    def apply(self, neuron: ReluHypothesis, inputs: Array, labels: Array) -> Array:
        """The labels after the change."""


@final
@dataclass(frozen=True, eq=False)
class Raised(LabelChange):
    """y = level wherever the neuron is 0 and <direction, x> >= above.

    No reliable neuron is lost by it; all that follow the neuron pay.
    """

    direction: Array
    above: float = 0.0
    level: float = 1.0

    def apply(self, neuron: ReluHypothesis, inputs: Array, labels: Array) -> Array:
        where = (neuron(inputs) == 0) & (inputs @ np.asarray(self.direction) >= self.above)
        return np.where(where, self.level, labels)


@final
@dataclass(frozen=True, eq=False)
class Zeroed(LabelChange):
    """y = 0 wherever <direction, x> >= above: neurons that are positive there are not reliable."""

    direction: Array
    above: float

    def apply(self, neuron: ReluHypothesis, inputs: Array, labels: Array) -> Array:
        return np.where(inputs @ np.asarray(self.direction) >= self.above, 0.0, labels)


@final
@dataclass(frozen=True, eq=False)
class ReliableLabels:
    """The label as a function of the input."""

    neuron: ReluHypothesis
    changes: tuple[LabelChange, ...]

    def __call__(self, inputs: Array) -> Array:
        labels = np.clip(self.neuron(inputs), 0.0, 1.0)
        for change in self.changes:
            labels = change.apply(self.neuron, inputs, labels)
        return np.asarray(labels)

    def draw(self, inputs: Array, rng: np.random.Generator) -> Array:
        """Labels of these inputs; nothing is random."""
        return self(inputs)


@final
@dataclass(frozen=True, eq=False)
class ReliableInstance:
    """A problem with its labels.  Continuous laws are sampled; a finite one is a `table`."""

    problem: ReliableRegression
    labels: ReliableLabels

    @property
    def label_bound(self) -> float:
        """Of |y|."""
        return 1.0

    @cached_property
    def table(self) -> Dataset:
        """The finite support with its labels, whose means are exact sums."""
        law = self.problem.inputs
        if not isinstance(law, Empirical):
            raise BadInput(
                f"{type(law).__name__} has no finite support; average with MonteCarlo, or make "
                "the problem over Empirical(points)"
            )
        return Dataset(law.table, self.labels(np.asarray(law.table, float)))
