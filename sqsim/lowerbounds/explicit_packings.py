"""Explicit families of nearly orthogonal vectors: what theory promises is measured on the vectors.

This file does not know how many vectors are possible.
"""

from __future__ import annotations

import math

import numpy as np
from flint import fmpz
from numpy.typing import NDArray
from scipy.linalg import hadamard

from sqsim.errors import BadInput, NotCertified
from sqsim.lowerbounds.packing import (
    Packing,
    exact_packing,
    measured_packing,
    refuse_beyond_memory,
    whole_number,
)

# Irreducible polynomials over GF(2) of the odd degrees n that Kerdock sets use, a bit a power.
IRREDUCIBLE = {1: 0b11, 3: 0b1011, 5: 0b100101, 7: 0b10000011}


def orthonormal_packing(dimension: int) -> Packing:
    """The d coordinate vectors: coherence 0."""
    whole_number(dimension, "dimension", 2)
    refuse_beyond_memory(dimension, dimension)
    return exact_packing(np.eye(dimension, dtype=np.int64), dimension, "coordinate vectors")


def hadamard_packing(dimension: int) -> Packing:
    """d orthogonal vectors of signs, d a power of two (Sylvester): Reed-Muller RM(1, log2 d)."""
    _power_of_two(dimension)
    refuse_beyond_memory(dimension, dimension)
    return exact_packing(hadamard(dimension).astype(np.int64), dimension, "Sylvester's matrix")


def simplex_packing(dimension: int) -> Packing:
    """d + 1 vectors with all products -1/d, the corners of a simplex: (d + 1) e_i - (1, ..., 1).

    Integers in d + 1 columns, orthogonal to (1, ..., 1), hence in a space of dimension d.
    """
    size = whole_number(dimension, "dimension", 2) + 1
    refuse_beyond_memory(size, size)
    corners = size * np.eye(size, dtype=np.int64) - 1
    return exact_packing(corners, dimension, "centred coordinate vectors")


def kerdock_packing(dimension: int) -> Packing:
    """d^2 / 2 vectors of signs and the d coordinate vectors, coherence 1 / sqrt(d), d = 4^r.

    The signs are (-1)^(Q_a(x) + l(x)) for all linear l and the Kerdock set of quadratic forms
    Q_a(x, e) = sum_(j=1)^((n-1)/2) Tr((a x)^(2^j + 1)) + e Tr(a x), x in GF(2^n), n = log2(d) - 1,
    a in GF(2^n): the difference of any two has full rank, so its Walsh transform is flat.  That is
    theory; the coherence returned was measured on the vectors, exactly.  (Kerdock 1972; Calderbank,
    Cameron, Kantor and Seidel 1997.)  To have one integer norm the coordinate vectors are scaled
    by sqrt(d) = 2^r.
    """
    bits = whole_number(dimension, "dimension", 2).bit_length() - 1
    if dimension != 1 << bits or bits - 1 not in IRREDUCIBLE:
        raise BadInput(
            f"dimension is {dimension}; Kerdock sets live in 4^r dimensions, and those for r = 1, "
            "2, 3, 4 are built here: give 4, 16, 64 or 256"
        )
    count = dimension * dimension // 2 + dimension
    refuse_beyond_memory(count, dimension)
    forms = _kerdock_forms(bits - 1)
    signs = (1 - 2 * forms)[:, None, :] * hadamard(dimension)[None, :, :]
    axes = (1 << bits // 2) * np.eye(dimension, dtype=np.int64)
    rows = np.concatenate([signs.reshape(-1, dimension), axes])
    return exact_packing(rows, dimension, "Kerdock set, exact integer Gram matrix")


def equiangular_packing(prime: int) -> Packing:
    """q + 1 lines in dimension (q + 1) / 2 with all |<u, v>| = 1 / sqrt(q), q = 1 mod 4 prime.

    From Paley's conference matrix C (C^2 = q I, checked): (I + C / sqrt(q)) / 2 is a projection of
    rank (q + 1) / 2.  The rows returned are floats, and the coherence is that of these floats.
    """
    if not (whole_number(prime, "prime", 5) % 4 == 1 and fmpz(prime).is_prime()):
        raise BadInput(f"{prime} is no prime of the form 4 m + 1; use 5, 13, 17, 29, 37, ...")
    refuse_beyond_memory(prime + 1, 4 * (prime + 1))
    residues = {x * x % prime for x in range(1, prime)}
    character = np.array([0] + [1 if x in residues else -1 for x in range(1, prime)])
    conference = np.ones((prime + 1, prime + 1), dtype=np.int64)
    difference = (np.arange(prime)[:, None] - np.arange(prime)[None, :]) % prime
    conference[1:, 1:] = character[difference]
    conference[0, 0] = 0
    if not np.array_equal(conference @ conference, prime * np.eye(prime + 1, dtype=np.int64)):
        raise NotCertified(f"the Paley matrix of {prime} is no conference matrix")
    half = (prime + 1) // 2
    basis = np.linalg.eigh(conference.astype(np.float64))[1][:, half : prime + 1]
    found = measured_packing(basis * math.sqrt(2))
    proof = f"Paley conference matrix; {found.proof}"
    return Packing(found.directions, half, found.coherence, proof)


def _kerdock_forms(n: int) -> NDArray[np.int64]:
    """Values of all Q_a, a in GF(2^n), on GF(2^n) x GF(2): shape (2^n, 2^(n+1))."""
    size = 1 << n
    trace = np.array([_trace(x, n) for x in range(size)])
    rows = []
    for a in range(size):
        images = [_times(a, x, n) for x in range(size)]
        quadratic = [0] * size
        for x, y in enumerate(images):
            power = y
            for _ in range((n - 1) // 2):
                power = _times(power, power, n)
                quadratic[x] ^= int(trace[_times(power, y, n)])
        base, linear = np.array(quadratic), trace[images]
        rows.append(np.concatenate([base, base ^ linear]))
    return np.array(rows, dtype=np.int64)


def _times(a: int, b: int, n: int) -> int:
    """Product in GF(2^n)."""
    result = 0
    while b:
        if b & 1:
            result ^= a
        b >>= 1
        a <<= 1
        if a >> n & 1:
            a ^= IRREDUCIBLE[n]
    return result


def _trace(x: int, n: int) -> int:
    total, power = 0, x
    for _ in range(n):
        total ^= power
        power = _times(power, power, n)
    return total


def _power_of_two(dimension: int) -> int:
    if whole_number(dimension, "dimension", 2) & (dimension - 1):
        raise BadInput(f"dimension {dimension} is no power of two; Sylvester's matrices need one")
    return dimension.bit_length() - 1
