"""How many queries agnostic learners of conjunctions, and so of ReLUs on the cube, must ask.

y = chi_S(x) flipped with probability eta, x uniform on {-1, 1}^d, |S| = k; labels
y' = floor + (1 - floor) (1 + y) / 2.  This file does not know learners.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import final

from sqsim.errors import BadInput
from sqsim.lowerbounds.certificate import Certificate
from sqsim.lowerbounds.families import ExactGram
from sqsim.lowerbounds.family_bounds import sq_parity_bound
from sqsim.lowerbounds.precision import Exact, exact_fraction, shown
from sqsim.lowerbounds.quantities import Rational
from sqsim.problems.conjunctions import ConjunctionGain
from sqsim.problems.parity import SparseParity


@final
@dataclass(frozen=True)
class ConjunctionBound:
    """What an agnostic learner of conjunctions must ask.

    Attributes
    ----------
    dimension : C(d, k), the correlational dimension of the family of label functions.
    gain : by how much the conjunction of S beats what cannot see y.
    margin : E[y H] >= margin ||H||_2 for the H that every good enough output gives.
    certificate : of the queries, with `dimension` functions; anyone may verify it.
    """

    dimension: int
    gain: Rational
    margin: Rational
    certificate: Certificate


def agnostic_conjunction_bound(
    *,
    dimension: int,
    sparsity: int,
    noise: Exact,
    excess: Exact,
    tolerance: Exact,
    floor: Exact = 0,
    digits: int = 30,
) -> ConjunctionBound:
    """Any statistical learner whose E|h - y'| is at most that of the best ReLU plus `excess`.

    The labels E[y | x] = (1 - 2 eta) chi_S are C(d, k) orthogonal functions, so that their
    correlational dimension is C(d, k).  The conjunction of S, one ReLU, has
    E|c_S - y'| = (1 - floor) / 2 - gain (`problems.conjunctions.ConjunctionGain`).  A good output
    h, clipped to [floor, 1], has E[y h] >= gain - excess, and H = h - (1 + floor) / 2 has the same
    product with y and ||H||_2 <= (1 - floor) / 2: E[y H] >= margin ||H||_2,
    margin = 2 (gain - excess) / (1 - floor).  For tolerances up to the margin `sq_parity_bound`
    covers the learner: at least C(d, k) tau^2 / (1 - 2 eta)^2 - 1 queries |phi| <= 1.

    Of any output, not of ReLUs alone, and of queries of y' since they are queries of y.  With
    floor > 0 no label is 0, and a reliable learner is meant.  Goel, Kanade, Klivans and Thaler
    (2017), Theorem 10, state hardness of sparse parities; this count is derived here.

    Parameters
    ----------
    excess : exact, at least 0 and below the gain.
    tolerance : exact, at most the margin.
    """
    problem = SparseParity(dimension, sparsity, noise=exact_fraction(noise, "noise"))
    least, above = exact_fraction(floor, "floor"), exact_fraction(excess, "excess")
    gain = ConjunctionGain(problem, least).gain
    if not 0 <= above < gain:
        raise BadInput(
            f"excess is {excess!r} and the best conjunction gains {shown(gain)}: an excess of at "
            "least 0 and below that is wanted, or blind outputs are good enough"
        )
    margin = 2 * (gain - above) / (1 - least)
    if exact_fraction(tolerance, "tolerance") > margin:
        raise BadInput(
            f"tolerance is {tolerance!r} and good outputs correlate with labels by {shown(margin)} "
            "of their norm at least: give a tolerance of at most that"
        )
    certificate = sq_parity_bound(
        dimension=dimension, sparsity=sparsity, noise=noise, tolerance=tolerance, digits=digits
    )
    count = math.comb(dimension, sparsity)
    return ConjunctionBound(count, Rational(gain), Rational(margin), certificate)


def conjunction_family(subsets: Sequence[Sequence[int]]) -> ExactGram:
    """E[c_S c_T] = 2^-|S u T| for conjunctions c_S(x) = 1(x_i = 1 for all i in S), exactly.

    Sets of one size k have E[c_S chi_T] = 2^-k if S = T and 0 otherwise: conjunctions and parities
    are biorthogonal, and 4^-k I plus parts of lower degree is this matrix, whose rank is full.
    """
    sets = [frozenset(subset) for subset in subsets]
    if not sets or len(set(sets)) < len(sets):
        raise BadInput(f"{len(sets)} subsets, wanted at least one, and each once")
    return ExactGram(tuple(tuple(Fraction(1, 2 ** len(s | t)) for t in sets) for s in sets))
