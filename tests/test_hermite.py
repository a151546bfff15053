"""Proved Hermite coefficients against quadrature, float64, Parseval and higher precision."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from flint import acb

from sqsim.errors import BadInput, NotCertified
from sqsim.links import (
    HermiteSeries,
    LeakyRelu,
    Link,
    Relu,
    Residual,
    Scaled,
    Sigmoid,
    Sign,
    Step,
    hermite,
    relu,
)
from sqsim.lowerbounds import (
    Enclosure,
    hermite_coefficients,
    low_degree_mass,
    named_expansion,
    parseval_tail,
    second_moment,
    t_eps,
)
from sqsim.lowerbounds.hermite import hermite_report
from sqsim.lowerbounds.integrals import Integrated
from sqsim.lowerbounds.precision import private_mpmath

mp = private_mpmath(45)
THIRD = mp.mpf(1) / 3

FUNCTIONS: dict[str, tuple[str, str, Callable[[Any], Any], tuple[Any, ...]]] = {
    "relu": ("relu", "-1/3", lambda t: max(t - THIRD, 0), (THIRD,)),
    "leaky": ("leaky-relu", "1/3", lambda t: max(t + THIRD, (t + THIRD) / 100), (-THIRD,)),
    "sign": ("sign", "1/3", lambda t: mp.sign(t + THIRD), (-THIRD,)),
    "step": ("step", "-2", lambda t: mp.mpf(t > 2), (2,)),
    "abs": ("abs", "1/3", lambda t: abs(t + THIRD), (-THIRD,)),
    "exp": ("exp", "1/3", lambda t: mp.exp(t + THIRD), ()),
    "sin": ("sin", "1/3", lambda t: mp.sin(t + THIRD), ()),
    "cos": ("cos", "1/3", lambda t: mp.cos(t + THIRD), ()),
    "erf": ("erf", "1/3", lambda t: mp.erf(t + THIRD), ()),
    "sigmoid": ("sigmoid", "1/3", lambda t: 1 / (1 + mp.exp(-t - THIRD)), ()),
    "product": ("max(z-2,0)*z", "0", lambda t: max(t - 2, 0) * t, (2,)),
    "two kinks": ("min(abs(z), 1) - z**3/7", "0", lambda t: min(abs(t), 1) - t**3 / 7, (-1, 0, 1)),
    "polynomial": ("1 - 0.5*z**2 + z**5", "0", lambda t: 1 - t**2 / 2 + t**5, ()),
    "a step cut": ("step(2*z-1)*(z+1)**2", "0", lambda t: (t > 0.5) * (t + 1) ** 2, (mp.mpf(0.5),)),
}

LINKS: list[Link] = [
    Relu(-3.0),
    Relu(0.7, 3.0),
    LeakyRelu(0.1, -1.0),
    Sign(0.4),
    Step(-2.0),
    Sigmoid(1.0),
    HermiteSeries((0.5, 0.0, -0.25)),
    Residual(Relu(-1.0), 3),
    Scaled(Relu(-1.0), -0.5),
]


def mean(f: Callable[[Any], Any], kinks: tuple[Any, ...]) -> Any:
    """E[f(Z)] by mpmath's quadrature between the kinks."""
    points = sorted({mp.mpf(k) for k in (-16, -8, -4, 0, 4, 8, 16, *kinks)})
    return mp.quad(lambda t: f(t) * mp.npdf(t), points)


def close(found: Enclosure, value: Any) -> bool:
    return abs(mp.mpf(found.lower) - value) <= mp.mpf(10) ** -36 * (1 + abs(value))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_against_quadrature_at_forty_digits(name: str) -> None:
    text, bias, f, kinks = FUNCTIONS[name]
    expansion = named_expansion(text, bias=bias)
    found = hermite_coefficients(expansion, 6, digits=40)
    for k, value in enumerate(found):
        norm = mp.sqrt(mp.factorial(k))

        def weighted(t: Any, k: int = k, norm: Any = norm) -> Any:
            return f(t) * mp.hermite(k, t / mp.sqrt(2)) / (mp.sqrt(2) ** k * norm)

        assert close(value, mean(weighted, kinks))
        assert value.digits >= 40
    assert close(second_moment(expansion, digits=40), mean(lambda t: f(t) ** 2, kinks))


@pytest.mark.parametrize("link", LINKS, ids=repr)
def test_against_float64(link: Link) -> None:
    found = hermite_coefficients(link, 12, digits=20)
    assert [float(c) for c in found] == pytest.approx(link.coefficients(12).tolist(), abs=1e-14)
    assert float(second_moment(link, digits=20)) == pytest.approx(link.second_moment, rel=1e-12)


