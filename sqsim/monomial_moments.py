"""E[psi(x) psi(x)'] under laws of the inputs that a learner knows.  No label enters."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from sqsim.errors import BadInput
from sqsim.inputs import Empirical, Gaussian, Inputs, Rademacher
from sqsim.lowrank import Array
from sqsim.multinomial import MEMORY, MonomialFeatures
from sqsim.sphere import Sphere


def knows_moments(inputs: Inputs) -> bool:
    """Whether `moment_matrix` has a formula, or the rows, for this law."""
    return isinstance(inputs, Empirical | Gaussian | Rademacher | Sphere)


def moment_matrix(features: MonomialFeatures, inputs: Inputs, *, limit: int = MEMORY) -> Array:
    """E[psi psi'], (N, N), without sampling: no query, since no label enters.

    For a table the average over its rows; else products of moments of single coordinates:
    (2k - 1)!! for a Gaussian, 1 for signs, and for the sphere the Gaussian's divided by
    n (n + 2) ... (n + 2K - 2) in total degree 2K.
    """
    features.check_memory(limit, dense_rows=2 * features.size)
    if isinstance(inputs, Empirical):
        return _of_rows(features, features.checked(np.asarray(inputs.table)))
    if not knows_moments(inputs):
        raise BadInput(
            f"no formula for moments of {type(inputs).__name__}; ask E[psi psi'] as Statistics"
        )
    # Odd sums of exponents in any variable have mean 0, even ones a product over variables.
    logs = np.zeros((features.size, features.size))
    odd = np.zeros(logs.shape, dtype=bool)
    for column in features.exponents.T.astype(np.int64):
        total = column[:, None] + column[None]
        odd |= total % 2 == 1
        if not isinstance(inputs, Rademacher):
            logs += _double_factorial(total)
    if isinstance(inputs, Sphere):
        half = (features.degrees[:, None] + features.degrees[None]) / 2
        n = features.dimension
        logs -= half * np.log(2.0) + gammaln(n / 2 + half) - gammaln(n / 2)
    scale = features.weights[:, None] * features.weights[None]
    return np.where(odd, 0.0, scale * np.exp(logs))


def _double_factorial(total: Array) -> Array:
    """log (k - 1)!! for even k; anything for odd k."""
    k = np.arange(int(total.max()) + 1)
    table = k / 2 * np.log(2.0) + gammaln((k + 1) / 2) - gammaln(0.5)
    return np.asarray(table[total])


def _of_rows(features: MonomialFeatures, x: Array) -> Array:
    total = np.zeros((features.size, features.size))
    for start in range(0, len(x), 1024):
        psi = features.matrix(x[start : start + 1024])
        total += psi.T @ psi
    return total / len(x)
