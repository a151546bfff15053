"""`sqsim reliable`: reliable learning of a ReLU on a table or on a problem by name."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sqsim.cli.options import Json, PolicyName, Quiet, Seed, check_copy, check_seed, command


def reliable(
    table: Annotated[
        str,
        typer.Argument(
            help="A .csv, .parquet or .npz file, or a problem: sphere, clustered, straddling, cube."
        ),
    ],
    epsilon: Annotated[float, typer.Option(help="Of the promise, in (0, 1/2).")],
    target: Annotated[
        str | None, typer.Option(help="Column of labels, for a file; none: the last.")
    ] = None,
    degree: Annotated[int | None, typer.Option(help="Of the polynomials; none: the least.")] = None,
    loss: Annotated[str, typer.Option(help="square, absolute or linear.")] = "square",
    tolerance: Annotated[
        float | None, typer.Option(help="Absolute, of every answer; none: exact means.")
    ] = None,
    policy: PolicyName = "toward-zero",
    scale: Annotated[
        bool, typer.Option("--scale", help="Scale rows into the ball and labels into [0, 1].")
    ] = False,
    dimension: Annotated[int, typer.Option(help="Of a problem.")] = 2,
    points: Annotated[int, typer.Option(help="In the support of a problem.")] = 200,
    seed: Seed = 0,
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:
    """Guess 0 where y = 0 but for a share epsilon, and lose at most epsilon more than a ReLU."""
    from sqsim.problems.tables import last_column
    from sqsim.report.files import write_json
    from sqsim.studies.reliable import ReliableRun, named_table, reliable_run, table_in_ball

    check_copy(json_path)
    check_seed(seed)
    scaling = None
    if table.lower().endswith((".csv", ".parquet", ".npz")):
        target = last_column(table) if target is None else target
        dataset, scaling = table_in_ball(table, target=target, scale=scale)
    else:
        dataset = named_table(table, dimension=dimension, count=points, seed=seed)
    setting = ReliableRun(
        epsilon=epsilon,
        loss=loss,
        degree=degree,
        tolerance=tolerance,
        policy=policy,
        seed=seed,
    )
    results = {"command": command(), **reliable_run(dataset, setting)}
    results["scaling"] = None if scaling is None else str(scaling)
    results["target"] = target
    if json_path is not None:
        write_json(json_path, results)
    for name, text in () if quiet else _rows(results):
        typer.echo(f"{name:34s}{text}")


def _kept(results: dict[str, Any]) -> str:
    """Whether the answers prove the promise, and the likely reason where they do not."""
    if results["certified"]:
        return "yes"
    given, wanted = results["tolerance"], results["promised"]["tolerance"]
    if given is not None and given > wanted:
        return f"no: the tolerance {given:.3g} is coarser than the {wanted:.3g} it asks for"
    return "no"


def _rows(results: dict[str, Any]) -> list[tuple[str, str]]:
    promised, best = results["promised"], results["best_positive_loss"]
    lower = results["best_is_at_least"]
    rows = [
        ("false-positive rate", f"{results['false_positive_rate']:.6g}"),
        ("loss on positive labels", f"{results['positive_loss']:.6g}"),
        ("of the best reliable ReLU", "not searched" if best is None else f"{best:.6g}"),
        ("  which loses at least, proved", f"{lower:.6g}"),
        ("promise shown kept", _kept(results)),
        ("degree, features", f"{results['degree']}, {results['features']}"),
        ("rounds, queries", f"{results['rounds']}, {results['queries']}"),
        ("  at most, by the theorem", f"{promised['rounds']}, {promised['queries']}"),
        ("  tolerance it asks for", f"{promised['tolerance']:.3g}"),
        ("  plain subgradients would take", f"{promised['subgradient_rounds']:.3g}"),
    ]
    if results["scaling"] is not None:
        rows.append(("scaling", results["scaling"]))
    return rows
