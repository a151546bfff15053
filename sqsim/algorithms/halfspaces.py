"""Halfspaces as hypotheses, and their disagreement with Boolean labels.

This file does not know how a halfspace is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.algorithms.boolean_labels import BooleanLabels, label_free
from sqsim.lowrank import Array
from sqsim.problems.problem import Problem
from sqsim.queries import Batch, Query, Ridge
from sqsim.strategy import SQ


@final
@dataclass(frozen=True, eq=False, repr=False)
class Halfspace:
    """x -> 1(<normal, x> >= threshold), the normal a unit vector."""

    normal: Array
    threshold: float = 0.0

    def __call__(self, inputs: Array) -> Array:
        return (inputs @ self.normal >= self.threshold).astype(np.float64)

    def __repr__(self) -> str:
        return f"Halfspace(dimension={len(self.normal)}, threshold={self.threshold:.6g})"

    @property
    def form(self) -> Ridge:
        """The indicator, as what is averaged in a query."""
        level = self.threshold
        return Ridge(
            lambda s: (s >= level).astype(np.float64), self.normal, kinks=(self.threshold,)
        )


def membership(labels: BooleanLabels, halfspace: Halfspace) -> Query:
    """What tells P(positive and inside): all of the disagreement that depends on the halfspace."""
    return labels.query(halfspace.form, "positives inside")


def surplus(problem: Problem, labels: BooleanLabels, halfspace: Halfspace, answer: object) -> float:
    """P(label differs from the halfspace) - P(positive), from the answer to `membership`.

    It is P(inside) - 2 P(positive and inside).
    """
    form = halfspace.form
    inside = float(label_free(problem, form))
    return inside - 2 * float(labels.read(problem, form, answer))


def least_disagreement(
    problem: Problem, labels: BooleanLabels, halfspaces: Sequence[Halfspace]
) -> SQ[Halfspace]:
    """The halfspace that agrees best with the labels: one round of one scalar for each."""
    answers = yield Batch(tuple(membership(labels, one) for one in halfspaces))
    losses = [
        surplus(problem, labels, one, answer)
        for one, answer in zip(halfspaces, answers, strict=True)
    ]
    return halfspaces[int(np.argmin(losses))]
