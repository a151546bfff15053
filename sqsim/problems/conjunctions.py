"""Conjunctions as ReLU neurons on the cube, and what a noisy parity leaves them to gain.

On {-1, 1}^n a literal is x_i = 1.  This file does not know queries or learners.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.parity import SparseParity


def conjunction_neuron(dimension: int, subset: Iterable[int]) -> ReluHypothesis:
    """1(x_i = 1 for all i in S) = relu(sum_S x_i / 2 - |S| / 2 + 1) on {-1, 1}^n, exactly.

    With b_i = (1 + x_i) / 2 it is relu(sum_S b_i - (|S| - 1)), whose weights have l1 norm
    2 |S| - 1 with the bias on a constant coordinate; on signs that is |S| - 1 for |S| >= 2.
    """
    members = sorted(set(subset))
    if not members or not all(0 <= i < dimension for i in members):
        raise BadInput(f"subset {members}; wanted some of the coordinates 0, ..., {dimension - 1}")
    weights = np.zeros(dimension)
    weights[members] = 0.5
    return ReluHypothesis(weights, 1 - len(members) / 2)


@final
@dataclass(frozen=True)
class ConjunctionGain:
    """What conjunctions gain on the labels of a noisy parity, exactly; derived here.

    y = chi_S(x) flipped with probability eta, |S| = k, x uniform on the cube, and labels
    y' = floor + (1 - floor) (1 + y) / 2.  For h with values in [floor, 1],
    E|h - y'| = (1 - floor) / 2 - E[y h]: what cannot see y loses (1 - floor) / 2.  The conjunction
    c_S has E[y c_S] = (1 - 2 eta) 2^-k, as chi_S = 1 where c_S = 1 and E[c_S] = 2^-k.

    Parameters
    ----------
    problem : SparseParity on the cube, of at least one coordinate.
    floor : exact; 0 for agnostic learners.
    """

    problem: SparseParity
    floor: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        if self.problem.lifted or self.problem.sparsity < 1:
            raise BadInput("wanted a parity of at least one sign, on the cube (lifted=False)")
        if not 0 <= self.floor < 1:
            raise BadInput(f"floor is {self.floor}; labels lie in {{floor, 1}}, floor in [0, 1)")

    @property
    def correlation(self) -> Fraction:
        """gamma = E[y c_S] = (1 - 2 eta) 2^-k."""
        return (1 - 2 * self.problem.flip_rate) * Fraction(1, 2**self.problem.sparsity)

    @property
    def gain(self) -> Fraction:
        """(1 - floor) / 2 - E|c_S - y'| = (1 - floor) gamma - floor (1 - 2^-k)."""
        rest = 1 - Fraction(1, 2**self.problem.sparsity)
        return (1 - self.floor) * self.correlation - self.floor * rest

    @property
    def blind_loss(self) -> Fraction:
        """What every function of other coordinates loses at least: (1 - floor) / 2."""
        return (1 - self.floor) / 2


def reliable_floor(problem: SparseParity) -> Fraction:
    """The floor at which half of the gain is left: gamma / 2 over gamma + 1 - 2^-k.

    All labels are then positive, so that every function is reliable and a reliable learner is an
    agnostic one.
    """
    gamma = ConjunctionGain(problem).correlation
    return gamma / 2 / (gamma + 1 - Fraction(1, 2**problem.sparsity))
