"""Declared ranges: a query clipped to one, and a query that is held to the one it declares.

This file does not know what an oracle is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array, LowRank
from sqsim.queries import Characters, Correlation, Form, Opaque, Query, Ridge
from sqsim.tolerance import Mean

Q = TypeVar("Q", bound=Query)

LEEWAY = 1e-12
"""How far rounding may take a value out of its declared range, relative to its size."""


def truncated(query: Q, *, at: float) -> Q:
    """The same query with its function clipped to [-at, at], and that range declared.

    For a Correlation y g(x) it is g that is clipped.  A Ridge of power 0, Characters and an Opaque
    keep their form; where a Ridge's h crosses -at or at it bends, and quadrature over one
    direction finds that by itself.  Of a Ridge of power 1 every entry x_j h is clipped, which no
    longer is a function of W'x: it becomes an Opaque of d columns, for sampling and enumeration.

    Raises
    ------
    BadInput
        Where `at` is not positive and finite, and for a Ridge of power 2, whose entries an Opaque
        of d(d + 1)/2 columns would hold.
    """
    if isinstance(at, bool) or not isinstance(at, int | float) or not 0 < at < math.inf:
        raise BadInput(f"at is {at!r}; wanted a finite number > 0")
    form: Form = query.form
    kind = type(form).__name__
    clip = _Clipped(None, float(at))
    if isinstance(form, Opaque):
        form = replace(form, fn=replace(clip, function=form.fn))
    elif isinstance(form, Characters) or (isinstance(form, Ridge) and form.power == 0):
        if form.h is not None:
            form = replace(form, h=replace(clip, function=form.h))
        elif at < 1:
            raise BadInput(f"query {query.label!r} is the constant 1; at is {at}, wanted >= 1")
    elif isinstance(form, Ridge) and form.power == 1:
        size = None if form.frame is None else len(form.frame)
        if size is None:
            raise BadInput(
                f"query {query.label!r} has power 1 and no frame, from which the number of its "
                "entries could be told; write it as an Opaque"
            )
        form = Opaque(replace(clip, function=_Entries(form)), size)
    else:
        what = f"a {kind} of power 2" if isinstance(form, Ridge) else f"a {kind}"
        raise BadInput(
            f"query {query.label!r} is {what}, which cannot be clipped as it is; write its entries "
            "as the columns of an Opaque, or use L2(tau)"
        )
    return replace(query, form=form, range=(-float(at), float(at)))


def guarded(query: Q) -> Q:
    """The same query, whose function raises BadInput where it leaves the declared range.

    The range is that of phi for a Statistic, of g for a Correlation.  Without a range, and for
    a Ridge of power 1 or 2, the query itself.
    """
    if query.range is None:
        return query
    form = query.form
    if isinstance(form, Opaque):
        held = _Held(form.fn, query.range, query.label)
        return replace(query, form=replace(form, fn=held))
    if isinstance(form, Ridge) and form.power == 0 and form.h is not None:
        held = _Held(form.h, query.range, query.label)
        return replace(query, form=replace(form, h=held))
    if isinstance(form, Characters) and form.h is not None:
        # A parity has either sign.
        sup = max(-query.range[0], query.range[1])
        return replace(query, form=replace(form, h=_Held(form.h, (-sup, sup), query.label)))
    return query


def inside(mean: Mean, query: Query) -> Mean:
    """The mean moved into the declared range of a Statistic, which the true mean is in.

    Raises
    ------
    BadInput
        Where it is further out than its error: the declaration was wrong.
    """
    if query.range is None or isinstance(query, Correlation) or isinstance(mean.value, LowRank):
        return mean
    low, high = query.range
    if isinstance(query.form, Characters):
        # The range is that of h(y), and a parity has either sign.
        low, high = -max(-low, high), max(-low, high)
    value = np.clip(mean.value, low, high)
    allowed = np.asarray(mean.error) + LEEWAY * max(-low, high)
    if (np.abs(value - mean.value) > allowed).any():
        raise BadInput(
            f"query {query.label!r} declares values in [{low:g}, {high:g}] and has a mean of "
            f"{float(np.ravel(mean.value)[int(np.argmax(np.abs(value - mean.value)))]):g}; declare "
            "the true range or clip it with truncated(query, at=...)"
        )
    return replace(mean, value=np.asarray(value))


@final
@dataclass(frozen=True)
class _Clipped:
    """A function with values clipped to [-at, at]; equal for equal functions."""

    function: Callable[..., Any] | None
    at: float

    def __call__(self, *arguments: Any) -> Any:
        assert self.function is not None
        return np.clip(self.function(*arguments), -self.at, self.at)


@final
@dataclass(frozen=True)
class _Entries:
    """x_j h(W'x[, y]) on whole examples, (n, d)."""

    form: Ridge

    def __call__(self, x: Array, y: Array | None = None) -> Array:
        assert self.form.frame is not None
        projections = (x @ self.form.frame).reshape(len(x), -1)
        return np.asarray(x * self.form.values(projections, y, len(x))[:, None])


@final
@dataclass(frozen=True)
class _Held:
    """A function that is held to its declared range."""

    function: Callable[..., Any]
    range: tuple[float, float]
    label: str

    def __call__(self, *arguments: Any) -> Any:
        values = np.asarray(self.function(*arguments))
        if values.size and np.isrealobj(values):
            low, high = self.range
            leeway = LEEWAY * max(-low, high)
            least, most = float(np.min(values)), float(np.max(values))
            # A value that is not a number is named by who averages it.
            if least < low - leeway or most > high + leeway:
                worst = least if least < low - leeway else most
                raise BadInput(
                    f"query {self.label!r} declares values in [{low:g}, {high:g}] and takes the "
                    f"value {worst:.17g}; declare the true range or clip it with "
                    "truncated(query, at=...)"
                )
        return values
