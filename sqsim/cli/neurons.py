"""`sqsim neurons`: learners of sums of several ReLU neurons."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sqsim.cli.options import Json, PolicyName, Quiet, Seed, check_copy, check_seed, command, write
from sqsim.errors import BadInput


def neurons(
    count: Annotated[int, typer.Option(help="How many hidden neurons.")] = 3,
    dimension: Annotated[int, typer.Option(help="Dimension of the inputs.")] = 20,
    biases: Annotated[str, typer.Option(help="One for all, or a list: -2,-1.5,-1.")] = "-1",
    outer: Annotated[str, typer.Option(help="Outer weights, likewise.")] = "1",
    overlap: Annotated[str, typer.Option(help="Of every two hidden directions, or random.")] = "0",
    tolerance: Annotated[str, typer.Option(help="Of every query; one or a list.")] = "1e-2,3e-3",
    norm: Annotated[str, typer.Option(help="What a unit of it means: l2 or absolute.")] = "l2",
    policy: PolicyName = "toward-zero",
    alpha: Annotated[
        float | None,
        typer.Option(help="Corrupt labels by a decoy neuron of energy 1 / alpha of the network's."),
    ] = None,
    algorithms: Annotated[
        str | None,
        typer.Option(
            help="Of deflate-thresholded, deflate-correlational, tensor-thresholded and "
            "tensor-correlational; none: all."
        ),
    ] = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder for results.json, neurons.svg and neurons.png.")
    ] = None,
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:
    """Learn a sum of several ReLU neurons by thresholded moments, tensors and deflation."""
    from sqsim.studies.several_neurons import SeveralNeurons, outcome_words, several_neurons

    check_copy(json_path)
    check_seed(seed)
    chosen: dict[str, Any] = {}
    if algorithms is not None:
        chosen["algorithms"] = tuple(name.strip() for name in algorithms.split(","))
    study = SeveralNeurons(
        count=count,
        dimension=dimension,
        biases=_numbers(biases, "biases"),
        outer=_numbers(outer, "outer"),
        overlap=None if overlap == "random" else _numbers(overlap, "overlap")[0],
        tolerances=_numbers(tolerance, "tolerance"),
        norm=norm,
        policy=policy,
        alpha=alpha,
        seed=seed,
        **chosen,
    )

    def observe(row: dict[str, Any]) -> None:
        if not quiet:
            typer.echo(outcome_words({"runs": [row]})[0])

    results = {"command": command(), **several_neurons(study, observer=observe)}
    if out is not None:
        from sqsim.report.figures import save
        from sqsim.report.files import fresh_directory
        from sqsim.report.neurons import neurons_figure

        with fresh_directory(out) as folder:
            write(results, folder, None)
            paths = save(neurons_figure(results), folder / "neurons")
        if not quiet:
            typer.echo(f"written: {', '.join(str(path) for path in paths)}")
    if json_path is not None:
        from sqsim.report.files import write_json

        write_json(json_path, results)


def _numbers(text: str, name: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise BadInput(f"{name} is {text!r}; wanted numbers such as -1 or -2,-1.5") from None
