"""What agnostic learners of conjunctions must ask: dimension, certificate, margin."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from flint import fmpq, fmpq_mat

from sqsim.errors import BadInput
from sqsim.lowerbounds import correlation_dimension, parity_family
from sqsim.lowerbounds.certificate import check
from sqsim.lowerbounds.conjunctions import agnostic_conjunction_bound, conjunction_family


def signs(dimension: int) -> Any:
    return np.array(list(product((1.0, -1.0), repeat=dimension)))[:, ::-1]


@pytest.mark.parametrize(("dimension", "sparsity"), [(6, 2), (6, 3), (7, 2)])
def test_the_correlational_dimension_is_the_number_of_sets(dimension: int, sparsity: int) -> None:
    """Counted by a clique of the Gram matrix, and in a certificate that the verifier recomputes."""
    subsets = list(combinations(range(dimension), sparsity))
    counted = correlation_dimension(parity_family(subsets), gamma=0, beta=1)
    bound = agnostic_conjunction_bound(
        dimension=dimension, sparsity=sparsity, noise="1/10", excess="1/100", tolerance="1/20"
    )
    count = math.comb(dimension, sparsity)
    assert counted.exact
    assert counted.lower == bound.dimension == count
    assert bound.certificate.quantities["count"].bounds == (count, count)
    assert check(bound.certificate)
    forged = replace(bound.certificate, quantities={**bound.certificate.quantities,
                     "count": bound.certificate.quantities["norm"]})  # fmt: skip
    assert not check(forged)


@pytest.mark.parametrize(("dimension", "sparsity"), [(5, 2), (6, 3)])
def test_conjunctions_and_parities_are_biorthogonal(dimension: int, sparsity: int) -> None:
    """E[c_S chi_T] = 2^-k 1(S = T) on the cube; the Gram matrix is 2^-|S u T|, of full rank."""
    subsets = list(combinations(range(dimension), sparsity))
    x = signs(dimension)
    c = np.stack([(x[:, list(s)] == 1).all(axis=1) for s in subsets]).astype(float)
    chi = np.stack([x[:, list(s)].prod(axis=1) for s in subsets])
    assert np.array_equal(c @ chi.T / len(x), np.eye(len(subsets)) / 2**sparsity)
    gram = conjunction_family(subsets)
    assert np.array_equal(gram.floats, c @ c.T / len(x))
    exact = [[fmpq(e.numerator, e.denominator) for e in row] for row in gram.entries]
    assert fmpq_mat(exact).rank() == math.comb(dimension, sparsity)


def test_the_search_asks_no_fewer_queries_than_the_certificate_allows() -> None:
    """At the margin of what it promises, and at any finer tolerance."""
    for excess, tolerance in (("0", "1/2"), ("1/16", "1/4"), ("0", "1/10")):
        bound = agnostic_conjunction_bound(
            dimension=30, sparsity=2, noise=0, excess=excess, tolerance=tolerance
        )
        assert bound.certificate.permits(math.comb(30, 2))
        assert not bound.certificate.permits(0)
        assert bound.margin.value == 2 * (Fraction(1, 4) - Fraction(excess))


def test_a_margin_is_what_good_outputs_have() -> None:
    """For the conjunction itself, excess 0: E[y H] / ||H|| is above the margin, on the cube."""
    floor = Fraction(1, 20)
    bound = agnostic_conjunction_bound(
        dimension=5, sparsity=2, noise=0, excess=0, tolerance="1/10", floor=floor
    )
    x = signs(5)
    y, c = x[:, 0] * x[:, 1], (x[:, :2] == 1).all(axis=1).astype(float)
    h = np.clip(c, float(floor), 1.0) - (1 + float(floor)) / 2
    assert np.mean(y * h) >= float(bound.gain)
    assert np.mean(y * h) / np.sqrt(np.mean(h**2)) >= float(bound.margin)


@pytest.mark.parametrize(
    ("excess", "tolerance", "words"), [("1/4", "1/9", "blind outputs"), ("1/8", "1/2", "at most")]
)
def test_a_bound_that_proves_nothing_is_refused(excess: str, tolerance: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        agnostic_conjunction_bound(
            dimension=9, sparsity=2, noise=0, excess=excess, tolerance=tolerance
        )


@pytest.mark.parametrize("subsets", [[], [(0, 1), (1, 0)]])
def test_a_family_has_members_and_each_once(subsets: Any) -> None:
    with pytest.raises(BadInput, match="each once"):
        conjunction_family(subsets)
