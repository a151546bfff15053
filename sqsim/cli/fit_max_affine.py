"""`sqsim fit-max-affine`: maxima of affine functions on the user's table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sqsim.cli.options import Json, Quiet, check_copy, check_seed, command


def fit_max_affine(
    table: Annotated[Path, typer.Argument(help="A .csv, .parquet or .npz file.")],
    target: Annotated[str, typer.Option(help="The column to predict.")],
    pieces: Annotated[int, typer.Option(help="Affine functions in the maximum.")],
    epsilon: Annotated[
        float | None,
        typer.Option(help="Error of the polynomial, of labels in [-1, 1]: decides the degree."),
    ] = None,
    degree: Annotated[
        int | None, typer.Option(help="Or the degree; none: as many rows allow, up to 6.")
    ] = None,
    reach: Annotated[
        float | None,
        typer.Option(help="Size of the pieces; none: twice the plane of least squares."),
    ] = None,
    test_fraction: Annotated[float, typer.Option(help="Part of the rows held out.")] = 0.25,
    tolerance: Annotated[
        float | None, typer.Option(help="Of every answer; none: the means themselves.")
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(help="Adversary; none: toward-zero with a tolerance, else exact."),
    ] = None,
    starts: Annotated[int, typer.Option(help="Random starts of the heuristic.")] = 5,
    seed: Annotated[int, typer.Option(help="Of the split, the heuristic and the oracle.")] = 0,
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:
    """Fit a maximum of affine functions by queries, beside the heuristic and least squares."""
    from sqsim.report.files import write_json
    from sqsim.studies import max_affine_fits

    check_copy(json_path)
    check_seed(seed)
    results = {
        "command": command(),
        **max_affine_fits.fit_max_affine(
            table,
            target=target,
            pieces=pieces,
            epsilon=epsilon,
            degree=degree,
            reach=reach,
            test_fraction=test_fraction,
            tolerance=tolerance,
            policy=policy or ("exact" if tolerance is None else "toward-zero"),
            starts=starts,
            seed=seed,
        ),
    }
    if json_path is not None:
        write_json(json_path, results)
    for line in () if quiet else _lines(results):
        typer.echo(line)


def _lines(results: dict[str, Any]) -> list[str]:
    facts = results["table"]
    lines = [
        f"{facts['rows']} rows to learn from, {facts['test_rows']} held out, "
        f"{facts['dimension']} inputs; losses are E[(y - yhat)^2]",
        f"{'fit':28s}{'train':>12s}{'test':>12s}{'degree':>8s}{'features':>10s}"
        f"{'queries':>9s}{'rounds':>8s}",
    ]
    for fit in results["fits"]:
        test = "" if fit["test_loss"] is None else f"{fit['test_loss']:.6g}"
        lines.append(
            f"{fit['name']:28s}{fit['train_loss']:>12.6g}{test:>12s}{fit['degree']:>8d}"
            f"{fit['features']:>10d}{fit['queries']:>9d}{fit['rounds']:>8d}"
        )
    return lines
