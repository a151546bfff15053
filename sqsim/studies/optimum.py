"""What the best neuron really loses on an instance: OPT computed, not assumed.

This file does not know learners, nor how labels were corrupted.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import final

import numpy as np
from scipy.optimize import minimize

from sqsim.errors import BadInput
from sqsim.lowerbounds.quantities import Estimate
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.index import IndexInstance
from sqsim.queries import Correlation, Ridge, Statistic
from sqsim.special import positive_part_mean
from sqsim.studies.neuron_means import agreement_off_the_plane, neuron_energy, one_mean
from sqsim.studies.planar import Planar, label_nodes
from sqsim.tolerance import Mean

BIASES = (-36.0, 12.0)
"""Normalised biases searched: below, no label is seen; above, a neuron is a line."""
ORDINARY = (-1.0, 0.0, 1.0)
OFF = (0.1, 0.5)
"""Angles off the span, in units of 1 / (1 + |bias|), from which the search leaves it."""
TOLERANCE = 1e-10
WORTH = 1e-4
"""Part of the loss that a direction off the span must save."""
METHOD = (
    "attained by a neuron, so an upper bound up to quadrature; that none does better is the "
    "result of a local search from several starts, not proved"
)


@final
@dataclass(frozen=True, eq=False)
class Optimum:
    """The best neuron found, and its loss E[(y - yhat)^2].

    Attributes
    ----------
    searched : starts of the local search.
    """

    hypothesis: ReluHypothesis
    loss: Estimate
    searched: int


def best_neuron(
    instance: IndexInstance,
    *,
    norm: float | None = None,
    bias: float | None = None,
    starts: int = 3,
) -> Optimum:
    """min over (w, b) of E[(y - max(<w, x> + b, 0))^2], norm and bias free unless given.

    For a direction u and a normalised bias B the best norm is in closed form: the loss is E[y^2] -
    E[y s]^2 / E[s^2], s = max(<u, x> + B, 0), if E[y s] > 0.  u is searched in the span of the
    label's directions, then with one coordinate off it, which by symmetry is all that directions
    outside of it can do; B in [-36, 12].  Starts are the best of all directions of the label,
    their bisectors and their kinks; the constants E[y] and 0 are compared too.

    Parameters
    ----------
    norm, bias : of the competing neurons, where fixed: b, not the normalised bias.
    starts : local searches.

    Raises
    ------
    BadInput
        For noisy labels, whose noise variance is to be added by the caller, and for label laws
        of more than two directions.
    """
    if instance.labels.noise or not instance.labels.terms:
        raise BadInput(
            "labels have independent noise or no term: the best neuron is that of the noiseless "
            "labels, its loss plus the noise variance"
        )
    if norm is not None and not 0 < norm < np.inf:
        raise BadInput(f"norm is {norm}; a fixed norm is positive (None: free)")
    search = _Search.of(instance, norm, bias)
    first = sorted(search.starts(), key=search.gain, reverse=True)[:starts]
    best = max((search.climbed(start) for start in first), key=search.gain)
    best = search.climbed(best, exact=True)
    if search.outside is not None:
        off = [search.climbed((*best, off / (1 + abs(best[1])))) for off in OFF]
        left, reached = max(off, key=search.gain), search.gain(best, exact=True)
        if search.gain(left, exact=True) > reached + WORTH * (1 - reached):
            best = search.climbed(left, exact=True)
    return search.optimum(best, len(first))


Place = tuple[float, ...]
"""Angle in the span's plane, normalised bias, and the angle off the span where it is left."""


