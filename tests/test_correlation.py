"""Proved correlations against closed forms, quadrature, their own series and more digits."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from sqsim.cli import app
from sqsim.errors import BadInput, NotCertified
from sqsim.links import Sigmoid, hermite, relu, residual, sign
from sqsim.lowerbounds import (
    Enclosure,
    correlation,
    hermite_coefficients,
    named_expansion,
    parseval_tail,
    second_moment,
)
from sqsim.lowerbounds.correlation import pairwise_correlation, residual_expansion
from sqsim.lowerbounds.expansions import Expansion
from sqsim.lowerbounds.hermite import relu_tail_bound
from sqsim.lowerbounds.orthants import closed_correlation
from sqsim.lowerbounds.precision import ball, private_mpmath, working_bits

mp = private_mpmath(50)
NAMES = ["relu", "leaky-relu", "sign", "step", "abs", "exp", "sin", "cos", "erf"]
PIECES = ["max(z-2,0)*z", "min(abs(z), 1) - z**3/7", "step(2*z-1)*(z+1)**2", "abs(abs(z)-1)"]
OVERLAPS = ["0.3", "-0.7", "0.97", "0.999999", "-0.9999999999"]


def close(found: Enclosure, value: Any, digits: int = 30) -> bool:
    return abs(mp.mpf(found.lower) - value) <= mp.mpf(10) ** -digits * (1 + abs(value))


@pytest.mark.parametrize("overlap", [*OVERLAPS, "1e-9", "1", "-1", "0"])
def test_the_arc_cosine_kernel_of_the_unbiased_neuron(overlap: str) -> None:
    r = mp.mpf(overlap)
    found = pairwise_correlation(relu(0.0), overlap)
    assert close(found, (mp.sqrt(1 - r * r) + r * (mp.pi - mp.acos(r))) / (2 * mp.pi))
    assert found.digits >= 30


@pytest.mark.parametrize("overlap", OVERLAPS)
def test_closed_forms_of_other_links(overlap: str) -> None:
    """Grothendieck's identity, two means of exponentials, and an absolute value."""
    r = mp.mpf(overlap)
    assert close(pairwise_correlation(sign(0.0), overlap), 2 / mp.pi * mp.asin(r))
    b = mp.mpf(1) / 3
    shifted = named_expansion("exp", bias="1/3")
    assert close(pairwise_correlation(shifted, overlap), mp.exp(2 * b + 1 + r))
    wave = (mp.exp(-1 + r) - mp.cos(2 * b) * mp.exp(-1 - r)) / 2
    assert close(pairwise_correlation(named_expansion("sin", bias="1/3"), overlap), wave)
    size = 2 / mp.pi * (mp.sqrt(1 - r * r) + r * mp.asin(r))
    assert close(pairwise_correlation(named_expansion("abs"), overlap), size)
    step = named_expansion("erf")
    assert close(pairwise_correlation(step, overlap), 2 / mp.pi * mp.asin(2 * r / 3))
    assert close(pairwise_correlation(hermite(3), overlap), r**3)


@pytest.mark.parametrize(("bias", "overlap"), [("-3/2", "0.6"), ("-8", "-0.3"), ("1", "0.99")])
def test_the_neuron_by_quadrature_of_the_conditional_form(bias: str, overlap: str) -> None:
    """E[sigma(X) E[sigma(Y) | X]] with the inner mean in closed form, in mpmath."""
    b, r = (mp.mpf(Fraction(t).numerator) / Fraction(t).denominator for t in (bias, overlap))
    q = mp.sqrt(1 - r * r)

    def inner(x: Any) -> Any:
        z = (r * x + b) / q
        return (x + b) * (q * mp.npdf(z) + (r * x + b) * mp.ncdf(z)) * mp.npdf(x)

    # The inner mean is a small difference of large numbers in the tail.
    with mp.workdps(100):
        value = mp.quad(inner, [-b + mp.mpf(t) / 16 for t in (0, 2, 4, 8, 16, 32, 64, 256)])
    found = pairwise_correlation(named_expansion("relu", bias=bias), overlap)
    assert abs(mp.mpf(found.lower) / value - 1) < mp.mpf(10) ** -25


