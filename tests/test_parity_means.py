"""What neurons and other functions of one direction see of a lifted parity, two ways each."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from mpmath import mp, quad

from sqsim import (
    L2,
    Absolute,
    BadInput,
    Batch,
    Correlation,
    MonteCarlo,
    Opaque,
    QueryRefused,
    Ridge,
    Statistic,
    ToleranceUnreachable,
    csq,
    sq,
)
from sqsim.gaussian import all_kinks
from sqsim.lowerbounds.parities import relu_parity_correlation, relu_parity_gap
from sqsim.lowerbounds.parity_gaps import check_parity_residue, parity_neuron_gain
from sqsim.lowrank import dense
from sqsim.oracles.few_signs import OUTSIDE, WHOLE, closed_densities
from sqsim.oracles.parity_quadrature import ParityQuadrature, neuron_correlation
from sqsim.oracles.signed_densities import parity_moment, transformed_densities
from sqsim.problems.cube import CubeFunction
from sqsim.problems.parity import SparseParity
from sqsim.queries import Characters
from sqsim.set_neurons import SetNeurons, masks_of_rows, sets_of_size
from sqsim.subsets import masks_of
from sqsim.tolerance import Scale


def relu(s):
    return np.maximum(s, 0.0)


def along(members, dimension):
    """The unit vector along the indicator of a set."""
    w = np.zeros(dimension)
    w[list(members)] = 1 / math.sqrt(len(members))
    return w


@pytest.mark.parametrize("k", [2, 4, 6, 10, 14])
def test_the_oracles_constant_is_the_proved_one(k):
    """Floats of the evaluator against ball arithmetic, which share no line."""
    value, error = neuron_correlation(k, k)
    low, high = map(float, relu_parity_correlation(k).bounds)
    assert low - error <= value <= high + error
    assert error < 1e-12 * abs(value)


@pytest.mark.parametrize(("k", "size"), [(2, 2), (2, 3), (2, 9), (4, 5), (6, 6), (6, 9), (1, 4)])
def test_neurons_of_sets_agree_with_the_density_along_their_direction(k, size):
    """One integral over u for all sets, against densities and an integral over t."""
    value, error = neuron_correlation(k, size)
    found = parity_moment(relu, along(range(size), 10), range(k), kinks=(0.0,))
    assert abs(found.value[0] - value) <= error + found.error[0]
    assert found.error[0] < 1e-11


@pytest.mark.parametrize(("k", "size"), [(2, 300), (2, 1000), (6, 1000)])
def test_sets_much_larger_than_the_parity_are_integrated_to_the_stated_error(k, size):
    """Their integrand has width sqrt(k / t), which nodes spread over [0, inf) do not resolve."""
    with mp.workdps(30):

        def integrand(x):
            u = x / mp.sqrt(size)
            g = mp.exp(-u * u / 2) * mp.erfi(u / mp.sqrt(2))
            return g**k * mp.exp(-u * u * (size - k) / 2) / u**2

        exact = quad(integrand, [0, 1, 2, 4, 8, 16]) / (mp.pi * size)
    value, error = neuron_correlation(k, size)
    assert abs(value - exact) <= error <= 1e-12 * value


@pytest.mark.parametrize("size", [1e-170, 1e-162, 1e-155, 1e150])
def test_tiny_and_huge_weights_keep_their_digits(size):
    """Squares of 1e-162 are subnormal: a norm of them may be twice what it is."""
    w = size * np.array([0.6, 0.8])
    found = parity_moment(lambda s: np.sin(s / size), w, (0,))
    known = parity_moment(np.sin, w / size, (0,))
    assert abs(found.value[0] - known.value[0]) <= found.error[0] + known.error[0]


@pytest.mark.parametrize("signs", [1, 2])
def test_jumps_that_no_kink_declares_are_confessed(signs):
    """Two rules that miss a jump in the same way do not agree on it by chance."""
    w = np.random.default_rng(signs).standard_normal(3)
    for place in np.random.default_rng(0).standard_normal(100):
        form = Ridge(lambda s, at=place: (s >= at) * 1.0, w)
        found = parity_moment(form.h, w, range(signs), kinks=all_kinks(form)[0])
        known = parity_moment(form.h, w, range(signs), kinks=[place])
        assert abs(found.value[0] - known.value[0]) <= found.error[0] + known.error[0]


@pytest.mark.parametrize("size", [3, 5, 8])
def test_a_set_that_misses_a_sign_sees_nothing(size):
    """Exactly 0, not nearly: that sign is independent of the neuron."""
    assert neuron_correlation(size + 1, size) == (0.0, 0.0)
    found = parity_moment(relu, along(range(size), 10), range(size + 1))
    assert (found.value[0], found.error[0]) == (0.0, 0.0)


@pytest.mark.parametrize("k", [3, 5, 7])
def test_an_odd_parity_is_hidden_from_every_unbiased_neuron(k):
    """Not only along 1_S: relu(t) - t/2 is even, and the linear part sees one sign alone."""
    assert neuron_correlation(k, 9) == (0.0, 0.0)
    for seed in range(4):
        w = np.random.default_rng(seed).standard_normal(9)
        found = parity_moment(relu, w, range(k), kinks=(0.0,))
        assert abs(found.value[0]) <= found.error[0] < 1e-9


@pytest.mark.parametrize("k", [4, 8])
def test_for_multiples_of_four_the_correlation_changes_sign_and_does_not_vanish(k):
    """c_k < 0 along 1_S, and turning one weight turns the sign of the parity."""
    value, _ = neuron_correlation(k, k)
    assert value < -1e-5
    turned = along(range(k), k + 1)
    turned[0] *= -1
    found = parity_moment(relu, turned, range(k), kinks=(0.0,))
    assert found.value[0] == pytest.approx(-value, rel=1e-5)


@pytest.mark.parametrize("rest", [1.0, 0.1])
@pytest.mark.parametrize("signs", [1, 2])
def test_closed_densities_agree_with_fourier_integrals(signs, rest):
    """Owen's function and Gaussian slopes against the trapezoidal rule."""
    w = np.random.default_rng(signs).standard_normal(6)
    subset = (1, 4)[:signs]
    outside = np.setdiff1d(np.arange(6), subset)
    w[outside] *= rest
    w /= np.linalg.norm(w)
    t, rows = np.linspace(-4, 4, 40) + 0.013, [WHOLE, *subset, OUTSIDE]
    length = float(np.linalg.norm(w[outside]))
    closed = closed_densities(t, w, subset, length, rows)
    transformed, error = transformed_densities(t, w, subset, length, rows)
    assert (np.abs(closed - transformed) <= error[:, None] + 1e-14).all()
    assert error.max() < 1e-12


