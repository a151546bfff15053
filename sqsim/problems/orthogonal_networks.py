"""Exactly orthogonal one-hidden-layer networks: a family that correlations tell apart one by one.

f_S(x) = sum over w in {-1, 1}^k of (prod w_i) act(<w, x_S> / sqrt(k)), |S| = k, 2^k units (Goel,
Gollakota, Jin, Karmalkar and Klivans 2020).  This file does not know queries, oracles or bounds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from math import comb
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.gaussian import ridge_expectation
from sqsim.inputs import Gaussian
from sqsim.links import Link, Relu, Scaled
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.index import IndexInstance
from sqsim.problems.labels import LabelLaw, Term
from sqsim.problems.problem import Problem
from sqsim.queries import Ridge
from sqsim.seeds import Role, Seed, rng

LARGEST_SIZE = 12
"""Coordinates of a set: 2^12 units."""

VANISHES = 1e-9
"""Of f relative to the sum of its units' sizes: rounding, not a function."""


@final
@dataclass(frozen=True)
class OrthogonalNetworks(Problem):
    """y = f_S(x) + noise for a secret set S of known size k, x ~ N(0, I_d).

    E[f_S f_T] = 0 for S != T: the sign of one coordinate of S outside T negates f_S alone.  So a
    correlational learner that may ask functions of norm 1 with tolerance tau needs about
    C(d, k) tau^2 / ||f_S||^2 queries; the energy E[y^2 (x x' - I)] shows S at once.

    Parameters
    ----------
    dimension : int
    size : int
        k, from 1 to 12.
    activation : Link
        Needs a part of the parity of k from degree k on, or f_S is 0: the ReLU needs an even k,
        the sigmoid an odd one.
    """

    dimension: int
    size: int
    activation: Link = field(default_factory=Relu)
    norm: float | None = field(default=None, init=False)
    bias: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        Gaussian(self.dimension)
        size = self.size
        whole = isinstance(size, int | np.integer) and not isinstance(size, bool)
        if not whole or not 1 <= size <= min(self.dimension, LARGEST_SIZE):
            raise BadInput(
                f"size is {size!r}; a set of {self.dimension} coordinates that makes at most "
                f"2^{LARGEST_SIZE} units has a size from 1 to {min(self.dimension, LARGEST_SIZE)}"
            )
        points = np.random.default_rng(0).standard_normal((64, size))
        units = self.activation(points @ _directions(size).T)
        if np.abs(units @ _signs(size)).max() <= VANISHES * np.abs(units).sum(axis=1).max():
            parity = "odd" if size % 2 else "even"
            raise BadInput(
                f"the network of size {size} vanishes: {self.activation!r} has no {parity} part of "
                f"degree {size} or more.  The ReLU needs an even size, the sigmoid an odd one"
            )

    @property
    def inputs(self) -> Gaussian:
        return Gaussian(self.dimension)

    @property
    def count(self) -> int:
        """C(d, k), the number of functions of the family."""
        return comb(self.dimension, self.size)

    @cached_property
    def squared_norm(self) -> float:
        """||f_S||^2 = 2^k sum_j (-1)^j C(k, j) K(1 - 2 j / k), K(r) = E[act(z) act(z')], by
        quadrature; the same for every S.
        """
        k = self.size
        terms = [
            (-1) ** j * comb(k, j) * pair_mean(self.activation, 1 - 2 * j / k) for j in range(k + 1)
        ]
        return float(2**k * sum(terms))

    def units(self, subset: Iterable[int]) -> tuple[Array, Array]:
        """Directions of the 2^k units in R^d, (2^k, d), and their signs, (2^k,)."""
        members = self._members(subset)
        rows = np.zeros((2**self.size, self.dimension))
        rows[:, list(members)] = _directions(self.size)
        return rows, _signs(self.size)

    def function(self, subset: Iterable[int]) -> Ridge:
        """f_S as a function that may be asked for."""
        rows, signs = self.units(subset)
        act = self.activation
        return Ridge(lambda s: act(s) @ signs, rows.T, kinks=(act.kinks,) * len(rows))

    def draw(
        self, *, noise: float = 0.0, seed: Seed = 0, subset: Iterable[int] | None = None
    ) -> IndexInstance:
        """An instance with a secret set, uniform among those of its size unless given.

        Its target, the first unit as a neuron, is only named, not fitted.
        """
        if not 0 <= noise < np.inf:
            raise BadInput(f"noise is {noise}; a standard deviation is finite and >= 0")
        if subset is None:
            chosen = rng(seed, Role.INSTANCE).permutation(self.dimension)[: self.size]
            subset = tuple(int(i) for i in chosen)
        rows, signs = self.units(subset)
        law = LabelLaw(alternating(rows, signs, self.activation), noise)
        return IndexInstance(self, law, ReluHypothesis(rows[0], 0.0), float("inf"))

    def _members(self, subset: Iterable[int]) -> tuple[int, ...]:
        found: tuple[Any, ...] = tuple(subset)
        whole = all(isinstance(i, int | np.integer) and 0 <= i < self.dimension for i in found)
        if not whole or len(set(found)) != len(found) or len(found) != self.size:
            raise BadInput(
                f"subset {found}; wanted {self.size} of the coordinates 0, ..., "
                f"{self.dimension - 1}"
            )
        return tuple(sorted(int(i) for i in found))


def alternating(rows: Array, signs: Array, activation: Link) -> tuple[Term, ...]:
    """sum_j signs_j act(<row_j, x>) as terms of a label."""
    units = [v / np.linalg.norm(v) for v in rows]
    return tuple(
        Term(v, activation if sign > 0 else Scaled(activation, -1.0))
        for v, sign in zip(units, signs, strict=True)
    )


def pair_mean(activation: Link, overlap: float) -> float:
    """E[act(z) act(z')] for standard Gaussians of this correlation, by quadrature."""
    r = min(max(overlap, -1.0), 1.0)
    frame = np.array([[1.0, r], [0.0, np.sqrt((1 - r) * (1 + r))]])
    form = Ridge(
        lambda s: activation(s[:, 0]) * activation(s[:, 1]),
        frame,
        kinks=(activation.kinks, activation.kinks),
    )
    return float(np.asarray(ridge_expectation(form, 2).value))


def _directions(size: int) -> Array:
    """All of {-1, 1}^k over sqrt(k), (2^k, k)."""
    return np.asarray(np.array(list(product((1.0, -1.0), repeat=size))) / np.sqrt(size))


def _signs(size: int) -> Array:
    return np.asarray(np.sign(_directions(size)).prod(axis=1))
