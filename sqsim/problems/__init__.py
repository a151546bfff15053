"""What is learned: a Problem, all that a learner may know, and an Instance with its secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqsim.lazy import attach

if TYPE_CHECKING:
    from sqsim.problems.dataset import Dataset
    from sqsim.problems.hypothesis import ReluHypothesis
    from sqsim.problems.index import ReluRegression

__all__ = ["Dataset", "ReluHypothesis", "ReluRegression"]

_NAMES = {
    "sqsim.problems.dataset": ("Dataset",),
    "sqsim.problems.hypothesis": ("ReluHypothesis",),
    "sqsim.problems.index": ("ReluRegression",),
}

# Hidden from type checkers: they would take any misspelt name for a lazy one.
if not TYPE_CHECKING:
    __getattr__, __dir__ = attach(__name__, _NAMES)
