"""`sqsim costs`: what a run would cost in each access model."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sqsim.cli.options import Json, Quiet, check_copy, console

if TYPE_CHECKING:
    from sqsim.audit.costs import RunCosts

HEADINGS = {
    "stat": "STAT",
    "vstat": "VSTAT",
    "l2": "L2",
    "honest": "honest",
    "one_stat": "1-STAT(1)",
    "ldp": "LDP",
}


def costs(
    transcript: Annotated[Path, typer.Argument(help="A transcript, as runs write them.")],
    delta: Annotated[float, typer.Option(help="Probability that some answer is off.")] = 0.05,
    epsilon: Annotated[float, typer.Option(help="Privacy loss of each user under LDP.")] = 1.0,
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:
    """Examples, or users, that answer a recorded run within its tolerances."""
    from sqsim.audit.costs import run_costs
    from sqsim.report.files import write_json

    check_copy(json_path)
    found = run_costs(transcript, failure=delta, epsilon=epsilon)
    if json_path is not None:
        write_json(json_path, found.to_dict())
    if not quiet:
        _show(found)


def _show(found: RunCosts) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    title = f"fresh examples for each round, delta = {found.failure:g} for all"
    table = Table(title=title, box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("round", "queries", "tau", *HEADINGS.values()):
        table.add_column(name, justify="right", no_wrap=True)
    for _, group in groupby(found.rounds, key=lambda one: (one.queries, one.finest, one.counts)):
        same = list(group)
        first, last = same[0].round + 1, same[-1].round + 1
        name = str(first) if first == last else f"{first}-{last}"
        counts = (_shown(same[0].counts[model]) for model in HEADINGS)
        table.add_row(name, _shown(same[0].queries), f"{same[0].finest:.2g}", *counts)
    table.add_section()
    counts = (_shown(found.totals[model]) for model in HEADINGS)
    table.add_row("total", _shown(found.queries), "", *counts)
    console(False).print(table)
    typer.echo(f"tolerance {found.tolerance}: tau of each query, for every model")
    typer.echo(f"VSTAT(t): t = {found.vstat:.3g} for the finest; LDP: epsilon = {found.epsilon:g}")
    for model, heading in HEADINGS.items():
        typer.echo(f"{heading}: {found.theorems[model]}; {found.assumes[model]}")


def _shown(count: int) -> str:
    if count < 10**5:
        return str(count)
    # In whole numbers, which have more digits than a float can hold.
    exponent = len(str(count)) - 1
    return f"{count // 10 ** (exponent - 2) / 100:.2f}e{exponent}"
