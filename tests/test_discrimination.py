"""Decision problems: linear programs, games and norms against enumeration and known families."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqsim.errors import BadInput
from sqsim.lowerbounds.averages import average_correlation
from sqsim.lowerbounds.covers import cover_number, fractional_cover
from sqsim.lowerbounds.discrimination import (
    Decision,
    chi_square_correlations,
    deterministic_dimension,
    randomised_dimension,
    told_apart,
    told_apart_by_roots,
)
from sqsim.lowerbounds.norms import (
    discrimination_norm,
    mean_discrimination,
    spectral_discrimination,
)
from sqsim.lowerbounds.patterns import extreme_queries


def random_problem(count: int, points: int, seed: int) -> Decision:
    rng = np.random.default_rng(seed)
    tables = []
    for _ in range(count + 1):
        weights = [Fraction(int(w)) for w in rng.integers(1, 12, size=points)]
        tables.append([w / sum(weights) for w in weights])
    return Decision.of(tables[1:], tables[0])


def parity_problem(bits: int) -> Decision:
    """Uniform x with its parity on S, for every nonempty S, against a uniform label."""
    cube = list(product((0, 1), repeat=bits))
    domain = [(x, y) for x in cube for y in (0, 1)]
    tables = [
        [
            Fraction(int(sum(map(math.prod, zip(s, x, strict=True))) % 2 == y), len(cube))
            for x, y in domain
        ]
        for s in cube
        if any(s)
    ]
    return Decision.of(tables, [Fraction(1, len(domain))] * len(domain))


def parity_queries(bits: int) -> list[list[int]]:
    """The labelled parities y chi_S(x), as values in {-1, 1}."""
    cube = list(product((0, 1), repeat=bits))
    return [
        [(-1) ** (sum(map(math.prod, zip(s, x, strict=True))) + y) for x in cube for y in (0, 1)]
        for s in cube
        if any(s)
    ]


incidences = (
    st.integers(1, 5)
    .flatmap(
        lambda points: st.lists(
            st.lists(st.booleans(), min_size=points, max_size=points), min_size=1, max_size=6
        )
    )
    .map(lambda rows: np.array([*rows, [True] + [False] * (len(rows[0]) - 1)], bool))
)
problems = st.tuples(st.integers(1, 5), st.integers(2, 5), st.integers(0, 10**6)).map(
    lambda shape: random_problem(*shape)
)


def game_value(incidence: np.ndarray) -> Fraction:
    """The matrix game's value by Shapley and Snow: some square kernel B has value 1 / 1'B^-1 1."""
    sets, points = incidence.shape
    whole = [[Fraction(int(x)) for x in row] for row in incidence]
    for size in range(1, min(sets, points) + 1):
        for rows, columns in product(
            combinations(range(sets), size), combinations(range(points), size)
        ):
            kernel = [[whole[i][j] for j in columns] for i in rows]
            first = solved([list(column) for column in zip(*kernel, strict=True)])
            second = solved(kernel)
            if first is None or second is None or min(*first, *second, sum(first)) < 0:
                continue
            if not sum(first):
                continue
            value = 1 / sum(first)
            won = [
                sum(x * whole[i][j] for x, i in zip(first, rows, strict=True)) * value
                for j in range(points)
            ]
            lost = [
                sum(y * whole[i][j] for y, j in zip(second, columns, strict=True)) * value
                for i in range(sets)
            ]
            if min(won) >= value >= max(lost):
                return value
    raise AssertionError("a game has a kernel")


def solved(matrix: list[list[Fraction]]) -> list[Fraction] | None:
    """x with matrix x = 1, by Gauss-Jordan elimination; None where it is singular."""
    rows = [[*row, Fraction(1)] for row in matrix]
    for place in range(len(rows)):
        pivot = next((r for r in range(place, len(rows)) if rows[r][place]), None)
        if pivot is None:
            return None
        rows[place], rows[pivot] = rows[pivot], rows[place]
        rows[place] = [x / rows[place][place] for x in rows[place]]
        for r in range(len(rows)):
            if r != place:
                factor = rows[r][place]
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[place], strict=True)]
    return [row[-1] for row in rows]


@given(incidences)
def test_fractional_cover_is_the_value_of_the_game(incidence: np.ndarray) -> None:
    incidence = incidence[:, incidence.any(axis=0)]
    found = fractional_cover(incidence)
    assert found.lower == found.upper == 1 / game_value(incidence)
    weights, packing = np.array(found.sets, object), np.array(found.points, object)
    assert all(weights[column].sum() >= 1 for column in incidence.T)
    assert all(packing[row].sum() <= 1 for row in incidence if row.any())
    assert min(*found.sets, *found.points) >= 0
    assert (sum(found.sets), sum(found.points)) == (found.upper, found.lower)


@given(incidences)
def test_cover_number_by_enumeration(incidence: np.ndarray) -> None:
    incidence = incidence[:, incidence.any(axis=0)]
    fewest = next(
        size
        for size in range(1, len(incidence) + 1)
        if any(
            incidence[list(s)].any(axis=0).all() for s in combinations(range(len(incidence)), size)
        )
    )
    found = cover_number(incidence)
    assert found.lower == found.upper == fewest == len(found.sets)
    assert incidence[list(found.sets)].any(axis=0).all()
    fractional = fractional_cover(incidence)
    assert fractional.lower <= fewest <= fractional.upper * (1 + math.log(incidence.shape[1]))


@pytest.mark.parametrize("seed", [1, 2])
def test_larger_games_are_solved_exactly(seed: int) -> None:
    incidence = np.random.default_rng(seed).random((60, 80)) < 0.2
    incidence[0] |= ~incidence.any(axis=0)
    found = fractional_cover(incidence)
    assert found.lower == found.upper
    whole = cover_number(incidence)
    assert found.lower <= whole.lower <= whole.upper


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_parities_need_one_query_each(bits: int) -> None:
    """The parity queries tell apart one parity each: RSD = cvr = 2^d - 1, mu uniform."""
    problem, queries = parity_problem(bits), parity_queries(bits)
    count = 2**bits - 1
    for tolerance in (0, "1/2", "0.999"):
        found = randomised_dimension(problem, queries, tolerance=tolerance)
        assert found.bounds == (count, count)
        assert set(found.points) == {Fraction(1)}
        assert deterministic_dimension(problem, queries, tolerance=tolerance).lower == count
    with pytest.raises(BadInput, match="no set"):
        randomised_dimension(problem, queries, tolerance=1)
    gram = chi_square_correlations(problem).matrix
    assert (gram == np.eye(count, dtype=int)).all()
    # G = I: the spectral norm is N^-1/2, and so is the discrimination norm.
    for norm in (spectral_discrimination(problem), discrimination_norm(problem)):
        low, high = norm.bounds
        assert low**2 <= Fraction(1, count) <= high**2
        assert float(norm) == pytest.approx(count**-0.5, rel=1e-12)


def test_all_queries_against_three_parities() -> None:
    """With every query allowed, phi = (y chi_1 + y chi_2 + ...) / k tells more apart at once."""
    problem = parity_problem(2)
    dimensions = {
        tolerance: randomised_dimension(
            problem, extreme_queries(problem, tolerance=tolerance), tolerance=tolerance
        ).bounds[0]
        for tolerance in ("0.3", "0.49", "1/2", "0.9", "0.999")
    }
    # min over weights of ||sum w_i s_i a_i||_1: 1 for one parity; two or three are independent
    # signs, whose average has the mean magnitude 1/2.
    assert dimensions == {"0.3": 1, "0.49": 1, "1/2": 3, "0.9": 3, "0.999": 3}
    with pytest.raises(BadInput, match="pool holds no query"):
        randomised_dimension(problem, extreme_queries(problem, tolerance=1), tolerance=1)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("tolerance", ["1/20", "3/20", "1/4"])
def test_the_extreme_pool_beats_every_other(seed: int, tolerance: str) -> None:
    """No query of a fine grid, nor a random one, tells apart a set that no extreme query does."""
    problem = random_problem(4, 3, seed)
    extreme = extreme_queries(problem, tolerance=tolerance)
    grid = list(product([Fraction(k, 5) for k in range(-5, 6)], repeat=3))
    mine = told_apart(problem, [*extreme, (0, 0, 0)], tolerance=tolerance)
    largest = [frozenset(np.flatnonzero(row)) for row in mine]
    for row in told_apart(problem, grid, tolerance=tolerance):
        assert any(frozenset(np.flatnonzero(row)) <= told for told in largest)
    # Each is needed: none tells apart a part of what another does.
    patterns = largest[:-1]
    assert not any(a < b for a in patterns for b in patterns)


@given(problems, st.fractions(0, Fraction(1, 2), max_denominator=30))
def test_distances_of_means_by_hand(problem: Decision, tolerance: Fraction) -> None:
    queries = list(product((0, Fraction(1, 3), 1), repeat=len(problem.reference)))[:40]
    plain = told_apart(problem, queries, tolerance=tolerance)
    roots = told_apart_by_roots(problem, queries, tolerance=tolerance)
    for query, row, other in zip(queries, plain, roots, strict=True):
        still = float(np.dot(query, problem.reference))
        for table, apart, by_root in zip(problem.distributions, row, other, strict=True):
            moved = float(np.dot(query, table))
            gap, root_gap = abs(moved - still), abs(math.sqrt(moved) - math.sqrt(still))
            if abs(gap - tolerance) > 1e-9:
                assert apart == (gap > tolerance)
            if abs(root_gap - tolerance) > 1e-9:
                assert by_root == (root_gap > tolerance)
    # |sqrt a - sqrt b| >= |a - b| / 2 on [0, 1], and at most the root of |a - b|.
    half = told_apart_by_roots(problem, queries, tolerance=tolerance / 2)
    assert not (plain & ~half).any()
    assert not (roots & ~told_apart(problem, queries, tolerance=tolerance**2)).any()


@given(problems, st.fractions(0, Fraction(1, 2), max_denominator=30))
def test_a_finer_tolerance_never_costs_more(problem: Decision, tolerance: Fraction) -> None:
    queries = list(product((-1, 1), repeat=len(problem.reference)))
    coarse = told_apart(problem, queries, tolerance=tolerance)
    fine = told_apart(problem, queries, tolerance=tolerance / 2)
    assert not (coarse & ~fine).any()
    if coarse.any(axis=0).all():
        assert fractional_cover(fine).upper <= fractional_cover(coarse).upper


def mean_by_enumeration(problem: Decision, prior: list[Fraction]) -> Fraction:
    """Over the vertices phi of the cube, where a convex function has its maximum."""
    return max(
        sum(
            weight * abs(sum(s * a for s, a in zip(signs, row, strict=True)))
            for weight, row in zip(prior, problem.differences, strict=True)
        )
        for signs in product((-1, 1), repeat=len(problem.reference))
    )


def priors(count: int, seed: int) -> list[list[Fraction]]:
    weights = [Fraction(int(w)) for w in np.random.default_rng(seed).integers(1, 9, size=count)]
    return [[Fraction(1, count)] * count, [w / sum(weights) for w in weights]]


@pytest.mark.parametrize(("count", "points"), [(1, 2), (3, 5), (5, 3), (6, 6)])
def test_norms_by_enumeration_and_in_their_order(count: int, points: int) -> None:
    """mean <= L2 <= spectral, L2^2 <= rho, each against a second computation."""
    problem = random_problem(count, points, seed=count)
    rows = np.array(problem.differences, float)
    whitened = rows / np.sqrt(np.array(problem.reference, float))
    for prior in priors(count, seed=points):
        mean = mean_discrimination(problem, prior=prior)
        norm = discrimination_norm(problem, prior=prior)
        spectral = spectral_discrimination(problem, prior=prior)
        assert mean.bounds[0] == mean.bounds[1] == mean_by_enumeration(problem, prior)
        weights = np.array(prior, float)
        pulled = max(
            np.linalg.norm((weights * np.array(signs)) @ whitened)
            for signs in product((-1, 1), repeat=count)
        )
        assert float(norm) == pytest.approx(pulled, rel=1e-12)
        value = np.linalg.svd(np.sqrt(weights)[:, None] * whitened, compute_uv=False)[0]
        assert float(spectral) == pytest.approx(value, rel=1e-12)
        assert float(spectral.width) < 1e-12
        assert mean.bounds[0] <= norm.bounds[1]
        assert norm.bounds[0] <= spectral.bounds[1]
    uniform = discrimination_norm(problem)
    rho = average_correlation(chi_square_correlations(problem), range(count))
    assert uniform.bounds[0] ** 2 <= rho.bounds[1]


def test_norms_of_many_distributions_are_brackets() -> None:
    problem = random_problem(24, 20, seed=9)
    mean, norm = mean_discrimination(problem), discrimination_norm(problem)
    spectral = spectral_discrimination(problem)
    rows = np.array(problem.differences, float)
    whitened = rows / np.sqrt(np.array(problem.reference, float))
    rng = np.random.default_rng(3)
    for _ in range(200):
        signs, others = rng.choice([-1, 1], size=24), rng.choice([-1, 1], size=20)
        assert abs(rows @ others).mean() <= mean.bounds[1]
        assert np.linalg.norm(signs @ whitened) / 24 <= norm.bounds[1]
    assert norm.bounds[1] == pytest.approx(float(spectral.bounds[1]))
    assert mean.bounds[0] <= norm.bounds[1]
    assert 0 < norm.bounds[0] <= norm.bounds[1] < Fraction(13, 10) * norm.bounds[0]


@pytest.mark.parametrize("seed", range(4))
def test_the_spectral_norm_bounds_the_dimension(seed: int) -> None:
    """Chebyshev: no query tells more than spectral^2 / tau^2 of the distributions apart."""
    problem = random_problem(4, 4, seed)
    for tolerance in (Fraction(1, 10), Fraction(1, 5)):
        pool = extreme_queries(problem, tolerance=tolerance)
        bound = tolerance**2 / spectral_discrimination(problem).bounds[1] ** 2
        mean = tolerance / mean_discrimination(problem).bounds[1]
        if told_apart(problem, [*pool, (0, 0, 0, 0)], tolerance=tolerance).any(axis=0).all():
            found = randomised_dimension(problem, pool, tolerance=tolerance)
            assert found.upper >= bound
            assert found.upper >= mean


def test_chi_square_by_hand() -> None:
    problem = Decision.of([["1/2", "1/2", 0], ["1/4", "3/4", 0]], ["1/4", "3/4", 0])
    found = chi_square_correlations(problem)
    assert found.matrix.tolist() == [[Fraction(1, 3), 0], [0, 0]]


def test_bad_input() -> None:
    with pytest.raises(BadInput, match="sums to"):
        Decision.of([["1/2", "1/3"]], ["1/2", "1/2"])
    with pytest.raises(BadInput, match="least entry"):
        Decision.of([["3/2", "-1/2"]], ["1/2", "1/2"])
    with pytest.raises(BadInput, match="points"):
        Decision.of([["1/2", "1/4", "1/4"]], ["1/2", "1/2"])
    with pytest.raises(BadInput, match="at least one"):
        Decision.of([], ["1/2", "1/2"])
    problem = random_problem(3, 3, 0)
    with pytest.raises(BadInput, match=r"outside \[-1, 1\]"):
        told_apart(problem, [(2, 0, 0)], tolerance=0)
    with pytest.raises(BadInput, match=r"outside \[0, 1\]"):
        told_apart_by_roots(problem, [(-1, 0, 0)], tolerance=0)
    with pytest.raises(BadInput, match="values"):
        told_apart(problem, [(1, 0)], tolerance=0)
    with pytest.raises(BadInput, match="tolerance"):
        told_apart(problem, [(1, 0, 0)], tolerance=-1)
    with pytest.raises(BadInput, match="patterns"):
        extreme_queries(random_problem(10, 3, 0), tolerance="0.1")
    with pytest.raises(BadInput, match="prior"):
        mean_discrimination(problem, prior=["1/2", "1/2"])
    with pytest.raises(BadInput, match="infinite"):
        chi_square_correlations(Decision.of([["1/2", "1/2"]], [1, 0]))
    with pytest.raises(BadInput, match="True and False"):
        fractional_cover(np.ones((2, 2)))
