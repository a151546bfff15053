"""Chunks as they come, checked: shapes, types, rows that are not finite, and whether all came.

This file does not know files, engines or queries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.arrays import on_host

if TYPE_CHECKING:
    from sqsim.problems.chunked import Chunked

Part: TypeAlias = Callable[[], Iterable[tuple[Any, Any]]]
"""One part of a source: gives its chunks (x, y) anew whenever it is called."""

LOOK = 2048
"""Rows looked at together where nobody says how many."""

SLICE = 8192
"""Rows in a chunk where a source may choose; passes cut them to the size that suits them."""


class Defects(Enum):
    """What a pass does with rows that are not finite and with chunks that hold no rows."""

    REFUSE = "refuse"
    SKIP = "skip"


@final
@dataclass(frozen=True)
class Survey:
    """What one pass found.

    Attributes
    ----------
    rows : rows that a mean is taken over.
    skipped_rows : rows with a number that is not finite.
    empty_chunks : chunks that held no rows.
    largest_target : largest |y|.
    """

    rows: int = 0
    skipped_rows: int = 0
    empty_chunks: int = 0
    largest_target: float = 0.0

    def __add__(self, other: Survey) -> Survey:
        return Survey(
            self.rows + other.rows,
            self.skipped_rows + other.skipped_rows,
            self.empty_chunks + other.empty_chunks,
            max(self.largest_target, other.largest_target),
        )


def chunks(source: Chunked, part: int, *, rows: int = LOOK) -> Iterator[tuple[Array, Array]]:
    """The checked examples of a part as 64-bit numbers, at most `rows` at a time.

    Raises
    ------
    BadInput
        For chunks that are ragged or change their type, for values that are not finite and chunks
        without rows where these are refused, and for a part that changed its length.
    """
    for found in _read(source, part, rows):
        if not isinstance(found, Survey):
            yield found


def surveyed(source: Chunked, part: int) -> Survey:
    """Counts of one part, in one pass over it."""
    counts = Survey()
    for found in _read(source, part, LOOK):
        if isinstance(found, Survey):
            counts += found
        else:
            counts += Survey(len(found[1]), largest_target=float(np.abs(found[1]).max()))
    return counts


def _read(source: Chunked, part: int, rows: int) -> Iterator[tuple[Array, Array] | Survey]:
    """Examples to use, and counts of what is skipped."""
    start, kinds = 0, None
    for index, chunk in enumerate(_called(source, part)):
        where = _place(source, part, index, start)
        x, y = _pair(chunk, where, source.dimension)
        if kinds not in (None, (x.dtype, y.dtype)):
            raise BadInput(
                f"{where} holds {x.dtype} inputs and {y.dtype} targets, the chunks before it "
                f"{kinds[0]} and {kinds[1]}; give all chunks one type"
            )
        kinds = (x.dtype, y.dtype)
        if not len(x):
            if source.defects is Defects.REFUSE:
                raise BadInput(
                    f"{where} holds no rows; leave it out, or read with defects=Defects.SKIP"
                )
            yield Survey(empty_chunks=1)
        for first in range(0, len(x), rows):
            stop = first + rows
            yield from _finite(
                source,
                np.asarray(x[first:stop], dtype=np.float64),
                np.asarray(y[first:stop], dtype=np.float64),
                (part, start + first),
            )
        start += len(x)
    _check_length(source, part, start)


def _called(source: Chunked, part: int) -> Iterable[Any]:
    try:
        return iter(source.parts[part]())
    except TypeError as error:
        raise BadInput(
            f"part {part} gave no chunks ({error}); wanted a function of no arguments that "
            "returns an iterable of pairs (x, y)"
        ) from error


def _place(source: Chunked, part: int, index: int, start: int) -> str:
    return f"chunk {index} of part {part} ({_row(source, part, start)}, counted from 0)"


def _row(source: Chunked, part: int, row: int) -> str:
    """A row by its number in the table, or in its part."""
    if source.starts is not None:
        return f"row {source.starts[part] + row}"
    return f"row {row}" if len(source.parts) == 1 else f"row {row} of part {part}"


def _pair(chunk: Any, where: str, dimension: int) -> tuple[Any, Any]:
    """Inputs and targets as arrays of numbers with fitting shapes."""
    if not isinstance(chunk, tuple | list) or len(chunk) != 2:
        raise BadInput(f"{where} is {type(chunk).__name__}; wanted a pair (x, y)")
    x, y = on_host(chunk[0]), on_host(chunk[1])
    for what, array in (("inputs", x), ("targets", y)):
        if array.dtype.kind not in "biuf":
            raise BadInput(f"{where}: {what} of type {array.dtype}; wanted real numbers")
    if x.ndim != 2 or y.ndim != 1 or len(x) != len(y) or x.shape[1] != dimension:
        raise BadInput(
            f"{where} is ragged: inputs of shape {x.shape} and targets of shape {y.shape}; wanted "
            f"(k, {dimension}) and (k,)"
        )
    return x, y


def _finite(
    source: Chunked, x: Array, y: Array, place: tuple[int, int]
) -> Iterator[tuple[Array, Array] | Survey]:
    """The rows that are finite, and how many are not."""
    # A sum is not finite if one of its terms is not; the reverse may fail, so that a chunk in doubt
    # is looked at once more.
    with np.errstate(over="ignore", invalid="ignore"):
        doubtful = not np.isfinite(x.sum() + y.sum())
    if doubtful:
        bad = ~(np.isfinite(x).all(axis=1) & np.isfinite(y))
        if bad.any():
            if source.defects is Defects.REFUSE:
                raise BadInput(_not_finite(source, x, y, bad, place))
            yield Survey(skipped_rows=int(bad.sum()))
            x, y = x[~bad], y[~bad]
    if len(x):
        yield x, y


def _not_finite(source: Chunked, x: Array, y: Array, bad: Any, place: tuple[int, int]) -> str:
    row = int(np.argmax(bad))
    columns = np.flatnonzero(~np.isfinite(x[row]))
    value, name = y[row], source.target_name or "the target"
    if len(columns):
        value, name = x[row, columns[0]], source.names[columns[0]]
    part, start = place
    others = int(bad.sum()) - 1
    more = f" and {others} more of the {len(x)} rows read with it are not finite" if others else ""
    return (
        f"{_row(source, part, start + row)}, column {name!r} (counted from 0) is {value}{more}; "
        "fill in or remove such rows, or read with defects=Defects.SKIP"
    )


def _check_length(source: Chunked, part: int, found: int) -> None:
    if source.starts is not None:
        wanted = source.starts[part + 1] - source.starts[part]
        if found != wanted:
            raise BadInput(
                f"part {part} gave {found} rows, and {wanted} were announced; its chunks must be "
                "the same in every pass"
            )
    elif not found and source.defects is Defects.REFUSE:
        raise BadInput(
            f"part {part} gave no rows; it must give its chunks anew whenever it is called, so "
            "pass a function that returns a fresh iterator, or read with defects=Defects.SKIP"
        )
