"""Losses of a guess in [0, 1], as objects.  This file does not know examples, nor who learns.

A loss l(y', y) of a guess y' and a label y, both in [0, 1], is convex in y'; L is its Lipschitz
constant in y' and b a bound on |l|.  It is monotone if l(a, y) <= l(b, y) whenever a lies between
y and b, which for a convex loss says that y minimises l(., y); then clipping a guess to [0, 1]
never costs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array


class Loss(ABC):
    """l(y', y), convex in y', for y' and y in [0, 1]."""

    @property
    @abstractmethod
    def lipschitz(self) -> float:
        """L: |l(a, y) - l(b, y)| <= L |a - b| on [0, 1]."""

    @property
    @abstractmethod
    def bound(self) -> float:
        """b: |l| <= b on [0, 1] x [0, 1]."""

    @property
    def monotone(self) -> bool:
        """Whether y minimises l(., y); only then may guesses be clipped to [0, 1]."""
        return True

    @abstractmethod
    def value(self, guess: Array, label: Array) -> Array:
        """l(guess, label), entry by entry."""

    @abstractmethod
    def slope(self, guess: Array, label: Array) -> Array:
        """A subgradient in the guess."""


@final
@dataclass(frozen=True)
class Square(Loss):
    """(y' - y)^2."""

    lipschitz = 2.0
    bound = 1.0

    def value(self, guess: Array, label: Array) -> Array:
        return np.asarray((guess - label) ** 2)

    def slope(self, guess: Array, label: Array) -> Array:
        return np.asarray(2.0 * (guess - label))


@final
@dataclass(frozen=True)
class AbsoluteLoss(Loss):
    """|y' - y|."""

    lipschitz = 1.0
    bound = 1.0

    def value(self, guess: Array, label: Array) -> Array:
        return np.abs(guess - label)

    def slope(self, guess: Array, label: Array) -> Array:
        return np.asarray(np.sign(guess - label))


@final
@dataclass(frozen=True)
class Hinge(Loss):
    """max(y - y', 0): only falling short of the label costs."""

    lipschitz = 1.0
    bound = 1.0

    def value(self, guess: Array, label: Array) -> Array:
        return np.maximum(label - guess, 0.0)

    def slope(self, guess: Array, label: Array) -> Array:
        return np.where(guess < label, -1.0, 0.0)


@final
@dataclass(frozen=True)
class Insensitive(Loss):
    """max(|y' - y| - width, 0), the loss of support vector regression."""

    width: float

    lipschitz = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.width < 1:
            raise BadInput(f"width is {self.width!r}; wanted one in [0, 1)")

    @property
    def bound(self) -> float:
        return 1.0 - self.width

    def value(self, guess: Array, label: Array) -> Array:
        return np.maximum(np.abs(guess - label) - self.width, 0.0)

    def slope(self, guess: Array, label: Array) -> Array:
        gap = guess - label
        return np.where(np.abs(gap) > self.width, np.sign(gap), 0.0)


@final
@dataclass(frozen=True)
class LinearLoss(Loss):
    """-y' y: maximising E[y relu(<w, x>)] is Bach's incremental problem (2014).

    Not monotone: it falls in y' beyond the label, so guesses are not clipped.
    """

    lipschitz = 1.0
    bound = 1.0
    monotone = False

    def value(self, guess: Array, label: Array) -> Array:
        return np.asarray(-guess * label)

    def slope(self, guess: Array, label: Array) -> Array:
        shape = np.broadcast_shapes(np.shape(guess), np.shape(label))
        return np.array(np.broadcast_to(-np.asarray(label, float), shape))


@final
@dataclass(frozen=True)
class Continued(Loss):
    """A loss beyond [0, 1]: continued along its end slopes.

    The same on [0, 1]; on the whole line still convex and L-Lipschitz, so a gradient query has
    range [-L, L] whatever the guess is.  Where the loss is monotone, clipping a guess to [0, 1]
    does not increase it.
    """

    loss: Loss

    @property
    def lipschitz(self) -> float:
        return self.loss.lipschitz

    @property
    def bound(self) -> float:
        """Of the loss on [0, 1]; beyond it there is none."""
        return self.loss.bound

    @property
    def monotone(self) -> bool:
        return self.loss.monotone

    def value(self, guess: Array, label: Array) -> Array:
        inside = clipped(guess)
        rest = np.asarray(guess, float) - inside
        return self.loss.value(inside, label) + rest * self.loss.slope(inside, label)

    def slope(self, guess: Array, label: Array) -> Array:
        return self.loss.slope(clipped(guess), label)


def clipped(values: Array) -> Array:
    """clip01: guesses moved into [0, 1]."""
    return np.asarray(np.clip(np.asarray(values, float), 0.0, 1.0))
