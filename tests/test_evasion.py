"""What a query can see of a hidden direction: exact geometry, and the bound it gives."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqsim.errors import BadInput, NotCertified
from sqsim.links import Link, Residual, Sign, Step, hermite, relu, residual
from sqsim.lowerbounds.evasion import COLUMNS, correlation_bound, seen_square
from sqsim.oracles.candidates import Visibility, seen
from sqsim.oracles.quadrature import Quadrature
from sqsim.problems.index import SingleIndex
from sqsim.queries import Correlation, Ridge
from sqsim.tolerance import L2, Scale

LINKS = {
    "residual relu": residual(relu(-1.5), 3),
    "cubic": hermite(3),
    "step": Step(-1.0),
    "odd residual": residual(Sign(), 2),
}


def by_svd(direction: Any, frame: Any, power: int) -> float:
    """The largest squared projection over the entries, each span orthonormalised on its own."""
    d = len(direction)
    v = direction / np.linalg.norm(direction)
    columns = np.zeros((d, 0)) if frame is None else np.reshape(frame, (d, -1))
    squares = []
    for chosen in combinations_with_replacement(range(d), power):
        spanning = np.concatenate([columns, np.eye(d)[:, list(chosen)]], axis=1)
        if not spanning.size:
            return 0.0
        left, sizes, _ = np.linalg.svd(spanning, full_matrices=False)
        squares.append(float(np.sum((left[:, sizes > 1e-9].T @ v) ** 2)))
    return max(squares)


FRAMES = {
    "none": None,
    "one": np.array([1.0, 2.0, -1.0, 0.5, 0.0, 3.0]),
    "coordinate": np.eye(6)[2],
    "two": np.array([[1.0, 0, 2, 0.3, -1, 1], [0.5, 1, 0, 0, 2, 1]]).T,
    "dependent": np.array([[1.0, 0, 2, 0, 0, 1], [0] * 6, [-2.0, 0, -4, 0, 0, -2]]).T,
    "everything": np.eye(6)[:, ::-1],
}


@pytest.mark.parametrize("power", [0, 1, 2])
@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES.keys())
def test_exact_projections_are_those_of_singular_vectors(frame, power):
    """Integers and the update formula against an orthonormal basis for every entry."""
    v = np.random.default_rng(3).standard_normal(6)
    found, wanted = float(seen_square(v, frame, power=power)), by_svd(v, frame, power)
    if power < 2 or frame is None:
        assert found == pytest.approx(wanted, rel=1e-12)
    else:
        assert wanted - 1e-12 <= found <= 1


@given(
    seed=st.integers(0, 10**6),
    columns=st.integers(1, 3),
    power=st.integers(0, 2),
    dimension=st.integers(4, 12),
)
def test_floats_and_integers_see_the_same(seed, columns, power, dimension):
    """The evader's 64-bit geometry against the exact one that checks it."""
    generator = np.random.default_rng(seed)
    v, frame = generator.standard_normal(dimension), generator.standard_normal((dimension, columns))
    exact = seen_square(v, frame, power=power)
    floats = seen(Ridge(None, frame, power=power), (v / np.linalg.norm(v))[:, None])[0]
    assert floats**2 == pytest.approx(float(exact), rel=1e-9)
    if power < 2:
        assert float(exact) == pytest.approx(by_svd(v, frame, power), rel=1e-9)


@pytest.mark.parametrize("rescale", [2.0**-300, 1.0, 2.0**300])
def test_lengths_do_not_matter(rescale):
    """Only the span and the ray count, whatever units they are written in."""
    v, w = np.array([3.0, 1.0, -2.0, 0.1]), np.array([1.0, 1e-30, 2.0, 5.0])
    base = seen_square(v, w, power=1)
    assert seen_square(rescale * v, w, power=1) == base
    assert float(seen_square(v, rescale * w, power=1)) == pytest.approx(float(base), rel=1e-15)


def test_the_residual_gram_bound_of_pairs_is_near_for_spread_frames():
    """T_2 with a frame costs two numbers instead of d^2 and little accuracy."""
    generator = np.random.default_rng(0)
    v, w = generator.standard_normal((2, 30))
    found = float(seen_square(v, w, power=2))
    wanted = by_svd(v, w, 2)
    assert wanted <= found <= 1.6 * wanted


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS.keys())
def test_the_bound_is_attained(link: Link):
    """phi = (T_rho f)(<u, x>) has correlation ||T_rho f||^2: the quadrature gives the bound."""
    rho = Fraction(5, 8)
    v = np.array([float(rho), np.sqrt(1 - float(rho) ** 2), 0.0])
    instance = SingleIndex(3, link).draw(direction=v)
    deviation = float(np.sqrt(1 - float(rho) ** 2))

    def best(s: Any) -> Any:
        return link.smoothed(float(rho) * s, deviation).moments[0]

    query = Correlation(Ridge(best, np.eye(3)[0]))
    mean = Quadrature().means(instance, [query], [Scale.FUNCTION])[0]
    bound = correlation_bound(link, rho**2, digits=30)
    assert mean.number / float(mean.scale) == pytest.approx(float(Fraction(bound.upper)), rel=1e-9)


