"""All monomials of degree <= d, weighted so that their inner products are sums of <x, x'>^j.

This file does not know labels or queries.  The matrix of all features is never needed: a monomial
x_i1 ... x_ij with i1 <= ... <= ij is its first a letters (its head, a = d // 2) times the others
(its tail), and heads whose last letter is at most g go with tails whose first letter is g.  So a
polynomial and its gradient are n products of matrices of heads, coefficients and tails.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.multinomial_pieces import (
    Blocks,
    Piece,
    tail_exponents,
    tail_start,
    tails,
    word_exponents,
    words,
)

MEMORY = 4 * 2**30
"""Bytes that features may take unless it is said."""

WORKING = 8
"""Vectors of one number for each feature that a learner holds at a time."""

CHUNK = 12 * 2**20
"""Bytes of heads and tails that are worked on at a time."""


@final
@dataclass(frozen=True)
class MonomialFeatures:
    """psi(x): sqrt(|I|! / prod I_k!) x^I for every exponent I with |I| <= degree.

    <psi(x), psi(x')> = sum of <x, x'>^j over j <= degree, so ||psi(x)||^2 <= degree + 1 on the
    unit ball, and each feature lies in [-1, 1] there.  The constant feature stands for a bias.

    Parameters
    ----------
    dimension : n >= 1
    degree : d >= 0

    Notes
    -----
    C(n + d, d) features.  Their order is that of `exponents`, fixed but not by degree.
    """

    dimension: int
    degree: int

    def __post_init__(self) -> None:
        for name, least in (("dimension", 1), ("degree", 0)):
            number = getattr(self, name)
            whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
            if not whole or number < least:
                raise BadInput(f"{name} is {number!r}; wanted a whole number of at least {least}")
            object.__setattr__(self, name, int(number))

    @property
    def size(self) -> int:
        """N = C(n + d, d)."""
        return math.comb(self.dimension + self.degree, self.degree)

    @property
    def memory(self) -> int:
        """Bytes that one round over any number of examples takes, estimated from above."""
        return self.size * (8 * WORKING + self.dimension + 8) + 4 * CHUNK

    def check_memory(self, limit: int = MEMORY, *, dense_rows: int = 0) -> None:
        """Refuse what would not fit, before it is taken.

        Parameters
        ----------
        limit : bytes
        dense_rows : rows of a matrix with one column for each feature that is wanted as well.
        """
        wanted = self.memory + 8 * dense_rows * self.size
        if wanted > limit:
            raise BadInput(
                f"degree {self.degree} in {self.dimension} variables has {self.size} features, "
                f"which take {_gibibytes(wanted)}"
                + (f" with a matrix of {dense_rows} rows" if dense_rows else "")
                + f", and {_gibibytes(limit)} are allowed; lower the degree (a larger epsilon) or "
                "keep fewer columns"
            )

    @property
    def head_degree(self) -> int:
        """a: letters in the head of a monomial."""
        return self.degree // 2

    @cached_property
    def blocks(self) -> Blocks:
        """For each group: heads, first and last tail, and where its coefficients begin.

        Before them stand the monomials of degree < a, which have no tail.
        """
        n, a, b = self.dimension, self.head_degree, self.degree - self.head_degree
        place = math.comb(n + a - 1, n) if a else 0
        found = []
        for g in range(n):
            heads = math.comb(g + a, a)
            start, stop = tail_start(n, b, g), tail_start(n, b, g + 1) + (g == n - 1)
            if stop > start:
                found.append((heads, start, stop, place))
                place += heads * (stop - start)
        return tuple(found)

    @cached_property
    def exponents(self) -> NDArray[np.int8]:
        """I for each feature, (N, n)."""
        n, a = self.dimension, self.head_degree
        heads, ends = word_exponents(n, a), tail_exponents(n, self.degree - a)
        parts = [word_exponents(n, j) for j in range(a)]
        for count, start, stop, _ in self.blocks:
            block = heads[:count, None] + ends[None, start:stop]
            parts.append(block.reshape(-1, n))
        return np.concatenate(parts)

    @cached_property
    def degrees(self) -> NDArray[np.int64]:
        """|I| for each feature."""
        return np.asarray(self.exponents.sum(axis=1, dtype=np.int64))

    @cached_property
    def weights(self) -> Array:
        """sqrt(|I|! / prod I_k!) for each feature."""
        factorials = np.array([math.factorial(k) for k in range(self.degree + 1)], dtype=float)
        below = np.ones(self.size)
        for column in self.exponents.T:
            below *= factorials[column]
        return np.asarray(np.sqrt(factorials[self.degrees] / below))

    def matrix(self, inputs: Array, *, limit: int = MEMORY) -> Array:
        """psi of each input, (count, N); refused beyond `limit` bytes."""
        x = self.checked(inputs)
        self.check_memory(limit, dense_rows=len(x))
        found = np.empty((len(x), self.size))
        for part, piece in self.pieces(x):
            piece.fill(found[part])
        found *= self.weights
        return found

    def values(self, coefficients: Array, inputs: Array) -> Array:
        """<coefficients, psi(x)> of each input; 2 N operations for each, all in products."""
        x, scaled = self.checked(inputs), self.scaled(coefficients)
        found = np.empty(len(x))
        for part, piece in self.pieces(x):
            found[part] = piece.values(scaled)
        return found

    def weighted_sum(self, inputs: Array, weights: Array) -> Array:
        """Sum of weights_i psi(x_i), (N,)."""
        x, r = self.checked(inputs), np.asarray(weights, float)
        if r.shape != (len(x),):
            raise BadInput(f"weights have shape {r.shape}; wanted ({len(x)},), one for each input")
        total = np.zeros(self.size)
        for part, piece in self.pieces(x):
            piece.add(r[part], total)
        return np.asarray(total * self.weights)

    def embedding(self, polynomial: Any, direction: Array) -> Array:
        """Coefficients of x -> p(<w, x>), p = sum of polynomial[i] t^i.

        They are p_|I| psi_I(w), so their squared norm is the sum of p_i^2 ||w||^(2i).
        """
        p = np.asarray(polynomial, dtype=np.float64)
        if p.ndim != 1 or not 1 <= len(p) <= self.degree + 1:
            raise BadInput(
                f"the polynomial has shape {p.shape}; wanted 1 to {self.degree + 1} coefficients, "
                "the constant one first"
            )
        full = np.zeros(self.degree + 1)
        full[: len(p)] = p
        psi = self.matrix(np.asarray(direction, float).reshape(1, -1))[0]
        return np.asarray(full[self.degrees] * psi)

    def scaled(self, coefficients: Array) -> Array:
        """Coefficients of the bare monomials x^I."""
        c = np.asarray(coefficients, dtype=np.float64)
        if c.shape != (self.size,):
            raise BadInput(f"coefficients have shape {c.shape}; wanted ({self.size},)")
        return np.asarray(c * self.weights)

    def checked(self, inputs: Array) -> Array:
        """The inputs, once they have this dimension."""
        x = np.asarray(inputs, dtype=np.float64)
        if x.ndim != 2 or x.shape[1] != self.dimension:
            raise BadInput(f"inputs have shape {x.shape}; wanted (count, {self.dimension})")
        return x

    @property
    def rows(self) -> int:
        """Examples that are worked on at a time."""
        a = self.head_degree
        heads = math.comb(self.dimension + a, a)
        ends = math.comb(self.dimension + self.degree - a, self.dimension)
        return max(16, min(1024, CHUNK // (8 * (2 * heads + ends))))

    def pieces(self, inputs: Array) -> Iterator[tuple[slice, Piece]]:
        """Heads and tails of a few examples at a time."""
        for start in range(0, len(inputs), self.rows):
            part = slice(start, start + self.rows)
            yield part, self.piece(inputs[part])

    def piece(self, inputs: Array) -> Piece:
        """Heads and tails of these examples."""
        x = np.ascontiguousarray(inputs.T)
        *short, heads = words(x, self.head_degree)
        return Piece(self.blocks, short, heads, tails(x, self.degree - self.head_degree))


def multinomial_kernel(left: Array, right: Array, degree: int) -> Array:
    """MK_d(x, x') = sum of <x, x'>^j over j <= degree, for all rows of the two tables."""
    product = np.asarray(left, float) @ np.asarray(right, float).T
    total = np.ones_like(product)
    for _ in range(MonomialFeatures(1, degree).degree):
        total = total * product + 1.0
    return np.asarray(total)


def _gibibytes(count: int) -> str:
    return f"{count / 2**30:.3g} GiB"
