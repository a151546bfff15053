"""Label sizes above which a neuron of given energy is mostly active, for biases of either sign.

This file does not know what is learned from the labels that are that large.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.special import log_ndtr

from sqsim.algorithms.boolean_labels import AtLeast
from sqsim.links import Relu
from sqsim.lowrank import Array
from sqsim.queries import Ridge
from sqsim.strategy import SQ, ask_all


@final
@dataclass(frozen=True)
class MeanLevel:
    """A neuron norm sigma(<v, x> + bias), bias normalised, and its mean label where active."""

    norm: float
    bias: float

    @property
    def boundary(self) -> float:
        """phi(b) / Phi(b): <v, x> at the level, about |b| + 1 / |b| for b << 0, 0 for b >> 0."""
        log_density = -(self.bias**2 + math.log(2 * math.pi)) / 2
        return math.exp(log_density - float(log_ndtr(self.bias)))

    @property
    def cut(self) -> float:
        """norm E[<v, x> + b | <v, x> + b >= 0] = norm (b + phi(b) / Phi(b))."""
        return self.norm * (self.bias + self.boundary)

    @property
    def expected_tail(self) -> float:
        """log P(y >= cut) for this neuron uncorrupted."""
        return float(log_ndtr(-self.boundary))


def levels_of(energy: float, biases: Sequence[float]) -> list[MeanLevel]:
    """One level for each normalised bias, its norm from E[y^2] = `energy`."""
    return [MeanLevel(math.sqrt(energy / Relu(b).second_moment), b) for b in map(float, biases)]


def consistent_levels(levels: Sequence[MeanLevel], count: int) -> SQ[list[MeanLevel]]:
    """The levels whose predicted tail P(y >= cut) is nearest to the one answered.

    One round of one scalar for each level.
    """
    answers: tuple[Array, ...] = yield from ask_all(
        *(AtLeast(level.cut).query(Ridge(), "label tail") for level in levels), step="label tail"
    )
    tails = [float(answer) for answer in answers]
    misfits = [
        abs(math.log(tail) - level.expected_tail) if tail > 0 else math.inf
        for level, tail in zip(levels, tails, strict=True)
    ]
    order = np.argsort(misfits, kind="stable")[:count]
    return [levels[i] for i in order if math.isfinite(misfits[i])]
