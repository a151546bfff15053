"""Gram matrices of small families by definition, and orthogonal networks by simulation."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqsim.errors import BadInput, NotCertified
from sqsim.links import relu, sigmoid
from sqsim.lowerbounds import families, named_expansion, second_moment
from sqsim.lowerbounds.families import (
    distribution_family,
    function_family,
    gaussian_family,
    parity_family,
)
from sqsim.lowerbounds.networks import network_values, orthogonal_network_norm
from sqsim.lowerbounds.precision import Enclosure


def laws(rows: int, points: int) -> st.SearchStrategy[list[list[Fraction]]]:
    row = st.lists(st.integers(1, 50), min_size=points, max_size=points)
    normal = row.map(lambda v: [Fraction(x, sum(v)) for x in v])
    return st.lists(normal, min_size=rows, max_size=rows)


@given(laws(4, 5))
def test_chi_square_correlations_follow_the_definition(tables: list[list[Fraction]]) -> None:
    """sum D_u D_v / D_0 - 1 point by point; D_0 itself has correlation 0 with everything."""
    reference, *others = tables
    gram = distribution_family(tables, reference)
    for i, j in itertools.product(range(4), repeat=2):
        expected = sum(a * b / c for a, b, c in zip(tables[i], tables[j], reference, strict=True))
        assert gram.entries[i][j] == expected - 1
    assert gram.entries[0] == (0,) * 4
    assert gram.entries[1][1] >= 0
    assert np.linalg.eigvalsh(gram.floats).min() > -1e-9
    # The same numbers as functions D_u / D_0 - 1 under D_0.
    ratios = [[a / c - 1 for a, c in zip(row, reference, strict=True)] for row in others]
    centred = function_family(ratios, reference)
    assert centred.entries == tuple(row[1:] for row in gram.entries[1:])


def test_floats_are_divided_by_their_exact_sum() -> None:
    """Ten times 0.1 is not 1 in binary, yet the uniform law it means has correlation exactly 0."""
    gram = distribution_family([[0.1] * 10, ["0.1"] * 10], [0.1] * 10)
    assert gram.entries == ((0, 0), (0, 0))


def test_parities_on_the_cube_are_orthonormal() -> None:
    """The exact Gram matrix of their tables is that of `parity_family`."""
    subsets = [s for k in range(4) for s in itertools.combinations(range(3), k)]
    cube = list(itertools.product((1, -1), repeat=3))
    tables = [[math.prod(x[i] for i in s) for x in cube] for s in subsets]
    assert function_family(tables) == parity_family(subsets)
    noisy = parity_family(subsets, noise="1/5")
    assert noisy.entries[2][2] == Fraction(9, 25)
    # Labelled laws: chi-square correlations of (x, y) to uniform (x, y).
    laws_of = [
        [(1 + y * Fraction(3, 5) * v) / 16 for v in table for y in (1, -1)] for table in tables
    ]
    assert distribution_family(laws_of, [Fraction(1, 16)] * 16).entries == noisy.entries


def test_gaussian_families_by_quadrature() -> None:
    """Known correlations of hinges and signs in one variable and of products in two."""
    one = gaussian_family([lambda x: np.maximum(x, 0), lambda x: np.sign(x), lambda x: x**3])
    expected = [
        [0.5, 1 / math.sqrt(2 * math.pi), 1.5],
        [1 / math.sqrt(2 * math.pi), 1.0, 2 * math.sqrt(2 / math.pi)],
        [1.5, 2 * math.sqrt(2 / math.pi), 15.0],
    ]
    assert np.all(np.abs(one.floats - expected) <= one.error + 1e-12)
    assert one.entries[0][0].grade == "estimate"
    two = gaussian_family(
        [lambda x: x.prod(axis=1), lambda x: np.maximum(x[:, 0] - 1, 0), lambda x: x[:, 0] ** 0],
        variables=2,
        kinks=[1.0],
        tolerance=1e-8,
    )
    tail = math.erfc(1 / math.sqrt(2)) / 2
    phi = math.exp(-0.5) / math.sqrt(2 * math.pi)
    expected = [[1, 0, 0], [0, 2 * tail - phi, phi - tail], [0, phi - tail, 1]]
    assert np.abs(two.floats - expected).max() < 1e-8
    assert two.error < 1e-6


@pytest.mark.parametrize(
    ("k", "value"), [(1, 1.0), (2, 2 - 4 / math.pi), (4, 0.303017), (6, 0.429233)]
)
def test_norms_of_relu_networks(k: int, value: float) -> None:
    """Elementary values; and the slow series' enclosure holds the closed form."""
    found = orthogonal_network_norm(k)
    assert found.digits >= 30
    assert float(found) == pytest.approx(value, rel=2e-6)


def test_closed_form_and_series_overlap() -> None:
    """A square added to the ReLU changes no degree from 4 on, and takes the generic series."""
    series = orthogonal_network_norm(4, named_expansion("relu(z) + z*z"), digits=3)
    closed = orthogonal_network_norm(4, digits=30)
    low, high = series.bounds
    assert low <= closed.bounds[0] <= closed.bounds[1] <= high


