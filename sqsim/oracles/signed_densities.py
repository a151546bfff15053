"""What is left of a parity of Gaussian signs along one direction, by Fourier integrals.

For x ~ N(0, I_d), chi_S(x) = prod_(i in S) sign(x_i) and |w| = 1, m(t) is E[chi_S | <w, x> = t]
times the normal density, so that E[chi_S h(<w, x>)] is the integral of h m.  This file does not
know queries or labels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np
from scipy.special import dawsn

from sqsim.lowrank import Array
from sqsim.oracles.few_signs import MOST_SIGNS, OUTSIDE, WHOLE, closed_densities

REACH = 9.5
"""Where integrals over t stop: the normal density is 1e-20 there."""
STEP = 2 * math.pi / (REACH + 12.0)
"""Of the trapezoidal rule in u: images of m, a period 2 pi / STEP away, are below 1e-31."""
MOST_NODES = 2**15
BLOCK = 2**11
GOAL = 1e-14
"""Of what the integral over u loses beyond its end."""
HIGHEST = 0.8
"""At least |g| and |g'| anywhere; both are at most FALL / u too."""
FALL = 1.03
UNIT = 2.0**-53
# One odd: two even rules give the same wrong answer for a jump near the middle of a panel.
NODES, FEWER = 20, 15
SAFETY = 200
"""QUADPACK's, in its estimate of what a rule misses."""
TAIL_NODES = 40
TAIL_END = 14.0

_HALF = np.concatenate([2.0 ** np.arange(-12, 0), np.arange(1.0, 9.0), [REACH]])
KNOTS = np.concatenate([-_HALF[::-1], [0.0], _HALF])
"""Panels are fine at 0, where m can turn within any of the weights."""
_FINER = 2.0 ** np.arange(-50, -12)
FINER_KNOTS = np.concatenate([-_FINER, _FINER])
"""Further ones where m is in closed form and nothing smooths it."""


def sine_mean(u: Array) -> Array:
    """g(u) = E[sin(u |z|)] = (2 / sqrt(pi)) D(u / sqrt(2)), D Dawson's integral."""
    return np.asarray(2 / math.sqrt(math.pi) * dawsn(u / math.sqrt(2)))


@final
@dataclass(frozen=True)
class ParityMoment:
    """E[chi_S T_p(x) h(<w, x>)], (1,) for p = 0 and (d,) for p = 1, and a bound of its error."""

    value: Array
    error: Array


def parity_moment(
    h: Callable[[Array], Array],
    weights: Array,
    subset: Sequence[int],
    *,
    power: int = 0,
    kinks: Sequence[float] = (),
) -> ParityMoment:
    """The mean against a parity, for functions of one direction.

    As E[e^(iuz) sign z] = i g(u), the transform of m is i^k prod_(i in S) g(u w_i) times
    exp(-u^2 rho^2 / 2), rho^2 = sum_(i not in S) w_i^2.  For T_1, one factor becomes g'(u w_i), or
    the whole is multiplied by i u w_i.  For k <= 2, m is in closed form.

    The error is estimated from two quadrature rules, plus what was cut off and rounded: about
    1e-13, but 1e-9 for k = 4 and 1e-6 for k = 3 where rho is 0 or tiny, since the transform then
    falls like u^(-k), and more where h has kinks that are not declared.
    Exactly 0 where fewer coordinates of S have a weight than the parity needs to be seen.
    """
    # Squares of tiny weights are 0 or lose their digits.
    largest = float(np.max(np.abs(weights))) or 1.0
    size = largest * float(np.linalg.norm(weights / largest))
    count = len(weights) if power else 1
    unseen = [i for i in subset if weights[i] == 0.0]
    if len(unseen) > power:
        return ParityMoment(np.zeros(count), np.zeros(count))
    if size == 0.0:
        value = np.zeros(count)
        if len(unseen) == power:
            value[unseen] = math.sqrt(2 / math.pi)
            value[0] = 1.0 if not power else value[0]
        value = value * h(np.zeros(1))[0]
        return ParityMoment(value, 4 * UNIT * np.abs(value))
    unit = weights / size
    rows, place = _rows(unit, subset, unseen, power)
    found, errors = _integrals(h, size, unit, subset, rows, kinks)
    value, error = np.zeros(count), np.zeros(count)
    for row, entries in enumerate(place):
        value[entries] = found[row]
        error[entries] = errors[row]
    if rows and rows[-1] is OUTSIDE:
        outside = np.array(place[-1])
        value[outside] *= unit[outside]
        error[outside] *= np.abs(unit[outside])
    return ParityMoment(value, error)


