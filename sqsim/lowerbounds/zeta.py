"""The conditional mean zeta_k(y) on a small cell of labels: its range, and its square's integral.

With preimages z_b(y), zeta_k = sum_b w_b h_k(z_b), w_b proportional to phi(z_b) / |g'(z_b)|.
Everything runs inside `working_bits`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cmp_to_key
from itertools import pairwise

from flint import arb, arb_series

from sqsim.lowerbounds.branches import Branch, by_lower_end
from sqsim.lowerbounds.expansions import density, hermite_values
from sqsim.lowerbounds.levels import Cell

ORDER = 8
REACH = 12.0
SLOW = 90
FAST = 24


def grid_of(cell: Cell, cells: int) -> list[arb]:
    """Label values between the cell's ends, increasing: those at evenly spread points of every
    branch, fewer far out, and ever closer to the cell's ends, where slopes may vanish."""
    values: list[arb] = []
    for branch in cell.crossing:
        ends = sorted((branch.solve(v) for v in (cell.low, cell.high)), key=float)
        a, b = (z.mid() if abs(z) < REACH else arb(math.copysign(REACH, float(z))) for z in ends)
        nearest = 0.0 if a < 0 < b else min(abs(float(a)), abs(float(b)))
        share = float(b - a) / (2 * REACH) * math.exp(-nearest * nearest / 8)
        count = max(3, math.ceil(cells * share))
        values += [branch.value((a + (b - a) * i / count).mid()).mid() for i in range(1, count)]
    inside = sorted((v for v in values if v > cell.low and v < cell.high), key=float)
    both = cell.low.is_finite() and cell.high.is_finite()
    if inside or both:
        start = inside[len(inside) // 2] if inside else (cell.low + cell.high) / 2
        for end in (cell.low, cell.high):
            if end.is_finite():
                inside += [(end + (start - end) * part).mid() for part in _closer()]
    ordered = sorted(inside, key=cmp_to_key(by_lower_end))
    return [w for v, w in pairwise([cell.low, *ordered]) if w > v]


def _closer() -> list[arb]:
    """Distances, falling: slowly where the cells weigh something, then fast."""
    slow = [arb(1.4) ** -i for i in range(1, SLOW)]
    return slow + [slow[-1] * arb(8) ** -i for i in range(1, FAST)]


def ranges(branches: Sequence[Branch], spans: Sequence[arb], degree: int) -> list[arb] | None:
    """How far zeta_1, ..., zeta_degree can vary while every preimage stays in its span.

    zeta = h(z_0) + sum over the other preimages of w (h(z) - h(z_0)): preimages that are about
    to merge then cancel.  None where a slope may vanish.
    """
    weights = []
    for branch, z in zip(branches, spans, strict=True):
        slope = abs(branch.slope(z))
        if not (z.is_finite() and slope > 0):
            return None
        weights.append(density(z) / slope)
    first = max(range(len(weights)), key=lambda i: float(weights[i].mid()))
    values = [_hermite_range(z, degree) for z in spans]
    others = [i for i in range(len(weights)) if i != first]
    shares = {
        i: 1 / (1 + sum((v / weights[i] for j, v in enumerate(weights) if j != i), arb(0)))
        for i in others
    }
    found = []
    for k in range(1, degree + 1):
        base = values[first][k]
        found.append(2 * sum((shares[i] * (values[i][k] - base) for i in others), base).rad())
    return found


def _hermite_range(z: arb, degree: int) -> list[arb]:
    """h_0, ..., h_degree on a wide ball, by h_k' = sqrt(k) h_k-1."""
    middle = z.mid()
    at, over = hermite_values(middle, degree), hermite_values(z, degree)
    slopes = (arb(k).sqrt() * over[k - 1] * (z - middle) for k in range(1, degree + 1))
    return [at[0], *(a + s for a, s in zip(at[1:], slopes, strict=True))]


def square_integrals(
    branches: Sequence[Branch], ends: Sequence[tuple[arb, arb]], degree: int
) -> list[arb] | None:
    """E[zeta_k(Y)^2; Y in the cell], k = 1, ..., degree, by Taylor expansion with its remainder.

    In the preimage t on one branch, the density of zeta^2 is N^2 / D, N = sum_b u_b h_k(z_b(t)),
    D = sum_b u_b, u_b = phi(z_b) |z_b'|.  None where the expansion does not exist.

    Parameters
    ----------
    ends : the two ends of the preimage on each branch, in any order.
    """
    widths = [abs(b - a) for a, b in ends]
    if not all(w.is_finite() for w in widths):
        return None
    lead = max(range(len(ends)), key=lambda i: float(widths[i].mid()))
    a, b = ends[lead]
    middle = ((a + b) / 2).mid()
    level = branches[lead].value(middle).mid()
    points = [branch.solve(level, middle_of(e)) for branch, e in zip(branches, ends, strict=True)]
    low, high = (z - points[lead] for z in ((a, b) if a.mid() < b.mid() else (b, a)))
    near = _expansions(branches, points, lead, degree)
    over = _expansions(branches, [x.union(y) for x, y in ends], lead, degree)
    if near is None or over is None:
        return None
    powers = [_power(high, j + 1) - _power(low, j + 1) for j in range(ORDER + 1)]
    found = []
    for exact, wide in zip(near, over, strict=True):
        terms = [*(exact[j] for j in range(ORDER)), wide[ORDER]]
        parts = (c * x / (j + 1) for j, (c, x) in enumerate(zip(terms, powers, strict=True)))
        found.append(sum(parts, arb(0)))
    return found if all(v.is_finite() for v in found) else None


def _power(x: arb, exponent: int) -> arb:
    """By products: balls that hold 0 have no logarithm."""
    value = arb(1)
    for _ in range(exponent):
        value *= x
    return value


def middle_of(ends: tuple[arb, arb]) -> arb:
    """A point between two balls."""
    return ((ends[0] + ends[1]) / 2).mid()


def _expansions(
    branches: Sequence[Branch], points: Sequence[arb], lead: int, degree: int
) -> list[arb_series] | None:
    """Taylor series of N^2 / D for k = 1, ..., degree, in the preimage on the leading branch."""
    t = arb_series([points[lead], 1], prec=ORDER + 2)
    value = branches[lead].value(t)
    norm = 1 / (2 * arb.pi()).sqrt()
    total: arb_series | None = None
    sums: list[arb_series] = []
    for i, (branch, point) in enumerate(zip(branches, points, strict=True)):
        if abs(branch.slope(point)).contains(0):
            return None
        z = t if i == lead else _inverted(branch, point, value)
        slope = z.derivative()
        if not (slope[0].is_finite() and (slope[0] > 0 or slope[0] < 0)):
            return None
        weight = (-z * z / 2).exp() * (slope if slope[0] > 0 else -slope) * norm
        terms = [weight * h for h in _hermite_series(z, degree)]
        sums = [s + v for s, v in zip(sums, terms, strict=True)] if sums else terms
        total = weight if total is None else total + weight
    if total is None or not total[0] > 0:
        return None
    return [s * s / total for s in sums]


def _inverted(branch: Branch, point: arb, value: arb_series) -> arb_series:
    """The series z(t) with g(z(t)) = value(t) and z(0) = point, by Newton's method."""
    size = ORDER + 2
    z, known = arb_series([point], prec=size), 1
    while known < size:
        gap = branch.value(z) - value
        # The first coefficients are zero, whatever the balls say.
        rest = arb_series([arb(0)] * known + [gap[j] for j in range(known, size)], prec=size)
        step = rest / branch.slope(z)
        known = min(2 * known, size)
        z = arb_series([z[j] - step[j] for j in range(known)], prec=size)
    return z


def _hermite_series(z: arb_series, degree: int) -> list[arb_series]:
    """h_1(z), ..., h_degree(z)."""
    before, now = arb_series([0], prec=ORDER + 2), arb_series([1], prec=ORDER + 2)
    found = []
    for k in range(degree):
        before, now = now, (z * now - arb(k).sqrt() * before) / arb(k + 1).sqrt()
        found.append(now)
    return found
