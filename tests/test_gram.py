"""Gram matrices of ridge families against proved pairs, eigenvalues and exact counts."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from flint import arb

from sqsim.errors import BadInput, NotCertified
from sqsim.links import Link, Scaled, Sign, hermite, relu, residual, sign
from sqsim.lowerbounds import Enclosure, gram, ladder
from sqsim.lowerbounds.correlation import pairwise_correlation
from sqsim.lowerbounds.gram import Gram, gram_summary, ridge_gram
from sqsim.lowerbounds.kernels import CHUNK, evaluate, ridge_kernel, workspace
from sqsim.lowerbounds.named import expansion_of
from sqsim.lowerbounds.precision import ball, working_bits
from sqsim.lowerbounds.rowsums import GramSummary
from sqsim.lowerbounds.sign_gram import sign_gram_summary

FAMILIES: list[tuple[Link, int, int]] = [
    (relu(-1.5), 700, 100),
    (residual(relu(-7.0), 9), 600, 200),
    (residual(relu(-2.0), 2), 90, 6),
    (Sign(0.4), 80, 6),
    (hermite(3), 60, 4),
]
SHIFT = Fraction(1, 2**45)


def unit_rows(count: int, dimension: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, dimension))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def exact_cosine(link: Link, u: np.ndarray, v: np.ndarray) -> Fraction:
    """kappa(<u, v> / (||u|| ||v||)) / kappa(1) for the float rows as they stand, to 35 digits."""
    first, second = ([Fraction(x) for x in row.tolist()] for row in (u, v))
    inner = sum(a * b for a, b in zip(first, second, strict=True))
    norms = sum(a * a for a in first) * sum(b * b for b in second)
    with working_bits(300):
        root = Fraction(str((ball(norms).sqrt()).str(60, radius=False)))
    kappa, one = (
        pairwise_correlation(link, r, digits=38).bounds[0]
        for r in (max(min(inner / root, Fraction(1)), Fraction(-1)), Fraction(1))
    )
    return kappa / one


def holds(found: Enclosure, value: float) -> bool:
    """The interval meets a float that was computed to about twelve digits."""
    low, high = (float(end) for end in found.bounds)
    slack = 1e-11 * abs(value)
    return low - slack <= value <= high + slack


@pytest.mark.parametrize(("link", "count", "dimension"), FAMILIES, ids=repr)
def test_sampled_entries_lie_within_the_radius(link: Link, count: int, dimension: int) -> None:
    rows = unit_rows(count, dimension)
    found = ridge_gram(link, rows)
    assert np.array_equal(found.cosines, found.cosines.T)
    assert np.array_equal(np.diag(found.cosines), np.ones(count))
    rng = np.random.default_rng(1)
    largest = np.unravel_index(np.argmax(np.abs(found.cosines - np.eye(count))), (count, count))
    pairs = [largest, *(rng.choice(count, 2, replace=False) for _ in range(12))]
    for i, j in pairs:
        error = abs(exact_cosine(link, rows[i], rows[j]) - Fraction(float(found.cosines[i, j])))
        assert error <= found.radius.value
    assert found.radius.value < Fraction(1, 10**12)


@pytest.mark.parametrize(("link", "count", "dimension"), FAMILIES, ids=repr)
def test_summaries_are_those_of_the_dense_matrix(link: Link, count: int, dimension: int) -> None:
    rows = unit_rows(count, dimension)
    found, dense = gram_summary(link, rows), ridge_gram(link, rows)
    scale = float(dense.diagonal)
    matrix, off = dense.cosines, dense.cosines - np.eye(count)
    assert holds(found.largest_off_diagonal, float(np.abs(off).max()) * scale)
    assert holds(found.average_correlation, float(np.abs(matrix).mean()) * scale)
    assert holds(found.largest_row_sum, float(np.abs(matrix).sum(axis=1).max()) * scale)
    assert holds(found.sum_of_squares, float((matrix**2).sum()) * scale**2)
    assert holds(found.largest_eigenvalue, float(np.linalg.eigvalsh(matrix)[-1]) * scale)
    assert found.size == count
    assert found.radius.value <= dense.radius.value * (1 + Fraction(1, 10**12))
    width = found.average_correlation.width / found.average_correlation.bounds[1]
    assert width < Fraction(1, 10**10)


def test_a_thousand_dimensions_are_within_a_trillionth_of_the_diagonal() -> None:
    found = gram_summary(relu(-3.0), unit_rows(1100, 1000))
    assert found.radius.value < Fraction(1, 10**12)


def test_far_below_float64() -> None:
    """E[f^2] is about 1e-700 at bias -57: the cosines do not underflow."""
    found = gram_summary(relu(-57.0), unit_rows(20, 80))
    assert int(found.diagonal.upper.split("E")[1]) < -600
    assert found.largest_row_sum.bounds[1] >= found.diagonal.bounds[1]


def test_near_duplicates_and_opposites(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = unit_rows(6, 5)
    near = rows[:1] + 1e-9 * rows[1:2]
    rows = np.concatenate([rows, rows[:2], -rows[:1], near / np.linalg.norm(near)])
    found = ridge_gram(relu(-0.5), rows)
    one, opposite = (
        pairwise_correlation(relu(-0.5), r, digits=30).bounds[0] / found.diagonal.bounds[0]
        for r in (1, -1)
    )
    assert abs(found.cosines[0, 6] - float(one)) <= float(found.radius)
    assert abs(found.cosines[0, 8] - float(opposite)) <= float(found.radius)
    for j in (6, 9):
        error = abs(
            exact_cosine(relu(-0.5), rows[0], rows[j]) - Fraction(float(found.cosines[0, j]))
        )
        assert error <= found.radius.value
    # A jump moves by the root of the rounding, and the radius says so.
    jump = ridge_gram(sign(0.0), rows[[0, 6]])
    assert 1e-9 < float(jump.radius) < 1e-6
    assert abs(jump.cosines[0, 1] - 1) <= float(jump.radius)
    monkeypatch.setattr(ladder, "MOST_SINGLE", 2)
    with pytest.raises(NotCertified, match="near-duplicate"):
        ridge_gram(relu(-0.5), rows)


@pytest.mark.parametrize("reach", ["0.1", "0.4", "0.75", "0.9", "0.97"])
@pytest.mark.parametrize("link", [relu(-1.5), residual(relu(-4.0), 5), Sign(0.3)], ids=repr)
def test_kernels_keep_their_error(link: Link, reach: str) -> None:
    """Against proved correlations at floats, each moved by the shift that is allowed for."""
    end = Fraction(reach)
    kernel = ridge_kernel(expansion_of(link), end, SHIFT)
    points = np.linspace(-1, 1, 9) * (float(end) - 2 * float(SHIFT))
    values = evaluate(kernel, points, workspace(kernel))
    one = pairwise_correlation(link, 1, digits=30).bounds[0]
    for x, value in zip(points.tolist(), values.tolist(), strict=True):
        for moved in (-SHIFT, 0, SHIFT):
            exact = pairwise_correlation(link, Fraction(x) + moved, digits=25).bounds[0] / one
            assert abs(exact - Fraction(value)) <= kernel.error
    assert len(points) < CHUNK


def test_sign_vectors_are_counted_exactly() -> None:
    signs = np.random.default_rng(2).choice([-1, 1], size=(300, 24))
    for link in (relu(-1.5), sign(0.0), residual(relu(-3.0), 4)):
        exact, general = sign_gram_summary(link, signs), gram_summary(link, signs / np.sqrt(24))
        for name in ("largest_off_diagonal", "average_correlation", "largest_row_sum",
                     "sum_of_squares", "largest_eigenvalue"):  # fmt: skip
            one, other = getattr(exact, name), getattr(general, name)
            assert one.bounds[0] <= other.bounds[1]
            assert other.bounds[0] <= one.bounds[1]
        assert exact.average_correlation.digits >= 23
        by_pairs = sum(
            abs(pairwise_correlation(link, Fraction(m, 24), digits=30).bounds[0]) * int(times)
            for m, times in zip(*np.unique(signs @ signs.T, return_counts=True), strict=True)
            for m in [int(m)]
        ) / Fraction(300**2)
        assert abs(by_pairs / exact.average_correlation.bounds[0] - 1) < Fraction(1, 10**20)


def test_one_direction_and_identical_ones() -> None:
    single = gram_summary(relu(-1.0), np.array([[0.6, 0.8]]))
    assert float(single.largest_off_diagonal) == 0
    assert holds(single.largest_eigenvalue, float(single.diagonal))
    # Five copies: the matrix has rank one and its eigenvalue is five times the diagonal.
    copies = sign_gram_summary(relu(-1.0), np.ones((5, 4)))
    assert holds(copies.largest_eigenvalue, 5 * float(copies.diagonal))
    assert copies.largest_eigenvalue.digits > 10


def test_results_are_frozen() -> None:
    assert Gram.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert GramSummary.__dataclass_params__.frozen  # type: ignore[attr-defined]


def test_bad_families(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = unit_rows(5, 3)
    with pytest.raises(BadInput, match=r"row 2 .* norm 2"):
        gram_summary(relu(0.0), rows * np.array([1, 1, 2, 1, 1])[:, None])
    with pytest.raises(BadInput, match="norm"):
        gram_summary(relu(0.0), np.full((2, 2), np.nan))
    with pytest.raises(BadInput, match="shape"):
        ridge_gram(relu(0.0), np.ones(3))
    with pytest.raises(BadInput, match="zero almost everywhere"):
        gram_summary(Scaled(relu(0.0), 0.0), rows)
    with pytest.raises(BadInput, match="1 and -1"):
        sign_gram_summary(relu(0.0), np.zeros((2, 2)))
    monkeypatch.setattr(gram, "MEMORY", 100)
    with pytest.raises(BadInput, match="gram_summary"):
        ridge_gram(relu(0.0), rows)


def test_the_precision_is_left_as_it_was() -> None:
    before = arb(1) / 3
    ridge_gram(relu(-1.0), unit_rows(4, 3))
    assert (arb(1) / 3).rad() == before.rad()
