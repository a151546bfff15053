"""Statistical-query algorithms, run against oracles that hold them to their tolerance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqsim.lazy import attach

__version__ = "0.1.0"

if TYPE_CHECKING:
    from sqsim.errors import (
        BadInput,
        BudgetSpent,
        EngineFailed,
        QueryRefused,
        ReplayDiverged,
        SqsimError,
        ToleranceUnreachable,
    )
    from sqsim.featured import Featured, Pairs
    from sqsim.guarantee import Guarantee
    from sqsim.loop import Budget, run
    from sqsim.multinomial import MonomialFeatures
    from sqsim.oracles.enumeration import Enumerate
    from sqsim.oracles.policies import exact, grid, toward, toward_zero, uniform, worst_direction
    from sqsim.oracles.quadrature import Quadrature
    from sqsim.oracles.sampling import MonteCarlo, Sample
    from sqsim.oracles.simulated import csq, sq
    from sqsim.oracles.wrappers import cached, replaying
    from sqsim.queries import Batch, Characters, Correlation, Opaque, Query, Ridge, Statistic
    from sqsim.recipe import Recipe
    from sqsim.record import Ledger
    from sqsim.refutation.result import Refutation
    from sqsim.refutation.search import refute
    from sqsim.result import Result, Status
    from sqsim.strategy import CSQ, SQ, AskTell, Strategy, ask, ask_all, together
    from sqsim.tolerance import L2, Absolute, RootMeanSquare, Unperturbed
    from sqsim.transcript import Transcript

__all__ = [
    "Absolute",
    "AskTell",
    "BadInput",
    "Batch",
    "Budget",
    "BudgetSpent",
    "CSQ",
    "Characters",
    "Correlation",
    "EngineFailed",
    "Enumerate",
    "Featured",
    "Guarantee",
    "L2",
    "Ledger",
    "MonomialFeatures",
    "MonteCarlo",
    "Opaque",
    "Pairs",
    "Quadrature",
    "Query",
    "QueryRefused",
    "Recipe",
    "Refutation",
    "ReplayDiverged",
    "Result",
    "Ridge",
    "RootMeanSquare",
    "SQ",
    "Sample",
    "SqsimError",
    "Statistic",
    "Status",
    "Strategy",
    "ToleranceUnreachable",
    "Transcript",
    "Unperturbed",
    "__version__",
    "ask",
    "ask_all",
    "cached",
    "csq",
    "exact",
    "grid",
    "refute",
    "replaying",
    "run",
    "sq",
    "together",
    "toward",
    "toward_zero",
    "uniform",
    "worst_direction",
]

_NAMES = {
    "sqsim.errors": (
        "BadInput",
        "BudgetSpent",
        "EngineFailed",
        "QueryRefused",
        "ReplayDiverged",
        "SqsimError",
        "ToleranceUnreachable",
    ),
    "sqsim.featured": ("Featured", "Pairs"),
    "sqsim.guarantee": ("Guarantee",),
    "sqsim.loop": ("Budget", "run"),
    "sqsim.multinomial": ("MonomialFeatures",),
    "sqsim.oracles.enumeration": ("Enumerate",),
    "sqsim.oracles.policies": (
        "exact",
        "grid",
        "toward",
        "toward_zero",
        "uniform",
        "worst_direction",
    ),
    "sqsim.oracles.quadrature": ("Quadrature",),
    "sqsim.oracles.sampling": ("MonteCarlo", "Sample"),
    "sqsim.oracles.simulated": ("csq", "sq"),
    "sqsim.oracles.wrappers": ("cached", "replaying"),
    "sqsim.queries": (
        "Batch",
        "Characters",
        "Correlation",
        "Opaque",
        "Query",
        "Ridge",
        "Statistic",
    ),
    "sqsim.recipe": ("Recipe",),
    "sqsim.record": ("Ledger",),
    "sqsim.refutation.result": ("Refutation",),
    "sqsim.refutation.search": ("refute",),
    "sqsim.result": ("Result", "Status"),
    "sqsim.strategy": ("AskTell", "CSQ", "SQ", "Strategy", "ask", "ask_all", "together"),
    "sqsim.tolerance": ("Absolute", "L2", "RootMeanSquare", "Unperturbed"),
    "sqsim.transcript": ("Transcript",),
}

# Hidden from type checkers: they would take any misspelt name for a lazy one.
if not TYPE_CHECKING:
    __getattr__, __dir__ = attach(
        __name__, _NAMES, ("algorithms", "lowerbounds", "oracles", "problems", "report", "studies")
    )
