"""What no learner can do, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqsim.lazy import attach

if TYPE_CHECKING:
    from sqsim.lowerbounds.hermite import (
        hermite_coefficients,
        low_degree_mass,
        parseval_tail,
        second_moment,
        t_eps,
    )
    from sqsim.lowerbounds.named import named_expansion
    from sqsim.lowerbounds.precision import Enclosure

__all__ = [
    "Enclosure",
    "hermite_coefficients",
    "low_degree_mass",
    "named_expansion",
    "parseval_tail",
    "second_moment",
    "t_eps",
]

_NAMES = {
    "sqsim.lowerbounds.hermite": (
        "hermite_coefficients",
        "low_degree_mass",
        "parseval_tail",
        "second_moment",
        "t_eps",
    ),
    "sqsim.lowerbounds.named": ("named_expansion",),
    "sqsim.lowerbounds.precision": ("Enclosure",),
}

# Hidden from type checkers: they would take any misspelt name for a lazy one.
if not TYPE_CHECKING:
    __getattr__, __dir__ = attach(__name__, _NAMES)
