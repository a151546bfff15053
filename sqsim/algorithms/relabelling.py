"""Queries about new labels, asked as queries about the given ones.

A learner that believes in other labels, such as residuals, runs unchanged inside one that asks the
oracle: each of its queries is exchanged for one query, and the answer is read back.  This file does
not know what either learner is for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from sqsim.algorithms.combinations import Combination
from sqsim.algorithms.label_free import LabelFree
from sqsim.algorithms.transport import Reader, transported
from sqsim.characters import Characters
from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.transfers import Transfer
from sqsim.queries import Correlation, Form, Opaque, Query, Ridge
from sqsim.strategy import CSQ, SQ, Strategy

Q = TypeVar("Q", bound=Query)
R = TypeVar("R")


def residual_labels(
    strategy: Strategy[Q, R], concept: Combination, transfer: Transfer, known: LabelFree
) -> Strategy[Q, R]:
    """The strategy on labels r = y - psi(f(x)), as one of the same access on labels y.

    A Correlation r g(x) is the Correlation y g(x), of the same g and so of the same tolerance, less
    the label-free E[psi(f(x)) g(x)], which the learner computes: no query.  A Statistic phi(x, r)
    is the Statistic phi(x, y - psi(f(x))), whose values and norm are the same.  Queries and rounds
    are those of the strategy.  Label levels at which phi jumps move with x and are no longer
    declared, so that a quadrature confesses a larger error there.
    """
    if not concept.forms:
        return strategy

    def exchange(query: Q) -> tuple[Q, Reader]:
        if isinstance(query, Correlation):
            lost = known.mean([concept], query.form, lambda f, g: transfer(f[0]) * g)
            return query, lambda answer: answer - lost
        return replace(query, form=_residual_form(query.form, concept, transfer)), _as_it_is

    return transported(strategy, exchange)


def _residual_form(form: Form, concept: Combination, transfer: Transfer) -> Form:
    """phi(x, y - psi(f(x)))."""
    own = concept.ridge
    if isinstance(form, Ridge) and own is not None and own.frame is not None:
        count, inner = form.columns, own

        def h(s: Array, y: Array) -> Array:
            labels = y - transfer(inner.values(s[:, count:], None, len(s)))
            return form.values(s[:, :count] if count else None, labels, len(s))

        frames = [] if form.frame is None else [form.frame.reshape(len(form.frame), -1)]
        kinks = [*form.columns_kinks, *own.columns_kinks]
        frame = np.concatenate([*frames, own.frame], axis=1)
        return Ridge(h, frame, power=form.power, kinks=kinks)
    if isinstance(form, Opaque):
        return replace(form, fn=lambda x, y: form.values(x, y - transfer(concept(x))))
    raise BadInput(
        f"a Statistic of {type(form).__name__} cannot be asked about residuals of this hypothesis; "
        "write it as an Opaque"
    )


def with_random_signs(
    learner: Callable[[Any], SQ[R]], *, known: LabelFree, bound: float = 2.0
) -> Callable[[Any], CSQ[R]]:
    """A learner from labels of -1 and 1 as a correlational one from real labels in [-bound, bound].

    It believes in b = 1 with probability (1 + r / bound) / 2, else -1, so that every
    phi(x, b) has the mean E[(phi(x, 1) + phi(x, -1)) / 2] + E[r (phi(x, 1) - phi(x, -1)) / 2] /
    bound: a label-free part, which costs no query, and a Correlation.  So every statistical learner
    of Boolean labels is a correlational one (Bshouty and Feldman 2002), and inside
    `boosted_p_concept` it asks correlational queries alone (derived here).  Queries and rounds are
    those of the learner; an answer within tau of a mean of r g is read within tau / bound.
    """
    if not 0 < bound < np.inf:
        raise BadInput(f"bound is {bound}; wanted a finite number > 0 that no label exceeds")

    def exchange(query: Query) -> tuple[Correlation, Reader]:
        if isinstance(query, Correlation):
            return query, lambda answer: answer / bound
        form = query.form
        even, odd = _half(form, 1.0), _half(form, -1.0)
        base = known.mean([], even, lambda _, g: g)
        within = None if query.range is None else (query.range[1] - query.range[0]) / 2
        declared = None if within is None else (-within, within)
        asked = Correlation(odd, query.label, query.tolerance, range=declared)
        return asked, lambda answer: base + answer / bound

    def correlational(problem: Any) -> CSQ[R]:
        return transported(learner(problem), exchange)

    return correlational


def _half(form: Form, sign: float) -> Form:
    """(phi(x, 1) + sign phi(x, -1)) / 2."""
    if isinstance(form, Ridge):
        if form.frame is None:
            ends = [float(form.values(None, np.array([y]), 1)[0]) for y in (1.0, -1.0)]
            value = (ends[0] + sign * ends[1]) / 2
            raise BadInput(
                f"phi depends on the label alone, and is {value:g} on average; a Statistic of the "
                "label's law is not transported: give it a frame"
            )

        def h(s: Array) -> Array:
            points = s.reshape(len(s), -1)
            plus, minus = (form.values(points, np.full(len(s), y), len(s)) for y in (1.0, -1.0))
            return (plus + sign * minus) / 2

        return Ridge(h, form.frame, power=form.power, kinks=form.kinks)
    if isinstance(form, Opaque):

        def fn(x: Array) -> Array:
            plus, minus = (form.values(x, np.full(len(x), y)) for y in (1.0, -1.0))
            return np.asarray((plus + sign * minus) / 2)

        return Opaque(fn, form.size)
    assert isinstance(form, Characters)
    raise BadInput("a Statistic of Characters is not transported; ask its Correlation")


def _as_it_is(answer: Any) -> Any:
    return answer
