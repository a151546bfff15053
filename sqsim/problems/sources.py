"""Chunked tables from arrays, files, iterators and dask.  Reads and never writes.

This file does not know queries or engines.  Every part is a small object that opens its own piece
of the data, so that a worker is sent a path and a range of rows and not the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.problems.chunked import Chunked
from sqsim.problems.reading import SLICE, Defects, Part


def part_rows(dimension: int) -> int:
    """Rows in a part unless it is said: 32 MiB of 64-bit numbers, but at least 4096 rows."""
    return max(4096, 2**22 // dimension)


def from_arrays(
    inputs: Any,
    targets: Any,
    *,
    names: Sequence[str] = (),
    target_name: str = "",
    rows: int | None = None,
    defects: Defects = Defects.REFUSE,
) -> Chunked:
    """Arrays in memory, memory-mapped, or of another array library.

    Parameters
    ----------
    inputs : (n, d) array
        Of numpy (also a np.memmap), or of any library that follows the array API standard, on any
        device: chunks are brought to this machine one at a time.
    targets : (n,) array
    names : sequence of str
        Of the d columns; x0, x1, ... unless given.
    rows : int, optional
        Rows in a part; 32 MiB unless given.
    """
    if len(getattr(inputs, "shape", ())) != 2 or len(getattr(targets, "shape", ())) != 1:
        raise BadInput(
            f"inputs are {type(inputs).__name__} of shape {getattr(inputs, 'shape', None)} and "
            f"targets of shape {getattr(targets, 'shape', None)}; wanted arrays (n, d) and (n,)"
        )
    starts = _starts(inputs.shape, targets.shape, rows)
    parts = [Rows(inputs[a:b, ...], targets[a:b]) for a, b in pairwise(starts)]
    return Chunked(parts, _names(names, inputs.shape[1]), target_name, starts, defects)


def from_npy(
    inputs: str | PathLike[str],
    targets: str | PathLike[str],
    *,
    names: Sequence[str] = (),
    target_name: str = "",
    rows: int | None = None,
    defects: Defects = Defects.REFUSE,
) -> Chunked:
    """Two .npy files, (n, d) and (n,), mapped into memory a part at a time.

    The parameters are those of `from_arrays`.  The files must be where every worker sees them.
    """
    files = (Path(inputs).absolute(), Path(targets).absolute())
    shapes = [_mapped(file).shape for file in files]
    if (len(shapes[0]), len(shapes[1])) != (2, 1):
        raise BadInput(
            f"{files[0].name} has shape {shapes[0]} and {files[1].name} {shapes[1]}; wanted "
            "(n, d) and (n,)"
        )
    starts = _starts(shapes[0], shapes[1], rows)
    parts = [NpyRows(*files, a, b) for a, b in pairwise(starts)]
    return Chunked(parts, _names(names, shapes[0][1]), target_name, starts, defects)


def from_chunks(
    factory: Part | Sequence[Part],
    *,
    dimension: int | None = None,
    names: Sequence[str] = (),
    target_name: str = "",
    defects: Defects = Defects.REFUSE,
) -> Chunked:
    """Whatever gives chunks: a function of no arguments that returns an iterable of (x, y).

    Parameters
    ----------
    factory : function, or sequence of functions
        Each call begins anew, since every batch of queries is one pass.  Several functions are
        parts that workers may read at the same time.
    dimension : int
        Number of columns; `names` may be given instead.
    """
    if isinstance(factory, Iterator):
        raise BadInput(
            f"{type(factory).__name__} can be read once and every batch of queries is one pass; "
            "pass the function that makes it"
        )
    if dimension is None and not names:
        raise BadInput("neither dimension nor names; wanted the number of columns of the inputs")
    parts = [factory] if callable(factory) else list(factory)
    wanted = len(names) if dimension is None else dimension
    return Chunked(parts, _names(names, wanted), target_name, None, defects)


def from_dask(
    inputs: Any,
    targets: Any,
    *,
    names: Sequence[str] = (),
    target_name: str = "",
    defects: Defects = Defects.REFUSE,
) -> Chunked:
    """Two dask arrays, (n, d) and (n,), with the same chunks along the rows.

    A part is one block of rows.  A dask dataframe is passed as `frame[columns].to_dask_array()`
    and `frame[target].to_dask_array()`; lengths may stay unknown.
    """
    for what, array, ndim in (("inputs", inputs, 2), ("targets", targets, 1)):
        if not hasattr(array, "to_delayed") or getattr(array, "ndim", None) != ndim:
            raise BadInput(
                f"{what} are {type(array).__name__} of {getattr(array, 'ndim', '?')} dimensions; "
                f"wanted a dask array of {ndim}"
            )
    if len(inputs.chunks[1]) != 1:
        inputs = inputs.rechunk({1: -1})
    lengths = np.asarray(inputs.chunks[0], dtype=np.float64)
    if not np.array_equal(lengths, np.asarray(targets.chunks[0], dtype=np.float64), equal_nan=True):
        raise BadInput(
            f"inputs have chunks of {inputs.chunks[0]} rows and targets of {targets.chunks[0]}; "
            "rechunk one as the other"
        )
    known = bool(np.isfinite(lengths).all())
    starts = [0, *np.cumsum(lengths).astype(int).tolist()] if known else None
    blocks = zip(inputs.to_delayed().ravel(), targets.to_delayed().ravel(), strict=True)
    parts = [Blocks(x, y) for x, y in blocks]
    return Chunked(parts, _names(names, inputs.shape[1]), target_name, starts, defects)


@final
@dataclass(frozen=True, eq=False)
class Rows:
    """A piece of two arrays."""

    inputs: Any
    targets: Any

    def __call__(self) -> Iterator[tuple[Any, Any]]:
        # In slices, so that a piece on another device does not come here whole.
        count = self.targets.shape[0]
        for first, last in pairwise([*range(0, count, SLICE), count]):
            yield self.inputs[first:last, ...], self.targets[first:last]


@final
@dataclass(frozen=True)
class NpyRows:
    """Rows `start` to `stop` of two .npy files."""

    inputs: Path
    targets: Path
    start: int
    stop: int

    def __call__(self) -> Iterator[tuple[Any, Any]]:
        x, y = _mapped(self.inputs), _mapped(self.targets)
        for first in range(self.start, self.stop, SLICE):
            last = min(first + SLICE, self.stop)
            yield x[first:last], y[first:last]


@final
@dataclass(frozen=True, eq=False)
class Blocks:
    """One block of two dask arrays; called without a cluster, it is computed here.

    Attributes
    ----------
    inputs, targets : delayed blocks.
    """

    inputs: Any
    targets: Any

    def __call__(self) -> Iterable[tuple[Any, Any]]:
        # By name, since dask is optional and has no types.
        compute = import_module("dask.base").compute
        return [compute(self.inputs, self.targets, scheduler="synchronous")]


@final
@dataclass(frozen=True, eq=False)
class Mapped:
    """A part with a function applied to each of its chunks, such as a change of coordinates."""

    part: Part
    change: Callable[[Any, Any], tuple[Any, Any]]

    def __call__(self) -> Iterator[tuple[Any, Any]]:
        for x, y in self.part():
            yield self.change(x, y)


def mapped(source: Chunked, change: Callable[[Any, Any], tuple[Any, Any]]) -> Chunked:
    """The source with every chunk (x, y) replaced by change(x, y), lazily; rows must stay rows."""
    parts = [Mapped(part, change) for part in source.parts]
    return Chunked(parts, source.names, source.target_name, source.starts, source.defects)


def _mapped(file: Path) -> Any:
    try:
        return np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise BadInput(f"{file} cannot be mapped as .npy: {error}; check the path") from error


def _starts(inputs: Sequence[int], targets: Sequence[int], rows: int | None) -> list[int]:
    """First rows of parts, then the number of rows."""
    count, dimension = inputs
    if targets[0] != count or not count or not dimension:
        raise BadInput(
            f"inputs have shape {tuple(inputs)} and targets {tuple(targets)}; wanted (n, d) and "
            "(n,) with n >= 1 and d >= 1"
        )
    if rows is not None and rows < 1:
        raise BadInput(f"rows is {rows}; wanted a positive number of rows in a part")
    return [*range(0, count, rows or part_rows(dimension)), count]


def _names(names: Sequence[str], dimension: int) -> Sequence[str]:
    if names and len(names) != dimension:
        raise BadInput(f"{len(names)} names for {dimension} columns; name each column once")
    return names or [f"x{j}" for j in range(dimension)]
