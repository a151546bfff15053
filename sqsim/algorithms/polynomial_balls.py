"""The set that polynomials are sought in: a ball in coordinates that suit the law of the inputs.

This file does not know labels or losses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.inputs import Empirical, Inputs
from sqsim.lowrank import Array
from sqsim.monomial_moments import knows_moments, moment_matrix
from sqsim.multinomial import MonomialFeatures

LARGEST_FRAME = 2500
"""Features up to which an orthonormal basis of them is made."""

RESOLVED = 1e-18
"""Least eigenvalue of E[psi psi'] that the rows of a table resolve, by singular values."""

SQUARED = 1e-12
"""The same from the matrix of moments itself, whose roundings are those of a square."""


@final
@dataclass(frozen=True, eq=False)
class PolynomialBall:
    """f = <frame u, psi> with ||u|| <= radius; the frame is the identity where None.

    Attributes
    ----------
    features : MonomialFeatures
    frame : (N, r) array or None
    radius : R
    steepness : largest eigenvalue of E[phi phi'], phi = frame' psi, from above.
    lost : bound on E[e^2], e what the ball cannot hold of p(<w, x>), ||w|| <= 1.
    """

    features: MonomialFeatures
    frame: Array | None = field(repr=False)
    radius: float
    steepness: float
    lost: float

    @property
    def size(self) -> int:
        """Coordinates: entries of a gradient."""
        return self.features.size if self.frame is None else int(self.frame.shape[1])

    def coefficients(self, u: Array) -> Array:
        """Coefficients of the features."""
        return u if self.frame is None else np.asarray(self.frame @ u)


def kernel_ball(features: MonomialFeatures, *, norm_squared: float) -> PolynomialBall:
    """||v||^2 <= B in the space of the multinomial kernel: Goel, Kanade, Klivans, Thaler (2017).

    On the unit ball E[psi psi'] has no eigenvalue above E||psi||^2 <= d + 1.
    """
    return PolynomialBall(features, None, float(np.sqrt(norm_squared)), features.degree + 1.0, 0.0)


def orthonormal_ball(
    features: MonomialFeatures, inputs: Inputs, *, norm_squared: float, largest: float
) -> PolynomialBall:
    """E[f^2] <= largest^2, in polynomials orthonormal under the law of the inputs.

    Derived here: the learner knows that law, so the coordinates cost no query, and the ball of a
    comparator |p(<w, x>)| <= largest has no exponential in its radius, whatever B is.  Directions
    of E[psi psi'] below the resolution of floats are left out; of a comparator of norm^2 B they
    hold at most B times the largest eigenvalue left out.

    Parameters
    ----------
    norm_squared : B of the comparators.
    largest : bound on their values.
    """
    if not orthonormal_fits(features, inputs):
        raise BadInput(
            f"{features.size} features under {type(inputs).__name__} inputs: an orthonormal basis "
            f"is made of at most {LARGEST_FRAME}, for a table or a law of known moments; use the "
            "ball of the kernel"
        )
    if isinstance(inputs, Empirical):
        values, vectors = _of_rows(features, np.asarray(inputs.table, dtype=np.float64))
        least = RESOLVED
    else:
        values, vectors = np.linalg.eigh(moment_matrix(features, inputs))
        least = SQUARED
    keep = values >= least * max(float(values.max()), 1.0)
    left = float(np.max(values[~keep], initial=0.0))
    if len(values) - int(keep.sum()) and not isinstance(inputs, Empirical):
        # What is left out is only known to be below the resolution.
        left = least * max(float(values.max()), 1.0)
    frame = vectors[:, keep] / np.sqrt(values[keep])
    return PolynomialBall(features, frame, largest, 1.0, max(left, 0.0) * norm_squared)


def orthonormal_fits(features: MonomialFeatures, inputs: Inputs) -> bool:
    """Whether `orthonormal_ball` is at hand."""
    if features.size > LARGEST_FRAME or not knows_moments(inputs):
        return False
    rows = len(inputs.table) if isinstance(inputs, Empirical) else 0
    return 8 * rows * features.size < 2**31


def _of_rows(features: MonomialFeatures, x: Array) -> tuple[Array, Array]:
    """Eigenvalues and vectors of E[psi psi'] from singular values, which resolve their squares."""
    psi = features.matrix(x) / np.sqrt(len(x))
    if len(x) > features.size:
        psi = np.linalg.qr(psi, mode="r")
    _, sizes, vectors = np.linalg.svd(psi, full_matrices=False)
    return sizes**2, vectors.T