@pytest.mark.parametrize("k", [1, 2, 4])
def test_lines_added_to_the_relu_matter_for_one_coordinate_only(k: int) -> None:
    """|z| = 2 relu(z) - z and the leaky ReLU, by values on random points and by norms."""
    x = np.random.default_rng(k).normal(size=(40, k))
    hinge = network_values(x, range(k))
    leaky = (lambda t: np.where(t > 0, t, t / 100), Fraction(99, 100), Fraction(101, 100))
    for name, (link, jump, ends) in {"abs": (np.abs, 2, 0), "leaky-relu": leaky}.items():
        norm = orthogonal_network_norm(k, named_expansion(name))
        if k == 1:
            assert norm.contains(ends**2)
        else:
            ratio = float(norm) / float(orthogonal_network_norm(k))
            assert ratio == pytest.approx(float(jump) ** 2)
            assert network_values(x, range(k), link) == pytest.approx(float(jump) * hinge)


def test_activations_without_the_parity_give_nothing() -> None:
    """Odd ones need an odd k, even ones an even k; the sigmoid is odd up to a constant."""
    zero = Enclosure("0", "0")
    for name, k in (("erf", 2), ("sigmoid", 4), ("sign", 6), ("abs", 3), ("relu", 5)):
        assert orthogonal_network_norm(k, named_expansion(name)) == zero
        link = {"abs": np.abs, "relu": relu(0.0), "sign": np.sign}.get(name, np.tanh)
        values = network_values(np.random.default_rng(k).normal(size=(20, k)), range(k), link)
        assert np.abs(values).max() < 1e-10


def test_polynomial_activations_by_hand() -> None:
    """k = 2: (x + y)^2 - (x - y)^2 = 4 x y, of norm 16; a cube of three has 6 x y z 8 / 3^(3/2)."""
    assert orthogonal_network_norm(2, named_expansion("z*z")).contains(16)
    cube = orthogonal_network_norm(3, named_expansion("z**3"))
    assert cube.contains(Fraction(48**2, 27))
    assert orthogonal_network_norm(4, named_expansion("z*z")) == Enclosure("0", "0")
    assert orthogonal_network_norm(5) == Enclosure("0", "0")
    one = orthogonal_network_norm(1, named_expansion("erf"))
    four = second_moment(named_expansion("erf"))
    assert float(one) == pytest.approx(4 * float(four))


@pytest.mark.parametrize("k", [2, 3, 4])
def test_simulated_networks_are_orthogonal_with_the_proved_norm(k: int) -> None:
    """10^5 points, six standard deviations; ReLU for even k, the sigmoid for odd."""
    x = np.random.default_rng(k).normal(size=(10**5, k + 1))
    link, digits = (sigmoid(0.0), 3) if k % 2 else (relu(0.0), 20)
    f = network_values(x, range(k), link)
    g = network_values(x, range(1, k + 1), link)
    norm = float(orthogonal_network_norm(k, link, digits=digits))
    root = math.sqrt(len(x))
    assert abs((f * f).mean() - norm) < 6 * (f * f).std() / root + 1e-3 * norm
    assert abs((f * g).mean()) < 6 * (f * g).std() / root


def test_networks_are_antisymmetric_in_each_sign() -> None:
    """Flipping one of the subset's coordinates negates f_S, any other keeps it."""
    x = np.random.default_rng(1).normal(size=(50, 4))
    f = network_values(x, [0, 2])
    for i in range(4):
        y = x.copy()
        y[:, i] *= -1
        assert network_values(y, [0, 2]) == pytest.approx(-f if i in (0, 2) else f)
    assert network_values(x, [0, 1, 2]) == pytest.approx(np.zeros(50), abs=1e-12)


def test_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    third = Fraction(1, 3)
    with pytest.raises(BadInput, match="infinite"):
        distribution_family([[1, 0], [0, 1]], [1, 0])
    with pytest.raises(BadInput, match="adds up"):
        distribution_family([[third, third]], [third, 2 * third])
    with pytest.raises(BadInput, match="adds up"):
        distribution_family([["1.5", "-0.5"]], [third, 2 * third])
    for rows in ([], [[1, 2, 3], [1, 2]]):
        with pytest.raises(BadInput, match=r"adds up|number a point"):
            function_family(rows)
    with pytest.raises(BadInput, match="finite value"):
        gaussian_family([lambda x: x * math.nan])
    with pytest.raises(BadInput, match="1 or 2"):
        gaussian_family([], variables=1)
    with pytest.raises(BadInput, match="twice"):
        parity_family([[0, 0]])
    with pytest.raises(BadInput, match="noise"):
        parity_family([[0]], noise=2)
    with pytest.raises(BadInput, match="k is"):
        orthogonal_network_norm(0)
    with pytest.raises(NotCertified, match="fewer digits"):
        orthogonal_network_norm(3, named_expansion("sign"), digits=30)
    x = np.zeros((2, 30))
    for subset in ([0, 0], [30], [], range(20)):
        with pytest.raises(BadInput):
            network_values(x, subset)
    with pytest.raises(BadInput, match="rows"):
        network_values(np.zeros(3), [0])
    monkeypatch.setattr(families, "MEMORY", 100)
    with pytest.raises(BadInput, match="GiB"):
        function_family([[1, 2]] * 5)
