"""Central differential privacy: a trusted holder of records answers with Gaussian noise.

This file does not know learners.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, final

from scipy.special import ndtri

from sqsim.errors import BadInput
from sqsim.guarantee import Guarantee, positive_count, probability
from sqsim.lowrank import Array
from sqsim.oracles.entries import Range, answer_of, check_clip
from sqsim.oracles.gaussian_privacy import gaussian_distance, gaussian_epsilon
from sqsim.oracles.instances import fingerprint
from sqsim.oracles.randomness import Randomness, Seeded
from sqsim.oracles.records import Records
from sqsim.oracles.sampled import check_granted
from sqsim.oracles.spending import PrivacyLedger, Spending
from sqsim.problems.dataset import Dataset
from sqsim.queries import Batch, Query
from sqsim.seeds import Role, Seed
from sqsim.strategy import Answers
from sqsim.tolerance import Absolute, Tolerance


@final
@dataclass(frozen=True, eq=False)
class CentralPrivate:
    """Averages over records plus Gaussian noise; made by `central_private`.

    Attributes
    ----------
    records : Records
    epsilon, delta : float
        Of all `queries` answers together.
    queries : int
        Scalar answers that the budget is divided among.
    within : (float, float)
    deviation : float
        Standard deviation of the noise on each scalar.
    guarantee : Guarantee
    source : Randomness
    seed : int
    spending : Spending
    """

    records: Records
    epsilon: float
    delta: float
    queries: int
    within: Range
    deviation: float
    guarantee: Guarantee
    source: Randomness
    seed: Seed
    spending: Spending = field(repr=False)

    @property
    def dimension(self) -> int:
        return int(self.records.instance.problem.dimension)

    @property
    def tolerance(self) -> Tolerance:
        """That of the guarantee: an answer misses it with the stated probability."""
        return self.guarantee.tolerance

    @property
    def ledger(self) -> PrivacyLedger:
        """What the answers so far have cost every record: epsilon at the stated delta.

        k of q scalars let through sqrt(k / q) of the distance, Gaussian noise being exactly
        composed by sums of squares, also when questions depend on earlier answers (Dong, Roth and
        Su, 2022, corollary 2).
        """
        spent, rounds = self.spending.spent, self.spending.rounds
        if not spent:
            return PrivacyLedger()
        return PrivacyLedger(self._epsilon(spent), self.delta, self.records.count, rounds)

    def answer(self, batch: Batch[Query], turn: int) -> Answers:
        """One answer for each query, for ever.

        Raises
        ------
        BudgetSpent
            Where more scalars are asked than the privacy was divided among.
        """
        for query in batch.queries:
            check_granted(query, self.tolerance, self.records.instance)
        return self.spending.answered(
            batch.queries,
            turn,
            dimension=self.dimension,
            costs=self._costs(batch),
            fresh=lambda place, query, spent: self._release(query, turn, place),
        )

    def epsilon_cost(self, batch: Batch[Query], turn: int) -> float:
        """What this batch adds to the epsilon of the ledger."""
        spent = self.spending.spent
        return self._epsilon(spent + sum(self._costs(batch))) - self._epsilon(spent)

    def recall(self, batch: Batch[Query], turn: int, answers: Answers) -> None:
        """Book what a transcript says was answered before this process began."""
        self.spending.recall(
            batch.queries, turn, answers, dimension=self.dimension, costs=self._costs(batch)
        )

    def describe(self) -> dict[str, object]:
        """Header of transcripts: what was simulated, without the secret."""
        return {
            "access": "central privacy",
            "dimension": self.dimension,
            "tolerance": repr(self.tolerance),
            "norm": self.tolerance.scale.value,
            "epsilon": self.epsilon,
            "delta": self.delta,
            "records": self.records.count,
            "deviation": self.deviation,
            "noise": repr(self.source),
            "guarantee": self.guarantee.to_dict(),
            "seed": self.seed,
            "instance": fingerprint(self.records.instance),
        }

    def _epsilon(self, scalars: int) -> float:
        """Of so many answered scalars, at the stated delta."""
        if not scalars:
            return 0.0
        distance = gaussian_distance(self.epsilon, self.delta) * math.sqrt(scalars / self.queries)
        return gaussian_epsilon(distance, self.delta)

    def _costs(self, batch: Batch[Query]) -> list[int]:
        return [query.size(self.dimension) for query in batch.queries]

    def _release(self, query: Query, turn: int, place: int) -> Array:
        averages = self.records.averages(query, self.within)
        stream = self.records.stream(turn).spawn(place + 1)[place]
        noisy = self.source.gaussian(averages, self.deviation, stream)
        return answer_of(query, noisy, self.dimension)


def central_private(
    instance: Any,
    *,
    epsilon: float,
    delta: float,
    failure: float,
    queries: int,
    clip: float | None = None,
    records: int | None = None,
    source: Randomness | None = None,
    seed: Seed = 0,
) -> CentralPrivate:
    """STAT under central (epsilon, delta)-privacy of a fixed set of records, by Gaussian noise.

    Replacing one of n records moves a clipped average by at most 2 clip / n.  The noise on each
    scalar has the least deviation for which all `queries` answers together are (epsilon,
    delta)-private, whatever is asked when: 2 clip sqrt(queries) / (n m), m = gaussian_distance
    (Balle and Wang, 2018; composition exact).  The tolerance follows from n and is read off the
    oracle.

    Parameters
    ----------
    instance : Instance or Dataset
        For a table, its rows are the records and answers are about the averages of the table; the
        promise then holds for any number of rounds.  For an instance, `records` examples are
        drawn once, answers are about E[phi], and the promise is for one round.
    epsilon, delta : float
        Of all answers together.
    failure : float
        Probability that any answer misses the tolerance.
    queries : int
        Scalar answers; a run that asks for more meets BudgetSpent.
    clip : float
        Values of phi (for a Correlation, of y g) are clipped to [-clip, clip], and answers are
        about the clipped phi; the noise grows with clip.
    records : int, optional
        For an instance only.
    source : Randomness
        Seeded() unless given, which simulates and protects no one; Secure() draws with OpenDP.
    seed : int
        Two of these oracles are independent only with different seeds.
    """
    if not hasattr(instance, "problem"):
        raise BadInput(
            f"an oracle is made of an instance or a Dataset, not {type(instance).__name__}"
        )
    probability(failure, "failure")
    positive_count(queries, "queries")
    distance = gaussian_distance(epsilon, delta)
    within = check_clip(clip, "noise hides a record's value of bounded range only")
    table = isinstance(instance, Dataset)
    if table == (records is not None):
        raise BadInput(
            "records is the number drawn of an instance; give it for an instance and leave it out "
            "for a table, whose rows are the records"
        )
    count = len(instance.targets) if records is None else records
    positive_count(count, "records")
    width = within[1] - within[0]
    deviation = width * math.sqrt(queries) / (count * distance)
    tau, theorem = _tolerance(width, deviation, count, failure / queries, table)
    about = f"E[phi], phi clipped to [{within[0]:g}, {within[1]:g}]"
    about = about.replace("E[phi]", "the table's average of phi") if table else about
    guarantee = Guarantee(Absolute(tau), failure, theorem, queries, None if table else 1, about)
    return CentralPrivate(
        Records(instance, 0, count, seed, Role.CENTRAL),
        float(epsilon),
        float(delta),
        queries,
        within,
        deviation,
        guarantee,
        Seeded() if source is None else source,
        seed,
        Spending("scalars under this privacy", queries),
    )


def _tolerance(
    width: float, deviation: float, count: int, share: float, table: bool
) -> tuple[float, str]:
    """How near an answer is but for probability `share`, and why."""
    if table:
        # Two sides; rounding of the average is far below the noise.
        return deviation * float(-ndtri(share / 2)), "normal quantile"
    # An average of independent values of this width is subgaussian of variance width^2 / (4 n);
    # with the noise, a subgaussian sum, to which Chernoff's bound applies.
    variance = width**2 / (4 * count) + deviation**2
    return math.sqrt(2 * variance * math.log(2 / share)), "subgaussian tails of sample and noise"
