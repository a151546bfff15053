"""Labels that are sums of ReLU neurons, and queries of them, as integrals along rays.

This file does not know how rays are drawn, nor how errors are told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from sqsim.errors import QueryRefused
from sqsim.forms import Form
from sqsim.geometry import Span, span
from sqsim.links import Link, Relu, Scaled
from sqsim.lowrank import Array
from sqsim.oracles.rays import Rays
from sqsim.problems.labels import LabelLaw
from sqsim.queries import Query, Ridge, Statistic

ON_THE_SPAN = 1e-13
"""Part of a line's length off the hidden span that is rounding."""


def shared_lines(labels: LabelLaw, queries: Sequence[Query]) -> list[list[int]]:
    """Places of scalar statistics h(<w, x>, y) of equal levels, where two or more share rays."""
    groups: dict[tuple[float, ...], list[int]] = {}
    if len(labels.columns) < 2:
        return []
    for i, query in enumerate(queries):
        form = query.form
        if (
            isinstance(query, Statistic)
            and isinstance(form, Ridge)
            and form.frame is not None
            and (form.power, form.frame.ndim) == (0, 1)
            and not form.columns_kinks[0]
        ):
            groups.setdefault(tuple(map(float, form.levels)), []).append(i)
    return [places for places in groups.values() if len(places) > 1]


def rays_of_lines(
    labels: LabelLaw, forms: Sequence[Form], dimension: int
) -> tuple[Rays, list[Callable[[Array, Array], Array]]]:
    """One set of rays for all lines, their parts off the hidden span on one common coordinate.

    Each line's mean is a function of its own projection and the label, so the parts off the span
    may be taken as parallel.
    """
    ridges = [form for form in forms if isinstance(form, Ridge)]
    for form in ridges:
        form.shape(dimension)
    frame = span(labels.columns, dimension)
    lines = np.stack([np.asarray(form.frame) for form in ridges], axis=1)
    inside = frame.basis.T @ lines
    off = np.linalg.norm(lines - frame.basis @ inside, axis=0)
    extra = int(bool(np.any(off > ON_THE_SPAN * np.linalg.norm(lines, axis=0))))
    columns = np.concatenate([inside, off[None, :]]) if extra else inside
    functions: list[Callable[[Array, Array], Array]] = [partial(_values, form) for form in ridges]
    kinks = ((),) * len(ridges)
    return _rays(labels, frame, frame.mixing, columns, kinks, ridges[0]), functions


def _values(form: Ridge, s: Array, labels: Array) -> Array:
    return form.values(s[:, None], labels, len(labels))


def rays_of(labels: LabelLaw, form: Ridge, frame: Span) -> Rays:
    """What radial integrals need to know of the label and of one query in a common span."""
    count = form.columns
    columns, neurons = frame.mixing[:, :count], frame.mixing[:, count:]
    return _rays(labels, frame, neurons, columns, form.columns_kinks, form)


def _rays(
    labels: LabelLaw,
    frame: Span,
    neurons: Array,
    columns: Array,
    kinks: Sequence[Sequence[float]],
    form: Ridge,
) -> Rays:
    found = [_neuron(term.link) for term in labels.terms]
    if any(term.gate is not None for term in labels.terms) or any(n is None for n in found):
        raise QueryRefused(
            "Polar follows labels along rays where all terms are ReLU neurons; this label has a "
            "gate or another link: use means=MonteCarlo(n)"
        )
    sure = [n for n in found if n is not None]
    noisy, rank = int(bool(labels.noise)), len(columns)
    drift = np.zeros(rank + noisy)
    drift[rank:] = labels.noise
    return Rays(
        rank=rank,
        columns=_padded(columns, rank + noisy),
        kinks=kinks,
        neurons=_padded(neurons, rank + noisy) * np.array([n[1] for n in sure]),
        biases=np.array([n[2] for n in sure]),
        outer=np.array([n[0] for n in sure]),
        drift=drift,
        levels=tuple(map(float, form.levels)),
        h=form.values,
    )


def _padded(rows: Array, count: int) -> Array:
    return np.concatenate([rows, np.zeros((count - len(rows), rows.shape[1]))])


def _neuron(link: Link) -> tuple[float, float, float] | None:
    """factor, norm and bias of factor max(norm t + bias, 0), or None."""
    if isinstance(link, Relu):
        return 1.0, link.norm, link.bias
    if isinstance(link, Scaled) and (inner := _neuron(link.link)) is not None:
        return link.factor * inner[0], inner[1], inner[2]
    return None
