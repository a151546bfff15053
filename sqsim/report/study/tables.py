"""The tables of the report on a study: settings, runs, how runs ended and why some failed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from sqsim.report.reading import number, seconds
from sqsim.report.study.columns import Row, inputs, numeric, outputs, real, short, varying
from sqsim.studies.cells import canonical
from sqsim.studies.repeats import Repeats, frequency_interval
from sqsim.studies.store import Run
from sqsim.studies.summaries import expected_running_times, groups

MOST_ROWS = 500
"""Rows of a table in the page; all are in the file of rows beside it."""
MOST_COLUMNS = 24
MOST_REASONS = 20
MOST_CELLS = 10


@final
@dataclass(frozen=True)
class Cell:
    """Text of a cell and, where that is no number to sort by, the number."""

    text: str
    key: str | None = None


@final
@dataclass(frozen=True)
class Table:
    """A table of a page.

    Attributes
    ----------
    columns : names; numeric : which hold numbers.
    rows : at most `MOST_ROWS`; total : how many there are.
    """

    columns: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: int

    @property
    def left_out(self) -> int:
        return self.total - len(self.rows)


@final
@dataclass(frozen=True)
class Failure:
    """Runs that failed for the same reason, and the traceback of the first."""

    reason: str
    count: int
    cells: tuple[str, ...]
    traceback: str


def settings_table(rows: Sequence[Row], repeats: Repeats) -> Table:
    """One row for each setting: its arguments, runs, share of success, ERT, medians of numbers."""
    names = varying(rows)
    medians = [n for n in outputs(rows) if any(numeric(row.get(n)) for row in rows)]
    medians = medians[: max(0, MOST_COLUMNS - len(names) - 5)]
    counted = any(isinstance(row.get(repeats.success), bool) for row in rows)
    settings = [members for _, members in groups(rows, names)]
    costs = expected_running_times(rows, by=names, success=repeats.success) if counted else []
    costly = any(math.isfinite(one["ert"]) for one in costs)
    heads = [short_unless_twice(name, names) for name in names] + ["runs", "failed"]
    heads += [short(repeats.success), "95 % interval"] if counted else []
    heads += ["ERT (queries)"] * costly
    heads += [f"{short(name)} (median)" for name in medians]
    body = []
    for place, members in enumerate(settings[:MOST_ROWS]):
        failed = sum(row["state"] == "failed" for row in members)
        cells = [cell(members[0][name]) for name in names]
        cells += [cell(len(members)), cell(failed)]
        cells += _frequency(members, repeats) if counted else []
        cells += [cell(costs[place]["ert"])] if costly else []
        cells += [cell(_median(members, name)) for name in medians]
        body.append(tuple(cells))
    return made_table(heads, body, len(settings))


def runs_table(rows: Sequence[Row], runs: Sequence[Run]) -> Table:
    """One row for each run: arguments that vary, seed, outcome and results."""
    arguments = varying(rows)
    results = outputs(rows)[: max(0, MOST_COLUMNS - len(arguments) - 4)]
    names = [*arguments, "seed"] if "seed" in inputs(rows) else arguments
    heads = [*(short_unless_twice(name, names) for name in names), "outcome", "seconds"]
    heads += [*map(short, results), "content id"]
    body = [
        (
            *(cell(row[name]) for name in names),
            cell(row["reason"]),
            Cell(seconds(row["seconds"]), repr(row["seconds"])),
            *(cell(row.get(name)) for name in results),
            Cell(run.content_id[:12]),
        )
        for row, run in zip(rows[:MOST_ROWS], runs[:MOST_ROWS], strict=True)
    ]
    return made_table(heads, body, len(rows))


def endings_table(rows: Sequence[Row]) -> Table:
    """How runs ended, and how often."""
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (str(row["state"]), str(row["reason"]))
        counts[key] = counts.get(key, 0) + 1
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    body = [(Cell(state), Cell(reason), cell(count)) for (state, reason), count in ranked]
    return made_table(["state", "how it ended", "runs"], body[:MOST_ROWS], len(body))


def failures(runs: Sequence[Run]) -> list[Failure]:
    """The reasons of failed runs, the most frequent first."""
    alike: dict[str, list[Run]] = {}
    for run in runs:
        if run.outcome.state == "failed":
            alike.setdefault(run.outcome.reason, []).append(run)
    ranked = sorted(alike.items(), key=lambda item: (-len(item[1]), item[0]))
    return [
        Failure(
            reason,
            len(members),
            tuple(canonical(run.arguments) for run in members[:MOST_CELLS]),
            members[0].outcome.traceback or "",
        )
        for reason, members in ranked[:MOST_REASONS]
    ]


def fixed(rows: Sequence[Row]) -> dict[str, str]:
    """Arguments that are the same in every run."""
    changing = {*varying(rows), "seed"}
    return {n: _text(rows[0][n]) for n in inputs(rows) if n not in changing} if rows else {}


def short_unless_twice(name: str, names: Sequence[str]) -> str:
    """The short name, the whole one where two columns would share it."""
    return name if [short(other) for other in names].count(short(name)) > 1 else short(name)


def made_table(heads: Sequence[str], body: Sequence[tuple[Cell, ...]], total: int) -> Table:
    """A table whose columns are numeric where a cell sorts by a number."""
    numbers = tuple(any(row[place].key is not None for row in body) for place in range(len(heads)))
    return Table(tuple(heads), numbers, tuple(body), total)


def cell(value: Any) -> Cell:
    """A value as a cell that sorts as the value does."""
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    found = real(value)
    if found is None:
        return Cell(_text(value))
    if isinstance(value, str):
        return Cell(value if len(value) <= 12 else number(found), _key(found))
    return Cell(number(value), _key(found))


def _key(value: float) -> str:
    return "Infinity" if value == math.inf else "-Infinity" if value == -math.inf else repr(value)


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if numeric(value) else str(value)


def _frequency(members: Sequence[Row], repeats: Repeats) -> list[Cell]:
    successes = sum(row.get(repeats.success) is True for row in members)
    low, high = frequency_interval(successes, len(members), confidence=0.95)
    share = successes / len(members)
    return [
        Cell(f"{successes} of {len(members)}", repr(share)),
        Cell(f"{low:.2f} to {high:.2f}", repr(low)),
    ]


def _median(members: Sequence[Mapping[str, Any]], name: str) -> float | None:
    values = sorted(v for row in members if (v := real(row.get(name))) is not None)
    if not values:
        return None
    middle = len(values) // 2
    if len(values) % 2:
        return values[middle]
    low, high = values[middle - 1], values[middle]
    return low if math.isinf(low) or math.isinf(high) else (low + high) / 2
