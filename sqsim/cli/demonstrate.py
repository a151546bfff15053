"""`sqsim demonstrate`: tolerances at which strategies find a hidden direction."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sqsim.cli.options import Json, Quiet, Seed, check_copy, check_seed, command, write
from sqsim.errors import BadInput


def demonstrate(
    link: Annotated[
        list[str] | None,
        typer.Option(
            help="he2, he3, he4, damped-square, relu, shifted-relu, sign or abs; may be repeated. "
            "All of them if none is given."
        ),
    ] = None,
    dimension: Annotated[
        str, typer.Option(help="List of dimensions; matrices are asked for up to 256.")
    ] = "64,128,256,1024",
    errors: Annotated[
        str, typer.Option(help="Answer errors: uniform, toward-zero, worst-direction.")
    ] = "uniform,toward-zero,worst-direction",
    trials: Annotated[int, typer.Option(help="Hidden directions for each threshold.")] = 2,
    workers: Annotated[int, typer.Option(help="Processes, at most one for each link.")] = 2,
    seed: Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for results.json, demonstration.svg and demonstration.png."),
    ] = None,
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:
    """Smallest tolerances against dimension, beside information and generative exponents."""
    from sqsim.report.files import fresh_directory, write_json
    from sqsim.studies.exponent_demonstrations import exponent_demonstrations, summary
    from sqsim.studies.exponent_strategies import LINKS

    check_copy(json_path)
    check_seed(seed)
    results = {
        "command": command(),
        **exponent_demonstrations(
            links=link or tuple(LINKS),
            dimensions=_integers(dimension),
            errors=[name.strip() for name in errors.split(",")],
            trials=trials,
            seed=seed,
            workers=workers,
        ),
    }
    for line in () if quiet else summary(results):
        typer.echo(line)
    if out is not None:
        from sqsim.report.demonstrations import demonstration_figure
        from sqsim.report.figures import save

        with fresh_directory(out) as folder:
            write(results, folder, None)
            paths = save(demonstration_figure(results), folder / "demonstration")
        if not quiet:
            typer.echo(f"written: {', '.join(str(path) for path in paths)}")
    if json_path is not None:
        write_json(json_path, results)


def _integers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise BadInput(f"dimension is {text!r}; wanted integers such as 64,128,256") from error
