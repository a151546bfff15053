"""Queries of a learner on the cube, asked of a parity with one coordinate left out.

The learner sees the other signs and labels in {floor, 1}; with a floor above 0 no label is a
negative of reliable learning.  This file does not know who asks, nor what for.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar, final

import numpy as np

from sqsim.algorithms.transport import transported
from sqsim.errors import BadInput
from sqsim.featured import Featured
from sqsim.forms import Form
from sqsim.inputs import LARGEST_SUPPORT
from sqsim.lowrank import Array, dense
from sqsim.queries import Batch, Characters, Correlation, Opaque, Query, Ridge
from sqsim.strategy import Answers
from sqsim.subsets import fitted, mask_words, parity_signs, sign_words
from sqsim.tolerance import L2, Absolute, Tolerance

Q = TypeVar("Q", bound=Query)
R = TypeVar("R")

BLOCK = 1 << 12
"""Points of the cube that are looked at together."""


@final
@dataclass(frozen=True, eq=False)
class WithoutSign:
    """How a parity y in {-1, 1} over the cube looks to a learner who is not shown one sign.

    Its labels are y' = floor + (1 - floor) (1 + y) / 2.  Correlations stay Correlations:
    E[y' g] = (1 + floor) / 2 E[g] + (1 - floor) / 2 E[y g], where E[g] is a sum over the cube that
    costs no query.  So a tolerance t of E[y g] is one of t (1 - floor) / 2 for E[y' g]; that of a
    Statistic is the same on both sides.

    Parameters
    ----------
    dimension : of the parity; the learner sees one less.
    coordinate : what is left out.
    floor : of the labels, in [0, 1).
    """

    dimension: int
    coordinate: int
    floor: float = 0.0

    def carry(self, strategy: Generator[Batch[Q], Answers, R]) -> Generator[Batch[Q], Answers, R]:
        """The strategy, its questions asked of the parity: as many, in as many rounds."""
        return transported(strategy, self.asked)

    def asked(self, query: Q) -> tuple[Q, Callable[[Any], Any]]:
        """The query that is asked of the parity, and how its answer is read."""
        form = query.form
        shape = form.shape(self.dimension - 1)
        if len(shape) == 2:
            raise BadInput(
                f"query {query.label!r} asks for a matrix; carried to a parity on the cube are "
                "scalars and vectors: ask its entries as the columns of an Opaque"
            )
        shown = _Shown(form, self.dimension - 1, self.coordinate, self.floor)
        asked = replace(query, form=Opaque(shown, shape[0] if shape else None))
        if not isinstance(query, Correlation):
            return asked, _same
        up, down = (1 + self.floor) / 2, (1 - self.floor) / 2
        mean = self._label_free(form, query.label)
        return (
            replace(asked, tolerance=_scaled(query.tolerance, down, query.label)),
            partial(_shifted, up * mean, down),
        )

    def _label_free(self, form: Form, label: str) -> Array:
        """E[g], over all signs that are shown."""
        size = self.dimension - 1
        if isinstance(form, Characters) and form.masks is not None:
            return np.asarray(~form.masks.any(axis=1), dtype=np.float64)
        if size > LARGEST_SUPPORT:
            raise BadInput(
                f"correlation {label!r} needs E[g] over 2^{size} points, and sums are made over at "
                f"most 2^{LARGEST_SUPPORT}; ask parities (Characters), or Statistics"
            )
        total, block = 0.0, min(BLOCK, 1 << size)
        for start in range(0, 1 << size, block):
            index = np.arange(start, start + block)
            points = np.asarray(1.0 - 2.0 * (index[:, None] >> np.arange(size) & 1), float)
            total = total + values(form, points, None).sum(axis=0)
        return np.asarray(total / (1 << size))


def values(form: Form, inputs: Array, labels: Array | None) -> Array:
    """A form at examples: one number each, or one row."""
    if isinstance(form, Opaque):
        return form.values(inputs, labels)
    if isinstance(form, Ridge) and form.power < 2:
        shown = None if form.frame is None else (inputs @ form.frame).reshape(len(inputs), -1)
        found = form.values(shown, labels, len(inputs))
        return np.asarray(inputs * found[:, None] if form.power else found)
    if isinstance(form, Characters):
        masks = form.masks
        if masks is None:
            masks = mask_words(np.arange(1 << inputs.shape[1]))
        signs = parity_signs(sign_words(inputs), fitted(masks, inputs.shape[1]))
        if form.h is None or labels is None:
            return signs
        return np.asarray(signs * form.h(labels)[:, None])
    if isinstance(form, Featured):
        return form.entries(inputs, labels)
    raise BadInput(f"no values at examples of a {type(form).__name__}; write it as an Opaque")


@final
@dataclass(frozen=True)
class _Shown:
    """A form as a function of all signs and of y."""

    form: Form
    dimension: int
    coordinate: int
    floor: float

    def __call__(self, x: Array, y: Array | None = None) -> Array:
        shown = np.delete(x, self.coordinate, axis=1)
        labels = None if y is None else self.floor + (1 - self.floor) * (1 + y) / 2
        return values(self.form, shown, labels)


def _scaled(tolerance: Tolerance | None, down: float, label: str) -> Tolerance | None:
    if tolerance is None:
        return None
    if not isinstance(tolerance, Absolute | L2):
        raise BadInput(
            f"query {label!r} names {tolerance!r} for labels between 0 and 1, which is no "
            "tolerance of one kind for labels -1 and 1; wanted Absolute or L2"
        )
    return replace(tolerance, tau=tolerance.tau / down)


def _same(answer: Any) -> Any:
    return answer


def _shifted(mean: Array, down: float, answer: Any) -> Array:
    """E[y' g] from E[y g]."""
    return np.asarray(mean + down * dense(answer))
