"""The span of several hidden directions from second moments, and the directions in it from tensors.

Second moments of equal neurons are a multiple of the projection on the span, and of a rotation
of the directions inside it they say nothing; third and fourth moments, asked inside the span, do.
This file does not know biases, weights or losses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.algorithms.spectral import thresholded_moment
from sqsim.errors import BadInput
from sqsim.lowrank import Array, LowRank
from sqsim.problems.problem import Problem
from sqsim.queries import Correlation, Query, Ridge, Statistic
from sqsim.seeds import Role, Seed, rng
from sqsim.special import hermite_functions
from sqsim.strategy import CSQ, SQ, ask, ask_all
from sqsim.tensors import indices

TRIALS = 60
"""Random contractions of the tensors among which the best separated one is taken."""

DESIGN = 2
"""Lines asked for each independent entry of a tensor: answers' errors then average."""


@final
@dataclass(frozen=True, eq=False)
class SpanMoments:
    """Moments of a weight g(y) in the coordinates of a span: E[g T_2], E[g T_3], E[g T_4].

    Attributes
    ----------
    basis : (d, k), orthonormal.
    second, third, fourth : symmetric tensors of Hermite moments E[g He_p(u)], u = basis' x.
    """

    basis: Array
    second: Array
    third: Array
    fourth: Array


def thresholded_span(
    problem: Problem, *, cut: float, count: int, seed: Seed = 0
) -> SQ[tuple[Array, Array]]:
    """Top eigenvectors of E[1(|y| >= cut) (x x' - I)], and the moment in them.

    One round of d(d + 1)/2 queries.  For one neuron Guo and Vijayaraghavan (2024), section 3.2;
    for several with negative biases the moment is about sum_j A_j v_j v_j', computed here.  At
    moderate biases neurons that are active together add mixed terms, and its top eigenvalues need
    not be `count` positive ones: eigenvalues are taken by size.
    """
    matrix = yield from ask(thresholded_moment(cut), cut=cut)
    return leading_span(matrix, count, seed=seed)


def correlational_span(problem: Problem, *, count: int, seed: Seed = 0) -> CSQ[tuple[Array, Array]]:
    """Eigenvectors of E[y (x x' - I)] of largest size, and the moment in them.

    One round of d(d + 1)/2 correlational queries.  The moment is sum_j a_j phi(b_j) v_j v_j',
    exactly of rank k for linearly independent directions, whatever the biases are.
    """
    matrix = yield from ask(Correlation(Ridge(power=2), "degree-2 correlation"))
    return leading_span(matrix, count, seed=seed)


def leading_span(matrix: Array | LowRank, count: int, *, seed: Seed = 0) -> tuple[Array, Array]:
    """Orthonormal eigenvectors (d, count) of largest |eigenvalue|, and the matrix in them.

    Where the answers have a smaller rank the rest is random.
    """
    d = matrix.shape[0]
    if not 1 <= count <= d:
        raise BadInput(f"{count} directions of {d}; wanted 1 to the dimension")
    basis, core = (
        (matrix.basis, matrix.core)
        if isinstance(matrix, LowRank)
        else (np.eye(d), np.asarray(matrix))
    )
    size = float(np.abs(core).max()) if core.size else 0.0
    found = np.zeros((d, 0))
    if size > 0:
        values, vectors = np.linalg.eigh(core / size)
        top = np.argsort(-np.abs(values))[:count]
        found = basis @ vectors[:, top]
    missing = count - found.shape[1]
    if missing:
        extra = rng(seed, Role.LEARNER).standard_normal((d, missing))
        found = np.linalg.qr(np.concatenate([found, extra], axis=1))[0]
    inside = found.T @ (np.asarray(matrix @ found))
    return found, np.asarray((inside + inside.T) / 2)


def thresholded_moments(
    problem: Problem, *, cut: float, count: int, seed: Seed = 0
) -> SQ[SpanMoments]:
    """`thresholded_span`, then the third and fourth thresholded moments inside the span.

    Two rounds; d(d + 1)/2 + 2 C(k + 2, 3) + 2 C(k + 3, 4) queries.  Of neurons that are hardly
    ever active together the moments are about sum_j A_j v_j^p; of others they have mixed terms,
    which a decomposition into k powers cannot tell from noise.
    """
    basis, second = yield from thresholded_span(problem, cut=cut, count=count, seed=seed)

    def query(line: Array, degree: int) -> Query:
        def weight(s: Array, y: Array) -> Array:
            values, on = np.zeros_like(s), np.abs(y) >= cut
            values[on] = hermite_functions(s[on], degree)[degree]
            return values

        form = Ridge(weight, line, levels=(-cut, cut))
        return Statistic(form, f"thresholded degree-{degree} moment")

    lines = {degree: _design(count, degree, seed) for degree in (3, 4)}
    asked = [query(basis @ line, degree) for degree in lines for line in lines[degree]]
    answers = yield from ask_all(*asked, step="tensors", cut=cut)
    return _moments(basis, second, lines, answers)


