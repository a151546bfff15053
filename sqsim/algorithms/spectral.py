"""Directions from second moments: correlational, and thresholded on the label."""

from __future__ import annotations

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array, LowRank
from sqsim.problems.problem import Problem
from sqsim.queries import Correlation, Ridge, Statistic
from sqsim.seeds import Role, Seed, rng
from sqsim.strategy import CSQ, SQ, ask

DENSE = 2000
"""Up to this dimension a dense eigensolver is as fast and needs no starting vector."""


def spectral_start(problem: Problem, *, seed: Seed = 0) -> CSQ[Array]:
    """Eigenvector of E[y (x x' - I)] of largest absolute eigenvalue, up to sign.

    One round of d(d + 1)/2 correlational queries: the degree-2 Hermite part of the label.
    """
    query = Correlation(Ridge(power=2), "degree-2 correlation")
    matrix = yield from ask(query)
    top = leading_eigenvector(matrix, seed=seed)
    bottom = leading_eigenvector(_negated(matrix), seed=seed)
    return top if _rayleigh(matrix, top) >= -_rayleigh(matrix, bottom) else bottom


def thresholded_pca(problem: Problem, *, cut: float, seed: Seed = 0) -> SQ[Array]:
    """Top eigenvector of E[1(|y| >= cut) (x x' - I)], up to sign.

    One round of d(d + 1)/2 queries.  Guo and Vijayaraghavan (2024), section 3.2, where the moment
    is not centred: subtracting a multiple of the identity leaves the eigenvectors as they are.
    Not correlational: the weight is not linear in y.
    """
    matrix = yield from ask(thresholded_moment(cut), cut=cut)
    return leading_eigenvector(matrix, seed=seed)


def thresholded_moment(cut: float) -> Statistic:
    """E[1(|y| >= cut) (x x' - I)]."""
    if not 0 < cut < np.inf:
        raise BadInput(f"cut is {cut}; a label threshold is positive and finite")

    def above(y: Array) -> Array:
        return (np.abs(y) >= cut).astype(np.float64)

    return Statistic(Ridge(above, power=2, levels=(-cut, cut)), "thresholded second moment")


def leading_eigenvector(matrix: Array | LowRank, *, seed: Seed = 0) -> Array:
    """Unit eigenvector of the largest eigenvalue; a random one where all answers are zero.

    A LowRank answer of non-positive core has its largest eigenvalue 0 off its basis, so a random
    vector is as good as any there too.
    """
    d = matrix.shape[0]
    fallback: Array = np.asarray(rng(seed, Role.LEARNER).standard_normal(d))
    fallback = fallback / np.linalg.norm(fallback)
    if isinstance(matrix, LowRank):
        values, vectors = np.linalg.eigh(matrix.core) if matrix.core.size else (np.zeros(1), None)
        if vectors is None or (values[-1] <= 0 and matrix.basis.shape[1] < d):
            return fallback
        return np.asarray(matrix.basis @ vectors[:, -1])
    size = float(np.abs(matrix).max())
    if size == 0.0:
        return fallback
    # Answers can be of size 1e-14 or less; the solvers' stopping rules are absolute in places.
    scaled = matrix / size
    if d <= DENSE:
        # All of them: asked for one of many equal eigenvalues, LAPACK may return none.
        return np.asarray(np.linalg.eigh(scaled)[1][:, -1])
    from scipy.sparse.linalg import eigsh

    _, vectors = eigsh(scaled, k=1, which="LA", v0=fallback)
    return np.asarray(vectors[:, 0])


def _negated(matrix: Array | LowRank) -> Array | LowRank:
    if isinstance(matrix, LowRank):
        return LowRank(matrix.basis, -matrix.core)
    return -matrix


def _rayleigh(matrix: Array | LowRank, vector: Array) -> float:
    return float(vector @ (matrix @ vector))
