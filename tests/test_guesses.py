"""Meshes of guesses: their counts, costs and norms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from sqsim import BadInput
from sqsim.algorithms import GeometricMesh, PaperMesh
from sqsim.algorithms.guesses import Guess
from sqsim.links import Relu


@pytest.mark.parametrize("epsilon", [1e-2, 1e-4, 1e-6])
@pytest.mark.parametrize(("bound", "constant"), [(1.0, 1.0), (3.0, 2.0)])
def test_paper_mesh_has_its_formula_of_points(epsilon, bound, constant):
    """(W / width) (2 C sqrt(log 1/eps) / width) = 200 C W sqrt(log 1/eps) / eps, rounded up."""
    mesh = PaperMesh(epsilon, bound, constant)
    formula = 200 * constant * bound * math.sqrt(math.log(1 / epsilon)) / epsilon
    sides = bound / (0.1 * math.sqrt(epsilon)) + 1
    sides += 2 * constant * math.sqrt(math.log(1 / epsilon)) / (0.1 * math.sqrt(epsilon)) + 1
    assert formula * (1 - 1e-12) <= mesh.points <= formula + sides


def test_paper_mesh_costs_a_matrix_and_two_descents_a_point():
    """The number to look at before running it: about 4e13 queries for the loss 1e-4 at d = 100."""
    mesh = PaperMesh(1e-4)
    assert mesh.queries(100, steps=60) == mesh.points * (5050 + 2 * 60 * 101)
    assert mesh.queries(10, steps=0) == mesh.points * 55


def test_paper_mesh_guesses_are_the_negative_half_of_its_points():
    """Every norm with every negative bias, the bias normalised, once."""
    mesh = PaperMesh(0.09)
    guesses = mesh.guesses(123.0)
    assert abs(2 * len(guesses) - mesh.points) <= math.ceil(1 / 0.03)
    raw = {(round(g.norm / 0.03), round(g.norm * g.bias / 0.03)) for g in guesses}
    assert len(raw) == len(guesses)
    assert max(g.norm for g in guesses) >= 1.0
    assert min(g.norm * g.bias for g in guesses) <= -math.sqrt(math.log(1 / 0.09))
    assert max(g.bias for g in guesses) < 0
    assert (mesh.biases < 0).all()


def test_geometric_mesh_biases_run_from_smallest_to_largest_by_ratio():
    """Both ends are there when the ratio divides the range."""
    biases = GeometricMesh(1.0, 8.0, 2.0).biases
    np.testing.assert_allclose(biases, [-1, -2, -4, -8])
    default = GeometricMesh().biases
    assert default[0] == -1.0
    assert -12 <= default[-1] < -12 / 1.1


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_geometric_mesh_takes_the_norm_from_the_energy(scale):
    """The norm c of a guess is that of the neuron with E[(c sigma(t + b))^2] = E[y^2]."""
    energy = Relu(-3.0 * scale, scale).second_moment
    for guess in GeometricMesh(1.0, 6.0, 1.5).guesses(energy):
        neuron = Relu(guess.norm * guess.bias, guess.norm)
        assert neuron.second_moment == pytest.approx(energy, rel=1e-12)
    (exactly,) = GeometricMesh(3.0, 3.0, 2.0).guesses(energy)
    assert exactly.norm == pytest.approx(scale, rel=1e-12)


def test_cut_and_tail_of_a_guess_are_those_of_its_neuron():
    """c sigma(t + b) >= c / |b| exactly where t >= |b| + 1/|b|."""
    guess = Guess(norm=2.0, bias=-4.0)
    assert guess.cut == 0.5
    assert guess.expected_tail == pytest.approx(norm.logsf(4.25), rel=1e-12)


@pytest.mark.parametrize(
    "arguments",
    [
        {"smallest": 0.0},
        {"smallest": -1.0},
        {"smallest": 5.0, "largest": 4.0},
        {"ratio": 1.0},
        {"ratio": math.nan},
        {"largest": math.inf},
        {"largest": math.nan},
    ],
)
def test_geometric_mesh_refuses_what_is_no_range(arguments):
    with pytest.raises(BadInput, match="wanted"):
        GeometricMesh(**arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"epsilon": 0.0},
        {"epsilon": 1.0},
        {"epsilon": math.nan},
        {"epsilon": 0.1, "norm_bound": 0.0},
        {"epsilon": 0.1, "norm_bound": math.inf},
        {"epsilon": 0.1, "constant": -1.0},
        {"epsilon": 0.1, "constant": math.inf},
    ],
)
def test_paper_mesh_refuses_what_is_no_range(arguments):
    with pytest.raises(BadInput, match="wanted"):
        PaperMesh(**arguments)
