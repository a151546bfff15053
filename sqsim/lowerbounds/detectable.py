"""What queries of a given kind can detect in a finite junta: sets of coordinates, decided exactly.

z_1, ..., z_P are independent with finitely many values each, and the label, of finitely many
values, depends on them.  All probabilities are rational.  This file does not know queries.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product
from typing import Any, final

import numpy as np
from flint import fmpq_mat

from sqsim.errors import BadInput
from sqsim.lowerbounds.leaps import CoverResult, LeapResult, Support, cover, leap
from sqsim.lowerbounds.precision import Exact, exact_fraction, rational

LARGEST_TABLE = 2**18
MOST_COORDINATES = 16


@final
@dataclass(frozen=True)
class FiniteJunta:
    """The law of (z, y).

    Attributes
    ----------
    marginals : for each coordinate the probabilities of its values; positive, of sum 1.
    labels : the values of y.
    kernel : P(y = labels[j] | z), one row for each z in lexicographic order of the value numbers.
    """

    marginals: tuple[tuple[Fraction, ...], ...]
    labels: tuple[Fraction, ...]
    kernel: tuple[tuple[Fraction, ...], ...]

    def __post_init__(self) -> None:
        sizes = [len(m) for m in self.marginals]
        if len(sizes) > MOST_COORDINATES or math.prod(sizes) * len(self.labels) > LARGEST_TABLE:
            raise BadInput(
                f"{len(sizes)} coordinates with {math.prod(sizes)} joint values and "
                f"{len(self.labels)} labels; at most {MOST_COORDINATES} coordinates and "
                f"{LARGEST_TABLE} entries are decided exactly"
            )
        for row in self.marginals:
            if not row or min(row) <= 0 or sum(row) != 1:
                raise BadInput(f"a marginal is {row}; wanted positive probabilities of sum 1")
        if len(set(self.labels)) != len(self.labels) or len(self.kernel) != math.prod(sizes):
            raise BadInput("labels must be distinct, and the kernel have one row for each z")
        for row in self.kernel:
            if len(row) != len(self.labels) or min(row) < 0 or sum(row) != 1:
                raise BadInput(f"a row of the kernel is {row}; wanted probabilities of sum 1")


def cube_junta(target: Callable[[tuple[int, ...]], Exact], coordinates: int) -> FiniteJunta:
    """y = target(z), z uniform on {-1, 1}^coordinates."""
    if not 0 < coordinates <= MOST_COORDINATES:
        raise BadInput(f"{coordinates} coordinates; wanted 1 to {MOST_COORDINATES}")
    points = list(product((-1, 1), repeat=coordinates))
    values = [exact_fraction(target(z), "a label") for z in points]
    labels = tuple(sorted(set(values)))
    kernel = tuple(tuple(Fraction(int(v == label)) for label in labels) for v in values)
    half = Fraction(1, 2)
    return FiniteJunta(((half, half),) * coordinates, labels, kernel)


@final
@dataclass(frozen=True)
class LabelFunctions:
    """A linear space of functions T(y) that queries may use.

    Attributes
    ----------
    rows : functions that span it, by their values at the labels.
    complete : the rows are known to span all that the queries can use; otherwise a set that is
        not detected may still be detectable.
    """

    rows: tuple[tuple[Fraction, ...], ...]
    complete: bool = True


def all_functions(labels: Sequence[Exact]) -> LabelFunctions:
    """Statistical queries: every T."""
    count = len(labels)
    rows = tuple(tuple(Fraction(int(i == j)) for j in range(count)) for i in range(count))
    return LabelFunctions(rows)


def identity_function(labels: Sequence[Exact]) -> LabelFunctions:
    """Correlational queries: T(y) = y."""
    return LabelFunctions((tuple(exact_fraction(y, "a label") for y in labels),))


def loss_functions(
    labels: Sequence[Exact],
    derivative: Callable[[Fraction, Fraction], Exact],
    outputs: Sequence[Exact],
    *,
    exhaustive: bool = False,
) -> LabelFunctions:
    """Queries made of gradients of a loss: the span of y -> l'(u, y) over outputs u.

    Parameters
    ----------
    derivative : function of (u, y)
        d l(u, y) / du, exact.
    outputs : values of u at which it is taken.
    exhaustive : the caller knows that further outputs add nothing to the span (as for a loss
        that is polynomial in u, with as many outputs as its derivative has coefficients).

    Notes
    -----
    Where the span is already every function of the label, it is complete without being told:
    such a loss is as good as statistical queries.
    """
    values = [exact_fraction(y, "a label") for y in labels]
    points = [exact_fraction(u, "an output") for u in outputs]
    rows = tuple(
        tuple(exact_fraction(derivative(u, y), "a derivative") for y in values) for u in points
    )
    full = bool(rows) and _rank(rows) == len(values)
    return LabelFunctions(rows, exhaustive or full)


def squared_loss(output: Fraction, label: Fraction) -> Fraction:
    """The derivative 2 (u - y) of (u - y)^2; two outputs are exhaustive."""
    return 2 * (output - label)


def absolute_loss(output: Fraction, label: Fraction) -> Fraction:
    """A derivative sign(u - y) of |u - y|; 0 at the kink."""
    return Fraction((output > label) - (output < label))


@final
@dataclass(frozen=True)
class DetectableSets:
    """Sets U with a T in the space and zero-mean T_i(z_i) with E[T(y) prod_(i in U) T_i] != 0.

    Attributes
    ----------
    sets : all of them, by size; each is proved detectable.
    missed : coordinates that some T detects, but none of this space.
    complete : the other sets are proved undetectable.
    """

    sets: tuple[tuple[int, ...], ...]
    missed: tuple[int, ...]
    complete: bool

    @property
    def supports(self) -> tuple[Support, ...]:
        """The sets in the form that `leap` and `cover` take."""
        return tuple(tuple((i, 1) for i in chosen) for chosen in self.sets)

    @property
    def leap(self) -> LeapResult | None:
        """Exponent of adaptive queries, q / tau^2 = Theta(d^leap); None where a coordinate is
        missed, so that no number of queries finds all."""
        return None if self.missed else leap(self.supports)

    @property
    def cover(self) -> CoverResult | None:
        """Exponent of non-adaptive queries; None where a coordinate is missed."""
        return None if self.missed else cover(self.supports)


def detectable_sets(junta: FiniteJunta, functions: LabelFunctions) -> DetectableSets:
    """Which sets of coordinates the queries detect (Joshi, Misiakiewicz and Srebro, 2024).

    The mean is multilinear in T and the T_i, so U is detectable if and only if it is not zero for
    some member of bases of their spaces; all of these are computed in rational numbers.
    Coordinates are numbered from 1.

    Notes
    -----
    Costs len(functions.rows) * (joint values) * (coordinates) rational operations.
    """
    if any(len(row) != len(junta.labels) for row in functions.rows):
        raise BadInput("the label functions belong to another set of labels")
    found = _seen(junta, functions)
    wanted = {i for chosen in _seen(junta, all_functions(junta.labels)) for i in chosen}
    missed = wanted - {i for chosen in found for i in chosen}
    return DetectableSets(tuple(found), tuple(sorted(missed)), functions.complete)


def _seen(junta: FiniteJunta, functions: LabelFunctions) -> list[tuple[int, ...]]:
    """Detectable sets by size, then in lexicographic order."""
    sizes = tuple(len(m) for m in junta.marginals)
    kernel = np.array(junta.kernel, dtype=object)
    nonzero = np.zeros(sizes, dtype=bool)
    for row in functions.rows:
        table = (kernel @ np.array(row, dtype=object)).reshape(sizes)
        for axis, marginal in enumerate(junta.marginals):
            table = _against_basis(table, axis, marginal)
        nonzero |= table != 0
    count = len(sizes)
    sets = (c for size in range(1, count + 1) for c in combinations(range(count), size))
    return [
        tuple(i + 1 for i in chosen)
        for chosen in sets
        if nonzero[tuple(slice(1, None) if i in chosen else 0 for i in range(count))].any()
    ]


def _against_basis(table: Any, axis: int, marginal: tuple[Fraction, ...]) -> Any:
    """Means over one coordinate against 1 and 1[z = a] - P(z = a), a = 2, 3, ..."""
    moved = np.moveaxis(table, axis, 0)
    weighted = moved * np.array(marginal, dtype=object).reshape(-1, *[1] * (table.ndim - 1))
    mean = weighted.sum(axis=0)
    rows = [mean, *(weighted[a] - p * mean for a, p in enumerate(marginal) if a)]
    return np.moveaxis(np.array(rows, dtype=object).reshape(moved.shape), 0, axis)


def _rank(rows: Sequence[Sequence[Fraction]]) -> int:
    return int(fmpq_mat([list(map(rational, row)) for row in rows]).rank())
