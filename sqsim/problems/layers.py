"""Feed-forward ReLU networks as explicit weights, exact on exact numbers.

This file does not know who learns them, nor where weights come from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from sqsim.errors import BadInput

Numbers = NDArray[Any]
"""An array of floats, or of exact numbers such as fractions (dtype object)."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class LayeredRelu:
    """x -> A_D relu(A_(D-1) ... relu(A_1 relu(A_0 x + b)) ...): D hidden layers, linear output.

    The bias b belongs to a constant coordinate of the input.  Where weights and inputs are arrays
    of fractions, values are fractions: identities hold exactly.

    Parameters
    ----------
    weights : A_0, ..., A_D
        Matrices, each with a row for each unit of its layer; A_D has one row.
    bias : (units of the first layer,) array, optional
        0 unless given.
    """

    weights: tuple[Numbers, ...]
    bias: Numbers = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        weights = tuple(np.atleast_2d(np.asarray(matrix)) for matrix in self.weights)
        if not weights or any(matrix.ndim != 2 or not matrix.size for matrix in weights):
            raise BadInput("a network has at least one layer, each a matrix that is not empty")
        shapes = [matrix.shape for matrix in weights]
        fits = all(a[0] == b[1] for a, b in pairwise(shapes))
        if not fits or shapes[-1][0] != 1:
            raise BadInput(
                f"layers of shapes {shapes} do not follow one another; wanted (units, units "
                "before), and one row in the last"
            )
        bias = np.asarray(self.bias)
        if not bias.size:
            bias = np.zeros(shapes[0][0], int)
        if bias.shape != (shapes[0][0],):
            raise BadInput(f"bias of shape {bias.shape}; wanted one for each of {shapes[0][0]}")
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "bias", bias)

    def __call__(self, inputs: Numbers) -> Numbers:
        """Values at the rows of an (n, dimension) array."""
        values = inputs @ self.weights[0].T + self.bias
        for matrix in self.weights[1:]:
            values = np.maximum(values, 0) @ matrix.T
        return np.asarray(values[:, 0])

    @property
    def dimension(self) -> int:
        """Of the inputs."""
        return int(self.weights[0].shape[1])

    @property
    def hidden(self) -> int:
        """D: how many layers of ReLUs there are."""
        return len(self.weights) - 1

    @property
    def units(self) -> int:
        """How many ReLUs there are."""
        return sum(len(matrix) for matrix in self.weights[:-1])

    @property
    def weight(self) -> float:
        """W: the largest l1 norm of the weights into a unit beyond the first layer, or output."""
        sums = [_floats(np.abs(matrix)).sum(axis=1).max() for matrix in self.weights[1:]]
        return float(max(sums, default=0.0))

    @property
    def input_norm(self) -> float:
        """The largest l2 norm of (a, b) over units max(<a, x> + b, 0) of the first layer."""
        squares = (_floats(self.weights[0]) ** 2).sum(axis=1) + _floats(self.bias) ** 2
        return float(np.sqrt(squares.max()))

    @property
    def reach(self) -> float:
        """M: the largest |<a, x> + b| in the first layer over ||x|| <= 1."""
        norms = np.sqrt((_floats(self.weights[0]) ** 2).sum(axis=1))
        return float((norms + np.abs(_floats(self.bias))).max())

    def __repr__(self) -> str:
        units = " + ".join(str(len(matrix)) for matrix in self.weights[:-1])
        return f"LayeredRelu({self.dimension} inputs, {units or 'no'} units)"


def _floats(array: Numbers) -> NDArray[np.float64]:
    return np.asarray(array, dtype=np.float64)
