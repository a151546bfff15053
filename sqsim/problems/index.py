"""Gaussian index models: what the learner may know (the problem) and the secret (the instance).

This file does not know queries or oracles.  Losses are E[(yhat - y)^2], without 1/2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.inputs import Gaussian
from sqsim.links import Link, Relu
from sqsim.lowrank import Array
from sqsim.problems.corruption import Corruption, LabelNoise
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.labels import LabelLaw, Term
from sqsim.problems.problem import Problem
from sqsim.seeds import Role, Seed, rng


@final
@dataclass(frozen=True)
class ReluRegression(Problem):
    """Agnostic ReLU regression: y is near sigma(<w, x> + b), x ~ N(0, I_d), <w, x> = norm <v, x>.

    Parameters
    ----------
    dimension : int
    norm, bias : float, optional
        ||w|| and b where the learner is told; None where it must find them.
    """

    dimension: int
    norm: float | None = None
    bias: float | None = None

    def __post_init__(self) -> None:
        Gaussian(self.dimension)
        if self.norm is not None and not 0 < self.norm < np.inf:
            raise BadInput(f"norm is {self.norm}; a known norm is positive (None: unknown)")
        if self.bias is not None and not np.isfinite(self.bias):
            raise BadInput(f"bias is {self.bias}; a known bias is finite (None: unknown)")

    @property
    def inputs(self) -> Gaussian:
        return Gaussian(self.dimension)

    def draw(
        self,
        *,
        norm: float | None = None,
        bias: float | None = None,
        corruptions: Sequence[Corruption] = (),
        seed: Seed = 0,
        direction: Array | None = None,
    ) -> IndexInstance:
        """An instance with a hidden direction, uniform on the sphere unless given.

        Parameters
        ----------
        norm, bias : float
            Of the target; default to what the problem makes known (norm 1 and bias 0 otherwise).
        corruptions : sequence of Corruption
            Applied in order.
        """
        for name, known, given in (("norm", self.norm, norm), ("bias", self.bias, bias)):
            if known is not None and given is not None and known != given:
                raise BadInput(f"the problem tells the learner {name} = {known}, not {given}")
        norm = norm if norm is not None else (1.0 if self.norm is None else self.norm)
        bias = bias if bias is not None else (0.0 if self.bias is None else self.bias)
        generator = rng(seed, Role.INSTANCE)
        if isinstance(corruptions, Corruption):
            corruptions = (corruptions,)
        if direction is None:
            v = generator.standard_normal(self.dimension)
        else:
            v = np.array(direction, dtype=np.float64)
            if v.shape != (self.dimension,) or not np.linalg.norm(v) > 0:
                raise BadInput(
                    f"direction of shape {v.shape}; wanted a non-zero ({self.dimension},)"
                )
        v = v / np.linalg.norm(v)
        link = Relu(bias, norm)
        labels, budget = LabelLaw((Term(v, link),)), 0.0
        for corruption in corruptions:
            if not isinstance(corruption, Corruption):
                raise BadInput(f"corruptions hold {corruption!r}; wanted Corruption objects")
            labels, added = corruption.apply(labels, generator)
            if not isinstance(corruption, LabelNoise):
                # Functions of x add by the triangle inequality, independent noise exactly.
                budget = (np.sqrt(budget) + np.sqrt(added)) ** 2 if budget else added
        bound = float(budget) + labels.noise**2
        return IndexInstance(self, labels, ReluHypothesis(norm * v, bias), bound)


@final
@dataclass(frozen=True, eq=False)
class IndexInstance:
    """A problem with its secret: the law of the label and the uncorrupted target.

    Attributes
    ----------
    opt_upper_bound : float
        At least E[(y - target)^2], and so at least what the best neuron loses.  Equal to it for
        one corruption and independent noise; several others are added by the triangle inequality.
    """

    problem: Problem
    labels: LabelLaw
    target: ReluHypothesis
    opt_upper_bound: float

    @cached_property
    def direction(self) -> Array:
        """The hidden unit vector v."""
        return self.target.weights / self.target.norm


@final
@dataclass(frozen=True)
class SingleIndex(Problem):
    """y = link(<v, x>) + noise with a link that the learner knows, x ~ N(0, I_d)."""

    dimension: int
    link: Link
    norm: float | None = 1.0
    bias: float | None = 0.0

    @property
    def inputs(self) -> Gaussian:
        return Gaussian(self.dimension)

    def draw(
        self, *, noise: float = 0.0, seed: Seed = 0, direction: Array | None = None
    ) -> IndexInstance:
        """An instance with a hidden direction; its target, a neuron, is only named, not fitted."""
        if not 0 <= noise < np.inf:
            raise BadInput(f"noise is {noise}; a standard deviation is finite and >= 0")
        neuron = ReluRegression(self.dimension).draw(seed=seed, direction=direction)
        labels = LabelLaw((Term(neuron.direction, self.link),), noise)
        return IndexInstance(self, labels, neuron.target, float("inf"))
