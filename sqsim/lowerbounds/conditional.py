"""What a label says about Hermite polynomials: lambda_k^2 = E[E[h_k(Z) | Y]^2], in proved brackets.

Y = g(Z), Z ~ N(0, 1).  On a set of label values whose preimage is J, data processing and Jensen
give E[h_k; J]^2 / P(J) <= E[zeta_k(Y)^2; J] <= E[h_k^2; J] for zeta_k(y) = E[h_k | Y = y].  Flat
pieces of g meet the lower end, sets with one preimage a value the upper end, both exactly; the
rest is cut into cells until the bracket is narrow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import final

from flint import arb

from sqsim.errors import BadInput, NotCertified
from sqsim.links import Link, Sigmoid
from sqsim.lowerbounds.branches import INFINITY, Branch, Shape
from sqsim.lowerbounds.damped import DampedSquare
from sqsim.lowerbounds.expansions import Expansion, density, hermite_values, upper_tail
from sqsim.lowerbounds.levels import Cell, cells_of, shape_of
from sqsim.lowerbounds.named import expansion_of
from sqsim.lowerbounds.pieces import variable
from sqsim.lowerbounds.precision import Enclosure, enclose, working_bits
from sqsim.lowerbounds.zeta import grid_of, ranges, square_integrals

LARGEST_DEGREE = 40
MOST_CELLS = 20_000
DIGITS = 40
NEGLIGIBLE = 1e-13
VACUOUS = Enclosure("0", "1")


def lambda_squared(
    link: Link | Expansion, *, max_degree: int = 8, cells: int = 1000
) -> tuple[Enclosure, ...]:
    """lambda_k^2 = E[zeta_k(Y)^2], zeta_k(y) = E[h_k(Z) | Y = y], for k = 1, ..., max_degree.

    Y = g(Z) without noise; lambda_k^2 is in [0, 1], and the chi-square correlation of the laws of
    (x, Y) with hidden directions u and v is sum_k lambda_k^2 <u, v>^k (Damian et al., COLT 2024).

    Parameters
    ----------
    link : Link or Expansion
        Piecewise polynomials, strictly monotone functions, waves, Hermite series, residuals of
        piecewise polynomials, t^2 exp(-t^2).  Others get the bracket [0, 1].
    cells : int
        How finely the line is cut where a value has several preimages: the bracket's width falls
        like cells^-2, the time grows like cells * max_degree.

    Returns
    -------
    tuple of Enclosure
        Forty digits where g is injective off its flat pieces (after folding an even g); a point
        where the value is proved to be exactly 0.
    """
    check_max_degree(max_degree)
    if isinstance(cells, bool) or not isinstance(cells, int) or not 8 <= cells <= MOST_CELLS:
        raise BadInput(f"cells is {cells!r}; cut the line into 8 to {MOST_CELLS} cells")
    f = increasing_core(link)
    with working_bits(192 + 8 * max_degree):
        try:
            shape = shape_of(f)
            found = None if shape is None else _Sums(max_degree, shape).brackets(cells)
        except NotCertified:
            found = None
    if found is None:
        return (VACUOUS,) * max_degree
    if isinstance(f, DampedSquare) and max_degree >= 2:
        # zeta_2 = 0: with u = t^2, the two preimages of u exp(-u) weigh u - 1 by -1 and +1.
        found[1] = Enclosure("0", "0")
    return tuple(found)


def increasing_core(link: Link | Expansion) -> Expansion:
    """An expansion that generates the same events as the link."""
    if isinstance(link, Sigmoid):
        return variable()
    return link if isinstance(link, Expansion) else expansion_of(link)


def check_max_degree(max_degree: int) -> None:
    """Whether exponents can be looked for up to this degree."""
    whole = isinstance(max_degree, int) and not isinstance(max_degree, bool)
    if not whole or not 1 <= max_degree <= LARGEST_DEGREE:
        raise BadInput(f"max_degree is {max_degree!r}; wanted 1 to {LARGEST_DEGREE}")


@final
@dataclass(frozen=True, eq=False)
class _Integrals:
    """P(J), E[h_k; J] and E[h_k^2; J], k = 1, 2, ..., over a set J of points."""

    mass: arb
    first: list[arb]
    second: list[arb]

    def mean_square(self, i: int) -> arb:
        """E[h_(i+1); J]^2 / P(J)."""
        return self.first[i] * self.first[i] / self.mass

    def combined(self, other: _Integrals, factor: int) -> _Integrals:
        return _Integrals(
            self.mass + factor * other.mass,
            [a + factor * b for a, b in zip(self.first, other.first, strict=True)],
            [a + factor * b for a, b in zip(self.second, other.second, strict=True)],
        )


@final
class _Sums:
    """Lower and upper sums over the cells of one link."""

    def __init__(self, degree: int, shape: Shape) -> None:
        self.degree, self.shape = degree, shape
        self.lower = [arb(0)] * degree
        self.upper = [arb(0)] * degree
        self.squares = [_square_weights(k) for k in range(1, degree + 1)]
        self.nothing = _Integrals(arb(0), [arb(0)] * degree, [arb(0)] * degree)
        beyond = self._between(shape.reach, INFINITY)
        self.outside = self.nothing.combined(beyond, 2)

    def brackets(self, cells: int) -> list[Enclosure]:
        """One bracket a degree, from 1 on."""
        for atom in self.shape.atoms:
            parts = [self._between(a, b) for a, b in atom]
            whole = _total(parts, self.nothing)
            self._add(whole, best=[whole.mean_square(i) for i in range(self.degree)])
        for cell in cells_of(self.shape.branches):
            self._cell(cell, cells)
        factor = 2 if self.shape.even else 1
        found = []
        for i, (low, high) in enumerate(zip(self.lower, self.upper, strict=True)):
            if self.shape.even and i % 2 == 0:
                found.append(Enclosure("0", "0"))
            else:
                found.append(_bracket(self._widened(i, factor * low), factor * high
                                      + self.outside.second[i]))  # fmt: skip
        return found

    def _cell(self, cell: Cell, cells: int) -> None:
        single = len(cell.crossing) == 1 and not cell.special
        levels = [cell.low, cell.high]
        if not single and not cell.special:
            levels = [cell.low, *grid_of(cell, cells), cell.high]
        points = [_solutions(branch, levels) for branch in cell.crossing]
        primitives = [[self._primitive(z) for z in row] for row in points]
        for j, _ in enumerate(pairwise(levels)):
            parts = []
            for branch, row in zip(cell.crossing, primitives, strict=True):
                part = row[j + 1].combined(row[j], -1)
                parts.append(part if branch.rising else self.nothing.combined(part, -1))
            whole = _total(parts, self.nothing)
            if single:
                self._add(whole, best=whole.second)
            elif 0 < j < len(levels) - 2 and self._matters(whole):
                ends = [(row[j], row[j + 1]) for row in points]
                spans = [a.union(b) for a, b in ends]
                taylor = square_integrals(cell.crossing, ends, self.degree)
                self._add(whole, widths=ranges(cell.crossing, spans, self.degree), best=taylor)
            else:
                self._add(whole)

    def _matters(self, whole: _Integrals) -> bool:
        """Whether the mean square and E[h^2; cell] leave a gap worth closing."""
        if not whole.mass > 0:
            return False
        gaps = (whole.second[i] - whole.mean_square(i) for i in range(self.degree))
        return any(not gap < NEGLIGIBLE for gap in gaps)

    def _add(
        self,
        whole: _Integrals,
        *,
        widths: list[arb] | None = None,
        best: list[arb] | None = None,
    ) -> None:
        """One cell: at least its mean square, at most that plus the square of half its range, and
        in any case within `best`."""
        for i in range(self.degree):
            low, high = arb(0), whole.second[i].upper()
            if whole.mass > 0:
                through = whole.mean_square(i)
                low = max(low, through.lower())
                if widths is not None:
                    high = min(high, (through + whole.mass * widths[i] * widths[i] / 4).upper())
            if best is not None and best[i].is_finite():
                low, high = max(low, best[i].lower()), min(high, best[i].upper())
            self.lower[i] += low
            self.upper[i] += high

    def _widened(self, i: int, inside: arb) -> arb:
        """From labels of |z| <= reach to all labels, where g goes on beyond the reach.

        With E that |Z| <= reach and T = E[E[h | Y, E]^2; E]: ||E[h | Y]|| is at least
        ||E[h 1_E | Y]|| - ||h 1_E^c||, and the first square is at least T - sup_E h^2 P(E^c).
        """
        if self.outside.mass.is_zero():
            return inside
        largest = hermite_values(arb(0, 1) * self.shape.reach, i + 1)[-1]
        kept = (inside - largest * largest * self.outside.mass).lower()
        root = kept.sqrt() - self.outside.second[i].sqrt() if kept > 0 else arb(0)
        return root * root if root > 0 else arb(0)

    def _between(self, a: arb, b: arb) -> _Integrals:
        return self._primitive(b).combined(self._primitive(a), -1)

    def _primitive(self, z: arb) -> _Integrals:
        """The integrals over (-inf, z): h_m phi has the primitive -h_m-1 phi / sqrt(m)."""
        if not z.is_finite():
            mass = arb(1 if z > 0 else 0)
            return _Integrals(mass, [arb(0)] * self.degree, [mass] * self.degree)
        phi, h = density(z), hermite_values(z, 2 * self.degree)
        parts = [-h[m - 1] * phi / arb(m).sqrt() for m in range(1, 2 * self.degree + 1)]
        mass = 1 - upper_tail(z) if z > 0 else upper_tail(-z)
        second = [
            mass + sum((w * parts[2 * j - 1] for j, w in enumerate(row, start=1)), arb(0))
            for row in self.squares
        ]
        return _Integrals(mass, parts[: self.degree], second)


def _square_weights(k: int) -> list[arb]:
    """w_1, ..., w_k of h_k^2 = 1 + sum_j w_j h_2j, w_j = C(k, j)^2 (k - j)! sqrt((2j)!) / k!."""
    return [
        arb(math.comb(k, j) ** 2) * math.factorial(k - j)
        / math.factorial(k) * arb(math.factorial(2 * j)).sqrt()
        for j in range(1, k + 1)
    ]  # fmt: skip


def _total(parts: list[_Integrals], start: _Integrals) -> _Integrals:
    for part in parts:
        start = start.combined(part, 1)
    return start


def _solutions(branch: Branch, levels: list[arb]) -> list[arb]:
    """Where the branch has these increasing values."""
    found: list[arb] = []
    for level in levels:
        near = found[-1] if found and found[-1].is_finite() else None
        found.append(branch.solve(level, near))
    return found


def _bracket(lower: arb, upper: arb) -> Enclosure:
    """Both ends as text, within [0, 1]."""
    if upper.is_zero():
        return Enclosure("0", "0")
    low, high = enclose(lower, DIGITS).lower, enclose(upper, DIGITS).upper
    return Enclosure(low if lower > 0 else "0", high if upper < 1 else "1")
