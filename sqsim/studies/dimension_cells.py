"""The cell "how many directions a query cannot tell apart": correlational against statistical.

This file does not know grids, stores or learners.  Every number is proved, and kept as exact text
beside the float that is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, final

from sqsim.errors import BadInput
from sqsim.links import Relu, Residual
from sqsim.lowerbounds.conditional import lambda_squared
from sqsim.lowerbounds.hermite import hermite_coefficients
from sqsim.lowerbounds.label_kernels import spectrum_of
from sqsim.lowerbounds.precision import Enclosure, enclose_between, exact_fraction
from sqsim.lowerbounds.spectrum import ridge_spectrum
from sqsim.seeds import Seed
from sqsim.studies.cells import Measure
from sqsim.studies.named_values import read_table

DIGITS = 15
MOST_DEGREES = 40


@final
@dataclass(frozen=True)
class NeuronClass:
    """All neurons max(<v, x> + bias, 0), |v| = 1, with labels corrupted by a part of their energy.

    Attributes
    ----------
    epsilon : the corruption may have epsilon E[max(z + bias, 0)^2]: it removes the Hermite degrees
        0, 1, ... that it can pay for.
    """

    dimension: int
    bias: float = -2.0
    epsilon: float = 0.25

    def __post_init__(self) -> None:
        if not 0 < self.epsilon < 1:
            raise BadInput(f"epsilon is {self.epsilon}; wanted a part of the energy, in (0, 1)")
        if not -8 <= self.bias <= 0:
            raise BadInput(f"bias is {self.bias}; this study has biases from -8 to 0")
        if self.dimension < 4:
            raise BadInput(f"dimension is {self.dimension}; at least 4 is wanted")

    @property
    def cutoff(self) -> int:
        """The highest degree that is removed, -1 if not even the mean can be: proved."""
        allowed = exact_fraction(self.epsilon)
        squares = [
            [end * end for end in one.bounds]
            for one in hermite_coefficients(Relu(self.bias), MOST_DEGREES)
        ]
        energy = ridge_spectrum(Relu(self.bias), dimension=4, digits=30, terms=0).whole
        spent = Fraction(0)
        for degree, square in enumerate(squares):
            spent += max(square)
            if spent > allowed * energy.bounds[0]:
                return degree - 1
        raise BadInput(
            f"epsilon {self.epsilon} pays for more than {MOST_DEGREES} degrees at bias "
            f"{self.bias}; take a smaller one"
        )


def _dimensions(*, problem: Mapping[str, Any], seed: Seed) -> dict[str, Any]:
    """Both dimensions of one class.

    A uniform law on N orthonormal functions has the largest eigenvalue 1 / N, so 1 / lambda counts
    the functions that a query of norm 1 cannot tell apart from each other: at tolerance tau it
    rules out a part lambda / tau^2 of the directions at most.  csq: y times a function of x, per
    unit of the label's norm; sq: any function of (x, y).

    Returns
    -------
    dict
        cutoff, opt (removed energy), energy, and for csq and sq: dimension (float),
        dimension_lower and dimension_upper (exact decimals); advantage: their ratio.
    """
    family = read_table(NeuronClass, problem, "problem")
    cutoff = family.cutoff
    found = ridge_spectrum(
        Relu(family.bias), dimension=family.dimension, cutoff=cutoff, digits=DIGITS
    )
    seen = spectrum_of(_energies(family.bias, cutoff), dimension=family.dimension, digits=DIGITS)
    norm = found.second_moment.bounds
    csq = _inverse([_over(value.bounds, norm) for value in found.eigenvalues[1:]])
    sq = _inverse([value.bounds for value in seen.eigenvalues[1:]])
    return {
        "cutoff": cutoff,
        "opt": found.removed.upper,
        "energy": found.whole.lower,
        "csq_dimension": _middle(csq),
        "csq_dimension_lower": csq.lower,
        "csq_dimension_upper": csq.upper,
        "sq_dimension": _middle(sq),
        "sq_dimension_lower": sq.lower,
        "sq_dimension_upper": sq.upper,
        "advantage": _middle(csq) / _middle(sq),
    }


def _check(*, problem: Mapping[str, Any], seed: Seed) -> None:
    _ = read_table(NeuronClass, problem, "problem").cutoff


dimensions = Measure(_dimensions, _check)
"""CSQ and SQ dimension of the biased ReLU; `problem` holds the fields of `NeuronClass`."""


@lru_cache(maxsize=64)
def _energies(bias: float, cutoff: int) -> tuple[Enclosure, ...]:
    """lambda_k^2 of the label, the same in every dimension."""
    link = Relu(bias) if cutoff < 0 else Residual(Relu(bias), cutoff)
    return lambda_squared(link, max_degree=6, cells=300)


def _over(
    value: tuple[Fraction, Fraction], norm: tuple[Fraction, Fraction]
) -> tuple[Fraction, Fraction]:
    return value[0] / norm[1], value[1] / norm[0]


def _inverse(eigenvalues: list[tuple[Fraction, Fraction]]) -> Enclosure:
    """1 over the largest."""
    low = max(value[0] for value in eigenvalues)
    high = max(value[1] for value in eigenvalues)
    return enclose_between(1 / high, 1 / low, DIGITS)


def _middle(value: Enclosure) -> float:
    low, high = value.bounds
    return float((low + high) / 2)
