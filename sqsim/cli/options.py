"""What the commands share: flags, where results go, how a run that was interrupted leaves."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sqsim.errors import BadInput

if TYPE_CHECKING:
    from rich.console import Console

Link = Annotated[
    str,
    typer.Argument(
        help="relu, leaky-relu, sign, step, abs, exp, sin, cos, erf or sigmoid of z + bias, or an "
        'expression in z, such as "max(z-2,0)*z": numbers, + - * / and whole powers, max, min, '
        "abs, relu, sign, step; also exp(z-1) and the like alone, and z**2*exp(-z**2).  One that "
        'begins with a minus goes last, after --, as in: -- "-z".'
    ),
]
Norm = Annotated[str, typer.Option(help="What one unit of tolerance means: l2, absolute or vstat.")]
PolicyName = Annotated[
    str, typer.Option(help="Adversary: toward-zero, exact, uniform, grid or worst-direction.")
]
Json = Annotated[Path | None, typer.Option("--json", help="Also write the results here.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
Seed = Annotated[int, typer.Option(help="Seed of instance, learners and oracle (separate roles).")]


def leave_if_interrupted(results: dict[str, Any]) -> None:
    """Exit code 130 after Ctrl-C; what had been computed is written by then."""
    if results.get("interrupted") or results.get("status") == "interrupted":
        print("sqsim: interrupted; what was computed so far is written", file=sys.stderr)
        raise typer.Exit(130)


def check_copy(path: Path | None) -> None:
    """Before anything runs: whether the copy can be written at the end."""
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        raise BadInput(f"cannot write {path}: it must be a file in a folder that exists")


def check_seed(seed: int) -> None:
    """Before anything is drawn."""
    if seed < 0:
        raise BadInput(f"seed is {seed}; wanted a whole number from 0 on")


def write(results: dict[str, Any], directory: Path, copy: Path | None) -> None:
    """results.json in the folder, and the copy that was asked for."""
    from sqsim.report.files import write_json

    write_json(directory / "results.json", results)
    if copy is not None:
        write_json(copy, results)


def console(quiet: bool) -> Console:
    from rich.console import Console

    return Console(quiet=quiet)


def command() -> str:
    return shlex.join(["sqsim", *sys.argv[1:]])
