"""Monomials of a few examples as products of heads and tails.

This file does not know weights, labels or queries.  A monomial x_i1 ... x_ij with i1 <= ... <= ij
is its first a letters, its head, times the others, its tail; heads in the order of their last
letter and tails in that of their first make blocks of products.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dgemm

from sqsim.lowrank import Array

Blocks = tuple[tuple[int, int, int, int], ...]
"""Heads, first and last tail, and the place of their coefficients, for each group of tails."""


@final
@dataclass(frozen=True, eq=False)
class Piece:
    """Bare monomials of a few examples, as heads and tails; examples in columns."""

    blocks: Blocks
    short: list[Array]
    heads: Array
    tails: Array

    def values(self, scaled: Array) -> Array:
        """The polynomial with these coefficients of bare monomials."""
        inner = np.zeros_like(self.heads)
        for heads, start, stop, place in self.blocks:
            matrix = scaled[place : place + heads * (stop - start)].reshape(heads, -1)
            _accumulate(inner[:heads], matrix, self.tails[start:stop])
        total = np.einsum("ij,ij->j", inner, self.heads)
        place = 0
        for short in self.short:
            total += scaled[place : place + len(short)] @ short
            place += len(short)
        return np.asarray(total)

    def add(self, weights: Array, total: Array) -> None:
        """Add the sum of weights_i x_i^I to `total`."""
        weighted = self.heads * weights
        for heads, start, stop, place in self.blocks:
            block = total[place : place + heads * (stop - start)].reshape(heads, -1)
            _accumulate(block, weighted[:heads], self.tails[start:stop], turned=True)
        place = 0
        for short in self.short:
            total[place : place + len(short)] += short @ weights
            place += len(short)

    def fill(self, found: Array) -> None:
        """All bare monomials, examples in rows."""
        for heads, start, stop, place in self.blocks:
            size = heads * (stop - start)
            product = self.heads[:heads, None] * self.tails[None, start:stop]
            found[:, place : place + size] = product.reshape(size, -1).T
        place = 0
        for short in self.short:
            found[:, place : place + len(short)] = short.T
            place += len(short)

    def mapped(self, function: Callable[[Array], Array]) -> Piece:
        """The piece whose monomials are function(x^I), for a function with f(st) = f(s) f(t)."""
        short = [function(each) for each in self.short]
        return Piece(self.blocks, short, function(self.heads), function(self.tails))


def _accumulate(total: Array, left: Array, right: Array, *, turned: bool = False) -> None:
    """total += left @ right, or left @ right.T where `turned`, without a temporary."""
    # BLAS counts columns first: the transposes are the arrays as they lie.
    found = dgemm(1.0, right.T, left.T, beta=1.0, c=total.T, trans_a=turned, overwrite_c=True)
    if not np.may_share_memory(found, total):
        total[:] = found.T


def tail_start(n: int, degree: int, letter: int) -> int:
    """How many tails of at most this degree have a first letter below this one."""
    return math.comb(n + degree, degree) - math.comb(n - letter + degree, degree)


def words(x: Array, degree: int) -> list[Array]:
    """Monomials of degree exactly 0, 1, ..., degree, ordered by their last letter."""
    found = [np.ones((1, x.shape[1]))]
    for j in range(1, degree + 1):
        before = found[-1]
        after = np.empty((math.comb(len(x) + j - 1, j), x.shape[1]))
        place = 0
        for letter, row in enumerate(x):
            count = math.comb(letter + j - 1, j - 1)
            np.multiply(before[:count], row, out=after[place : place + count])
            place += count
        found.append(after)
    return found


def tails(x: Array, degree: int) -> Array:
    """Monomials of degree at most this one, ordered by their first letter, the constant last."""
    n = len(x)
    found = np.ones((1, x.shape[1]))
    for j in range(1, degree + 1):
        after = np.empty((math.comb(n + j, j), x.shape[1]))
        place = 0
        for letter, row in enumerate(x):
            before = found[tail_start(n, j - 1, letter) :]
            np.multiply(before, row, out=after[place : place + len(before)])
            place += len(before)
        after[place] = 1.0
        found = after
    return found


def word_exponents(n: int, degree: int) -> NDArray[np.int8]:
    """The exponents of `_words` of exactly this degree."""
    found = np.zeros((1, n), dtype=np.int8)
    for j in range(1, degree + 1):
        parts = [found[: math.comb(i + j - 1, j - 1)] + _letter(n, i) for i in range(n)]
        found = np.concatenate(parts)
    return found


def tail_exponents(n: int, degree: int) -> NDArray[np.int8]:
    """The exponents of `_tails`."""
    constant = found = np.zeros((1, n), dtype=np.int8)
    for j in range(1, degree + 1):
        parts = [found[tail_start(n, j - 1, i) :] + _letter(n, i) for i in range(n)]
        found = np.concatenate([*parts, constant])
    return found


def _letter(n: int, i: int) -> NDArray[np.int8]:
    letter = np.zeros(n, dtype=np.int8)
    letter[i] = 1
    return letter
