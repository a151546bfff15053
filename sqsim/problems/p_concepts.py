"""Probabilistic concepts: labels of -1 and 1 whose mean is psi(f(x)), f an index model.

Kearns and Schapire (1994).  For such labels phi(x, y) is a label-free function plus y times one,
so that a statistical query says no more than a correlational one.  This file does not know
queries or oracles; exact means are in `oracles.boolean_quadrature`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, final

import numpy as np
from scipy.optimize import brentq

from sqsim.errors import BadInput
from sqsim.gaussian import SCAN
from sqsim.inputs import Gaussian, Inputs
from sqsim.lowrank import Array
from sqsim.problems.index import IndexInstance
from sqsim.problems.labels import LabelLaw
from sqsim.problems.problem import Problem
from sqsim.problems.transfers import Logistic, Transfer


class Scores(Protocol):
    """A problem over Gaussian inputs whose instances have a law of real labels."""

    @property
    def dimension(self) -> int: ...

    @property
    def inputs(self) -> Inputs: ...

    @property
    def draw(self) -> Callable[..., IndexInstance]: ...


@final
@dataclass(frozen=True, eq=False)
class PConcept(Problem):
    """y = -1 or 1 with E[y | x] = psi(f(x)), x ~ N(0, I_d), f one of a family of real functions.

    Parameters
    ----------
    scores : problem such as SingleIndex, OrthogonalNetworks or AlternatingPlane
        The family of f; its labels are taken without noise.
    transfer : Transfer
        psi, known to the learner.
    """

    scores: Scores
    transfer: Transfer = field(default_factory=Logistic)
    norm: float | None = field(default=None, init=False)
    bias: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.transfer, Transfer):
            raise BadInput(f"transfer is {self.transfer!r}; wanted for example Logistic()")
        if not isinstance(getattr(self.scores, "inputs", None), Gaussian):
            raise BadInput(
                f"scores is {type(self.scores).__name__}; wanted a problem over Gaussian inputs "
                "such as SingleIndex, OrthogonalNetworks or AlternatingPlane"
            )

    @property
    def dimension(self) -> int:  # type: ignore[override]
        return int(self.scores.dimension)

    @property
    def inputs(self) -> Gaussian:
        return Gaussian(self.dimension)

    def draw(self, **options: Any) -> PConceptInstance:
        """An instance; `options`, such as seed, are those of the scores' own `draw`."""
        drawn = self.scores.draw(**options)
        if not isinstance(drawn, IndexInstance):
            raise BadInput(
                f"scores drew {type(drawn).__name__}; wanted real labels that are sums of links"
            )
        if drawn.labels.noise:
            raise BadInput(
                f"noise is {drawn.labels.noise}; a p-concept has its noise in psi: draw scores "
                "without any"
            )
        return PConceptInstance(self, BooleanLaw(drawn.labels, self.transfer))


@final
@dataclass(frozen=True, eq=False)
class BooleanLaw:
    """y = 1 with probability (1 + psi(f(x))) / 2, else -1.

    Attributes
    ----------
    score : LabelLaw
        f.
    transfer : Transfer
        psi.
    """

    score: LabelLaw
    transfer: Transfer

    @property
    def columns(self) -> list[Array]:
        """Directions that the mean depends on."""
        return self.score.columns

    @property
    def columns_kinks(self) -> list[tuple[float, ...]]:
        """Where psi(f) bends, for each column; of psi's own kinks only those along one column.

        Where f depends on several directions psi bends along curves, which no column can name.
        """
        kinks = self.score.columns_kinks
        if len(kinks) == 1:
            kinks = [(*kinks[0], *self._levels())]
        return kinks

    def means(self, projections: Array) -> Array:
        """E[y | x] from projections on `columns`, (n, columns)."""
        return np.asarray(self.transfer(self.score.clean(projections)))

    def draw(self, inputs: Array, rng: np.random.Generator) -> Array:
        """Labels of these examples."""
        means = self.means(inputs @ np.stack(self.columns, axis=1))
        return np.where(rng.random(len(means)) < (1 + means) / 2, 1.0, -1.0)

    def _levels(self) -> list[float]:
        """Where f crosses a kink of psi."""
        found = []
        for level in self.transfer.kinks:

            def above(t: float, level: float = level) -> float:
                return float(self.score.clean(np.array([[t]]))[0]) - level

            values = self.score.clean(SCAN[:, None]) - level
            for i in np.flatnonzero(values[1:] * values[:-1] < 0):
                found.append(float(brentq(above, SCAN[i], SCAN[i + 1], xtol=1e-15)))
        return found


@final
@dataclass(frozen=True, eq=False)
class PConceptInstance:
    """A p-concept with its secret, the law of the label."""

    problem: PConcept
    labels: BooleanLaw

    @property
    def label_bound(self) -> float:
        """The largest |y|."""
        return 1.0
