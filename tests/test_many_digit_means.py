"""Means in many digits against closed forms, and against the oracles' quadrature."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from sqsim.errors import NotCertified
from sqsim.links import hermite, leaky_relu, relu, residual, sigmoid, sign, step
from sqsim.lowerbounds.many_digit_means import correlation_mean, statistic_mean
from sqsim.lowrank import LowRank, dense
from sqsim.oracles.quadrature import Quadrature
from sqsim.problems.index import SingleIndex
from sqsim.queries import Correlation, Ridge, Statistic
from sqsim.tensors import full_tensor
from sqsim.tolerance import Scale

V = np.array([1.0, 0.0, 0.0])
W = np.array([0.6, 0.8, 0.0])


def ramp(s):
    return np.maximum(s, 0.0)


def digits(number, exact: mpmath.mpf) -> float:
    """Correct digits."""
    value = mpmath.mpf(number.value.numerator) / number.value.denominator
    return float(-mpmath.log10(abs(value / exact - 1) + mpmath.mpf(10) ** -60))


def test_the_arccosine_kernel_of_two_relus():
    """E[s(v x) s(w x)] = (sin t + (pi - t) cos t) / (2 pi), t the angle between v and w."""
    found = correlation_mean(relu(), V, Ridge(ramp, W, kinks=(0.0,)), digits=40)
    with mpmath.workdps(60):
        # The floats 0.6 and 0.8 are not quite a unit vector.
        x, y = mpmath.mpf(W[0]), mpmath.mpf(W[1])
        length = mpmath.sqrt(x * x + y * y)
        angle = mpmath.acos(x / length)
        exact = mpmath.sin(angle) + (mpmath.pi - angle) * mpmath.cos(angle)
        assert digits(found.entries[0], exact * length / (2 * mpmath.pi)) >= 40
    assert digits(found.squares[0], length**2 / 2) >= 15


def test_a_half_line_against_a_half_line():
    """P(<v, x> >= 0, <w, x> >= 0) = 1/4 + asin(rho) / (2 pi) (Sheppard)."""
    form = Ridge(lambda s: (s >= 0).astype(np.float64), W, kinks=(0.0,))
    found = correlation_mean(step(), V, form, digits=30)
    with mpmath.workdps(50):
        x, y = mpmath.mpf(W[0]), mpmath.mpf(W[1])
        rho = x / mpmath.sqrt(x * x + y * y)
        assert digits(found.entries[0], 0.25 + mpmath.asin(rho) / (2 * mpmath.pi)) >= 30


def test_hermite_polynomials_are_turned_by_powers_of_the_overlap():
    """E[h_3(<v, x>) h_3(<w, x>)] = rho^3 (Mehler)."""

    def third(s):
        return (s * s * s - 3 * s) / np.sqrt(6.0)

    unit = np.array([0.5, 0.5, np.sqrt(0.5)])
    found = correlation_mean(hermite(3), V, Ridge(third, unit), digits=30)
    assert float(found.entries[0]) == pytest.approx(0.125, rel=1e-13)


def test_what_is_removed_is_removed_exactly():
    """Low degrees of a residual link are 0 to all digits, not to those of floats."""
    found = correlation_mean(residual(relu(-2.0), 4), V, Ridge(lambda s: s, W), digits=30)
    assert abs(found.entries[0].value) <= found.entries[0].error + Fraction(1, 10**40)
    first = correlation_mean(residual(relu(-2.0), 4), V, Ridge(power=2), digits=30)
    assert abs(first.entries[0].value) < Fraction(1, 10**30)


def test_a_label_tail_is_a_normal_tail():
    """P(max(t - 1, 0) >= 1/2) = Phi(-3/2)."""
    form = Ridge(lambda y: (np.abs(y) >= 0.5).astype(np.float64), levels=(-0.5, 0.5))
    found = statistic_mean(relu(-1.0), V, form, digits=40)
    with mpmath.workdps(60):
        assert digits(found.entries[0], mpmath.ncdf(-1.5)) >= 40
    assert found.squares[0].value == found.entries[0].value


def test_far_tails_keep_their_digits():
    """A mean of 10^-220 is found, not lost behind the last panel."""
    form = Ridge(lambda y: (y >= 30.0).astype(np.float64), levels=(30.0,))
    found = statistic_mean(relu(-1.5), V, form, digits=30)
    with mpmath.workdps(60):
        assert digits(found.entries[0], mpmath.ncdf(-31.5)) >= 30


LINKS = [relu(-1.0), leaky_relu(0.2, bias=0.5), step(-0.5), sign(0.3), residual(relu(-1.5), 3)]


@pytest.mark.parametrize(
    ("power", "mix"), [(2, 0.0), (1, 1e3), (1, np.inf)], ids=["random", "near", "along"]
)
@pytest.mark.parametrize("link", LINKS, ids=lambda link: type(link).__name__)
def test_the_quadrature_of_the_oracles_agrees(link, power, mix):
    """Two evaluations that share no code, within the error that the oracles confess."""
    instance = SingleIndex(5, link).draw(seed=1)
    v = instance.labels.terms[0].direction
    w = np.random.default_rng(3).standard_normal(5)
    w = v if np.isinf(mix) else w / np.linalg.norm(w) + mix * v
    w = 1.3 * w / np.linalg.norm(w)
    form = Ridge(lambda s: np.exp(0.3 * s) * (s >= 0.2), w, power, kinks=(0.2,))
    found = correlation_mean(link, v, form, digits=20)
    mean = Quadrature().means(instance, [Correlation(form)], [Scale.FUNCTION])[0]
    check(found, mean, power)
    assert np.ravel(dense(mean.scale)).shape == (5**power,)


@pytest.mark.parametrize("power", [0, 1, 2])
def test_statistics_of_the_label_agree(power):
    link = residual(relu(-1.0), 2)
    instance = SingleIndex(4, link).draw(seed=2)
    form = Ridge(lambda y: (np.abs(y) >= 0.3).astype(np.float64), power=power, levels=(-0.3, 0.3))
    found = statistic_mean(link, instance.labels.terms[0].direction, form, digits=20)
    check(found, Quadrature().means(instance, [Statistic(form)], [Scale.NONE])[0], power)


def check(found, mean, power):
    entries = np.array([float(entry) for entry in found.entries])
    basis = found.basis
    if power == 0:
        value = entries[0]
    elif power == 1:
        value = basis @ entries
    else:
        value = LowRank(basis, full_tensor(entries, basis.shape[1], 2)).dense()
    assert np.all(np.abs(value - dense(mean.value)) <= np.asarray(mean.error) + 1e-16)
    assert all(entry.error < Fraction(1, 10**15) for entry in found.entries)


def test_a_function_of_floats_is_called_on_floats():
    """What does not take balls is evaluated in floats, and the error says so."""
    from scipy.special import expit

    form = Ridge(expit, W)
    found = correlation_mean(relu(), V, form, digits=20)
    instance = SingleIndex(3, relu()).draw(direction=V)
    mean = Quadrature().means(instance, [Correlation(form)], [Scale.NONE])[0]
    assert 1e-18 < float(found.entries[0].error) < 1e-14
    assert float(found.entries[0]) == pytest.approx(mean.number, rel=1e-14)


@pytest.mark.parametrize(
    ("link", "form"),
    [(sigmoid(), Ridge(ramp, W)), (relu(), Ridge(lambda s: s[:, 0], np.eye(3)[:, :2]))],
    ids=["link", "columns"],
)
def test_other_means_are_refused(link, form):
    with pytest.raises(NotCertified):
        correlation_mean(link, V, form)
