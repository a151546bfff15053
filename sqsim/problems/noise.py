"""Noise on the data itself: flipped labels, replaced examples, laws that drift.

Learners are not told, and do not see it: they are asked to learn all the same.  This file does not
know queries or oracles; exact means under this noise are in `oracles.noisy_means`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.examples import draw_examples

Generator = np.random.Generator


class DataNoise(ABC):
    """A change of the law of the examples."""

    @abstractmethod
    def apply(self, x: Array, y: Array, rng: Generator, turn: int) -> tuple[Array, Array]:
        """The examples after the change; the arrays given are not written to."""


@final
@dataclass(frozen=True)
class ClassificationNoise(DataNoise):
    """y becomes -y with probability `rate`, independent of all else.

    Angluin and Laird (1988), for labels of -1 and 1.  E[y g] shrinks by 1 - 2 rate for any labels,
    and E[phi(x, y)] becomes (1 - rate) E[phi(x, y)] + rate E[phi(x, -y)].
    """

    rate: float

    def __post_init__(self) -> None:
        _check_rate(self.rate, 0.5)

    def apply(self, x: Array, y: Array, rng: Generator, turn: int) -> tuple[Array, Array]:
        return x, np.where(rng.random(len(y)) < self.rate, -y, y)


@final
@dataclass(frozen=True, eq=False)
class MassartNoise(DataNoise):
    """y becomes -y with probability rate(x) <= bound < 1/2.

    Massart and Nedelec (2006).

    Parameters
    ----------
    rate : function
        Of (n, d) inputs, (n,) probabilities; checked against the bound on every draw.
    bound : float
    """

    rate: Callable[[Array], Array]
    bound: float

    def __post_init__(self) -> None:
        _check_rate(self.bound, 0.5)
        if not callable(self.rate):
            raise BadInput(f"rate is {self.rate!r}; wanted a function of the inputs")

    def rates(self, x: Array) -> Array:
        """The probabilities at these inputs, checked."""
        found = np.asarray(self.rate(x), dtype=np.float64)
        if found.shape != (len(x),):
            raise BadInput(f"rate returned shape {found.shape} on {len(x)} inputs")
        if not ((found >= 0) & (found <= self.bound)).all():
            raise BadInput(
                f"rate is between {found.min():.6g} and {found.max():.6g} on the inputs; Massart "
                f"noise of bound {self.bound:g} keeps it in [0, {self.bound:g}]"
            )
        return found

    def apply(self, x: Array, y: Array, rng: Generator, turn: int) -> tuple[Array, Array]:
        return x, np.where(rng.random(len(y)) < self.rates(x), -y, y)


@final
@dataclass(frozen=True, eq=False)
class Points:
    """A law on a few labelled examples, each as likely: what an adversary puts in.

    Parameters
    ----------
    inputs : (n, d) array
    targets : (n,) array
    """

    inputs: Array
    targets: Array

    def __post_init__(self) -> None:
        x = np.array(self.inputs, dtype=np.float64)
        y = np.array(self.targets, dtype=np.float64)
        if x.ndim != 2 or y.shape != x.shape[:1] or not len(y):
            raise BadInput(
                f"inputs have shape {x.shape} and targets {y.shape}; wanted (n, d) and (n,), n >= 1"
            )
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise BadInput("the points are not finite numbers")
        for name, array in (("inputs", x), ("targets", y)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def examples(
        self, of_inputs: Generator, of_labels: Generator, count: int, turn: int
    ) -> tuple[Array, Array]:
        rows = of_inputs.integers(len(self.targets), size=count)
        return self.inputs[rows], self.targets[rows]


@final
@dataclass(frozen=True, eq=False)
class Contamination(DataNoise):
    """Every example is replaced, with probability `rate`, by one of an adversary's law.

    Huber (1964): the law becomes (1 - rate) D + rate A.  Against statistical queries malicious
    noise of this rate (Valiant, 1985) can do no more to any one mean: whatever the adversary adapts
    to, the replaced share of the examples has some law A.

    Parameters
    ----------
    rate : float
    adversary : Points, or an instance or Dataset of the same dimension
    """

    rate: float
    adversary: Any

    def __post_init__(self) -> None:
        _check_rate(self.rate, 1.0)

    def apply(self, x: Array, y: Array, rng: Generator, turn: int) -> tuple[Array, Array]:
        replaced = np.flatnonzero(rng.random(len(y)) < self.rate)
        of_inputs, of_labels = rng.spawn(2)
        theirs, labels = draw_examples(self.adversary, of_inputs, of_labels, len(replaced), turn)
        if theirs.shape[1:] != x.shape[1:]:
            raise BadInput(
                f"the adversary's inputs have dimension {theirs.shape[1]} and the problem's "
                f"{x.shape[1]}; use the same"
            )
        x, y = np.array(x, dtype=np.float64), np.array(y, dtype=np.float64)
        x[replaced], y[replaced] = theirs, labels
        return x, y


@final
@dataclass(frozen=True, eq=False)
class Drift(DataNoise):
    """Another noise at each turn: schedule(turn) is in force when round `turn` is answered."""

    schedule: Callable[[int], DataNoise | None]

    def at(self, turn: int) -> DataNoise | None:
        """The noise of this turn; None: the clean law."""
        found = self.schedule(turn)
        if found is not None and not isinstance(found, DataNoise):
            raise BadInput(f"schedule({turn}) is {found!r}; wanted a DataNoise or None")
        return found

    def apply(self, x: Array, y: Array, rng: Generator, turn: int) -> tuple[Array, Array]:
        noise = self.at(turn)
        return (x, y) if noise is None else noise.apply(x, y, rng, turn)


@final
@dataclass(frozen=True, eq=False)
class NoisyInstance:
    """An instance whose examples are noisy; made by `with_noise`.

    Attributes
    ----------
    clean : the instance or Dataset without the noise.
    noise : DataNoise, in force one after the other.
    """

    clean: Any
    noise: tuple[DataNoise, ...]

    @property
    def problem(self) -> Any:
        """What the learner knows: nothing of the noise."""
        return self.clean.problem

    def examples(
        self, of_inputs: Generator, of_labels: Generator, count: int, turn: int
    ) -> tuple[Array, Array]:
        """Noisy examples; the clean part is that of the same streams without noise."""
        x, y = draw_examples(self.clean, of_inputs, of_labels, count, turn)
        for noise, stream in zip(self.noise, of_labels.spawn(len(self.noise)), strict=True):
            x, y = noise.apply(x, y, stream, turn)
        return x, y


def with_noise(instance: Any, noise: DataNoise | Sequence[DataNoise]) -> NoisyInstance:
    """The same instance with noise on its data, for every oracle that draws examples.

    Parameters
    ----------
    instance : Instance or Dataset
    noise : DataNoise or several, applied in order
    """
    if not hasattr(instance, "problem"):
        raise BadInput(f"{type(instance).__name__} is not an instance or a Dataset")
    given = (noise,) if isinstance(noise, DataNoise) else tuple(noise)
    for each in given:
        if not isinstance(each, DataNoise):
            raise BadInput(f"noise holds {each!r}; wanted for example ClassificationNoise(0.1)")
    return NoisyInstance(instance, given)


def _check_rate(rate: float, below: float) -> None:
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate < below:
        raise BadInput(f"a noise rate is {rate!r}; it lies in [0, {below:g})")
