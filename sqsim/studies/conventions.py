"""Conventions of tolerance and adversaries, by their names on the command line.

This file does not know learners.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqsim.oracles.policies import Policy, exact, grid, toward_zero, uniform, worst_direction
from sqsim.tolerance import L2, Absolute, RootMeanSquare, Tolerance

CONVENTIONS: Mapping[str, Callable[[float], Tolerance]] = {
    "l2": L2,
    "absolute": Absolute,
    "vstat": RootMeanSquare,
}
"""What one unit of tolerance means, by the name on the command line."""

POLICIES: Mapping[str, Policy] = {
    "exact": exact,
    "toward-zero": toward_zero,
    "uniform": uniform,
    "grid": grid,
    "worst-direction": worst_direction,
}
"""Adversaries, by the name on the command line."""
