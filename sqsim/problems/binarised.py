"""Two-layer networks with binarised activations: y = sum_i v_i 1(<z_i, w> > 0), Gaussian rows z_i.

The input is the (m, n) matrix Z, read row by row as one vector of m n coordinates.  This file does
not know who learns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.inputs import Gaussian
from sqsim.links import Scaled, Step
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.index import IndexInstance
from sqsim.problems.labels import LabelLaw, Term
from sqsim.problems.problem import Problem
from sqsim.seeds import Role, Seed, rng


@final
@dataclass(frozen=True, eq=False)
class BinarisedNetwork:
    """Z -> sum_i outer[i] 1(<z_i, filter> > 0), the same filter for every row."""

    outer: Array
    filter: Array

    def __call__(self, inputs: Array) -> Array:
        rows = inputs.reshape(len(inputs), len(self.outer), len(self.filter))
        return np.asarray((rows @ self.filter > 0) @ self.outer)


@final
@dataclass(frozen=True)
class BinarisedRegression(Problem):
    """y = sum_i v_i 1(<z_i, w> > 0) with v in R^rows and a unit w in R^columns, Z Gaussian.

    Yin, Lyu, Zhang, Osher, Qi and Xin (2019).
    """

    rows: int
    columns: int
    norm: float | None = None
    bias: float | None = None

    def __post_init__(self) -> None:
        if min(self.rows, self.columns) < 1:
            raise BadInput(f"rows {self.rows} and columns {self.columns}; wanted at least 1 each")
        Gaussian(self.dimension)

    @property
    def dimension(self) -> int:  # type: ignore[override]
        return self.rows * self.columns

    @property
    def inputs(self) -> Gaussian:
        return Gaussian(self.dimension)

    def draw(
        self,
        *,
        outer: Array | None = None,
        filter: Array | None = None,
        noise: float = 0.0,
        seed: Seed = 0,
    ) -> IndexInstance:
        """An instance; weights are standard normal and the filter uniform unless given.

        Its target, a neuron along the first row's filter, is only named, not fitted.
        """
        if not 0 <= noise < np.inf:
            raise BadInput(f"noise is {noise}; a standard deviation is finite and >= 0")
        generator = rng(seed, Role.INSTANCE)
        v = generator.standard_normal(self.rows) if outer is None else np.array(outer, dtype=float)
        w = generator.standard_normal(self.columns) if filter is None else np.array(filter, float)
        if v.shape != (self.rows,) or w.shape != (self.columns,) or not np.linalg.norm(w) > 0:
            raise BadInput(
                f"outer of shape {v.shape} and filter of shape {w.shape}; wanted ({self.rows},) "
                f"and a non-zero ({self.columns},)"
            )
        w = w / np.linalg.norm(w)
        terms = tuple(
            Term(self.in_row(w, i), Scaled(Step(), float(v[i]))) for i in range(self.rows)
        )
        target = ReluHypothesis(self.in_row(w, 0), 0.0)
        return IndexInstance(self, LabelLaw(terms, noise), target, float("inf"))

    def in_row(self, vector: Array, row: int) -> Array:
        """The input direction that is this vector on one row of Z and 0 on the others."""
        found = np.zeros((self.rows, self.columns))
        found[row] = vector
        return found.ravel()
