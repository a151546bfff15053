"""What a learner may know of a table that is read a chunk at a time: its inputs.

This file does not know targets, nor where chunks come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import final

import numpy as np

from sqsim.inputs import Inputs
from sqsim.lowrank import Array
from sqsim.problems.problem import Problem
from sqsim.queries import Ridge


@final
@dataclass(frozen=True, eq=False)
class Streamed(Inputs):
    """The uniform law on rows that are read a chunk at a time.

    A label-free expectation costs no query but one pass over the inputs, on the machine of the
    learner.  Where that is too slow, ask it as a Statistic whose h ignores the label: the oracle's
    engine then does the pass.
    """

    dimension: int
    chunks: Callable[[], Iterator[Array]] = field(repr=False)

    def sample(self, rng: np.random.Generator, count: int) -> Array:
        """Rows drawn with replacement, in two passes: one counts the rows, one collects them."""
        total = sum(len(x) for x in self.chunks())
        drawn = rng.integers(total, size=count)
        order = np.argsort(drawn, kind="stable")
        found, start, taken = np.empty((count, self.dimension)), 0, 0
        for x in self.chunks():
            stop = int(np.searchsorted(drawn[order], start + len(x)))
            found[order[taken:stop]] = x[drawn[order[taken:stop]] - start]
            start, taken = start + len(x), stop
        return found

    def expectation(self, form: Ridge) -> Array:
        total = np.zeros(form.shape(self.dimension))
        count, trace = 0, 0.0
        for x in self.chunks():
            along = None if form.frame is None else (x @ form.frame).reshape(len(x), -1)
            weights = form.values(along, None, len(x))
            count += len(x)
            if form.power == 0:
                total = total + weights.sum()
            elif form.power == 1:
                total += weights @ x
            else:
                total += (x * weights[:, None]).T @ x
                trace += float(weights.sum())
        if form.power == 2:
            total -= trace * np.eye(self.dimension)
        return np.asarray(total / count)


@final
@dataclass(frozen=True, eq=False)
class ChunkedProblem(Problem):
    """What a learner may know of a chunked table: the inputs, and nothing of the targets."""

    dimension: int
    rows: Streamed
    norm: float | None = None
    bias: float | None = None

    @property
    def inputs(self) -> Streamed:
        """The uniform law on the rows."""
        return self.rows
