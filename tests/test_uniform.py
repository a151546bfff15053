"""Uniform approximation on [-1, 1]: every error in two ways, every bracket from both sides."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sqsim.cli import app
from sqsim.errors import BadInput, NotCertified
from sqsim.links import LeakyRelu, Sign, relu
from sqsim.lowerbounds import named_expansion
from sqsim.lowerbounds.chebyshev import _general, one_kink
from sqsim.lowerbounds.minimax import best_approximation
from sqsim.lowerbounds.precision import Enclosure, enclose, private_mpmath, working_bits
from sqsim.lowerbounds.suprema import on_the_interval, polynomial_range, uniform_error
from sqsim.lowerbounds.uniform import (
    Chebyshev,
    Kind,
    Minimax,
    RangeSafe,
    uniform_approximation,
)
from sqsim.lowerbounds.uniform_degrees import uniform_degree
from sqsim.lowerbounds.uniform_report import (
    BERNSTEIN,
    approximation_report,
    markov_norm_bound,
    printed_norm_bound,
    silver_norm_bound,
)

mp = private_mpmath(60)
RELU = relu(0.0)
FUNCTIONS = {
    "relu": named_expansion("relu"),
    "leaky": named_expansion("max(z, z/10)"),
    "abs": named_expansion("abs"),
    "ramp": named_expansion("min(max(1/2+2*z,0),1)"),
    "shifted": named_expansion("relu(z-3/10)"),
    "bump": named_expansion("max(1/2-abs(z),0)+z**2/3"),
}
VALUES = {
    "relu": lambda t: max(t, 0),
    "leaky": lambda t: max(t, t / 10),
    "abs": abs,
    "ramp": lambda t: min(max(mp.mpf(1) / 2 + 2 * t, 0), 1),
    "shifted": lambda t: max(t - mp.mpf(3) / 10, 0),
    "bump": lambda t: max(mp.mpf(1) / 2 - abs(t), 0) + t * t / 3,
}


def inside(inner: Enclosure, outer: Enclosure) -> bool:
    (low, high), (lower, upper) = inner.bounds, outer.bounds
    return lower <= low <= high <= upper


def holds(found: Enclosure, value: object) -> bool:
    return bool(mp.mpf(found.lower) <= value <= mp.mpf(found.upper))  # type: ignore[operator]


@pytest.mark.parametrize("half", [1, 2, 3, 5, 8, 16, 32])
def test_the_truncation_error_of_a_relu_is_exact(half: int) -> None:
    """1 / (pi (2m + 1)) by the formula, and by isolating all extrema of the truncated series."""
    exact = 1 / (mp.pi * (2 * half + 1))
    for degree in (2 * half, 2 * half + 1):
        found = uniform_approximation(RELU, degree, kind=Chebyshev(), digits=30)
        assert found.sup_error.digits >= 30
        assert holds(found.sup_error, exact)
    f = on_the_interval(RELU)
    with working_bits(1000):
        certified = enclose(_general(f, 2 * half).sup_error, 30)
    assert holds(certified, exact)


@pytest.mark.parametrize("half", [0, 1, 2, 7, 16])
def test_truncated_coefficients_are_those_of_the_series(half: int) -> None:
    """The telescoped closed form, against summing the Chebyshev series term by term."""
    series = [mp.mpf(0)] * (2 * half + 2)
    series[0], series[1] = 1 / mp.pi, mp.mpf(1) / 2
    for k in range(1, half + 1):
        series[2 * k] = -2 / mp.pi * (-1) ** k / (4 * k * k - 1)
    powers = [mp.mpf(0)] * len(series)
    for k, c in enumerate(series):
        unit = [0] * k + [1]
        for i, t in enumerate(np.polynomial.chebyshev.cheb2poly(unit)):
            powers[i] += c * int(t)
    found = uniform_approximation(RELU, 2 * half + 1, kind=Chebyshev(), digits=30)
    for a, b in zip(found.coefficients, powers, strict=True):
        assert holds(a, b) or abs(b) < 1e-50
    assert holds(found.coefficient_norm_squared, sum(c * c for c in powers))


@pytest.mark.parametrize("name", ["leaky", "ramp", "shifted", "bump"])
@pytest.mark.parametrize("degree", [0, 1, 5])
def test_chebyshev_coefficients_by_quadrature(name: str, degree: int) -> None:
    """p(t) = sum of c_k T_k(t), the c_k by mpmath's quadrature in the angle."""
    f = VALUES[name]
    kinks = [mp.acos(mp.mpf(b.numerator) / b.denominator)
             for b in on_the_interval(FUNCTIONS[name]).breaks]  # fmt: skip
    cuts = sorted([mp.mpf(0), mp.pi, *kinks])
    found = uniform_approximation(FUNCTIONS[name], degree, kind=Chebyshev())
    t = mp.mpf(3) / 7
    value = mp.mpf(0)
    for k in range(degree + 1):
        c = mp.quad(lambda u, k=k: f(mp.cos(u)) * mp.cos(k * u), cuts) * 2 / mp.pi
        value += c * mp.cos(k * mp.acos(t)) / (1 if k else 2)
    sum_at = sum(mp.mpf(c.lower) * t**i for i, c in enumerate(found.coefficients))
    assert abs(sum_at - value) < 1e-18