@given(
    seed=st.integers(0, 10**6),
    power=st.integers(0, 2),
    name=st.sampled_from(["residual relu", "cubic"]),
    kink=st.floats(-2, 2),
)
def test_no_query_sees_more_than_the_bound(seed, power, name, kink):
    """Every entry of y T_p(x) h(<w, x>), for a function h that jumps, by quadrature."""
    generator = np.random.default_rng(seed)
    v, w = generator.standard_normal((2, 5))
    v /= np.linalg.norm(v)
    instance = SingleIndex(5, LINKS[name]).draw(direction=v)
    form = Ridge(lambda s: np.where(s > kink, s, -1.0), w, power=power, kinks=(kink,))
    mean = Quadrature().means(instance, [Correlation(form)], [Scale.FUNCTION])[0]
    bound = correlation_bound(LINKS[name], seen_square(v, w, power=power), digits=20)
    radius = L2(float(Fraction(bound.upper))).radius(mean) * (1 + 1e-9) + mean.error
    assert (np.abs(np.asarray(mean.value)) <= radius).all()


def test_at_full_sight_the_bound_is_the_norm_and_in_the_dark_the_mean():
    """The two ends: rho = 1 gives ||f||, rho = 0 gives |E f|."""
    link = Step(-1.0)
    whole, dark = correlation_bound(link, 1), correlation_bound(link, 0)
    assert float(Fraction(whole.upper)) == pytest.approx(np.sqrt(link.second_moment), rel=1e-12)
    assert float(Fraction(dark.upper)) == pytest.approx(link.second_moment, rel=1e-12)
    assert correlation_bound(hermite(3), 0).upper == "0"


def test_a_monomial_fades_exactly_like_a_power():
    """||T_rho h_3|| = rho^3, to all digits asked for."""
    upper = Fraction(correlation_bound(hermite(3), Fraction(1, 9), digits=60).upper)
    assert 0 <= upper - Fraction(1, 27) < Fraction(1, 10**60)


def test_more_digits_and_less_sight_only_lower_the_bound():
    """An upper end that wandered would not be one."""
    link = residual(relu(-7.0), 9)
    ends = [Fraction(correlation_bound(link, Fraction(1, 30), digits=n).upper) for n in (10, 40)]
    assert ends[1] <= ends[0] <= ends[1] * (1 + Fraction(1, 10**9))
    squares = [Fraction(k, 10) for k in range(11)]
    uppers = [Fraction(correlation_bound(link, square).upper) for square in squares]
    assert uppers == sorted(uppers)
    floats = Visibility.of(link)(np.sqrt([float(square) for square in squares]))
    assert floats == pytest.approx([float(upper) for upper in uppers], rel=1e-9)


def test_a_cutoff_above_every_degree_kept_leaves_the_tail():
    """Beyond degree 64 the whole link is bounded by Parseval alone."""
    link = Residual(relu(-1.0), 70)
    upper = float(Fraction(correlation_bound(link, Fraction(1, 4)).upper))
    assert 0.99 * link.second_moment**0.5 * 0.5**65 <= upper <= 1.01 * 0.5**65


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros(3),), "has a length"),
        ((np.ones((2, 2)),), "wanted a vector"),
        ((np.array([1.0, np.inf]),), "finite"),
        ((np.ones(3), np.ones(4)), "frame has length 4"),
    ],
    ids=["zero", "matrix", "infinite", "length"],
)
def test_what_is_no_direction_is_named(arguments, message):
    """Bad geometry is refused before any arithmetic."""
    with pytest.raises(BadInput, match=message):
        seen_square(*arguments)


def test_what_cannot_be_proved_is_not_claimed():
    """Squares outside [0, 1] and frames of too many columns."""
    with pytest.raises(BadInput, match=r"lies in \[0, 1\]"):
        correlation_bound(hermite(2), Fraction(3, 2))
    d = COLUMNS + 2
    with pytest.raises(NotCertified, match="columns"):
        seen_square(np.ones(d), np.eye(d)[:, : COLUMNS + 1])
