"""What can be asked: kind (who may ask it) times form (how its mean is found).

A query is vectorised: a gradient is one Correlation of d scalars, a second-moment matrix one
Statistic of d(d + 1)/2.  This file does not know what an oracle or an example is.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Generic, TypeVar, final

import numpy as np

from sqsim.characters import Characters
from sqsim.errors import BadInput
from sqsim.forms import PROBES, Form
from sqsim.lowrank import Array
from sqsim.tolerance import Tolerance

__all__ = [
    "Batch",
    "Characters",
    "Correlation",
    "Form",
    "Opaque",
    "Query",
    "Ridge",
    "Statistic",
]


@final
@dataclass(frozen=True, eq=False)
class Ridge(Form):
    """T_p(x) h(W'x) or T_p(x) h(W'x, y), with T_0 = 1, T_1 = x, T_2 = x x' - I.

    Its Gaussian mean is an integral over the span of W and the hidden directions, whatever d is.

    Parameters
    ----------
    h : function, optional
        In a Correlation called as h(s), in a Statistic as h(s, y); without a frame as h(y) in a
        Statistic.  s has shape (n,) for a frame of shape (d,), (n, m) for (d, m); returns (n,).
        None stands for the constant 1.
    frame : (d,) or (d, m) array, optional
        The directions W.  They need not be orthogonal or of unit length.
    power : 0, 1 or 2
        The tensor T_p.  The answer is a scalar, a d-vector or a symmetric d x d matrix.
    kinks : sequence of float, or one such sequence for each column of W
        Where h jumps or bends, so that quadrature splits there.
    levels : sequence of float
        Label values at which h jumps or bends (Statistic only).
    """

    h: Callable[..., Any] | None = None
    frame: Array | None = None
    power: int = 0
    kinks: Sequence[float] | Sequence[Sequence[float]] = ()
    levels: Sequence[float] = ()

    def __post_init__(self) -> None:
        if self.h is not None and not callable(self.h):
            raise BadInput(f"h is {type(self.h).__name__}; wanted a function (or None for 1)")
        if np.ndim(self.levels) != 1 or not np.isfinite(np.asarray(self.levels, dtype=float)).all():
            raise BadInput(f"levels are {self.levels!r}; wanted a sequence of finite numbers")
        if not hasattr(self.kinks, "__len__"):
            raise BadInput(f"kinks are {self.kinks!r}; wanted a sequence of numbers")
        if self.power not in (0, 1, 2):
            raise BadInput(f"power is {self.power!r}; T_p is defined here for p = 0, 1, 2")
        if self.frame is None:
            if len(self.kinks):
                raise BadInput("kinks belong to columns of a frame, and there is no frame")
            return
        frame = np.array(self.frame, dtype=np.float64)
        if frame.ndim not in (1, 2) or not frame.size or not np.isfinite(frame).all():
            raise BadInput(
                f"frame of shape {frame.shape} must be a finite (d,) vector or (d, m) matrix"
            )
        frame.flags.writeable = False
        object.__setattr__(self, "frame", frame)
        if not all(np.isfinite(k) for column in self.columns_kinks for k in column):
            raise BadInput(f"kinks are {self.kinks!r}; wanted finite numbers")
        if len(self.columns_kinks) != self.columns:
            raise BadInput(
                f"kinks name {len(self.columns_kinks)} columns, the frame has {self.columns}"
            )

    @property
    def columns(self) -> int:
        """How many directions the frame has."""
        if self.frame is None:
            return 0
        return 1 if self.frame.ndim == 1 else int(self.frame.shape[1])

    @property
    def columns_kinks(self) -> tuple[tuple[float, ...], ...]:
        """The kinks, one tuple for each column of the frame."""
        kinks: Sequence[Any] = self.kinks
        if not len(kinks):
            return ((),) * self.columns
        if np.ndim(kinks[0]) == 0:
            return (tuple(float(k) for k in kinks),)
        return tuple(tuple(float(k) for k in column) for column in kinks)

    def shape(self, dimension: int) -> tuple[int, ...]:
        if self.frame is not None and len(self.frame) != dimension:
            raise BadInput(
                f"the frame has length {len(self.frame)}, the inputs have dimension {dimension}"
            )
        return (dimension,) * self.power

    def values(self, projections: Array | None, labels: Array | None, count: int) -> Array:
        """h at `count` examples, checked for shape; `projections` is W'x, (count, m)."""
        if self.h is None:
            return np.ones(count)
        arguments: list[Array] = []
        if projections is not None and self.frame is not None:
            arguments.append(projections[:, 0] if self.frame.ndim == 1 else projections)
        if labels is not None:
            arguments.append(labels)
        found = np.asarray(self.h(*arguments))
        if np.iscomplexobj(found):
            raise BadInput("h returned complex numbers; wanted real ones")
        values = found.astype(np.float64, copy=False)
        if values.shape != (count,):
            raise BadInput(f"h returned shape {values.shape} on {count} points; wanted ({count},)")
        return values

    def mark(self, dimension: int, *, labelled: bool) -> tuple[float, ...]:
        count = len(PROBES)
        points = _probes(self.columns).copy() if self.columns else None
        with np.errstate(all="ignore"):
            values = self.values(points, PROBES[::-1].copy() if labelled else None, count)
        kinks = [k for column in self.columns_kinks for k in column]
        seen = [] if self.frame is None else np.ravel(_probe(dimension) @ self.frame).tolist()
        return (float(self.power), *values.tolist(), *kinks, *map(float, self.levels), *seen)


