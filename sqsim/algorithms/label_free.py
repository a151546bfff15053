"""Expectations without labels: a learner that knows the law of the inputs asks no query for them.

This file does not know labels, nor what the expectations are for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import final

import numpy as np

from sqsim.algorithms.combinations import Combination, whole_masks
from sqsim.characters import Characters
from sqsim.errors import BadInput
from sqsim.inputs import Empirical, Gaussian, Inputs, Rademacher
from sqsim.lowrank import Array
from sqsim.queries import Form, Opaque, Ridge
from sqsim.seeds import Role, Seed, rng
from sqsim.subsets import fitted, mask_words, parity_signs, sign_words
from sqsim.walsh import walsh_hadamard

SAME = 1e-11
"""Of the largest direction: what is left of another one after it may be rounding."""

SIGNS = 16
"""Coordinates of the cube that are summed over, and independent parities."""

Joint = Callable[[Sequence[Array], Array], Array]
"""(values of each combination, values of the form) -> values."""


@final
@dataclass(frozen=True)
class LabelFree:
    """E[F(f_1(x), ..., f_m(x), g(x))] for combinations f and the function g of a query.

    Exact for tables of inputs, for parities, for few directions of Gaussian inputs and sixteen
    coordinates of the cube; otherwise an average over the learner's own sample of the inputs, the
    same for all expectations, off by the values' deviation over sqrt(samples).

    Parameters
    ----------
    directions : int
        Up to how many a Gaussian mean is integrated: milliseconds for one, a fraction of a second
        for two with many kinks, minutes for three.
    samples : int
        Of the learner's own inputs.
    """

    inputs: Inputs
    directions: int = field(default=2, kw_only=True)
    samples: int = field(default=20_000, kw_only=True)
    seed: Seed = field(default=0, kw_only=True)

    def mean(self, concepts: Sequence[Combination], form: Form, function: Joint) -> Array:
        """One expectation for each entry of the form's answer.

        Parameters
        ----------
        function : of the values of each concept, (n,) each, and those of h, (n,)
            Multiplies T_p(x), the parity, or (for an Opaque, column by column) nothing.
        """
        if isinstance(form, Characters):
            return self._of_characters(concepts, form, function)
        if isinstance(form, Opaque):
            return self._of_opaque(concepts, form, function)
        if not isinstance(form, Ridge):
            raise BadInput(f"{type(form).__name__} has no label-free mean here; wanted a Ridge")
        if all(concept.ridge is not None or not concept.forms for concept in concepts):
            return self._of_ridge(joint_ridge(concepts, form, function))
        return self._average(concepts, form, function)

    def scalar(
        self, concepts: Sequence[Combination], function: Callable[[Sequence[Array]], Array]
    ) -> float:
        """E[F(f_1(x), ..., f_m(x))]."""
        parities = all(concept.masks is not None for concept in concepts)
        form: Form = Characters.of([()]) if parities else Ridge()
        found = self.mean(concepts, form, lambda values, _: function(values))
        return float(np.ravel(found)[0])

    def _of_ridge(self, ridge: Ridge) -> Array:
        frame = ridge.frame
        if frame is None or isinstance(self.inputs, Empirical):
            return self.inputs.expectation(ridge)
        if isinstance(self.inputs, Rademacher) and frame.any(axis=1).sum() <= SIGNS:
            return self.inputs.expectation(ridge)
        if isinstance(self.inputs, Gaussian):
            left, sizes, right = np.linalg.svd(frame.reshape(len(frame), -1), full_matrices=False)
            rank = max(1, int((sizes > SAME * sizes[0]).sum()))
            if rank <= self.directions:
                return _within(left[:, :rank], sizes[:rank, None] * right[:rank], ridge)
        return self._sample.expectation(ridge)

    def _of_characters(
        self, concepts: Sequence[Combination], form: Characters, function: Joint
    ) -> Array:
        if form.h is not None:
            raise BadInput("h(y) has no label-free mean")
        fair = isinstance(self.inputs, Rademacher | Gaussian)
        if not fair or any(concept.masks is None for concept in concepts):
            return self._of_opaque(concepts, _opaque(form, self.inputs.dimension), function)
        found = spectrum(concepts, lambda values: function(values, np.ones(len(values[0]))))
        if form.masks is None:
            means = np.zeros(form.shape(self.inputs.dimension)[0])
            for mask, value in found.items():
                means[mask] = value
            return means
        return np.array([found.get(mask, 0.0) for mask in whole_masks(form)])

    def _of_opaque(self, concepts: Sequence[Combination], form: Opaque, function: Joint) -> Array:
        x = self._sample.table
        given = [concept(x) for concept in concepts]
        columns = form.values(x, None).reshape(len(x), -1)
        means = np.array([function(given, column).mean() for column in columns.T])
        return means[0] if form.size is None else means

    def _average(self, concepts: Sequence[Combination], form: Ridge, function: Joint) -> Array:
        """Ridges and parities together."""
        x = self._sample.table
        projections = None if form.frame is None else (x @ form.frame).reshape(len(x), -1)
        own = form.values(projections, None, len(x))
        values = function([concept(x) for concept in concepts], own)
        weighted = Ridge(lambda _: values, np.zeros(x.shape[1]), power=form.power)
        return self._sample.expectation(weighted)

    @cached_property
    def _sample(self) -> Empirical:
        """The learner's own inputs; a table is all that there is of its law."""
        if isinstance(self.inputs, Empirical):
            return self.inputs
        stream = rng(self.seed, Role.LEARNER, 1)
        return Empirical(self.inputs.sample(stream, self.samples))


