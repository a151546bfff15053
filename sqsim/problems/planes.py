"""Networks of alternating units around a circle, in a hidden plane.

f(u) = sum over m = 1, ..., 2k of (-1)^m act(u_1 cos(pi m / k) + u_2 sin(pi m / k)) (Diakonikolas,
Kane, Kontonis and Zarifis 2020).  This file does not know queries, oracles or bounds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.inputs import Gaussian
from sqsim.links import Link, Relu
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.index import IndexInstance
from sqsim.problems.labels import LabelLaw
from sqsim.problems.orthogonal_networks import VANISHES, alternating, pair_mean
from sqsim.problems.problem import Problem
from sqsim.queries import Ridge
from sqsim.seeds import Role, Seed, rng

LARGEST_ORDER = 64


@final
@dataclass(frozen=True)
class AlternatingPlane(Problem):
    """y = f(P'x) + noise for a secret plane with orthonormal basis P, x ~ N(0, I_d).

    A turn of the plane by pi / k negates f, so its angular frequencies are odd multiples of k:
    f is orthogonal to all polynomials of degree < k.  Its part of degree n >= k is not 0 wherever
    n = k mod 2 and the activation's coefficient c_n is not (derived here: the ReLU, with an even
    k, has a part of degree k exactly).  Two planes with bases P and Q have correlation at most
    ||P'Q||^k ||f||^2; the energy E[y^2 (x x' - I)] is a multiple of the plane's projection.

    Parameters
    ----------
    dimension : int
    order : int
        k; there are 2 k units.
    activation : Link
        The ReLU needs k = 1 or an even k, or f is 0.
    """

    dimension: int
    order: int
    activation: Link = field(default_factory=Relu)
    norm: float | None = field(default=None, init=False)
    bias: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        Gaussian(self.dimension)
        if self.dimension < 2:
            raise BadInput(f"dimension is {self.dimension}; a plane needs at least 2")
        order = self.order
        whole = isinstance(order, int | np.integer) and not isinstance(order, bool)
        if not whole or not 1 <= order <= LARGEST_ORDER:
            raise BadInput(f"order is {order!r}; wanted an integer from 1 to {LARGEST_ORDER}")
        points = 3 * np.random.default_rng(0).standard_normal((64, 2))
        units = self.activation(points @ self._circle.T)
        if np.abs(units @ self._signs).max() <= VANISHES * np.abs(units).sum(axis=1).max():
            parity = "odd" if order % 2 else "even"
            raise BadInput(
                f"the function of order {order} vanishes: {self.activation!r} has no {parity} part "
                f"of degree {order} or more.  The ReLU needs an even order, the sigmoid an odd one"
            )

    @property
    def inputs(self) -> Gaussian:
        return Gaussian(self.dimension)

    @cached_property
    def squared_norm(self) -> float:
        """||f||^2 = 2 k sum_j (-1)^j K(cos(pi j / k)), j = 0, ..., 2k - 1, by quadrature."""
        k = self.order
        half = [(-1) ** j * pair_mean(self.activation, np.cos(np.pi * j / k)) for j in range(k + 1)]
        # K(cos) is even around j = k.
        return float(2 * k * (half[0] + half[k] + 2 * sum(half[1:k])))

    def function(self, basis: Array) -> Ridge:
        """f in the plane of this basis, as a function that may be asked for."""
        act, signs = self.activation, self._signs
        rows = self._circle @ self._orthonormal(basis).T
        return Ridge(lambda s: act(s) @ signs, rows.T, kinks=(act.kinks,) * len(rows))

    def draw(
        self, *, noise: float = 0.0, seed: Seed = 0, basis: Array | None = None
    ) -> IndexInstance:
        """An instance with a hidden plane, uniform unless given.

        Its target, the last unit as a neuron, is only named, not fitted.

        Parameters
        ----------
        basis : (d, 2) array, optional
            Its columns span the plane and are made orthonormal.
        """
        if not 0 <= noise < np.inf:
            raise BadInput(f"noise is {noise}; a standard deviation is finite and >= 0")
        if basis is None:
            basis = rng(seed, Role.INSTANCE).standard_normal((self.dimension, 2))
        rows = self._circle @ self._orthonormal(basis).T
        law = LabelLaw(alternating(rows, self._signs, self.activation), noise)
        target = ReluHypothesis(law.terms[-1].direction, 0.0)
        return IndexInstance(self, law, target, float("inf"))

    @property
    def _circle(self) -> Array:
        """The units' directions in the plane, (2k, 2)."""
        angles = np.pi * np.arange(1, 2 * self.order + 1) / self.order
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)

    @property
    def _signs(self) -> Array:
        return np.asarray((-1.0) ** np.arange(1, 2 * self.order + 1))

    def _orthonormal(self, basis: Array) -> Array:
        given = np.array(basis, dtype=np.float64)
        if given.shape != (self.dimension, 2) or np.linalg.matrix_rank(given) < 2:
            raise BadInput(
                f"basis of shape {given.shape}; wanted two independent columns, "
                f"({self.dimension}, 2)"
            )
        found, mixing = np.linalg.qr(given)
        return np.asarray(found * np.sign(np.diag(mixing)))
