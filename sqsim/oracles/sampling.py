"""Means as averages over examples: fresh ones, or those of the user's table.

This file does not know tolerances other than the norms they ask for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from scipy.special import ndtri

from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.oracles.chunks import one_pass
from sqsim.oracles.moments import Request, Totals, averages, chunk_rows, gather, rows_of
from sqsim.oracles.sums import Moments, Wanted
from sqsim.problems.chunked import Chunked
from sqsim.problems.dataset import Dataset
from sqsim.problems.examples import draw_examples
from sqsim.queries import Correlation, Query
from sqsim.seeds import Role, Seed, rng
from sqsim.tolerance import Mean, Scale


@final
@dataclass(frozen=True)
class Sample:
    """The average over the user's table is the mean: the table is the population.

    The table is a Dataset, or a Chunked one that is read once for each batch of queries, a chunk
    at a time.  The confessed error is a bound on rounding alone, derived in `moments.averages`, so
    two tables of the same rows have answers that differ by at most the sum of their errors,
    whatever their chunks, as long as no row lies on a jump of h up to the rounding of W'x: there
    the values of h are taken as computed, and which side a tie falls on may depend on what else
    is asked in the batch.  Move a jump off the values that a table takes.  Nothing is said about
    the population that the table may have been drawn from.
    """

    def means(
        self,
        instance: Any,
        queries: Sequence[Query],
        scales: Sequence[Scale],
        *,
        seed: Seed,
        turn: int,
    ) -> list[Mean]:
        """One mean for each query, in one pass over the table; `seed` and `turn` are not used."""
        if not isinstance(instance, Dataset | Chunked):
            raise BadInput(
                f"Sample() averages over a Dataset or a Chunked table, not "
                f"{type(instance).__name__}; wanted Quadrature() for Gaussian inputs or "
                "MonteCarlo(samples=...)"
            )
        d = instance.problem.dimension
        request = request_of(queries, scales, d)
        if isinstance(instance, Dataset):
            totals = gather(request, rows_of(instance.inputs, instance.targets, request.chunk))
        else:
            totals = one_pass(request, instance)
        return means_of(request, totals, scales)

    def advice(self, error: float, radius: float) -> str:
        """How a rounding error is brought below the radius."""
        return "rounding cannot resolve so fine a tolerance in 64-bit numbers; use a coarser one"


FEWEST = 100
"""Examples on which a function must not be 0 before its sample variance is believed."""


@final
@dataclass(frozen=True)
class MonteCarlo:
    """Averages over a fresh sample in each turn, the same one for all queries of the turn.

    The confessed error of each entry is z s / sqrt(n), with s the sample's standard deviation
    and z the normal quantile, plus the bound on rounding.  This is a statement of the central
    limit theorem, not a proof, and for each entry by itself.  A function that was 0 on all but a
    few of the examples, or on all of them, has an infinite error: the sample has not seen it.
    Rare large values on top of frequent small ones are not noticed.  Norms come from the same
    sample.

    Parameters
    ----------
    samples : int
        Examples in each turn.
    confidence : float
        Two-sided probability that an entry misses by more than the confessed error.
    chunk : int, optional
        Examples held in memory at once; chosen by the dimension unless given.
    """

    samples: int
    confidence: float = field(default=1e-6, kw_only=True)
    chunk: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.samples, int | np.integer) or self.samples < 2:
            raise BadInput(f"samples is {self.samples!r}; wanted an integer >= 2")
        if not 0 < self.confidence < 0.5:
            raise BadInput(
                f"confidence is {self.confidence!r}; it is the probability of a miss, such as "
                "1e-6, and lies between 0 and 0.5"
            )
        if self.chunk is not None and self.chunk < 1:
            raise BadInput(f"chunk is {self.chunk!r}; wanted a positive number of examples")

    @property
    def quantile(self) -> float:
        """Standard deviations that the confessed error spans."""
        return float(-ndtri(self.confidence / 2))

    def means(
        self,
        instance: Any,
        queries: Sequence[Query],
        scales: Sequence[Scale],
        *,
        seed: Seed,
        turn: int,
    ) -> list[Mean]:
        """One mean for each query, from the sample of this seed and turn."""
        if isinstance(instance, Chunked):
            raise BadInput(
                "MonteCarlo draws rows by their number, which a Chunked table cannot give; wanted "
                "Sample(), or a Dataset"
            )
        d = instance.problem.dimension
        request = Request(
            d,
            tuple(
                Wanted(query, square=True, function=_of_function(query, scale), seen=True)
                for query, scale in zip(queries, scales, strict=True)
            ),
        )
        draws = _draws(instance, self.samples, self.chunk or chunk_rows(d), seed, turn)
        found = averages(request, gather(request, draws))
        return [
            Mean(m.mean, self._error(m), _norm(m, q, s))
            for m, q, s in zip(found, queries, scales, strict=True)
        ]

    def advice(self, error: float, radius: float) -> str:
        """How many samples bring an error below the radius."""
        if not math.isfinite(error):
            return (
                f"the function was not 0 on fewer than {FEWEST} of {self.samples} examples, from "
                "which no error can be told; use more samples, or Quadrature()"
            )
        # A twentieth more, since the next sample's standard deviation is another one.
        needed = math.ceil(1.05 * self.samples * (error / radius) ** 2)
        return f"use at least {needed} samples, a coarser tolerance, or Quadrature()"

    def _error(self, moment: Moments) -> Array:
        square = moment.square if moment.square is not None else np.zeros(moment.mean.shape)
        # The difference of the two averages is off by their rounding, which may hide a variance.
        blur = 2 * moment.rounding * np.abs(moment.mean) + (self.samples + 16) * 2.0**-53 * square
        variance = np.maximum(square - moment.mean**2, 0.0) + blur
        error = self.quantile * np.sqrt(variance / (self.samples - 1)) + moment.rounding
        seen = 0 if moment.seen is None else moment.seen
        return np.where(seen >= FEWEST, error, np.inf)


def request_of(queries: Sequence[Query], scales: Sequence[Scale], dimension: int) -> Request:
    """What a pass must add up to answer these queries with these norms."""
    asked = zip(queries, scales, strict=True)
    return Request(
        dimension,
        tuple(Wanted(q, square=_of_phi(q, s), function=_of_function(q, s)) for q, s in asked),
    )


def means_of(request: Request, totals: Totals, scales: Sequence[Scale]) -> list[Mean]:
    """The averages over a table as means, which are off by rounding alone."""
    return [
        Mean(m.mean, m.rounding, _norm(m, each.query, scale))
        for m, each, scale in zip(averages(request, totals), request.wanted, scales, strict=True)
    ]


def _of_phi(query: Query, scale: Scale) -> bool:
    """Whether this norm is the one of phi."""
    return scale is Scale.PRODUCT or (
        scale is Scale.FUNCTION and not isinstance(query, Correlation)
    )


def _of_function(query: Query, scale: Scale) -> bool:
    """Whether this norm is the one of g in y g(x)."""
    return scale is Scale.FUNCTION and isinstance(query, Correlation)


def _norm(moment: Moments, query: Query, scale: Scale) -> float | Array:
    if scale is Scale.NONE:
        return 1.0
    square = moment.function if _of_function(query, scale) else moment.square
    return np.asarray(np.sqrt(np.maximum(np.asarray(square), 0.0)))


def _draws(
    instance: Any, samples: int, chunk: int, seed: Seed, turn: int
) -> Iterator[tuple[Any, Any]]:
    """A fresh sample, `chunk` examples at a time; a Dataset is drawn from with replacement."""
    # Inputs and labels draw from separate streams, so that the inputs do not depend on `chunk`.
    of_inputs, of_labels = rng(seed, Role.SAMPLE, turn).spawn(2)
    for start in range(0, samples, chunk):
        count = min(chunk, samples - start)
        yield draw_examples(instance, of_inputs, of_labels, count, turn)