def test_enclosures_contain_the_value_at_four_times_the_precision() -> None:
    rng, seen = random.Random(11), 0
    while seen < 10_000:
        name = rng.choice(["relu", "leaky-relu", "sign", "step", "abs", "exp", "sin", "cos", "erf"])
        bias = Fraction(rng.randrange(-4000, 4000), rng.randrange(1, 1000)) / rng.choice([1, 10])
        expansion = named_expansion(name, bias=bias % 30 - 15)
        digits, degree = rng.randrange(2, 40), rng.randrange(40, 120)
        coarse = hermite_coefficients(expansion, degree, digits=digits)
        fine = hermite_coefficients(expansion, degree, digits=4 * digits)
        for a, b in zip(coarse, fine, strict=True):
            (low, high), (lower, upper) = a.bounds, b.bounds
            assert low <= lower <= upper <= high
            assert a.digits >= digits
        seen += len(coarse)


def test_ten_thousand_degrees_with_fifty_digits() -> None:
    found = hermite_coefficients(relu(-3.0), 10_000, digits=50)
    assert len(found) == 10_001
    assert min(c.digits for c in found) >= 50
    # Single degrees by a hypergeometric series, which shares no recurrence.
    for k in (2, 101, 2048, 9_999, 10_000):
        with mp.workdps(400):
            h = mp.hermite(k - 2, 3 / mp.sqrt(2)) / mp.sqrt(2) ** (k - 2)
            value = h * mp.npdf(3) / mp.sqrt(mp.factorial(k))
            assert mp.mpf(found[k].lower) <= value <= mp.mpf(found[k].upper)
    tail = parseval_tail(relu(-3.0), 10_000)
    assert tail.digits >= 50
    mass, whole = low_degree_mass(relu(-3.0), 10_000), second_moment(relu(-3.0))
    total = [sum(pair) for pair in zip(tail.bounds, mass.bounds, strict=True)]
    assert total[0] <= whole.bounds[1]
    assert whole.bounds[0] <= total[1]
    assert sum(float(c) ** 2 for c in found) == pytest.approx(float(mass), rel=1e-12)


def test_a_list_of_degrees() -> None:
    whole = hermite_coefficients(relu(-2.0), 20)
    assert hermite_coefficients(relu(-2.0), [20, 3]) == (whole[20], whole[3])
    assert hermite_coefficients(relu(-2.0), []) == ()


ZERO = Enclosure("0", "0")


def test_exact_zeros_are_points() -> None:
    assert hermite_coefficients(relu(-1.0), [4]) == (ZERO,)  # He_2(1) = 0
    assert hermite_coefficients(relu(0.0), range(3, 20, 2)) == (ZERO,) * 9
    both = named_expansion("relu(z - 1/3) + relu(-z - 1/3)")
    assert hermite_coefficients(both, range(1, 20, 2)) == (ZERO,) * 10
    assert hermite_coefficients(Sigmoid(0.0), [2, 4]) == (ZERO,) * 2
    half = named_expansion("min(abs(z), 1) - z**3/7")
    assert hermite_coefficients(half, range(5, 20, 2)) == (ZERO,) * 8
    assert parseval_tail(hermite(3), 3) == ZERO
    assert parseval_tail(Residual(hermite(3), 5), 0) == ZERO


@pytest.mark.parametrize(
    ("a", "degrees"),
    [
        (3, (2, 1, 0)),
        (4, (4, 3, 2)),
        (5, (7, 5, 4)),
        (6, (10, 8, 6)),
        (8, (17, 15, 13)),
        (10, (26, 24, 21)),
        (15, (59, 55, 52)),
        (20, (104, 99, 95)),
    ],
)
def test_t_eps_of_the_neuron(a: int, degrees: tuple[int, ...]) -> None:
    for alpha, t in zip((2, 10, 100), degrees, strict=True):
        link = relu(bias=-a)
        assert t_eps(link, alpha=alpha) == t
        threshold = second_moment(link).bounds[0] / (3 * alpha)
        assert low_degree_mass(link, t).bounds[1] < threshold
        assert low_degree_mass(link, t + 1).bounds[0] > threshold
        # A second way, in 45-digit mpmath with its own Hermite polynomials.
        masses = [(mp.npdf(a) - a * mp.ncdf(-a)) ** 2, mp.ncdf(-a) ** 2]
        masses += [
            (mp.hermite(k - 2, a / mp.sqrt(2)) / mp.sqrt(2) ** (k - 2) * mp.npdf(a)) ** 2
            / mp.factorial(k)
            for k in range(2, t + 2)
        ]  # fmt: skip
        eps = ((1 + a * a) * mp.ncdf(-a) - a * mp.npdf(a)) / 3
        assert sum(masses[: t + 1]) <= eps / alpha < sum(masses[: t + 2])


def test_t_eps_at_its_edges() -> None:
    assert t_eps(relu(0.0), alpha=100) == -1
    assert t_eps(Residual(relu(-1.0), 7), alpha=100) >= 7
    # The threshold is met exactly: with exact numbers that is decided, with roots it is not.
    assert t_eps(named_expansion("1 + 3*z"), alpha="10/3") == 0
    with pytest.raises(NotCertified, match="exactly"):
        t_eps(named_expansion("z**2 - 1 + z**3 - 3*z"), alpha="4/3")
    with pytest.raises(BadInput, match="alpha"):
        t_eps(relu(0.0), alpha=0.5)
    with pytest.raises(BadInput, match="zero"):
        t_eps(Scaled(relu(0.0), 0.0), alpha=2)


