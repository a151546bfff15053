"""Running sums of matrix queries and of opaque ones, one query at a time.

This file does not know where chunks come from.  Matrices are sums of symmetric products of the rows
whose weight is not 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from sqsim.lowrank import Array
from sqsim.oracles.sums import Group, Moments, Wanted


@final
class Columns(Group):
    """An Opaque query: one number, or `size` of them, for each example."""

    def __init__(self, wanted: Wanted, shape: tuple[int, ...]) -> None:
        empty = np.zeros((0, *shape))
        super().__init__(
            (wanted,),
            np.zeros(shape),
            np.zeros(shape),
            np.zeros(shape) if wanted.square else empty,
            np.zeros(shape) if wanted.function else empty,
            np.zeros(shape),
        )

    def add(self, x: Array, y: Array, projections: Sequence[Array | None]) -> None:
        (wanted,) = self.wanted
        first, absolute, square, function, seen = self.sums
        g = wanted.values(x, y, projections[0])
        with np.errstate(over="ignore", invalid="ignore"):
            phi = (g.T * y).T if wanted.linear else g
            total = phi.sum(axis=0)
            wanted.check(total, phi)
            first += total
            absolute += np.abs(phi).sum(axis=0)
            if wanted.square:
                square += (phi * phi).sum(axis=0)
            if wanted.function:
                function += (g * g).sum(axis=0)
        if wanted.seen:
            seen += np.count_nonzero(phi, axis=0)

    def moments(self, sums: Sequence[Array], count: int, gamma: float) -> list[Moments]:
        (wanted,) = self.wanted
        first, absolute, square, function, seen = sums
        return [
            Moments(
                np.asarray(first / count),
                np.asarray(gamma * absolute / count),
                np.asarray(square / count) if wanted.square else None,
                np.asarray(function / count) if wanted.function else None,
                np.asarray(seen) if wanted.seen else None,
            )
        ]


@final
class Matrix(Group):
    """A Ridge query of power 2: entries (x_i x_j - delta_ij) h."""

    def __init__(self, wanted: Wanted, dimension: int) -> None:
        shape, empty = (dimension, dimension), np.zeros((0, 0))
        super().__init__(
            (wanted,),
            np.zeros(shape),
            np.zeros(shape) if wanted.square else empty,
            np.zeros(shape) if wanted.function else empty,
            np.zeros(dimension),
            np.zeros(3),
        )

    def add(self, x: Array, y: Array, projections: Sequence[Array | None]) -> None:
        (wanted,) = self.wanted
        first, square, function, fourth, scalars = self.sums
        g = wanted.values(x, y, projections[0])
        with np.errstate(over="ignore", invalid="ignore"):
            phi = g * y if wanted.linear else g
            weight = float(phi @ phi)
        wanted.check(weight, phi)
        _diagonal(first)[:] -= phi.sum()
        for sign in (1.0, -1.0):
            rows = np.flatnonzero(sign * phi > 0)
            if len(rows):
                # a.T @ a with one and the same a costs half of a general product.
                part = x[rows] * np.sqrt(sign * phi[rows])[:, None]
                first += sign * (part.T @ part)
        squared = x * x
        fourth += np.einsum("ij,ij->j", squared, squared)
        scalars += np.array([weight, np.abs(phi).sum(), np.count_nonzero(phi)])
        if wanted.square:
            _add_squares(square, squared, phi)
        if wanted.function:
            _add_squares(function, squared, g)

    def moments(self, sums: Sequence[Array], count: int, gamma: float) -> list[Moments]:
        (wanted,) = self.wanted
        first, square, function, fourth, (weight, absolute, seen) = sums
        root = np.sqrt(np.sqrt(fourth))
        bound = np.sqrt(weight) * np.outer(root, root)
        _diagonal(bound)[:] += absolute
        return [
            Moments(
                np.asarray(first / count),
                np.asarray(gamma * bound / count),
                np.asarray(square / count) if wanted.square else None,
                np.asarray(function / count) if wanted.function else None,
                np.asarray(seen) if wanted.seen else None,
            )
        ]


def _add_squares(total: Array, squared: Array, weights: Array) -> None:
    """Add the squares of the entries (x_i x_j - delta_ij) h, given x^2."""
    rows = np.flatnonzero(weights)
    kept = squared[rows]
    part = kept * weights[rows, None]
    product = part.T @ part
    # (x_i^2 - 1)^2 on the diagonal as it is, not expanded: inputs of size 1 then give 0.
    _diagonal(product)[:] = weights[rows] ** 2 @ np.square(kept - 1)
    total += product


def _diagonal(matrix: Array) -> Array:
    """A writable view of the diagonal."""
    return matrix.reshape(-1)[:: len(matrix) + 1]
