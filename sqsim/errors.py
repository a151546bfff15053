"""Everything sqsim raises on purpose.  This file knows no other file.

Each message says what was found, what was wanted, and what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqsim.record import Ledger


class SqsimError(Exception):
    """Root of all errors that sqsim raises on purpose."""


class BadInput(SqsimError, ValueError):
    """An argument, a file or a user's function is not what it must be."""


class QueryRefused(SqsimError):
    """The oracle may not, or cannot, answer this kind of query."""


class ToleranceUnreachable(SqsimError):
    """The error of the computed mean exceeds the radius of the tolerance."""


class BudgetSpent(SqsimError):
    """A batch asks for more than the budget has left.

    Attributes
    ----------
    spent, requested, remaining : int or float
        In the unit named by `resource`: "queries", "rounds", "cost" (sum of 1/tau^2), "epsilon".
    answered : tuple
        Answers to the leading queries of the batch that still fitted; the rest were refused.
    ledger : Ledger or None
        What the run had cost, set when the error leaves `run`.
    transcript : object or None
        The exchanges so far, set when the error leaves `run`.
    """

    def __init__(
        self,
        resource: str,
        *,
        spent: float,
        requested: float,
        remaining: float,
        answered: tuple[Any, ...] = (),
    ) -> None:
        super().__init__(
            f"budget of {resource} spent: {spent} used, {requested} requested, "
            f"{remaining} remaining; raise the budget or catch BudgetSpent at the asking line"
        )
        self.resource = resource
        self.spent = spent
        self.requested = requested
        self.remaining = remaining
        self.answered = answered
        self.ledger: Ledger | None = None
        self.transcript: object | None = None


class EngineFailed(SqsimError):
    """The machinery that computes means broke down, and repeating the work did not help.

    It leaves `run` as it is.  A log in a file, or a Transcript that was passed to `run`, keeps all
    turns before it: repair the machinery, resume the transcript, and the run goes on.
    """


class ReplayDiverged(SqsimError):
    """A replayed strategy asked something other than what the transcript holds."""


class NotCertified(SqsimError):
    """A number was asked as proved and the proof did not go through."""
