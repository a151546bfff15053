"""What a search for a refuting instance found.  This file does not know how it searches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sqsim.lowerbounds.precision import Enclosure
from sqsim.lowerbounds.quantities import Estimate
from sqsim.lowrank import Array
from sqsim.oracles.consistency import Answered
from sqsim.problems.index import IndexInstance
from sqsim.refutation.answers import CheckedAnswer, largest
from sqsim.tolerance import Tolerance


@final
@dataclass(frozen=True, eq=False)
class Refutation:
    """What became of a learner that met an evader.

    Attributes
    ----------
    refuted : whether `instance` allows every answer and the learner fails on it.
    message : in words.
    instance : the worst instance that was found to allow every answer, None if there is none.
    answers : every answer with its distance from that instance's mean, checked anew.
    tolerance : what the learner was promised.
    queries : scalar queries asked.
    loss : the learner's, on that instance.
    loss_ratio : loss over OPT (an upper bound of it, so that the ratio is not overstated).
    candidates : instances tried; 0 where the learner ended without a result.
    history : the queries with the answers that were given.
    value : what the learner returned.
    """

    refuted: bool
    message: str
    instance: IndexInstance | None
    answers: tuple[CheckedAnswer, ...]
    tolerance: Tolerance
    queries: int
    loss: Estimate | None
    loss_ratio: float | None
    candidates: int
    history: tuple[Answered, ...]
    value: Any = None

    @property
    def direction(self) -> Array | None:
        """The hidden unit vector of the instance."""
        return None if self.instance is None else self.instance.direction

    @property
    def largest_answer_error(self) -> Enclosure | Estimate | None:
        """|answer - mean| where it is the largest part of its tolerance, in units of that norm.

        In the L2 convention |answer - mean| / ||phi||, to be compared with tau.
        """
        found = largest(self.answers)
        return None if found is None else found.error

    @property
    def grade(self) -> str | None:
        """ "certified" where every answer was proved to be within the tolerance."""
        grades = {one.error.grade for one in self.answers}
        return "estimate" if "estimate" in grades else next(iter(grades), None)

    def to_dict(self) -> dict[str, Any]:
        """The `sqsim.refute/1` object; a proved number is {"lower", "upper"}."""
        error: Any = self.largest_answer_error
        if isinstance(error, Enclosure):
            error = {"lower": error.lower, "upper": error.upper}
        return {
            "schema": "sqsim.refute/1",
            "refuted": self.refuted,
            "queries": self.queries,
            "largest_answer_error": float(error) if isinstance(error, Estimate) else error,
            "tolerance": self.tolerance.tau,
            "loss_ratio": self.loss_ratio,
            "candidates": self.candidates,
        }
