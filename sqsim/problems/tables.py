"""Datasets from files: CSV, Parquet and npz.  Reads and never writes."""

from __future__ import annotations

import csv
import difflib
import math
import zipfile
from array import array
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from sqsim.errors import BadInput
from sqsim.problems.dataset import Dataset

TABLE_NAMES = ("X", "inputs")
"""Names under which an npz file may hold all inputs as one 2-D array."""


def read_table(path: str | PathLike[str], *, target: str) -> Dataset:
    """Dataset of a file; every column but the target is an input.

    Parameters
    ----------
    path : str or path
        .csv with a header line, .parquet, or .npz with either a 2-D array X (or inputs) and the
        target by name, or 1-D arrays by name.  For X, an array `names` may name its columns.
    target : str
        The column to predict.
    """
    file = Path(path)
    readers = {".csv": _csv, ".parquet": _parquet, ".npz": _npz}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise BadInput(f"{path}: wanted a file that ends in {', '.join(readers)}")
    if not file.is_file():
        raise BadInput(f"{file}: no such file; check the path")
    try:
        return reader(file, target)
    except (OSError, UnicodeDecodeError, csv.Error, zipfile.BadZipFile) as error:
        raise BadInput(f"{file.name} cannot be read as {file.suffix}: {error}") from error


def last_column(path: str | PathLike[str]) -> str:
    """The name of the last column of a .csv or .parquet file, where labels usually are."""
    file = Path(path)
    if not file.is_file():
        raise BadInput(f"{file}: no such file; check the path")
    if file.suffix.lower() == ".csv":
        with file.open(newline="", encoding="utf-8-sig") as stream:
            names = next(csv.reader(stream), [])
    elif file.suffix.lower() == ".parquet":
        try:
            from pyarrow import parquet
        except ModuleNotFoundError as error:
            raise BadInput("reading Parquet needs pyarrow; install sqsim[data]") from error
        names = parquet.read_schema(file).names
    else:
        raise BadInput(f"{file.name} has no order of columns; name the one of labels")
    if not names:
        raise BadInput(f"{file.name} has no columns")
    return str(names[-1]).strip()


def _csv(file: Path, target: str) -> Dataset:
    with file.open(newline="", encoding="utf-8-sig") as stream:
        rows = csv.reader(stream, strict=True)
        names = [name.strip() for name in next(rows, [])]
        if not names or all(_number(name) is not None for name in names):
            raise BadInput(f"{file.name}: the first line must name the columns; add a header")
        _check_names(file, names, target)
        columns = [array("d") for _ in names]
        for count, row in enumerate((row for row in rows if row), start=1):
            where = f"{file.name}: row {count} (line {rows.line_num})"
            if len(row) != len(names):
                raise BadInput(f"{where} has {len(row)} cells; the header has {len(names)}")
            for name, column, cell in zip(names, columns, row, strict=True):
                column.append(_cell(cell, where, name))
    return _dataset(dict(zip(names, map(np.array, columns), strict=True)), target)


def _cell(cell: str, where: str, name: str) -> float:
    number = _number(cell)
    if number is not None and math.isfinite(number):
        return number
    if not cell.strip() or number is not None:
        found = repr(cell) if cell.strip() else "empty"
        raise BadInput(f"{where}, column {name!r} is {found}; fill in or remove such rows")
    raise BadInput(
        f"{where}, column {name!r} is {cell!r}, not a number; encode or remove the column"
    )


