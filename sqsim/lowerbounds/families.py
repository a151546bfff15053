"""Gram matrices of families: the user's own, finite or by quadrature, and orthogonal networks.

Correlational bounds read E[f g] under the law of the inputs; bounds for general statistical
queries read the chi-square correlations E_0[(D_u / D_0)(D_v / D_0)] - 1 in its place.  This file
does not know what is concluded from the matrices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import Any, TypeAlias, final

import numpy as np
from flint import fmpq, fmpq_mat, fmpz
from numpy.typing import NDArray
from scipy.integrate import quad_vec

from sqsim.errors import BadInput
from sqsim.lowerbounds.matrices import Correlations
from sqsim.lowerbounds.precision import Exact, exact_fraction, rational
from sqsim.lowerbounds.quantities import Estimate

Table: TypeAlias = Sequence[Sequence[Exact]] | NDArray[Any]
Function: TypeAlias = Callable[[NDArray[np.float64]], NDArray[np.float64]]

MEMORY = 2**31
ENTRY = 256
"""Bytes of a fraction, about."""

NEARLY_ONE = Fraction(1, 10**9)
REACH = 12.0
"""Beyond this a Gaussian has mass 4e-33; functions of moderate growth lose nothing."""


@final
@dataclass(frozen=True)
class ExactGram:
    """A symmetric matrix of exact numbers: `entries[i][j]` is a Fraction."""

    entries: tuple[tuple[Fraction, ...], ...]

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def correlations(self) -> Correlations:
        """As the functions of dimensions take them, exactly."""
        return Correlations.exact(self.entries)

    @property
    def floats(self) -> NDArray[np.float64]:
        """The matrix, rounded to the nearest floats."""
        return np.array([[float(x) for x in row] for row in self.entries])


@final
@dataclass(frozen=True)
class EstimatedGram:
    """A symmetric matrix by quadrature: each entry confesses its error, none is proved."""

    entries: tuple[tuple[Estimate, ...], ...]

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def correlations(self) -> Correlations:
        """As the functions of dimensions take them; what they conclude is an estimate."""
        return Correlations(self.floats, self.error, "estimate")

    @property
    def floats(self) -> NDArray[np.float64]:
        """The estimates."""
        return np.array([[x.value for x in row] for row in self.entries])

    @property
    def error(self) -> float:
        """The largest confessed error of an entry."""
        return max(x.error for row in self.entries for x in row)


def distribution_family(distributions: Table, reference: Sequence[Exact]) -> ExactGram:
    """chi^2 correlations sum_x D_u(x) D_v(x) / D_0(x) - 1 on a finite set, exactly.

    Parameters
    ----------
    distributions : N rows of probabilities; floats are the binary fractions they hold.
    reference : D_0, positive wherever some D_u is.

    Every table must add up to 1 within 1e-9, and is divided by its exact sum (probabilities that
    are floats seldom add up exactly).
    """
    base = _normalised(reference, "the reference")
    rows = [_normalised(row, f"distribution {i}") for i, row in enumerate(distributions)]
    _check_shape(rows, len(base))
    for x, weight in enumerate(base):
        if not weight and any(row[x] for row in rows):
            raise BadInput(
                f"the reference is zero at point {x} and some distribution is not: its chi-square "
                "is infinite; choose a reference that covers the family"
            )
    kept = [x for x, weight in enumerate(base) if weight]
    ratios = [[row[x] / base[x] - 1 for x in kept] for row in rows]
    return _gram(ratios, [base[x] for x in kept])


def function_family(values: Table, probabilities: Sequence[Exact] | None = None) -> ExactGram:
    """E[f g] on a finite set, exactly.

    Parameters
    ----------
    values : N rows, a function's values at the points each.
    probabilities : of the points, as for `distribution_family`; None for the uniform law.
    """
    rows = [[exact_fraction(v, f"a value of function {i}") for v in row]
            for i, row in enumerate(values)]  # fmt: skip
    points = len(rows[0]) if rows else 0
    if probabilities is None and points:
        weights = [Fraction(1, points)] * points
    else:
        weights = _normalised(probabilities or (), "the law of the points")
    _check_shape(rows, len(weights))
    return _gram(rows, weights)


def gaussian_family(
    functions: Sequence[Function],
    *,
    variables: int = 1,
    kinks: Sequence[float] = (),
    tolerance: float = 1e-10,
) -> EstimatedGram:
    """E[f g] for x ~ N(0, I) in one or two variables, by adaptive quadrature: estimates.

    Parameters
    ----------
    functions : vectorised, of an array of shape (n, variables); n values each.
    kinks : where some function is not smooth, in either variable; quadrature splits there.
    tolerance : absolute; what quadrature confesses beyond it stands in the entries' errors.

    What lies beyond |x_i| = 12 is left out, so functions must grow more slowly than e^(x^2 / 8).
    """
    if variables not in (1, 2) or not functions:
        raise BadInput(f"{len(functions)} functions of {variables} variables: give at least one, "
                       "of 1 or 2 variables")  # fmt: skip
    _refuse_beyond_memory(len(functions), 8)
    points = sorted({-6.0, -2.0, 0.0, 2.0, 6.0, *(float(k) for k in kinks if abs(k) < REACH)})

    def at(x: NDArray[np.float64]) -> NDArray[np.float64]:
        values = np.array([np.asarray(f(x), dtype=np.float64).reshape(-1) for f in functions])
        if values.shape != (len(functions), len(x)) or not np.all(np.isfinite(values)):
            raise BadInput("a function returned something other than one finite value a point")
        weight = np.exp(-(x * x).sum(axis=1) / 2) / (2 * math.pi) ** (variables / 2)
        return np.asarray((values * weight) @ values.T)

    inner_errors = [0.0]

    def line(t: float) -> NDArray[np.float64]:
        if variables == 1:
            return at(np.array([[t]]))
        inner = quad_vec(lambda s: at(np.array([[t, s]])), -REACH, REACH, points=points,
                         epsabs=tolerance / 100, epsrel=0.0, norm="max")  # fmt: skip
        inner_errors.append(float(inner[1]))
        return np.asarray(inner[0])

    total, error = quad_vec(line, -REACH, REACH, points=points, epsabs=tolerance, epsrel=0.0,
                            norm="max")  # fmt: skip
    reach = float(error) + 2 * REACH * max(inner_errors)
    method = f"adaptive Gauss-Kronrod quadrature, {variables} variables"
    total = (total + total.T) / 2
    return EstimatedGram(
        tuple(tuple(Estimate(float(x), reach, method) for x in row) for row in total)
    )


def parity_family(subsets: Sequence[Sequence[int]], *, noise: Exact = 0) -> ExactGram:
    """E[f g] for f = (1 - 2 noise) chi_S: exactly orthogonal, on the cube and lifted to Gaussians.

    Labels y = chi_S(x) flipped with this probability have E[y | x] = f; for y = -1, 1 these are
    also the chi-square correlations of the laws of (x, y) to the law with y uniform.
    """
    sets = [frozenset(s) for s in subsets]
    if any(len(s) != len(list(t)) for s, t in zip(sets, subsets, strict=True)):
        raise BadInput("a subset names a coordinate twice; a parity has each at most once")
    flips = exact_fraction(noise, "noise")
    if not 0 <= flips <= 1:
        raise BadInput(f"noise is {noise!r}; labels are flipped with a probability in [0, 1]")
    _refuse_beyond_memory(len(sets), 8)
    norm, zero = (1 - 2 * flips) ** 2, Fraction(0)
    return ExactGram(tuple(tuple(norm if s == t else zero for t in sets) for s in sets))


def _gram(rows: list[list[Fraction]], weights: list[Fraction]) -> ExactGram:
    _refuse_beyond_memory(len(rows), ENTRY // 2)
    left = fmpq_mat([[rational(v) for v in row] for row in rows])
    right = fmpq_mat([[rational(v * w) for v, w in zip(row, weights, strict=True)] for row in rows])
    product = left * right.transpose()
    size = range(len(rows))
    upper = {(i, j): _fraction(product[i, j]) for i, j in combinations_with_replacement(size, 2)}
    return ExactGram(tuple(tuple(upper[min(i, j), max(i, j)] for j in size) for i in size))


def _fraction(number: fmpq) -> Fraction:
    top: fmpz = number.p
    return Fraction(int(top), int(number.q))


def _normalised(table: Sequence[Exact], name: str) -> list[Fraction]:
    values = [exact_fraction(v, f"a probability of {name}") for v in table]
    total = sum(values, Fraction(0))
    if not values or min(values) < 0 or abs(total - 1) > NEARLY_ONE:
        raise BadInput(f"{name} adds up to {float(total):.12g} over {len(values)} points; give "
                       "probabilities, none negative, that add up to 1")  # fmt: skip
    return [v / total for v in values]


def _check_shape(rows: list[list[Fraction]], points: int) -> None:
    if not rows or any(len(row) != points for row in rows):
        raise BadInput(f"{len(rows)} rows, and {points} points in the reference law: give at least "
                       "one row, each with one number a point")  # fmt: skip


def _refuse_beyond_memory(count: int, size: int) -> None:
    need = count * count * size
    if need > MEMORY:
        raise BadInput(f"the Gram matrix of {count} functions needs about {need / 2**30:.3g} GiB, "
                       f"and {MEMORY / 2**30:.3g} are allowed; take a subfamily")  # fmt: skip
