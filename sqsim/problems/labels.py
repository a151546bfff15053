"""The law of the label given x: a sum of gated links along hidden directions, plus noise.

This file does not know what is asked, nor who learns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.links import Link
from sqsim.lowrank import Array


@final
@dataclass(frozen=True, eq=False)
class Gate:
    """A factor function(<direction, x>) in front of a link; `kinks` in units of <direction, x>."""

    direction: Array = field(repr=False)
    function: Callable[[Array], Array] = field(repr=False)
    kinks: tuple[float, ...] = ()


@final
@dataclass(frozen=True, eq=False)
class Term:
    """gate(x) link(<direction, x>), the direction a unit vector."""

    direction: Array = field(repr=False)
    link: Link
    gate: Gate | None = None

    def __post_init__(self) -> None:
        length = float(np.linalg.norm(self.direction))
        if not abs(length - 1) < 1e-12:
            raise BadInput(f"direction has length {length}; a hidden direction is a unit vector")

    @property
    def columns(self) -> list[Array]:
        """Directions that the term depends on, the link's last."""
        return [self.direction] if self.gate is None else [self.gate.direction, self.direction]

    @property
    def columns_kinks(self) -> list[tuple[float, ...]]:
        kinks = [self.link.kinks]
        return kinks if self.gate is None else [self.gate.kinks, *kinks]

    def values(self, projections: Array) -> Array:
        """The term at examples whose projections on `columns` are given, (n, columns)."""
        values = self.link(projections[:, -1])
        return values if self.gate is None else values * self.gate.function(projections[:, 0])


@final
@dataclass(frozen=True, eq=False)
class LabelLaw:
    """y = sum of the terms + noise Z, Z ~ N(0, 1) independent of x.

    Attributes
    ----------
    terms : tuple of Term
    noise : float
        Standard deviation of the independent label noise.
    """

    terms: tuple[Term, ...]
    noise: float = 0.0

    @property
    def columns(self) -> list[Array]:
        return [column for term in self.terms for column in term.columns]

    @property
    def columns_kinks(self) -> list[tuple[float, ...]]:
        return [kinks for term in self.terms for kinks in term.columns_kinks]

    def clean(self, projections: Array) -> Array:
        """The label without its noise, from projections on `columns`, (n, columns)."""
        total = np.zeros(len(projections))
        start = 0
        for term in self.terms:
            stop = start + len(term.columns)
            total += term.values(projections[:, start:stop])
            start = stop
        return total

    def draw(self, inputs: Array, rng: np.random.Generator) -> Array:
        """Labels of these examples."""
        columns = np.stack(self.columns, axis=1)
        labels = self.clean(inputs @ columns)
        if self.noise:
            labels = labels + self.noise * rng.standard_normal(len(inputs))
        return labels
