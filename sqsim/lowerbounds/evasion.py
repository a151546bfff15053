"""How much of a hidden direction a correlational query can see at most, proved.

This file does not know oracles or learners: it is given a direction and the frame of a query.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from flint import arb, fmpz_mat

from sqsim.errors import BadInput, NotCertified
from sqsim.links import Link
from sqsim.lowerbounds.expansions import Expansion
from sqsim.lowerbounds.hermite import hermite_coefficients, parseval_tail
from sqsim.lowerbounds.precision import Enclosure, ball, bits_for, enclose, working_bits
from sqsim.lowrank import Array

DEGREES = 64
"""Hermite degrees taken one by one; what lies above is bounded by Parseval's tail."""

COLUMNS = 64
"""Frames of more columns would make the exact inverse of their Gram matrix long."""

BITS = 64
"""Quotients are rounded up by at most 2^-BITS units of the scaled integers."""


def seen_square(direction: Array, frame: Array | None = None, *, power: int = 0) -> Fraction:
    """Largest ||P_U v||^2 over the entries of T_p(x) h(W'x), v the direction at unit length.

    An entry depends on x through P_U x alone, where U is the span of W, with e_i for entry i of
    T_1 = x and e_i, e_j for entry ij of T_2 = x x' - I.  With P the projection on the span of W
    and r = v - P v, entry i adds r_i^2 / (1 - P_ii) to ||P v||^2.  For T_2 the residual Gram
    matrix of e_i, e_j is at least (1 - P_ii - P_jj) I, so that r_i^2 + r_j^2 over that is an upper
    bound; it is taken at the two largest r^2 and the two largest P_ii.

    Parameters
    ----------
    direction : (d,) array, not zero.  Floats are the binary fractions that they hold.
    frame : (d,) or (d, m) array, optional
        The directions W; zero and dependent columns are allowed.
    power : 0, 1 or 2

    Returns
    -------
    Fraction
        An upper bound, at most 1, in integer arithmetic throughout; for powers 0 and 1 it is the
        maximum itself but for the last of 64 bits.  O(d m^2) integer products.

    Raises
    ------
    NotCertified
        For more than 64 columns.
    """
    v = _vector(direction)
    length = sum(x * x for x in v)
    if not length:
        raise BadInput("the direction is zero; a hidden direction has a length")
    inverse, denominator, columns = _inverse_gram(frame, len(v))
    inside = [sum(map(int.__mul__, column, v)) for column in columns]
    weights = [sum(map(int.__mul__, row, inside)) for row in inverse]
    base = sum(map(int.__mul__, inside, weights))
    top: int | None = 0
    if power:
        rest, free = [denominator * x for x in v], [denominator] * len(v)
        solved = _product(inverse, columns)
        for j, column in enumerate(columns):
            rest = [r - weights[j] * x for r, x in zip(rest, column, strict=True)]
            free = [f - x * y for f, x, y in zip(free, column, solved[j], strict=True)]
        top = _largest_part(rest, free, denominator, power)
    if top is None:
        return Fraction(1)
    return min(Fraction((base << BITS) + top, (denominator * length) << BITS), Fraction(1))


def correlation_bound(
    link: Link | Expansion, seen: Fraction | float, *, digits: int = 40
) -> Enclosure:
    """|E[f(<v, x>) phi(x)]| / ||phi|| lies in it for every phi of P_U x with ||P_U v||^2 <= seen.

    x ~ N(0, I_d), ||v|| = 1, phi and f square integrable.  Given P_U x, <v, x> is rho <u, x> +
    sqrt(1 - rho^2) Z with Z ~ N(0, 1) independent, rho = ||P_U v|| and u = P_U v / rho.  So
    E[f(<v, x>) | P_U x] = (T_rho f)(<u, x>) with T_rho h_m = rho^m h_m (Mehler), and by
    Cauchy-Schwarz

        |E[f(<v, x>) phi(x)]| <= ||T_rho f|| ||phi|| = sqrt(sum_m c_m^2 rho^(2m)) ||phi||.

    Equality for phi = (T_rho f)(<u, x>), so that it is the best bound that knows rho alone.

    Parameters
    ----------
    link : f.  A residual link is the exact one: coefficients up to its degree are 0.
    seen : ||P_U v||^2 in [0, 1], exact.
    digits : of the coefficients and of the upper end; the lower end is 0.
    """
    square = Fraction(seen)
    if not 0 <= square <= 1:
        raise BadInput(f"seen is {float(square)!r}; the square of a projection lies in [0, 1]")
    try:
        squares, tail = _squares(link, digits)
    except TypeError:
        squares, tail = _squares.__wrapped__(link, digits)
    with working_bits(2 * bits_for(digits)):
        rho = ball(square)
        total = ball(tail)
        for c in reversed(squares):
            total = total * rho + ball(c)
        upper = enclose(total.sqrt() if total > 0 else arb(0), digits).upper
    return Enclosure("0", upper)


