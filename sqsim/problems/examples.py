"""Drawing labelled examples of any instance.  This file does not know what is asked of them."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.chunked import Chunked
from sqsim.problems.dataset import Dataset


@runtime_checkable
class Draws(Protocol):
    """An instance that draws its examples itself, such as one with noise on its data."""

    def examples(
        self, of_inputs: np.random.Generator, of_labels: np.random.Generator, count: int, turn: int
    ) -> tuple[Array, Array]:
        """Inputs (count, d) and labels (count,) of independent examples at this turn."""
        ...


def draw_examples(
    instance: Any,
    of_inputs: np.random.Generator,
    of_labels: np.random.Generator,
    count: int,
    turn: int,
) -> tuple[Array, Array]:
    """`count` independent examples in double precision, whatever a table is stored in.

    The rows of a Dataset are drawn with replacement.
    """
    if isinstance(instance, Draws):
        return _doubles(*instance.examples(of_inputs, of_labels, count, turn))
    if isinstance(instance, Dataset):
        rows = of_inputs.integers(len(instance.targets), size=count)
        return _doubles(instance.inputs[rows], instance.targets[rows])
    if isinstance(instance, Chunked):
        raise BadInput(
            "rows are drawn by their number, which a Chunked table cannot give; wanted a Dataset"
        )
    x = instance.problem.inputs.sample(of_inputs, count)
    return _doubles(x, instance.labels.draw(x, of_labels))


def _doubles(x: Any, y: Any) -> tuple[Array, Array]:
    return np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
