"""Algorithm 2 of Goel, Karmalkar and Klivans: threshold the labels, then learn a halfspace.

Knows the problem and its inputs; does not know how far the labels are from a neuron.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sqsim.algorithms.boolean_labels import AtLeast
from sqsim.algorithms.halfspaces import Halfspace
from sqsim.algorithms.iterates import scale_of
from sqsim.algorithms.localisation import Localisation, localised_halfspace
from sqsim.algorithms.profile import best_of
from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.problem import Problem
from sqsim.seeds import Seed
from sqsim.strategy import SQ, together

LEVELS: tuple[float, ...] = tuple((0.5 ** np.arange(8)).tolist())
"""Label thresholds alpha = 1, 1/2, ..., 1/128, in units of the norm."""


def threshold_and_halfspace(
    problem: Problem,
    *,
    levels: Sequence[float] = LEVELS,
    norm: float | None = None,
    bias: float | None = None,
    start: Array | None = None,
    schedule: Localisation | None = None,
    seed: Seed = 0,
) -> SQ[ReluHypothesis]:
    """A neuron of bias 0 and known norm from labels cut at alpha, for each alpha of a grid.

    For each alpha of `levels` the halfspace learner of Awasthi, Balcan and Long gets the labels
    sign(y - alpha); the neurons norm max(<w, x>, 0) along the normals it returns compete on the
    loss, since the best alpha = opt^(1/3) is not known.

    Parameters
    ----------
    levels : sequence of float
        Values of alpha, in units of the norm.
    norm, bias : float, optional
        Of the neuron norm max(<v, x>, 0): needed where the problem does not tell them, and the
        bias must be 0.
    start : (d,) array, optional
        Of every halfspace learner; the mean of its own positives if None.
    schedule : Localisation, optional
        Its last band should be of width about the least alpha or below.

    Notes
    -----
    Guarantee (norm 1, bias 0, x ~ N(0, I), opt = E[(y - max(<v, x>, 0))^2] without 1/2):
    sign(y - alpha) differs from sign(<v, x>) with probability at most opt / alpha^2 + 2 alpha /
    sqrt(2 pi), by Markov's inequality and the mass of 0 <= <v, x> <= 2 alpha; at alpha =
    opt^(1/3) the halfspace learner comes within O(opt^(1/3)) of v, so that the loss is
    O(opt^(2/3)).  Goel, Karmalkar and Klivans (2019), algorithm 2 and theorem 5, stated there for
    labels in [0, 1]; their proof uses the bound on the label only for samples.

    Access: SQ; correlational only in the label that was cut.  Cost: len(levels) times that of
    `localised_halfspace`, side by side, and one scalar for each in one round more.

    Raises
    ------
    BadInput
        Where norm or bias are unknown, or the bias is not 0: the cut labels are then not those of
        a homogeneous halfspace, which theorem 5 assumes.
    """
    scale, offset = scale_of(problem, norm, bias)
    if offset != 0.0:
        raise BadInput(
            f"bias is {offset * scale:g}; theorem 5 assumes a homogeneous neuron, of bias 0 "
            "(learn_relu and threshold_and_smooth learn others)"
        )
    grid = [float(level) for level in levels]
    if not grid or not all(0 < level < np.inf for level in grid):
        raise BadInput(f"levels are {levels!r}; wanted at least one label threshold alpha > 0")
    found: tuple[Halfspace, ...] = yield from together(
        *(
            localised_halfspace(
                problem, labels=AtLeast(scale * level), start=start, schedule=schedule, seed=seed
            )
            for level in grid
        )
    )
    chosen = yield from best_of(problem, [ReluHypothesis(scale * h.normal, 0.0) for h in found])
    return chosen.hypothesis
