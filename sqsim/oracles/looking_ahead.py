"""Policies that look ahead: at what the strategy says it is about to do with the answer.

They read the window's question, in which the strategy's note is.  This file does not know
strategies, nor how means are found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array, LowRank
from sqsim.oracles.policies import Policy, Question, Window, policy_name

SEARCHED = 64
"""Up to this many numbers an answer is searched beyond the answers that are always compared."""


def against(direction: Callable[[Question], Any]) -> Policy:
    """The answer in the window with the least inner product with a direction.

    Parameters
    ----------
    direction : function of a Question
        An array of the answer's shape, of which the signs matter, or None, and then the answer is
        the mean.  It sees the query, the strategy's note and the turn: what the learner is about
        to do with the answer.  Of a matrix the symmetric part counts.
    """
    if not callable(direction):
        raise BadInput(f"direction is {type(direction).__name__}; wanted a function of a Question")
    return _Against(direction)


def against_progress(target: Array, *, note: str = "w") -> Policy:
    """Holds iterates back from a target: looks ahead one step of the strategy that asks.

    With the iterate w that the note holds, a vector answer is the one with the least component
    along the part of the target that is orthogonal to w, which is what a step along the answer
    gains in overlap; without such a note, along the target.  A matrix answer has the least
    quadratic form at the target, and a scalar answer is the mean.

    Parameters
    ----------
    target : (d,) array
        What the learner should not find, such as `instance.direction`.
    note : str
        Where the strategy's note holds its iterate.
    """
    aim = np.array(target, dtype=np.float64)
    if aim.ndim != 1 or not np.isfinite(aim).all() or not aim.any():
        raise BadInput(f"target of shape {aim.shape}; wanted a finite vector that is not 0")
    return _Against(_Progress(aim / np.linalg.norm(aim), note))


def look_ahead(score: Callable[[Question, Array], float], *, evaluations: int = 400) -> Policy:
    """The answer with the lowest score, of those tried.

    Tried are the mean, what is nearest to 0, and both ends of every entry; then, for answers of at
    most 64 numbers, a local descent (L-BFGS-B) from the best of them.  For a scalar the ends are
    where the score is lowest if it is monotone.

    Parameters
    ----------
    score : function (question, answer) -> float
        How well the learner would do: for example the overlap of its next iterate with the
        hidden direction, computed from the question's note and the answer.
    evaluations : int
        Most evaluations of the score in the descent, about.
    """
    if not callable(score):
        raise BadInput(f"score is {type(score).__name__}; wanted a function (question, answer)")
    if isinstance(evaluations, bool) or not isinstance(evaluations, int) or evaluations < 0:
        raise BadInput(f"evaluations is {evaluations!r}; wanted an integer >= 0")
    return _LookAhead(score, evaluations)


@final
@dataclass(frozen=True, eq=False)
class _Against:
    direction: Callable[[Question], Any]

    @property
    def name(self) -> str:
        return f"against({_called(self.direction)})"

    def __call__(self, window: Window, rng: np.random.Generator) -> Array | LowRank:
        found = self.direction(window.question)
        if found is None:
            return window.mean.value
        direction = np.asarray(found, dtype=np.float64)
        if direction.shape != window.center.shape or not np.isfinite(direction).all():
            raise BadInput(
                f"the direction of {self.name} has shape {direction.shape}; wanted finite numbers "
                f"of shape {window.center.shape}"
            )
        if direction.ndim == 2:
            direction = direction + direction.T
        away = np.where(direction > 0, window.low, window.high)
        return np.where(direction == 0, np.clip(window.center, window.low, window.high), away)


@final
@dataclass(frozen=True, eq=False)
class _Progress:
    target: Array
    note: str

    def __call__(self, question: Question) -> Array | None:
        query = question.query
        shape = () if query is None else query.shape(question.dimension)
        if len(shape) not in (1, 2) or shape[0] != len(self.target):
            return None
        if len(shape) == 2:
            return np.outer(self.target, self.target)
        try:
            iterate = np.asarray(question.note.get(self.note, 0.0), dtype=np.float64)
        except (TypeError, ValueError):
            iterate = np.zeros(())
        size = float(np.linalg.norm(iterate))
        if iterate.shape != self.target.shape or not 0 < size < np.inf:
            return self.target
        unit = iterate / size
        return np.asarray(self.target - (self.target @ unit) * unit)


@final
@dataclass(frozen=True, eq=False)
class _LookAhead:
    score: Callable[[Question, Array], float]
    evaluations: int

    @property
    def name(self) -> str:
        return f"look_ahead({_called(self.score)})"

    def __call__(self, window: Window, rng: np.random.Generator) -> Array:
        low, high, center = window.low, window.high, np.clip(window.center, window.low, window.high)
        tried = [center, np.clip(0.0, low, high), low, high]
        scores = [self._scored(window, answer) for answer in tried]
        best = int(np.argmin(scores))
        answer = np.array(tried[best])
        if not self.evaluations or answer.size > SEARCHED or not (high > low).any():
            return answer
        found = self._descended(window, answer)
        return found if self._scored(window, found) < scores[best] else answer

    def _descended(self, window: Window, start: Array) -> Array:
        """A local minimum; coordinates run from 0 at `low` to 1 at `high`."""
        # A tenth of a second to import, and only a search wants it.
        from scipy.optimize import minimize

        low, width = window.low, window.high - window.low
        free = np.triu(width > 0) if width.ndim == 2 else width > 0

        def placed(coordinates: Array) -> Array:
            answer = np.array(start)
            answer[free] = low[free] + coordinates * width[free]
            if answer.ndim == 2:
                answer = np.triu(answer) + np.triu(answer, 1).T
            return np.clip(answer, window.low, window.high)

        first = (start[free] - low[free]) / width[free]
        # The ends are often stationary; the search begins inside.
        result = minimize(
            lambda c: self._scored(window, placed(c)),
            np.clip(first, 0.05, 0.95),
            method="L-BFGS-B",
            bounds=[(0.0, 1.0)] * len(first),
            options={"maxfun": self.evaluations},
        )
        return placed(np.clip(result.x, 0.0, 1.0))

    def _scored(self, window: Window, answer: Array) -> float:
        # A copy: the score may change what it is given.
        score = float(self.score(window.question, answer.copy()))
        if not np.isfinite(score):
            raise BadInput(f"the score of {self.name} is {score}; wanted a finite number")
        return score


def _called(function: Any) -> str:
    return "progress" if isinstance(function, _Progress) else policy_name(function)