def _number(cell: str) -> float | None:
    # Python reads 1_000 as a number; a table that says so means something else.
    if "_" in cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def _parquet(file: Path, target: str) -> Dataset:
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise BadInput(
            "reading Parquet needs pyarrow; install sqsim[data], or save the table as .csv or .npz"
        ) from error
    try:
        table = parquet.read_table(file)
    except arrow.ArrowException as error:
        raise BadInput(f"{file.name} cannot be read as .parquet: {error}") from error
    _check_names(file, table.column_names, target)
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = column.type
        types = arrow.types
        if not (
            types.is_integer(kind)
            or types.is_floating(kind)
            or types.is_boolean(kind)
            or types.is_decimal(kind)
        ):
            raise BadInput(
                f"{file.name}: row 1, column {name!r} is {column[0].as_py()!r} of type {kind}, "
                "not a number; encode or remove the column"
                if len(column)
                else f"{file.name}: column {name!r} of type {kind} holds no numbers"
            )
        if column.null_count:
            row = int(np.argmax(column.is_null().to_numpy()))
            raise BadInput(
                f"{file.name}: row {row + 1}, column {name!r} is empty; fill in or remove such rows"
            )
        columns[name] = column.cast(arrow.float64(), safe=False).to_numpy()
    return _dataset(_finite(file, columns), target)


def _npz(file: Path, target: str) -> Dataset:
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, EOFError) as error:
        raise BadInput(f"{file.name} cannot be read as .npz: {error}") from error
    whole = next((n for n in TABLE_NAMES if n in arrays and arrays[n].ndim == 2), None)
    if whole is None:
        for name, values in arrays.items():
            if values.ndim != 1:
                raise BadInput(
                    f"{file.name}: array {name!r} has shape {values.shape}; wanted 1-D columns, "
                    f"or all inputs in one 2-D array named {' or '.join(TABLE_NAMES)}"
                )
        _check_names(file, list(arrays), target)
        return _dataset(_finite(file, arrays), target)
    table = arrays.pop(whole)
    names = [str(name) for name in arrays.pop("names", [])] if target != "names" else []
    names = names or [f"{whole}[{j}]" for j in range(table.shape[1])]
    if len(names) != table.shape[1]:
        raise BadInput(f"{file.name}: {len(names)} names for {table.shape[1]} columns of {whole}")
    if target not in arrays:
        raise BadInput(f"{file.name}: {_missing(target, list(arrays))}")
    if arrays[target].shape != table.shape[:1]:
        raise BadInput(
            f"{file.name}: {target!r} has shape {arrays[target].shape}; wanted one number for "
            f"each of the {len(table)} rows of {whole}"
        )
    _finite(file, {target: arrays[target], **dict(zip(names, table.T, strict=True))})
    return Dataset(table, arrays[target], names, target)


def _finite(file: Path, columns: Mapping[str, Any]) -> Mapping[str, Any]:
    """The columns, all of one length and of finite numbers."""
    count = len(next(iter(columns.values())))
    for name, values in columns.items():
        if len(values) != count:
            raise BadInput(
                f"{file.name}: column {name!r} has {len(values)} rows, others have {count}"
            )
        if values.dtype.kind not in "biuf":
            raise BadInput(
                f"{file.name}: row 1, column {name!r} is of type {values.dtype}, not a number; "
                "encode or remove the column"
            )
        bad = ~np.isfinite(values)
        if bad.any():
            row = int(np.argmax(bad))
            raise BadInput(
                f"{file.name}: row {row + 1}, column {name!r} is {values[row]}; fill in or remove "
                "such rows"
            )
    return columns


def _dataset(columns: Mapping[str, Any], target: str) -> Dataset:
    names = [name for name in columns if name != target]
    kinds = [columns[name] for name in names]
    table = np.stack(kinds, axis=1) if kinds else np.empty((len(columns[target]), 0))
    return Dataset(table, columns[target], names, target)


def _check_names(file: Path, names: Sequence[str], target: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or "" in names:
        what = f"named twice: {', '.join(twice)}" if twice else "without a name"
        raise BadInput(f"{file.name}: columns {what}; give each column its own name")
    if target not in names:
        raise BadInput(f"{file.name}: {_missing(target, names)}")
    if len(names) < 2:
        raise BadInput(
            f"{file.name}: the only column is {names[0]!r}; wanted columns of inputs too"
        )


def _missing(target: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(target, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "name one of them"
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        hint = "the cells look separated by something else; save the file with commas"
    return f"no column {target!r} among {', '.join(map(repr, names)) or 'none'}; {hint}"