@pytest.mark.parametrize("rest", [0.0, 1e-13, 1e-9, 1e-5])
def test_two_signs_are_seen_from_directions_almost_inside_their_plane(rest):
    """Where a descent ends: the Fourier integral has no end there, the closed form has."""
    w = np.array([0.6, 0.8, rest, 0.0])
    found = parity_moment(relu, w, (0, 1), kinks=(0.0,))
    # In polar coordinates: the integral of cos over the arcs of each sign.
    exact = (0.6 + 0.8 - 1) / math.sqrt(2 * math.pi)
    assert abs(found.value[0] - exact) <= found.error[0] + rest**2
    field = parity_moment(lambda s: (s >= 0) * 1.0, w, (0, 1), power=1, kinks=(0.0,))
    # E[x 1(.) chi_S] is the gradient of E[relu(<w, x>) chi_S] in w.
    gradient = np.array([1 - 0.6, 1 - 0.8, 0, 0]) / math.sqrt(2 * math.pi)
    assert np.abs(field.value - gradient).max() <= field.error.max() + 2 * rest


def test_the_field_is_the_gradient_of_the_agreement():
    """E[x_i 1(<w, x> >= 0) chi_S] = d/dw_i E[relu(<w, x>) chi_S], for six signs."""
    w = np.random.default_rng(2).standard_normal(8)
    field = parity_moment(lambda s: (s >= 0) * 1.0, w, range(6), power=1, kinks=(0.0,))
    step = 1e-5
    for i in range(8):
        ends = [
            parity_moment(relu, w + sign * step * np.eye(8)[i], range(6), kinks=(0.0,)).value[0]
            for sign in (1, -1)
        ]
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(field.value[i], abs=1e-9)