@final
@dataclass(frozen=True, eq=False)
class Opaque(Form):
    """Any function of whole examples: enumeration or sampling only.

    Parameters
    ----------
    fn : function
        On n examples, fn(x) in a Correlation, fn(x, y) in a Statistic: (n,) when `size` is None
        (a scalar answer), else (n, size).
    size : int, optional
        Number of scalar queries.
    """

    fn: Callable[..., Any]
    size: int | None = None

    def __post_init__(self) -> None:
        if self.size is not None and self.size < 1:
            raise BadInput(f"size is {self.size}; a query asks for at least one number")

    def shape(self, dimension: int) -> tuple[int, ...]:
        return () if self.size is None else (self.size,)

    def values(self, inputs: Array, labels: Array | None) -> Array:
        """fn at these examples, checked for shape."""
        values = self.fn(inputs) if labels is None else self.fn(inputs, labels)
        values = np.asarray(values, dtype=np.float64)
        wanted = (len(inputs),) if self.size is None else (len(inputs), self.size)
        if values.shape != wanted:
            raise BadInput(
                f"the query's function returned shape {values.shape} on {len(inputs)} examples; "
                f"wanted {wanted}"
            )
        return values

    def mark(self, dimension: int, *, labelled: bool) -> tuple[float, ...]:
        points = np.outer(PROBES[:3], _probe(dimension)) / np.sqrt(dimension)
        with np.errstate(all="ignore"):
            values = self.values(points, PROBES[:3].copy() if labelled else None)
        return tuple(values.ravel()[:24].tolist())


@lru_cache(maxsize=8)
def _probes(columns: int) -> Array:
    """Values for the projections on each column of a frame."""
    # A cyclic shift for each column and for the label keeps the arguments distinct.
    return np.stack([np.roll(PROBES, j) for j in range(columns)], axis=1)


@lru_cache(maxsize=8)
def _probe(dimension: int) -> Array:
    """A fixed direction that no learner uses, so that frames leave a mark."""
    return np.asarray(np.cos(np.arange(1, dimension + 1) ** 1.5))


def _declared(given: object) -> tuple[float, float]:
    """A range, checked."""
    try:
        low, high = map(float, given)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        low = high = float("nan")
    if not (np.isfinite([low, high]).all() and low < high):
        raise BadInput(f"range is {given!r}; wanted two finite numbers (low, high), low < high")
    return low, high


@dataclass(frozen=True, eq=False)
class Query(ABC):
    """A question for one mean, or a vector or matrix of means.

    Parameters
    ----------
    form : Form
        The function that is averaged.
    label : str
        A few words for tables and messages.
    tolerance : Tolerance, optional
        Ask for this, coarser, tolerance instead of the oracle's own.
    range : (low, high), optional
        Declared range of phi in a Statistic, of g in a Correlation y g(x), entry by entry: for
        all inputs and all labels that occur.  Stat, VStat, RootStat and SupNorm ask for it; a
        value outside is BadInput where an evaluator sees it.
    """

    form: Form
    label: str = ""
    tolerance: Tolerance | None = None
    range: tuple[float, float] | None = field(default=None, kw_only=True)

    labelled = False

    def __post_init__(self) -> None:
        if not isinstance(self.form, Form):
            raise BadInput(
                f"a query is made of a Ridge, an Opaque or Characters, not "
                f"{type(self.form).__name__}"
            )
        if self.tolerance is not None and not isinstance(self.tolerance, Tolerance):
            raise BadInput(f"tolerance is {self.tolerance!r}; wanted for example L2(0.01)")
        declared = self.form.range if self.range is None else _declared(self.range)
        object.__setattr__(self, "range", declared)

    def shape(self, dimension: int) -> tuple[int, ...]:
        """Shape of the answer."""
        return self.form.shape(dimension)

    def size(self, dimension: int) -> int:
        """Scalar queries it costs; a symmetric matrix costs d(d + 1)/2."""
        shape = self.shape(dimension)
        if len(shape) == 2:
            return shape[0] * (shape[0] + 1) // 2
        return shape[0] if shape else 1

    def mark(self, dimension: int) -> tuple[float, ...]:
        """Values at a few fixed points: what replay compares."""
        return self.form.mark(dimension, labelled=self.labelled)


@final
@dataclass(frozen=True, eq=False)
class Correlation(Query):
    """phi(x, y) = y g(x).  Its L2 scale is ||g||, as CSQ theorems state it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.form, Ridge) and len(self.form.levels):
            raise BadInput("a Correlation is linear in the label: it has no label levels")
        if isinstance(self.form, Ridge) and self.form.frame is None and self.form.h is not None:
            raise BadInput(
                "h has no argument: a Correlation y T_p(x) h(W'x) needs a frame W, or h=None for 1"
            )
        if isinstance(self.form, Characters) and self.form.h is not None:
            raise BadInput("a Correlation is y chi_S(x): Characters have no h(y) there")


@final
@dataclass(frozen=True, eq=False)
class Statistic(Query):
    """Any phi(x, y).  Its L2 scale is ||phi||."""

    labelled = True


Q = TypeVar("Q", bound=Query, covariant=True)


@final
@dataclass(frozen=True, eq=False)
class Batch(Generic[Q]):
    """Queries asked before any of their answers is seen: one round of adaptivity."""

    queries: tuple[Q, ...]
    note: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        for query in self.queries:
            if not isinstance(query, Query):
                raise BadInput(
                    f"a batch holds {type(query).__name__}; wanted Correlation or Statistic"
                )
