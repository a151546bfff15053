"""Finite sums of functions that may be asked for: what Frank-Wolfe walks over.

This file does not know labels, nor who chooses the atoms.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias, final

import numpy as np

from sqsim.characters import Characters
from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.queries import Ridge
from sqsim.subsets import fitted, parity_signs, sign_words

AtomForm: TypeAlias = Ridge | Characters


@final
@dataclass(frozen=True, eq=False)
class Atom:
    """sign times a function: a Ridge of power 0, or one parity; sign 0 is the zero function."""

    form: AtomForm
    sign: float = 1.0

    def __post_init__(self) -> None:
        form = self.form
        if isinstance(form, Ridge):
            whole = form.power == 0 and form.frame is not None
        else:
            whole = isinstance(form, Characters) and form.h is None and len(_sets(form)) == 1
        if not whole:
            raise BadInput(
                f"an atom is made of {form!r:.60}; wanted a Ridge of power 0 with a frame, or "
                "Characters of one set"
            )
        if self.sign not in (-1.0, 0.0, 1.0):
            raise BadInput(f"sign is {self.sign}; wanted -1, 0 or 1")

    def __call__(self, inputs: Array) -> Array:
        """Values at these inputs, (n, d) -> (n,)."""
        return self.sign * _values(self.form, inputs)


@final
@dataclass(frozen=True, eq=False)
class Combination:
    """f(x) = sum_i weights[i] forms[i](x); no forms is the zero function."""

    forms: tuple[AtomForm, ...] = ()
    weights: tuple[float, ...] = field(default=())

    def __call__(self, inputs: Array) -> Array:
        """Values at these inputs, (n, d) -> (n,)."""
        total = np.zeros(len(inputs))
        for form, weight in zip(self.forms, self.weights, strict=True):
            total += weight * _values(form, inputs)
        return total

    def moved(self, share: float, atom: Atom, length: float) -> Combination:
        """(1 - share) f + share length atom; an atom that is there already is not listed twice."""
        kept = [(1 - share) * weight for weight in self.weights]
        forms, gain = list(self.forms), share * length * atom.sign
        at = next((i for i, form in enumerate(forms) if _same(form, atom.form)), None)
        if at is None:
            forms.append(atom.form)
            kept.append(gain)
        else:
            kept[at] += gain
        alive = [i for i, weight in enumerate(kept) if weight]
        return Combination(tuple(forms[i] for i in alive), tuple(kept[i] for i in alive))

    @cached_property
    def ridge(self) -> Ridge | None:
        """f as one Ridge over the frames of all; None where a parity is among the forms, or none is
        there.
        """
        ridges = [form for form in self.forms if isinstance(form, Ridge)]
        if not ridges or len(ridges) < len(self.forms):
            return None
        frames = [f.frame.reshape(len(f.frame), -1) for f in ridges if f.frame is not None]
        ends = np.cumsum([0, *(frame.shape[1] for frame in frames)])

        def h(s: Array) -> Array:
            total = np.zeros(len(s))
            for form, weight, start, stop in zip(
                ridges, self.weights, ends, ends[1:], strict=False
            ):
                total += weight * form.values(s[:, start:stop], None, len(s))
            return total

        kinks = [column for form in ridges for column in form.columns_kinks]
        return Ridge(h, np.concatenate(frames, axis=1), kinks=kinks)

    @cached_property
    def masks(self) -> tuple[int, ...] | None:
        """The sets as bits where all forms are parities, else None."""
        parities = [form for form in self.forms if isinstance(form, Characters)]
        if len(parities) < len(self.forms):
            return None
        return tuple(_sets(form)[0] for form in parities)


def whole_masks(form: Characters) -> list[int]:
    """Its sets as whole numbers; a form of all sets has none listed."""
    return _sets(form)


def _sets(form: Characters) -> list[int]:
    if form.masks is None:
        return []
    return [sum(int(word) << 64 * j for j, word in enumerate(row)) for row in form.masks]


def _values(form: AtomForm, inputs: Array) -> Array:
    if isinstance(form, Characters):
        assert form.masks is not None
        return parity_signs(sign_words(inputs), fitted(form.masks, inputs.shape[1]))[:, 0]
    assert form.frame is not None
    return form.values((inputs @ form.frame).reshape(len(inputs), -1), None, len(inputs))


def _same(one: AtomForm, two: AtomForm) -> bool:
    if isinstance(one, Characters) and isinstance(two, Characters):
        return _sets(one) == _sets(two)
    return one is two
