"""Exact means on the cube, against sums over all points and against samples."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.linalg import hadamard

from sqsim import (
    L2,
    Absolute,
    BadInput,
    Batch,
    Correlation,
    MonteCarlo,
    Opaque,
    Quadrature,
    QueryRefused,
    ReplayDiverged,
    Ridge,
    RootMeanSquare,
    Sample,
    Statistic,
    ToleranceUnreachable,
    Unperturbed,
    ask,
    ask_all,
    cached,
    csq,
    exact,
    grid,
    replaying,
    run,
    sq,
    toward_zero,
    uniform,
    worst_direction,
)
from sqsim.inputs import Gaussian, Rademacher
from sqsim.lowrank import dense
from sqsim.oracles import character_sums
from sqsim.oracles.enumeration import Enumerate, root_mean_square
from sqsim.oracles.instances import fingerprint
from sqsim.problems import Dataset, ReluRegression
from sqsim.problems.cube import CubeFunction
from sqsim.queries import Characters
from sqsim.subsets import parity_table
from sqsim.testing import check_oracle
from sqsim.tolerance import Scale

D = 4
DRAW = np.random.default_rng(5)
TABLES: dict[str, Any] = {
    "integers": DRAW.integers(-3, 4, 2**D),
    "signs": 1 - 2 * DRAW.integers(0, 2, 2**D),
    "fractions": [Fraction(int(n), 7) for n in DRAW.integers(-9, 10, 2**D)],
    "floats": DRAW.standard_normal(2**D),
    "large integers": [int(n) * 2**62 + 1 for n in DRAW.integers(-9, 10, 2**D)],
}
MEANS: dict[str, Any] = {
    "mean floats": DRAW.uniform(-1, 1, 2**D),
    "mean fractions": [Fraction(int(n), 9) for n in DRAW.integers(-9, 10, 2**D)],
    "mean integers": DRAW.integers(-1, 2, 2**D),
}
FUNCTIONS = {
    **{name: CubeFunction(table) for name, table in TABLES.items()},
    **{name: CubeFunction(table, conditional=True) for name, table in MEANS.items()},
}
W = DRAW.standard_normal((D, 2))
POLICIES = [exact, uniform, grid, toward_zero, worst_direction]

functions = pytest.mark.parametrize("name", FUNCTIONS)


def points(d: int) -> np.ndarray:
    """All points in the order of indices."""
    return 1.0 - 2.0 * (np.arange(2**d)[:, None] >> np.arange(d) & 1)


def every_query() -> list[Any]:
    queries: list[Any] = [Correlation(Characters(), "all"), Correlation(Characters([5, 0, 5, 3]))]
    for h in (None, np.tanh, lambda y: np.abs(y - 0.3)):
        queries += [Statistic(Characters(h=h)), Statistic(Characters([1, 0], h=h))]
    for power in (0, 1, 2):
        queries += [
            Correlation(Ridge(np.tanh, W[:, 0], power)),
            Correlation(Ridge(power=power)),
            Statistic(Ridge(lambda s, y: s[:, 0] * np.tanh(y) - s[:, 1], W, power)),
            Statistic(Ridge(lambda y: np.tanh(y) + 0.2, power=power)),
            Statistic(Ridge(power=power)),
        ]
    queries += [
        Correlation(Opaque(lambda x: np.sin(x[:, 0] + x[:, 1]))),
        Statistic(Opaque(lambda x, y: np.stack([x[:, 0] * np.tanh(y), np.cos(y)], axis=1), 2)),
    ]
    return queries


def g_values(query: Any, x: Any, y: Any) -> np.ndarray:
    """g of y g(x), or phi, at every example."""
    form, labels = query.form, y if query.labelled else None
    if isinstance(form, Opaque):
        return form.values(x, labels)
    if isinstance(form, Characters):
        masks = range(2**D) if form.masks is None else form.masks[:, 0].tolist()
        signs = [np.prod(x[:, [j for j in range(D) if m >> j & 1]], axis=1) for m in masks]
        return form.values(labels, len(x))[:, None] * np.stack(signs, axis=1)
    h = form.values(None if form.frame is None else x @ form.frame.reshape(D, -1), labels, len(x))
    tensors = [np.ones(len(x)), x, np.einsum("ni,nj->nij", x, x) - np.eye(D)]
    return (h * tensors[form.power].T).T


def by_hand(query: Any, function: CubeFunction) -> tuple[Any, Any, Any]:
    """Mean, ||g|| for a Correlation or ||phi||, and ||phi||, by a sum over points and labels."""
    x = points(D)
    means = np.array([float(Fraction(v)) for v in np.asarray(function.values).tolist()])
    branches = [(means, np.ones(2**D))]
    if function.conditional:
        branches = [(s * np.ones(2**D), (1 + s * means) / 2) for s in (1.0, -1.0)]
    mean = norm = square = 0.0
    for y, weight in branches:
        g = g_values(query, x, y)
        phi = g if query.labelled else (g.T * y).T
        mean = mean + np.tensordot(weight, phi, axes=1) / 2**D
        norm = norm + np.tensordot(weight, g**2, axes=1) / 2**D
        square = square + np.tensordot(weight, phi**2, axes=1) / 2**D
    return mean, np.sqrt(norm), np.sqrt(square)


@pytest.mark.parametrize("scale", list(Scale))
@functions
def test_every_mean_is_the_sum_over_all_points(name, scale):
    """All kinds and forms at once, on labels that are functions and on labels of two values."""
    function, queries = FUNCTIONS[name], every_query()
    means = Enumerate().means(function, queries, [scale] * len(queries))
    size = float(np.abs(np.array(function.values, dtype=float)).max())
    for query, mean in zip(queries, means, strict=True):
        value, norm, product = by_hand(query, function)
        assert np.shape(mean.value) == query.shape(D)
        slack = 1e-14 * (product if query.labelled else size * norm) + 1e-15
        assert (np.abs(mean.value - value) <= mean.error + slack).all()
        assert (np.asarray(mean.error) <= 1e-13 * (1 + size)).all()
        wanted = {Scale.NONE: 1.0, Scale.FUNCTION: norm, Scale.PRODUCT: product}[scale]
        np.testing.assert_allclose(
            np.broadcast_to(dense(mean.scale), np.shape(wanted)), wanted, rtol=1e-13, atol=1e-15
        )
        assert (dense(mean.scale) <= wanted * (1 + 1e-15)).all()


def truth(table: Any, mask: int) -> Fraction:
    """E[f chi_S] in fractions."""
    signs = hadamard(len(table))[mask].tolist()
    return sum((s * Fraction(v) for s, v in zip(signs, table, strict=True)), Fraction(0)) / len(
        table
    )


def tables(values: Any) -> Any:
    return st.integers(1, 5).flatmap(lambda d: st.lists(values, min_size=2**d, max_size=2**d))


def coefficients_of(function: CubeFunction) -> Any:
    (mean,) = Enumerate().means(function, [Correlation(Characters())], [Scale.NONE])
    return mean


@given(tables(st.integers(-(2**40), 2**40)))
@example([2**32, 2**32])
@example([2**40, 2**40])
@example([-(2**40), -(2**40) - 1])
def test_parities_of_integers_are_exact(table):
    """Error 0, and each answer is the true number."""
    mean = coefficients_of(CubeFunction(table))
    assert mean.error == 0.0
    assert [Fraction(v) for v in mean.value.tolist()] == [
        truth(table, m) for m in range(len(table))
    ]


@pytest.mark.parametrize(
    "values",
    [
        st.fractions(-3, 3, max_denominator=50),
        st.fractions(-(10**30), 10**30, max_denominator=10**25),
        st.integers(-(2**80), 2**80),
    ],
    ids=["fractions", "long fractions", "long integers"],
)
def test_parities_of_rationals_are_correctly_rounded(values):
    """The answer is the float next to the true fraction, and confesses half its last place."""

    @given(tables(values))
    def law(table):
        mean = coefficients_of(CubeFunction(table))
        errors = np.broadcast_to(mean.error, mean.value.shape)
        for m, (value, error) in enumerate(zip(mean.value.tolist(), errors.tolist(), strict=True)):
            true = truth(table, m)
            assert value == float(true)
            assert abs(Fraction(value) - true) <= Fraction(error)
            assert error <= math.ulp(value)

    law()


@given(tables(st.floats(-1e6, 1e6)))
def test_parities_of_floats_are_within_their_proved_error(table):
    """Against fractions."""
    mean = coefficients_of(CubeFunction(table))
    assert np.max(mean.error) <= 1e-7
    for m, value in enumerate(mean.value.tolist()):
        assert abs(Fraction(value) - truth(table, m)) <= Fraction(float(np.max(mean.error)))


@given(tables(st.fractions(-1, 1, max_denominator=1000)), st.floats(-9, 9), st.floats(-9, 9))
@settings(max_examples=25)
def test_two_valued_labels_are_averaged_within_the_confessed_error(table, low, high):
    """E[h(y) chi_S] and E[h(y) x_0], h(-1) = low and h(1) = high, in fractions; and the norms."""

    def h(y):
        return np.where(y > 0, high, low)

    function = CubeFunction(table, conditional=True)
    d = function.problem.dimension
    queries = [
        Statistic(Characters(h=h)),
        Statistic(Characters([1], h=h)),
        Statistic(Ridge(lambda s, y: s * h(y), np.eye(d)[0])),
        Statistic(Opaque(lambda x, y: h(y) * x[:, 0])),
    ]
    means = Enumerate().means(function, queries, [Scale.PRODUCT] * 4)
    up, down = Fraction(high), Fraction(low)
    law = [((1 + m) * up + (1 - m) * down) / 2 for m in map(Fraction, table)]
    square = sum(((1 + m) * up**2 + (1 - m) * down**2) / 2 for m in map(Fraction, table)) / len(
        table
    )
    asked = [list(range(len(table))), [1], 1, 1]
    for mean, masks in zip(means, asked, strict=True):
        masks = np.atleast_1d(masks)
        for m, value, error in zip(
            masks, *np.broadcast_arrays(np.atleast_1d(mean.value), mean.error), strict=True
        ):
            assert abs(Fraction(float(value)) - truth(law, int(m))) <= Fraction(float(error))
        for norm in np.ravel(mean.scale).tolist():
            assert Fraction(norm) ** 2 <= square
            assert norm == pytest.approx(math.sqrt(square), abs=1e-7)


def test_rounding_of_a_pass_is_within_the_confessed_error():
    """Values of very different sizes that cancel, against fractions."""
    d = 13
    draw = np.random.default_rng(6)
    table = draw.standard_normal(2**d) * 10.0 ** draw.integers(-8, 9, 2**d)
    function = CubeFunction(table)
    queries = [
        Correlation(Ridge(power=1)),
        Correlation(Opaque(lambda x: x[:, 0])),
        Correlation(Characters([1])),
    ]
    for mean in Enumerate().means(function, queries, [Scale.NONE] * 3):
        value, error = np.ravel(mean.value)[0], np.ravel(mean.error)[0]
        signs = parity_table(1, d).tolist()
        true = sum(Fraction(v) * s for v, s in zip(table.tolist(), signs, strict=True))
        assert abs(Fraction(float(value)) - true / 2**d) <= Fraction(float(error))


@pytest.mark.parametrize("policy", POLICIES)
@functions
def test_every_answer_is_within_tolerance_of_the_exact_mean(name, policy):
    """All conventions of tolerance, through the oracle."""
    function, queries = FUNCTIONS[name], every_query()
    for tolerance in (Absolute(0.03), L2(0.03), RootMeanSquare(0.03)):
        if name == "large integers" and isinstance(tolerance, Absolute | L2):
            continue
        oracle = sq(function, tolerance=tolerance, policy=policy, seed=2)
        for query, answer in zip(queries, oracle.answer(Batch(tuple(queries)), 0), strict=True):
            value, norm, product = by_hand(query, function)
            radius = {Absolute: 1.0, L2: norm, RootMeanSquare: product}[type(tolerance)] * 0.03
            size = 1e-14 * np.max(np.abs(product)) + 1e-16
            assert (np.abs(dense(answer) - value) <= radius + size).all()


@given(
    tables(st.integers(-50, 50)),
    st.sampled_from(POLICIES),
    st.floats(1e-9, 1.0),
    st.integers(0, 99),
)
def test_parities_within_any_tolerance_for_any_policy(table, policy, tau, seed):
    """|answer - E| <= tau ||g|| = tau, where E is a fraction."""
    oracle = csq(CubeFunction(table), tolerance=L2(tau), policy=policy, seed=seed)
    (answer,) = oracle.answer(Batch((Correlation(Characters()),)), 0)
    for m, value in enumerate(answer.tolist()):
        assert abs(Fraction(value) - truth(table, m)) <= Fraction(tau)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "large integers"])
def test_monte_carlo_and_a_drawn_table_agree_with_the_sum_over_points(name):
    """Labels are drawn from the law whose means are summed."""
    function, queries = FUNCTIONS[name], every_query()
    scales = [Scale.FUNCTION] * len(queries)
    sampled = MonteCarlo(20_000).means(function, queries, scales, seed=1, turn=0)
    stream = np.random.default_rng(2)
    x = function.problem.inputs.sample(stream, 40_000)
    table = Dataset(x, function.labels.draw(x, stream))
    averaged = Sample().means(table, queries, scales, seed=0, turn=0)
    for query, mean, average in zip(queries, sampled, averaged, strict=True):
        value, norm, product = by_hand(query, function)
        seen = np.isfinite(mean.error)
        assert (np.abs(mean.value - value)[seen] <= (mean.error + 1e-12)[seen]).all()
        width = 6 * product / math.sqrt(40_000) + 1e-9
        assert (np.abs(average.value - value) <= width).all()
        np.testing.assert_allclose(dense(average.scale), norm, rtol=0.06, atol=0.02)
        phi = g_values(query, x, table.targets)
        phi = phi if query.labelled else (phi.T * table.targets).T
        assert (np.abs(average.value - phi.mean(axis=0)) <= average.error + 1e-12).all()


@pytest.mark.parametrize("d", [3, 11, 70, 130])
def test_both_ways_of_summing_parities_over_examples_agree(d, monkeypatch):
    """A table of sign patterns and sums set by set; coordinates beyond 64 take several words."""
    stream = np.random.default_rng(d)
    x, y = stream.standard_normal((3000, d)), stream.standard_normal(3000)
    sets = [(), (0,), (d - 1,), (0, d - 1), tuple(range(d))]
    sets += [tuple(np.flatnonzero(stream.random(d) < 0.3).tolist()) for _ in range(200)]
    query = [Correlation(Characters.of(sets)), Statistic(Characters.of(sets, h=np.abs))]
    direct = np.stack([np.prod(np.sign(x[:, list(s)]), axis=1) for s in sets], axis=1)
    expected = [y @ direct / 3000, np.abs(y) @ direct / 3000]
    for few in (0, 10**9) if d < 64 else (0,):
        monkeypatch.setattr(character_sums, "FEW", few)
        found = Sample().means(Dataset(x, y), query, [Scale.PRODUCT] * 2, seed=0, turn=0)
        for mean, value in zip(found, expected, strict=True):
            assert (np.abs(mean.value - value) <= mean.error + 1e-16).all()
            assert np.max(mean.error) < 1e-11
            np.testing.assert_allclose(mean.scale, math.sqrt(y @ y / 3000), rtol=1e-12)


def test_all_sets_of_a_table_come_from_one_transform():
    """Characters() over examples, as over the cube, stand at the index of their bits."""
    x = np.random.default_rng(0).standard_normal((500, 6))
    data = Dataset(x, x[:, 1] ** 2)
    (everything,) = Sample().means(data, [Correlation(Characters())], [Scale.NONE], seed=0, turn=0)
    (few,) = Sample().means(
        data, [Correlation(Characters(np.arange(64)))], [Scale.NONE], seed=0, turn=0
    )
    np.testing.assert_allclose(everything.value, few.value, atol=1e-14)


def test_lifted_functions_are_those_of_the_signs_of_gaussian_inputs():
    """The signs of N(0, I) are uniform on the cube, and 0 counts as positive."""
    form = Characters([3])
    x = np.array([[0.0, -2.0], [-0.0, 3.0], [-1.0, -1.0]])
    data = Dataset(x, [1.0, 2.0, 4.0])
    (mean,) = Sample().means(data, [Correlation(form)], [Scale.NONE], seed=0, turn=0)
    assert float(mean.value[0]) * 3 == -1.0 + 2.0 + 4.0


def test_the_diagonal_of_a_matrix_is_exactly_zero():
    """x_i^2 = 1: mean, error and norm vanish there, so that an L2 tolerance is in reach."""
    oracle = sq(FUNCTIONS["floats"], tolerance=L2(1e-6), policy=uniform)
    query = Statistic(Ridge(lambda s, y: s + y, W[:, 0], 2))
    (answer,) = oracle.answer(Batch((query,)), 0)
    assert not np.diagonal(answer).any()
    assert np.array_equal(answer, answer.T)


def test_what_never_happens_does_not_count():
    """A function that is no number at y = -1 is averaged where y = 1 always."""
    function = CubeFunction([1, 1], conditional=True)
    query = Statistic(Opaque(lambda x, y: np.log(y)))
    with np.errstate(invalid="ignore"):
        (mean,) = Enumerate().means(function, [query], [Scale.PRODUCT])
    assert float(mean.value) == 0.0


def test_a_batch_is_answered_by_one_transform(monkeypatch):
    """However many Characters it holds, of either kind."""
    from sqsim.oracles import coefficients

    calls = []
    whole = coefficients.exact_sums
    monkeypatch.setattr(coefficients, "exact_sums", lambda t: calls.append(1) or whole(t))
    queries = [
        Correlation(Characters()),
        Statistic(Characters(h=np.tanh)),
        Correlation(Characters([3])),
    ]
    means = Enumerate().means(FUNCTIONS["mean integers"], queries, [Scale.PRODUCT] * 3)
    assert len(calls) == 1
    assert means[0].value[3] == means[2].value[0]


def test_norms_of_tables_are_exact_to_rounding_and_never_above():
    """Integers of any length, fractions, and floats at both ends of the range."""
    for table, scale in (
        (np.array([3, 4], dtype=np.int8), Fraction(1)),
        (np.array([2**40, 1] * 4), Fraction(2, 3)),
        (np.array([10**400, 10**400 + 1], dtype=object), Fraction(1, 10**300)),
        (np.array([1e-300, 3e-300]), Fraction(1)),
        (np.array([1e200, -3e200] * 512), Fraction(1)),
    ):
        square = sum(Fraction(v) ** 2 for v in table.tolist()) / len(table) * scale**2
        found = Fraction(root_mean_square(table, scale)) ** 2
        assert square * (1 - Fraction(1, 10**12)) <= found <= square
    assert root_mean_square(np.zeros(4), Fraction(1)) == 0.0


def test_rademacher_expectations_are_averages_over_the_cube():
    """Only coordinates that the frame names are summed over, so that the dimension may be large."""
    x = points(D)
    for power in (0, 1, 2):
        for form in (
            Ridge(np.tanh, W[:, 0], power),
            Ridge(lambda s: s[:, 0] ** 3 * s[:, 1], W, power),
            Ridge(power=power),
        ):
            small = Rademacher(D).expectation(form)
            np.testing.assert_allclose(
                small, g_values(Correlation(form), x, None).mean(axis=0), atol=1e-14
            )
            if form.frame is None:
                continue
            wide = np.zeros((50, *form.frame.shape[1:]))
            places = [3, 8, 20, 49]
            wide[places] = form.frame
            large = Rademacher(50).expectation(Ridge(form.h, wide, power))
            assert large.shape == (50,) * power
            np.testing.assert_allclose(large[np.ix_(*[places] * power)], small, atol=1e-14)
            assert np.count_nonzero(large) <= np.count_nonzero(small)
    with pytest.raises(BadInput, match="21 coordinates"):
        Rademacher(21).expectation(Ridge(np.tanh, np.ones(21)))
    with pytest.raises(BadInput, match="dimension"):
        Rademacher(0)


def test_rademacher_samples_are_uniform_signs():
    """Mean 0, products of two coordinates 0 and squares 1."""
    x = Rademacher(3).sample(np.random.default_rng(0), 40_000)
    assert set(np.unique(x)) == {-1.0, 1.0}
    np.testing.assert_allclose(x.T @ x / 40_000, np.eye(3), atol=0.03)
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=0.03)


def test_a_cube_of_a_million_points_is_exact():
    """All 2^20 parities of signs without error, by Parseval and by a plain sum; one pass else."""
    d = 20
    draw = np.random.default_rng(7)
    table = 1 - 2 * draw.integers(0, 2, 2**d)
    mean = coefficients_of(CubeFunction(table))
    whole = mean.value * 2**d
    assert mean.error == 0.0
    assert np.array_equal(whole, np.rint(whole))
    assert int(np.square(whole.astype(np.int64)).sum()) == 4**d
    for mask in draw.integers(0, 2**d, 5).tolist():
        assert whole[mask] == table @ parity_table(mask, d).astype(np.int64)
    slopes = draw.integers(-5, 6, d)
    linear = CubeFunction(
        sum(c * parity_table(1 << j, d).astype(np.int64) for j, c in enumerate(slopes))
    )
    (gradient,) = Enumerate().means(linear, [Correlation(Ridge(power=1))], [Scale.FUNCTION])
    assert (np.abs(gradient.value - slopes) <= gradient.error).all()
    assert np.max(gradient.error) < 1e-11
    assert (gradient.scale <= 1.0).all()


# Replay, caches and fingerprints.


def test_marks_tell_sets_and_functions_apart():
    """One bit of one mask, the order, the length and h all show in what replay compares."""
    forms = [
        Characters(),
        Characters([1, 2]),
        Characters([2, 1]),
        Characters([1, 3]),
        Characters([1, 2, 2]),
        Characters([1, 2], h=np.tanh),
        Characters([1, 2], h=np.abs),
        Characters.of([(0,), (64,)]),
    ]
    marks = [Statistic(form).mark(80 if form.masks is not None else 9) for form in forms]
    assert len(set(marks)) == len(marks)
    assert Statistic(Characters([1, 2])).mark(5) == Statistic(Characters.of([{0}, {1}])).mark(5)

    def asks(mask):
        return (yield from ask_all(Correlation(Characters([mask]))))

    oracle = csq(FUNCTIONS["signs"], tolerance=Absolute(0.1))
    transcript = run(asks(5), oracle).transcript
    run(asks(5), replaying(oracle, transcript))
    with pytest.raises(ReplayDiverged, match="mark"):
        run(asks(6), replaying(oracle, transcript))


def test_equal_sets_are_asked_once_through_a_cache():
    """Two objects with the same masks are the same question."""
    seen = []

    class Counting:
        def __init__(self):
            self.inner = csq(FUNCTIONS["signs"], tolerance=Absolute(0.1), policy=uniform)
            self.dimension, self.tolerance = D, self.inner.tolerance
            self.describe = self.inner.describe

        def answer(self, batch, turn):
            seen.append(len(batch.queries))
            return self.inner.answer(batch, turn)

    oracle = cached(Counting())
    first = oracle.answer(Batch((Correlation(Characters([3])), Correlation(Characters([3])))), 0)
    again = oracle.answer(Batch((Correlation(Characters([3])), Correlation(Characters([5])))), 1)
    assert seen == [1, 1]
    assert first[0] == first[1] == again[0] != again[1]


def test_fingerprints_tell_functions_apart():
    """A transcript of one instance is not resumed on another."""
    marks = {fingerprint(function) for function in FUNCTIONS.values()}
    assert len(marks) == len(FUNCTIONS)
    assert None not in marks
    assert fingerprint(CubeFunction([0, 1])) != fingerprint(CubeFunction([0, 1], conditional=True))
    assert fingerprint(CubeFunction([0, 1])) == fingerprint(CubeFunction([0.0, 1.0]))


@pytest.mark.parametrize("name", ["integers", "mean floats"])
def test_the_oracle_of_a_cube_keeps_the_laws_of_oracles(name):
    """Pure, within tolerance, and no finer than it may."""
    function, queries = FUNCTIONS[name], every_query()
    values = [by_hand(query, function)[0] for query in queries]
    oracle = sq(function, tolerance=Absolute(0.05), policy=uniform, seed=1)
    check_oracle(oracle, Batch(tuple(queries)), values)


# Bad input.


def test_functions_on_the_cube_that_are_none_are_refused():
    """Sizes, ranges, values that no float holds."""
    for values in ([1], [1, 2, 3], [[1, 2]]):
        with pytest.raises(BadInput, match="table"):
            CubeFunction(values)
    for values in ([0.5, 1.5], [0, -2], [Fraction(4, 3), 0]):
        with pytest.raises(BadInput, match=r"beyond 1; labels -1 and 1 have means in \[-1, 1\]"):
            CubeFunction(values, conditional=True)
    with pytest.raises(BadInput, match="64-bit floats"):
        CubeFunction([10**400, 0])
    with pytest.raises(BadInput, match="not finite"):
        CubeFunction([math.nan, 0.0])


def test_a_function_does_not_change_with_the_array_it_was_made_of():
    """The values are copied."""
    table = np.array([1.5, -1.0])
    function = CubeFunction(table)
    table[:] = 0.0
    assert coefficients_of(function).value.tolist() == [0.25, 1.25]
    with pytest.raises(ValueError, match="read-only"):
        coefficients_of(function).value[0] = 1


def test_sets_that_are_none_are_refused():
    """Masks of the wrong kind, and coordinates that inputs do not have."""
    for masks in ([], [1.5], [-1], [True], [[[1]]], 3, [2**64], [[1], [2, 3]], "1"):
        with pytest.raises(BadInput, match="mask"):
            Characters(masks)
    for subset in ((0, 0), (-1,), (0.5,)):
        with pytest.raises(BadInput, match="no set of coordinates"):
            Characters.of([subset])
    with pytest.raises(BadInput, match="Characters"):
        Characters.of([])
    with pytest.raises(BadInput, match=r"coordinate 7; the inputs have coordinates 0, \.\.\., 3"):
        Correlation(Characters([128])).shape(4)
    with pytest.raises(BadInput, match=r"2\^31 parities; name the sets"):
        Correlation(Characters()).shape(31)
    with pytest.raises(BadInput, match="no h"):
        Correlation(Characters(h=np.abs))
    with pytest.raises(BadInput, match="wanted a function"):
        Characters(h=3)
    with pytest.raises(BadInput, match=r"shape \(2,\) on 8 labels"):
        Statistic(Characters(h=lambda y: y[:2])).mark(3)


def test_enumerate_refuses_what_it_cannot_sum_and_says_what_would_do():
    """Not the cube, too many points, too much memory, functions that are not finite."""
    function, correlation = FUNCTIONS["signs"], Correlation(Characters())
    with pytest.raises(QueryRefused, match="IndexInstance does not live there"):
        Enumerate().means(ReluRegression(3).draw(), [correlation], [Scale.NONE])
    with pytest.raises(QueryRefused, match=r"2\^4 points, and at most 2\^3.*MonteCarlo"):
        Enumerate(largest=3).means(function, [Correlation(Ridge(power=1))], [Scale.NONE])
    with pytest.raises(
        QueryRefused, match=r"16 parities on a cube of dimension 4 need about .* GiB"
    ):
        Enumerate(memory=100).means(function, [correlation], [Scale.NONE])
    with pytest.raises(BadInput, match="memory is 0"):
        Enumerate(memory=0)
    for name in ("signs", "mean floats"):
        with pytest.raises(BadInput, match="'logarithm' is not finite"), np.errstate(all="ignore"):
            sq(FUNCTIONS[name], tolerance=Absolute(0.1)).answer(
                Batch((Statistic(Characters(h=np.log), "logarithm"),)), 0
            )
    with pytest.raises(ToleranceUnreachable, match="coarser"):
        csq(FUNCTIONS["floats"], tolerance=Absolute(1e-18)).answer(Batch((correlation,)), 0)
    csq(FUNCTIONS["signs"], tolerance=Unperturbed()).answer(Batch((correlation,)), 0)


def test_quadrature_and_large_tables_refuse_parities():
    """With the evaluator that would do."""
    with pytest.raises(QueryRefused, match="cannot integrate parities"):
        Quadrature().means(ReluRegression(3).draw(), [Correlation(Characters())], [Scale.NONE])
    with pytest.raises(QueryRefused, match="Enumerate"):
        Quadrature().means(FUNCTIONS["signs"], [Correlation(Characters())], [Scale.NONE])
    x = np.random.default_rng(0).standard_normal((50, 28))
    with pytest.raises(QueryRefused, match=r"2\^28 parities need 2 GiB"):
        Sample().means(
            Dataset(x, x[:, 0]), [Correlation(Characters())], [Scale.NONE], seed=0, turn=0
        )


def test_a_gaussian_sample_has_the_parities_of_its_signs():
    """MonteCarlo on Gaussian inputs: E[sign(x_0) x_0] = sqrt(2 / pi)."""
    instance = ReluRegression(3).draw(direction=np.eye(3)[0], norm=2.0)
    query = Correlation(Characters.of([(0,), (1,), (0, 2)]))
    (mean,) = MonteCarlo(40_000).means(instance, [query], [Scale.FUNCTION], seed=0, turn=0)
    assert isinstance(instance.problem.inputs, Gaussian)
    expected = [1 / math.sqrt(2 * math.pi) * 2, 0.0, 0.0]
    assert (np.abs(mean.value - expected) <= mean.error).all()
    assert mean.scale == pytest.approx(1.0)


def test_every_subset_stands_where_its_bits_say():
    """The learner's reading of an answer: entry S of Characters() belongs to the bits of S."""
    for size in range(D + 1):
        for subset in itertools.combinations(range(D), size):
            table = np.prod(points(D)[:, list(subset)], axis=1)
            mean = coefficients_of(CubeFunction(table))
            assert mean.value.tolist() == [m == sum(1 << j for j in subset) for m in range(2**D)]


def test_a_parity_of_a_label_in_a_range_may_have_a_negative_mean():
    """The declared range is that of h(y), and h(y) chi_S takes both signs."""
    instance = CubeFunction([-1, 1, 1, 1], conditional=False)
    query = Statistic(Characters(h=lambda y: (1 + y) / 2), range=(0, 1))
    answer = run(ask(query), sq(instance, tolerance=Absolute(1e-9))).value
    np.testing.assert_allclose(answer, [0.75, -0.25, -0.25, -0.25], atol=1e-9)
