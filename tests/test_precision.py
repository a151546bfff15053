"""Exact text, outward rounding, and a precision that no other thread can change."""

from __future__ import annotations

import math
import random
from concurrent.futures import ThreadPoolExecutor
from decimal import Context, Decimal
from fractions import Fraction

import mpmath
import pytest
from flint import arb, ctx

from sqsim.errors import BadInput, NotCertified
from sqsim.links import relu
from sqsim.lowerbounds import hermite_coefficients
from sqsim.lowerbounds.precision import (
    Enclosure,
    ball,
    bits_for,
    enclose,
    exact_fraction,
    private_mpmath,
    working_bits,
)


def ends(x: arb) -> tuple[Fraction, Fraction]:
    """The ball's ends as rationals, by its mantissas and not by its text."""
    middle, radius = (Fraction(int(m)) * Fraction(2) ** int(e) for m, e in
                      (part.man_exp() for part in (x.mid(), x.rad())))  # fmt: skip
    return middle - radius, middle + radius


def test_balls_are_rounded_outwards() -> None:
    rng = random.Random(7)
    for _ in range(300):
        bits = rng.randrange(20, 600)
        with working_bits(bits):
            x = ball(Fraction(rng.randrange(-(10**9), 10**9), rng.randrange(1, 10**9)))
            x *= arb(10) ** rng.randrange(-400, 400)
            low, high = ends(x)
            text = enclose(x, rng.randrange(1, 80))
        lower, upper = text.bounds
        assert lower <= low <= high <= upper


@pytest.mark.parametrize(
    ("top", "bottom", "bits"),
    [(3893924827815215, 2**50, 53), (1381846513289487, 2**46, 113)],
)
def test_exp_where_interval_arithmetic_of_mpmath_misses_it(
    top: int, bottom: int, bits: int
) -> None:
    """The two points of mpmath issue 1181."""
    x = Context(prec=200).divide(Decimal(top), Decimal(bottom))
    true = x.exp(Context(prec=120))
    with working_bits(bits):
        found = enclose(ball(Fraction(top, bottom)).exp(), 60)
    assert found.contains(true)
    assert found.digits >= 14


def test_exact_numbers_stay_points() -> None:
    with working_bits(100):
        assert enclose(arb(0), 20) == Enclosure("0", "0")
        half = enclose(arb(1) / 2, 20)
    assert half.width == 0
    assert half.digits == math.inf
    assert half.contains("0.5")


def test_infinite_balls_are_not_certified() -> None:
    with working_bits(100), pytest.raises(NotCertified, match="finite"):
        enclose(arb(1) / 0, 20)


def test_digits_are_those_of_the_half_width() -> None:
    assert Enclosure("0.999", "1.001").digits == 2
    assert Enclosure("-1", "1").digits == 0
    assert Enclosure("1e-500", "1.00019e-500").digits == 4
    assert Enclosure("1", "3").contains(2)
    assert not Enclosure("0.1", "0.2").contains(0.1 - 1e-17)
    assert Enclosure("0.1", "0.2").contains(0.1)
    assert float(Enclosure("1", "2")) == 1.5


def test_an_enclosure_returns_to_a_ball() -> None:
    with working_bits(200):
        text = enclose(arb(2).sqrt(), 40)
        assert text.ball().contains(arb(2).sqrt())


@pytest.mark.parametrize("ends", [("2", "1"), ("nan", "1"), ("a", "1"), ("1", "inf")])
def test_bad_intervals(ends: tuple[str, str]) -> None:
    with pytest.raises(BadInput, match="no interval"):
        Enclosure(*ends)


def test_ends_beyond_memory_are_refused() -> None:
    with pytest.raises(BadInput, match="memory"):
        Enclosure("0", "1e99999999999").width  # noqa: B018


def test_text_is_decimal_and_floats_are_binary() -> None:
    assert exact_fraction("0.1") == Fraction(1, 10)
    assert exact_fraction(0.1) == Fraction(0.1) != Fraction(1, 10)
    assert exact_fraction("-1/3") == Fraction(-1, 3)


@pytest.mark.parametrize("bad", ["x", "1/0", "1e999999999", "9" * 5000, math.nan, math.inf, None])
def test_bad_numbers(bad: object) -> None:
    with pytest.raises(BadInput, match="bias"):
        exact_fraction(bad, "bias")  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [0, -1, 2.5, True])
def test_bad_digits(bad: object) -> None:
    with pytest.raises(BadInput, match="digits"):
        bits_for(bad)  # type: ignore[arg-type]


def test_precision_comes_back_after_an_error() -> None:
    before = ctx.prec

    def fail() -> None:
        with working_bits(1234):
            assert ctx.prec == 1234
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert ctx.prec == before


def test_a_private_context_leaves_mpmath_alone() -> None:
    before = mpmath.mp.dps
    context = private_mpmath(77)
    assert context.dps == 77
    assert mpmath.mp.dps == before
    assert str(context.pi)[:30] == str(private_mpmath(40).pi)[:30]


def test_a_pool_of_threads_gets_the_digits_that_it_asked_for() -> None:
    before = ctx.prec
    reference = hermite_coefficients(relu(-1.5), 30, digits=400)
    asked = [15 + (37 * i) % 286 for i in range(160)] + [15, 300]
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(hermite_coefficients, relu(-1.5), 30, digits=n) for n in asked]
        found = [job.result() for job in jobs]
    for n, row in zip(asked, found, strict=True):
        # A leak in either direction would change the text.
        assert row == hermite_coefficients(relu(-1.5), 30, digits=n)
        for value, best in zip(row, reference, strict=True):
            assert value.digits >= n
            low, high = value.bounds
            assert low <= best.bounds[0] <= best.bounds[1] <= high
    assert ctx.prec == before