@pytest.mark.parametrize(("degree", "figure"), [(2, 0.44), (4, 0.95), (8, 22), (16, 1.0e6),
                                                (32, 7.7e16)])  # fmt: skip
def test_coefficient_norms_lie_under_the_bounds(degree: int, figure: float) -> None:
    """(1 + sqrt 2)^(2d) is far below the printed (4e)^(2d), and V. Markov's below both."""
    report = approximation_report("relu", degree=degree, kind=Chebyshev())
    norm = report["coefficient_norm_squared"]
    assert norm == pytest.approx(figure, rel=0.05)
    silver = (1 + 2**0.5) ** (2 * degree)
    printed = (degree + 1) * (4 * np.e) ** (2 * degree)
    bounds = {name: float(text) for name, text in report["norm_bounds"].items()}
    assert bounds["silver"] == pytest.approx(silver)
    assert bounds["printed"] == pytest.approx(printed)
    assert norm <= bounds["markov"] <= silver * (1 + report["degree_times_error"]) ** 2
    assert norm <= silver <= printed


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 8, 21])
def test_markov_bounds_every_polynomial_of_size_one(degree: int) -> None:
    """Random ones, and T_d; the bound itself is below (1 + sqrt 2)^(2d)."""
    bound = markov_norm_bound(degree)
    assert bound <= silver_norm_bound(degree).bounds[1] <= printed_norm_bound(degree).bounds[1]
    rng = np.random.default_rng(degree)
    for weights in [*rng.normal(size=(20, degree + 1)), np.eye(degree + 1)[degree]]:
        size = np.abs(np.polynomial.chebyshev.chebval(np.linspace(-1, 1, 4001), weights)).max()
        powers = np.polynomial.chebyshev.cheb2poly(weights / size)
        assert float((powers**2).sum()) <= bound * (1 + 1e-3)


@pytest.mark.parametrize(("degree", "error"), [(0, "1/2"), (1, "1/4"), (2, "1/16"), (3, "1/16")])
def test_best_errors_that_are_known_by_hand(degree: int, error: str) -> None:
    """|t| has 1/2 at degree 1 and 1/8 at degree 2, t^2 + 1/8; a ReLU half of it."""
    assert uniform_approximation(RELU, degree).sup_error.contains(error)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("degree", [1, 4, 9])
def test_best_errors_from_both_sides(name: str, degree: int) -> None:
    """Below: alternation at d + 2 points (mirrored where f is symmetric), in mpmath.  Above:
    Ehlich and Zeller's inequality on every piece, which isolates no roots."""
    f = on_the_interval(FUNCTIONS[name])
    best = best_approximation(f, degree, digits=20)
    low, high = best.sup_error.bounds
    assert high - low <= low * Fraction(1, 10**20)
    p = [mp.mpf(int(c.p)) / mp.mpf(int(c.q)) for c in best.polynomial.coeffs()]

    def error(t):
        return VALUES[name](t) - mp.polyval(p[::-1], t)

    points = [mp.mpf(t.numerator) / t.denominator for t in best.alternation]
    errors = [error(t) for t in points]
    assert all(a * b < 0 for a, b in pairwise(errors))
    symmetric = points[0] >= 0
    assert len(points) * (2 if symmetric else 1) >= degree + 2
    assert min(map(abs, errors)) >= mp.mpf(best.sup_error.lower)
    n = max(degree, 2)
    count = 32 * n
    ends = [mp.mpf(-1), *(mp.mpf(b.numerator) / b.denominator for b in f.breaks), mp.mpf(1)]
    largest = max(
        abs(error((a + b) / 2 + (b - a) / 2 * mp.cos(mp.pi * i / count)))
        for a, b in pairwise(ends)
        for i in range(count + 1)
    )
    assert largest <= mp.mpf(best.sup_error.upper)
    assert mp.mpf(best.sup_error.lower) <= largest / mp.cos(n * mp.pi / (2 * count))


