"""Whether inputs lie in the unit ball, where polynomials are near the ReLU."""

from __future__ import annotations

import math

import numpy as np

from sqsim.errors import BadInput
from sqsim.inputs import Empirical, Gaussian, Rademacher
from sqsim.lowrank import Array
from sqsim.problems.problem import Problem

LEEWAY = 1e-9


def check_inputs(problem: Problem) -> None:
    """Refuse inputs outside the unit ball, on which |p(<w, x>) - relu| is not bounded."""
    inputs, hint = problem.inputs, "the approximation of the ReLU assumes norms of at most 1"
    if isinstance(inputs, Gaussian | Rademacher) and problem.dimension > 1:
        raise BadInput(
            f"{type(inputs).__name__} inputs leave the unit ball, and {hint}; scale them, as "
            "sqsim.problems.ball does for tables and the cube"
        )
    if isinstance(inputs, Empirical):
        longest = largest_norm(inputs.table)
        if longest > 1 + LEEWAY:
            raise BadInput(
                f"a row has norm {longest:.10g}, and {hint}; divide all rows by that, or "
                "use scaled_rows(dataset), which says what it did"
            )


def largest_norm(table: Array) -> float:
    """Of the rows."""
    best = 0.0
    for start in range(0, len(table), 65536):
        x = np.asarray(table[start : start + 65536], dtype=np.float64)
        best = max(best, float(np.einsum("ij,ij->i", x, x).max()))
    return math.sqrt(best)
