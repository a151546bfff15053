"""`sqsim parity`: a sparse parity with noise, through learners of ReLUs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sqsim.cli.options import Json, PolicyName, Quiet, Seed, check_copy, check_seed, command


def parity(
    dimension: Annotated[int, typer.Option(help="Coordinates of the inputs.")],
    sparsity: Annotated[int, typer.Option(help="Relevant ones: 2, 6, 10, ...")],
    noise: Annotated[str, typer.Option(help="Rate at which labels are flipped, exact text.")],
    learner: Annotated[
        str,
        typer.Option(
            help="exhaustive-neurons or any learner of a neuron, through the reduction; "
            "exhaustive-parity, staged-parity, greedy-parity or eliminating-parity without it."
        ),
    ] = "exhaustive-neurons",
    tolerance: Annotated[
        float | None,
        typer.Option(help="Of every query, for labels -1 and 1; none: 0.99 of what hides it."),
    ] = None,
    norm: Annotated[
        str, typer.Option(help="What one unit of tolerance means: absolute, l2 or vstat.")
    ] = "absolute",
    policy: PolicyName = "toward-zero",
    seed: Seed = 0,
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:
    """Which coordinates a noisy parity of Gaussian signs depends on, and the proved gap."""
    from sqsim.report.files import write_json
    from sqsim.studies.parity import ParityRecovery, recover_parity

    check_copy(json_path)
    check_seed(seed)
    study = ParityRecovery(
        dimension=dimension,
        sparsity=sparsity,
        noise=noise,
        learner=learner,
        tolerance=tolerance,
        norm=norm,
        policy=policy,
        seed=seed,
    )
    results = {"command": command(), **recover_parity(study)}
    if json_path is not None:
        write_json(json_path, results)
    for line in () if quiet else _lines(results):
        typer.echo(line)


def _lines(results: dict[str, Any]) -> list[str]:
    ends = results["gap_interval"]
    cost = f"{results['queries']} queries in {results['rounds']} rounds"
    if results["queries_formula"]:
        cost += f" ({results['queries_formula']}; {results['rounds_formula']})"
    lines = [
        f"gap (1 - 2 noise) c_k / sqrt(2 pi): [{ends['lower']}, {ends['upper']}]",
        f"{results['learner']}, {results['access']} within {results['tolerance']:.9g} "
        f"({results['norm']}, {results['policy']}); hidden from {results['hidden_from']:.9g} on",
        f"relevant: {_shown(results['relevant'])}",
        f"found:    {_shown(results['found'])}",
    ]
    declared = results.get("declared", results["found"])
    if declared != results["found"]:
        lines.append(
            f"declared: {len(declared)} coordinates, not {results['sparsity']}: no set was found"
        )
    return [*lines, cost]


def _shown(members: list[int]) -> str:
    return ", ".join(map(str, members)) if members else "none"