def test_degree_times_error_rises_to_half_of_bernsteins_constant() -> None:
    """0.1401 / d is its limit, from below: extrapolated in 1/d^2 it agrees to seven digits."""
    rows = [d * 2 * float(uniform_approximation(RELU, d).sup_error) for d in (8, 16, 32, 64)]
    assert rows == sorted(rows)
    assert rows[-1] < BERNSTEIN
    while len(rows) > 1:
        power = 4 ** (5 - len(rows))
        rows = [(power * b - a) / (power - 1) for a, b in pairwise(rows)]
    assert rows[0] == pytest.approx(BERNSTEIN, rel=1e-7)


@pytest.mark.parametrize("kind", [Chebyshev(), Minimax(), RangeSafe()], ids=lambda kind: kind.name)
@pytest.mark.parametrize("degree", [0, 1, 4, 15])
def test_doubling_the_digits_nests_the_bracket(kind: Kind, degree: int) -> None:
    """Errors and norms; of a ReLU, a ramp and |t|."""
    for name in ("relu", "ramp", "abs"):
        found = [uniform_approximation(FUNCTIONS[name], degree, kind=kind, digits=d)
                 for d in (8, 16, 32)]  # fmt: skip
        for coarse, fine in pairwise(found):
            assert inside(fine.sup_error, coarse.sup_error)
            if kind == Chebyshev():
                assert inside(fine.coefficient_norm_squared, coarse.coefficient_norm_squared)


@pytest.mark.parametrize("name", ["relu", "abs", "ramp"])
@pytest.mark.parametrize("degree", [1, 4, 10])
def test_range_safe_polynomials_stay_in_the_unit_interval(name: str, degree: int) -> None:
    """And their error is 2 delta / (1 + 2 delta) at most, half of what is printed."""
    f = FUNCTIONS[name]
    found = uniform_approximation(f, degree, kind=RangeSafe())
    assert found.values is not None
    assert found.exact is not None
    low, high = polynomial_range(found.exact, digits=40).bounds
    assert 0 <= low <= high <= 1
    delta = uniform_approximation(f, degree).sup_error.bounds[1]
    assert found.sup_error.bounds[0] <= 2 * delta / (1 + 2 * delta)
    assert inside(uniform_error(f, found.exact, digits=25), found.sup_error)
    if name == "relu":
        assert float(found.sup_error) == pytest.approx(float(2 * delta / (1 + 2 * delta)))


@pytest.mark.parametrize("epsilon", ["0.4", "0.3", "0.1", "0.05", "0.02"])
def test_degrees_are_the_least_ones(epsilon: str) -> None:
    """Of minimax by trying all of them, of Chebyshev by its formula in rationals of pi."""
    limit = Fraction(epsilon)
    degree = uniform_degree(RELU, epsilon)
    assert uniform_approximation(RELU, degree).sup_error.bounds[1] <= limit
    assert uniform_approximation(RELU, degree - 1).sup_error.bounds[0] > limit
    half = next(m for m in range(1000) if 1 / (mp.pi * (2 * m + 1)) <= mp.mpf(epsilon))
    assert uniform_degree(RELU, epsilon, kind=Chebyshev()) == max(2 * half, 1)


def test_degrees_of_other_functions() -> None:
    """The general search agrees with the errors; a polynomial needs its own degree."""
    ramp = FUNCTIONS["ramp"]
    degree = uniform_degree(ramp, "0.1", kind=Chebyshev())
    errors = [uniform_approximation(ramp, n, kind=Chebyshev()).sup_error for n in range(degree + 1)]
    assert [e.bounds[1] <= Fraction("0.1") for e in errors] == [False] * degree + [True]
    assert uniform_degree(named_expansion("z**3"), "0.001") == 3
    assert uniform_degree(RELU, "0.7", kind=RangeSafe()) == 0
    with pytest.raises(NotCertified, match="cannot be told"):
        uniform_degree(RELU, "1/16")
    with pytest.raises(NotCertified, match="Chebyshev"):
        uniform_degree(RELU, "0.0001")
    with pytest.raises(NotCertified, match="20000 is the largest"):
        uniform_degree(RELU, "1e-6", kind=Chebyshev())


