"""ReLU neurons along indicator vectors, many at a time, as one function of whole examples.

A class of its own, so that who knows the law of the inputs can see what is asked and need not
average.  This file does not know queries or labels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, combinations
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.subsets import Words

Sets = NDArray[np.int16]

MOST_SETS = 2_000_000
"""Sets that are listed at once: a batch then keeps a few hundred MiB."""
LARGEST_COORDINATE = 2**15 - 1


@final
@dataclass(frozen=True, eq=False)
class SetNeurons:
    """x -> norm sigma(<1_T, x> / sqrt |T|), one column for each set T, all of one size.

    On x ~ N(0, I_d) each has the mean norm / sqrt(2 pi) and the second moment norm^2 / 2.

    Parameters
    ----------
    sets : (m, t) integers
        The members of each set, different and at least 0; t >= 1.
    norm : float
        Length of the weights.
    opposed : bool
        The weight of each set's first member is negative.
    """

    sets: Any
    norm: float = 1.0
    opposed: bool = False

    def __post_init__(self) -> None:
        given = np.asarray(self.sets)
        if given.ndim != 2 or not given.size or given.dtype.kind not in "iu":
            raise BadInput(
                f"sets of shape {given.shape} and type {given.dtype}; wanted at least one row of "
                "integers: the members of one set"
            )
        if given.min() < 0 or given.max() > LARGEST_COORDINATE:
            raise BadInput(f"members of sets lie from 0 to {LARGEST_COORDINATE}")
        # By pairs of columns: sorting every row would cost several times the rest.
        if any(np.any(one == two) for one, two in combinations(given.T, 2)):
            raise BadInput("a set names a coordinate twice; its members are different")
        if not 0 < self.norm < math.inf:
            raise BadInput(f"norm is {self.norm!r}; wanted a finite number > 0")
        sets = given.astype(np.int16, copy=given.flags.writeable)
        sets.flags.writeable = False
        object.__setattr__(self, "sets", sets)

    def __call__(self, inputs: Array) -> Array:
        """The neurons' values, (n, m)."""
        values = np.zeros((len(inputs), len(self.sets)))
        for place, members in enumerate(self.sets.T):
            if self.opposed and place == 0:
                values -= inputs[:, members]
            else:
                values += inputs[:, members]
        np.maximum(values, 0.0, out=values)
        values *= self.norm / math.sqrt(self.sets.shape[1])
        return values

    @property
    def mean(self) -> float:
        """E[norm sigma(<w, x>)] on standard Gaussian inputs, of every set."""
        return self.norm / math.sqrt(2 * math.pi)

    @property
    def size(self) -> float:
        """The root of the second moment on standard Gaussian inputs."""
        return self.norm / math.sqrt(2)

    def weights(self, row: int, dimension: int) -> Array:
        """The weights of one neuron, (dimension,)."""
        found = np.zeros(dimension)
        members = self.sets[row]
        found[members] = self.norm / math.sqrt(len(members))
        if self.opposed:
            found[members[0]] *= -1
        return found

    def moved(self, coordinate: int) -> Self:
        """The same neurons where a coordinate that none of them reads is put in at this place."""
        sets = self.sets + (self.sets >= coordinate)
        return type(self)(sets.astype(np.int16, copy=False), self.norm, self.opposed)


@lru_cache(maxsize=2)
def sets_of_size(dimension: int, size: int) -> Sets:
    """All sets of this many of the coordinates 0, ..., dimension - 1, in lexicographic order."""
    count = math.comb(dimension, size)
    if count > MOST_SETS:
        raise BadInput(
            f"there are {count} sets of {size} of {dimension} coordinates, and at most "
            f"{MOST_SETS} are listed; take a smaller dimension or sparsity"
        )
    members = chain.from_iterable(combinations(range(dimension), size))
    found = np.fromiter(members, dtype=np.int16, count=count * size).reshape(count, size)
    found.flags.writeable = False
    return found


def masks_of_rows(sets: Sets, dimension: int) -> Words:
    """Sets given by their members, (m, t), as bits, (m, words)."""
    words = np.zeros((len(sets), -(-dimension // 64)), dtype=np.uint64)
    rows = np.arange(len(sets))
    for members in sets.T:
        words[rows, members // 64] |= np.uint64(1) << (members % 64).astype(np.uint64)
    return words
