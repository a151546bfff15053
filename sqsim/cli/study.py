"""`sqsim study`: run, resume, look at and export grids of runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sqsim.cli.options import Quiet, console
from sqsim.errors import BadInput

if TYPE_CHECKING:
    from sqsim.studies.driving import Progress
    from sqsim.studies.executors import Crew
    from sqsim.studies.study import Study

study = typer.Typer(
    name="study",
    help="Grids of runs: resumable, on any executor; `sqsim report` draws them.",
    no_args_is_help=True,
)

Workers = Annotated[int | None, typer.Option(help="Processes; default: all cores.")]
ExecutorName = Annotated[
    str,
    typer.Option(
        help="process, loky, dask or mpi (started as: mpiexec -n N sqsim study ... --executor mpi)."
    ),
]
Scheduler = Annotated[
    str | None, typer.Option(help="Address of a dask scheduler; none: a local cluster.")
]
StorePath = Annotated[Path | None, typer.Option("--store", help="sqlite file of the rows.")]
StoreArgument = Annotated[Path | None, typer.Argument(help="sqlite file of the rows.")]


@study.command(name="run")
def run_command(
    spec: Annotated[str, typer.Argument(help="TOML file, or the name of a shipped study.")],
    store: StorePath = None,
    workers: Workers = None,
    executor: ExecutorName = "process",
    scheduler: Scheduler = None,
    size: Annotated[str, typer.Option(help="small (minutes) or full (hours).")] = "small",
    yes: Annotated[bool, typer.Option("--yes", help="Run it however large it is.")] = False,
    quiet: Quiet = False,
) -> None:
    """Run every cell of a study into a new store; Ctrl-C once saves and stops."""
    from sqsim.report.study_console import StudyProgress
    from sqsim.studies.driving import run_study
    from sqsim.studies.estimating import check_meant, estimated

    chosen = _specified(spec, size)
    chosen.check()
    path = store if store is not None else Path(f"{chosen.name}.db")
    if path.exists() and path.stat().st_size:
        raise BadInput(f"{path} exists; resume it (sqsim study resume) or give another --store")
    with _crew(executor, workers, scheduler) as crew:
        if crew is None:
            return
        measured = (estimated if yes else check_meant)(chosen, workers=crew.workers)
        with StudyProgress(console(quiet), chosen.name, measured.words) as progress:
            found = run_study(chosen, path, crew=crew, observer=progress.observe)
            progress.finish(found, path)
    _leave(found, path)


@study.command()
def resume(
    store: StorePath = None,
    path: StoreArgument = None,
    workers: Workers = None,
    executor: ExecutorName = "process",
    scheduler: Scheduler = None,
    retry_failures: Annotated[
        bool, typer.Option("--retry-failures", help="Run failed cells again.")
    ] = False,
    other_version: Annotated[
        bool, typer.Option("--other-version", help="Go on with a store of another sqsim.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Run the cells that a store lacks."""
    from sqsim.report.study_console import StudyProgress
    from sqsim.studies.driving import resume_study
    from sqsim.studies.store import open_for_reading

    chosen = _store(store, path)
    with open_for_reading(chosen):
        pass
    with _crew(executor, workers, scheduler) as crew:
        if crew is None:
            return
        with StudyProgress(console(quiet), chosen.name, "resumed") as progress:
            found = resume_study(
                chosen,
                crew=crew,
                retry_failures=retry_failures,
                other_version=other_version,
                observer=progress.observe,
            )
            progress.finish(found, chosen)
    _leave(found, chosen)


@study.command()
def status(store: StorePath = None, path: StoreArgument = None) -> None:
    """How far a store is, while it may be running, and what failed."""
    from sqsim.report.study_console import print_status
    from sqsim.studies.store import open_for_reading

    with open_for_reading(_store(store, path)) as opened:
        print_status(console(False), opened)


@study.command(name="export")
def export_command(
    out: Annotated[
        Path | None, typer.Option("--out", help=".csv, .parquet or .json file; none: STORE.csv.")
    ] = None,
    store: StorePath = None,
    path: StoreArgument = None,
) -> None:
    """Write the rows of a store as a table."""
    from sqsim.studies.exporting import export
    from sqsim.studies.store import open_for_reading

    chosen = _store(store, path)
    with open_for_reading(chosen) as opened:
        print(f"wrote {export(opened, out or chosen.with_suffix('.csv'))}")


@study.command(name="list")
def list_command() -> None:
    """The studies that come with sqsim."""
    from sqsim.report.study_console import print_studies
    from sqsim.studies.shipping import shipped_studies

    print_studies(console(False), shipped_studies())


def _specified(spec: str, size: str) -> Study:
    from sqsim.studies.shipping import shipped
    from sqsim.studies.study import Study

    if spec.endswith(".toml") or Path(spec).is_file():
        return Study.read(spec, size=size)
    return shipped(spec, size=size)


def _store(option: Path | None, argument: Path | None) -> Path:
    chosen = option if option is not None else argument
    if chosen is None or (option is not None and argument is not None):
        raise BadInput("name one store: sqsim study resume STORE, or --store STORE")
    return chosen


@contextmanager
def _crew(executor: str, workers: int | None, scheduler: str | None) -> Iterator[Crew | None]:
    """The crew of this name; None in an MPI process that served as a worker."""
    import os

    from sqsim.studies import executors

    count = workers if workers is not None else (os.cpu_count() or 1)
    if scheduler is not None and executor != "dask":
        raise BadInput(f"--scheduler goes with --executor dask, not {executor}")
    if executor == "mpi":
        with executors.mpi_workers() as crew:
            yield crew
    elif executor == "process":
        yield executors.in_process() if count == 1 else executors.processes(count)
    elif executor == "loky":
        yield executors.loky_processes(count)
    elif executor == "dask":
        yield executors.dask_workers(scheduler, workers=count)
    else:
        raise BadInput(f"executor is {executor!r}; wanted process, loky, dask or mpi")


def _leave(found: Progress, path: Path) -> None:
    import sys

    if found.stopped:
        print(
            f"sqsim: interrupted; {found.done} outcomes are saved; go on with: "
            f"sqsim study resume {path}",
            file=sys.stderr,
        )
        raise typer.Exit(130)
