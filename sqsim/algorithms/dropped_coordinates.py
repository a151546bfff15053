"""Queries of a Gaussian regression problem, asked of a parity with one coordinate left out.

The regression problem has inputs x' = (g_i x_i)_(i != j), g_i half-normal, and labels
y' = (y + 1) / 2 in {0, 1}.  This file does not know who asks, nor what for.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar, final

import numpy as np

from sqsim.algorithms.transport import transported
from sqsim.errors import BadInput
from sqsim.forms import Form
from sqsim.inputs import Gaussian
from sqsim.lowrank import Array, dense
from sqsim.queries import Batch, Characters, Correlation, Opaque, Query, Ridge
from sqsim.set_neurons import SetNeurons
from sqsim.strategy import Answers
from sqsim.subsets import Words, fitted, mask_words
from sqsim.tolerance import L2, Absolute, Tolerance

Q = TypeVar("Q", bound=Query)
R = TypeVar("R")

MOST_CHARACTERS = 20
"""Dimension up to which all parities at once are listed one by one."""

Reading = Callable[[Any], Any]


@final
@dataclass(frozen=True, eq=False)
class WithoutCoordinate:
    """How a parity with y = -1 or 1 looks to a learner who is not shown one coordinate.

    Correlations stay Correlations: E[y' g] = (E[y g] + E[g]) / 2, where E[g] is label-free and
    known.  So a tolerance t of E[y g] is a tolerance t / 2 of E[y' g]; that of a Statistic is the
    same on both sides.  With inputs on the cube a function is averaged over `factors`, fixed draws
    of the half-normals, the same for all examples; by Jensen its norm does not grow.

    Parameters
    ----------
    dimension : of the parity; the learner sees one less.
    coordinate : what is left out.
    factors : (draws, dimension) array, or None where the parity is lifted already.
    """

    dimension: int
    coordinate: int
    factors: Array | None = None

    def carry(self, strategy: Generator[Batch[Q], Answers, R]) -> Generator[Batch[Q], Answers, R]:
        """The strategy, its questions asked of the parity.

        Rounds stay; scalars too, but for tensors over a lifted parity, which keep the entries of
        the coordinate that is left out: d for a vector of d - 1, d(d + 1)/2 for a matrix.
        """
        return transported(strategy, self.asked)

    def asked(self, query: Q) -> tuple[Q, Reading]:
        """The query that is asked of the parity, and how its answer is read."""
        form = self._form(query.form, query)
        cut = self._cut(query.form)
        if not isinstance(query, Correlation):
            return replace(query, form=form), cut
        mean = self._label_free(query.form, query.label)
        tolerance = _doubled(query.tolerance, query.label)
        return replace(query, form=form, tolerance=tolerance), partial(_halved, cut, mean)

    def _form(self, form: Form, query: Query) -> Form:
        """The same function of the parity's inputs and of y."""
        j, labelled = self.coordinate, query.labelled
        if isinstance(form, Characters):
            h = None if form.h is None else _Relabelled(form.h)
            return Characters(_spread(self._masks(form), j, self.dimension), h)
        if self.factors is not None:
            return Opaque(_Averaged(form, self.factors, j), self._size(form, query.label))
        if isinstance(form, Ridge):
            frame = None if form.frame is None else np.insert(form.frame, j, 0.0, axis=0)
            function = form.h
            if function is not None and labelled:
                function = _Relabelled(function)
            levels = tuple(2 * float(level) - 1 for level in form.levels)
            return replace(form, h=function, frame=frame, levels=levels)
        if isinstance(form, Opaque) and isinstance(form.fn, SetNeurons):
            return replace(form, fn=form.fn.moved(j))
        if isinstance(form, Opaque):
            return replace(form, fn=_Dropped(form.fn, j))
        raise BadInput(
            f"query {query.label!r} is made of a {type(form).__name__}; wanted a Ridge, an Opaque "
            "or Characters"
        )

    def _masks(self, form: Characters) -> Words:
        if form.masks is not None:
            return fitted(form.masks, self.dimension - 1)
        if self.dimension - 1 > MOST_CHARACTERS:
            raise BadInput(
                f"all 2^{self.dimension - 1} parities are asked; name the sets, as in "
                "Characters.of([(0, 2)])"
            )
        return mask_words(np.arange(1 << self.dimension - 1))

    def _size(self, form: Form, label: str) -> int | None:
        if isinstance(form, Ridge) and form.power == 2:
            raise BadInput(
                f"query {label!r} asks for a matrix, and functions averaged over half-normals are "
                "scalars or vectors; use a lifted parity, SparseParity(..., lifted=True)"
            )
        return (form.shape(self.dimension - 1) or (None,))[0]

    def _cut(self, form: Form) -> Reading:
        """Entries of the coordinate that is left out are dropped."""
        if self.factors is None and isinstance(form, Ridge) and form.power:
            return partial(_without, self.coordinate)
        return _same

    def _label_free(self, form: Form, label: str) -> Array:
        """E[g(x')]."""
        if isinstance(form, Ridge):
            return Gaussian(self.dimension - 1).expectation(form)
        if isinstance(form, Opaque) and isinstance(form.fn, SetNeurons):
            return np.asarray(form.fn.mean)
        if isinstance(form, Characters):
            return np.asarray(~self._masks(form).any(axis=1), dtype=np.float64)
        raise BadInput(
            f"correlation {label!r} is made of a {type(form).__name__} whose label-free mean is "
            "not known, and E[y' g] = (E[y g] + E[g]) / 2 needs it; write g as a Ridge, or ask "
            "for y' g as a Statistic"
        )


def half_normals(dimension: int, draws: int, rng: np.random.Generator) -> Array:
    """Draws of |N(0, 1)| for each coordinate, (draws, dimension)."""
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 1:
        raise BadInput(f"draws is {draws!r}; wanted an integer of at least 1")
    return np.abs(rng.standard_normal((draws, dimension)))


@final
@dataclass(frozen=True)
class _Relabelled:
    """h(..., y') as a function of y."""

    h: Callable[..., Any]

    def __call__(self, *arguments: Array) -> Any:
        *others, labels = arguments
        return self.h(*others, (labels + 1) / 2)


@final
@dataclass(frozen=True)
class _Dropped:
    """A function of whole examples that is not shown a coordinate."""

    fn: Callable[..., Any]
    coordinate: int

    def __call__(self, x: Array, y: Array | None = None) -> Any:
        shown = np.delete(x, self.coordinate, axis=1)
        return self.fn(shown) if y is None else self.fn(shown, (y + 1) / 2)


@final
@dataclass(frozen=True, eq=False)
class _Averaged:
    """A function averaged over fixed draws of the half-normals in front of x."""

    form: Form
    factors: Array
    coordinate: int

    def __call__(self, x: Array, y: Array | None = None) -> Array:
        labels = None if y is None else (y + 1) / 2
        total: Any = 0.0
        for factor in self.factors:
            total = total + self._values(np.delete(x * factor, self.coordinate, axis=1), labels)
        return np.asarray(total / len(self.factors))

    def _values(self, x: Array, labels: Array | None) -> Array:
        form = self.form
        if isinstance(form, Opaque):
            return form.values(x, labels)
        assert isinstance(form, Ridge)
        shown = None if form.frame is None else (x @ form.frame).reshape(len(x), -1)
        values = form.values(shown, labels, len(x))
        return np.asarray(x * values[:, None] if form.power else values)


def _spread(masks: Words, coordinate: int, dimension: int) -> Words:
    """Bits from this place on moved up by one."""
    bits = np.unpackbits(masks.astype("<u8").view(np.uint8), axis=1, bitorder="little")
    bits = np.insert(bits[:, : dimension - 1], coordinate, 0, axis=1)
    words = -(-dimension // 64)
    padded = np.zeros((len(bits), 64 * words), dtype=np.uint8)
    padded[:, :dimension] = bits
    packed = np.packbits(padded, axis=1, bitorder="little").view("<u8")
    return packed.astype(np.uint64, copy=False)


def _doubled(tolerance: Tolerance | None, label: str) -> Tolerance | None:
    if tolerance is None:
        return None
    if not isinstance(tolerance, Absolute | L2):
        raise BadInput(
            f"query {label!r} names {tolerance!r} for labels in {{0, 1}}, which is no tolerance of "
            "one kind for labels -1 and 1; wanted Absolute or L2"
        )
    return replace(tolerance, tau=2 * tolerance.tau)


def _same(answer: Any) -> Any:
    return answer


def _halved(cut: Reading, mean: Array, answer: Any) -> Array:
    """E[y' g] from E[y g]."""
    return np.asarray((dense(cut(answer)) + mean) / 2)


def _without(coordinate: int, answer: Any) -> Array:
    kept = dense(answer)
    for axis in range(kept.ndim):
        kept = np.delete(kept, coordinate, axis=axis)
    return kept
