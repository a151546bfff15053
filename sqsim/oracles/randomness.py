"""Noise for private oracles: seeded for simulation, or OpenDP's for real people's data.

This file does not know what the noise protects.

A private release is only as private as its sampler.  `Seeded` draws 64-bit floating-point noise
from a known seed: who has the seed subtracts it, and the low bits of such noise leak what it is
added to (Mironov, 2012).  It makes runs that can be repeated to the last bit and must not be used
to protect anyone.  `Secure` hands every draw to OpenDP, whose samplers are exact on integers and
draw from the operating system's entropy; its answers cannot be drawn a second time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, final

import numpy as np
from numpy.typing import NDArray

from sqsim.errors import BadInput
from sqsim.lowrank import Array

Bits = NDArray[np.bool_]
Integers = NDArray[np.int64]


class Randomness(Protocol):
    """Draws the noise of a private release; `rng` is what a seeded one draws from."""

    @property
    def repeatable(self) -> bool:
        """Whether the same generator gives the same noise."""
        ...

    def flip(self, bits: Bits, probability: float, rng: np.random.Generator) -> Bits:
        """Every bit turned with this probability < 1/2."""
        ...

    def laplace(self, values: Array, scale: float, rng: np.random.Generator) -> Array:
        """Every value plus Laplace noise of this scale."""
        ...

    def discrete_laplace(
        self, values: Integers, scale: float, rng: np.random.Generator
    ) -> Integers:
        """Every integer plus noise of law proportional to exp(-|k| / scale)."""
        ...

    def gaussian(self, values: Array, scale: float, rng: np.random.Generator) -> Array:
        """Every value plus N(0, scale^2)."""
        ...


@final
@dataclass(frozen=True)
class Seeded:
    """Numpy's generators: for simulation, not to protect anyone."""

    repeatable = True

    def flip(self, bits: Bits, probability: float, rng: np.random.Generator) -> Bits:
        return np.asarray(bits ^ (rng.random(bits.shape) < probability))

    def laplace(self, values: Array, scale: float, rng: np.random.Generator) -> Array:
        return np.asarray(values + rng.laplace(0.0, scale, values.shape))

    def discrete_laplace(
        self, values: Integers, scale: float, rng: np.random.Generator
    ) -> Integers:
        # The difference of two geometric variables of ratio exp(-1 / scale).
        stop = -np.expm1(-1 / scale)
        noise = rng.geometric(stop, values.shape) - rng.geometric(stop, values.shape)
        return np.asarray(values + noise)

    def gaussian(self, values: Array, scale: float, rng: np.random.Generator) -> Array:
        return np.asarray(values + scale * rng.standard_normal(values.shape))


@final
@dataclass(frozen=True)
class Secure:
    """OpenDP's samplers, about 2 microseconds a bit and 30 to 160 a number."""

    repeatable = False

    def __post_init__(self) -> None:
        _opendp()

    def flip(self, bits: Bits, probability: float, rng: np.random.Generator) -> Bits:
        dp = _opendp()
        flat = np.ravel(bits)
        # RAPPOR of parameter f turns every bit with probability f / 2; it wants a bound on the
        # number of ones only for its own accounting of a whole vector, which we do not use.
        space = dp.bitvector_domain(max_weight=8 * -(-flat.size // 8)), dp.discrete_distance()
        turn = dp.m.make_randomized_response_bitvec(*space, f=2 * probability)
        found = np.unpackbits(np.frombuffer(turn(np.packbits(flat).tobytes()), dtype=np.uint8))
        return np.asarray(found[: flat.size].astype(bool).reshape(bits.shape))

    def laplace(self, values: Array, scale: float, rng: np.random.Generator) -> Array:
        dp = _opendp()
        space = dp.vector_domain(dp.atom_domain(T=float, nan=False)), dp.l1_distance(T=float)
        return np.asarray(_each(dp.m.make_laplace(*space, scale=scale), values, np.float64))

    def discrete_laplace(
        self, values: Integers, scale: float, rng: np.random.Generator
    ) -> Integers:
        dp = _opendp()
        space = dp.vector_domain(dp.atom_domain(T=int)), dp.l1_distance(T=int)
        return np.asarray(_each(dp.m.make_laplace(*space, scale=scale), values, np.int64))

    def gaussian(self, values: Array, scale: float, rng: np.random.Generator) -> Array:
        dp = _opendp()
        space = dp.vector_domain(dp.atom_domain(T=float, nan=False)), dp.l2_distance(T=float)
        return np.asarray(_each(dp.m.make_gaussian(*space, scale=scale), values, np.float64))


def _each(measurement: Any, values: Any, dtype: Any) -> Any:
    flat = np.ravel(np.asarray(values, dtype=dtype)).tolist()
    return np.asarray(measurement(flat), dtype=dtype).reshape(np.shape(values))


def _opendp() -> Any:
    try:
        import opendp.prelude as dp
    except ModuleNotFoundError as error:
        raise BadInput(
            "secure noise is drawn by OpenDP; install sqsim[privacy], or use Seeded() for a "
            "simulation that protects no one"
        ) from error
    dp.enable_features("contrib")
    return dp
