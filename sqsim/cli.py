"""The command line: flags in, tables and files out.  No mathematics lives here.

Exit codes: 0 done; 2 bad input (the message says what to do); 130 interrupted.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sqsim.errors import BadInput, SqsimError

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    name="sqsim",
    help="Statistical-query simulation for learning theory.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        from sqsim import __version__

        print(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Statistical-query simulation for learning theory."""


Norm = Annotated[str, typer.Option(help="What one unit of tolerance means: l2, absolute or vstat.")]
PolicyName = Annotated[
    str, typer.Option(help="Adversary: toward-zero, exact, uniform, grid or worst-direction.")
]
Json = Annotated[Path | None, typer.Option("--json", help="Also write the results here.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
Seed = Annotated[int, typer.Option(help="Seed of instance, learners and oracle (separate roles).")]


@app.command()
def separation(
    dimension: Annotated[int, typer.Option(help="Dimension of the inputs.")] = 1000,
    bias: Annotated[float, typer.Option(help="Bias of the hidden neuron.")] = -7.0,
    cutoff: Annotated[int, typer.Option(help="Hermite degree removed from the labels.")] = 9,
    tolerance: Annotated[float, typer.Option(help="Tolerance of every query.")] = 5e-11,
    norm: Norm = "l2",
    policy: PolicyName = "toward-zero",
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
    from sqsim.studies.bisection import find_tolerances
    from sqsim.studies.separation import Separation, separate

    study = Separation(
        dimension=dimension,
        bias=bias,
        cutoff=cutoff,
        tolerance=tolerance,
        norm=norm,
        policy=policy,
        seed=seed,
    )
    _check_copy(json_path)
    with fresh_directory(out) as directory:
        with SeparationProgress(_console(quiet), study) as progress:
            results = separate(study, directory=directory, observer=progress.observe)
            if find_tolerance and not results["interrupted"]:
                results["smallest_tolerance"] = find_tolerances(study, observer=progress.observe)
        results["command"] = _command()
        _write(results, directory, json_path)
        progress.finish(results, write_separation_report(results, directory))
    _leave_if_interrupted(results)


@app.command(name="run")
def run_command(
    table: Annotated[Path, typer.Argument(help="CSV, Parquet or npz file.")],
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

    _check_copy(json_path)
    with fresh_directory(out) as directory:
        with TableProgress(_console(quiet)) as progress:
            results = run_table(
                table,
                target=target,
                algorithm=algorithm,
                tolerance=tolerance,
                norm=norm,
                policy=policy or ("exact" if tolerance is None else "toward-zero"),
                test_fraction=test_fraction,
                seed=seed,
                directory=directory,
                sweep=sweep,
                observer=progress.observe,
            )
        results["command"] = _command()
        _write(results, directory, json_path)
        progress.finish(results, write_table_report(results, directory))
    _leave_if_interrupted(results)


@app.command()
def hermite(
    link: Annotated[
        str,
        typer.Argument(
            help="relu, leaky-relu, sign, step, abs, exp, sin, cos, erf, sigmoid, "
            'or an expression in z, such as "max(z-2,0)*z".'
        ),
    ],
    bias: Annotated[str, typer.Option(help="Exact decimal or fraction added to z.")] = "0",
    degree: Annotated[int | None, typer.Option(help="All degrees from 0 to this one.")] = None,
    degrees: Annotated[str | None, typer.Option(help="Or a list of degrees: 0,1,5,100.")] = None,
    digits: Annotated[int, typer.Option(help="Correct digits, proved.")] = 50,
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:
    """Hermite coefficients E[f(z) h_k(z)] in proved enclosures, h_k = He_k / sqrt(k!)."""
    from sqsim.lowerbounds.hermite import hermite_report
    from sqsim.report.files import write_json

    _check_copy(json_path)
    if degree is not None and degrees is not None:
        raise BadInput("give --degree N or --degrees LIST, not both")
    wanted = _degrees(degrees) if degrees is not None else (degree or 0)
    report = hermite_report(link, bias, wanted, digits)
    if json_path is not None:
        write_json(json_path, report)
    for row in () if quiet else report["coefficients"]:
        typer.echo(f"{row['degree']:6d}  [{row['lower']}, {row['upper']}]")


def _degrees(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise BadInput(f"degrees are {text!r}; wanted whole numbers such as 0,1,5") from None


def _leave_if_interrupted(results: dict[str, Any]) -> None:
    """Exit code 130 after Ctrl-C; what had been computed is written by then."""
    if results.get("interrupted") or results.get("status") == "interrupted":
        print("sqsim: interrupted; what was computed so far is written", file=sys.stderr)
        raise typer.Exit(130)


def _check_copy(path: Path | None) -> None:
    """Before anything runs: whether the copy can be written at the end."""
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        raise BadInput(f"cannot write {path}: it must be a file in a folder that exists")


def _write(results: dict[str, Any], directory: Path, copy: Path | None) -> None:
    """results.json in the folder, and the copy that was asked for."""
    from sqsim.report.files import write_json

    write_json(directory / "results.json", results)
    if copy is not None:
        write_json(copy, results)


def _console(quiet: bool) -> Console:
    from rich.console import Console

    return Console(quiet=quiet)


def _command() -> str:
    return shlex.join(["sqsim", *sys.argv[1:]])


def main() -> None:
    """Entry point: errors that sqsim raises on purpose become one line and exit code 2."""
    try:
        app()
    except SqsimError as error:
        print(f"sqsim: {error}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
