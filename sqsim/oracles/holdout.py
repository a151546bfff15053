"""The reusable holdout: adaptive questions about a sample, answered without wearing it out.

The theorem is in `holdout_plan`.  This file does not know learners.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput, BudgetSpent
from sqsim.guarantee import Guarantee, positive_count
from sqsim.lowrank import Array, dense
from sqsim.oracles.entries import Range, answer_of, check_clip
from sqsim.oracles.holdout_plans import HoldoutPlan, holdout_plan
from sqsim.oracles.instances import fingerprint
from sqsim.oracles.randomness import Randomness, Seeded
from sqsim.oracles.records import Records
from sqsim.oracles.sampled import check_granted
from sqsim.oracles.spending import Spending
from sqsim.problems.dataset import Dataset
from sqsim.queries import Batch, Query
from sqsim.seeds import Role, Seed, rng
from sqsim.strategy import Answers
from sqsim.tolerance import Absolute, Tolerance


@final
class _State:
    """How often the holdout has answered, and the noise on each threshold."""

    def __init__(self, thresholds: Array) -> None:
        self.thresholds, self.used = thresholds, 0


@final
@dataclass(frozen=True, eq=False)
class ReusableHoldout:
    """Thresholdout; made by `reusable_holdout`.

    Attributes
    ----------
    training, holdout : Records
    plan : HoldoutPlan
    budget : int
        Answers that may come from the holdout.
    within : (float, float)
    guarantee : Guarantee
    source : Randomness
    seed : int
    spending : Spending
    state : how much of the budget is used.
    """

    training: Records
    holdout: Records
    plan: HoldoutPlan
    budget: int
    within: Range
    guarantee: Guarantee
    source: Randomness
    seed: Seed
    spending: Spending = field(repr=False)
    state: _State = field(repr=False)

    @property
    def dimension(self) -> int:
        return int(self.holdout.instance.problem.dimension)

    @property
    def tolerance(self) -> Tolerance:
        """That of the guarantee: an answer misses it with the stated probability."""
        return self.guarantee.tolerance

    @property
    def used(self) -> int:
        """Answers that came from the holdout so far."""
        return self.state.used

    def answer(self, batch: Batch[Query], turn: int) -> Answers:
        """One answer for each query, for ever.

        Raises
        ------
        BudgetSpent
            Where the holdout has answered `budget` times, or `queries` scalars were asked.
        """
        for query in batch.queries:
            check_granted(query, self.tolerance, self.holdout.instance)
        return self.spending.answered(
            batch.queries,
            turn,
            dimension=self.dimension,
            costs=self._costs(batch),
            fresh=lambda place, query, spent: self._compare(query, turn, place),
        )

    def recall(self, batch: Batch[Query], turn: int, answers: Answers) -> None:
        """Book what a transcript says was answered before this process began.

        Scalars that differ from the training average count as answered from the holdout.  What a
        transcript does not hold is not booked: entries of a vector query that were answered from
        the holdout before the budget ended in the middle of it.  That query met BudgetSpent and
        nobody saw the entries; asked again, it is compared afresh.
        """
        taken = self.spending.recall(
            batch.queries, turn, answers, dimension=self.dimension, costs=self._costs(batch)
        )
        for query, answer in ((batch.queries[i], answers[i]) for i in taken):
            expected = answer_of(query, self.training.averages(query, self.within), self.dimension)
            different = dense(answer) != expected
            if different.ndim == 2:
                different = np.triu(different)
            self.state.used += int(np.count_nonzero(different))

    def describe(self) -> dict[str, object]:
        """Header of transcripts: what was simulated, without the secret."""
        return {
            "access": "reusable holdout",
            "dimension": self.dimension,
            "tolerance": repr(self.tolerance),
            "norm": self.tolerance.scale.value,
            "training": self.training.count,
            "holdout": self.holdout.count,
            "budget": self.budget,
            "threshold": self.plan.threshold,
            "scale": self.plan.scale,
            "noise": repr(self.source),
            "guarantee": self.guarantee.to_dict(),
            "seed": self.seed,
            "instance": fingerprint(self.holdout.instance),
        }

    def _costs(self, batch: Batch[Query]) -> list[int]:
        return [query.size(self.dimension) for query in batch.queries]

    def _compare(self, query: Query, turn: int, place: int) -> Array:
        low, high = self.within
        width, scale = high - low, self.plan.scale
        seen = self.training.averages(query, self.within)
        kept = self.holdout.averages(query, self.within)
        stream = self.holdout.stream(turn).spawn(place + 1)[place]
        blur = self.source.laplace(np.zeros(len(seen)), 4 * scale, stream)
        noise = self.source.laplace(np.zeros(len(seen)), scale, stream)
        answer = seen.copy()
        for i, gap in enumerate(np.abs(kept - seen) / width):
            # Asked with no budget left, a question is not even compared.
            if self.state.used >= self.budget:
                raise BudgetSpent(
                    "holdout answers", spent=self.state.used, requested=1, remaining=0
                )
            if gap > self.plan.threshold + self.state.thresholds[self.state.used] + blur[i]:
                self.state.used += 1
                answer[i] = kept[i] + width * noise[i]
        return answer_of(query, answer, self.dimension)


def reusable_holdout(
    instance: Any,
    *,
    tolerance: Absolute,
    failure: float,
    queries: int,
    budget: int,
    training: int,
    clip: float | None = None,
    holdout: int | None = None,
    source: Randomness | None = None,
    seed: Seed = 0,
) -> ReusableHoldout:
    """STAT from a training sample and a holdout that may be asked adaptively.

    All answers are within the tolerance of E[phi], phi clipped, with probability >= 1 - failure,
    whatever the questions learn from earlier answers; the theorem is in `holdout_plan`.
    Answers come from the training sample while it agrees with the holdout.

    Parameters
    ----------
    instance : Instance or Dataset
        A table is itself a sample; its rows are divided at random, and answers are about the
        population that it was drawn from.
    tolerance : Absolute
    failure : float
    queries : int
        Scalar questions in all; more meet BudgetSpent.
    budget : int
        Questions on which the training average may be off by more than a third of the tolerance;
        after so many answers from the holdout, every further question meets BudgetSpent.
    training : int
        Training examples, which nothing protects.
    clip : float
        Values of phi (for a Correlation, of y g) are clipped to [-clip, clip], and answers are
        about the clipped phi; the holdout grows with clip^2.  It is asked for even where queries
        declare ranges, since the holdout is sized before any query is seen.
    holdout : int, optional
        Holdout examples; the fewest that the theorem accepts unless given, and fewer are refused.
    source : Randomness
        Of the noise; Seeded() unless given.
    seed : int
        Two of these oracles are independent only with different seeds.
    """
    if not hasattr(instance, "problem"):
        raise BadInput(
            f"an oracle is made of an instance or a Dataset, not {type(instance).__name__}"
        )
    if not isinstance(tolerance, Absolute):
        raise BadInput(f"tolerance is {tolerance!r}; the holdout answers within Absolute(tau)")
    within = check_clip(clip, "the holdout is protected for values of bounded range only")
    positive_count(training, "training")
    plan = holdout_plan(tolerance.tau / (within[1] - within[0]), failure, queries, budget)
    count = plan.examples if holdout is None else holdout
    if count < plan.examples:
        raise BadInput(
            f"holdout is {holdout} and the promise needs {plan.examples} examples; use at least "
            "so many, a coarser tolerance or a smaller budget"
        )
    if isinstance(instance, Dataset) and len(instance.targets) < training + count:
        raise BadInput(
            f"the table has {len(instance.targets)} rows; wanted {training} for training and "
            f"{count} for the holdout; use a coarser tolerance or a smaller budget"
        )
    guarantee = Guarantee(
        tolerance,
        failure,
        f"Thresholdout, {count} holdout examples, at most {budget} holdout answers",
        queries,
        None,
        f"E[phi], phi clipped to [{within[0]:g}, {within[1]:g}]",
    )
    chosen = Seeded() if source is None else source
    # The third: the first two are of examples and of the noise on answers.
    stream = rng(seed, Role.HOLDOUT).spawn(3)[2]
    thresholds = chosen.laplace(np.zeros(budget + 1), 2 * plan.scale, stream)
    return ReusableHoldout(
        Records(instance, 0, training, seed, Role.HOLDOUT),
        Records(instance, training, count, seed, Role.HOLDOUT),
        plan,
        budget,
        within,
        guarantee,
        chosen,
        seed,
        Spending("holdout questions", queries),
        _State(thresholds),
    )