def test_a_function_with_two_breaks_by_quadrature_in_the_plane() -> None:
    """E[f(X) f(r X + q Z)] as a double integral, split where either factor bends."""

    def f(t: float) -> float:
        return min(abs(t), 1.0) - t**3 / 7

    def density(t: float) -> float:
        return math.exp(-t * t / 2) / math.sqrt(2 * math.pi)

    def outer(x: float) -> float:
        bends = [(t - 0.6 * x) / 0.8 for t in (-1, 0, 1)]
        ends = sorted({-9.0, 9.0, *(t for t in bends if abs(t) < 9)})
        parts = (
            quad(lambda z: f(0.6 * x + 0.8 * z) * density(z), *pair, epsabs=1e-13)[0]
            for pair in pairwise(ends)
        )
        return f(x) * density(x) * sum(parts)

    value = sum(quad(outer, *pair, epsabs=1e-12)[0] for pair in pairwise([-9, -1, 0, 1, 9]))
    found = pairwise_correlation(named_expansion("min(abs(z), 1) - z**3/7"), "0.6")
    assert float(found) == pytest.approx(float(value), rel=1e-9)


@pytest.mark.parametrize("text", [*PIECES, "relu", "leaky-relu", "step"])
def test_the_closed_form_and_the_series_are_one(text: str) -> None:
    """Two proofs of one number share no formula beyond the coefficients up to the degree of f."""
    f = named_expansion(text)
    for overlap in (Fraction(-4, 5), Fraction(1, 3), Fraction(9, 10)):
        with working_bits(400):
            closed = closed_correlation(f, ball(overlap))
            assert closed is not None
            squares = [c * c for c in f.coefficients(400)]
            total = sum((c * ball(overlap) ** k for k, c in enumerate(squares)), ball(0))
            rest = abs(ball(overlap)) ** 401 * f.second_moment()
            assert abs(closed - total) <= rest + ball(Fraction(1, 10**90))


@pytest.mark.parametrize("name", NAMES)
def test_the_ends_are_moments(name: str) -> None:
    f = named_expansion(name, bias="1/3")
    end, moment = pairwise_correlation(f, 1, digits=40), second_moment(f, digits=40)
    assert close(end, mp.mpf(moment.lower), 40)
    mean = hermite_coefficients(f, [0], digits=40)[0]
    assert close(pairwise_correlation(f, 0, digits=40), mp.mpf(mean.lower) ** 2)


@pytest.mark.parametrize("overlap", ["0.2", "-0.9", "0.9999", "-1"])
def test_a_residual_is_the_whole_less_its_first_terms(overlap: str) -> None:
    r = mp.mpf(overlap)
    whole = mp.mpf(pairwise_correlation(relu(-2.0), overlap, digits=40).lower)
    low = hermite_coefficients(relu(-2.0), 4, digits=45)
    expected = whole - sum(mp.mpf(c.lower) ** 2 * r**k for k, c in enumerate(low))
    assert close(pairwise_correlation(residual(relu(-2.0), 4), overlap), expected, 35)


def test_tiny_values_keep_their_digits() -> None:
    """Relative accuracy, where float64 has nothing left."""
    far = pairwise_correlation(residual(relu(-8.0), 11), "1e-6")
    first, second = hermite_coefficients(relu(-8.0), [12, 13], digits=40)
    terms = [mp.mpf(c.lower) ** 2 for c in (first, second)]
    assert abs(mp.mpf(far.lower) / (terms[0] * mp.mpf("1e-72")) - 1) < 1e-5
    assert far.digits >= 30
    opposite = pairwise_correlation(relu(-1.0), "-0.9999")
    assert opposite.digits >= 30
    assert opposite.lower.endswith("E-4358")


def test_twice_the_digits_nest() -> None:
    for f in (relu(-3.0), residual(relu(-3.0), 5), named_expansion(PIECES[1])):
        for overlap in (*OVERLAPS[:4], "-0.9999"):
            coarse, fine = (pairwise_correlation(f, overlap, digits=n).bounds for n in (15, 30))
            assert coarse[0] <= fine[0] <= fine[1] <= coarse[1]


