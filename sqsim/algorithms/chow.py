"""Piecewise polynomial regression on the Chow direction: the approximation scheme for a ReLU.

Improper: what is learnt is zero, a polynomial and a line on three slabs of the direction E[y x].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import comb, inf
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.inputs import Gaussian
from sqsim.lowrank import Array, dense
from sqsim.problems.problem import Problem
from sqsim.queries import Correlation, Opaque, Ridge
from sqsim.special import hermite_functions
from sqsim.strategy import CSQ, ask, ask_all

STRUCTURED = 2
"""Degree up to which T_p holds all the polynomials across the direction."""


@final
@dataclass(frozen=True, eq=False)
class Piece:
    """A polynomial on low <= <direction, x> < high.

    Attributes
    ----------
    along : (a, a) array
        Row j: coefficients, in 1, s, s^2, ..., of the polynomial q_j, orthonormal on the piece.
    terms : tuple of (m, (a_m, n_m) array)
        For each degree m across: coefficients of q_j(s) times the n_m Hermite products of degree m
        in the coordinates across, in the order of `multi_indices`.
    """

    low: float
    high: float
    along: Array
    terms: tuple[tuple[int, Array], ...]


@final
@dataclass(frozen=True, eq=False)
class PiecewisePolynomial:
    """x -> the piece that <frame[:, 0], x> lies in, and 0 outside all of them.

    `frame` is orthogonal, its first column the direction; `explained` is E[y^2] minus the loss if
    the coefficients are exact: the sum of their squares.
    """

    frame: Array
    pieces: tuple[Piece, ...]

    def __call__(self, inputs: Array) -> Array:
        turned = inputs @ self.frame
        s, across = turned[:, 0], turned[:, 1:]
        found = np.zeros(len(inputs))
        for piece in self.pieces:
            inside = (piece.low <= s) & (s < piece.high)
            for degree, weights in piece.terms:
                columns = _across(across[inside], degree)
                rows = _along(piece.along[: len(weights)], s[inside])
                found[inside] += np.einsum("jn,jk,nk->n", rows, weights, columns)
        return found

    @property
    def explained(self) -> float:
        """The energy of the label that the hypothesis takes away."""
        return float(sum((w**2).sum() for piece in self.pieces for _, w in piece.terms))


def piecewise_regression(
    problem: Problem, *, width: float, degree: int = 2
) -> CSQ[PiecewisePolynomial]:
    """0 below the slab |<w, x>| <= width, a polynomial on it, a line above it, w = 2 E[y x].

    Diakonikolas, Goel, Karmalkar, Klivans and Soltanolkotabi (2020), x ~ N(0, I): with
    degree = 1/eta^3 and width = gamma sqrt(OPT), gamma of order sqrt(log(1/eta)), the loss is at
    most (1 + eta) OPT + epsilon.  Each piece is the L2 projection of the label on its polynomials,
    so no other hypothesis of this shape loses less; the loss falls as the degree grows.

    Correlational, two rounds: d queries for w, then on the slab sum over m <= degree of
    (degree + 1 - m) n_m with n_0 = 1, n_1 = d, n_2 = d(d + 1)/2 and n_m = C(d + m - 2, m) beyond,
    and d + 2 above it.  The basis is orthonormal on each piece (Hermite products across the
    direction), so that the rest of the least squares is label-free.  Up to degree 2 every query
    is a Ridge and has exact means; beyond, the terms of degree 3 and more across the direction are
    Opaque, which sampling answers.

    Parameters
    ----------
    width : float
        Half of the slab, in units of <w, x>.
    degree : int
        Total degree of the polynomial on the slab.
    """
    if not 0 < width < np.inf or degree < 1:
        raise BadInput(f"width {width} and degree {degree}; wanted a positive width, degree >= 1")
    if not isinstance(problem.inputs, Gaussian):
        raise BadInput(
            f"inputs are {type(problem.inputs).__name__}; the pieces' bases are orthonormal under "
            "Gaussian inputs only: use one_shot_regression"
        )
    w = 2 * np.asarray((yield from ask(Correlation(Ridge(power=1), "degree-1 correlation"))))
    length = float(np.linalg.norm(w))
    if length == 0.0:
        return PiecewisePolynomial(np.eye(problem.dimension), ())
    edge = width / length
    frame = _completed(w / length)
    plans = [
        _Plan(low, high, _orthonormal(low, high, top), top)
        for low, high, top in ((-edge, edge, degree), (edge, inf, 1))
        if _mass(low, high) > 0
    ]
    asked = [query for plan in plans for query in plan.queries(frame)]
    answers = iter((yield from ask_all(*asked, step="pieces", w=w, b=0.0)))
    return PiecewisePolynomial(frame, tuple(plan.piece(frame, answers) for plan in plans))


@final
@dataclass(frozen=True, eq=False)
class _Plan:
    """What is asked about one piece, and how the answers are read."""

    low: float
    high: float
    along: Array
    degree: int

    def queries(self, frame: Array) -> Iterator[Correlation]:
        """For each degree m across, then each q_j with j + m <= degree: E[y q_j H_m 1(piece)]."""
        kinks = tuple(end for end in (self.low, self.high) if np.isfinite(end))
        for m, j in self._order(frame):

            def weight(s: Array, j: int = j) -> Array:
                inside = (self.low <= s) & (s < self.high)
                return np.where(inside, _along(self.along[j : j + 1], s)[0], 0.0)

            name = f"degree {j} along, {m} across"
            if m <= STRUCTURED:
                yield Correlation(Ridge(weight, frame[:, 0], power=m, kinks=kinks), name)
                continue

            def product(x: Array, m: int = m, weight=weight) -> Array:  # type: ignore[no-untyped-def]
                turned = x @ frame
                found: Array = weight(turned[:, 0])[:, None] * _across(turned[:, 1:], m)
                return found

            size = comb(frame.shape[0] + m - 2, m)
            if size:
                yield Correlation(Opaque(product, size), name)

    def piece(self, frame: Array, answers: Iterator[Array]) -> Piece:
        """The coefficients, from the answers to `queries` in order."""
        rows: dict[int, list[Array]] = {}
        side = frame[:, 1:]
        for m, _ in self._order(frame):
            if m > STRUCTURED and not side.size:
                continue
            answer = next(answers)
            if m == 0:
                found = np.atleast_1d(float(answer))
            elif m == 1:
                found = np.asarray(answer) @ side
            elif m == 2:
                square = side.T @ dense(answer) @ side
                # x_i x_j off the diagonal, (x_i^2 - 1) / sqrt 2 on it.
                found = np.array(
                    [
                        square[i, k] / (np.sqrt(2) if i == k else 1.0)
                        for i, k in multi_indices(side.shape[1], 2)
                    ]
                )
            else:
                found = np.asarray(answer)
            rows.setdefault(m, []).append(found)
        terms = tuple((m, np.stack(each)) for m, each in rows.items() if each[0].size)
        return Piece(self.low, self.high, self.along, terms)

    def _order(self, frame: Array) -> Iterator[tuple[int, int]]:
        for m in range(self.degree + 1):
            for j in range(self.degree + 1 - m):
                yield m, j


def multi_indices(count: int, degree: int) -> list[tuple[int, ...]]:
    """Products of `degree` of `count` coordinates, each as the ascending list of its factors."""
    return list(combinations_with_replacement(range(count), degree))


def _across(points: Array, degree: int) -> Array:
    """The orthonormal Hermite products of this degree at (n, k) points: (n, number of them)."""
    table = hermite_functions(points, degree)
    found = [
        np.prod([table[index.count(i)][:, i] for i in set(index)], axis=0)
        if index
        else np.ones(len(points))
        for index in multi_indices(points.shape[1], degree)
    ]
    return np.stack(found, axis=1) if found else np.zeros((len(points), 0))


def _along(rows: Array, s: Array) -> Array:
    """The polynomials of these coefficient rows at s: (rows, n)."""
    return np.asarray(rows @ np.power(s[None, :], np.arange(rows.shape[1])[:, None]))


def _completed(direction: Array) -> Array:
    """An orthogonal matrix with this first column."""
    q = np.linalg.qr(np.column_stack([direction, np.eye(len(direction))]))[0]
    return np.column_stack([direction, q[:, 1:]])


def _mass(low: float, high: float) -> float:
    """P(low <= g < high)."""
    from scipy.special import ndtr

    return float(ndtr(-low) - ndtr(-high))


def _orthonormal(low: float, high: float, degree: int) -> Array:
    """Coefficient rows of the polynomials orthonormal under N(0, 1) restricted to a piece.

    By modified Gram-Schmidt on Gauss-Legendre nodes, on a piece cut at 12 deviations.
    """
    start, stop = max(low, -12.0), min(high, max(low, 0.0) + 12.0)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    s = (start + stop) / 2 + (stop - start) / 2 * nodes
    density = np.exp(-s * s / 2) / np.sqrt(2 * np.pi) * weights * (stop - start) / 2
    powers = np.power(s[None, :], np.arange(degree + 1)[:, None])
    rows = np.zeros((degree + 1, degree + 1))
    for j in range(degree + 1):
        row = np.eye(degree + 1)[j]
        for _ in range(2):
            for done in rows[:j]:
                row = row - ((row @ powers) * (done @ powers) @ density) * done
        rows[j] = row / np.sqrt(((row @ powers) ** 2) @ density)
    return rows
