"""Chunked tables from Parquet files, a row group at a time.  Reads and never writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.problems.chunked import Chunked
from sqsim.problems.reading import SLICE, Defects


def from_parquet(
    path: str | PathLike[str],
    *,
    target: str,
    columns: Sequence[str] | None = None,
    defects: Defects = Defects.REFUSE,
) -> Chunked:
    """A Parquet file, or all of a folder in the order of their names; needs pyarrow.

    A part is one row group.  Cells without a value are read as nan, so that they are refused or
    skipped like other numbers that are not finite.  Memory: one row group of the columns asked for.

    Parameters
    ----------
    path : .parquet file or folder
        Where every worker sees it.
    target : str
        The column to predict.
    columns : sequence of str, optional
        The inputs; all other columns unless given.
    """
    root = Path(path).absolute()
    files = sorted(root.rglob("*.parquet")) if root.is_dir() else [root]
    if not files or not files[0].exists():
        found = "no .parquet file in it" if root.is_dir() else "no such file"
        raise BadInput(f"{path}: {found}; check the path")
    parts: list[RowGroup] = []
    starts, wanted = [0], None if columns is None else tuple(columns)
    for file in files:
        opened = _opened(file)
        names = opened.schema_arrow.names
        if wanted is None:
            wanted = tuple(name for name in names if name != target)
        missing = [name for name in (*wanted, target) if name not in names]
        if missing or not wanted:
            raise BadInput(
                f"{file.name}: no column {missing[0] if missing else 'of inputs'!r} among "
                f"{', '.join(names)}; name columns that every file has"
            )
        _check_types(file, opened.schema_arrow, (*wanted, target))
        for group in range(opened.num_row_groups):
            parts.append(RowGroup(file, group, wanted, target))
            starts.append(starts[-1] + opened.metadata.row_group(group).num_rows)
    if not starts[-1]:
        raise BadInput(f"{path}: no rows; wanted at least one")
    return Chunked(parts, wanted or (), target, starts, defects)


@final
@dataclass(frozen=True)
class RowGroup:
    """One row group of a file."""

    file: Path
    group: int
    columns: tuple[str, ...]
    target: str

    def __call__(self) -> Iterator[tuple[Any, Any]]:
        batches = _opened(self.file).iter_batches(
            SLICE, row_groups=[self.group], columns=[*self.columns, self.target], use_threads=False
        )
        for batch in batches:
            read = [_numbers(batch.column(name)) for name in self.columns]
            yield np.stack(read, axis=1), _numbers(batch.column(self.target))


def _numbers(column: Any) -> Any:
    """64-bit numbers, nan where there is no value."""
    import pyarrow

    return column.cast(pyarrow.float64(), safe=False).to_numpy(zero_copy_only=False)


def _opened(file: Path) -> Any:
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise BadInput("reading Parquet needs pyarrow; install sqsim[data]") from error
    try:
        return parquet.ParquetFile(file)
    except (OSError, pyarrow.ArrowException) as error:
        raise BadInput(f"{file.name} cannot be read as .parquet: {error}") from error


def _check_types(file: Path, schema: Any, names: Sequence[str]) -> None:
    from pyarrow import types

    tests = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal)
    for name in names:
        kind = schema.field(name).type
        if not any(test(kind) for test in tests):
            raise BadInput(
                f"{file.name}: column {name!r} is of type {kind}, not a number; encode it or leave "
                "it out"
            )
