"""Functions that are small ReLU networks exactly: maxima, ramps, leaky ReLUs, conjunctions.

Goel, Kanade, Klivans and Thaler (2017), the networks that their learners are applied to.  This
file does not know who learns them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.problems.layers import LayeredRelu, Numbers

Number: TypeAlias = float | Fraction


@final
@dataclass(frozen=True, eq=False, repr=False)
class MaxAffine:
    """x -> max_j <w_j, x> + b_j, convex and piecewise linear.

    Parameters
    ----------
    weights : (k, n) array of the w_j.
    offsets : (k,) array of the b_j, 0 unless given.
    """

    weights: Numbers
    offsets: Numbers = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        weights = np.asarray(self.weights)
        if weights.ndim != 2 or not weights.size:
            raise BadInput(f"weights of shape {weights.shape}; wanted (pieces, dimension)")
        offsets = np.asarray(self.offsets)
        if not offsets.size:
            offsets = np.zeros(len(weights), int)
        if offsets.shape != (len(weights),):
            raise BadInput(f"{offsets.shape} offsets for {len(weights)} pieces; wanted one each")
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "offsets", offsets)

    def __call__(self, inputs: Numbers) -> Numbers:
        """Values at the rows of an (n, dimension) array."""
        return np.asarray((inputs @ self.weights.T + self.offsets).max(axis=1))

    @property
    def pieces(self) -> int:
        """k."""
        return len(self.weights)

    def network(self) -> LayeredRelu:
        """The same function with ceil(log2 k) hidden layers (one for k = 1).

        A binary tree of max(a, b) = relu(a - b) + relu(b) - relu(-b); a piece without a partner
        passes as relu(a) - relu(-a).  Where all (w_j, b_j) have norm at most 1, those of the first
        layer have norm at most 2, and every later l1 norm is at most 6 (3 at the output).
        """
        return compiled([(self.weights, self.offsets)])

    def __repr__(self) -> str:
        return f"MaxAffine(pieces={self.pieces}, dimension={self.weights.shape[1]})"


@final
@dataclass(frozen=True, eq=False)
class SumOfMaxAffine:
    """x -> the sum of several maxima of affine functions."""

    parts: tuple[MaxAffine, ...]

    def __post_init__(self) -> None:
        if not self.parts or len({part.weights.shape[1] for part in self.parts}) != 1:
            raise BadInput("wanted at least one MaxAffine, all of one dimension")

    def __call__(self, inputs: Numbers) -> Numbers:
        """Values at the rows of an (n, dimension) array."""
        return np.asarray(sum(part(inputs) for part in self.parts))

    def network(self) -> LayeredRelu:
        """The same function; one hidden layer of 3 k units for k maxima of two."""
        return compiled([(part.weights, part.offsets) for part in self.parts])


def maximum_of_two() -> LayeredRelu:
    """(a, b) -> max(a, b) = relu(a - b) + relu(b) - relu(-b)."""
    return MaxAffine(np.eye(2, dtype=int)).network()


def parametric_relu(slope: Number) -> LayeredRelu:
    """t -> t where t >= 0, slope t where t < 0: relu(t) - slope relu(-t).

    The leaky ReLU for small slopes > 0, |t| for slope -1, t for slope 1.
    """
    return LayeredRelu((_column(1, -1), _row(1, -slope)))


def ramp(lipschitz: Number) -> LayeredRelu:
    """t -> clip(1/2 + C t, 0, 1) = relu(1/2 + C t) - relu(-1/2 + C t), C-Lipschitz."""
    if not lipschitz > 0:
        raise BadInput(f"lipschitz is {lipschitz!r}; a ramp has a slope > 0")
    half: Any = Fraction(1, 2) if isinstance(lipschitz, Fraction | int) else 0.5
    bias = np.array([half, -half], dtype=object if isinstance(half, Fraction) else float)
    return LayeredRelu((_column(lipschitz, lipschitz), _row(1, -1)), bias)


def conjunction(size: int) -> LayeredRelu:
    """(x_1, ..., x_k) -> x_1 and ... and x_k = relu(sum of x_i - (k - 1)) on {0, 1}^k.

    One ReLU; with the bias on a constant coordinate its weights have l1 norm 2 k - 1.
    """
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise BadInput(f"size is {size!r}; a conjunction has at least one literal")
    return LayeredRelu((np.ones((1, size), int), _row(1)), np.array([1 - size]))


def compiled(maxima: list[tuple[Numbers, Numbers]]) -> LayeredRelu:
    """A sum of maxima as one network; every maximum is a list of rows and of their biases."""
    exact = any(np.asarray(part).dtype == object for pair in maxima for part in pair)
    kind: Any = object if exact else np.result_type(*(part for pair in maxima for part in pair))
    bias = np.concatenate([offsets for _, offsets in maxima]).astype(kind)
    rows = np.concatenate([weights for weights, _ in maxima]).astype(kind)
    sizes = [len(weights) for weights, _ in maxima]
    weights, first = [], None
    while max(sizes) > 1 or first is None:
        units, ends, sizes = _level(rows, sizes)
        weights.append(units)
        if first is None:
            first = _level(bias[:, None], [len(part) for part, _ in maxima])[0][:, 0]
        rows = ends
    return LayeredRelu((*weights, rows.sum(axis=0)[None, :]), first)


def _level(rows: Numbers, sizes: list[int]) -> tuple[Numbers, Numbers, list[int]]:
    """Rows into new units, rows that read the maxima of pairs off these units, and their groups."""
    units: list[Numbers] = []
    reading: list[list[tuple[int, int]]] = []
    left, start = [], 0
    for size in sizes:
        group = rows[start : start + size]
        start += size
        for i in range(0, size - 1, 2):
            place = len(units)
            units += [group[i] - group[i + 1], group[i + 1], -group[i + 1]]
            reading.append([(place, 1), (place + 1, 1), (place + 2, -1)])
        if size % 2:
            place = len(units)
            units += [group[-1], -group[-1]]
            reading.append([(place, 1), (place + 1, -1)])
        left.append((size + 1) // 2)
    ends = np.zeros((len(reading), len(units)), dtype=int)
    for end, signs in zip(ends, reading, strict=True):
        for place, sign in signs:
            end[place] = sign
    return np.stack(units), ends, left


def _column(*entries: Number) -> Numbers:
    return _row(*entries).T


def _row(*entries: Number) -> Numbers:
    exact = any(isinstance(entry, Fraction) for entry in entries)
    return np.array([entries], dtype=object if exact else None)
