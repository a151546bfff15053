"""`sqsim basin`: where labels of a budget can stop a local correlational step."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sqsim.cli.options import Json, Quiet, check_copy, command, write
from sqsim.errors import BadInput

if TYPE_CHECKING:
    from sqsim.lowerbounds.basins import LocalStep
    from sqsim.studies.basin import Place

OVERLAPS = "0.9,0.95,0.99"
MOST_PRINTED = 400


def basin(
    alpha: Annotated[str, typer.Option(help="||max(z + b, 0)||^2 / OPT, exact text.")],
    bias: Annotated[str | None, typer.Option(help="One bias; its sign is ignored.")] = None,
    biases: Annotated[str | None, typer.Option(help="Or a list of them: 3,5,8.")] = None,
    bias_range: Annotated[
        str | None, typer.Option(help="LO:HI of |bias|: a grid of points as well.")
    ] = None,
    angles: Annotated[str | None, typer.Option(help="Angles in radians: 0.1,0.05.")] = None,
    overlap: Annotated[
        str | None, typer.Option(help=f"Cosines instead, or too; {OVERLAPS} if nothing is given.")
    ] = None,
    update: Annotated[
        str, typer.Option(help="plain, reweighted, smoothed, optimal or all.")
    ] = "all",
    rho: Annotated[str, typer.Option(help="Shift of the reweighted update.")] = "0.5",
    lambda_: Annotated[str, typer.Option("--lambda", help="Its cut, the assumed overlap.")] = "0.9",
    smoothing: Annotated[str, typer.Option(help="The smoothed update's rho.")] = "0.9",
    grid: Annotated[int, typer.Option(help="Points on each side of the grid.")] = 60,
    workers: Annotated[int, typer.Option(help="Processes that compute the grid.")] = 2,
    out: Annotated[
        Path | None, typer.Option(help="Folder for results.json, basin.svg and basin.png.")
    ] = None,
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:
    """Worst-case noise / signal of one local step over (angle, |bias|), proved, with limits."""
    from sqsim.report.files import fresh_directory, write_json
    from sqsim.studies.basin import Grid, basin_study

    check_copy(json_path)
    sizes = _fractions(",".join(text for text in (bias, biases) if text), "bias")
    if not sizes and bias_range is None:
        raise BadInput("give --bias B, --biases LIST or --bias-range LO:HI")
    places = _places(angles, overlap, default=bool(sizes))
    low, high = _range(bias_range)
    drawn = Grid(low, high, grid) if bias_range is not None or out is not None else None
    results = {
        "command": command(),
        **basin_study(
            alpha=alpha,
            biases=[-abs(size) for size in sizes],
            places=places,
            steps=_steps(update, rho, lambda_, smoothing),
            grid=drawn,
            workers=workers,
        ),
    }
    for line in () if quiet else _lines(results, len(sizes) * len(places)):
        typer.echo(line)
    if out is not None:
        from sqsim.report.basins import basin_figure
        from sqsim.report.figures import save

        with fresh_directory(out) as folder:
            write(results, folder, None)
            paths = save(basin_figure(results), folder / "basin")
        if not quiet:
            typer.echo(f"written: {', '.join(str(path) for path in paths)}")
    if json_path is not None:
        write_json(json_path, results)


def _lines(results: dict[str, Any], pairs: int) -> list[str]:
    """The requested points, a row for each (bias, place); then the limits."""
    names = list(dict.fromkeys(point["update"] for point in results["points"]))
    budget = f"OPT = ||s_b||^2 / {results['alpha']:g}"
    lines = [f"worst-case noise / signal at {budget}; from 1 on labels can stop the step"]
    asked = results["points"][: min(pairs, MOST_PRINTED) * len(names)]
    if asked:
        lines.append("    bias   overlap     angle  " + "".join(f"{n:>26s}" for n in names))
    for start in range(0, len(asked), len(names)):
        row = asked[start : start + len(names)]
        cells = "".join(f"{_bracket(point['noise_to_signal']):>26s}" for point in row)
        first = row[0]
        where = f"{first['bias']:8g}  {first['overlap']:8.5f}  {first['angle']:8.5f}"
        lines.append(f"{where}  {cells}")
    if "grid" in results:
        lines.append(f"and {len(results['points']) - pairs * len(names)} points on a grid")
    for row in results["exponents"]:
        parts = ", ".join(f"{name} {row[name]}" for name in row if name != "overlap")
        where = f"overlap = lambda = {row['overlap']:g}"
        lines.append(f"log(noise / signal) / b^2 as b -> -infinity, {where}: {parts}")
    for name, limit in results["limits"].items():
        roots = limit["roots"]
        text = "no basin" if roots is None else f"c in {' .. '.join(map(_bracket, roots))}"
        least = f"basins from alpha {_bracket(limit['threshold'])}"
        lines.append(f"limit law, angle = c / |b|, {name}: {text}; {least}")
    lines.append(f"a cap of labels tilts thresholded PCA by up to {_bracket(results['cap_angle'])}")
    return lines


def _bracket(ends: dict[str, str]) -> str:
    """Six digits, rounded outwards."""
    from decimal import ROUND_CEILING, ROUND_FLOOR, Context

    low = Context(prec=6, rounding=ROUND_FLOOR).create_decimal(ends["lower"])
    high = Context(prec=6, rounding=ROUND_CEILING).create_decimal(ends["upper"])
    return f"[{low:g}, {high:g}]"


def _steps(update: str, rho: str, lambda_: str, smoothing: str) -> list[LocalStep]:
    from sqsim.lowerbounds.basins import (
        OptimalStep,
        PlainStep,
        ReweightedStep,
        SmoothedStep,
    )
    from sqsim.lowerbounds.precision import exact_fraction

    shift, cut = exact_fraction(rho, "rho"), exact_fraction(lambda_, "lambda")
    known: dict[str, LocalStep] = {
        step.name: step
        for step in (
            PlainStep(),
            ReweightedStep(shift, cut),
            SmoothedStep(exact_fraction(smoothing, "smoothing")),
            OptimalStep(),
        )
    }
    if update == "all":
        return list(known.values())
    if update not in known:
        raise BadInput(f"update is {update!r}; wanted {', '.join(known)} or all")
    return [known[update]]


def _places(angles: str | None, overlap: str | None, *, default: bool) -> list[Place]:
    from sqsim.studies.basin import Place

    if angles is None and overlap is None and default:
        overlap = OVERLAPS
    places = [Place(overlap=value) for value in _fractions(overlap or "", "overlap")]
    return places + [Place(angle=value) for value in _fractions(angles or "", "angle")]


def _range(text: str | None) -> tuple[float, float]:
    if text is None:
        return 2.0, 200.0
    parts = _fractions(text.replace(":", ","), "bias range")
    if len(parts) != 2:
        raise BadInput(f"bias range is {text!r}; wanted LO:HI, such as 2:20")
    low, high = sorted(math.fabs(part) for part in parts)
    return low, high


def _fractions(text: str, name: str) -> list[Fraction]:
    from sqsim.lowerbounds.precision import exact_fraction

    return [exact_fraction(part.strip(), name) for part in text.split(",")] if text else []
