"""What a query would be answered if the label knew nothing of x.

This file does not know tolerances' policies, nor who hides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sqsim.errors import QueryRefused
from sqsim.geometry import span
from sqsim.lowrank import Array, LowRank
from sqsim.oracles.quadrature import Quadrature
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.index import IndexInstance, ReluRegression
from sqsim.problems.labels import Gate, LabelLaw, Term
from sqsim.queries import Query, Ridge
from sqsim.tolerance import Scale


def null_law(instance: IndexInstance) -> IndexInstance:
    """The null law: the same label, along directions that no query on the inputs can touch.

    x has as many coordinates more as the label has directions, and y depends on these alone: it
    is independent of the first d and has its own marginal law.
    """
    d, columns = instance.problem.dimension, instance.labels.columns
    basis = span(columns, d).basis

    def lifted(column: Array) -> Array:
        return np.concatenate([np.zeros(d), basis.T @ column])

    def one(term: Term) -> Term:
        gate, v = term.gate, lifted(term.direction)
        if gate is not None:
            gate = Gate(lifted(gate.direction), gate.function, gate.kinks)
        return Term(v / np.linalg.norm(v), term.link, gate)

    law = LabelLaw(tuple(map(one, instance.labels.terms)), instance.labels.noise)
    problem = ReluRegression(d + basis.shape[1])
    target = ReluHypothesis(lifted(instance.target.weights), instance.target.bias)
    return IndexInstance(problem, law, target, instance.opt_upper_bound)


def widened(form: Ridge, more: int) -> Ridge:
    """The same function of the first d coordinates of an input that has `more` besides."""
    if form.frame is None:
        return form
    padding = np.zeros((more, *form.frame.shape[1:]))
    return replace(form, frame=np.concatenate([form.frame, padding]))


def null_mean(null: IndexInstance, query: Query, dimension: int) -> Any:
    """Its mean under `null_law`: E[y] E[phi] for a correlation y phi(x)."""
    if not isinstance(query.form, Ridge):
        raise QueryRefused(
            f"{query.label or 'query'}: an Opaque function has no null answer here; write it as a "
            "Ridge"
        )
    lifted = replace(query, form=widened(query.form, null.problem.dimension - dimension))
    value = Quadrature().means(null, [lifted], [Scale.NONE])[0].value
    if isinstance(value, LowRank):
        basis, mixing = np.linalg.qr(value.basis[:dimension])
        return LowRank(basis, mixing @ value.core @ mixing.T)
    return value[:dimension] if value.ndim else value


def nothing(shape: tuple[int, ...]) -> Array | LowRank:
    """Zeros; of a matrix without its d^2 numbers."""
    if len(shape) == 2:
        return LowRank(np.zeros((shape[0], 0)), np.zeros((0, 0)))
    return np.zeros(shape)