def correlational_moments(problem: Problem, *, count: int, seed: Seed = 0) -> CSQ[SpanMoments]:
    """`correlational_span`, then E[y He_3] and E[y He_4] inside the span.

    Two rounds; d(d + 1)/2 + 2 C(k + 2, 3) + 2 C(k + 3, 4) correlational queries.  The moments are
    exactly sum_j a_j sqrt(p!) c_p(b_j) v_j^p with c_p(b) = h_(p-2)(-b) phi(b) / sqrt(p (p - 1)),
    of which c_3 vanishes at b = 0 and c_4 at b = +-1, never both: Awasthi, Tang and Vijayaraghavan
    (2021) decompose such tensors.
    """
    basis, second = yield from correlational_span(problem, count=count, seed=seed)

    def query(line: Array, degree: int) -> Correlation:
        form = Ridge(lambda s: hermite_functions(s, degree)[degree], line)
        return Correlation(form, f"degree-{degree} correlation")

    lines = {degree: _design(count, degree, seed) for degree in (3, 4)}
    asked = [query(basis @ line, degree) for degree in lines for line in lines[degree]]
    answers = yield from ask_all(*asked, step="tensors")
    return _moments(basis, second, lines, answers)


def tensor_queries(count: int) -> int:
    """Scalar queries inside a span of this dimension for both tensors."""
    return DESIGN * (math.comb(count + 2, 3) + math.comb(count + 3, 4))


def separated_directions(moments: SpanMoments, *, seed: Seed = 0) -> Array:
    """Unit rows v_j, up to sign, by simultaneous diagonalisation; asks nothing.

    With M_2 = sum_j l_j v_j v_j' and N = M_3(t) + M_4(t', t') = sum_j n_j v_j v_j', the v_j are
    eigenvectors of N M_2^-1 where the ratios n_j / l_j differ: directions need to be linearly
    independent, not orthogonal, and l_j may have any signs.  Of random t, t', and each tensor
    alone, the choice of best separated ratios is taken: so degree 3 serves where degree 4
    vanishes, and the other way round.
    """
    k = len(moments.second)
    stream = rng(seed, Role.LEARNER, 1)
    inverse = np.linalg.pinv(moments.second, rcond=1e-10)
    sizes = [max(float(np.abs(t).max()), 1e-300) for t in (moments.third, moments.fourth)]
    most = max(sizes)
    best, widest = np.eye(k), -1.0
    for trial in range(TRIALS):
        t, u = stream.standard_normal((2, k))
        t, u = t / np.linalg.norm(t), u / np.linalg.norm(u)
        third = np.einsum("abc,c->ab", moments.third, t) if trial % 3 != 1 else 0.0
        fourth = np.einsum("abcd,c,d->ab", moments.fourth, u, u) if trial % 3 != 2 else 0.0
        values, vectors = np.linalg.eig((third + fourth) @ inverse / most)
        gap = _gap(values)
        if gap > widest and np.abs(np.imag(vectors)).max() < 1e-6:
            widest, best = gap, np.real(vectors)
    rows = best.T @ moments.basis.T
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _gap(values: Array) -> float:
    """Least distance of two eigenvalues, complex pairs counting as none."""
    if len(values) == 1:
        return 1.0
    real = np.sort(np.real(values))
    return float(np.diff(real).min() - 2 * np.abs(np.imag(values)).max())


def net_in_span(basis: Array, *, count: int, seed: Seed = 0) -> Array:
    """`count` unit rows of the span, far apart: the best of random sets of lines and both signs."""
    k = basis.shape[1]
    stream = rng(seed, Role.LEARNER, 2)
    rows = stream.standard_normal((40 * count, k))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    kept = [0]
    nearest = rows @ rows[0]
    while len(kept) < count:
        # Farthest point next: covers the sphere to within twice the best radius.
        kept.append(int(np.argmin(nearest)))
        nearest = np.maximum(nearest, rows @ rows[kept[-1]])
    return np.asarray(rows[kept] @ basis.T)


def _design(count: int, degree: int, seed: Seed) -> Array:
    """Lines inside the span on which a symmetric tensor of this degree is overdetermined."""
    number = DESIGN * math.comb(count + degree - 1, degree)
    lines = rng(seed, Role.LEARNER, 2 + degree).standard_normal((number, count))
    return np.asarray(lines / np.linalg.norm(lines, axis=1, keepdims=True))


def _moments(
    basis: Array, second: Array, lines: dict[int, Array], answers: Sequence[Array]
) -> SpanMoments:
    found, start = [], 0
    for degree, rows in lines.items():
        stop = start + len(rows)
        values = np.array([float(answer) for answer in answers[start:stop]])
        # h_p = He_p / sqrt(p!), and He_p(<t, u>) is the tensor He_p(u) along t.
        found.append(_tensor(rows, values * math.sqrt(math.factorial(degree)), degree))
        start = stop
    return SpanMoments(basis, second, *found)


def _tensor(lines: Array, values: Array, degree: int) -> Array:
    """The symmetric tensor whose values along these lines are nearest to the answers."""
    k = lines.shape[1]
    entries = indices(k, degree)
    orders = np.array([_orderings(index) for index in entries])
    table = np.array([np.prod(lines[:, list(index)], axis=1) for index in entries]).T * orders
    solved = np.linalg.lstsq(table, values, rcond=None)[0]
    tensor = np.zeros((k,) * degree)
    place = {index: float(value) for index, value in zip(entries, solved, strict=True)}
    for position in np.ndindex(*tensor.shape):
        tensor[position] = place[tuple(sorted(position))]
    return tensor


def _orderings(index: tuple[int, ...]) -> int:
    same = math.prod(math.factorial(index.count(axis)) for axis in set(index))
    return math.factorial(len(index)) // same
