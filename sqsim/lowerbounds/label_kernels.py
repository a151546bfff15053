"""The spectrum of a ridge family for queries that see the label itself, proved.

Y = g(<v, x>), x ~ N(0, I_d), v uniform on the unit sphere, D_0 the law with Y independent of x.
The chi-square correlation of two members is k(<u, v>), k(t) = sum_{m>=1} lambda_m^2 t^m
(Damian, Pillaud-Vivien, Lee and Bruna, COLT 2024; see `conditional`), so that on spherical
harmonics of degree l it acts as sum_m lambda_m^2 E[t^m P_l(t)].  This file does not know queries
or tolerances.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import final

from sqsim.errors import BadInput
from sqsim.links import Link
from sqsim.lowerbounds.conditional import lambda_squared
from sqsim.lowerbounds.expansions import Expansion
from sqsim.lowerbounds.precision import Enclosure, enclose_between
from sqsim.lowerbounds.spectrum import check_dimension, sphere_moment


@final
@dataclass(frozen=True)
class LabelSpectrum:
    """What a family of directions looks like to any statistical query.

    Attributes
    ----------
    label_energies : lambda_1^2, lambda_2^2, ...
    eigenvalues : of harmonics of degree 0, 1 and 2; every other one is at most that of degree 1 or
        2 with its parity.
    """

    label_energies: tuple[Enclosure, ...]
    eigenvalues: tuple[Enclosure, Enclosure, Enclosure]


def label_spectrum(
    link: Link | Expansion,
    *,
    dimension: int,
    max_degree: int = 6,
    cells: int = 300,
    digits: int = 15,
) -> LabelSpectrum:
    """The first Funk-Hecke eigenvalues of the chi-square correlations of a noiseless link.

    For a query phi of norm 1 under D_0, the square of D_v[phi] - D_0[phi] is at most lambda_0 and
    max(lambda_1, lambda_2) on average over v, in its mean and in its fluctuation: derived here
    (the diagonal k(1) is infinite for labels without noise, the operator is not).

    Parameters
    ----------
    dimension : at least 4, where the sum over all degrees converges.
    max_degree : degrees whose lambda_m^2 is enclosed; of the others 0 <= lambda_m^2 <= 1 is used,
        their moments summed in closed form.
    cells : as in `lambda_squared`.
    """
    return spectrum_of(
        lambda_squared(link, max_degree=max_degree, cells=cells),
        dimension=dimension,
        digits=digits,
    )


def spectrum_of(
    energies: tuple[Enclosure, ...], *, dimension: int, digits: int = 15
) -> LabelSpectrum:
    """The same from lambda_1^2, lambda_2^2, ..., which do not depend on the dimension."""
    check_dimension(dimension)
    if dimension < 4:
        raise BadInput(
            f"dimension is {dimension}; below 4 the sum of E[t^m] over all degrees diverges, and "
            "nothing is proved here"
        )
    return LabelSpectrum(
        energies,
        (
            _eigenvalue(energies, 0, dimension, digits),
            _eigenvalue(energies, 1, dimension, digits),
            _eigenvalue(energies, 2, dimension, digits),
        ),
    )


def moments_beyond(degree: int, harmonic: int, dimension: int) -> Fraction:
    """Sum over m > degree of E[t^m P_l(t)], l = 0, 1 or 2, exactly.

    With e_j = E[t^(2j)], E[1 / (1 - t^2)] = sum_j e_j = (d - 2) / (d - 3); E[t^m P_l] is e_(m/2),
    e_((m+1)/2) or (d e_(m/2+1) - e_(m/2)) / (d - 1).
    """
    if harmonic == 0:
        return _even_moments_beyond(degree // 2, dimension)
    if harmonic == 1:
        return _even_moments_beyond((degree + 1) // 2, dimension)
    if harmonic == 2:
        near, far = (_even_moments_beyond(degree // 2 + more, dimension) for more in (0, 1))
        return (dimension * far - near) / (dimension - 1)
    raise BadInput(f"harmonic is {harmonic}; 0, 1 and 2 are summed here")


def _even_moments_beyond(last: int, dimension: int) -> Fraction:
    """Sum of E[t^(2j)] over j > last."""
    total, moment = Fraction(dimension - 2, dimension - 3), Fraction(1)
    for j in range(last + 1):
        total -= moment
        moment *= Fraction(2 * j + 1, dimension + 2 * j)
    return total


def _eigenvalue(
    energies: tuple[Enclosure, ...], harmonic: int, dimension: int, digits: int
) -> Enclosure:
    low = high = Fraction(0)
    for degree, energy in enumerate(energies, start=1):
        weight = sphere_moment(degree, harmonic, dimension)
        low += weight * max(energy.bounds[0], Fraction(0))
        high += weight * min(energy.bounds[1], Fraction(1))
    high += moments_beyond(len(energies), harmonic, dimension)
    return enclose_between(low, high, digits)
