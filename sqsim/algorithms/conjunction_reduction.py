"""Sparse parities with noise through any agnostic or reliable learner of conjunctions or ReLUs.

Knows the parity's dimension, sparsity and noise rate, and how queries are carried over; does not
know how the learner works, nor in which form it answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias, final, overload

import numpy as np

from sqsim.algorithms.dropped_bits import WithoutSign
from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.conjunctions import ConjunctionGain, conjunction_neuron, reliable_floor
from sqsim.problems.cube import CubeProblem
from sqsim.problems.hypothesis import ReluHypothesis, zero
from sqsim.problems.parity import SparseParity
from sqsim.queries import Correlation, Opaque
from sqsim.strategy import CSQ, SQ, Strategy, ask, together

Guess: TypeAlias = Callable[[Array], Array]
"""A hypothesis of any form, vectorised."""

MOST_CONJUNCTIONS = 200_000


@final
@dataclass(frozen=True)
class RelevantSigns:
    """What the reduction found.

    Attributes
    ----------
    declared : coordinates without which the learner gained less than half of what it promises.
    gains : E[y h] of what was learned without each coordinate, as answers tell.
    sparsity : how many relevant coordinates there are.
    """

    declared: tuple[int, ...]
    gains: tuple[float, ...]
    sparsity: int

    @property
    def found(self) -> tuple[int, ...]:
        """The relevant coordinates; empty where another number of them was declared."""
        return self.declared if len(self.declared) == self.sparsity else ()


@overload
def parity_by_conjunctions(
    problem: SparseParity,
    learn: Callable[[CubeProblem], CSQ[Guess]],
    *,
    reliable: bool = False,
    parallel: bool = True,
) -> CSQ[RelevantSigns]: ...


@overload
def parity_by_conjunctions(
    problem: SparseParity,
    learn: Callable[[CubeProblem], SQ[Guess]],
    *,
    reliable: bool = False,
    parallel: bool = True,
) -> SQ[RelevantSigns]: ...


def parity_by_conjunctions(
    problem: SparseParity,
    learn: Callable[[CubeProblem], Strategy[Any, Guess]],
    *,
    reliable: bool = False,
    parallel: bool = True,
) -> Strategy[Any, RelevantSigns]:
    """Which signs a noisy parity depends on, by a learner that is shown all but one of them.

    For each j the learner runs on labels y' = floor + (1 - floor) (1 + y) / 2 without x_j, and j
    is declared relevant where its hypothesis h, clipped to [floor, 1], has E[y h] below a quarter
    of `ConjunctionGain.gain`.  Without a relevant sign y is independent of what is shown, so that
    E[y h] = 0; without an irrelevant one the conjunction of S, a single ReLU, is still there.

    Feldman and Kothari (2015) reduce sparse parities to agnostic conjunctions; Goel, Kanade,
    Klivans and Thaler (2017), Theorem 10 [48 in the long version], carry it to ReLUs on {0, 1}^n.
    The reduction by leaving coordinates out, with its constants, is derived here.

    Parameters
    ----------
    learn : function of a CubeProblem
        Makes the strategy; it ends with a function of (n, d - 1) signs.  Any form will do.
    reliable : bool
        Labels in {floor, 1}, floor = `reliable_floor`: all positive, so that no hypothesis has
        false positives, and half of the gain is left.  Otherwise floor = 0.
    parallel : bool
        All d runs in lock-step; else one after the other.

    Notes
    -----
    Guarantee: where the learner's E|h - y'| is at most the least of all ReLUs (or conjunctions)
    plus gain / 2, the relevant signs are declared and no others, for all answers within
    Absolute(t), t < gain / 4.

    A learner that asks q queries in r rounds costs d (q + 1) queries in r + 1 rounds, or d (r + 1)
    if not parallel.  Correlational learners ask correlational queries of the parity.
    """
    floor = reliable_floor(problem) if reliable else ConjunctionGain(problem).floor
    gain = float(ConjunctionGain(problem, floor).gain)
    if problem.dimension < 2:
        raise BadInput("dimension is 1; nothing is left where its only coordinate is left out")
    runs = [
        _gained(WithoutSign(problem.dimension, j, float(floor)), learn)
        for j in range(problem.dimension)
    ]
    gains: tuple[float, ...] = ()
    if parallel:
        gains = yield from together(*runs)
    else:
        for one in runs:
            gains += ((yield from one),)
    declared = tuple(j for j, found in enumerate(gains) if found < gain / 4)
    return RelevantSigns(declared, gains, problem.sparsity)


def best_conjunction(problem: CubeProblem, *, size: int) -> CSQ[ReluHypothesis]:
    """The conjunction of `size` literals x_i = 1 with the largest E[y c]; or the constant 0.

    One round of C(d, size) correlational queries with g in [0, 1].  For labels in {0, 1} and c in
    {0, 1}, E|c - y| = E[y] + E[c] - 2 E[y c], and E[c] = 2^-size for all of them: within
    Absolute(t), at most 4 t above the best.  The search that no strategy can shorten much:
    `sqsim.lowerbounds.agnostic_conjunction_bound`.

    Parameters
    ----------
    size : how many literals, at least 1.
    """
    d = problem.dimension
    sets = _sets(d, size)
    members = np.array(sets)

    def conjunctions(x: Array) -> Array:
        # A product over columns, one literal at a time: (n, sets) and never (n, sets, size).
        found = np.ones((len(x), len(members)))
        for column in members.T:
            found *= x[:, column] > 0
        return found

    asked = Correlation(Opaque(conjunctions, len(sets)), "conjunctions", range=(0.0, 1.0))
    agreed = np.asarray((yield from ask(asked)))
    best = int(np.argmax(agreed))
    gain = 2 * float(agreed[best]) - 2.0**-size
    return conjunction_neuron(d, sets[best]) if gain > 0 else zero(d)


def _sets(dimension: int, size: int) -> list[tuple[int, ...]]:
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= dimension:
        raise BadInput(f"size is {size!r}; wanted literals on some of {dimension} coordinates")
    if math.comb(dimension, size) > MOST_CONJUNCTIONS:
        raise BadInput(
            f"C({dimension}, {size}) = {math.comb(dimension, size)} conjunctions, and at most "
            f"{MOST_CONJUNCTIONS} are asked; lower the size or the dimension"
        )
    return list(combinations(range(dimension), size))


def _gained(
    view: WithoutSign, learn: Callable[[CubeProblem], Strategy[Any, Guess]]
) -> Strategy[Any, float]:
    """E[y h] of what is learned behind this view."""
    guess = yield from view.carry(learn(CubeProblem(view.dimension - 1)))

    def clipped(x: Array) -> Array:
        shown = np.delete(x, view.coordinate, axis=1)
        return np.clip(guess(shown), view.floor, 1.0)

    asked = Correlation(Opaque(clipped), "gain without a sign", range=(0.0, 1.0))
    return float((yield from ask(asked, coordinate=view.coordinate)))