@final
@dataclass(frozen=True, eq=False)
class _Search:
    instance: IndexInstance
    energy: Mean
    basis: Array
    outside: Array | None
    norm: float | None
    bias: float | None
    points: Array
    weights: Array

    @classmethod
    def of(cls, instance: IndexInstance, norm: float | None, bias: float | None) -> _Search:
        dimension = instance.problem.dimension
        basis, points, weights = label_nodes(instance)
        outside = None
        if dimension > basis.shape[1]:
            axis = int(np.argmin(np.linalg.norm(basis, axis=1)))
            rest = np.eye(dimension)[axis]
            for _ in range(2):
                rest = rest - basis @ (basis.T @ rest)
            outside = rest / np.linalg.norm(rest)
        energy = one_mean(Planar(), instance, Statistic(Ridge(np.square), "label energy"))
        return cls(instance, energy, basis, outside, norm, bias, points, weights)

    def direction(self, place: Place) -> Array:
        angle, off = place[0], place[2] if len(place) > 2 else 0.0
        u = np.cos(angle) * self.basis[:, 0]
        if self.basis.shape[1] == 2:
            u = u + np.sin(angle) * self.basis[:, 1]
        if self.outside is not None and off:
            u = np.cos(off) * u + np.sin(off) * self.outside
        return np.asarray(u / np.linalg.norm(u))

    def starts(self) -> list[Place]:
        """Directions of the label, both signs and bisectors, with its kinks as biases."""
        labels = self.instance.labels
        columns = [sign * (self.basis.T @ c) for c in labels.columns for sign in (1.0, -1.0)]
        if self.basis.shape[1] == 2:
            pairs = [one + two for one, two in combinations(columns, 2)]
            columns += [pair for pair in pairs if np.linalg.norm(pair) > 1e-6]
        angles = {round(_angle(column), 9) for column in columns}
        kinks = {-abs(k) for of_column in labels.columns_kinks for k in of_column}
        biases = {min(max(b, BIASES[0]), BIASES[1]) for b in (*kinks, *ORDINARY)}
        if self.bias is not None and (self.norm is not None or self.bias == 0):
            biases = {self.bias / (self.norm or 1.0)}
        return [(angle, bias) for angle in angles for bias in biases]

    def rough(self, place: Place) -> float:
        """E[y max(<u, x> + B, 0)] on fixed nodes: cheap, a little rough across the kink."""
        u = self.direction(place)
        along = self.points @ (self.basis.T @ u) + place[1]
        if len(place) > 2 and place[2]:
            off = abs(float(np.sin(place[2])))
            return float(self.weights @ (off * positive_part_mean(along / off)))
        return float(self.weights @ np.maximum(along, 0.0))

    def agreement(self, place: Place) -> Mean:
        """The same, exact up to a stated error."""
        u, b = self.direction(place), place[1]
        if len(place) > 2 and place[2]:
            return agreement_off_the_plane(self.instance, u, b)
        form = Ridge(lambda s: np.maximum(s + b, 0.0), u, kinks=(-b,))
        return one_mean(Planar(), self.instance, Correlation(form, "agreement"))

    def scale(self, place: Place, agreed: float) -> float:
        """The norm that competes at this direction and normalised bias; 0 for none."""
        b = place[1]
        if self.norm is not None:
            return self.norm
        if self.bias:
            return self.bias / b if self.bias * b > 0 else 0.0
        return max(agreed, 0.0) / neuron_energy(b)

    def gain(self, place: Place, *, exact: bool = False) -> float:
        """(E[y^2] - loss) / E[y^2]."""
        if not BIASES[0] <= place[1] <= BIASES[1]:
            return -np.inf
        agreed = self.agreement(place).number if exact else self.rough(place)
        c = self.scale(place, agreed)
        return (2 * c * agreed - c * c * neuron_energy(place[1])) / self.energy.number

    def climbed(self, start: Place, *, exact: bool = False) -> Place:
        """A local maximum of the gain near the start."""
        reach = (0.02 if exact else 0.2) / (1 + abs(start[1]))
        fixed = self.bias is not None and (self.norm is not None or self.bias == 0)
        free = [0] * (self.basis.shape[1] == 2) + [1] * (not fixed) + [2] * (len(start) > 2)
        if not free:
            return start

        def moved(step: Array) -> Place:
            place = list(start)
            for axis, length in zip(free, step, strict=True):
                place[axis] += float(length) * reach
            return tuple(place)

        simplex = np.concatenate([np.zeros((1, len(free))), np.eye(len(free))])
        found = minimize(
            lambda step: -self.gain(moved(step), exact=exact),
            np.zeros(len(free)),
            method="Nelder-Mead",
            options={
                "initial_simplex": simplex,
                "xatol": 1e-3,
                "fatol": TOLERANCE,
                "maxfev": (30 if exact else 90) * len(free),
            },
        )
        return moved(found.x)

    def optimum(self, place: Place, searched: int) -> Optimum:
        """The neuron at this place, or a constant that loses less."""
        agreed = self.agreement(place)
        c = self.scale(place, agreed.number)
        own = neuron_energy(place[1])
        energy = self.energy.number
        value = energy - 2 * c * agreed.number + c * c * own
        error = float(np.max(self.energy.error)) + 2 * c * float(np.max(agreed.error))
        neuron = ReluHypothesis(c * self.direction(place), c * place[1])
        if self.norm is None and self.bias is None:
            mean = max(one_mean(Planar(), self.instance, Correlation(Ridge())).number, 0.0)
            if energy - mean**2 < value:
                value = energy - mean**2
                neuron = ReluHypothesis(np.zeros(self.instance.problem.dimension), mean)
        return Optimum(neuron, Estimate(value, error + TOLERANCE * energy, METHOD), searched)


def _angle(column: Array) -> float:
    return float(np.arctan2(column[1] if len(column) > 1 else 0.0, column[0]))
