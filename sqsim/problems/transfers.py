"""Transfer functions of p-concepts: E[y | x] = psi(f(x)) for labels y of -1 and 1.

Each is odd, nondecreasing and Lipschitz, and knows its primitive Psi, of which the surrogate loss
E[Psi(f(x)) - y f(x)] is made.  This file does not know what f is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.lowrank import Array


class Transfer(ABC):
    """An odd nondecreasing function from the line to [-1, 1].

    Attributes
    ----------
    lipschitz : float
        Its largest slope.
    kinks : tuple of float
        Where it bends.
    """

    lipschitz: float
    kinks: tuple[float, ...]

    @abstractmethod
    def __call__(self, t: Array) -> Array:
        """psi(t), elementwise."""

    @abstractmethod
    def primitive(self, t: Array) -> Array:
        """Psi(t), the integral of psi from 0 to t."""


@final
@dataclass(frozen=True)
class Logistic(Transfer):
    """psi(t) = tanh(t / 2): P(y = 1 | x) is the sigmoid of f(x)."""

    @property
    def lipschitz(self) -> float:  # type: ignore[override]
        return 0.5

    @property
    def kinks(self) -> tuple[float, ...]:  # type: ignore[override]
        return ()

    def __call__(self, t: Array) -> Array:
        return np.asarray(np.tanh(np.asarray(t) / 2))

    def primitive(self, t: Array) -> Array:
        """2 log cosh(t / 2), without overflow."""
        size = np.abs(t)
        return np.asarray(size + 2 * np.log1p(np.exp(-size)) - 2 * np.log(2))


@final
@dataclass(frozen=True)
class Clipped(Transfer):
    """psi(t) = max(-1, min(t, 1))."""

    @property
    def lipschitz(self) -> float:  # type: ignore[override]
        return 1.0

    @property
    def kinks(self) -> tuple[float, ...]:  # type: ignore[override]
        return (-1.0, 1.0)

    def __call__(self, t: Array) -> Array:
        return np.asarray(np.clip(t, -1.0, 1.0))

    def primitive(self, t: Array) -> Array:
        size = np.abs(t)
        return np.where(size <= 1, size**2 / 2, size - 0.5)
