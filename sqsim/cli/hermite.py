"""`sqsim hermite`: proved coefficients of a link."""

from __future__ import annotations

from typing import Annotated

import typer

from sqsim.cli.options import Json, Link, Quiet, check_copy
from sqsim.errors import BadInput


def hermite(
    link: Link,
    bias: Annotated[str, typer.Option(help="Exact decimal or fraction added to z.")] = "0",
    degree: Annotated[
        int | None,
        typer.Option(help="All degrees from 0 to this one (0 alone unless a flag says more)."),
    ] = None,
    degrees: Annotated[str | None, typer.Option(help="Or a list of degrees: 0,1,5,100.")] = None,
    digits: Annotated[int, typer.Option(help="Correct digits, proved.")] = 50,
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:
    """Hermite coefficients E(f(z) h_k(z)) in proved enclosures, h_k = He_k / sqrt(k!)."""
    from sqsim.lowerbounds.hermite import hermite_report
    from sqsim.report.files import write_json

    check_copy(json_path)
    if degree is not None and degrees is not None:
        raise BadInput("give --degree N or --degrees LIST, not both")
    wanted = _degrees(degrees) if degrees is not None else (degree or 0)
    report = hermite_report(link, bias, wanted, digits)
    if json_path is not None:
        write_json(json_path, report)
    for row in () if quiet else report["coefficients"]:
        typer.echo(f"{row['degree']:6d}  [{row['lower']}, {row['upper']}]")


def _degrees(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise BadInput(f"degrees are {text!r}; wanted whole numbers such as 0,1,5") from None
