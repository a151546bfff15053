"""Symmetric d x d answers kept as a d x r basis and an r x r core.

E[(x x' - I) h] for Gaussian x and h of r directions is exactly of rank r, so a second-moment
answer at d = 10 000 is a few vectors.  This file does not know what is averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LowRank:
    """The symmetric matrix `basis @ core @ basis.T`; numpy functions see the dense matrix.

    Attributes
    ----------
    basis : (d, r) array with orthonormal columns.
    core : (r, r) symmetric array.
    """

    basis: Array
    core: Array

    # numpy would otherwise take `array @ LowRank` entry by entry.
    __array_priority__ = 1000.0
    __array_ufunc__ = None

    @property
    def shape(self) -> tuple[int, int]:
        return (self.basis.shape[0], self.basis.shape[0])

    def dense(self) -> Array:
        """The full matrix, d^2 numbers."""
        full = self.basis @ self.core @ self.basis.T
        return np.asarray((full + full.T) / 2)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(self.dense(), dtype=dtype)

    def __rmatmul__(self, other: Array) -> Array:
        return np.asarray(((other @ self.basis) @ self.core) @ self.basis.T)

    @property
    def T(self) -> LowRank:  # noqa: N802
        """The transpose: the matrix itself."""
        return self

    def __matmul__(self, other: Array) -> Array:
        return np.asarray(self.basis @ (self.core @ (self.basis.T @ other)))

    def operator(self) -> LinearOperator:
        """The same matrix for scipy's iterative solvers."""
        # A quarter of a second to import, and only iterative solvers want it.
        from scipy.sparse.linalg import LinearOperator

        return LinearOperator(self.shape, matvec=self.__matmul__, dtype=np.float64)


def total(values: list[Any]) -> Any:
    """Sum of answers of one shape; LowRank answers stay LowRank."""
    if not all(isinstance(value, LowRank) for value in values):
        return np.asarray(sum(dense(value) for value in values))
    if len(values) == 1:
        return values[0]
    basis, mixing = np.linalg.qr(np.concatenate([value.basis for value in values], axis=1))
    core = np.zeros((mixing.shape[1], mixing.shape[1]))
    start = 0
    for value in values:
        stop = start + len(value.core)
        core[start:stop, start:stop] = value.core
        start = stop
    return LowRank(basis, mixing @ core @ mixing.T)


@dataclass(frozen=True, eq=False)
class EntryNorms:
    """L2 norms of the entries (x_i x_j - delta_ij) h, i, j <= d, for h of r directions u = Q'x.

    Since He_2(x)_ij^2 = He_4(x)_iijj + He_2(x)_ii + He_2(x)_jj + 2 delta_ij He_2(x)_ij + 1
    + delta_ij, all of them follow from E[h^2], E[h^2 He_2(u)] and E[h^2 He_4(u)].

    Attributes
    ----------
    basis : (d, r);  zeroth : E[h^2];  second : (r, r);  fourth : (r, r, r, r).
    """

    basis: Array
    zeroth: float
    second: Array
    fourth: Array

    @property
    def shape(self) -> tuple[int, int]:
        return (self.basis.shape[0], self.basis.shape[0])

    def rows(self, start: int, stop: int) -> Array:
        """Rows start..stop of the dense table of norms."""
        rank = self.basis.shape[1]
        pairs = np.einsum("ia,ib->iab", self.basis, self.basis).reshape(len(self.basis), rank**2)
        diagonal = np.einsum("ia,ab,ib->i", self.basis, self.second, self.basis)
        table = pairs[start:stop] @ self.fourth.reshape(rank**2, rank**2) @ pairs.T
        table += self.zeroth + diagonal[start:stop, None] + diagonal[None, :]
        index = np.arange(start, stop)
        table[index - start, index] += self.zeroth + 2 * diagonal[start:stop]
        return np.asarray(np.sqrt(np.maximum(table, 0.0)))

    def dense(self) -> Array:
        """The full table, d^2 numbers."""
        return self.rows(0, len(self.basis))

    def smallest(self) -> float:
        """Least entry, found by blocks of rows so that memory stays O(d)."""
        d = len(self.basis)
        block = max(1, 2_000_000 // d)
        return float(min(self.rows(i, min(i + block, d)).min() for i in range(0, d, block)))


def dense(value: Any) -> Array:
    """The plain array behind a structured or plain value."""
    if isinstance(value, LowRank | EntryNorms):
        return value.dense()
    return np.asarray(value, dtype=np.float64)