PROBLEM = SparseParity(7, 2, noise="0.1", lifted=True)
INSTANCE = PROBLEM.draw(seed=1)
W = np.random.default_rng(0).standard_normal(7)
SETS = np.array([[0, 1], [2, 3], INSTANCE.subset])
QUERIES = {
    "relu": Correlation(Ridge(relu, W, kinks=(0.0,))),
    "relu of a column": Correlation(
        Ridge(lambda s: relu(s[:, 0] - 0.2), W[:, None], kinks=((0.2,),))
    ),
    "bend not declared": Correlation(Ridge(lambda s: relu(s - 0.3), W)),
    "field": Correlation(Ridge(lambda s: (s > 0.1) * 1.0, W, 1, kinks=(0.1,))),
    "degree-1 correlation": Correlation(Ridge(power=1)),
    "mean label": Correlation(Ridge()),
    "no weight": Correlation(Ridge(np.cos, np.zeros(7))),
    "of both": Statistic(Ridge(lambda s, y: relu(s - y) ** 2, W, kinks=(-1.0, 1.0))),
    "of the label": Statistic(Ridge(np.exp)),
    "neurons": Correlation(Opaque(SetNeurons(SETS, 0.7), 3)),
    "wide neurons": Correlation(
        Opaque(SetNeurons(np.array([range(6), range(1, 7)]), 0.7, opposed=True), 2)
    ),
    "parities": Correlation(Characters(masks_of(SETS.tolist()))),
}
VECTORS = {
    "field of both": Statistic(Ridge(lambda s, y: np.abs(s - y), W, 1, kinks=(-1.0, 1.0))),
    "label and inputs": Statistic(Ridge(np.exp, power=1)),
}


@cache
def simulated():
    queries = [*QUERIES.values(), *VECTORS.values()]
    return dict(
        zip(
            [*QUERIES, *VECTORS],
            MonteCarlo(60_000).means(
                INSTANCE, queries, [Scale.FUNCTION] * len(queries), seed=1, turn=0
            ),
            strict=True,
        )
    )


@pytest.mark.parametrize("name", [*QUERIES, *VECTORS])
def test_means_lie_in_the_interval_of_a_simulation(name):
    """Every form that is answered, against examples drawn from the parity."""
    query = {**QUERIES, **VECTORS}[name]
    scale = Scale.FUNCTION if name in QUERIES else Scale.NONE
    (found,) = ParityQuadrature().means(INSTANCE, [query], [scale])
    drawn = simulated()[name]
    assert np.shape(found.value) == query.shape(7)
    assert (np.abs(dense(found.value) - dense(drawn.value)) <= drawn.error + found.error).all()
    limit = 1e-4 if "not declared" in name else 1e-11
    assert np.max(found.error) < limit
    if scale is Scale.FUNCTION:
        assert np.allclose(np.asarray(found.scale), np.asarray(drawn.scale), rtol=0.03)


@pytest.mark.parametrize("norm", [Absolute, L2])
def test_the_gain_is_the_size_at_which_a_tolerance_hides_the_neuron(norm):
    """E[y sigma(<w_S, x>)] is (1 - 2 noise) c_k / sqrt(2 pi), to the last digits of a float."""
    gain = float(parity_neuron_gain(2, noise="0.1"))
    w = along(INSTANCE.subset, 7) / math.sqrt(2 * math.pi)
    query = Correlation(Ridge(relu, w, kinks=(0.0,)))
    unit = 1.0 if norm is Absolute else 1 / math.sqrt(4 * math.pi)
    oracle = csq(INSTANCE, tolerance=norm(1e-3 * unit), means=ParityQuadrature())
    assert oracle.answer(Batch((query,)), 0)[0] == pytest.approx(gain, rel=1e-11)


@pytest.mark.parametrize(("k", "noise"), [(2, "0.1"), (6, "2/5"), (10, "0")])
def test_the_gain_and_the_gap_of_the_best_norm_differ_by_a_square(k, noise):
    """1/2 - 1/(4 pi) - loss at norm 1/sqrt(2 pi), and at the best norm: q^2 c_k^2 / 2 apart."""
    gain, gap = parity_neuron_gain(k, noise=noise), relu_parity_gap(k, noise=noise)
    assert gain.digits >= 30
    signal = math.sqrt(2 * math.pi) * float(gain)
    assert float(gap) - float(gain) == pytest.approx(signal**2 / 2, rel=1e-6)
    c = neuron_correlation(k, k)[0]
    q = 1 - 2 * float(SparseParity(12, k, noise=noise).flip_rate)
    assert signal == pytest.approx(q * c, rel=1e-12)


