"""Integrals over a line in as many digits as asked, each with the error that it confesses.

The integrand is any function that works on numpy arrays of balls, so that a user's own numpy code
is integrated in many digits as it stands.  Nothing is proved: a function is only known where it was
evaluated.  This file does not know Gaussians, links or queries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from sqsim.lowerbounds.precision import working_precision

Balls = NDArray[np.object_]
"""Arrays of balls; entries of functions that branch may be plain numbers."""

ORDER = 44
MOST_HALVINGS = 14


def balls(values: Any) -> Balls:
    """An object array of balls; floats are the binary fractions that they hold."""
    flat = np.asarray(values, dtype=object).ravel()
    found = np.empty(len(flat), dtype=object)
    found[:] = [v if isinstance(v, arb) else arb(float(v)) for v in flat]
    return found


def integrate(
    integrand: Callable[[Balls], Sequence[Balls]], knots: Sequence[arb], digits: int
) -> list[arb]:
    """Integrals of all components between the first and the last knot.

    Gauss-Legendre of order 44 on every panel.  A panel is halved until the last two Legendre
    coefficients of the integrand are below 10^-digits of the whole integral of its absolute value;
    they are added to the error, though a rule of order n is exact far beyond degree n.

    Parameters
    ----------
    integrand : called with ascending points; returns its components there.
    knots : ascending exact numbers; the integrand is smooth between neighbours.

    Returns
    -------
    list of arb
        Their radii hold the rounding and the truncation confessed.
    """
    todo = [(a, b) for a, b in pairwise(knots) if b > a]
    totals: list[arb] = []
    sizes: list[arb] = []
    goal = arb(10) ** -digits
    for halving in range(MOST_HALVINGS + 1):
        panels = [_panel(integrand, low, high) for low, high in todo]
        if not totals:
            totals, sizes = ([arb(0)] * len(panels[0]) for _ in range(2))
        # What counts is the whole: in a far tail no digit of a panel does.
        whole = [s + sum(p[c][2] for p in panels) for c, s in enumerate(sizes)]
        again = []
        for (low, high), panel in zip(todo, panels, strict=True):
            missed = any(error > goal * whole[c] for c, (_, error, _) in enumerate(panel))
            if missed and halving < MOST_HALVINGS:
                middle = ((low + high) / 2).mid()
                again += [(low, middle), (middle, high)]
                continue
            for c, (value, error, size) in enumerate(panel):
                totals[c] += value + arb(0, error.upper())
                sizes[c] += size
        if not again:
            break
        todo = again
    return totals


def _panel(
    integrand: Callable[[Balls], Sequence[Balls]], low: arb, high: arb
) -> list[tuple[arb, arb, arb]]:
    """Value, truncation confessed and integral of the absolute value of every component."""
    nodes, weights, last = _rule(working_precision())
    half = (high - low) / 2
    found = []
    for values in integrand(nodes * half + (low + half)):
        weighted = values * weights
        error = sum((abs(arb(weighted @ row)) for row in last), start=arb(0))
        found.append((arb(weighted.sum()) * half, error * half, arb(np.abs(weighted).sum()) * half))
    return found


@lru_cache(maxsize=4)
def _rule(bits: int) -> tuple[Balls, Balls, tuple[Balls, Balls]]:
    """Nodes, weights, and weights of the two highest Legendre coefficients.

    The coefficient of P_k is (2 k + 1) / 2 times the integral against P_k, and its own integral
    would be at most twice that.
    """
    pairs = [arb.legendre_p_root(ORDER, k, True) for k in range(ORDER)][::-1]
    nodes, weights = balls([x for x, _ in pairs]), balls([w for _, w in pairs])
    below, row = balls([1] * ORDER), nodes
    for k in range(1, ORDER - 1):
        below, row = row, (nodes * row * (2 * k + 1) - below * k) / arb(k + 1)
    return nodes, weights, (below * (2 * ORDER - 3), row * (2 * ORDER - 1))