def test_only_kinks_at_the_origin_have_the_closed_form() -> None:
    """height + slope t + jump |t|, read off exactly."""
    kink = one_kink(on_the_interval(FUNCTIONS["leaky"]))
    assert kink is not None
    assert (kink.height, kink.slope, kink.jump) == (0, Fraction(11, 20), Fraction(9, 20))
    assert one_kink(on_the_interval(FUNCTIONS["ramp"])) is None
    assert one_kink(on_the_interval(FUNCTIONS["bump"])) is None


def test_thousands_of_degrees() -> None:
    """The closed form at degree 4000; norms beyond floats are None, their bounds are not."""
    report = approximation_report("relu", degree=4000, kind=Chebyshev())
    assert holds(Enclosure(**report["sup_error"]), 1 / (mp.pi * 4001))
    assert report["coefficient_norm_squared"] is None
    norm = Enclosure(**report["coefficient_norm_squared_bounds"])
    assert norm.digits >= 20
    assert norm.bounds[1] <= silver_norm_bound(4000).bounds[0]
    assert report["coefficients"] is None


def test_the_best_polynomial_of_degree_64() -> None:
    """Bracketed to twenty digits, and below the truncation by the ratio of their constants."""
    found = uniform_approximation(RELU, 64)
    assert found.sup_error.digits >= 20
    assert found.exact is not None
    assert inside(uniform_error(RELU, found.exact, digits=24), found.sup_error)
    truncated = uniform_approximation(RELU, 64, kind=Chebyshev())
    ratio = float(truncated.sup_error) / float(found.sup_error)
    assert ratio == pytest.approx(2 / np.pi / BERNSTEIN, rel=0.02)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: uniform_approximation(RELU, -1), "whole number"),
        (lambda: uniform_approximation(RELU, 257), "any degree"),
        (lambda: uniform_approximation(RELU, True), "whole number"),
        (lambda: uniform_approximation(RELU, 20_001, kind=Chebyshev()), "0 to 20000"),
        (lambda: uniform_approximation(named_expansion("z*z"), 2), "polynomial of degree 2"),
        (lambda: uniform_approximation(Sign(0.0), 2), "jumps at 0"),
        (lambda: uniform_approximation(named_expansion("exp"), 2), "not piecewise polynomial"),
        (lambda: uniform_approximation(LeakyRelu(0.5), 2, kind=RangeSafe()), r"in \[0, 1\]"),
        (lambda: uniform_approximation(RELU, 2, kind="best"), "kind is 'best'"),  # type: ignore[arg-type]
        (lambda: uniform_degree(RELU, 0), "positive"),
        (lambda: uniform_degree(RELU, "1/2", kind=1), "kind is 1"),  # type: ignore[arg-type]
        (lambda: approximation_report("relu"), "not both"),
        (lambda: approximation_report("relu", degree=2, epsilon="0.1"), "not both"),
        (lambda: markov_norm_bound(-1), "degree is -1"),
    ],
)  # fmt: skip
def test_bad_input(call, words: str) -> None:
    """What was found, what is wanted."""
    with pytest.raises(BadInput, match=words):
        call()


def test_the_command(tmp_path: Path) -> None:
    """The contract's keys, the table, and exit by BadInput where the request is not one."""
    target = tmp_path / "out.json"
    runner = CliRunner()
    done = runner.invoke(
        app, ["approximate", "relu", "--epsilon", "0.05", "--json", str(target)]
    )  # fmt: skip
    assert done.exit_code == 0
    for words in ("degree d", "sup error", "sum of squared coefficients", "as printed"):
        assert words in done.stdout
    report = json.loads(target.read_text())
    assert report["schema"] == "sqsim.approximate/1"
    assert report["degree"] == 4
    assert Fraction(report["sup_error"]["upper"]) <= Fraction("0.05")
    bounds = Enclosure(**report["coefficient_norm_squared_bounds"])
    assert float(bounds) == pytest.approx(report["coefficient_norm_squared"])
    safe = runner.invoke(
        app, ["approximate", "relu", "--degree", "6", "--kind", "range-safe", "--quiet"]
    )
    assert (safe.exit_code, safe.stdout) == (0, "")
    for wrong in (
        ["relu"],
        ["relu", "--degree", "2", "--epsilon", "0.1"],
        ["relu", "--degree", "2", "--kind", "best"],
        ["relu", "--epsilon", "0"],
        ["relu", "--epsilon", "x"],
        ["sign", "--degree", "2"],
    ):
        failed = runner.invoke(app, ["approximate", *wrong])
        assert isinstance(failed.exception, BadInput), wrong