@pytest.mark.parametrize(
    ("k", "words"),
    [
        (1, "linear part"),
        (3, "vanishes for every w"),
        (5, "vanishes for every w"),
        (4, "changes sign"),
        (8, "changes sign"),
        (0, "k = 2, 6, 10"),
    ],
)
def test_other_residues_are_refused_with_the_reason(k, words):
    """Odd ones vanish, multiples of four turn: not the same, and said."""
    with pytest.raises(BadInput, match=words):
        check_parity_residue(k)
    with pytest.raises(BadInput, match=words):
        parity_neuron_gain(k)


@pytest.mark.parametrize("noise", ["1/2", "0.7", -1])
def test_labels_of_which_nothing_is_left_are_refused(noise):
    with pytest.raises(BadInput, match="below 1/2"):
        parity_neuron_gain(2, noise=noise)


@pytest.mark.parametrize(
    "query",
    [
        Correlation(Opaque(lambda x: x[:, 0])),
        Correlation(Ridge(lambda s: s[:, 0] * s[:, 1], np.eye(7)[:, :2])),
        Correlation(Ridge(power=2)),
        Statistic(Opaque(lambda x, y: y * x[:, 0])),
    ],
    ids=["any function", "two directions", "matrix", "statistic"],
)
def test_what_is_not_integrated_is_refused_with_a_way_out(query):
    with pytest.raises(QueryRefused, match="MonteCarlo"):
        sq(INSTANCE, tolerance=Absolute(0.1), means=ParityQuadrature()).answer(Batch((query,)), 0)


def test_cubes_are_sent_to_their_own_evaluator():
    for instance in (SparseParity(4, 2).draw(), CubeFunction(np.ones(8))):
        with pytest.raises(QueryRefused, match="Enumerate"):
            csq(instance, tolerance=Absolute(0.1), means=ParityQuadrature()).answer(
                Batch((Correlation(Ridge()),)), 0
            )


def test_a_tolerance_beyond_floats_is_refused():
    """The error is confessed, so the oracle can say what would do."""
    query = Correlation(Ridge(relu, W, kinks=(0.0,)))
    with pytest.raises(ToleranceUnreachable, match="coarser"):
        csq(INSTANCE, tolerance=Absolute(1e-17), means=ParityQuadrature()).answer(
            Batch((query,)), 0
        )


def test_sets_of_a_size_are_all_of_them_once():
    sets = sets_of_size(9, 4)
    assert sets.shape == (math.comb(9, 4), 4)
    assert (np.diff(sets, axis=1) > 0).all()
    masks = masks_of_rows(sets, 9)
    assert len(np.unique(masks)) == len(sets)
    assert np.array_equal(masks, masks_of(sets.tolist()))
    assert np.array_equal(masks_of_rows(np.array([[3, 70]]), 80), masks_of([(3, 70)]))


def test_set_neurons_are_neurons():
    """Values, weights, moments and the shifted copy say the same."""
    neurons = SetNeurons(sets_of_size(5, 3), 0.7, opposed=True)
    x = np.random.default_rng(1).standard_normal((200_000, 5))
    values = neurons(x)
    for row in (0, 4, 9):
        assert np.allclose(values[:, row], relu(x @ neurons.weights(row, 5)))
    assert values.mean(axis=0) == pytest.approx(neurons.mean, abs=5e-3)
    assert np.sqrt((values**2).mean(axis=0)) == pytest.approx(neurons.size, abs=5e-3)
    wider = np.insert(x, 2, 9.0, axis=1)
    assert np.array_equal(neurons.moved(2)(wider), values)


@pytest.mark.parametrize(
    ("sets", "norm", "words"),
    [
        (np.array([[0, 0]]), 1.0, "twice"),
        (np.array([[-1, 0]]), 1.0, "from 0"),
        (np.zeros((0, 2), dtype=int), 1.0, "at least one row"),
        (np.array([[0.5, 1.0]]), 1.0, "integers"),
        (np.array([[0, 1]]), 0.0, "norm"),
    ],
)
def test_sets_that_are_none_are_refused(sets, norm, words):
    with pytest.raises(BadInput, match=words):
        SetNeurons(sets, norm)


def test_too_many_sets_are_refused_before_they_are_listed():
    with pytest.raises(BadInput, match="smaller dimension"):
        sets_of_size(60, 10)