def _opaque(form: Characters, dimension: int) -> Opaque:
    """The parities as functions of whole inputs."""
    size = form.shape(dimension)[0]
    masks = np.arange(size) if form.masks is None else form.masks
    words = fitted(mask_words(masks), dimension)
    return Opaque(lambda x: parity_signs(sign_words(x), words), size)


def _within(basis: Array, mixing: Array, ridge: Ridge) -> Array:
    """The Gaussian mean of a Ridge with the frame basis mixing, in the coordinates of the basis."""
    inner = replace(ridge, frame=mixing, kinks=ridge.columns_kinks)
    if ridge.frame is not None and ridge.frame.ndim == 1:
        inner = replace(ridge, frame=mixing[:, 0])
    means = Gaussian(len(mixing)).expectation(inner)
    if ridge.power == 0:
        return means
    return basis @ means if ridge.power == 1 else basis @ means @ basis.T


def joint_ridge(concepts: Sequence[Combination], form: Ridge, function: Joint) -> Ridge:
    """T_p(x) function(f(x), h(W'x)) as one Ridge; the zero combination has no columns."""
    count = form.columns
    ridges = [concept.ridge for concept in concepts]
    frames = [] if form.frame is None else [form.frame.reshape(len(form.frame), -1)]
    frames += [r.frame for r in ridges if r is not None and r.frame is not None]
    widths = [0 if r is None else r.columns for r in ridges]
    ends = np.cumsum([count, *widths])
    if not frames:
        constant = function([np.zeros(1) for _ in ridges], form.values(None, None, 1))[0]
        raise BadInput(f"nothing depends on x: the mean of T_{form.power}(x) {constant:g} is known")

    def h(s: Array) -> Array:
        own = form.values(s[:, :count] if count else None, None, len(s))
        given = [
            np.zeros(len(s)) if r is None else r.values(s[:, start:stop], None, len(s))
            for r, start, stop in zip(ridges, ends, ends[1:], strict=False)
        ]
        return function(given, own)

    kinks = [*form.columns_kinks, *(c for r in ridges if r is not None for c in r.columns_kinks)]
    return Ridge(h, np.concatenate(frames, axis=1), power=form.power, kinks=kinks)


def spectrum(
    concepts: Sequence[Combination], function: Callable[[Sequence[Array]], Array]
) -> dict[int, float]:
    """Fourier coefficients E[F(f_1, ..., f_m) chi_S] for combinations of parities, by masks S.

    All others are 0: F is a function of the r parities that generate the others, which are
    independent fair signs, so that one transform of 2^r values finds all 2^r coefficients.
    """
    masks = sorted({mask for concept in concepts for mask in concept.masks or () if mask})
    basis: list[int] = []
    pivots: dict[int, tuple[int, int]] = {}
    for mask in masks:
        rest, parts = _reduced(mask, pivots)
        if rest:
            pivots[rest.bit_length()] = (rest, parts ^ 1 << len(basis))
            basis.append(mask)
    if len(basis) > SIGNS:
        raise BadInput(
            f"the combinations are made of {len(basis)} independent parities, and sums are made "
            f"over the signs of at most {SIGNS}; take fewer steps"
        )
    index = np.arange(1 << len(basis))
    values = []
    for concept in concepts:
        total = np.zeros(len(index))
        for mask, weight in zip(concept.masks or (), concept.weights, strict=True):
            parts = _reduced(mask, pivots)[1]
            total += weight * (1.0 - 2.0 * (np.bitwise_count(index & parts) & 1))
        values.append(total)
    table = np.ascontiguousarray(function(values), dtype=np.float64)
    found = walsh_hadamard(table) / len(index)
    generated = [0]
    for mask in basis:
        generated += [mask ^ other for other in generated]
    return dict(zip(generated, found.tolist(), strict=True))


def _reduced(mask: int, pivots: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """What is left of a mask after the pivots, and which of the basis were added."""
    parts = 0
    while mask and mask.bit_length() in pivots:
        other, its = pivots[mask.bit_length()]
        mask, parts = mask ^ other, parts ^ its
    return mask, parts
