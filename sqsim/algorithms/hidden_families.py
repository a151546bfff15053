"""Learners of hard families: one that asks member by member, and one that looks at the energy.

The first is all that correlations can do about orthogonal families; the second asks one genuine
statistical query.  This file does not know secrets.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array, LowRank, dense
from sqsim.problems.components import NonGaussianComponent
from sqsim.problems.orthogonal_networks import OrthogonalNetworks
from sqsim.problems.planes import AlternatingPlane
from sqsim.problems.problem import Problem
from sqsim.queries import Correlation, Ridge, Statistic
from sqsim.special import hermite_functions
from sqsim.strategy import CSQ, SQ, ask, ask_all

MOST_SETS = 100_000


def best_orthogonal_network(problem: OrthogonalNetworks) -> CSQ[tuple[int, ...] | None]:
    """The set whose network agrees most with the label, None where nothing agrees with any.

    Exhaustive: one round of C(d, k) correlational queries y f_T(x) / ||f_T|| of norm 1.  The
    answer is ||f_S|| for the secret set and 0 for all others (E[y f_S] / ||f_S||, if the label is a
    p-concept), so it finds S at tolerance L2(tau) with tau below half that, under toward-zero
    answers with tau below all of it.  Goel, Gollakota, Jin, Karmalkar and Klivans (2020): no
    correlational learner needs far fewer queries at a tolerance that is small for one query.
    """
    count = math.comb(problem.dimension, problem.size)
    if count > MOST_SETS:
        raise BadInput(f"there are {count} sets; at most {MOST_SETS} are asked one by one")
    sets = list(combinations(range(problem.dimension), problem.size))
    unit = math.sqrt(problem.squared_norm)
    answers = yield from ask_all(
        *(Correlation(_scaled(problem.function(t), 1 / unit), "one network") for t in sets)
    )
    best = _largest(answers)
    return None if best is None else sets[best]


def best_plane(problem: AlternatingPlane, bases: Sequence[Array]) -> CSQ[int | None]:
    """Which of these planes agrees most with the label, None where nothing agrees with any.

    One round of one correlational query y f(P'x) / ||f||, of norm 1, for each (d, 2) basis.  A
    plane with the basis Q has an answer of at most ||P'Q||^k ||f||, P the secret one.
    """
    unit = math.sqrt(problem.squared_norm)
    answers = yield from ask_all(
        *(Correlation(_scaled(problem.function(b), 1 / unit), "one plane") for b in bases)
    )
    return _largest(answers)


def energy_subspace(problem: Problem, *, rank: int) -> SQ[Array]:
    """Orthonormal basis, (d, rank), of the top eigenvectors by size of E[y^2 (x x' - I)].

    One round of one Statistic of d(d + 1)/2 scalars: not correlational, the weight is y^2.  For
    y = f_S(x) the matrix is a multiple of the projection on the coordinates of S, since the sign of
    any one of them leaves f_S^2 as it is; for an AlternatingPlane of order above 1, of that on the
    plane, which f^2 has a symmetry of order 2k in (derived here).  Labels of -1 and 1 have no
    energy but 1, and show nothing.
    """
    if not 1 <= rank <= problem.dimension:
        raise BadInput(f"rank is {rank}; wanted 1 to the dimension {problem.dimension}")
    answer = yield from ask(Statistic(Ridge(np.square, power=2), "energy of the label"))
    matrix = dense(answer) if isinstance(answer, LowRank) else np.asarray(answer)
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return np.asarray(vectors[:, np.argsort(-np.abs(values))[:rank]])


def coordinates_of(basis: Array) -> tuple[int, ...]:
    """The coordinates that a subspace lies along most: as many as it has dimensions."""
    leverage = np.sum(np.square(basis), axis=1)
    return tuple(sorted(int(i) for i in np.argsort(-leverage)[: basis.shape[1]]))


def best_component(problem: NonGaussianComponent, directions: Sequence[Array]) -> CSQ[int | None]:
    """Which of these directions is least Gaussian in the first moment that may differ.

    One round of one query y h_2m(<u, x>) for each unit direction u, of mean 0 on N(0, I).  The
    answer is c_2m <u, v>^2m, |c_2m| = (1 - s)^m m! / sqrt((2m)!), halved where the problem is
    labelled; None where no answer differs from 0.  Where y = 1 always this is a statistical query
    about x alone.
    """
    degree = problem.matched_moments + 1

    def h(t: Array) -> Array:
        return np.asarray(hermite_functions(t, degree)[degree])

    answers = yield from ask_all(
        *(Correlation(Ridge(h, _unit(u)), f"moment of degree {degree}") for u in directions)
    )
    return _largest(answers)


def _largest(answers: Sequence[Any]) -> int | None:
    """Where the largest of the answers by size stands, None if all are 0."""
    sizes = np.abs(np.array([float(a) for a in answers]))
    return int(np.argmax(sizes)) if sizes.size and sizes.max() > 0 else None


def _unit(u: Array) -> Array:
    length = float(np.linalg.norm(u))
    if not 0 < length < np.inf:
        raise BadInput(f"a direction has length {length}; wanted finite non-zero vectors")
    return np.asarray(u / length)


def _scaled(form: Ridge, factor: float) -> Ridge:
    h = form.h
    assert h is not None
    return replace(form, h=lambda s: factor * h(s))
