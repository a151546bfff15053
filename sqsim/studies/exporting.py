"""The runs of a store as tables for other programs: CSV, Parquet, xarray, IOHinspector's columns.

This file does not know what the numbers mean.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqsim.errors import BadInput
from sqsim.studies.cells import canonical
from sqsim.studies.store import Run, Store

if TYPE_CHECKING:
    import pyarrow as pa

OUTCOME = ("state", "reason", "seconds")


def records(store: Store) -> list[dict[str, Any]]:
    """One flat mapping a run, all with the same names, in the order of the study.

    Arguments are named `problem.dimension` and the like, entries of the row by their own names;
    lists and mappings are JSON text; what a run lacks is None.
    """
    found = [_record(run) for run in store.runs()]
    names = dict.fromkeys(name for one in found for name in one)
    return [{name: one.get(name) for name in names} for one in found]


def export(store: Store, path: str | Path) -> Path:
    """Write the runs to `path`, in the format that its suffix names: .csv, .parquet or .json.

    Parquet needs the extra "data".
    """
    path = Path(path)
    writers = {".csv": _csv, ".parquet": _parquet, ".json": _json}
    if path.suffix not in writers:
        raise BadInput(f"cannot export to {path.name!r}; wanted one of {', '.join(writers)}")
    if not path.parent.is_dir():
        raise BadInput(f"cannot write {path}: its folder does not exist")
    writers[path.suffix](records(store), path)
    return path


def to_xarray(store: Store) -> Any:
    """An `xarray.Dataset` over the arguments that vary: one array for each entry of the rows.

    Needs xarray.  Runs that are missing or failed are nan or None.
    """
    try:
        import xarray as xr
    except ImportError:
        raise BadInput("xarray is not installed; install it, or export to .parquet") from None
    import numpy as np

    found = records(store)
    inputs, outputs = _names(store)
    varying = [n for n in inputs if len({canonical(one[n]) for one in found}) > 1] or ["seed"]
    axes = {name: _axis(one[name] for one in found) for name in varying}
    places = {name: {canonical(v): i for i, v in enumerate(axes[name])} for name in varying}
    arrays = {}
    for name in (*outputs, *OUTCOME):
        numeric = all(isinstance(one.get(name), int | float | None) for one in found)
        shape = tuple(len(axes[axis]) for axis in varying)
        grid = np.full(shape, np.nan if numeric else None, dtype=float if numeric else object)
        for one in found:
            if one.get(name) is not None:
                grid[tuple(places[axis][canonical(one[axis])] for axis in varying)] = one[name]
        arrays[name] = (varying, grid)
    fixed = {n: found[0][n] for n in inputs if found and n not in varying}
    return xr.Dataset(arrays, coords=axes, attrs={k: v for k, v in fixed.items() if v is not None})


def inspector_frame(
    store: Store, *, evaluations: str = "queries", value: str = "loss"
) -> list[dict[str, Any]]:
    """The columns that IOHinspector reads, one record a run.

    `evaluations` and `raw_y` are two entries of the rows; every further column is as it is in
    `records`.  Load with `polars.DataFrame(inspector_frame(store))`.
    """
    frame = []
    for place, one in enumerate(records(store)):
        if one.get(evaluations) is None or one.get(value) is None:
            continue
        frame.append(
            {
                "data_id": place,
                "algorithm_name": str(one.get("algorithm.name")),
                "function_name": store.study.name,
                "function_id": 1,
                "dimension": one.get("problem.dimension"),
                "instance": one["seed"],
                "run_id": one["seed"],
                "evaluations": one[evaluations],
                "raw_y": one[value],
                "maximization": False,
                "tolerance": one.get("tolerance"),
            }
        )
    return frame


def _record(run: Run) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in run.arguments.items():
        if isinstance(value, Mapping):
            flat.update({f"{name}.{key}": _scalar(item) for key, item in value.items()})
        else:
            flat[name] = _scalar(value)
    outcome = run.outcome
    flat.update(state=outcome.state, reason=outcome.reason, seconds=outcome.seconds)
    flat.update({name: _scalar(value) for name, value in outcome.values.items()})
    return flat


def _names(store: Store) -> tuple[list[str], list[str]]:
    """Names of arguments and of entries of rows, in order of appearance."""
    inputs: dict[str, None] = {}
    outputs: dict[str, None] = {}
    for run in store.runs():
        inside = _record(run)
        row = run.outcome.values
        outputs.update(dict.fromkeys(row))
        inputs.update(dict.fromkeys(n for n in inside if n not in row and n not in OUTCOME))
    return list(inputs), list(outputs)


def _axis(values: Iterable[Any]) -> list[Any]:
    seen = {canonical(value): value for value in values}
    plain = list(seen.values())
    if all(isinstance(value, int | float) for value in plain):
        return sorted(plain)
    return plain


def _scalar(value: Any) -> Any:
    return canonical(value) if isinstance(value, list | tuple | Mapping) else value


def _csv(rows: list[dict[str, Any]], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows(rows)


def _json(rows: list[dict[str, Any]], path: Path) -> None:
    path.write_text(canonical(rows) + "\n", encoding="utf-8")


def _parquet(rows: list[dict[str, Any]], path: Path) -> None:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise BadInput('Parquet needs pyarrow; install "sqsim[data]" or export to .csv') from None
    parquet.write_table(_arrow(pa, rows), path)


def _arrow(pa: Any, rows: list[dict[str, Any]]) -> pa.Table:
    columns = {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}
    arrays = {}
    for name, values in columns.items():
        kinds = {type(value) for value in values if value is not None}
        # A column of texts and numbers (nan and inf are texts in a row) is a column of texts.
        mixed = str in kinds and len(kinds) > 1
        arrays[name] = pa.array(
            [None if v is None else str(v) for v in values] if mixed else values
        )
    return pa.table(arrays)
