"""`sqsim exponents`: information and generative exponent of a link."""

from __future__ import annotations

from typing import Annotated

import typer

from sqsim.cli.options import Json, Link, Quiet, check_copy


def exponents(
    link: Link,
    bias: Annotated[str, typer.Option(help="Exact decimal or fraction added to z.")] = "0",
    max_degree: Annotated[int, typer.Option(help="Degrees 1 to this one are looked at.")] = 8,
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:
    """First degrees seen by correlations and by any query, with brackets of lambda_k^2."""
    from sqsim.lowerbounds.exponents import exponents_of, exponents_report
    from sqsim.report.files import write_json

    check_copy(json_path)
    information, generative = exponents_of(link, bias, max_degree)
    if json_path is not None:
        write_json(json_path, exponents_report(information, generative))
    if quiet:
        return
    typer.echo(f"information exponent  {information.statement}")
    typer.echo(f"generative exponent   {generative.statement}")
    typer.echo("degree  E[f h_k]  lambda_k^2")
    for first, second in zip(information.verdicts, generative.verdicts, strict=True):
        low, high = (float(end) for end in second.number.bounds)
        typer.echo(
            f"{first.degree:6d}  {first.status:8s}  {second.status:8s}[{low:.10f}, {high:.10f}]"
            f"  {second.reason}"
        )
