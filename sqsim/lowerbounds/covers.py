"""Covers of points by sets: fractional ones by linear programming, whole ones by search.

Floats propose, rationals prove: both sides of every bracket are verified exactly.  This file does
not know what the points and sets are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import final

import numpy as np
import numpy.typing as npt
from flint import fmpq_mat, fmpz_mat
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from sqsim.errors import BadInput, NotCertified

Incidence = npt.NDArray[np.bool_]
"""Row s, column p: whether set s holds point p."""

Mask = npt.NDArray[np.bool_]

SUPPORT = 1e-9
LARGEST_SYSTEM = 300
DENOMINATORS = (1, 10, 100, 10**4, 10**6, 10**9, 10**12)
NODES = 100_000
MILP_NODES = 20


@final
@dataclass(frozen=True)
class FractionalCover:
    """The least total weight of sets that covers every point with weight 1, bracketed.

    It is 1 / v for the game in which one player draws a set, the other a point, and the first
    wins where the set holds the point.

    Attributes
    ----------
    lower, upper : Fraction
        Proved by `points` and by `sets`; equal unless the program's vertex was not recognised.
    sets : weights of a cover, of sum `upper`; divided by it, the first player's mixed strategy.
    points : weights of a packing (no set holds more than 1), of sum `lower`; divided by it, the
        second player's.
    """

    lower: Fraction
    upper: Fraction
    sets: tuple[Fraction, ...]
    points: tuple[Fraction, ...]

    grade = "certified"

    @property
    def bounds(self) -> tuple[Fraction, Fraction]:
        """(lower, upper)."""
        return self.lower, self.upper


@final
@dataclass(frozen=True)
class Cover:
    """The least number of sets that covers every point, between two proved whole numbers.

    Attributes
    ----------
    sets : indices of `upper` sets that do.
    """

    lower: int
    upper: int
    sets: tuple[int, ...]

    grade = "certified"


def fractional_cover(incidence: Incidence) -> FractionalCover:
    """min sum w over w >= 0 that cover every point = max sum y over y >= 0 with y(set) <= 1.

    Raises
    ------
    BadInput
        Where some point lies in no set.
    """
    sets, points = _checked(incidence).shape
    matrix = incidence.astype(float)
    found = linprog(np.ones(sets), A_ub=-matrix.T, b_ub=-np.ones(points), method="highs")
    if not found.success:
        raise NotCertified(f"the linear program was not solved: {found.message}")
    weights, prices = np.clip(found.x, 0, None), np.clip(-found.ineqlin.marginals, 0, None)
    vertex = _vertex(incidence, weights > SUPPORT, prices > SUPPORT)
    covers = [_cover(incidence, guess) for guess in (*vertex[:1], *_guesses(weights))]
    packings = [_packing(incidence, guess) for guess in (*vertex[1:], *_guesses(prices))]
    cover = min((c for c in covers if c is not None), key=sum)
    packing = max((p for p in packings if p is not None), key=sum)
    return FractionalCover(sum(packing, Fraction(0)), sum(cover, Fraction(0)), cover, packing)


def cover_number(incidence: Incidence) -> Cover:
    """The fewest sets that cover every point.

    A cover by integer programming; the bound by the fractional cover, raised by exhaustive search
    of at most 100 000 nodes for each size.
    """
    fractional = fractional_cover(incidence)
    best = _whole_cover(incidence)
    masks = [sum(1 << int(p) for p in np.flatnonzero(row)) for row in incidence]
    lower = math.ceil(fractional.lower)
    while lower < len(best):
        try:
            smaller = _covered_by(masks, incidence, lower)
        except NotCertified:
            break
        if smaller is not None:
            best = smaller
        else:
            lower += 1
    return Cover(lower, len(best), tuple(sorted(best)))


def _checked(incidence: Incidence) -> Incidence:
    if incidence.ndim != 2 or not incidence.size or incidence.dtype != bool:
        raise BadInput("an incidence is a matrix of True and False, a row for each set")
    missed = np.flatnonzero(~incidence.any(axis=0))
    if len(missed):
        raise BadInput(
            f"point {missed[0]} lies in no set, so that no number of sets covers; add sets, or "
            "leave the point out"
        )
    return incidence


def _vertex(incidence: Incidence, sets: Mask, points: Mask) -> list[tuple[Fraction, ...]]:
    """The exact vertex with these supports: each of its sets and points is tight."""
    held = incidence[np.ix_(sets, points)]
    if held.shape[0] != held.shape[1] or len(held) > LARGEST_SYSTEM:
        return []
    guesses = []
    for support, system in ((sets, held.T), (points, held)):
        matrix = fmpq_mat(fmpz_mat(system.astype(int).tolist()))
        try:
            solution = matrix.solve(fmpq_mat(len(held), 1, [1] * len(held)))
        except ZeroDivisionError:
            return []
        guess = [Fraction(0)] * len(support)
        for place, value in zip(np.flatnonzero(support), solution.entries(), strict=True):
            guess[place] = max(Fraction(0), Fraction(int(value.p), int(value.q)))
        guesses.append(tuple(guess))
    return guesses


def _guesses(values: npt.NDArray[np.float64]) -> list[tuple[Fraction, ...]]:
    exact = [Fraction(float(value)) for value in values]
    return [tuple(value.limit_denominator(most) for value in exact) for most in DENOMINATORS]


def _cover(incidence: Incidence, guess: tuple[Fraction, ...]) -> tuple[Fraction, ...] | None:
    """The guess, scaled until it covers every point exactly once or more."""
    weights = np.array(guess, object)
    least = min(weights[column].sum() for column in incidence.T)
    return tuple(weight / least for weight in guess) if least > 0 else None


def _packing(incidence: Incidence, guess: tuple[Fraction, ...]) -> tuple[Fraction, ...] | None:
    """The guess, scaled until no set holds more than 1."""
    weights = np.array(guess, object)
    most = max(weights[row].sum() for row in incidence if row.any())
    return tuple(weight / most for weight in guess) if most > 0 else None


def _whole_cover(incidence: Incidence) -> tuple[int, ...]:
    """By integer programming; by the largest remaining set where that fails."""
    sets = len(incidence)
    found = milp(
        np.ones(sets),
        constraints=LinearConstraint(incidence.T.astype(float), lb=1.0),
        integrality=np.ones(sets),
        bounds=Bounds(0, 1),
        options={"node_limit": MILP_NODES},
    )
    if found.x is not None:
        members = np.flatnonzero(found.x > 0.5)
        if incidence[members].any(axis=0).all():
            return tuple(members.tolist())
    chosen, missing = [], np.ones(incidence.shape[1], bool)
    while missing.any():
        chosen.append(int((incidence & missing).sum(axis=1).argmax()))
        missing &= ~incidence[chosen[-1]]
    return tuple(chosen)


def _covered_by(masks: list[int], incidence: Incidence, size: int) -> tuple[int, ...] | None:
    """A cover by this many sets or fewer; None if there is none."""
    holders = [np.flatnonzero(column).tolist() for column in incidence.T]
    stack: list[tuple[tuple[int, ...], int]] = [((), (1 << len(holders)) - 1)]
    for _ in range(NODES):
        if not stack:
            return None
        chosen, missing = stack.pop()
        if not missing:
            return chosen
        left = size - len(chosen)
        if left * max((mask & missing).bit_count() for mask in masks) < missing.bit_count():
            continue
        # Some chosen set must hold the point that the fewest sets hold.
        open_points = (p for p in range(len(holders)) if missing >> p & 1)
        rarest = min(open_points, key=lambda p: len(holders[p]))
        stack += [((*chosen, s), missing & ~masks[s]) for s in holders[rarest]]
    raise NotCertified(f"{NODES} nodes did not decide whether {size} sets cover every point")
