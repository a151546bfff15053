"""L1 duality: brackets against an independent program, the dual as a hard instance, degrees."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, hstack, identity

from sqsim.errors import BadInput, NotCertified
from sqsim.links import Link, Scaled, Sigmoid, hermite, leaky_relu, relu, sign, step
from sqsim.lowerbounds import named_expansion
from sqsim.lowerbounds.approximation import L1, L2, approximation_degree
from sqsim.lowerbounds.duality import SignPattern, l1_approximation
from sqsim.lowerbounds.hermite import parseval_tail
from sqsim.oracles.quadrature import Quadrature
from sqsim.oracles.simulated import csq
from sqsim.problems.index import SingleIndex
from sqsim.queries import Batch, Correlation, Ridge
from sqsim.special import hermite_functions
from sqsim.tolerance import Absolute

ROOT_TWO = math.sqrt(2)
TABLE = [
    (1, 0.564, 1.0),
    (2, 0.335, 0.522),
    (3, 0.1107, 0.522),
    (5, 0.0670, 0.399),
    (9, 0.0376, 0.296),
    (17, 0.0201, 0.215),
    (33, 0.01044, 0.1542),
]
INSTANCES: list[tuple[Link, int]] = [
    (relu(), 1),
    (relu(), 3),
    (relu(-2.0), 4),
    (relu(-2.0), 9),
    (sign(), 1),
    (sign(), 8),
    (step(-1.0), 5),
    (leaky_relu(0.1, bias=0.5), 6),
    (Scaled(relu(-1.0), -3.0), 5),
]


def named(value: Any) -> str:
    return str(value)


@pytest.mark.parametrize(("degree", "neuron", "signed"), TABLE, ids=named)
def test_known_distances_of_relu_and_sign(degree: int, neuron: float, signed: float) -> None:
    """Thirty digits, and three of them known from a linear program on a grid."""
    for link, scale, known in ((relu(), ROOT_TWO, neuron), (sign(), 1.0, signed)):
        found = l1_approximation(link, degree)
        assert scale * float(found.distance) == pytest.approx(known, rel=2e-3)
        assert found.distance.width < Fraction(1, 10**30)


@pytest.mark.parametrize(("link", "degree"), INSTANCES, ids=named)
def test_an_independent_program_agrees(link: Link, degree: int) -> None:
    """The primal program on another grid; the search uses the dual one."""
    count = 2000
    z = np.sort(np.concatenate([np.linspace(-9, 9, count), np.linspace(-2.5, 2.5, count)]))
    mass = np.exp(-z * z / 2) / math.sqrt(2 * math.pi) * np.gradient(z)
    keep = mass > 1e-14
    z, mass = z[keep], mass[keep] / mass.sum()
    basis = hermite_functions(z, degree - 1).T
    size = len(z)
    # In the variables p, (f - p)+ and (f - p)-.
    one = identity(size, format="csr")
    result = linprog(
        np.concatenate([np.zeros(degree), mass, mass]),
        A_eq=hstack([csr_matrix(basis), one, -one]),
        b_eq=link(z),
        bounds=[(None, None)] * degree + [(0, None)] * (2 * size),
    )
    assert result.fun == pytest.approx(float(l1_approximation(link, degree).distance), rel=2e-3)


@pytest.mark.parametrize(("link", "degree"), INSTANCES, ids=named)
def test_both_witnesses_attain_the_distance(link: Link, degree: int) -> None:
    """E[f g] of the dual and E|f - p| of the polynomial, by float quadrature between the breaks."""
    found = l1_approximation(link, degree)
    low, high = (float(end) for end in found.distance.bounds)
    nodes, weights = np.polynomial.legendre.leggauss(40)
    knots = np.unique([*np.linspace(-12, 12, 97), *found.dual.kinks, *link.kinks])
    half = np.diff(knots)[:, None] / 2
    z = (knots[:-1, None] + half + half * nodes).ravel()
    mass = (half * weights).ravel() * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    p = np.polynomial.polynomial.polyval(z, [float(c) for c in found.polynomial] or [0.0])
    assert mass @ (link(z) * found.dual(z)) == pytest.approx(low, rel=1e-10)
    assert mass @ np.abs(link(z) - p) == pytest.approx(high, rel=1e-9)
    assert np.abs((mass * found.dual(z)) @ hermite_functions(z, degree - 1).T).max() < 1e-13
    assert set(found.dual(z)) <= {-1.0, 1.0}
    assert len(found.polynomial) <= degree
    assert [float(b) for b in found.breaks] == list(found.dual.breaks)


def test_the_dual_is_invisible_to_low_degree_correlations() -> None:
    """A correlational oracle over the hard instance answers 0 below degree d, within its error,
    along the hidden direction; and the correlation with the neuron is the distance."""
    degree, dimension = 5, 30
    found = l1_approximation(relu(), degree)
    instance = SingleIndex(dimension, found.dual).draw(seed=2)
    along = instance.direction
    ridges = [
        Ridge(lambda s, k=k: hermite_functions(s, degree + 1)[k], along)
        for k in range(degree)
    ]  # fmt: skip
    target = Ridge(lambda s: np.maximum(s, 0.0), along, kinks=(0.0,))
    seen = Ridge(lambda s: hermite_functions(s, degree + 1)[degree + 1], along)
    queries = tuple(map(Correlation, (*ridges, target, seen)))
    oracle = csq(instance, tolerance=Absolute(1e-9))
    *low, neuron, high = (float(a) for a in oracle.answer(Batch(queries), 0))
    assert max(map(abs, low)) < 1e-12
    assert neuron == pytest.approx(float(found.distance), rel=1e-9)
    assert abs(high) > 0.01
    means = Quadrature().means(
        instance, queries[:degree], [Absolute(1e-9).scale] * degree, seed=0, turn=0
    )
    assert all(abs(float(m.value)) <= float(np.max(m.error)) + 1e-14 for m in means)


def test_a_gradient_in_any_direction_sees_nothing_of_low_degree() -> None:
    """Vector queries E[y x h(<w, x>)] with h of degree < d - 1 vanish too, for any w."""
    found = l1_approximation(sign(), 4)
    instance = SingleIndex(12, found.dual).draw(seed=1)
    w = np.linspace(-1, 1, 12)
    query = Correlation(Ridge(lambda s: s**2 + s, w / np.linalg.norm(w), power=1))
    (answer,) = csq(instance, tolerance=Absolute(1e-9)).answer(Batch((query,)), 0)
    assert np.abs(np.asarray(answer)).max() < 1e-12


@pytest.mark.parametrize("first", [1, -1], ids=named)
def test_smoothing_of_a_sign_pattern(first: int) -> None:
    """The closed form against the quadrature that every link inherits."""
    link = SignPattern((-1.5, 0.25, 2.0), first)
    mean = np.array([-2.0, 0.0, 0.3, 1.9])
    for deviation in (0.05, 0.6, 1.0):
        closed = link.smoothed(mean, deviation)
        general = Link.smoothed(link, mean, deviation)
        assert np.abs(closed.moments - general.moments).max() < 1e-13
        assert (closed.errors >= 0).all()
    z = np.array([-3.0, 0.0, 1.0, 5.0])
    assert link(z).tolist() == [first, -first, first, -first]
    assert link.second_moment == pytest.approx(1.0)


def test_distances_fall_with_the_degree_and_scale_with_the_link() -> None:
    values = [float(l1_approximation(step(-1.0), d).distance) for d in range(1, 9)]
    assert all(a >= b - 1e-15 for a, b in pairwise(values))
    one, three = (l1_approximation(f, 3).distance for f in (relu(-1.0), Scaled(relu(-1.0), 3.0)))
    assert abs(3 * float(one) - float(three)) < 1e-14
    shifted = named_expansion("relu(z - 1) + 2*z**2 - z")
    assert float(l1_approximation(shifted, 3).distance) == pytest.approx(float(one), rel=1e-12)


@pytest.mark.parametrize(
    ("link", "epsilon"),
    [(relu(), "0.1"), (relu(), "0.03"), (sign(), "0.3"), (relu(-2.0), "0.008")],
    ids=named,
)
def test_l1_degree_is_the_first_below_epsilon(link: Link, epsilon: str) -> None:
    degree = approximation_degree(link, epsilon, norm=L1())
    assert l1_approximation(link, degree + 1).distance.bounds[1] <= Fraction(epsilon)
    assert l1_approximation(link, degree).distance.bounds[0] > Fraction(epsilon)


@pytest.mark.parametrize("epsilon", ["0.1", "0.02", "0.001"], ids=named)
def test_l2_degree_is_where_the_parseval_tail_falls_below_epsilon_squared(epsilon: str) -> None:
    """And for the neuron about 0.193 eps^(-4/3), eps in units of its norm."""
    degree = approximation_degree(relu(), epsilon, norm=L2())
    limit = Fraction(epsilon) ** 2
    assert parseval_tail(relu(), degree).bounds[1] <= limit
    assert parseval_tail(relu(), degree - 1).bounds[0] > limit
    asymptotic = 0.193 * (float(epsilon) * ROOT_TWO) ** (-4 / 3)
    assert degree == pytest.approx(asymptotic, rel=2e-3, abs=3)


def test_degrees_of_polynomials_and_of_constants_in_reach() -> None:
    assert approximation_degree(hermite(3), "0.5", norm=L2()) == 3
    assert approximation_degree(hermite(3), 1, norm=L2()) == 0
    assert approximation_degree(named_expansion("z**3"), "1e-9", norm=L1()) == 3
    assert approximation_degree(Sigmoid(), "0.3", norm=L2()) == 0
    assert approximation_degree(sign(), 1, norm=L2()) == 0


def test_bad_input_is_named() -> None:
    for call, said in (
        (lambda: l1_approximation(relu(), 0), "degree"),
        (lambda: l1_approximation(relu(), 100), "degree"),
        (lambda: l1_approximation(Sigmoid(), 3), "not piecewise polynomial"),
        (lambda: l1_approximation(named_expansion("z**2"), 3), "exactly"),
        (lambda: approximation_degree(relu(), 0, norm=L1()), "epsilon"),
        (lambda: approximation_degree(relu(), 1, norm="L1"), "norm"),  # type: ignore[arg-type]
        (lambda: SignPattern((1.0, 0.0)), "increasing"),
        (lambda: SignPattern((1.0,), 2), "first value"),
    ):
        with pytest.raises(BadInput, match=said):
            call()
    with pytest.raises(NotCertified, match="not within epsilon"):
        approximation_degree(sign(), "1e-6", norm=L1())
