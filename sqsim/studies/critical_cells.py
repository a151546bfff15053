"""The cell "from which negative bias on does a descent fail", for one corruption and one oracle.

This file does not know grids or stores.  The certified crossing beside it is that of
`sqsim.lowerbounds.basins`: where the noise of the worst labels of a budget outweighs the signal of
one step at a given overlap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.seeds import Seed
from sqsim.studies.basin_crossings import crossing_row
from sqsim.studies.cells import Measure
from sqsim.studies.crossing import locate
from sqsim.studies.descents import LOCAL_STEP, WARM_DESCENT, Descent, reaches
from sqsim.studies.learning_cells import Access, CorruptedNeuron
from sqsim.studies.named_values import read_table


@final
@dataclass(frozen=True)
class Scan:
    """Biases that are tried.

    Attributes
    ----------
    shallow, deep : the first and the last bias, from where it succeeds to where it fails.
    points : biases scanned between them, in equal steps, before the bisection.
    width : of the bracket that the bisection ends with.
    """

    shallow: float = 0.0
    deep: float = -4.0
    points: int = 6
    width: float = 0.1

    def __post_init__(self) -> None:
        if not self.deep < self.shallow <= 0:
            raise BadInput(f"biases from {self.shallow} to {self.deep}; wanted deep < shallow <= 0")
        if self.points < 2 or not self.width > 0:
            raise BadInput(f"points {self.points}, width {self.width}; wanted >= 2 and > 0")

    @property
    def places(self) -> list[float]:
        return [float(b) for b in np.linspace(self.shallow, self.deep, self.points)]


def _critical_bias(
    *,
    problem: Mapping[str, Any],
    algorithm: Mapping[str, Any],
    seed: Seed,
    oracle: Mapping[str, Any] | None = None,
    tolerance: float | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Scan and bisect in b.

    Returns
    -------
    dict
        critical_bias (the middle of the bracket), error (half its width), succeeds and fails (its
        ends, None where no such bias was met), regular, located, runs; certified_above and
        certified_below (exact decimal text: the proved bracket of the crossing noise / signal = 1)
        and certified_bias (its middle) for a worst-case corruption met where it is worst.
    """
    descent, scan = read_table(Descent, algorithm, "algorithm"), _scan(parameters)
    access = read_table(Access, oracle, "oracle")

    def succeeds(bias: float) -> bool:
        neuron = _neuron(problem, bias)
        return reaches(neuron, descent, access, tolerance, seed)

    found = locate(succeeds, scan.places, width=scan.width)
    return {
        "critical_bias": found.middle,
        "error": found.error,
        "succeeds": found.succeeds,
        "fails": found.fails,
        "regular": found.regular,
        "located": found.middle is not None,
        "runs": found.runs,
        **_certified(_neuron(problem, scan.shallow), descent, scan),
    }


def _check(
    *,
    problem: Mapping[str, Any],
    algorithm: Mapping[str, Any],
    seed: Seed,
    oracle: Mapping[str, Any] | None = None,
    tolerance: float | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> None:
    scan, descent = _scan(parameters), read_table(Descent, algorithm, "algorithm")
    neuron = _neuron(problem, scan.deep)
    instance = neuron.instance(told=descent.told, seed=seed)
    read_table(Access, oracle, "oracle").oracle(instance, descent.access, tolerance, seed)


critical_bias = Measure(_critical_bias, _check)
"""Where a descent begins to fail as the bias falls; arguments are the tables above.

`problem` holds the fields of `learning_cells.CorruptedNeuron` but for the bias.
"""


def _neuron(problem: Mapping[str, Any], bias: float) -> CorruptedNeuron:
    if "bias" in problem:
        raise BadInput("problem holds a bias, and the bias is what is sought; leave it out")
    return read_table(CorruptedNeuron, {**problem, "bias": bias}, "problem")


def _scan(parameters: Mapping[str, Any] | None) -> Scan:
    return read_table(Scan, parameters, "parameters")


def _certified(neuron: CorruptedNeuron, descent: Descent, scan: Scan) -> dict[str, Any]:
    meets = neuron.corruption == "worst-case" and neuron.update == descent.update
    meets = meets and neuron.overlap == descent.overlap
    if not meets or descent.name not in (LOCAL_STEP, WARM_DESCENT):
        return {}
    return crossing_row(
        descent.update,
        overlap=neuron.overlap,
        alpha=neuron.alpha,
        shallow=scan.shallow,
        deep=scan.deep,
    )
