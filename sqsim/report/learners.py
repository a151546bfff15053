"""The page on several learners on one table, and its rows.  Nothing is computed here but shares."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqsim.report.html import write_page
from sqsim.report.reading import Results, counted, listed, positive, require
from sqsim.report.table_prose import table_words

ROUNDING = 1e-6
"""A neuron that is active everywhere is a line: its loss is that of least squares."""


def learner_rows(results: Results) -> list[dict[str, Any]]:
    """One row for each learner, that of least loss first: on held-out rows where there are some."""
    require(results, "sqsim.runs/1")
    rows = []
    for run in results["runs"]:
        losses = run["loss"]
        # Those that were not asked about tell more than those that were.
        part = losses["test"] or losses["train"]
        learner, zero, lines = (part[key] for key in ("learner", "zero", "least_squares"))
        rows.append(
            {
                "run": run,
                "loss": learner,
                "train": losses["train"]["learner"],
                "of_zero": _share(learner, zero),
                "of_least_squares": _share(learner, lines),
            }
        )
    return sorted(rows, key=lambda row: (row["loss"] is None, row["loss"] or 0.0))


def held_out(results: Results) -> str:
    """Which rows the losses are over."""
    return "held-out rows" if results["runs"][0]["loss"]["test"] else "rows queried"


def plain_losses(results: Results) -> Mapping[str, Any]:
    """Of predicting zero and of least squares, on the same rows."""
    losses = results["runs"][0]["loss"]
    plain: Mapping[str, Any] = losses["test"] or losses["train"]
    return plain


def learners_headline(results: Results) -> str:
    """One sentence: who is below least squares, of how many, on which rows."""
    rows = learner_rows(results)
    below = [
        row["run"]["algorithm"]
        for row in rows
        if row["of_least_squares"] is not None and row["of_least_squares"] < 1 - ROUNDING
    ]
    count = counted(len(rows), "learner")
    if not below:
        return f"Of {count}, none has a smaller loss than least squares on the {held_out(results)}."
    return (
        f"Of {count}, {len(below)} {'has' if len(below) == 1 else 'have'} a smaller loss than "
        f"least squares on the {held_out(results)}: {listed(below)}."
    )


def write_learners_report(results: Mapping[str, Any], directory: Path) -> Path:
    """Write report.html; its path."""
    require(results, "sqsim.runs/1")
    first = results["runs"][0]
    kept = ("The data", "The oracle", "The adversary")
    context = {
        "title": f"Learners on {Path(results['table']['path']).name}",
        "lead": learners_headline(results),
        "passages": [one for one in table_words(first) if one.heading in kept],
        "rows": learner_rows(results),
        "where": held_out(results),
        "plain": plain_losses(results),
        "held": first["loss"]["test"] is not None,
        "facts": {"table": results["table"], "oracle": results["oracle"]},
    }
    return write_page("learners.html", results, {}, context, directory)


def _share(loss: float | None, of: float | None) -> float | None:
    return loss / of if loss is not None and positive(of) and of is not None else None
