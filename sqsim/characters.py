"""Parities as a form of query.  This file does not know how their means are found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any, Self, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.forms import PROBES, Form
from sqsim.lowrank import Array
from sqsim.subsets import mask_words, masks_of

LARGEST_CUBE = 30
"""Dimension up to which all parities at once may be asked."""


@final
@dataclass(frozen=True, eq=False)
class Characters(Form):
    """Parities chi_S(x) = prod_(i in S) sign(x_i) of many sets S, times h(y) in a Statistic.

    On the cube {-1, 1}^d these are its characters: the answer to a Correlation is a set of Fourier
    coefficients E[y chi_S].  An input of 0 counts as positive.

    Parameters
    ----------
    masks : (m,) or (m, words) integers, optional
        The sets as bits: bit i of a mask is 1 where coordinate i is in S; 64 coordinates to a
        word.  None stands for all 2^d sets, set S at the index of its bits.
    h : function, optional
        In a Statistic called as h(y), (n,) to (n,); None stands for the constant 1.
    """

    masks: Any = None
    h: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        if self.h is not None and not callable(self.h):
            raise BadInput(f"h is {type(self.h).__name__}; wanted a function (or None for 1)")
        if self.masks is not None:
            object.__setattr__(self, "masks", mask_words(self.masks))

    @classmethod
    def of(cls, subsets: Iterable[Iterable[int]], *, h: Callable[..., Any] | None = None) -> Self:
        """The parities of these sets of coordinates, numbered from 0."""
        return cls(masks_of(subsets), h)

    @property
    def range(self) -> tuple[float, float] | None:
        return (-1.0, 1.0) if self.h is None else None

    def shape(self, dimension: int) -> tuple[int, ...]:
        if self.masks is None:
            if dimension > LARGEST_CUBE:
                raise BadInput(
                    f"there are 2^{dimension} parities; name the sets that are asked, as in "
                    f"Characters.of([(0, 2)]), or use a dimension of at most {LARGEST_CUBE}"
                )
            return (1 << dimension,)
        if self._coordinates > dimension:
            raise BadInput(
                f"a mask names coordinate {self._coordinates - 1}; the inputs have coordinates "
                f"0, ..., {dimension - 1}"
            )
        return (len(self.masks),)

    def values(self, labels: Array | None, count: int) -> Array:
        """h at `count` examples, checked for shape: what multiplies the parities."""
        if self.h is None or labels is None:
            return np.ones(count)
        values = np.asarray(self.h(labels), dtype=np.float64)
        if values.shape != (count,):
            raise BadInput(f"h returned shape {values.shape} on {count} labels; wanted ({count},)")
        return values

    def mark(self, dimension: int, *, labelled: bool) -> tuple[float, ...]:
        with np.errstate(all="ignore"):
            values = self.values(PROBES.copy() if labelled else None, len(PROBES))
        return (*self._digest, *values.tolist())

    @cached_property
    def _coordinates(self) -> int:
        """One more than the largest coordinate of any set."""
        joint = np.bitwise_or.reduce(self.masks, axis=0).tolist()
        return max(
            (64 * j + int(word).bit_length() for j, word in enumerate(joint) if word), default=0
        )

    @cached_property
    def _digest(self) -> tuple[float, ...]:
        """The sets as a few numbers of 24 bits, which differ by more than replay overlooks."""
        if self.masks is None:
            return (0.0,)
        digest = blake2b(self.masks.astype("<u8").tobytes(), digest_size=12).digest()
        parts = (int.from_bytes(digest[i : i + 3], "little") for i in range(0, 12, 3))
        return (float(len(self.masks)), *map(float, parts))
