"""The instances among which an evader has not chosen yet, and what a query can see of them.

This file does not know tolerances, learners or answers.  It works in 64-bit floats; what is proved
about a direction is proved elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.gaussian import columns_of
from sqsim.geometry import span
from sqsim.links import Link
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.index import IndexInstance, ReluRegression, SingleIndex
from sqsim.problems.labels import Gate, LabelLaw, Term
from sqsim.problems.problem import Problem
from sqsim.queries import Ridge

DEGREES = 64
MEMORY = 2**32
COPIES = 6
"""Vectors held for a direction: it is drawn, normalised, and stands in an instance; some rest."""

ALMOST = 1e-14
"""A unit vector this near to a span is in it, or not: floats do not tell."""


@final
@dataclass(frozen=True, eq=False)
class Family:
    """What the hidden instance may be.

    Attributes
    ----------
    model : one of them.
    members : all of them, or None: the model turned in any way, its hidden direction anywhere on
        the sphere.
    """

    model: IndexInstance
    members: tuple[IndexInstance, ...] | None = None

    @property
    def problem(self) -> Problem:
        """What a learner is told, whichever member it meets."""
        return self.model.problem

    def member(self, direction: Array) -> IndexInstance:
        """The model turned so that its hidden direction is this one."""
        return turned(self.model, direction)

    def __str__(self) -> str:
        if self.members is not None:
            return f"{len(self.members)} instances"
        links = ", ".join(repr(term.link) for term in self.model.labels.terms)
        return f"{links} along any direction in dimension {self.problem.dimension}"


def family_of(what: Any) -> Family:
    """A family from a problem, an instance (with all its rotations) or several instances."""
    if isinstance(what, Family):
        return what
    if isinstance(what, ReluRegression | SingleIndex):
        return Family(what.draw())
    if isinstance(what, IndexInstance):
        return Family(what)
    if not (isinstance(what, Sequence) and what):
        raise BadInput(
            f"a family is made of a problem, an instance or a list of instances, not {what!r:.80}"
        )
    for one in what:
        if not isinstance(one, IndexInstance):
            raise BadInput(f"the family holds {type(one).__name__}; wanted instances")
        if one.problem != what[0].problem:
            raise BadInput(
                f"the family holds instances of {one.problem!r} and of {what[0].problem!r}; a "
                "learner must be told the same, whichever it meets"
            )
    return Family(what[0], tuple(what))


def refuse_beyond_memory(dimension: int, count: int) -> None:
    """Before so many directions are drawn."""
    need = 8 * dimension * (count + 1) * COPIES
    if need > MEMORY:
        raise BadInput(
            f"{count} candidates in dimension {dimension} need about {need / 2**30:.3g} GiB, and "
            f"{MEMORY / 2**30:.3g} are allowed; take fewer candidates or dimensions"
        )


def turned(instance: IndexInstance, direction: Array) -> IndexInstance:
    """The instance reflected so that its hidden direction becomes `direction`, a unit vector."""
    old = instance.direction
    axis = old - direction
    length = float(axis @ axis)

    def image(column: Array) -> Array:
        if np.array_equal(column, instance.labels.terms[0].direction):
            return direction
        moved = column if length == 0 else column - (2 * (axis @ column) / length) * axis
        return np.asarray(moved / np.linalg.norm(moved) * np.linalg.norm(column))

    def one(term: Term) -> Term:
        gate = term.gate
        if gate is not None:
            gate = Gate(image(gate.direction), gate.function, gate.kinks)
        return Term(image(term.direction), term.link, gate)

    law = LabelLaw(tuple(map(one, instance.labels.terms)), instance.labels.noise)
    target = ReluHypothesis(instance.target.norm * direction, instance.target.bias)
    return replace(instance, labels=law, target=target)


def only_link(instance: IndexInstance) -> Link | None:
    """f where the label is f(<v, x>) plus independent noise; None where it is more than that."""
    terms = instance.labels.terms
    return terms[0].link if len(terms) == 1 and terms[0].gate is None else None


@final
@dataclass(frozen=True, eq=False)
class Visibility:
    """rho -> sqrt(sum_m c_m^2 rho^(2m)): how much of f(<v, x>) a function of P_U x can see.

    |E[f(<v, x>) phi(P_U x)]| <= visible(rho) ||phi||, rho = ||P_U v||, by Mehler's formula and
    Cauchy-Schwarz, for every square integrable phi.

    Attributes
    ----------
    squares : c_0^2, ..., c_64^2.
    tail : the rest of E[f^2].
    """

    squares: Array
    tail: float

    @classmethod
    def of(cls, link: Link) -> Visibility:
        squares = np.square(link.coefficients(DEGREES))
        return cls(squares, max(link.second_moment - float(squares.sum()), 0.0))

    @property
    def mean(self) -> float:
        """|E[f]|: what is seen of any direction."""
        return float(np.sqrt(self.squares[0]))

    def __call__(self, rho: Array) -> Array:
        powers = np.asarray(rho)[..., None] ** (2 * np.arange(DEGREES + 2))
        return np.asarray(np.sqrt(powers @ np.append(self.squares, self.tail)))


def seen(form: Ridge, directions: Array) -> Array:
    """For each unit column v, the largest ||P_U v|| over the entries of T_p(x) h(W'x).

    U is the span of the frame W, with e_i for entry i of T_1 and e_i, e_j for entry ij of T_2; for
    T_2 an upper bound, the two largest residuals over the two least free coordinates.
    O(d N) for N columns beside the orthonormalisation of W.
    """
    dimension = len(directions)
    basis = span(columns_of(form), dimension).basis
    inside = basis.T @ directions
    squares = np.sum(inside**2, axis=0)
    if form.power:
        rest = (directions - basis @ inside) ** 2
        taken = np.sum(basis**2, axis=1)
        squares = squares + (_single(rest, taken) if form.power == 1 else _pair(rest, taken))
    return np.asarray(np.sqrt(np.minimum(squares, 1.0)))


def _single(rest: Array, taken: Array) -> Array:
    """max_i r_i^2 / (1 - P_ii); infinite where floats do not tell whether e_i is in the span."""
    free = 1 - taken
    inside = np.abs(free) <= ALMOST
    ratio = rest / np.where(inside, 1.0, free)[:, None]
    ratio[inside] = np.where(rest[inside] == 0.0, 0.0, np.inf)
    return np.asarray(ratio.max(axis=0))


def _pair(rest: Array, taken: Array) -> Array:
    """(r_i^2 + r_j^2) / (1 - P_ii - P_jj) at the two largest of each."""
    left = 1 - float(np.sort(taken)[-2:].sum())
    if left <= ALMOST:
        return np.full(rest.shape[1], np.inf)
    largest = np.partition(rest, max(len(rest) - 2, 0), axis=0)[-2:]
    return np.asarray(largest.sum(axis=0) / left)


def fresh_directions(
    frames: Iterable[Array], dimension: int, count: int, rng: np.random.Generator
) -> Array:
    """Unit columns: half where the frames look least, half uniform on the sphere.

    Where the frames span less than everything, the first half is orthogonal to all of them; else
    it is spread over the half of space that has the least singular values.
    """
    spread = rng.standard_normal((dimension, count))
    columns = {
        # Scaled first: the square of a tiny entry is 0.
        column.tobytes(): _unit(column / np.abs(column).max())
        for frame in frames
        for column in np.reshape(frame, (dimension, -1)).T
        if np.any(column)
    }
    if columns:
        hidden = count - count // 2
        left, sizes, _ = np.linalg.svd(np.stack(list(columns.values()), 1), full_matrices=False)
        watched = left[:, sizes > 1e-10 * sizes[0]]
        if watched.shape[1] >= dimension:
            watched = watched[:, : (dimension + 1) // 2]
        for _ in range(2):
            spread[:, :hidden] -= watched @ (watched.T @ spread[:, :hidden])
    lengths = np.linalg.norm(spread, axis=0)
    kept = lengths > 1e-8
    return np.asarray(spread[:, kept] / lengths[kept])


def _unit(vector: Array) -> Array:
    return np.asarray(vector / np.linalg.norm(vector))
