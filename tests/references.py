"""Forty-digit references for Gaussian means of one neuron, none of them computed by sqsim.

Everything is reduced to one-dimensional integrals of entire functions, enclosed by Arb's
`acb.integral`; the other coordinate is in closed form.  Vectors enter as the exact rationals that
their floats are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from flint import acb, arb, ctx

ctx.dps = 60
ZERO, ONE = arb(0), arb(1)
FAR = 17
"""A tail cut this far beyond its start loses less than 1e-50 of it."""

Number = arb | acb
Weight = Callable[[acb], acb]


def density(z: Number) -> Number:
    return (-z * z / 2).exp() / (2 * arb.pi()).sqrt()


def cdf(z: Number) -> Number:
    return (-z / arb(2).sqrt()).erfc() / 2


def integral(f: Weight, low: arb, high: arb, cuts: Sequence[arb] = ()) -> arb:
    """Integral of an entire function, in pieces of length at most 1 cut at the given points."""
    if not low < high:
        return ZERO
    marks = [low, *[c for c in cuts if low < c < high], high]
    steps = int(float(high - low)) + 1
    marks += [low + (high - low) * k / steps for k in range(1, steps)]
    marks.sort(key=float)
    total = ZERO
    for a, b in pairwise(marks):
        middle = abs(f(acb((a + b) / 2)).real)
        ends = abs(f(acb(a)).real) + abs(f(acb(b)).real)
        size = (middle + ends + arb("1e-900000")) * arb("1e-41")
        piece = acb.integral(lambda z, _: f(z), a, b, rel_tol=arb("1e-41"), abs_tol=size)
        total += piece.real
    return total


@dataclass(frozen=True)
class Plane:
    """v = along w / |w| + across e, e a unit vector orthogonal to w, exactly."""

    along: arb
    across: arb
    length: arb
    first: list[arb]
    second: list[arb]

    @property
    def dimension(self) -> int:
        return len(self.first)


def plane(w: np.ndarray, v: np.ndarray) -> Plane:
    W, V = [arb(float(x)) for x in w], [arb(float(x)) for x in v]
    ww, wv = (
        sum((a * b for a, b in zip(p, q, strict=True)), ZERO) for p, q in ((W, W), (W, V))
    )
    length = ww.sqrt()
    first = [a / length for a in W]
    along = wv / length
    rest = [a - along * b for a, b in zip(V, first, strict=True)]
    square = sum((a * a for a in rest), ZERO)
    parallel = all((V[i] * W[j] - V[j] * W[i]) == 0 for i in range(len(W)) for j in range(i))
    if parallel:
        across, second = ZERO, [ZERO for _ in W]
    else:
        across = square.sqrt()
        second = [a / across for a in rest]
    return Plane(along, across, length, first, second)


def relu_moments(mean: Number, deviation: arb) -> tuple[Number, Number, Number]:
    """E[(mean + deviation Z)_+ He_j(Z)]."""
    z = mean / deviation
    return (mean * cdf(z) + deviation * density(z), deviation * cdf(z), deviation * density(z))


def step_moments(mean: Number, deviation: arb) -> tuple[Number, Number, Number]:
    """E[1(mean + deviation Z >= 0) He_j(Z)]."""
    z = mean / deviation
    return cdf(z), density(z), -z * density(z)


HERMITE: tuple[Weight, ...] = (lambda s: acb(1), lambda s: s, lambda s: s * s - 1)


def moment(
    at: Plane,
    i: int,
    j: int,
    *,
    bias: arb,
    low: arb,
    kind: Callable[[Number, arb], tuple[Number, Number, Number]] = relu_moments,
    weight: Weight = lambda s: acb(1),
    centre: arb = ZERO,
    high: arb | None = None,
) -> arb:
    """E[He_i(s) He_j(u) weight(s) 1(low <= s <= high) f(along s + across u + bias)].

    f is the positive part or the unit step; `centre` is where weight times density peaks.
    """
    top = max(float(low), 0.0, float(centre)) + FAR
    if float(at.along) > 0:
        top = max(top, -float(bias / at.along) + 1) if float(-bias / at.along) < 60 else top
    end = arb(top) if high is None or float(high) > top else high
    start = low if float(low) > -FAR - 10 else arb(-FAR - 10)
    cuts = []
    if at.across != 0:
        kink, width = -bias / at.along if not at.along.contains(0) else None, None
        if kink is not None:
            width = at.across / abs(at.along)
            cuts = [kink + width * k for k in (-24, -12, -6, -3, -1, 0, 1, 3, 6, 12, 24)]

        def f(s: acb) -> acb:
            return HERMITE[i](s) * weight(s) * density(s) * kind(at.along * s + bias, at.across)[j]

        return integral(f, start, end, cuts)
    if j:
        return ZERO
    # Parallel: the kink cuts the line.
    kink = -bias / at.along
    if at.along > 0:
        start = kink if kink > start else start
        end = end if end > kink else kink
        if float(kink) > float(end) - FAR:
            end = kink + FAR if high is None else end
    else:
        end = kink if kink < end else end

    def g(s: acb) -> acb:
        value = (at.along * s + bias) if kind is relu_moments else acb(1)
        return HERMITE[i](s) * weight(s) * density(s) * value

    return integral(g, start, end)


def vector(at: Plane, first: arb, second: arb) -> list[arb]:
    return [a * first + b * second for a, b in zip(at.first, at.second, strict=True)]


def matrix(at: Plane, entries: tuple[arb, arb, arb]) -> list[list[arb]]:
    """Entries (1, 1), (1, 2), (2, 2) in the plane's coordinates, as a d x d matrix."""
    a, b, c = entries
    d = at.dimension
    p, q = at.first, at.second
    return [
        [a * p[i] * p[j] + b * (p[i] * q[j] + q[i] * p[j]) + c * q[i] * q[j] for j in range(d)]
        for i in range(d)
    ]


def distance(value: np.ndarray, reference: object) -> tuple[float, float]:
    """Norm of value - reference, and of the reference, both computed with 60 digits."""
    flat = [arb(float(x)) for x in np.ravel(value)]
    expected: list[arb] = []

    def collect(x: object) -> None:
        if isinstance(x, list):
            for y in x:
                collect(y)
        else:
            assert isinstance(x, arb)
            expected.append(x)

    collect(reference)
    assert len(flat) == len(expected)
    expected = [ZERO if abs(b) < arb("1e-305") else b for b in expected]
    gap = sum(((a - b) ** 2 for a, b in zip(flat, expected, strict=True)), ZERO)
    size = sum((b**2 for b in expected), ZERO)
    return float(gap.abs_upper().sqrt()), float(size.abs_upper().sqrt())


def bivariate(h: arb, k: arb, r: arb) -> arb:
    """P(X <= h, Y <= k) for standard normals of correlation r, |r| < 1."""
    at = Plane(r, (1 - r * r).sqrt(), ONE, [], [])
    return moment(at, 0, 0, bias=h, low=-k, kind=step_moments)


def orthonormal(k: int, t: Number) -> Number:
    """h_k(t) = He_k(t) / sqrt(k!)."""
    before, now = t * 0, t * 0 + 1
    for j in range(k):
        before, now = now, (t * now - arb(j).sqrt() * before) / arb(j + 1).sqrt()
    return now
