"""`sqsim bound FAMILY` and `sqsim check`: proved numbers of queries, and their certificates."""

from __future__ import annotations

import math
import sys
from decimal import ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sqsim.cli.options import Json, Quiet, check_copy
from sqsim.errors import BadInput

if TYPE_CHECKING:
    from sqsim.lowerbounds.certificate import Certificate

bound = typer.Typer(
    name="bound",
    help="A number of queries that no learner goes below, with its certificate.",
    no_args_is_help=True,
)

Dimension = Annotated[int, typer.Option(help="Dimension of the inputs.")]
Tolerance = Annotated[str, typer.Option(help="Tolerance of unit-norm queries: exact text.")]
Digits = Annotated[int, typer.Option(help="Digits to which the intervals are tight: 1 to 1000.")]
Success = Annotated[str, typer.Option(help="Probability with which the learner must succeed.")]
Sparsity = Annotated[int, typer.Option(help="Number k of relevant coordinates.")]
Out = Annotated[Path | None, typer.Option(help="Write the certificate here.")]


@bound.command(name="csq-relu")
def csq_relu(
    dimension: Dimension,
    tolerance: Tolerance,
    bias: Annotated[str, typer.Option(help="Bias of the neuron: exact text.")],
    alpha: Annotated[
        str | None, typer.Option(help="Cover every learner that reaches alpha OPT + eps.")
    ] = None,
    cutoff: Annotated[
        int | None, typer.Option(help="Or: Hermite degree up to which labels hold nothing.")
    ] = None,
    success: Success = "1",
    digits: Digits = 30,
    out: Out = None,
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:
    """Correlational learners of the biased ReLU, over the whole sphere of directions."""
    from sqsim.lowerbounds.relu_bounds import csq_relu_bound

    certificate = csq_relu_bound(
        dimension=dimension,
        bias=bias,
        tolerance=tolerance,
        cutoff=cutoff,
        alpha=alpha,
        success=success,
        digits=digits,
    )
    _give(certificate, out, json_path, quiet)


@bound.command(name="sq-parity")
def sq_parity(
    dimension: Dimension,
    sparsity: Sparsity,
    noise: Annotated[str, typer.Option(help="Rate of flipped labels, below 1/2.")],
    tolerance: Tolerance,
    digits: Digits = 30,
    out: Out = None,
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:
    """Statistical-query learners of sparse parities with noise."""
    from sqsim.lowerbounds.family_bounds import sq_parity_bound

    certificate = sq_parity_bound(
        dimension=dimension, sparsity=sparsity, noise=noise, tolerance=tolerance, digits=digits
    )
    _give(certificate, out, json_path, quiet)


@bound.command(name="csq-orthogonal-networks")
def csq_orthogonal_networks(
    dimension: Dimension,
    sparsity: Sparsity,
    tolerance: Tolerance,
    digits: Digits = 30,
    out: Out = None,
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:
    """Correlational learners of the exactly orthogonal one-hidden-layer ReLU networks."""
    from sqsim.lowerbounds.family_bounds import csq_orthogonal_networks_bound

    certificate = csq_orthogonal_networks_bound(
        dimension=dimension, sparsity=sparsity, tolerance=tolerance, digits=digits
    )
    _give(certificate, out, json_path, quiet)


@bound.command(name="ngca")
def ngca(
    dimension: Dimension,
    matched: Annotated[int, typer.Option(help="Moments that agree with those of N(0, 1).")],
    chi_squared: Annotated[str, typer.Option(help="Bound of chi^2(A, N(0, 1)): exact text.")],
    tolerance: Tolerance,
    success: Success = "1",
    digits: Digits = 30,
    out: Out = None,
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:
    """Telling N(0, I) from a hidden non-Gaussian component, by any statistical queries."""
    from sqsim.lowerbounds.family_bounds import ngca_bound

    certificate = ngca_bound(
        dimension=dimension,
        matched=matched,
        chi_squared=chi_squared,
        tolerance=tolerance,
        success=success,
        digits=digits,
    )
    _give(certificate, out, json_path, quiet)


def check_certificate(
    certificate: Annotated[Path, typer.Argument(help="File written by sqsim bound --out.")],
    quiet: Quiet = False,
) -> None:
    """Verify a certificate.  Exit code 0: verified; 1: rejected; 2: unreadable."""
    from sqsim.lowerbounds.certificate import check

    verdict = check(certificate)
    if not verdict:
        print(f"rejected: {verdict.failure}", file=sys.stderr)
        raise typer.Exit(1)
    if not quiet:
        typer.echo("verified")


def shown_below(number: int) -> str:
    """Ten figures and a power of ten, rounded down."""
    text = f"{Decimal(number).normalize(Context(prec=10, rounding=ROUND_FLOOR)):e}"
    return text.lower()


def _give(certificate: Certificate, out: Path | None, copy: Path | None, quiet: bool) -> None:
    from sqsim.lowerbounds.precision import shown

    for path in (out, copy):
        check_copy(path)
        if path is not None:
            try:
                certificate.save(path)
            except OSError as error:
                raise BadInput(f"cannot write {path}: {error.strerror}") from None
    if quiet:
        return
    least = math.ceil(certificate.queries.bounds[0])
    # Rounded down where there are too many figures to read, so that it stays a lower bound.
    whole = f"{least}" if least < 10**21 else shown_below(least)
    noun = "query" if least == 1 else "queries"
    typer.echo(f"at least {whole} {noun} ({certificate.grade}): {certificate.theorem}")
    typer.echo(f"  [{certificate.queries.lower}, {certificate.queries.upper}]")
    if certificate.vacuous:
        typer.echo("  vacuous: one query may do at this tolerance")
    for name, value in certificate.quantities.items():
        typer.echo(f"  {name:16s} {shown(sum(value.bounds, Fraction(0)) / 2, 10)}")
    typer.echo(f"  {certificate.statement}")
    if out is not None:
        typer.echo(f"  certificate: {out}; check it with: sqsim check {out}")
