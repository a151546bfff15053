"""`sqsim correlation`: a proved correlation of a link along two directions."""

from __future__ import annotations

from typing import Annotated

import typer

from sqsim.cli.options import Json, Link, Quiet, check_copy


def correlation(
    link: Link,
    inner: Annotated[str, typer.Option(help="<u, v>: an exact decimal or fraction in [-1, 1].")],
    bias: Annotated[str, typer.Option(help="Exact decimal or fraction added to z.")] = "0",
    cutoff: Annotated[
        int | None, typer.Option(help="Remove the Hermite part up to this degree first.")
    ] = None,
    digits: Annotated[int, typer.Option(help="Correct digits, proved.")] = 30,
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:
    """E(f(<x, u>) f(<x, v>)), x standard Gaussian, u and v unit vectors, in a proved enclosure."""
    from sqsim.lowerbounds.correlation import correlation_report
    from sqsim.report.files import write_json

    check_copy(json_path)
    report = correlation_report(link, bias, cutoff, inner, digits)
    if json_path is not None:
        write_json(json_path, report)
    if not quiet:
        typer.echo(f"[{report['lower']}, {report['upper']}]")
