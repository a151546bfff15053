"""Labels that depend on the signs of the inputs: functions on the cube {-1, 1}^d.

A function is a table of 2^d values: bit j of an index is 1 where x_j = -1, so that entry 0 belongs
to x = (1, ..., 1).  This file does not know queries or oracles.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike

from sqsim.errors import BadInput
from sqsim.inputs import Rademacher
from sqsim.lowrank import Array
from sqsim.problems.problem import Problem
from sqsim.subsets import sign_words
from sqsim.walsh import Table, whole_numbers


class CubeLaw(ABC):
    """The law of the label given the signs of the inputs.

    Attributes
    ----------
    dimension : int
    signed : whether y is -1 or 1 and only its mean is a function; else y is the function itself.
    scale : what the numbers of the table are multiplied by.
    """

    dimension: int
    signed: bool
    scale: Fraction

    @abstractmethod
    def table(self) -> Table:
        """E[y | x] / scale at all 2^d points; integers where it is known exactly."""

    @abstractmethod
    def means(self, start: int, stop: int) -> Array:
        """E[y | x] at the points start, ..., stop - 1, correctly rounded."""

    @abstractmethod
    def draw(self, inputs: Array, rng: np.random.Generator) -> Array:
        """Labels of these examples."""

    @property
    @abstractmethod
    def spectrum(self) -> Mapping[int, Fraction] | None:
        """E[y chi_S] for the masks S where it is not 0, if it is known without a sum."""

    @abstractmethod
    def parts(self) -> Iterable[bytes]:
        """What tells this law from others, for fingerprints."""


@final
@dataclass(frozen=True)
class CubeProblem(Problem):
    """A function on the cube of which nothing is known: x uniform on {-1, 1}^d."""

    dimension: int
    norm: float | None = None
    bias: float | None = None

    def __post_init__(self) -> None:
        Rademacher(self.dimension)

    @property
    def inputs(self) -> Rademacher:
        return Rademacher(self.dimension)


@final
@dataclass(frozen=True, eq=False)
class TableLaw(CubeLaw):
    """A label given by its table: numbers times scale."""

    numbers: Table
    scale: Fraction
    signed: bool

    @property
    def dimension(self) -> int:  # type: ignore[override]
        return len(self.numbers).bit_length() - 1

    @property
    def spectrum(self) -> None:
        return None

    def table(self) -> Table:
        return self.numbers

    def means(self, start: int, stop: int) -> Array:
        return self._rounded[start:stop]

    @property
    def largest(self) -> float:
        """The largest |E[y | x]|, as labels have it."""
        return float(np.abs(self._rounded).max())

    def draw(self, inputs: Array, rng: np.random.Generator) -> Array:
        means = self._rounded[sign_words(inputs)[:, 0]]
        if not self.signed:
            return np.asarray(means)
        return np.where(rng.random(len(means)) < (1 + means) / 2, 1.0, -1.0)

    def parts(self) -> Iterable[bytes]:
        yield f"{type(self).__name__} {self.scale} {self.signed} {self.numbers.dtype}".encode()
        if self.numbers.dtype == object:
            yield repr(self.numbers.tolist()).encode()
        else:
            yield self.numbers.tobytes()

    @cached_property
    def _rounded(self) -> Array:
        if self.numbers.dtype == object or self.scale.denominator != 1:
            # Quotients of integers are correctly rounded.
            over = self.scale.denominator
            found = np.array([int(n) / over for n in self.numbers.tolist()], dtype=np.float64)
        else:
            found = self.numbers.astype(np.float64)
        found.flags.writeable = False
        return found


@final
@dataclass(frozen=True, eq=False)
class CubeFunction:
    """A function on the cube {-1, 1}^d as an instance, x uniform.

    Parameters
    ----------
    values : (2^d,) numbers
        Entry i is the value at x with x_j = -1 where bit j of i is 1.  Integers, fractions and
        texts such as "1/3" are kept exactly for parities; labels themselves are 64-bit floats.
    conditional : bool
        The values are E[y | x] of labels -1 and 1, instead of the label.
    """

    values: ArrayLike
    conditional: bool = False

    def __post_init__(self) -> None:
        _ = self.labels

    @cached_property
    def labels(self) -> TableLaw:
        """The law of the label given x."""
        numbers, denominator = whole_numbers(self.values)
        if len(numbers) < 2:
            raise BadInput("the table has one value; a cube has dimension >= 1, so 2 or more")
        if self.conditional and max(numbers.max(), -numbers.min()) > denominator:
            raise BadInput("the table has values beyond 1; labels -1 and 1 have means in [-1, 1]")
        # A copy, since the caller's own array may change later; and a short one.
        numbers = np.array(numbers, dtype=_shortest(numbers))
        numbers.flags.writeable = False
        law = TableLaw(numbers, Fraction(1, denominator), self.conditional)
        try:
            law.means(0, 1)
        except OverflowError:
            raise BadInput("the table has values beyond 64-bit floats; scale it down") from None
        return law

    @cached_property
    def label_bound(self) -> float:
        """The largest |y|."""
        return 1.0 if self.conditional else self.labels.largest

    @property
    def problem(self) -> CubeProblem:
        """The part that a learner may see."""
        return CubeProblem(self.labels.dimension)


def _shortest(numbers: Table) -> np.dtype[Any]:
    """The shortest type that holds these integers; other types as they are."""
    if numbers.dtype.kind != "i":
        return numbers.dtype
    # A negative number asks for a signed type; two types of different signs would meet in float64.
    return np.min_scalar_type(min(int(numbers.min()), -1 - int(numbers.max())))
