"""`sqsim separation` and `sqsim run`: learners against oracles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

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

if TYPE_CHECKING:
    from sqsim.studies.registry import Learner


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
    algorithms: Annotated[
        str | None,
        typer.Option(
            "--algorithms",
            "--algorithm",
            help="Run these learners and no others: names with commas between them, of "
            "`sqsim algorithms`.",
        ),
    ] = None,
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
    from sqsim.studies.learners import learners
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
    chosen = None if algorithms is None else learners(algorithms)
    check_copy(json_path)
    with fresh_directory(out) as directory:
        with SeparationProgress(console(quiet), study) as progress:
            results = separate(
                study, learners=chosen, directory=directory, observer=progress.observe
            )
            if find_tolerance and not results["interrupted"]:
                results["smallest_tolerance"] = find_tolerances(
                    study, learners=chosen, observer=progress.observe
                )
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
    algorithm: Annotated[
        str,
        typer.Option(
            "--algorithm",
            "--algorithms",
            help="Learner, by name; several, with commas between them, or all: a table of them.",
        ),
    ] = "learn-relu",
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
    sweep: Annotated[
        bool | None,
        typer.Option(
            "--sweep/--no-sweep",
            help="Also run at coarser tolerances; by default with one learner only.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for results; numbered if taken.")] = Path(
        "sqsim-run"
    ),
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:
    """Run a learner on your own table, through queries only."""
    from sqsim.report.files import fresh_directory
    from sqsim.studies.learners import learners

    several = algorithm.strip() == "all" or "," in algorithm
    options = TableOptions(
        target=target,
        tolerance=tolerance,
        norm=norm,
        policy=policy or ("exact" if tolerance is None else "toward-zero"),
        test_fraction=test_fraction,
        seed=seed,
        engine=engine,
        scheduler=scheduler,
        sweep=not several if sweep is None else sweep,
    )
    chosen = learners(algorithm)
    check_copy(json_path)
    with fresh_directory(out) as directory:
        run = _run_several if several else _run_one
        results = run(table, chosen, options, directory, json_path, quiet)
    leave_if_interrupted(results)


class TableOptions(TypedDict):
    """What every run of one command shares."""

    target: str
    tolerance: float | None
    norm: str
    policy: str
    test_fraction: float
    seed: int
    engine: str
    scheduler: str | None
    sweep: bool


def _run_one(
    table: Path,
    chosen: Sequence[Learner],
    options: TableOptions,
    directory: Path,
    json_path: Path | None,
    quiet: bool,
) -> dict[str, Any]:
    from sqsim.report.console import TableProgress
    from sqsim.report.html import write_table_report
    from sqsim.studies.table import run_table

    with TableProgress(console(quiet)) as progress:
        results = run_table(
            table,
            algorithm=chosen[0].name,
            directory=directory,
            observer=progress.observe,
            **options,
        )
    results["command"] = command()
    write(results, directory, json_path)
    progress.finish(results, write_table_report(results, directory))
    return results


def _run_several(
    table: Path,
    chosen: Sequence[Learner],
    options: TableOptions,
    directory: Path,
    json_path: Path | None,
    quiet: bool,
) -> dict[str, Any]:
    """Each learner's results and report in a folder of its name, and a page that compares them."""
    from sqsim.report.console import LearnersProgress
    from sqsim.report.html import write_table_report
    from sqsim.report.learners import write_learners_report
    from sqsim.studies.tables import run_learners

    with LearnersProgress(console(quiet)) as progress:

        def observe(event: str, details: Mapping[str, Any]) -> None:
            if event == "results":
                folder = directory / details["algorithm"]
                write(dict(details), folder, None)
                write_table_report(details, folder)
            progress.observe(event, details)

        results = run_learners(
            table, learners=chosen, directory=directory, observer=observe, **options
        )
    results["command"] = command()
    write(results, directory, json_path)
    progress.finish(results, write_learners_report(results, directory))
    return results