def _rows(
    unit: Array, subset: Sequence[int], unseen: Sequence[int], power: int
) -> tuple[list[int], list[list[int]]]:
    """The densities that are needed, and the entries of the answer that each gives."""
    if not power:
        return [WHOLE], [[0]]
    rows = list(unseen) if unseen else list(subset)
    place = [[i] for i in rows]
    outside = [] if unseen else [i for i in range(len(unit)) if unit[i] and i not in subset]
    if outside:
        rows, place = [*rows, OUTSIDE], [*place, outside]
    return rows, place


def _integrals(
    h: Callable[[Array], Array],
    size: float,
    unit: Array,
    subset: Sequence[int],
    rows: Sequence[int],
    kinks: Sequence[float],
) -> tuple[Array, Array]:
    """Integrals of h(size t) against each density, and their errors."""
    inner = tuple(sorted({k / size for k in kinks if abs(k) < REACH * size}))
    results, around, noise = [], np.zeros(0), np.zeros(len(rows))
    for nodes in (FEWER, NODES):
        t, spread = _panels(_knots(inner, len(subset)), nodes)
        values = h(size * t)
        density, bound = _densities(inner, nodes, unit.tobytes(), tuple(subset), tuple(rows))
        panels = (density * (spread * values)).reshape(len(rows), -1, nodes)
        results.append(panels.sum(axis=2))
        widths = spread.reshape(-1, nodes) / spread.reshape(-1, nodes).sum(axis=1, keepdims=True)
        around = np.abs(panels - results[-1][:, :, None] * widths).sum(axis=2)
        noise = np.maximum(noise, bound * float(np.abs(values) @ spread))
    beyond, spread = _panels(np.array([REACH, TAIL_END]), TAIL_NODES)
    ends = np.abs(h(size * beyond)) + np.abs(h(-size * beyond))
    left = float((ends * np.exp(-beyond * beyond / 2) * (1 + beyond)) @ spread)
    missed = _truncation(np.abs(results[1] - results[0]), around)
    missed += _at_the_ends(h, size, _knots(inner, len(subset)), values, density)
    return results[1].sum(axis=1), missed.sum(axis=1) + noise + left


def _at_the_ends(
    h: Callable[[Array], Array], size: float, knots: Array, values: Array, density: Array
) -> Array:
    """What a jump beyond the outermost nodes of a panel, which no rule sees, may cost.

    `values` are those of h at the nodes; they are carried to the ends by a polynomial.
    """
    half = np.diff(knots) / 2
    inset = 1e-9 * half
    rows, cost = values.reshape(-1, NODES), np.zeros((len(density), len(half)))
    outermost = np.abs(density.reshape(len(density), -1, NODES)[:, :, [0, -1]])
    for side, at in enumerate((knots[:-1] + inset, knots[1:] - inset)):
        surprise = np.abs(rows @ _to_ends()[:, side] - h(size * at))
        cost += surprise * (1 - float(_rule(NODES)[0][-1])) * half * outermost[:, :, side]
    return cost


@lru_cache(maxsize=1)
def _to_ends() -> Array:
    """(NODES, 2) weights that carry values at the nodes to -1 and 1: barycentric Lagrange."""
    at, _ = _rule(NODES)
    gaps = at[:, None] - at
    np.fill_diagonal(gaps, 1.0)
    parts = 1 / gaps.prod(axis=1)[:, None] / (np.array([-1.0, 1.0]) - at[:, None])
    return np.asarray(parts / parts.sum(axis=0))


def _truncation(difference: Array, around: Array) -> Array:
    """QUADPACK's estimate from two rules and the mean distance of values from their mean.

    Two rules may agree by chance on a panel that neither resolves.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(around > 0, SAFETY * difference / around, 0.0)
    return np.maximum(difference, around * np.minimum(1.0, ratio**1.5))


@lru_cache(maxsize=4)
def _rule(nodes: int) -> tuple[Array, Array]:
    at, spread = np.polynomial.legendre.leggauss(nodes)
    return np.asarray(at), np.asarray(spread)


def _knots(inner: tuple[float, ...], signs: int) -> Array:
    finer = FINER_KNOTS if signs <= MOST_SIGNS else FINER_KNOTS[:0]
    return np.unique(np.concatenate([KNOTS, finer, np.array(inner, dtype=np.float64)]))


def _panels(knots: Array, nodes: int) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on all panels."""
    at, spread = _rule(nodes)
    half = np.diff(knots)[:, None] / 2
    return (knots[:-1, None] + half * (1 + at)).ravel(), (half * spread).ravel()


