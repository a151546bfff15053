"""1-STAT(b): b bits of one example for each query; and STAT strategies asked through such bits.

This file does not know what a bit is for.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput, QueryRefused, SqsimError
from sqsim.guarantee import positive_count, probability
from sqsim.lowrank import Array
from sqsim.oracles.binomial import bits_needed
from sqsim.oracles.entries import answer_of, check_clip, entries
from sqsim.oracles.instances import fingerprint
from sqsim.problems.examples import draw_examples
from sqsim.queries import Batch, Opaque, Query, Statistic
from sqsim.seeds import Role, Seed, rng
from sqsim.strategy import SQ, Answers, R
from sqsim.tolerance import Absolute, Tolerance, Unperturbed


@final
@dataclass(frozen=True, eq=False)
class OneStat:
    """1-STAT(b): phi(x, y) in {0, 1}^b of one fresh example for each query; see `one_stat`.

    Attributes
    ----------
    instance : an instance or a Dataset, whose rows are drawn with replacement.
    bits : int
        The most bits that a query may ask of its example.
    seed : int
    """

    instance: Any
    bits: int
    seed: Seed

    @property
    def dimension(self) -> int:
        return int(self.instance.problem.dimension)

    @property
    def tolerance(self) -> Tolerance:
        """None is promised: an answer is one value, not a mean."""
        return Unperturbed()

    def answer(self, batch: Batch[Query], turn: int) -> Answers:
        """One example for each query, also for a query object that stands twice in the batch."""
        for query in batch.queries:
            size = query.size(self.dimension)
            if size > self.bits:
                raise QueryRefused(
                    f"query {query.label!r} asks for {size} bits of an example and 1-STAT"
                    f"({self.bits}) gives {self.bits}; ask for fewer at a time"
                )
        of_inputs, of_labels = rng(self.seed, Role.ONE_BIT, turn).spawn(2)
        x, y = draw_examples(self.instance, of_inputs, of_labels, len(batch.queries), turn)
        return tuple(self._bits(q, x[[i]], y[[i]]) for i, q in enumerate(batch.queries))

    def describe(self) -> dict[str, object]:
        """Header of transcripts: what was simulated, without the secret."""
        return {
            "access": f"1-STAT({self.bits})",
            "dimension": self.dimension,
            "tolerance": repr(self.tolerance),
            "samples": 1,
            "seed": self.seed,
            "instance": fingerprint(self.instance),
        }

    def _bits(self, query: Query, x: Array, y: Array) -> Array:
        values = entries(query, x, y)[0]
        if not ((values == 0) | (values == 1)).all():
            raise BadInput(
                f"query {query.label!r} is {values.tolist()!r:.80} on an example; a 1-STAT query "
                "is a function to {0, 1}^b; ask through_bits(strategy, ...) for real values"
            )
        return answer_of(query, values, self.dimension)


def one_stat(instance: Any, *, bits: int = 1, seed: Seed = 0) -> OneStat:
    """1-STAT(b): each query phi to {0, 1}^b is answered with phi(x, y) of one fresh example.

    Feldman, Grigorescu, Reyzin, Vempala and Xiao (2017) for b = 1; b bits are a 1-MSTAT(2^b).
    There is no tolerance: the ledger counts scalar queries, that is bits, and examples are queries.

    Parameters
    ----------
    instance : Instance or Dataset
    bits : int
        The most scalars that one query may have.
    seed : int
        Two of these oracles are independent only with different seeds.
    """
    if not hasattr(instance, "problem"):
        raise BadInput(
            f"an oracle is made of an instance or a Dataset, not {type(instance).__name__}"
        )
    positive_count(bits, "bits")
    return OneStat(instance, bits, seed)


def bits_for_stat(*, tolerance: Absolute, failure: float, queries: int, clip: float | None) -> int:
    """1-STAT(1) queries that answer one scalar within tau, all of `queries` with 1 - failure."""
    probability(failure, "failure")
    positive_count(queries, "queries")
    low, high = check_clip(clip, f"{tolerance!r} is a promise about bounded queries")
    return bits_needed(tolerance.tau / (high - low), failure / queries)


def through_bits(
    strategy: Generator[Batch[Query], Answers, R],
    *,
    dimension: int,
    tolerance: Absolute,
    failure: float,
    queries: int,
    clip: float,
    seed: Seed = 0,
) -> SQ[R]:
    """A STAT strategy that asks only 1-STAT(1) queries.

    Every scalar becomes n bits 1[phi(x, y) > u] with thresholds u drawn uniformly from
    [-clip, clip], in a stream of their own: their mean is (E[phi] + clip) / (2 clip), phi clipped,
    and the number of ones is binomial.  With n = bits_for_stat(...), all answers that the strategy
    sees are within tau of the clipped means with probability >= 1 - failure over `queries` scalars;
    a strategy that asks for more meets QueryRefused.

    Cost: n queries of one bit for each scalar, in as many rounds as the strategy has.
    """
    needed = bits_for_stat(tolerance=tolerance, failure=failure, queries=queries, clip=clip)
    asked, turn = 0, 0
    step: Callable[[], Batch[Query]] = partial(next, strategy)
    try:
        while True:
            try:
                batch = step()
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
            sizes = [query.size(dimension) for query in batch.queries]
            if asked + sum(sizes) > queries:
                step = partial(strategy.throw, _too_many(asked + sum(sizes), queries))
                continue
            thresholds = rng(seed, Role.THRESHOLDS, turn).uniform(-clip, clip, (sum(sizes), needed))
            try:
                bits = yield Batch(tuple(_coins(batch, sizes, thresholds)), batch.note)
            except SqsimError as refusal:
                step = partial(strategy.throw, refusal)
                continue
            ones = np.asarray(bits, dtype=np.float64).reshape(-1, needed).mean(axis=1)
            step = partial(strategy.send, _answers(batch, sizes, 2 * clip * ones - clip, dimension))
            asked, turn = asked + sum(sizes), turn + 1
    finally:
        strategy.close()


def _too_many(asked: int, queries: int) -> QueryRefused:
    return QueryRefused(
        f"{asked} scalars asked and the bits are counted for {queries}; name more queries in "
        "through_bits"
    )


def _coins(batch: Batch[Query], sizes: list[int], thresholds: Array) -> Iterator[Statistic]:
    """The bits of every scalar of the batch, in order."""
    rows = iter(thresholds)
    for query, size in zip(batch.queries, sizes, strict=True):
        for scalar in range(size):
            for u in next(rows).tolist():
                yield Statistic(
                    Opaque(_Coin(query, scalar, u)), f"bit of {query.label}", range=(0.0, 1.0)
                )


def _answers(batch: Batch[Query], sizes: list[int], scalars: Array, dimension: int) -> Answers:
    parts = np.split(scalars, np.cumsum(sizes)[:-1]) if sizes else []
    return tuple(
        answer_of(query, part, dimension) for query, part in zip(batch.queries, parts, strict=True)
    )


@final
@dataclass(frozen=True, eq=False)
class _Coin:
    """One scalar of a query against a threshold, as a function of whole examples."""

    asked: Query
    scalar: int
    threshold: float

    def __call__(self, x: Array, y: Array) -> Array:
        values = entries(self.asked, x, y)[:, self.scalar]
        return np.asarray(values > self.threshold, dtype=np.float64)
