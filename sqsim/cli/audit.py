"""`sqsim audit`: whether a transcript is what it says."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from sqsim.cli.options import Json, Quiet, check_copy, console


def audit(
    transcript: Annotated[Path, typer.Argument(help="A transcript, as runs write them.")],
    digits: Annotated[int, typer.Option(help="Digits of proofs and of quadrature.")] = 40,
    trust: Annotated[
        list[str] | None,
        typer.Option(help="Module of your own whose function makes this run again; repeatable."),
    ] = None,
    prefix: Annotated[
        bool, typer.Option("--prefix", help="Accept a run that was stopped before its end.")
    ] = False,
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:
    """Ask a run's questions again and check every answer: exit 0 lawful, 1 not, 2 unreadable."""
    from sqsim.audit.auditing import audit_transcript
    from sqsim.report.files import write_json

    check_copy(json_path)
    if trust:
        # A module of the user's own lies where the command is called.
        sys.path.insert(0, os.getcwd())
    with console(quiet).status("reading") as status:
        found = audit_transcript(
            transcript,
            digits=digits,
            trust=trust or (),
            prefix=prefix,
            watch=lambda turn: status.update(f"turn {turn}"),
        )
    if json_path is not None:
        write_json(json_path, found.to_dict())
    if not quiet:
        typer.echo(f"transcript  {found.transcript}")
        typer.echo(f"turns       {found.turns}")
        typer.echo(f"queries     {found.ledger.queries} scalar in {found.ledger.rounds} rounds")
        typer.echo(f"finest tau  {found.ledger.finest}")
        typer.echo(f"sum 1/tau^2 {found.ledger.cost:.6g}")
        for how, count in sorted(found.grades.items()):
            typer.echo(f"{count:>11} answers checked: {how}")
        if found.edges:
            typer.echo(f"{found.edges:>11} of them at the edge of their window, up to rounding")
        if found.misses:
            typer.echo(
                f"{found.misses:>11} outside their window, which is promised with a probability"
            )
        if found.unjudged:
            typer.echo(f"{found.unjudged:>11} of them of a mean that is not found otherwise")
        typer.echo(f"furthest    {found.largest:.6g} of the radius")
        typer.echo("lawful" if found.lawful else "NOT lawful")
    for finding in found.findings:
        typer.echo(str(finding), err=quiet)
    if not found.lawful:
        raise typer.Exit(1)
