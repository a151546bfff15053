"""Hermite tensors He_p(u) of a few coordinates, and the answers and norms made of their means.

This file does not know how means are integrated.
"""

from __future__ import annotations

from itertools import combinations_with_replacement, permutations
from typing import TypeAlias

import numpy as np

from sqsim.lowrank import Array, EntryNorms, LowRank
from sqsim.panels import Samples
from sqsim.tolerance import Mean

Index: TypeAlias = tuple[int, ...]


def indices(rank: int, degree: int) -> list[Index]:
    """The independent entries of a symmetric tensor: ascending index tuples."""
    return list(combinations_with_replacement(range(rank), degree))


def tensor_hermite(points: Array, degree: int) -> Array:
    """Entries He_alpha(u) of the symmetric Hermite tensor of this degree, (entries, n)."""
    count, rank = points.shape
    powers = [np.ones_like(points), points]
    for k in range(1, degree):
        powers.append(points * powers[k] - k * powers[k - 1])
    rows = []
    for index in indices(rank, degree):
        row = np.ones(count)
        for axis in set(index):
            row = row * powers[index.count(axis)][:, axis]
        rows.append(row)
    return np.array(rows).reshape(len(rows), count)


def full_tensor(entries: Array, rank: int, degree: int) -> Array:
    """The symmetric tensor whose ascending entries are given."""
    tensor = np.zeros((rank,) * degree)
    for value, index in zip(entries, indices(rank, degree), strict=True):
        for order in set(permutations(index)):
            tensor[order] = value
    return tensor


NORM_DEGREES = {0: (0,), 1: (0, 2), 2: (0, 2, 4)}
"""Hermite degrees of h^2 that the entry norms of T_p(x) h need."""


def answer(basis: Array, entries: Array, errors: Array, power: int) -> Mean:
    """E[T_p(x) h] from its entries in the coordinates of the basis, and their errors.

    An entry within its error of 0 is answered as 0, at twice the error.  Its rounding noise lies
    along the hidden directions, and handed out it would tell them to whoever normalises it; for
    the same reason directions that only such entries carry are dropped from the basis.
    """
    rank = basis.shape[1]
    lost = np.abs(entries) <= errors
    kept = np.where(lost, 0.0, entries)
    error = float(np.linalg.norm(np.where(lost, 2 * errors, errors)))
    if power == 0:
        return Mean(np.asarray(kept[0]), error)
    if power == 1:
        return Mean(np.asarray(basis @ kept), error)
    core = full_tensor(kept, rank, 2)
    # Off-diagonal entries stand twice in the matrix.
    seen = core.any(axis=0)
    return Mean(LowRank(basis[:, seen], core[np.ix_(seen, seen)]), 2 * error)


def norms(basis: Array, entries: Array, errors: Array, power: int) -> Array | EntryNorms:
    """||T_p(x) h|| entry by entry, from the Hermite moments of h^2 listed in NORM_DEGREES.

    Their errors are taken off, so that a radius made of these norms is never too wide.
    """
    rank = basis.shape[1]
    # An entry combines the moments with weights of at most 1 and 6 orderings.
    zeroth = max(float(entries[0]) - 6 * float(np.sum(errors)), 0.0)
    if power == 0:
        return np.asarray(np.sqrt(zeroth))
    second = full_tensor(entries[1 : 1 + len(indices(rank, 2))], rank, 2)
    if power == 1:
        squares = zeroth + np.einsum("ia,ab,ib->i", basis, second, basis)
        return np.asarray(np.sqrt(np.maximum(squares, 0.0)))
    fourth = full_tensor(entries[1 + len(indices(rank, 2)) :], rank, 4)
    return EntryNorms(basis, zeroth, second, fourth)


def moment_samples(
    points: Array, values: Array, magnitudes: Array, degree: int, errors: Array | None = None
) -> Samples:
    """Components for E[He_degree(u) h] at points of the coordinates u."""
    tensor = tensor_hermite(points, degree)
    size = np.abs(tensor)
    return Samples(values * tensor, magnitudes * size, None if errors is None else errors * size)


def norm_samples(points: Array, squares: Array, power: int) -> Samples:
    """Components for the moments of h^2 that the entry norms of T_p(x) h need."""
    parts = [moment_samples(points, squares, squares, k) for k in NORM_DEGREES[power]]
    return stacked(*parts)


def stacked(*parts: Samples) -> Samples:
    """All components of the parts, in order; a part without errors carries none."""
    errors = [np.zeros_like(part.values) if part.errors is None else part.errors for part in parts]
    return Samples(
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.magnitudes for part in parts]),
        None if all(part.errors is None for part in parts) else np.concatenate(errors),
    )
