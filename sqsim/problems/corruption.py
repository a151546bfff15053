"""Agnostic corruptions of a ReLU's labels, each with its exact budget E[(y - target)^2].

This file does not know learners; a worst-case corruption is aimed at an update rule, not at a run.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.links import HermiteSeries, Relu, Residual, Scaled
from sqsim.lowrank import Array
from sqsim.problems.labels import Gate, LabelLaw, Term
from sqsim.updates import Update


class Corruption(ABC):
    """A change of the labels of a single neuron."""

    @abstractmethod
    def apply(self, labels: LabelLaw, rng: np.random.Generator) -> tuple[LabelLaw, float]:
        """The corrupted law of the label, and E[change^2]."""


@final
@dataclass(frozen=True)
class LowDegreeRemoval(Corruption):
    """Subtract the neuron's Hermite part of degree <= `degree`.

    What remains has correlation O(overlap^(degree + 1)) with everything of a wrong direction: the
    CSQ-hard residual of Guo and Vijayaraghavan (2024), section 4.
    """

    degree: int

    def apply(self, labels: LabelLaw, rng: np.random.Generator) -> tuple[LabelLaw, float]:
        neuron, *rest = labels.terms
        link = Residual(neuron.link, self.degree)
        removed = float(np.sum(np.square(link.removed.weights)))
        return replace(labels, terms=(replace(neuron, link=link), *rest)), removed


@final
@dataclass(frozen=True)
class LabelNoise(Corruption):
    """Independent N(0, deviation^2) noise."""

    deviation: float

    def __post_init__(self) -> None:
        if not self.deviation > 0:
            raise BadInput(f"deviation is {self.deviation}; label noise has a positive one")

    def apply(self, labels: LabelLaw, rng: np.random.Generator) -> tuple[LabelLaw, float]:
        noise = float(np.hypot(labels.noise, self.deviation))
        return replace(labels, noise=noise), self.deviation**2


@final
@dataclass(frozen=True)
class Decoy(Corruption):
    """Add weight times a second neuron sigma(<u, x> + bias), u at a given overlap with v."""

    weight: float
    bias: float
    overlap: float = 0.0

    def apply(self, labels: LabelLaw, rng: np.random.Generator) -> tuple[LabelLaw, float]:
        v = labels.terms[0].direction
        u = at_overlap(v, self.overlap, rng)
        if not (self.weight and np.isfinite(self.weight) and np.isfinite(self.bias)):
            raise BadInput(
                f"weight {self.weight} and bias {self.bias}: a decoy needs finite ones, and a "
                "weight that is not 0"
            )
        link = Scaled(Relu(self.bias), self.weight)
        return replace(labels, terms=(*labels.terms, Term(u, link))), link.second_moment


@final
@dataclass(frozen=True)
class WorstCase(Corruption):
    """The corruption of E-form budget `budget` that hurts one step of an update most.

    Against P_w E[y x weight(<w, x>)] at a w of the given overlap with v it is proportional to
    -weight(<w, x>) <x, e>, e the unit vector of v orthogonal to w: by Cauchy-Schwarz no other of
    this budget pushes the step further back.
    """

    update: Update
    budget: float
    overlap: float = 0.9

    def __post_init__(self) -> None:
        if not self.budget > 0:
            raise BadInput(f"budget is {self.budget}; it must be positive")
        if not -1 < self.overlap < 1:
            raise BadInput(f"overlap is {self.overlap}; it must lie strictly between -1 and 1")

    def apply(self, labels: LabelLaw, rng: np.random.Generator) -> tuple[LabelLaw, float]:
        v = labels.terms[0].direction
        w = at_overlap(v, self.overlap, rng)
        e = v - (v @ w) * w
        e = e / np.linalg.norm(e)
        size = np.sqrt(self.budget) / self.update.norm
        gate = Gate(w, self.update.weight, self.update.kinks)
        scaled = HermiteSeries((0.0, -float(size)))
        return replace(labels, terms=(*labels.terms, Term(e, scaled, gate))), self.budget


def at_overlap(v: Array, overlap: float, rng: np.random.Generator) -> Array:
    """A unit vector whose inner product with the unit vector v is `overlap`, otherwise uniform."""
    if not -1 <= overlap <= 1:
        raise BadInput(f"overlap is {overlap}; an inner product of unit vectors lies in [-1, 1]")
    if len(v) < 2:
        raise BadInput("a second direction needs dimension >= 2")
    g = rng.standard_normal(len(v))
    for _ in range(2):
        g = g - (g @ v) * v
        g = g / np.linalg.norm(g)
    u = overlap * v + np.sqrt((1 - overlap) * (1 + overlap)) * g
    return np.asarray(u / np.linalg.norm(u))
