"""The command line: flags in, tables and files out.  No mathematics lives here.

Exit codes: 0 done; 1 a certificate was rejected; 2 bad input (the message says what to do); 3 a
fault of sqsim itself, with its traceback; 130 interrupted.
"""

from __future__ import annotations

import sys
import traceback
from typing import Annotated

import typer

from sqsim.cli.algorithms import algorithms
from sqsim.cli.approximate import approximate
from sqsim.cli.audit import audit
from sqsim.cli.basin import basin
from sqsim.cli.bound import bound, check_certificate
from sqsim.cli.correlation import correlation
from sqsim.cli.costs import costs
from sqsim.cli.demonstrate import demonstrate
from sqsim.cli.designers import designers
from sqsim.cli.exponents import exponents
from sqsim.cli.fit_max_affine import fit_max_affine
from sqsim.cli.hermite import hermite
from sqsim.cli.learning import run_command, separation
from sqsim.cli.neurons import neurons
from sqsim.cli.parity import parity
from sqsim.cli.refute import refute
from sqsim.cli.reliable import reliable
from sqsim.cli.report import report
from sqsim.cli.study import study
from sqsim.cli.verify import verify
from sqsim.errors import SqsimError

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


app.command()(separation)
app.command(name="run")(run_command)
app.command()(algorithms)
app.command()(hermite)
app.command()(basin)
app.command()(correlation)
app.command()(parity)
app.command()(exponents)
app.command()(approximate)
app.command()(demonstrate)
app.command()(designers)
app.add_typer(bound)
app.command(name="check")(check_certificate)
app.command()(refute)
app.command()(reliable)
app.command()(audit)
app.command()(costs)
app.command()(neurons)
app.command()(fit_max_affine)
app.add_typer(study)
app.command()(verify)
app.command()(report)


def main() -> None:
    """Entry point: errors that sqsim raises on purpose become a message and exit code 2."""
    try:
        app()
    except SqsimError as error:
        print(f"sqsim: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except SystemExit as leaving:
        if leaving.code == 2 and _minus_expression(sys.argv[1:]):
            print(
                'sqsim: an expression that begins with a minus goes last, after "--": '
                'sqsim hermite --degree 3 -- "-z"',
                file=sys.stderr,
            )
        raise
    except Exception:
        traceback.print_exc()
        print("sqsim: this is a fault of sqsim, not of your input", file=sys.stderr)
        raise SystemExit(3) from None


def _minus_expression(arguments: list[str]) -> bool:
    """Whether a word looks like an expression in z that was read as a flag."""
    words = [word for word in arguments if word[:1] == "-" and word[:2] != "--"]
    return "--" not in arguments and any("z" in word for word in words)