@lru_cache(maxsize=32)
def _squares(link: Link | Expansion, digits: int) -> tuple[tuple[Fraction, ...], Fraction]:
    """Upper bounds of c_0^2, ..., c_64^2 and of the sum of all later squares."""
    coefficients = hermite_coefficients(link, DEGREES, digits=digits)
    tail = parseval_tail(link, DEGREES, digits=digits)
    return tuple(max(b * b for b in c.bounds) for c in coefficients), tail.bounds[1]


def _largest_part(rest: list[int], free: list[int], denominator: int, power: int) -> int | None:
    """2^64 times the most that e_i, or e_i and e_j, add, rounded up; both lists are scaled by D.

    None where the bound for pairs has nothing free to divide by.
    """
    if power == 1:
        # Where nothing is free, e_i lies in the span and adds nothing.
        parts = [-((-(r * r) << BITS) // f) for r, f in zip(rest, free, strict=True) if f > 0]
        return max(parts, default=0)
    pair = sum(sorted(r * r for r in rest)[-2:])
    left = denominator - sum(sorted(denominator - f for f in free)[-2:])
    return -((-pair << BITS) // left) if left > 0 else None


def _inverse_gram(
    frame: Array | None, dimension: int
) -> tuple[list[list[int]], int, list[list[int]]]:
    """(A, D, columns): A / D is the inverse Gram matrix of independent columns of the same span."""
    if frame is None:
        return [], 1, []
    matrix = np.asarray(frame, dtype=np.float64).reshape(len(frame), -1)
    if len(matrix) != dimension:
        raise BadInput(f"the frame has length {len(matrix)}, the direction {dimension}")
    columns = [_vector(column) for column in matrix.T if np.any(column)]
    if len(columns) > COLUMNS:
        raise NotCertified(
            f"the frame has {len(columns)} columns; spans of at most {COLUMNS} are proved"
        )
    if not columns:
        return [], 1, []
    gram = _gram(columns)
    if gram.rank() < len(columns):
        columns = [columns[j] for j in _pivots(gram)]
        gram = _gram(columns)
    exact: Any = gram.inv()
    numerators, denominator = exact.numer_denom()
    return [[int(x) for x in row] for row in numerators.tolist()], int(denominator), columns


def _gram(columns: list[list[int]]) -> fmpz_mat:
    matrix = fmpz_mat(columns)
    return matrix * matrix.transpose()


def _product(left: list[list[int]], right: list[list[int]]) -> list[list[int]]:
    """Of matrices of any integers, by FLINT; nothing where there are no columns."""
    if not left:
        return []
    return [[int(x) for x in row] for row in (fmpz_mat(left) * fmpz_mat(right)).tolist()]


def _pivots(gram: fmpz_mat) -> list[int]:
    """Columns that are independent of those before them."""
    reduced = gram.rref()[0].tolist()
    leads = [next((j for j, entry in enumerate(row) if entry != 0), None) for row in reduced]
    return [j for j in leads if j is not None]


def _vector(values: Array) -> list[int]:
    """The floats times one power of two, which makes them all whole."""
    flat = np.asarray(values, dtype=np.float64)
    if flat.ndim != 1 or not np.isfinite(flat).all():
        raise BadInput(f"an array of shape {flat.shape}: wanted a vector of finite numbers")
    mantissas, exponents = np.frexp(flat)
    whole = (mantissas * 2.0**53).astype(np.int64).tolist()
    used = exponents[flat != 0]
    lowest = int(used.min()) if len(used) else 0
    return [m << max(int(e) - lowest, 0) for m, e in zip(whole, exponents, strict=True)]
