"""Running sums of psi(x) h(<c, psi(x)>, y), without the matrix of features.

This file does not know where chunks come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.featured import Featured
from sqsim.lowrank import Array
from sqsim.multinomial_pieces import Piece
from sqsim.oracles.sums import Group, Moments, Wanted


@final
class FeatureSums(Group):
    """One Featured query.  Costs 4 N operations an example in matrix products, 2 N for a norm."""

    def __init__(self, wanted: Wanted, form: Featured) -> None:
        self.form, self.features = form, form.features
        columns = form.shape(form.features.dimension)[0]
        norms = np.zeros(columns), np.zeros(0)
        super().__init__(
            (wanted,),
            np.zeros(form.features.size),
            norms[not wanted.square].copy(),
            norms[not wanted.function].copy(),
            norms[not wanted.seen].copy(),
            np.zeros(2),
        )
        c = form.coefficients
        self.scaled = None if c is None else form.features.scaled(c)

    def add(self, x: Array, y: Array, projections: Sequence[Array | None]) -> None:
        for part, piece in self.features.pieces(x):
            self._add(piece, x[part], y[part])

    def _add(self, piece: Piece, x: Array, y: Array) -> None:
        (wanted,) = self.wanted
        first, square, function, seen, sizes = self.sums
        scores = None if self.scaled is None else piece.values(self.scaled)
        g = self.form.factors(scores, y if wanted.query.labelled else None, len(x))
        phi = g * y if wanted.linear else g
        if not np.isfinite(phi).all():
            raise BadInput(
                f"the function of query {wanted.query.label!r} is not finite on "
                f"{int((~np.isfinite(phi)).sum())} of {len(phi)} examples; check its domain"
            )
        piece.add(phi, first)
        # Every feature is at most ||x||^j <= max(1, ||x||^d) for its degree j.
        radius = np.maximum(np.einsum("ij,ij->i", x, x), 1.0) ** (self.features.degree / 2)
        sizes += (radius @ np.abs(phi), (radius**2).sum())
        for wished, total, weights in (
            (wanted.square, square, phi),
            (wanted.function, function, g),
        ):
            if wished:
                self._square(piece, x, weights, total)
        if wanted.seen:
            self._seen(piece, x, phi, seen)

    def _square(self, piece: Piece, x: Array, weights: Array, total: Array) -> None:
        """Add the squares of the entries."""
        if self.form.frame is None:
            bare = np.zeros(self.features.size)
            piece.mapped(np.square).add(weights**2, bare)
            total += bare * self.features.weights**2
        else:
            basis = self.features.matrix(x) @ self.form.frame
            total += weights**2 @ np.square(basis)

    def _seen(self, piece: Piece, x: Array, phi: Array, total: Array) -> None:
        if self.form.frame is None:
            # A product is 0 where a factor is.
            piece.mapped(lambda s: (s != 0).astype(float)).add((phi != 0).astype(float), total)
        else:
            total += np.count_nonzero(phi)

    def moments(self, sums: Sequence[Array], count: int, gamma: float) -> list[Moments]:
        (wanted,) = self.wanted
        first, square, function, seen, sizes = sums
        mean = first * self.features.weights / count
        # gamma covers 8 roundings or more; d + 4 are in a monomial, its weight and its factor.
        rounding = gamma * (1 + (self.features.degree + 4) / 8) * sizes[0] / count
        error = np.full(len(mean), rounding)
        if (frame := self.form.frame) is not None:
            steps = 2.0**-53 * (len(frame) + 2)
            error = (rounding + steps * np.abs(mean)) @ np.abs(frame)
            mean = mean @ frame
        return [
            Moments(
                np.asarray(mean),
                np.asarray(error),
                np.asarray(square / count) if wanted.square else None,
                np.asarray(function / count) if wanted.function else None,
                np.asarray(seen) if wanted.seen else None,
            )
        ]
