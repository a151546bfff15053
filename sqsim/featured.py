"""Queries for all weighted monomials at once: psi(x) h(<c, psi(x)>[, y]).

This file does not know what an oracle is.  The gradient of an expected loss of a polynomial has
this form, and evaluators sum it without the matrix of features.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput, QueryRefused
from sqsim.forms import PROBES, Form
from sqsim.lowrank import Array
from sqsim.multinomial import MonomialFeatures


@final
@dataclass(frozen=True, eq=False)
class Featured(Form):
    """W' psi(x) h(<c, psi(x)>) or W' psi(x) h(<c, psi(x)>, y); W = I where there is no frame.

    Parameters
    ----------
    features : MonomialFeatures
    h : function, optional
        In a Correlation called as h(s), in a Statistic as h(s, y), s of shape (n,); without
        coefficients as h(y) in a Statistic.  None stands for 1.
    coefficients : (N,) array, optional
        c, in the coordinates of the features.
    frame : (N, r) array, optional
        W: other functions than the features, such as an orthonormal basis of polynomials.
    """

    features: MonomialFeatures
    h: Callable[..., Any] | None = None
    coefficients: Array | None = None
    frame: Array | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.features, MonomialFeatures):
            raise BadInput(f"features are {self.features!r}; wanted MonomialFeatures(n, d)")
        if self.h is not None and not callable(self.h):
            raise BadInput(f"h is {type(self.h).__name__}; wanted a function (or None for 1)")
        size = self.features.size
        for name, dimensions in (("coefficients", 1), ("frame", 2)):
            given = getattr(self, name)
            if given is None:
                continue
            array = np.asarray(given, dtype=np.float64)
            if array.ndim != dimensions or len(array) != size or not np.isfinite(array).all():
                raise BadInput(
                    f"{name} of shape {array.shape} must be finite, with {size} rows, one for "
                    "each feature"
                )
            object.__setattr__(self, name, array)

    def shape(self, dimension: int) -> tuple[int, ...]:
        if dimension != self.features.dimension:
            raise BadInput(
                f"the features are of {self.features.dimension} variables, the inputs have "
                f"dimension {dimension}"
            )
        return (self.features.size if self.frame is None else int(self.frame.shape[1]),)

    def factors(self, scores: Array | None, labels: Array | None, count: int) -> Array:
        """h at `count` examples, checked for shape."""
        if self.h is None:
            return np.ones(count)
        arguments = [each for each in (scores, labels) if each is not None]
        found = np.asarray(self.h(*arguments))
        if np.iscomplexobj(found) or found.shape != (count,):
            raise BadInput(f"h returned shape {found.shape} on {count} points; wanted real numbers")
        return found.astype(np.float64, copy=False)

    def entries(self, inputs: Array, labels: Array | None) -> Array:
        """The whole matrix, (count, size): for evaluators that look at single examples."""
        psi = self.features.matrix(inputs)
        scores = None if self.coefficients is None else psi @ self.coefficients
        basis = psi if self.frame is None else psi @ self.frame
        return np.asarray(basis * self.factors(scores, labels, len(psi))[:, None])

    def mark(self, dimension: int, *, labelled: bool) -> tuple[float, ...]:
        n, count = self.features.dimension, len(PROBES)
        points = np.cos(np.arange(1, count + 1)[:, None] * np.arange(1, n + 1)) / np.sqrt(n)
        scores = None
        if self.coefficients is not None:
            scores = self.features.values(self.coefficients, points)
        labels = np.linspace(0.0, 1.0, count) if labelled else None
        with np.errstate(all="ignore"):
            values = self.factors(scores, labels, count)
        seen = [] if scores is None else scores.tolist()
        if self.frame is not None:
            seen.extend((np.cos(np.arange(len(self.frame)) ** 1.5) @ self.frame)[:16].tolist())
        return (float(self.features.degree), *values.tolist(), *seen)


@final
@dataclass(frozen=True, eq=False)
class Pairs(Form):
    """phi(x, y, x', y') of two independent examples: a question that no SQ oracle answers.

    A kernel K(x, x') needs both examples at once, so the kernel trick is not a statistical query:
    an oracle for pairs (a 2-wise oracle) is stronger, as E[1{x = x'}] already shows.  Whoever looks
    at the shape of its answer is told so; the same kernel as explicit features is `Featured`, one
    example at a time, C(n + d, d) queries.
    """

    fn: Callable[..., Any]

    def shape(self, dimension: int) -> tuple[int, ...]:
        raise QueryRefused(
            "a function of two examples at once, such as a kernel K(x, x'), is not a statistical "
            "query: oracles average phi(x, y) over one example; ask for the features whose inner "
            "product the kernel is, Featured(MonomialFeatures(n, d)), C(n + d, d) of them"
        )

    def mark(self, dimension: int, *, labelled: bool) -> tuple[float, ...]:
        return ()
