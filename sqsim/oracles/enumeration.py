"""Exact means on the cube {-1, 1}^d: all points, and all parities by one transform.

This file does not know tolerances other than the norms they ask for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, final

import numpy as np

from sqsim.characters import Characters
from sqsim.errors import BadInput, QueryRefused
from sqsim.inputs import Rademacher
from sqsim.lowrank import Array
from sqsim.oracles.coefficients import Coefficients, coefficients, of_sign, of_values, sparse
from sqsim.oracles.cube_points import point_means
from sqsim.problems.cube import CubeLaw
from sqsim.queries import Correlation, Query
from sqsim.seeds import Seed
from sqsim.subsets import Words
from sqsim.tolerance import Mean, Scale
from sqsim.walsh import UNIT, Table

BLOCK = 2**16
"""Labels that a query's function is called on at once."""


@final
@dataclass(frozen=True)
class Enumerate:
    """Population means under the uniform law on the cube, by summing over it.

    Characters of any number of sets cost one Walsh-Hadamard transform of the label for a whole
    batch, or nothing for a ParityInstance of any dimension.  They are exact where the label's
    table is: error 0 for integers, half a unit in the last place for fractions, a proved bound
    otherwise.  Of Gaussian inputs only the signs matter to them, so a lifted parity is answered
    too.  Other forms visit all 2^d points in one pass; their error is the proved bound on rounding.

    Parameters
    ----------
    memory : int
        Bytes that a transform and its answers may take.
    largest : int
        Dimension up to which all points are visited, which costs 2^d values of each function.
    """

    memory: int = field(default=4 * 2**30, kw_only=True)
    largest: int = field(default=26, kw_only=True)

    def __post_init__(self) -> None:
        for name in ("memory", "largest"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise BadInput(f"{name} is {value!r}; wanted an integer >= 1")

    def means(
        self,
        instance: Any,
        queries: Sequence[Query],
        scales: Sequence[Scale],
        *,
        seed: Seed = 0,
        turn: int = 0,
    ) -> list[Mean]:
        """One mean for each query; `seed` and `turn` are not used."""
        law = getattr(instance, "labels", None)
        if not isinstance(law, CubeLaw):
            raise QueryRefused(
                f"Enumerate sums over the cube, and {type(instance).__name__} does not live there; "
                "wanted a CubeFunction or a parity"
            )
        batch = _Parities(law)
        places = [i for i, query in enumerate(queries) if not isinstance(query.form, Characters)]
        self._check_points(instance, [queries[i] for i in places])
        self._check_memory(law, queries)
        found: dict[int, Mean] = {}
        if places:
            others = point_means(law, [queries[i] for i in places], [scales[i] for i in places])
            found.update(zip(places, others, strict=True))
        for i, (query, scale) in enumerate(zip(queries, scales, strict=True)):
            if isinstance(query.form, Characters):
                found[i] = batch.mean(query, query.form, scale)
        return [found[i] for i in range(len(queries))]

    def advice(self, error: float, radius: float) -> str:
        """How a rounding error is brought below the radius."""
        return "rounding cannot resolve so fine a tolerance in 64-bit numbers; use a coarser one"

    def _check_points(self, instance: Any, queries: Sequence[Query]) -> None:
        """Whether the points may be visited one by one."""
        if not queries:
            return
        label, dimension = queries[0].label or "query", instance.problem.dimension
        if not isinstance(instance.problem.inputs, Rademacher):
            raise QueryRefused(
                f"{label}: only Characters depend on nothing but the signs of Gaussian inputs; "
                "for other forms use means=MonteCarlo(samples=1_000_000)"
            )
        if dimension > self.largest:
            raise QueryRefused(
                f"{label}: 2^{dimension} points, and at most 2^{self.largest} are visited; use "
                f"Enumerate(largest={dimension}), Characters, or MonteCarlo(samples=1_000_000)"
            )

    def _check_memory(self, law: CubeLaw, queries: Sequence[Query]) -> None:
        forms = [query.form for query in queries if isinstance(query.form, Characters)]
        if not forms:
            return
        need = 16 * sum(form.shape(law.dimension)[0] for form in forms)
        if law.spectrum is None:
            # The table, its parts, their transforms and the coefficients.
            tables = 1 + (0 if law.signed else sum(form.h is not None for form in forms))
            need += tables * (40 if law.table().dtype != object else 200) << law.dimension
        if need > self.memory:
            raise QueryRefused(
                f"{sum(form.shape(law.dimension)[0] for form in forms)} parities on a cube of "
                f"dimension {law.dimension} need about {need / 2**30:.3g} GiB, and "
                f"{self.memory / 2**30:.3g} are allowed; ask fewer, or use Enumerate(memory={need})"
            )


class _Parities:
    """What the Characters of one batch share: the label's coefficients, found once."""

    def __init__(self, law: CubeLaw) -> None:
        self.law = law
        self.all: Coefficients | None = None
        self.tables: dict[int, Array] = {}
        # By the id of a function that the batch keeps alive, since not all have a hash.
        self.spectra: dict[int, Coefficients] = {}

    def mean(self, query: Query, form: Characters, scale: Scale) -> Mean:
        if isinstance(query, Correlation):
            found = self._label(form.masks)
            wide = scale is Scale.PRODUCT and not self.law.signed
            size = root_mean_square(self.law.table(), self.law.scale) if wide else 1.0
        elif form.h is None:
            found, size = sparse({0: Fraction(1)}, form.masks, self.law.dimension), 1.0
        elif self.law.signed:
            low, high = map(float, self._values(form.h, np.array([-1.0, 1.0]), query))
            found = of_sign(self._label(form.masks), low, high, form.masks)
            size = 1.0 if scale is Scale.NONE else self._of_ends(low, high)
        else:
            found = self._function(form.h, query).of(form.masks)
            table = self.tables[id(form.h)]
            size = 1.0 if scale is Scale.NONE else root_mean_square(table, Fraction(1))
        for array in (found.value, found.error):
            if isinstance(array, np.ndarray):
                array.flags.writeable = False
        return Mean(found.value, found.error, size)

    def _label(self, masks: Words | None) -> Coefficients:
        if self.law.spectrum is not None:
            return coefficients(self.law, masks)
        if self.all is None:
            self.all = coefficients(self.law, None)
        return self.all.of(masks)

    def _function(self, h: Callable[..., Any], query: Query) -> Coefficients:
        """Of h(y), where y is a function of x."""
        if id(h) not in self.spectra:
            count = 1 << self.law.dimension
            self.tables[id(h)] = np.concatenate(
                [
                    self._values(h, self.law.means(start, min(start + BLOCK, count)), query)
                    for start in range(0, count, BLOCK)
                ]
            )
            self.spectra[id(h)] = of_values(self.tables[id(h)])
        return self.spectra[id(h)]

    def _values(self, h: Callable[..., Any], labels: Array, query: Query) -> Array:
        values = Characters(h=h).values(labels.copy(), len(labels))
        if not np.isfinite(values).all():
            raise BadInput(
                f"the function of query {query.label!r} is not finite on labels that occur; check "
                "its domain"
            )
        return values

    def _of_ends(self, low: float, high: float) -> float:
        """A lower bound of the root of E[h(y)^2], h(-1) = low and h(1) = high."""
        mean = self._label(np.zeros((1, 1), dtype=np.uint64))
        error = float(np.max(mean.error)) + 4 * UNIT
        rise = float(mean.value[0])
        square = ((1 + rise) * high * high + (1 - rise) * low * low) / 2
        square = square * (1 - 16 * UNIT) - error * abs(high * high - low * low)
        return math.sqrt(max(square, 0.0)) * (1 - 4 * UNIT)


def root_mean_square(table: Table, scale: Fraction) -> float:
    """A lower bound of scale times the root of the average square, tight to rounding."""
    if table.dtype.kind == "f":
        exponent = math.frexp(float(np.abs(table).max()))[1]
        rows = np.ldexp(table, -exponent).reshape(-1, 1 << (len(table).bit_length() - 1) // 2)
        average = float(np.einsum("ij,ij->i", rows, rows).sum()) / len(table)
        # No number meets more roundings than it has neighbours in its row and rows there are.
        lowered = math.sqrt(average) * (1 - (sum(rows.shape) + 8) * UNIT)
        return math.ldexp(lowered, exponent) * float(scale) * (1 - 4 * UNIT)
    largest = max(int(table.max()), -int(table.min()))
    if largest**2 * len(table) < 2**63:
        wide = table.astype(np.int64)
        total = int(wide @ wide)
    else:
        total = sum(int(n) * int(n) for n in table.tolist())
    square = scale * scale * Fraction(total, len(table))
    # A power of four out of the way, so that no float overflows.
    shift = (square.numerator.bit_length() - square.denominator.bit_length()) // 2
    reduced = float(square / Fraction(4) ** shift)
    return math.ldexp(math.sqrt(reduced) * (1 - 4 * UNIT), shift)
