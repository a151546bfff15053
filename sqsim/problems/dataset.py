"""The user's own table as a problem.  This file does not know files or oracles.

The rows are taken as the whole population: a learner knows the inputs, the targets are the secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from sqsim.errors import BadInput
from sqsim.inputs import Empirical
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.problem import Problem
from sqsim.seeds import Role, Seed, rng

BLOCK = 65536
"""Rows looked at together in checks, so that a mapped file is not read into memory at once."""


@final
@dataclass(frozen=True, eq=False)
class TableProblem(Problem):
    """What a learner may know of a table: the inputs, and nothing of the targets."""

    dimension: int
    rows: Empirical
    norm: float | None = None
    bias: float | None = None

    @property
    def inputs(self) -> Empirical:
        """The uniform law on the rows."""
        return self.rows


@final
@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs and targets of n examples.

    Parameters
    ----------
    inputs : (n, d) numbers
        32-bit and 64-bit tables are used in place and must not be changed afterwards.
    targets : (n,) numbers
    names : sequence of str, optional
        Of the d columns; x0, x1, ... unless given.
    target_name : str
    """

    inputs: Array
    targets: Array
    names: Sequence[str] = ()
    target_name: str = ""

    def __post_init__(self) -> None:
        names = tuple(str(name) for name in self.names)
        x, y = _numbers(self.inputs, "inputs"), _numbers(self.targets, "targets")
        if x.ndim != 2 or y.ndim != 1 or len(x) != len(y) or len(x) < 2 or not x.shape[1]:
            raise BadInput(
                f"inputs have shape {x.shape} and targets {y.shape}; wanted (n, d) and (n,) with "
                "n >= 2 examples and d >= 1 columns"
            )
        names = names or tuple(f"x{j}" for j in range(x.shape[1]))
        if len(names) != x.shape[1]:
            raise BadInput(f"{len(names)} names for {x.shape[1]} columns; name each column once")
        for key, value in (("inputs", x), ("targets", y), ("names", names)):
            object.__setattr__(self, key, value)
        _check_finite(x, names)
        _check_finite(y[:, None], (self.target_name or "the target",))
        constant = [name for name, same in zip(names, _constant(x), strict=True) if same]
        if constant:
            raise BadInput(
                f"constant column(s) {_listed(constant)}: they carry no information and a bias "
                "does their work; remove them"
            )

    @property
    def inputs_table(self) -> Array:
        """The inputs, (n, d)."""
        return self.inputs

    @cached_property
    def problem(self) -> TableProblem:
        """The part that a learner may see."""
        return TableProblem(int(self.inputs.shape[1]), Empirical(self.inputs))


@final
@dataclass(frozen=True, eq=False)
class Whitening:
    """z = (x - mean) @ matrix, with mean 0 and covariance I on the table it was made from."""

    mean: Array
    matrix: Array
    inverse: Array

    def apply(self, x: Array) -> Array:
        """Whitened coordinates of inputs in original units."""
        return np.asarray((x - self.mean) @ self.matrix)

    def invert(self, z: Array) -> Array:
        """Original units of whitened inputs."""
        return np.asarray(z @ self.inverse + self.mean)

    def pull_back(self, hypothesis: ReluHypothesis) -> ReluHypothesis:
        """The same function, of inputs in original units."""
        weights = np.asarray(self.matrix @ hypothesis.weights)
        return ReluHypothesis(weights, float(hypothesis.bias - self.mean @ weights))


def whitened(dataset: Dataset) -> tuple[Dataset, Whitening]:
    """The dataset with centred inputs of covariance I, and the map that does it.

    Each column is standardised and then turned as little as possible (ZCA of the correlation
    matrix), so that column j of the result still stands for column j of the table.
    """
    x = np.asarray(dataset.inputs, dtype=np.float64)
    mean = x.mean(axis=0)
    deviation = x.std(axis=0)
    standard = (x - mean) / deviation
    triangle = np.asarray(np.linalg.qr(standard / np.sqrt(len(x)), mode="r"))
    precision = float(np.finfo(dataset.inputs.dtype).eps)
    whitening = whitening_of(mean, deviation, triangle, dataset.names, precision)
    z = whitening.apply(x)
    return Dataset(z, dataset.targets, dataset.names, dataset.target_name), whitening


