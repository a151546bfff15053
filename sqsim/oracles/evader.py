"""An oracle that has no secret yet: it answers as long as some instance of a family allows it.

What an answer is depends on the answers before it, so this oracle keeps them, by turn.  It does
not know who asks, nor what is proved about its answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, final

import numpy as np

from sqsim.errors import BadInput, QueryRefused, ToleranceUnreachable
from sqsim.lowrank import Array
from sqsim.oracles.candidates import (
    Family,
    fresh_directions,
    only_link,
    refuse_beyond_memory,
)
from sqsim.oracles.consistency import Answered, Consistency
from sqsim.oracles.null_law import nothing, null_law, null_mean
from sqsim.oracles.protocol import Means, Q_contra
from sqsim.oracles.quadrature import Quadrature
from sqsim.oracles.ranges import label_bound
from sqsim.problems.index import IndexInstance
from sqsim.queries import Batch, Correlation, Query, Ridge
from sqsim.seeds import Role, Seed, rng
from sqsim.strategy import Answers
from sqsim.tolerance import Tolerance

OPTIONS = 16
"""Answers that are compared where the answer is not one number."""

ENOUGH = 4
"""Directions that are kept where each has to be judged by its means."""

LARGE = 100_000
"""Answers of more entries than this are compared with the reference only."""


@final
@dataclass(frozen=True, eq=False)
class _State:
    """After a turn: who still allows everything, and what was answered in that turn."""

    pool: tuple[IndexInstance, ...]
    tried: int
    committed: bool = False
    answered: tuple[Answered, ...] = ()


@final
class Evader(Generic[Q_contra]):
    """Commits to no instance: gives the answer that tells nothing while some member allows it.

    That answer is the mean under the null law, where the label keeps its own law and is
    independent of x: 0 for every correlation with a label whose link has mean 0.  Among rotations
    of one model, members are directions drawn at random; when none of those at hand allows the
    null answer, more are drawn, half of them orthogonal to every frame so far.  If none of them
    allows it together with all earlier answers, the evader commits to the last that was left and
    answers its means, moved toward the null answer as far as the tolerance allows.  Among finitely
    many instances every one is kept or eliminated by its mean, and the answer is, of those
    compared, the one that eliminates fewest: for a scalar the best there is, for vectors and
    matrices the best of the null answer and 16 of those nearest to it that a member allows.

    A member allows an answer if its mean is within the tolerance; for the answer 0 to a
    correlation in the L2 convention the bound of `Visibility` suffices and nothing is integrated.

    Answers depend on the history of this object.  Turn 0 begins anew, and asking a turn again
    forgets it and what came after.

    Parameters
    ----------
    family : Family
    tolerance : Tolerance
    correlational : whether only Correlations are answered.
    means : how means of members are computed, Quadrature() unless given.
    candidates : directions drawn at a time.
    seed : of the directions.
    """

    def __init__(
        self,
        family: Family,
        *,
        tolerance: Tolerance,
        correlational: bool = True,
        means: Means | None = None,
        candidates: int = 32,
        seed: Seed = 0,
    ) -> None:
        if not isinstance(tolerance, Tolerance):
            raise BadInput(f"tolerance is {tolerance!r}; wanted for example L2(0.01)")
        if isinstance(candidates, bool) or not isinstance(candidates, int) or candidates < 1:
            raise BadInput(f"candidates is {candidates!r}; draw at least one direction at a time")
        refuse_beyond_memory(family.problem.dimension, candidates)
        self.family = family
        self._judge = Consistency(Quadrature() if means is None else means, seed)
        self._tolerance, self._correlational = tolerance, correlational
        self._count, self._seed = candidates, seed
        self._null = null_law(family.model)
        self._turns: list[_State] = []
        self._start = self._first()

    @property
    def dimension(self) -> int:
        """Dimension of the inputs."""
        return self.family.problem.dimension

    @property
    def tolerance(self) -> Tolerance:
        """What a query that names no tolerance is answered within."""
        return self._tolerance

    @property
    def history(self) -> tuple[Answered, ...]:
        """Every answer so far."""
        return tuple(one for state in self._turns for one in state.answered)

    @property
    def survivors(self) -> tuple[IndexInstance, ...]:
        """The members at hand that allow every answer; for a finite family, all that do."""
        return self._now.pool

    @property
    def tried(self) -> int:
        """How many members have been tried."""
        return self._now.tried

    @property
    def committed(self) -> bool:
        """Whether an answer was that of one member because none allowed the null answer."""
        return self._now.committed

    def describe(self) -> dict[str, object]:
        """Header of transcripts."""
        return {
            "access": "CSQ" if self._correlational else "SQ",
            "dimension": self.dimension,
            "tolerance": repr(self._tolerance),
            "norm": self._tolerance.scale.value,
            "policy": "evader",
            "family": str(self.family),
            "means": repr(self._judge.means),
            "seed": self._seed,
        }

    def answer(self, batch: Batch[Q_contra], turn: int) -> Answers:
        """One answer for each query; queries of a batch are answered in order."""
        if not 0 <= turn <= len(self._turns):
            raise BadInput(
                f"an evader was asked turn {turn} after {len(self._turns)} turns; its answers "
                "depend on all that it answered before, so run the strategy from the start, "
                "without a transcript to resume"
            )
        del self._turns[turn:]
        before = replace(self._now, answered=())
        self._turns.append(before)
        try:
            for query in batch.queries:
                # Kept after each query, so that the next one sees its answer.
                self._turns[turn] = self._next(query, turn, self._turns[turn])
        except BaseException:
            self._turns[turn] = before
            raise
        return tuple(one.answer for one in self._turns[turn].answered)

    def allowing(self, members: Iterable[IndexInstance]) -> tuple[IndexInstance, ...]:
        """Those of these members whose means are within the tolerance of every answer so far.

        Of directions on the sphere that have to be judged by their means, the first 4.
        """
        self._judge.forget()
        return self._left(tuple(members), self.history)

    def draw(self, count: int, *, more: Sequence[Array] = (), turn: int = 0) -> list[IndexInstance]:
        """Members along fresh directions, half of them where all frames, and `more`, see least."""
        forms = [one.query.form for one in self.history]
        frames = [f.frame for f in forms if isinstance(f, Ridge) and f.frame is not None]
        stream = rng(self._seed, Role.ORACLE, turn)
        directions = fresh_directions([*frames, *more], self.dimension, count, stream)
        return [self.family.member(v) for v in directions.T]

    @property
    def _now(self) -> _State:
        return self._turns[-1] if self._turns else self._start

    def _first(self) -> _State:
        if self.family.members is not None:
            return _State(self.family.members, len(self.family.members))
        drawn = self.draw(self._count)
        return _State(tuple(drawn), len(drawn))

    def _next(self, query: Query, turn: int, state: _State) -> _State:
        """The state after one more answer."""
        self._judge.forget()
        tolerance = self._granted(query)
        # Where nothing is integrated, a function that cannot be evaluated would go unnoticed.
        query.mark(self.dimension)
        null = Answered(turn, query, tolerance, self._null_answer(query))
        kept = self._left(state.pool, [null])
        turning = self.family.members is None
        if turning and not kept and not state.committed:
            drawn = self.draw(self._count, turn=turn + 1)
            state = replace(state, tried=state.tried + len(drawn))
            kept = self._left(drawn, [null, *self.history])
            if kept:
                state = replace(state, pool=kept)
        if len(kept) == len(state.pool) or (kept and turning):
            return replace(state, pool=kept, answered=(*state.answered, null))
        best = null
        for option in self._options(state.pool, kept, null):
            allowed = self._judge.allowing(state.pool, [option], losing=len(state.pool) - len(kept))
            if allowed:
                best, kept = option, allowed
        committed = state.committed or turning
        return replace(state, pool=kept, committed=committed, answered=(*state.answered, best))

    def _left(
        self, members: Sequence[IndexInstance], answered: Sequence[Answered]
    ) -> tuple[IndexInstance, ...]:
        """Who allows all of these; of a sphere's many directions a few will do."""
        if self.family.members is None:
            return self._judge.some(members, answered, ENOUGH)
        return self._judge.allowing(members, answered)

    def _options(
        self, pool: Sequence[IndexInstance], kept: Sequence[IndexInstance], null: Answered
    ) -> list[Answered]:
        """What members that the null answer eliminates allow, nearest to the null answer.

        Of a scalar's intervals the ends are where most of them meet, and of those points the
        nearest to the null answer is the null answer itself or among these.
        """
        size = int(np.prod(null.query.shape(self.dimension)))
        alive = {id(member) for member in kept}
        members = [member for member in pool if id(member) not in alive]
        if self.family.members is None or size > LARGE:
            members = members[:1] if not kept else []
        elif size > 1:
            members = members[:OPTIONS]
        found: list[Answered] = []
        for member in members:
            try:
                found.append(self._judge.nearest(member, null))
            except ToleranceUnreachable:
                if not kept and not found and member is members[-1]:
                    raise
        return found

    def _null_answer(self, query: Query) -> Any:
        """The mean under the null law; exactly 0 where the label's link has mean 0."""
        link = only_link(self.family.model)
        centred = link is not None and self._judge.visibility(link).mean == 0.0
        if centred and isinstance(query, Correlation):
            return nothing(query.shape(self.dimension))
        return null_mean(self._null, query, self.dimension)

    def _granted(self, query: Query) -> Tolerance:
        """The tolerance that this query is answered within, or a refusal."""
        if self._correlational and not isinstance(query, Correlation):
            raise QueryRefused(
                f"{type(query).__name__} {query.label!r} asked of a correlational oracle: not a "
                "CSQ strategy, which asks for E[y g(x)] alone; an SQ evader would answer it"
            )
        tolerance = self._tolerance if query.tolerance is None else query.tolerance
        if not self._tolerance.admits(tolerance):
            raise QueryRefused(
                f"query {query.label!r} asks for {tolerance!r} and the evader grants "
                f"{self._tolerance!r}; ask for the same kind of tolerance, not finer"
            )
        tolerance.check(query, partial(label_bound, self.family.model))
        return tolerance.of(query)
