"""`sqsim designers`: two-stage learners against corruptions designed against them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sqsim.cli.options import Json, Quiet, Seed, check_copy, command, write
from sqsim.errors import BadInput

if TYPE_CHECKING:
    from sqsim.studies.contenders import Contender

SLOW = 1.05
"""More steps that save a larger factor of the loss are told of."""


def designers(
    alpha: Annotated[
        str, typer.Option(help="||max(z + b, 0)||^2 over the noise's mean square: a list.")
    ] = "5,100,1000",
    bias_range: Annotated[str, typer.Option(help="LO:HI of |b|, up to 25.")] = "2:20",
    points: Annotated[int, typer.Option(help="Biases in the range, in equal ratios.")] = 5,
    design: Annotated[
        str | None, typer.Option(help="Designs to compute, separated by commas; all if not given.")
    ] = None,
    learner: Annotated[str | None, typer.Option(help="Learners, separated by semicolons.")] = None,
    workers: Annotated[int, typer.Option(help="Processes that compute.")] = 2,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder for results.json, designers.svg and designers.png.")
    ] = None,
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:
    """Loss over the true OPT of two-stage learners under the worst designed corruptions."""
    from sqsim.report.files import fresh_directory, write_json
    from sqsim.studies.designers import designers_study

    check_copy(json_path)
    results = {
        "command": command(),
        **designers_study(
            alphas=_numbers(alpha, "alpha"),
            biases=_biases(bias_range, points),
            contenders=_contenders(learner),
            chosen=None if design is None else [name.strip() for name in design.split(",")],
            workers=workers,
            seed=seed,
        ),
    }
    for line in () if quiet else _lines(results):
        typer.echo(line)
    if out is not None:
        from sqsim.report.designers import designers_figure
        from sqsim.report.figures import save

        with fresh_directory(out) as folder:
            write(results, folder, None)
            paths = save(designers_figure(results), folder / "designers")
        if not quiet:
            typer.echo(f"written: {', '.join(str(path) for path in paths)}")
    if json_path is not None:
        write_json(json_path, results)


def _lines(results: dict[str, Any]) -> list[str]:
    """For each alpha a table of the worst ratios, with the design that reaches each."""
    from sqsim.report.designers import worst

    lines = [
        "worst loss / OPT over all designs; OPT is computed, budget ||sigma_b||^2 / alpha",
        "! the first step from 0.9 is away from v; ~ was worse before more and shorter steps",
    ]
    for fooled in results["fooled"]:
        alpha, at = fooled["alpha"], fooled["bias"]
        limit = f"|b| = {at['above']:.4g}" if at else "no |b| up to 60 found"
        lines.append(
            f"alpha {alpha:g}: the reweighted step at overlap 0.9 is foolable from {limit}"
        )
        for learner in results["learners"]:
            cells = [_cell(row) for row in worst(results, alpha, learner)]
            lines.append(f"  {learner:32s} {'; '.join(cells)}")
    for skipped in results["skipped"]:
        where = f"alpha {skipped['alpha']:g}, |b| {-skipped['bias']:g}"
        lines.append(f"not made: {skipped['design']} at {where}: {skipped['reason']}")
    return lines


def _cell(row: Mapping[str, Any]) -> str:
    mark = "!" if row["first_step"] is not None and row["first_step"] <= 0 else ""
    if row["hurried"] is not None and row["hurried"] > SLOW * row["ratio"]:
        mark = "~"
    return f"{-row['bias']:g}: {row['ratio']:.3g}{mark} ({row['design']})"


def _contenders(text: str | None) -> Sequence[Contender]:
    """The learners of these names, in the order of the table."""
    from sqsim.studies.contenders import CONTENDERS

    if text is None:
        return CONTENDERS
    asked = {name.strip() for name in text.split(";")}
    known = [contender.name for contender in CONTENDERS]
    if not asked <= set(known):
        raise BadInput(f"learners are {text!r}; wanted some of {'; '.join(known)}")
    return [contender for contender in CONTENDERS if contender.name in asked]


def _biases(text: str, points: int) -> list[float]:
    """Negative biases from LO to HI in equal ratios, to three digits."""
    import numpy as np

    ends = _numbers(text.replace(":", ","), "bias range")
    if len(ends) != 2 or not 0 < abs(ends[0]) < abs(ends[1]):
        raise BadInput(f"bias range is {text!r}; wanted LO:HI with 0 < LO < HI, such as 2:20")
    if not 2 <= points <= 40:
        raise BadInput(f"points is {points}; wanted 2 to 40 biases")
    sizes = np.geomspace(abs(ends[0]), abs(ends[1]), points)
    return [-float(f"{size:.3g}") for size in sizes]


def _numbers(text: str, name: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise BadInput(f"{name} is {text!r}; wanted numbers such as 5,100") from None
