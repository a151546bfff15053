"""Sparse parities with noise: what the learner may know, and the secret set.

This file does not know queries or oracles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.inputs import Gaussian, Inputs, Rademacher
from sqsim.lowrank import Array
from sqsim.problems.cube import CubeLaw
from sqsim.problems.problem import Problem
from sqsim.seeds import Role, Seed, rng
from sqsim.subsets import fitted, masks_of, parity_signs, parity_table, sign_words
from sqsim.walsh import Table, fraction_of


@final
@dataclass(frozen=True)
class SparseParity(Problem):
    """y = chi_S(x) = prod_(i in S) sign(x_i) for a secret S of known size, flipped at a known rate.

    Parameters
    ----------
    dimension : int
    sparsity : int
        |S|, from 0 to the dimension.
    noise : number or text, optional
        P(y != chi_S(x)), independent of x, from 0 to below 1/2; "0.1" is one tenth.
    lifted : bool
        x ~ N(0, I_d) instead of uniform on {-1, 1}^d.
    """

    dimension: int
    sparsity: int
    noise: int | float | str | Fraction | Decimal = field(default=0, kw_only=True)
    lifted: bool = field(default=False, kw_only=True)
    norm: float | None = field(default=None, init=False)
    bias: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        Gaussian(self.dimension)
        size = self.sparsity
        whole = isinstance(size, int | np.integer) and not isinstance(size, bool)
        if not whole or not 0 <= size <= self.dimension:
            raise BadInput(
                f"sparsity is {size!r}; a set of {self.dimension} coordinates has a size from 0 "
                f"to {self.dimension}"
            )
        if not 0 <= self.flip_rate < Fraction(1, 2):
            raise BadInput(
                f"noise is {self.noise!r}; labels are flipped with a probability from 0 to below "
                "1/2, at which nothing is left of them"
            )

    @property
    def flip_rate(self) -> Fraction:
        """P(y != chi_S(x)), exactly."""
        return fraction_of(self.noise, "noise")

    @property
    def inputs(self) -> Inputs:
        return Gaussian(self.dimension) if self.lifted else Rademacher(self.dimension)

    def draw(self, *, seed: Seed = 0, subset: Iterable[int] | None = None) -> ParityInstance:
        """An instance with a secret set, uniform among those of its size unless given."""
        if subset is None:
            chosen = rng(seed, Role.INSTANCE).permutation(self.dimension)[: self.sparsity]
            members = tuple(sorted(int(i) for i in chosen))
        else:
            members = tuple(subset)
            masks_of([members])
            if len(members) != self.sparsity or max(members, default=-1) >= self.dimension:
                raise BadInput(
                    f"subset {members}; wanted {self.sparsity} of the coordinates 0, ..., "
                    f"{self.dimension - 1}"
                )
            members = tuple(sorted(int(i) for i in members))
        return ParityInstance(self, ParityLaw(self.dimension, members, self.flip_rate))


@final
@dataclass(frozen=True, eq=False)
class ParityLaw(CubeLaw):
    """y = chi_S(x), flipped with probability `noise`."""

    dimension: int
    subset: tuple[int, ...] = field(repr=False)
    noise: Fraction

    @property
    def signed(self) -> bool:  # type: ignore[override]
        return True

    @property
    def scale(self) -> Fraction:  # type: ignore[override]
        """E[y chi_S(x)]."""
        return 1 - 2 * self.noise

    @property
    def mask(self) -> int:
        """The set as bits."""
        return sum(1 << i for i in self.subset)

    @property
    def spectrum(self) -> Mapping[int, Fraction]:
        return {self.mask: self.scale}

    def table(self) -> Table:
        return parity_table(self.mask, self.dimension)

    def means(self, start: int, stop: int) -> Array:
        index = np.arange(start, stop, dtype=np.uint64)
        odd = np.bitwise_count(index & np.uint64(self.mask)) & 1
        return np.asarray(float(self.scale) * (1.0 - 2.0 * odd))

    def draw(self, inputs: Array, rng: np.random.Generator) -> Array:
        masks = fitted(masks_of([self.subset]), self.dimension)
        labels = parity_signs(sign_words(inputs), masks)[:, 0]
        if self.noise:
            labels = np.where(rng.random(len(labels)) < float(self.noise), -labels, labels)
        return labels

    def parts(self) -> Iterable[bytes]:
        yield f"{type(self).__name__} {self.dimension} {self.subset} {self.noise}".encode()


@final
@dataclass(frozen=True, eq=False)
class ParityInstance:
    """A problem with its secret, the law of the label."""

    problem: SparseParity
    labels: ParityLaw

    @property
    def label_bound(self) -> float:
        """The largest |y|."""
        return 1.0

    @property
    def subset(self) -> tuple[int, ...]:
        """The secret set, in increasing order."""
        return self.labels.subset
