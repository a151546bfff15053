"""`sqsim separation` and `sqsim run`: learners against oracles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sqsim.cli.options import (
    Json,
    Norm,
    PolicyName,
    Quiet,
    Seed,
    check_copy,
    command,
    console,
    leave_if_interrupted,
    write,
)
from sqsim.errors import BadInput


def separation(
    dimension: Annotated[int, typer.Option(help="Dimension of the inputs.")] = 1000,
    bias: Annotated[float, typer.Option(help="Bias of the hidden neuron.")] = -7.0,
    cutoff: Annotated[int, typer.Option(help="Hermite degree removed from the labels.")] = 9,
    tolerance: Annotated[float, typer.Option(help="Tolerance of every query.")] = 5e-11,
    norm: Norm = "l2",
    policy: PolicyName = "toward-zero",
    oracle: Annotated[
        str | None,
        typer.Option(
            help="Access model: l2, stat or vstat (answers inside a window, as --norm), honest "
            "(fresh examples for every query) or ldp (local privacy, user by user)."
        ),
    ] = None,
    epsilon: Annotated[float, typer.Option(help="Privacy of each user under ldp.")] = 1.0,
    clip: Annotated[float, typer.Option(help="Where values are cut off under ldp.")] = 5.0,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="Folder for results; numbered if taken.")] = Path(
        "sqsim-separation"
    ),
    json_path: Json = None,
    find_tolerance: Annotated[
        bool,
        typer.Option(
            "--find-tolerance", help="Bisect for the tolerance at which each learner succeeds."
        ),
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Run correlational and statistical-query learners on one biased-ReLU instance."""
    from sqsim.report.console import SeparationProgress
    from sqsim.report.files import fresh_directory
    from sqsim.report.html import write_separation_report
    from sqsim.studies.access import NORMS
    from sqsim.studies.bisection import find_tolerances
    from sqsim.studies.separation import Separation, separate

    study = Separation(
        dimension=dimension,
        bias=bias,
        cutoff=cutoff,
        tolerance=tolerance,
        norm=NORMS.get(oracle or "", norm),
        policy=policy,
        seed=seed,
        model="window" if oracle is None or oracle in NORMS else oracle,
        epsilon=epsilon,
        clip=clip,
    )
    if find_tolerance and study.sampled is not None:
        raise BadInput("--find-tolerance goes with oracles that compute means, not with samples")
    check_copy(json_path)
    with fresh_directory(out) as directory:
        with SeparationProgress(console(quiet), study) as progress:
            results = separate(study, directory=directory, observer=progress.observe)
            if find_tolerance and not results["interrupted"]:
                results["smallest_tolerance"] = find_tolerances(study, observer=progress.observe)
        results["command"] = command()
        write(results, directory, json_path)
        progress.finish(results, write_separation_report(results, directory))
    leave_if_interrupted(results)


def run_command(
    table: Annotated[
        Path,
        typer.Argument(
            help="CSV, Parquet or npz file; a folder of Parquet files with another engine."
        ),
    ],
    target: Annotated[str, typer.Option(help="Column to predict.")],
    algorithm: Annotated[str, typer.Option(help="Learner, by name.")] = "learn-relu",
    tolerance: Annotated[
        float | None, typer.Option(help="Tolerance of every query; none: unperturbed means.")
    ] = None,
    norm: Norm = "l2",
    policy: Annotated[
        str | None,
        typer.Option(
            help="Adversary: toward-zero (the default with a tolerance), exact (without), "
            "uniform, grid or worst-direction."
        ),
    ] = None,
    test_fraction: Annotated[float, typer.Option(help="Part of the rows kept for testing.")] = 0.0,
    seed: Seed = 0,
    engine: Annotated[
        str,
        typer.Option(
            help="Where the table lives: memory, chunks (read a piece at a time) or dask (read "
            "by workers)."
        ),
    ] = "memory",
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Address of the dask scheduler, such as tcp://127.0.0.1:8786; none: workers on "
            "this machine."
        ),
    ] = None,
    sweep: Annotated[bool, typer.Option(help="Also run at coarser tolerances.")] = True,
    out: Annotated[Path, typer.Option(help="Folder for results; numbered if taken.")] = Path(
        "sqsim-run"
    ),
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:
    """Run a learner on your own table, through queries only."""
    from sqsim.report.console import TableProgress
    from sqsim.report.files import fresh_directory
    from sqsim.report.html import write_table_report
    from sqsim.studies.table import run_table

    check_copy(json_path)
    with fresh_directory(out) as directory:
        with TableProgress(console(quiet)) as progress:
            results = run_table(
                table,
                target=target,
                algorithm=algorithm,
                tolerance=tolerance,
                norm=norm,
                policy=policy or ("exact" if tolerance is None else "toward-zero"),
                test_fraction=test_fraction,
                seed=seed,
                engine=engine,
                scheduler=scheduler,
                directory=directory,
                sweep=sweep,
                observer=progress.observe,
            )
        results["command"] = command()
        write(results, directory, json_path)
        progress.finish(results, write_table_report(results, directory))
    leave_if_interrupted(results)
