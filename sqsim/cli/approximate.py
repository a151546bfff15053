"""`sqsim approximate`: a polynomial in place of a ReLU on [-1, 1], with proved bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sqsim.cli.options import Json, Link, Quiet, check_copy
from sqsim.errors import BadInput

if TYPE_CHECKING:
    from sqsim.lowerbounds.uniform import Kind


def approximate(
    link: Link,
    epsilon: Annotated[
        str | None, typer.Option(help="Exact decimal or fraction: the least degree within it.")
    ] = None,
    degree: Annotated[int | None, typer.Option(help="Or the degree itself.")] = None,
    kind: Annotated[
        str,
        typer.Option(help="minimax (the best), chebyshev (truncated series) or range-safe "
                          "(values in [0, 1])."),
    ] = "minimax",
    digits: Annotated[int, typer.Option(help="Correct digits, proved.")] = 20,
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """A polynomial near a function on [-1, 1]: degree, sup error and coefficient norm, proved."""
    from sqsim.lowerbounds.uniform_report import approximation_report
    from sqsim.report.files import write_json

    check_copy(json_path)
    report = approximation_report(
        link, degree=degree, epsilon=epsilon, kind=_kind(kind), digits=digits
    )
    if json_path is not None:
        write_json(json_path, report)
    for name, text in () if quiet else _rows(report):
        typer.echo(f"{name:34s}{text}")


def _kind(name: str) -> Kind:
    from sqsim.lowerbounds.uniform import Chebyshev, Minimax, RangeSafe

    kinds: tuple[Kind, ...] = (Minimax(), Chebyshev(), RangeSafe())
    for kind in kinds:
        if kind.name == name:
            return kind
    raise BadInput(f"kind is {name!r}; wanted {', '.join(kind.name for kind in kinds)}")


def _rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    bounds, limit = report["norm_bounds"], report["limit_of_degree_times_error"]
    rows = [
        ("function on [-1, 1]", report["function"]),
        ("kind", report["kind"]),
        ("degree d", str(report["degree"])),
        ("sup error", _interval(report["sup_error"])),
    ]
    if limit is not None:
        times = report["degree_times_error"]
        rows.append(
            ("d * error, and its limit", f"{times:.6f}, {limit:.6f} ({times - limit:+.6f})")
        )
    if report["values"] is not None:
        rows.append(("values", _interval(report["values"])))
    return [
        *rows,
        ("sum of squared coefficients", _interval(report["coefficient_norm_squared_bounds"])),
        ("  by V. Markov at most", _short(bounds["markov"])),
        ("  (1 + sqrt 2)^(2d)", _short(bounds["silver"])),
        ("  (d + 1) (4e)^(2d), as printed", _short(bounds["printed"])),
    ]


def _interval(ends: dict[str, str]) -> str:
    return f"[{ends['lower']}, {ends['upper']}]"


def _short(decimal: str) -> str:
    from decimal import Decimal

    return f"{Decimal(decimal):.4g}"