def test_a_function_of_ones_own_by_proved_quadrature() -> None:
    shifted = Integrated(
        lambda z, analytic: (z / 2).cos() * z, size=Fraction(2), rate=Fraction(1, 2)
    )
    found = hermite_coefficients(shifted, [1, 3], digits=30)
    for k, value in zip((1, 3), found, strict=True):
        norm = mp.sqrt(mp.factorial(k)) * mp.sqrt(2) ** k
        assert close(
            value,
            mean(
                lambda t, k=k, norm=norm: mp.cos(t / 2) * t * mp.hermite(k, t / mp.sqrt(2)) / norm,
                (),
            ),
        )
    with pytest.raises(BadInput, match="at most 60"):
        hermite_coefficients(shifted, 61)


def test_an_undecidable_zero_is_not_certified() -> None:
    even = Integrated(lambda z, analytic: acb.cos(z))
    with pytest.raises(NotCertified, match="exactly zero"):
        hermite_coefficients(even, [1], digits=5)


def test_the_report() -> None:
    report = hermite_report("relu", "-3", [0, 5], 20)
    assert report["schema"] == "sqsim.hermite/1"
    first, fifth = report["coefficients"]  # type: ignore[misc]
    assert (first["degree"], fifth["degree"]) == (0, 5)  # type: ignore[has-type]
    expected = hermite_coefficients(relu(-3.0), [5], digits=20)[0]
    assert fifth == {"degree": 5, "lower": expected.lower, "upper": expected.upper}  # type: ignore[has-type]


@pytest.mark.parametrize(
    "text",
    ["", "z +", "1/z", "exp(z*z)", "__import__('os')", "z.real", "z**0.5", "z**-1", "z**99",
     "max(z*z, 0)", "max(z)", "sign(-z)", "lambda: 0", "'z'", "True", "z if z else 0", "y", "1j",
     "[z]", "(" * 150 + "z", "z" * 500, "-" * 390 + "y", "((1e4000**40)**40)**40", "0x10",
     "f(**z)", "z\0"],
)  # fmt: skip
def test_expressions_outside_the_whitelist(text: str) -> None:
    with pytest.raises(BadInput):
        named_expansion(text)


def test_bad_input() -> None:
    with pytest.raises(BadInput, match="write it into z"):
        named_expansion("z*z", bias=1)
    with pytest.raises(BadInput, match="whole degrees"):
        hermite_coefficients(relu(0.0), -1)
    with pytest.raises(BadInput, match="GiB"):
        hermite_coefficients(relu(0.0), 10**12)
    with pytest.raises(BadInput, match="GiB"):
        hermite_coefficients(relu(0.0), 10, digits=10**10)
    with pytest.raises(BadInput, match="number"):
        hermite_coefficients(LeakyRelu(float("nan")), 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("exp(z**2)", "not square integrable"),
        ("exp(z**2/4)", "not square integrable"),
        ("exp(z**3)", "not square integrable"),
        ("1/z", "pole at z = 0"),
        ("z/(z-2)", "pole at z = 2"),
        ("z**-1", "pole at z = 0"),
        ("exp(z**2/5)", "not supported"),
        ("exp(abs(z))", "not supported"),
        ("1/(z**2+1)", "not supported"),
        ("z/z", "not supported"),
        ("log(z)", "not supported, and not defined for z < 0"),
        ("sqrt(z)", "not supported, and not defined for z < 0"),
        ("log(abs(z))", "'log\\(abs\\(z\\)\\)' is not supported;"),
        ("1/0", "divides by zero"),
    ],
)
def test_what_is_not_read_is_told_why(text: str, words: str) -> None:
    """exp(c z^2) is square integrable for c < 1/4; a pole on the line never is."""
    with pytest.raises(BadInput, match=words):
        named_expansion(text)


def test_the_same_expression_is_read_everywhere() -> None:
    """E[t^2 exp(-t^2)] = 3^(-3/2), and functions of z plus a number are those of a bias."""
    found = hermite_coefficients(named_expansion(" z**2 * exp(-z**2)"), [0])[0]
    assert float(found) == pytest.approx(3**-1.5, rel=1e-15)
    assert named_expansion("exp(-z**2)*z**2") == named_expansion("z**2*exp(-z**2)")
    for name in ("exp", "sin", "cos", "erf"):
        assert named_expansion(f"{name}(z-1/3)") == named_expansion(name, bias="-1/3")


def test_a_name_is_no_link() -> None:
    """And the message says where links are."""
    with pytest.raises(BadInput, match=r"from sqsim\.links import relu"):
        t_eps("relu", alpha=100)  # type: ignore[arg-type]
