"""How the function inside a query is written down.  This file does not know any form."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

PROBES = np.array([-8.3, -2.1, -0.4, 0.7, 1.9, 5.6, 7.45, 9.2])
"""Arguments at which functions are valued for their marks."""


class Form(ABC):
    """How the function inside a query is written down; decides which evaluators can answer it."""

    @property
    def range(self) -> tuple[float, float] | None:
        """Values that the function takes whatever its parameters are, where the form tells."""
        return None

    @abstractmethod
    def shape(self, dimension: int) -> tuple[int, ...]:
        """Shape of the answer on inputs of this dimension."""

    @abstractmethod
    def mark(self, dimension: int, *, labelled: bool) -> tuple[float, ...]:
        """Values at a few fixed points: the identity of a function, for replay."""
