"""Coherence by other arithmetic, counts against the exact tail, cliques against enumeration."""

from __future__ import annotations

import dataclasses
import itertools
import math
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betainc

from sqsim.errors import BadInput
from sqsim.lowerbounds import packing as packings
from sqsim.lowerbounds.explicit_packings import (
    equiangular_packing,
    hadamard_packing,
    kerdock_packing,
    orthonormal_packing,
    simplex_packing,
)
from sqsim.lowerbounds.packing import (
    Packing,
    check_packing,
    measured_packing,
    random_packing,
    random_packing_count,
    sharper_packing_count,
)
from sqsim.lowerbounds.precision import private_mpmath
from sqsim.lowerbounds.quantities import Rational
from sqsim.lowerbounds.subfamilies import (
    check_subfamily,
    nearly_orthogonal_graph,
    nearly_orthogonal_subfamily,
)

EXPLICIT = {
    "coordinates": (orthonormal_packing(7), 7, 7, Fraction(0)),
    "Hadamard": (hadamard_packing(16), 16, 16, Fraction(0)),
    "simplex": (simplex_packing(6), 7, 6, Fraction(1, 6)),
    "Kerdock 4": (kerdock_packing(4), 12, 4, Fraction(1, 2)),
    "Kerdock 16": (kerdock_packing(16), 144, 16, Fraction(1, 4)),
    "Kerdock 64": (kerdock_packing(64), 2112, 64, Fraction(1, 8)),
}


@pytest.mark.parametrize("name", EXPLICIT)
def test_explicit_families(name: str) -> None:
    """Size, dimension and coherence as the construction says; rank and products in int64."""
    packing, count, dimension, coherence = EXPLICIT[name]
    assert (len(packing), packing.dimension) == (count, dimension)
    assert packing.coherence == Rational(coherence)
    assert np.linalg.matrix_rank(packing.directions) == dimension
    gram = packing.directions @ packing.directions.T
    norm = gram[0, 0]
    assert np.all(np.diag(gram) == norm)
    off = np.abs(gram - np.diag(np.diag(gram))).max()
    assert Fraction(int(off), int(norm)) == coherence
    assert check_packing(packing)


def test_a_kerdock_family_splits_into_orthogonal_bases() -> None:
    """Inside a coset all products are 0, across two all are 1 / sqrt(d): mutually unbiased."""
    rows = kerdock_packing(16).directions
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    for i, j in itertools.product(range(9), repeat=2):
        block = rows[16 * i : 16 * i + 16] @ rows[16 * j : 16 * j + 16].T
        expected = np.eye(16) if i == j else np.full((16, 16), 0.25)
        assert np.abs(block) == pytest.approx(expected)


@pytest.mark.parametrize("q", [5, 13, 29])
def test_equiangular_lines_meet_the_welch_bound(q: int) -> None:
    """Coherence 1 / sqrt(q) is sqrt((N - d) / (d (N - 1))) for N = q + 1 = 2 d: none is lower."""
    packing = equiangular_packing(q)
    n, d = len(packing), packing.dimension
    assert (n, d) == (q + 1, (q + 1) // 2)
    assert float(packing.coherence) == pytest.approx(math.sqrt((n - d) / (d * (n - 1))))
    rows = packing.directions
    gram = np.abs(rows @ rows.T) - np.eye(n)
    assert gram[~np.eye(n, dtype=bool)] == pytest.approx(1 / math.sqrt(q))
    assert rows.shape == (n, d)


@given(st.integers(2, 6), st.integers(2, 5), st.integers(0, 10**6))
def test_the_coherence_of_floats_is_enclosed(count: int, dimension: int, seed: int) -> None:
    """Against the largest cosine in rational arithmetic, compared by squares."""
    rows = np.random.default_rng(seed).normal(size=(count, dimension)) * 10.0 ** (seed % 9 - 4)
    low, high = measured_packing(rows).coherence.bounds
    exact = [[Fraction(x) for x in row] for row in rows.tolist()]
    squares = [
        sum(a * b for a, b in zip(u, v, strict=True)) ** 2
        / (sum(a * a for a in u) * sum(b * b for b in v))
        for u, v in itertools.combinations(exact, 2)
    ]  # fmt: skip
    assert Fraction(low) ** 2 <= max(squares) <= Fraction(high) ** 2
    assert high - low < 1e-13


def test_random_vectors_and_their_proof() -> None:
    """A draw is repeatable and within its bound; a tighter claim about the same rows fails."""
    packing = random_packing(200, 300, seed=4)
    assert np.array_equal(packing.directions, random_packing(200, 300, seed=4).directions)
    assert 0.2 < float(packing.coherence) < 0.5
    assert check_packing(packing)
    claim = Packing(packing.directions, 200, Rational(Fraction(1, 5)), "wishful thinking")
    assert not check_packing(claim)


@pytest.mark.parametrize("d", [2, 3, 4, 7, 30, 1000])
def test_the_tail_behind_the_counts(d: int) -> None:
    """Exact P(|<u, v>| >= eta) = I_(1 - eta^2)((d - 1) / 2, 1/2) <= both bounds of the proof."""
    for eta in np.linspace(0.0, 1.0, 101)[1:-1]:
        tail = betainc((d - 1) / 2, 0.5, 1 - eta**2)
        power = (1 - eta**2) ** ((d - 1) / 2)
        assert tail <= power * (1 + 1e-9)
        assert power <= 2 * math.exp(-d * eta**2 / 2)


@pytest.mark.parametrize(
    ("d", "eta"), [(2, "0.5"), (50, "0.3"), (1000, "0.1"), (1000, "1/5"), (10**5, "0.05")]
)
def test_counts_of_random_families(d: int, eta: str) -> None:
    """The floor in mpmath, the union bound at N and N + 1 for the sharper one."""
    mp = private_mpmath(200)
    e = Fraction(eta)
    n = random_packing_count(d, eta)
    assert n == int(mp.floor(mp.exp(mp.mpf(d) * e.numerator**2 / (4 * e.denominator**2))))
    sharper = sharper_packing_count(d, eta)
    assert sharper >= n
    tail = mp.power(1 - mp.mpf(e.numerator) ** 2 / e.denominator**2, mp.mpf(d - 1) / 2)
    assert sharper * (sharper - 1) // 2 * tail < 1 <= (sharper + 1) * sharper // 2 * tail


def test_counts_at_the_ends() -> None:
    """One vector at coherence 0; hopeless sizes are refused with their size."""
    assert random_packing_count(5, 0) == 1
    assert random_packing_count(10, 1) == 12
    with pytest.raises(BadInput, match="10\\^"):
        random_packing_count(10**7, "0.5")
    with pytest.raises(BadInput, match="digits"):
        sharper_packing_count(10**7, "0.5")
    with pytest.raises(BadInput, match="below 1"):
        sharper_packing_count(10, 1)


def drawn(count: int, dimension: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, dimension))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


