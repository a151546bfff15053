"""The registered algorithms as plain data and as tables of a terminal.

This file does not know how they are found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from sqsim.report.reading import Results
from sqsim.studies.named import Found
from sqsim.studies.plugins import Broken


def algorithms_report(
    found: Found, problems: Sequence[str], clashing: Sequence[Broken]
) -> dict[str, Any]:
    """Schema sqsim.algorithms/1."""
    return {
        "schema": "sqsim.algorithms/1",
        "algorithms": [
            {**entry.to_dict(), "package": found.packages.get(entry.name, "sqsim")}
            for entry in found.entries
        ],
        "problems": list(problems),
        "left_out": [vars(one) for one in (*found.broken, *clashing)],
    }


def algorithms_table(report: Results) -> Table:
    """Name and access of each algorithm, and under each other its cost, source and guarantee."""
    table = Table("name", "access", "rounds, queries, source and guarantee", show_lines=True)
    table.columns[0].no_wrap = True
    for one in report["algorithms"]:
        most = "at most " if one["at_most"] else ""
        name = one["name"] if one["package"] == "sqsim" else f"{one['name']}\n({one['package']})"
        facts = Text()
        for head in ("rounds", "queries"):
            facts.append(f"{head} ", "dim").append(f"{most}{one[head]}\n")
        facts.append(f"{one['source']}: {one['guarantee']}")
        table.add_row(Text(name), one["access"], facts)
    return table


def letters_table(report: Results) -> Table:
    """What the letters of the formulas mean, and their values in each algorithm."""
    table = Table("letter", "meaning", "value", "in", box=None, pad_edge=False)
    found: dict[tuple[str, str, str], list[str]] = {}
    for one in report["algorithms"]:
        for letter, symbol in one["symbols"].items():
            value = "" if symbol["value"] is None else str(symbol["value"])
            found.setdefault((letter, symbol["meaning"], value), []).append(one["name"])
    for (letter, meaning, value), names in found.items():
        where = "all" if len(names) == len(report["algorithms"]) else ", ".join(names)
        table.add_row(*map(Text, (letter, meaning, value, where)))
    return table
