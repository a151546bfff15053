"""From which bias on the reweighted step can be pushed away from v: proved on both sides.

This file does not know learners or designs.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from sqsim.lowerbounds.basins import ReweightedStep, basin_point

FARTHEST = 60.0
SCANNED = 60
HALVINGS = 30
FINE = 1e-4


def fooled_bias(alpha: float, *, overlap: str = "0.9") -> dict[str, float] | None:
    """|b| from which worst-case noise beats the signal of the reweighted step at this overlap.

    Both ends are proved: at `below` the ratio is below 1, at `above` it is not.  That it is the
    first such |b| is seen on a grid of 60 only.  None where the ratio is 1 or more at every |b|
    from 1 to 60, or below 1 at all of them.
    """
    sizes = [float(size) for size in np.round(np.geomspace(1.0, FARTHEST, SCANNED), 6)]
    before = _foolable(sizes[0], alpha, overlap)
    for low, high in pairwise(sizes):
        after = _foolable(high, alpha, overlap)
        if after and not before:
            return _narrowed(low, high, alpha, overlap)
        before = after
    return None


def _narrowed(below: float, above: float, alpha: float, overlap: str) -> dict[str, float]:
    for _ in range(HALVINGS):
        if above - below < FINE:
            break
        middle = (below + above) / 2
        if _foolable(middle, alpha, overlap):
            above = middle
        else:
            below = middle
    return {"below": below, "above": above}


def _foolable(size: float, alpha: float, overlap: str) -> bool:
    ratio = basin_point(
        ReweightedStep(), bias=-size, alpha=alpha, overlap=overlap, digits=8
    ).noise_to_signal
    return bool(float(ratio.lower) >= 1)
