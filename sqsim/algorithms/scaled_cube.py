"""Learners for the unit ball, run on the cube: its points divided by sqrt n lie on the sphere.

This file does not know what is learned.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar, final

import numpy as np

from sqsim.algorithms.dropped_bits import values
from sqsim.algorithms.transport import Reader, transported
from sqsim.errors import BadInput
from sqsim.forms import Form
from sqsim.inputs import Empirical
from sqsim.lowrank import Array
from sqsim.problems.ball import cube_points
from sqsim.problems.cube import CubeProblem
from sqsim.problems.dataset import TableProblem
from sqsim.queries import Opaque, Query
from sqsim.strategy import Strategy

G = TypeVar("G", bound=Callable[[Array], Any])


@final
@dataclass(frozen=True)
class OnSigns:
    """A hypothesis over the sphere as one over signs: x -> guess(x / sqrt n)."""

    guess: Callable[[Array], Any]

    def __call__(self, inputs: Array) -> Array:
        return np.asarray(self.guess(inputs / math.sqrt(inputs.shape[1])))


def on_the_sphere(
    problem: CubeProblem, learn: Callable[[TableProblem], Strategy[Any, G]]
) -> Strategy[Any, OnSigns]:
    """The learner of functions on the unit ball, its questions asked of the cube.

    It is shown all 2^n points divided by sqrt n as a table of inputs, n <= 16, and asks as many
    queries in as many rounds.  A ReLU of weight w and bias b on signs has norm sqrt(n) ||w|| + |b|
    there: why learners that are exponential in norm / epsilon say nothing against the hardness of
    conjunctions.

    Parameters
    ----------
    learn : function of a TableProblem
        Makes the strategy, such as one of `reconstruct_polynomial`; it ends with a function of
        points of the ball.
    """
    table = TableProblem(problem.dimension, Empirical(cube_points(problem.dimension)))
    guess = yield from transported(learn(table), partial(_carried, problem.dimension))
    return OnSigns(guess)


def _carried(dimension: int, query: Query) -> tuple[Query, Reader]:
    shape = query.form.shape(dimension)
    if len(shape) == 2:
        raise BadInput(
            f"query {query.label!r} asks for a matrix; carried to the cube are scalars and "
            "vectors: ask its entries as the columns of an Opaque"
        )
    form = Opaque(_Scaled(query.form), shape[0] if shape else None)
    return replace(query, form=form), _same


def _same(answer: Any) -> Any:
    return answer


@final
@dataclass(frozen=True)
class _Scaled:
    """A form at x / sqrt n."""

    form: Form

    def __call__(self, x: Array, y: Array | None = None) -> Array:
        return values(self.form, x / math.sqrt(x.shape[1]), y)
