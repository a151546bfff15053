"""What an oracle that may miss promises: how near, how many answers, with what probability.

This file does not know how a promise is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, final

from sqsim.errors import BadInput
from sqsim.journal import finite
from sqsim.record import Ledger
from sqsim.tolerance import Tolerance


@final
@dataclass(frozen=True)
class Guarantee:
    """With probability >= 1 - failure, every answer that it speaks of is within the tolerance.

    Attributes
    ----------
    tolerance : Tolerance
    failure : float
        Probability that some answer misses.
    theorem : str
        Where the number of examples comes from.
    queries : int or None
        Scalar answers that it holds for together; None: for each answer by itself.
    rounds : int or None
        Rounds of adaptivity that it holds for; None: any number.
    about : str
        What the answers are near to.
    void : str or None
        Why it says nothing about a run; set by `after`.
    """

    tolerance: Tolerance
    failure: float
    theorem: str
    queries: int | None = None
    rounds: int | None = None
    about: str = "E[phi]"
    void: str | None = None

    def __post_init__(self) -> None:
        probability(self.failure, "failure")
        if self.queries is not None:
            positive_count(self.queries, "queries")

    def after(self, ledger: Ledger) -> Guarantee:
        """The same promise about a run that cost this much, void where it was outrun."""
        if self.queries is not None and ledger.queries > self.queries:
            why = f"{ledger.queries} scalar queries were asked; it is about {self.queries}"
            return replace(self, void=why)
        if self.rounds is not None and ledger.rounds > self.rounds:
            why = (
                f"{ledger.rounds} rounds were asked; it is about {self.rounds}, since later "
                "questions depend on the sample"
            )
            return replace(self, void=why)
        return self

    @property
    def standing(self) -> str:
        """In a few words, whether it holds."""
        if self.void is not None:
            return f"guarantee void: {self.void}"
        return (
            f"each answer lawful with probability 1 - {self.failure:g}"
            if (self.queries is None)
            else f"all answers lawful with probability 1 - {self.failure:g}"
        )

    def __str__(self) -> str:
        which = "each answer" if self.queries is None else f"all of {self.queries} answers"
        rounds = "" if self.rounds is None else f", asked in at most {self.rounds} round(s)"
        words = (
            f"{which} within {self.tolerance!r} of {self.about} with probability at least "
            f"{1 - self.failure:.12g}{rounds} ({self.theorem})"
        )
        return words if self.void is None else f"void: {self.void}; it was: {words}"

    def to_dict(self) -> dict[str, Any]:
        """Plain data for headers and results."""
        return dict(
            finite(
                {
                    "tolerance": repr(self.tolerance),
                    "failure": self.failure,
                    "theorem": self.theorem,
                    "queries": self.queries,
                    "rounds": self.rounds,
                    "about": self.about,
                    "void": self.void,
                }
            )
        )


def probability(value: float, name: str) -> None:
    """Refuse what is not strictly between 0 and 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise BadInput(
            f"{name} is {value!r}; it is a probability strictly between 0 and 1, such as 0.05"
        )


def positive_count(value: int, name: str) -> None:
    """Refuse what is not an integer >= 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadInput(f"{name} is {value!r}; wanted an integer of at least 1")


def positive_number(value: float, name: str) -> None:
    """Refuse what is not a finite number > 0."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 < value < float("inf")
    ):
        raise BadInput(f"{name} is {value!r}; wanted a finite number > 0")