def test_enclosures_contain_the_value_at_four_times_the_precision() -> None:
    rng = random.Random(3)
    for _ in range(150):
        bias = Fraction(rng.randrange(-6000, 3000), 1000)
        f = residual_expansion(
            named_expansion(rng.choice(NAMES[:5]), bias=bias), rng.choice([None, -1, 0, 3, 8])
        )
        overlap = Fraction(rng.randrange(-999_999, 999_999), 10 ** rng.choice([6, 6, 7, 12]))
        digits = rng.randrange(2, 16)
        low, high = pairwise_correlation(f, overlap, digits=digits).bounds
        lower, upper = pairwise_correlation(f, overlap, digits=4 * digits).bounds
        assert low <= lower <= upper <= high


@given(st.fractions(-1, 1, max_denominator=500), st.fractions(-4, 4, max_denominator=20))
def test_no_correlation_exceeds_the_second_moment(overlap: Fraction, bias: Fraction) -> None:
    f: Expansion = named_expansion("relu", bias=bias)
    found = pairwise_correlation(f, overlap, digits=12)
    limit = second_moment(f, digits=20).bounds[1]
    assert max(map(abs, found.bounds)) <= limit * (1 + Fraction(1, 10**11))
    assert found.digits >= 12


def test_what_cannot_be_proved_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each further degree of a sigmoid is a proved integral, so the limit is lowered here."""
    monkeypatch.setattr(correlation, "LARGEST_INTEGRAL_DEGREE", 6)
    with pytest.raises(NotCertified, match="6 terms"):
        pairwise_correlation(Sigmoid(0.0), "0.99", digits=20)
    assert pairwise_correlation(Sigmoid(0.0), "1e-6", digits=20).digits >= 20
    with pytest.raises(BadInput, match=r"\[-1, 1\]"):
        pairwise_correlation(relu(0.0), "1.0000001")
    with pytest.raises(BadInput, match="cutoff"):
        residual_expansion(named_expansion("relu"), -2)
    with pytest.raises(BadInput, match="digits"):
        pairwise_correlation(relu(0.0), "0.5", digits=0)


def test_exact_zeros_are_points() -> None:
    assert pairwise_correlation(sign(0.0), 0) == Enclosure("0", "0")
    assert pairwise_correlation(residual(hermite(3), 5), "0.5") == Enclosure("0", "0")
    assert pairwise_correlation(relu(-1.0), -1) == Enclosure("0", "0")


@pytest.mark.parametrize("bias", [0, "0.5", "-3/2", -3, -8])
def test_the_closed_tail_bound_of_the_neuron(bias: int | str) -> None:
    """Never below the exact tail, and about twice it once the degree is far from b^2 / 4."""
    f = named_expansion("relu", bias=bias)
    first = max(2, int(Fraction(bias) ** 2 / 4 + Fraction(3, 2)))
    for degree in (*range(first, first + 6), 50, 200, 2000):
        exact = parseval_tail(f, degree, digits=20).bounds
        found = relu_tail_bound(bias, degree)
        assert found.bounds[0] <= 0
        assert found.bounds[1] >= exact[1]
        if degree == 2000:
            assert found.bounds[1] < Fraction(21, 10) * exact[0]
    with pytest.raises(BadInput, match="parseval_tail"):
        relu_tail_bound(bias, max(1, first - 2))


def test_the_command(tmp_path: Path, run: Callable[..., str]) -> None:
    target = tmp_path / "out.json"
    line = ["correlation", "relu", "--bias", "-7", "--cutoff", "9", "--inner", "-1/3"]
    printed = run(*line, "--digits", "20", "--json", str(target))
    report = json.loads(target.read_text())
    expected = pairwise_correlation(residual(relu(-7.0), 9), Fraction(-1, 3), digits=20)
    assert report["schema"] == "sqsim.correlation/1"
    assert (report["lower"], report["upper"]) == (expected.lower, expected.upper)
    assert expected.lower in printed
    whole = run("correlation", "step", "--inner", "0.5")
    assert Fraction(whole.strip("[]\n").split(",")[0]) < Fraction(1, 3)


@pytest.fixture
def run() -> Callable[..., str]:
    from typer.testing import CliRunner

    def invoke(*words: str) -> str:
        result = CliRunner().invoke(app, list(words))
        assert result.exit_code == 0, result.output
        return result.output

    return invoke