@pytest.mark.parametrize("tau", ["0.05", "0.2", "0.4", "0.7"])
def test_the_search_finds_what_networkx_finds(tau: str) -> None:
    """Sizes agree on random vectors from sparse to dense graphs, and the witness is checked."""
    for seed in range(4):
        rows = drawn(40, 8, seed)
        found = nearly_orthogonal_subfamily(rows, tau)
        graph = nearly_orthogonal_graph(rows, tau)
        expected = nx.max_weight_clique(nx.from_numpy_array(graph), weight=None)[1]
        assert found.exhausted
        assert len(found.members) == found.upper == expected <= len(found.classes)
        assert check_subfamily(found, rows)


def test_kerdock_vectors_by_search() -> None:
    """Below 1 / sqrt(d) only one basis survives; at it the whole family does, decided exactly."""
    rows = kerdock_packing(16).directions
    assert len(nearly_orthogonal_subfamily(rows, "0.2499999999999999999").members) == 16
    assert len(nearly_orthogonal_subfamily(rows, "0.25").members) == 144


def test_a_search_cut_short_is_a_bracket() -> None:
    """With no node the greedy clique and the colouring remain, and both are checked."""
    rows = drawn(120, 10, 3)
    whole, cut = (nearly_orthogonal_subfamily(rows, "0.3", nodes=n) for n in (10**6, 0))
    assert not cut.exhausted
    assert len(cut.members) <= len(whole.members) <= cut.upper == len(cut.classes)
    assert check_subfamily(cut, rows)


def test_forged_certificates_are_rejected() -> None:
    """A member too many, a class too few, a vertex left out, an upper end below the witness."""
    rows = drawn(60, 6, 1)
    found = nearly_orthogonal_subfamily(rows, "0.3")
    outside = next(i for i in range(60) if i not in found.members)
    first, second, *rest = found.classes
    forged = [
        dataclasses.replace(found, members=(*found.members, outside), upper=found.upper + 1),
        dataclasses.replace(found, members=(*found.members, found.members[0])),
        dataclasses.replace(found, classes=((*first, *second), *rest)),
        dataclasses.replace(found, classes=(second, *rest)),
        dataclasses.replace(found, upper=found.upper - 1),
        dataclasses.replace(found, members=(99,)),
        dataclasses.replace(found, coherence=Fraction(1, 100)),
    ]
    assert check_subfamily(found, rows)
    assert not any(check_subfamily(f, rows) for f in forged)


def test_pairs_on_the_threshold_are_decided() -> None:
    """cos = 1/2 exactly in whole numbers and in floats whose squares are not floats."""
    exact = np.array([[1, 1, 0], [1, 0, 1], [0, 1, -1]])
    assert nearly_orthogonal_graph(exact, "1/2").sum() == 6
    assert nearly_orthogonal_graph(exact, Fraction(1, 2) - Fraction(1, 10**40)).sum() == 0
    assert nearly_orthogonal_graph(exact * 0.1, "1/2").sum() == 6


def test_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    for d in (8, 2, 10, 32, 2**14):
        with pytest.raises(BadInput, match=r"4\^r dimensions"):
            kerdock_packing(d)
    for q in (7, 9, 25, 4):
        with pytest.raises(BadInput):
            equiangular_packing(q)
    with pytest.raises(BadInput, match="power of two"):
        hadamard_packing(12)
    with pytest.raises(BadInput, match="norms"):
        measured_packing([[1, 0], [1, 1]])
    with pytest.raises(BadInput, match="2\\^53"):
        measured_packing([[2**40, 0], [0, 2**40]])
    for rows in ([[1.0, math.nan], [1.0, 0.0]], [[0.0, 0.0], [1.0, 0.0]]):
        with pytest.raises(BadInput, match="row is zero"):
            measured_packing(rows)
        with pytest.raises(BadInput, match="row is zero"):
            nearly_orthogonal_graph(rows, "0.5")
    for shape in ((1, 3), (3,)):
        with pytest.raises(BadInput, match="shape"):
            measured_packing(np.ones(shape))
    for tau in ("1", "-0.1", "x"):
        with pytest.raises(BadInput, match="coherence"):
            nearly_orthogonal_subfamily([[1, 0], [0, 1]], tau)
    with pytest.raises(BadInput, match="nodes"):
        nearly_orthogonal_subfamily([[1, 0], [0, 1]], "0.5", nodes=-1)
    monkeypatch.setattr(packings, "MEMORY", 1000)
    with pytest.raises(BadInput, match="GiB"):
        simplex_packing(20)
