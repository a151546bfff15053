"""Small functions as ReLU networks, exactly: identities over fractions, sizes and norms."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

from sqsim.errors import BadInput
from sqsim.problems.conjunctions import conjunction_neuron
from sqsim.problems.gadgets import (
    MaxAffine,
    SumOfMaxAffine,
    conjunction,
    maximum_of_two,
    parametric_relu,
    ramp,
)
from sqsim.problems.layers import LayeredRelu


def fractions(*shape: int, seed: int = 0) -> Any:
    """Random fractions, exact."""
    stream = np.random.default_rng(seed)
    size = math.prod(shape)
    above, below = stream.integers(-9, 10, size), stream.integers(1, 10, size)
    found = [Fraction(int(a), int(b)) for a, b in zip(above, below, strict=True)]
    return np.array(found, dtype=object).reshape(shape)


def test_the_maximum_of_two_is_three_relus() -> None:
    x = fractions(60, 2)
    assert (maximum_of_two()(x) == x.max(axis=1)).all()
    assert maximum_of_two().units == 3


@pytest.mark.parametrize("slope", [Fraction(1, 100), Fraction(1, 2), Fraction(-1), Fraction(1)])
def test_a_parametric_relu_is_two_relus(slope: Fraction) -> None:
    """Slope 1/100 is leaky, -1 the absolute value, 1 the identity."""
    t = fractions(60, 1)
    assert (parametric_relu(slope)(t) == np.where(t[:, 0] >= 0, t[:, 0], slope * t[:, 0])).all()
    assert parametric_relu(slope).units == 2


@pytest.mark.parametrize("lipschitz", [Fraction(1, 3), Fraction(5)])
def test_a_ramp_is_two_relus_and_as_steep_as_it_says(lipschitz: Fraction) -> None:
    t = fractions(60, 1)
    assert (ramp(lipschitz)(t) == np.clip(Fraction(1, 2) + lipschitz * t[:, 0], 0, 1)).all()
    near = np.array([[Fraction(0)], [Fraction(1, 100)]], dtype=object)
    low, high = ramp(lipschitz)(near)
    assert (high - low) / Fraction(1, 100) == lipschitz


@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_conjunction_is_one_relu_on_bits_and_on_signs(size: int) -> None:
    """On {0, 1}^k with l1 norm 2 k - 1; on signs the same function of b = (1 + x) / 2."""
    bits = np.array(list(product((0, 1), repeat=size)))
    truth = bits.all(axis=1).astype(int)
    gadget = conjunction(size)
    assert (gadget(bits) == truth).all()
    assert gadget.units == 1
    assert np.abs(gadget.weights[0]).sum() + abs(gadget.bias[0]) == 2 * size - 1
    neuron = conjunction_neuron(size + 2, range(1, size + 1))
    signs = np.array(list(product((-1.0, 1.0), repeat=size + 2)))
    assert (neuron(signs) == (signs[:, 1 : size + 1] == 1).all(axis=1)).all()


@pytest.mark.parametrize("pieces", range(1, 10))
def test_a_maximum_of_k_is_a_binary_tree(pieces: int) -> None:
    """ceil(log2 k) hidden layers, equal to the maximum on fractions."""
    function = MaxAffine(fractions(pieces, 3, seed=1), fractions(pieces, seed=2))
    network, x = function.network(), fractions(40, 3, seed=3)
    assert (network(x) == function(x)).all()
    assert network.hidden == max(1, math.ceil(math.log2(pieces)))


@pytest.mark.parametrize("pieces", [2, 3, 5, 8])
def test_the_tree_has_the_norms_of_the_theorem(pieces: int) -> None:
    """Pieces of norm 1: first layer <= 2, later l1 norms <= 6, output 3, every input <= 2."""
    stream = np.random.default_rng(pieces)
    planes = stream.standard_normal((pieces, 4))
    planes[-1] = -planes[0]
    planes /= np.linalg.norm(planes, axis=1)[:, None]
    network = MaxAffine(planes[:, :3], planes[:, 3]).network()
    assert network.input_norm <= 2 + 1e-12
    assert network.weight <= 6
    assert np.abs(network.weights[-1]).sum() == 3
    x = stream.standard_normal((500, 4))
    x /= np.linalg.norm(x, axis=1)[:, None]
    values = x[:, :3] @ network.weights[0].T + x[:, 3:] * network.bias
    for matrix in network.weights[1:]:
        assert np.abs(values).max() <= 2 + 1e-12
        values = np.maximum(values, 0.0) @ matrix.T


@pytest.mark.parametrize("sizes", [(2, 2), (2, 2, 2, 2), (1, 4, 3)])
def test_a_sum_of_maxima_is_one_network(sizes: tuple[int, ...]) -> None:
    """Maxima of two: one hidden layer of three units each."""
    parts = tuple(MaxAffine(fractions(k, 3, seed=k + i), fractions(k)) for i, k in enumerate(sizes))
    function, x = SumOfMaxAffine(parts), fractions(40, 3, seed=9)
    network = function.network()
    assert (network(x) == function(x)).all()
    if set(sizes) == {2}:
        assert (network.hidden, network.units) == (1, 3 * len(sizes))


def test_norms_of_a_network_are_those_of_its_rows() -> None:
    network = LayeredRelu(
        (np.array([[3.0, 4.0], [0.0, 1.0]]), np.array([[1.0, -2.0]])), np.array([12.0, 0.0])
    )
    assert (network.input_norm, network.reach, network.weight) == (13.0, 17.0, 3.0)
    assert (network.dimension, network.hidden, network.units) == (2, 1, 2)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: LayeredRelu((np.eye(2), np.eye(3)[:1])), "do not follow"),
        (lambda: LayeredRelu(()), "at least one layer"),
        (lambda: LayeredRelu((np.eye(2), np.eye(2)[:1]), np.zeros(3)), "one for each of 2"),
        (lambda: MaxAffine(np.zeros((0, 2))), "pieces, dimension"),
        (lambda: MaxAffine(np.eye(2), np.zeros(3)), "2 pieces"),
        (lambda: SumOfMaxAffine(()), "at least one"),
        (lambda: ramp(0), "slope > 0"),
        (lambda: conjunction(0), "at least one literal"),
        (lambda: conjunction_neuron(3, (3,)), "0, ..., 2"),
    ],
)
def test_what_makes_no_network_is_refused(make: Any, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        make()