@lru_cache(maxsize=16)
def _densities(
    inner: tuple[float, ...],
    nodes: int,
    direction: bytes,
    subset: tuple[int, ...],
    rows: tuple[int, ...],
) -> tuple[Array, Array]:
    """Each density at the nodes of all panels, (rows, n), and a bound of its error.

    Kept for a few directions, along each of which learners ask several functions.
    """
    t, _ = _panels(_knots(inner, len(subset)), nodes)
    unit = np.frombuffer(direction)
    members = np.zeros(len(unit), dtype=bool)
    members[list(subset)] = True
    rest = float(np.linalg.norm(unit[~members]))
    if 1 <= len(subset) <= MOST_SIGNS:
        return closed_densities(t, unit, subset, rest, rows), np.full(len(rows), 32 * UNIT)
    return transformed_densities(t, unit, subset, rest, rows)


def transformed_densities(
    t: Array, unit: Array, subset: Sequence[int], rest: float, rows: Sequence[int]
) -> tuple[Array, Array]:
    """The same by the trapezoidal rule in u."""
    end, lost = _cut(np.abs(unit[list(subset)]), rest, OUTSIDE in rows)
    u = STEP * np.arange(min(math.ceil(end / STEP), MOST_NODES) + 1, dtype=np.float64)
    found, moved = np.zeros((len(rows), len(t))), np.zeros(len(rows))
    orders = [len(subset) + {WHOLE: 0, OUTSIDE: 1}.get(row, -1) for row in rows]
    for start in range(0, len(u), BLOCK):
        part = u[start : start + BLOCK]
        angles = part[:, None] * t
        # All rows but those outside S have one parity, so one of the two is seldom needed.
        waves = {odd: (np.cos, np.sin)[odd](angles) for odd in {order % 2 for order in orders}}
        for row, transform in enumerate(_transforms(part, unit, subset, rest, rows)):
            weighted = STEP / math.pi * transform
            if start == 0:
                weighted[0] /= 2
            turn = -1.0 if orders[row] // 2 % 2 else 1.0
            found[row] += turn * (weighted @ waves[orders[row] % 2])
            # An angle u t is off by its rounding.
            moved[row] += np.abs(weighted) @ (1 + REACH * part)
    return found, 8 * UNIT * moved + lost


def _transforms(
    u: Array, unit: Array, subset: Sequence[int], rest: float, rows: Sequence[int]
) -> list[Array]:
    """The transforms of the densities but for a power of i."""
    factors = {i: sine_mean(u * unit[i]) for i in subset}
    smooth = np.exp(-((u * rest) ** 2) / 2)
    found = []
    for row in rows:
        product = smooth * (u if row == OUTSIDE else 1.0)
        for i in subset:
            # g'(u) = sqrt(2 / pi) - u g(u).
            slope = math.sqrt(2 / math.pi) - u * unit[i] * factors[i]
            product = product * (slope if i == row else factors[i])
        found.append(product)
    return found


def _cut(sizes: Array, rest: float, raised: bool) -> tuple[float, float]:
    """Where the integral over u stops, and what it loses."""
    end, lost = 1.0, math.inf
    while end < STEP * MOST_NODES:
        end = min(end * 1.1, STEP * MOST_NODES)
        bounds = np.minimum(HIGHEST, FALL / np.maximum(end * sizes, 1e-300))
        height = float(np.prod(bounds)) * math.exp(-((end * rest) ** 2) / 2)
        height *= end if raised else 1.0
        power = int((bounds < HIGHEST).sum()) - raised
        by_power = height * end / (power - 1) if power > 1 else math.inf
        by_smoothing = height / (end * rest * rest) if rest * end > 1 else math.inf
        lost = min(by_power, by_smoothing) / math.pi
        if lost <= GOAL:
            break
    return end, lost