def whitening_of(
    mean: Array, deviation: Array, triangle: Array, names: Sequence[str], precision: float
) -> Whitening:
    """Whitening of a table, from the triangle R with R'R the correlation matrix of its columns."""
    # Below the square root of the table's precision, a direction is made of rounding errors.
    _check_independent(triangle, names, float(np.sqrt(precision)))
    _, spread, rotation = np.linalg.svd(triangle)
    matrix = (rotation.T / spread) @ rotation / deviation[:, None]
    inverse = (rotation.T * spread) @ rotation * deviation
    return Whitening(mean, matrix, inverse)


def split(dataset: Dataset, *, test_fraction: float, seed: Seed) -> tuple[Dataset, Dataset]:
    """Training and test part, drawn without replacement."""
    count = len(dataset.targets)
    if not 0 < test_fraction < 1:
        raise BadInput(f"test_fraction {test_fraction!r}: wanted a number between 0 and 1")
    held = round(count * test_fraction)
    if held < 2 or count - held < 2:
        raise BadInput(
            f"test_fraction {test_fraction!r} of {count} examples leaves {held} for the test and "
            f"{count - held} for training; wanted at least 2 in each"
        )
    order = rng(seed, Role.SPLIT).permutation(count)
    test, train = np.sort(order[:held]), np.sort(order[held:])
    try:
        first = Dataset(
            dataset.inputs[train], dataset.targets[train], dataset.names, dataset.target_name
        )
    except BadInput as error:
        raise BadInput(f"in the training part: {error}, or use another seed") from error
    return first, _held_out(dataset, test)


def least_squares_loss(dataset: Dataset, *, test: Dataset | None = None) -> float:
    """Mean squared error E[(y - w x - b)^2] of least squares with intercept.

    Fitted on `dataset` and measured on `test`, or on `dataset` itself.
    """
    x, y = np.asarray(dataset.inputs, dtype=np.float64), np.asarray(dataset.targets, np.float64)
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    weights = np.linalg.lstsq((x - mean) / deviation, y - y.mean(), rcond=None)[0]
    on = dataset if test is None else test
    predicted = (on.inputs - mean) / deviation @ weights + y.mean()
    return float(np.mean((on.targets - predicted) ** 2))


def _held_out(dataset: Dataset, rows: NDArray[np.int64]) -> Dataset:
    # A rare column may be constant in the part that is held out, which is only predicted on:
    # the checks of a Dataset to learn from would refuse it.
    part = object.__new__(Dataset)
    for key, value in (
        ("inputs", _read_only(dataset.inputs[rows])),
        ("targets", _read_only(dataset.targets[rows])),
        ("names", dataset.names),
        ("target_name", dataset.target_name),
    ):
        object.__setattr__(part, key, value)
    return part


def _numbers(values: Any, what: str) -> Array:
    """A read-only view as 32-bit or 64-bit floats; other numbers are copied."""
    try:
        array = np.asarray(values)
        if array.dtype.kind == "c":
            raise TypeError("they are complex")
        if array.dtype not in (np.float32, np.float64):
            array = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{what} are not real numbers ({error}); encode or remove them") from error
    return _read_only(array)


def _read_only(array: Any) -> Array:
    view: Array = array.view()
    view.flags.writeable = False
    return view


def _check_finite(table: Array, names: Sequence[str]) -> None:
    for start in range(0, len(table), BLOCK):
        bad = ~np.isfinite(table[start : start + BLOCK])
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise BadInput(
                f"row {start + row}, column {names[column]!r} (counted from 0) is "
                f"{table[start + row, column]}; fill in or remove rows without a finite number"
            )


def _constant(table: Array) -> list[bool]:
    same = np.ones(table.shape[1], dtype=bool)
    for start in range(0, len(table), BLOCK):
        same &= (table[start : start + BLOCK] == table[0]).all(axis=0)
    return [bool(each) for each in same]


def _check_independent(triangle: Array, names: Sequence[str], smallest: float) -> None:
    reduced, order = scipy.linalg.qr(triangle, mode="r", pivoting=True)
    sizes = np.zeros(len(names))
    sizes[: min(reduced.shape)] = np.abs(np.diagonal(reduced))
    rank = int((sizes > smallest * sizes[0]).sum())
    if rank < len(names):
        found = sorted(int(j) for j in order[rank:])
        raise BadInput(
            f"column(s) {_listed([names[j] for j in found])} are linear combinations of the "
            f"others, up to {smallest:.0e}; remove them before whitening"
        )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"
