"""The uniform law on the unit sphere.  This file does not know labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.special import betaln, roots_jacobi

from sqsim.errors import BadInput
from sqsim.inputs import Gaussian, Inputs
from sqsim.lowrank import Array
from sqsim.queries import Ridge

NODES = 64


@final
@dataclass(frozen=True)
class Sphere(Inputs):
    """x uniform on the unit sphere in R^d, d >= 2."""

    dimension: int

    def __post_init__(self) -> None:
        Gaussian(self.dimension)
        if self.dimension < 2:
            raise BadInput("the sphere in R^1 is two points; wanted dimension >= 2")

    def sample(self, rng: np.random.Generator, count: int) -> Array:
        x = rng.standard_normal((count, self.dimension))
        return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))

    def expectation(self, form: Ridge) -> Array:
        """E[T_p(x) h(<w, x>)] for at most one direction w, by panels between the kinks of h.

        With t = <w, x> / ||w||: E[x h] = E[t h] w / ||w||, and E[x x' h] has E[t^2 h] along w and
        E[(1 - t^2) h] / (d - 1) across.  Accurate to rounding where h is smooth between kinks.
        """
        form.shape(self.dimension)
        if form.columns > 1:
            raise BadInput(
                f"the frame has {form.columns} directions; over the sphere one is integrated: "
                "average over inputs.sample(rng, count) for more"
            )
        w = np.zeros(self.dimension) if form.frame is None else form.frame.reshape(-1)
        length = float(np.linalg.norm(w))
        kinks = [k / length for k in form.columns_kinks[0]] if length and form.columns else []
        t, weights = self._nodes(kinks)
        projections = None if form.frame is None else (length * t)[:, None]
        h = form.values(projections, None, len(t)) * weights
        along = w / length if length else np.eye(1, self.dimension)[0]
        if form.power == 0:
            return np.asarray(h.sum())
        if form.power == 1:
            return np.asarray((h @ t) * along)
        across = float(h @ (1 - t * t)) / (self.dimension - 1)
        outer = np.outer(along, along)
        return np.asarray(
            (h @ (t * t)) * outer
            + across * (np.eye(self.dimension) - outer)
            - h.sum() * np.eye(self.dimension)
        )

    def _nodes(self, kinks: list[float]) -> tuple[Array, Array]:
        """Points and weights for the density (1 - t^2)^((d - 3)/2) on [-1, 1].

        In the angle t = cos s the density sin^(d - 2) s is smooth for every d >= 2.
        """
        cuts = [0.0, *sorted(float(np.arccos(k)) for k in kinks if -1 < k < 1), np.pi]
        u, mass = roots_jacobi(NODES, 0.0, 0.0)
        # Many dimensions put the mass into a narrow band around the equator.
        fine = np.unique(np.concatenate([cuts, np.linspace(0.0, np.pi, 17)]))
        low, half = fine[:-1], np.diff(fine) / 2
        s = (low[:, None] + half[:, None] * (1 + u)).ravel()
        d = self.dimension
        log = (d - 2) * np.log(np.sin(s)) - betaln(0.5, (d - 1) / 2) if d > 2 else -np.log(np.pi)
        return np.cos(s), (half[:, None] * mass).ravel() * np.exp(log)
