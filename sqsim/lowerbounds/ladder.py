"""Which kernel for which overlaps: the smallest reach that holds, built when first needed.

This file does not know how a kernel is proved.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
from flint import arb

from sqsim.errors import NotCertified
from sqsim.lowerbounds.correlation import pairwise_correlation
from sqsim.lowerbounds.expansions import Expansion
from sqsim.lowerbounds.kernels import (
    CHUNK,
    Kernel,
    evaluate,
    fraction_above,
    modulus,
    ridge_kernel,
    workspace,
)
from sqsim.lowerbounds.orthants import closed_correlation, mirrored_correlation
from sqsim.lowerbounds.precision import ball, working_bits
from sqsim.lowrank import Array

REACHES = tuple(
    Fraction(n, 1000)
    for n in (20, 50, 80, 100, 120, 140, 160, 180, 200, 225, 250, 275, 300, 325, 350, 375, 400,
              450, 500, 550, 600, 650, 700, 750, 900, 970, 990, 997)
)  # fmt: skip
WHOLE = REACHES.index(Fraction(3, 4)) + 1
"""So many reaches serve a whole chunk; beyond them its overlaps are sorted by size."""

SORTED = (Fraction(1, 4), Fraction(1, 2), *REACHES[WHOLE - 1 :])
MOST_SINGLE = 100_000
SINGLE_DIGITS, SINGLE_BITS = 20, 200


class KernelLadder:
    """Kernels of one function for rounded overlaps.

    Parameters
    ----------
    expansion : the function.
    shift : bounds the rounding of an overlap that is at most the given reach.
    """

    def __init__(self, expansion: Expansion, shift: Callable[[Fraction], Fraction]) -> None:
        self.expansion = expansion
        self._shift = shift
        self._kernels: dict[Fraction, tuple[Kernel, tuple[Array, Array]]] = {}
        # A float overlap that is at most this lies within the reach, and so does the exact one.
        self._limits = [_below(reach - shift(reach)) for reach in REACHES]
        self._singles = 0

    def chunks(self, tile: Array) -> Iterator[tuple[slice, Array, Fraction]]:
        """Rows of a tile, their cosines until the next are asked for, and a bound of the error."""
        columns = tile.shape[1]
        step = max(1, CHUNK // columns)
        for start in range(0, len(tile), step):
            rows = slice(start, min(start + step, len(tile)))
            values, error = self._values(tile[rows].reshape(-1))
            yield rows, values.reshape(-1, columns), error

    def _values(self, overlaps: Array) -> tuple[Array, Fraction]:
        largest = max(float(overlaps.max()), -float(overlaps.min()))
        level = bisect_left(self._limits, largest)
        if level < WHOLE:
            kernel, work = self._kernel(REACHES[level])
            return evaluate(kernel, overlaps, work), kernel.error
        return self._sorted(overlaps)

    def _sorted(self, overlaps: Array) -> tuple[Array, Fraction]:
        """Each overlap by the smallest reach that holds it, those near 1 and -1 one by one."""
        values, worst = np.empty_like(overlaps), Fraction(0)
        sizes, inner = np.abs(overlaps), -1.0
        for reach in SORTED:
            limit = self._limits[REACHES.index(reach)]
            chosen = np.flatnonzero((sizes > inner) & (sizes <= limit))
            inner = limit
            if len(chosen):
                kernel, work = self._kernel(reach)
                values[chosen] = evaluate(kernel, overlaps[chosen], work)
                worst = max(worst, kernel.error)
        chosen = np.flatnonzero(sizes > inner)
        if len(chosen):
            values[chosen], error = self._one_by_one(overlaps[chosen])
            worst = max(worst, error)
        return values, worst

    def _one_by_one(self, overlaps: Array) -> tuple[Array, Fraction]:
        """Proved correlations near 1 and -1, where no polynomial of low degree serves."""
        self._singles += len(overlaps)
        if self._singles > MOST_SINGLE:
            raise NotCertified(
                f"more than {MOST_SINGLE} pairs have an overlap beyond {float(SORTED[-1])} in "
                "size, and each costs a proved integral; drop near-duplicate directions"
            )
        values, worst = np.empty_like(overlaps), Fraction(0)
        for i, overlap in enumerate(np.clip(overlaps, -1.0, 1.0).tolist()):
            values[i], error = self._single(Fraction(overlap))
            worst = max(worst, error)
        one = Fraction(1)
        return values, worst + modulus(self.expansion, one, self._shift(one))

    def _single(self, r: Fraction) -> tuple[float, Fraction]:
        """kappa(r) / kappa(1), to an absolute error: near -1 it may be any power of e."""
        f = self.expansion
        with working_bits(SINGLE_BITS + f.guard_bits(0)):
            second = f.second_moment()
            if r == 1:
                return 1.0, Fraction(0)
            kappa = mirrored_correlation(f) if r == -1 else closed_correlation(f, ball(r))
            if kappa is None:
                kappa = pairwise_correlation(f, r, digits=SINGLE_DIGITS).ball()
            ratio = kappa / second
            value = float(ratio.mid())
            return value, fraction_above(abs(ratio - arb(value)))

    def _kernel(self, reach: Fraction) -> tuple[Kernel, tuple[Array, Array]]:
        if reach not in self._kernels:
            kernel = ridge_kernel(self.expansion, reach, self._shift(reach))
            self._kernels[reach] = kernel, workspace(kernel)
        return self._kernels[reach]


def _below(value: Fraction) -> float:
    """A float that is not more."""
    near = float(value)
    return near if Fraction(near) <= value else float(np.nextafter(near, -np.inf))
