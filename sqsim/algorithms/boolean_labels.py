"""Two-valued labels: which examples are positive, and the query that their moments cost.

Whether a moment of a Boolean label is correlational depends on the alphabet of y: where y itself
takes two values it is, where y is cut at a threshold it is not.  This file does not know learners.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.problem import Problem
from sqsim.queries import Correlation, Query, Ridge, Statistic


class BooleanLabels(ABC):
    """What makes an example positive: a function of y with two values, written 1(positive)."""

    @abstractmethod
    def query(self, form: Ridge, label: str) -> Query:
        """The query whose answer tells E[1(positive) T_p(x) g(W'x)], for a form without y."""

    @abstractmethod
    def read(
        self, problem: Problem, form: Ridge, answer: Any, *, free: Array | None = None
    ) -> Array:
        """E[1(positive) T_p(x) g(W'x)] from the answer; what is label-free costs no query.

        `free` is E[T_p(x) g(W'x)], where the caller has it already.
        """


@final
@dataclass(frozen=True)
class AtLeast(BooleanLabels):
    """Positive where y >= threshold.  Genuine SQ in y."""

    threshold: float

    def __post_init__(self) -> None:
        if not np.isfinite(self.threshold):
            raise BadInput(f"threshold is {self.threshold}; a label threshold is a finite number")

    def query(self, form: Ridge, label: str) -> Query:
        level, g = self.threshold, form.h

        def above(*arguments: Array) -> Array:
            positive = (arguments[-1] >= level).astype(np.float64)
            return positive if g is None else positive * g(*arguments[:-1])

        def weighted(s: Array, y: Array) -> Array:
            return above(y) if g is None else above(s, y)

        h = above if form.frame is None else weighted
        return Statistic(replace(form, h=h, levels=(level,)), label)

    def read(
        self, problem: Problem, form: Ridge, answer: Any, *, free: Array | None = None
    ) -> Array:
        return np.asarray(answer)


@final
@dataclass(frozen=True)
class TwoValued(BooleanLabels):
    """y takes two values only, and the larger one is positive.  Correlational.

    1(positive) = (y - negative) / (positive - negative), so that every query splits into a
    correlational and a label-free part.
    """

    negative: float = -1.0
    positive: float = 1.0

    def __post_init__(self) -> None:
        if not -np.inf < self.negative < self.positive < np.inf:
            raise BadInput(
                f"negative {self.negative} and positive {self.positive}; wanted two finite "
                "values, the negative one smaller"
            )

    def query(self, form: Ridge, label: str) -> Query:
        return Correlation(form, label)

    def read(
        self, problem: Problem, form: Ridge, answer: Any, *, free: Array | None = None
    ) -> Array:
        moment = np.asarray(answer)
        if self.negative:
            free = label_free(problem, form) if free is None else free
            moment = moment - self.negative * free
        return np.asarray(moment / (self.positive - self.negative))


def label_free(problem: Problem, form: Ridge) -> Array:
    """E[T_p(x) g(W'x)]: no query, since the learner knows the law of the inputs."""
    return np.asarray(problem.inputs.expectation(form))
