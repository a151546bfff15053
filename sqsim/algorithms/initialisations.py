"""Warm starts of a very negative neuron: directions from the labels that are large.

This file does not know what refines them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.algorithms.biased_halfspaces import Narrowing, biased_halfspace
from sqsim.algorithms.boolean_labels import AtLeast
from sqsim.algorithms.spectral import thresholded_pca
from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.problem import Problem
from sqsim.seeds import Seed
from sqsim.strategy import SQ, together


class Initialisation(ABC):
    """How a learner of a very negative neuron finds directions to start from."""

    @abstractmethod
    def directions(
        self, problem: Problem, cuts: Sequence[float], *, seed: Seed
    ) -> SQ[list[list[Array]]]:
        """For each start, the unit vectors that may be it: the loss tells which.

        Parameters
        ----------
        cuts : sequence of float
            Sizes of label above which the neuron is mostly active; norm / |b| for b << 0.
        """


@final
@dataclass(frozen=True)
class ThresholdedPca(Initialisation):
    """Top eigenvector of E[1(|y| >= cut) (x x' - I)], for each cut.

    d(d + 1)/2 queries for each cut, in one round.  The eigenvector has no sign, so both are
    candidates.  Corrupted labels of energy OPT can tilt it by an angle that depends on OPT /
    ||sigma_b||^2 and not on the bias b, while a descent needs O(1 / |b|): derived here.
    """

    def directions(
        self, problem: Problem, cuts: Sequence[float], *, seed: Seed
    ) -> SQ[list[list[Array]]]:
        starts = yield from together(
            *(thresholded_pca(problem, cut=cut, seed=seed) for cut in cuts)
        )
        return [[start, -start] for start in starts]


@final
@dataclass(frozen=True)
class LabelThreshold(Initialisation):
    """Normal of the halfspace that 1(y >= level) is near to, by `biased_halfspace`.

    Levels are `multiples` of each cut, side by side; each is a start of its own, so
    that the loss chooses the level.  With y near norm max(<v, x> + b, 0) the labels are near
    1(<v, x> >= level / norm - b).  Zarifis et al. (COLT 2025, proposition 19) start so.

    Derived here: the probability that 1(y >= level) and its halfspace differ is, on average over
    levels in [A, 2 A], at most E[|y - sigma|; y or sigma >= A] / A; for A of order norm / |b| this
    is O(sqrt(OPT / ||sigma_b||^2)) P(sigma >= A) for some level, so the start is within
    O(sqrt(OPT / ||sigma_b||^2) / |b|): in the basin of the correlational descents for any b.

    Cost: len(multiples) times `biased_halfspace` for each cut, side by side.
    """

    multiples: tuple[float, ...] = (0.5, 1.0, 2.0)
    schedule: Narrowing | None = None

    def __post_init__(self) -> None:
        if not self.multiples or not all(0 < m < math.inf for m in self.multiples):
            raise BadInput(
                f"multiples are {self.multiples!r}; wanted at least one finite number > 0"
            )

    def directions(
        self, problem: Problem, cuts: Sequence[float], *, seed: Seed
    ) -> SQ[list[list[Array]]]:
        levels = np.outer(cuts, self.multiples).ravel()
        found = yield from together(
            *(
                biased_halfspace(
                    problem, labels=AtLeast(float(level)), schedule=self.schedule, seed=seed
                )
                for level in levels
            )
        )
        return [[halfspace.normal] for halfspace in found]
