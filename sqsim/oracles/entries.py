"""The scalars of a query on examples, one row for each: what sampling oracles average.

This file does not know how examples are drawn or averages made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sqsim.errors import BadInput, QueryRefused
from sqsim.featured import Featured
from sqsim.guarantee import positive_number
from sqsim.lowrank import Array
from sqsim.problems.examples import draw_examples
from sqsim.queries import Characters, Correlation, Opaque, Query, Ridge
from sqsim.subsets import fitted, mask_words, parity_signs, sign_words
from sqsim.truncation import LEEWAY

Range: TypeAlias = tuple[float, float]

_CELLS = 2**21


def draws(
    instance: Any, samples: int, stream: np.random.Generator, turn: int
) -> Iterator[tuple[Array, Array]]:
    """Fresh examples of an instance, 16 MiB of inputs at a time.

    The chunks depend on the dimension alone, so that an answer does not depend on what else is
    asked in its batch.
    """
    of_inputs, of_labels = stream.spawn(2)
    size = _rows(int(instance.problem.dimension))
    for start in range(0, samples, size):
        count = min(size, samples - start)
        yield draw_examples(instance, of_inputs, of_labels, count, turn)


def entries_in_parts(query: Query, x: Array, y: Array) -> Iterator[Array]:
    """`entries`, 16 MiB at a time."""
    size = _rows(query.size(x.shape[1]))
    for start in range(0, len(x), size):
        yield entries(query, x[start : start + size], y[start : start + size])


def _rows(width: int) -> int:
    return max(64, min(2**16, _CELLS // width))


def entries(query: Query, x: Array, y: Array) -> Array:
    """phi of every example, (n, scalars); a symmetric matrix as its upper triangle, row by row.

    Raises
    ------
    BadInput
        Where the function is not finite, or leaves the range that the query declares.
    """
    # A function gets the same numbers whatever a table is stored in.
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    form = query.form
    labels = y if query.labelled else None
    if isinstance(form, Opaque):
        values = form.values(x, labels).reshape(len(x), -1)
    elif isinstance(form, Ridge):
        # A frame of the wrong length is named there.
        form.shape(x.shape[1])
        projections = None if form.frame is None else (x @ form.frame).reshape(len(x), -1)
        weights = form.values(projections, labels, len(x))[:, None]
        values = weights * _tensor(x, form.power)
    elif isinstance(form, Featured):
        values = form.entries(x, labels)
    elif isinstance(form, Characters):
        values = form.values(labels, len(x))[:, None] * _parities(form, x)
    else:
        raise QueryRefused(
            f"query {query.label!r} is a {type(form).__name__}; a sampling oracle values a Ridge, "
            "an Opaque or Characters on examples"
        )
    _check_range(query, values)
    if isinstance(query, Correlation):
        values = values * y[:, None]
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values).all(axis=1)).sum())
        raise BadInput(
            f"the function of query {query.label!r} is not finite on {bad} of {len(x)} examples; "
            "check its domain"
        )
    return np.asarray(values)


def _check_range(query: Query, values: Array) -> None:
    """Hold every entry, of g in a Correlation, to the declared range; a parity has either sign."""
    if query.range is None or not values.size:
        return
    low, high = query.range
    sup = max(-low, high)
    if isinstance(query.form, Characters):
        low, high = -sup, sup
    out = (values < low - LEEWAY * sup) | (values > high + LEEWAY * sup)
    if out.any():
        raise BadInput(
            f"query {query.label!r} declares values in [{low:g}, {high:g}] and takes the value "
            f"{float(values[out][0]):.17g}; declare the true range or clip it with "
            "truncated(query, at=...)"
        )


def answer_of(query: Query, scalars: Array, dimension: int) -> Array:
    """The scalars in the shape of the answer."""
    shape = query.shape(dimension)
    if len(shape) < 2:
        return np.asarray(scalars.reshape(shape))
    matrix = np.zeros(shape)
    rows, columns = np.triu_indices(dimension)
    matrix[rows, columns] = scalars
    matrix[columns, rows] = scalars
    return matrix


def check_clip(clip: float | None, why: str, *, otherwise: str = "") -> Range:
    """The range [-clip, clip], where one is needed; `otherwise` is a way to do without."""
    if clip is None:
        raise BadInput(
            f"{why}, and the ranges of queries are not known when the oracle is made; pass clip=c, "
            f"for values clipped to [-c, c]{otherwise}"
        )
    positive_number(clip, "clip")
    return (-float(clip), float(clip))


def bits_of(values: Array, within: Range, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Values clipped to [low, high] and rounded at random to 0 (low) or 1 (high), mean kept."""
    low, high = within
    return np.asarray(low + (high - low) * rng.random(values.shape) < np.clip(values, low, high))


def _parities(form: Characters, x: Array) -> Array:
    """chi_S of every example and set, (n, sets)."""
    sets = np.arange(form.shape(x.shape[1])[0]) if form.masks is None else form.masks
    return parity_signs(sign_words(x), fitted(mask_words(sets), x.shape[1]))


def _tensor(x: Array, power: int) -> Array:
    """T_p(x) by rows: 1, x, or the upper triangle of x x' - I."""
    if power == 0:
        return np.ones((len(x), 1))
    if power == 1:
        return x
    rows, columns = np.triu_indices(x.shape[1])
    return np.asarray(x[:, rows] * x[:, columns] - (rows == columns))
