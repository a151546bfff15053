"""Whether wrong labels can hide a polynomial from l1 regression: a dual certificate.

This file does not know how a polynomial was found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from sqsim.errors import BadInput
from sqsim.lowrank import Array

STEPS = 300


@final
@dataclass(frozen=True, eq=False)
class RecoveryMargin:
    """How far wrong labels are from hiding a polynomial p; derived here.

    Let sum over wrong rows of sign(y - p) psi + sum over right rows of s psi = 0 with
    |s| <= 1 - margin.  Then every other polynomial q of the features has
    E|q - y| - E|p - y| >= E[(|q - p| + s (q - p)) 1(right)] >= margin E[|q - p| 1(right)]:
    with margin > 0 no polynomial fits the labels better in l1, and one that fits them up to eps
    is within eps / margin of p on the right rows, in l1.

    Attributes
    ----------
    margin : 1 less the largest |s|; not positive where no certificate was found.
    dual : s, one number for each right row.
    residue : the largest entry of what should be 0, over the number of rows.
    """

    margin: float
    dual: Array
    residue: float

    def distance(self, excess: float) -> float:
        """eps / margin: a bound on E[|q - p| 1(right)] where E|q - y| <= E|p - y| + eps."""
        return excess / self.margin if self.margin > 0 else float("inf")


def recovery_margin(
    psi: Array, residuals: Array, wrong: NDArray[np.bool_], *, steps: int = STEPS
) -> RecoveryMargin:
    """A certificate for these features, residuals y - p and wrong rows.

    s begins as the solution of least norm and is improved by projecting in turn onto the bounds
    |s| <= 0.95 of the best so far and onto the solutions.  Every s that it meets is a certificate;
    none need be the best.

    Parameters
    ----------
    psi : (n, N) array of features.
    residuals : (n,) array, 0 on right rows.
    wrong : (n,) booleans.
    steps : projections, at most.
    """
    if psi.shape[:1] != residuals.shape or residuals.shape != wrong.shape or wrong.all():
        raise BadInput(
            f"features {psi.shape}, residuals {residuals.shape} and marks {wrong.shape}; wanted "
            "the same number of rows, some of them right"
        )
    right = psi[~wrong]
    target = -(psi[wrong].T @ np.sign(residuals[wrong]))
    inverse = np.linalg.pinv(right.T @ right, hermitian=True)
    dual = right @ (inverse @ target)
    best = dual
    for _ in range(steps):
        bound = 0.95 * float(np.abs(best).max())
        moved = np.clip(dual, -bound, bound)
        dual = moved + right @ (inverse @ (target - right.T @ moved))
        if np.abs(dual).max() < np.abs(best).max():
            best = dual
    residue = float(np.abs(right.T @ best - target).max()) / len(psi)
    return RecoveryMargin(1 - float(np.abs(best).max()), np.asarray(best), residue)
