"""What the columns of a study's runs are called and hold.  This file does not know figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqsim.report.reading import number

Row = Mapping[str, Any]

SYMBOLS = {
    "tolerance": r"tolerance $\tau$",
    "problem.dimension": "dimension $d$",
    "problem.bias": "bias $b$",
    "problem.norm": "norm of the neuron",
    "problem.alpha": r"energy / budget $\alpha$",
    "problem.sparsity": "sparsity $k$",
    "problem.noise": r"noise rate $\eta$",
    "algorithm.rho": r"shift $\rho$",
    "algorithm.lambda_": r"cut $\lambda$",
    "ratio": r"loss / upper bound on $\mathrm{OPT}$",
    "null_loss": "loss of the zero hypothesis",
    "queries": "scalar queries",
    "certified_queries": "lower bound on queries",
    "certified_frontier": "frontier of the tolerance",
}
"""Labels of columns that occur in many studies; any other is shown by its own name."""

OUTCOMES = ("state", "reason", "seconds")
PLAIN = str.maketrans({"$": "", "\\": "", "{": "", "}": ""})


def label(column: str) -> str:
    """How an axis names a column; LaTeX between dollar signs."""
    return SYMBOLS.get(column, short(column))


def short(column: str) -> str:
    """The last part of a dotted name, in words; of a thing's name, the thing."""
    first, _, last = column.rpartition(".")
    return (first if first and last == "name" else last).strip("_").replace("_", " ")


def spoken(text: str) -> str:
    """A label without its LaTeX marks, for sentences."""
    for mark, word in ((r"\mathrm", ""), (r"\tau", "tau"), (r"\log", "log")):
        text = text.replace(mark, word)
    return text.translate(PLAIN)


def real(value: Any) -> float | None:
    """A number, or the number that a text is; None for anything else, and for nan."""
    if value is None or isinstance(value, list | tuple | Mapping):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if math.isnan(found) else found


def word(column: str, value: Any) -> str:
    """A value as part of a name: words stand alone, numbers and truth values with their column."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return short(column) if value else f"not {short(column)}"
    return f"{short(column)} {number(value)}"


def titled(column: str, value: Any) -> str:
    """A value as the title of a panel, with its column."""
    return f"{short(column)} {'–' if value is None else number(value)}"


def named(row: Row, columns: Sequence[str]) -> str:
    """What a run belongs to: its values in these columns, those that it has."""
    return ", ".join(word(name, row[name]) for name in columns if row.get(name) is not None)


def ordered(values: Iterable[Any]) -> list[Any]:
    """Different values: numbers by size, anything else in order of appearance."""
    found = different(values)
    if all(numeric(value) for value in found):
        return sorted(found, key=float)
    return found


def different(values: Iterable[Any]) -> list[Any]:
    """Different scalars in order of appearance; True is not 1."""
    return list({(isinstance(value, bool), value): value for value in values}.values())


def numeric(value: Any) -> bool:
    """Whether it is a number on an axis: no truth value, no text."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def arranged(rows: Sequence[Row], arguments: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Rows with all their arguments before the outcome, and all their results after it."""
    first: dict[str, None] = {}
    for one in arguments:
        for name, value in one.items():
            flat = [f"{name}.{key}" for key in value] if isinstance(value, Mapping) else [name]
            first.update(dict.fromkeys(flat))
    known = list(rows[0]) if rows else []
    order = [*(n for n in first if n in known), *OUTCOMES]
    order += [name for name in known if name not in order]
    return [{name: row[name] for name in order} for row in rows]


def inputs(rows: Sequence[Row]) -> list[str]:
    """Columns of arguments: they stand before the outcome (`arranged`)."""
    names = list(rows[0]) if rows else []
    return names[: names.index("state")] if "state" in names else names


def outputs(rows: Sequence[Row]) -> list[str]:
    """Columns of results: they stand after the outcome."""
    names = list(rows[0]) if rows else []
    return [name for name in names[len(inputs(rows)) :] if name not in OUTCOMES]


def varying(rows: Sequence[Row]) -> list[str]:
    """Arguments with more than one value, the seed aside."""
    return [
        name
        for name in inputs(rows)
        if name != "seed" and len(different(row[name] for row in rows)) > 1
    ]
