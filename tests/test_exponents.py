"""Exponents and brackets of lambda_k^2: closed forms, independent quadrature, what stays open."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import lambertw
from typer.testing import CliRunner

from sqsim.cli import app
from sqsim.errors import BadInput
from sqsim.links import HermiteSeries, Link, Residual, Sigmoid, hermite, leaky_relu, relu, sign
from sqsim.lowerbounds import named_expansion
from sqsim.lowerbounds.conditional import lambda_squared
from sqsim.lowerbounds.damped import DampedSquare
from sqsim.lowerbounds.expansions import Expansion, Piecewise
from sqsim.lowerbounds.exponents import generative_exponent, information_exponent
from sqsim.lowerbounds.integrals import Integrated
from sqsim.lowerbounds.noisy import LabelTransform, kernel_lambda_squared, noisy_lambda_squared
from sqsim.lowerbounds.precision import Enclosure, private_mpmath
from sqsim.lowerbounds.smooth import Exponential, Series, Wave
from sqsim.special import hermite_functions

mp = private_mpmath(40)
CELLS = 300

LINKS: dict[str, tuple[Link | Expansion, int, int]] = {
    "He2": (hermite(2), 2, 2),
    "He3": (hermite(3), 3, 1),
    "He4": (hermite(4), 4, 2),
    "z^2 exp(-z^2)": (DampedSquare(), 4, 4),
    "relu": (relu(), 1, 1),
    "relu(z - 2)": (relu(-2.0), 1, 1),
    "sign": (sign(), 1, 1),
    "1{|z| > 1}": (named_expansion("step(z-1) + 1 - step(z+1)"), 2, 2),
    "|z|": (named_expansion("abs"), 2, 2),
    "z^2": (named_expansion("z**2"), 2, 2),
    "sigmoid": (Sigmoid(), 1, 1),
    "He3 + z^2 - 1 shifted": (named_expansion("z**3 - 3*z + 7"), 3, 1),
    "cos": (Wave(Fraction(0), 1), 2, 2),
    "residual of relu": (Residual(relu(), 2), 4, 2),
    "residual of biased relu": (Residual(relu(-1.0), 2), 3, 1),
}


@pytest.mark.parametrize("name", LINKS)
def test_exponents_are_proved(name: str) -> None:
    """Every degree below is proved zero, the exponent itself proved nonzero."""
    link, information, generative = LINKS[name]
    for found, value in (
        (information_exponent(link, max_degree=4), information),
        (generative_exponent(link, max_degree=4, cells=CELLS), generative),
    ):
        assert found.value == value
        assert found.decided
        assert "proved" in found.statement
        assert [v.status for v in found.verdicts[:value]] == ["zero"] * (value - 1) + ["nonzero"]
        for v in found.verdicts:
            low, high = v.number.bounds
            assert {"zero": low == high == 0, "nonzero": low > 0 or high < 0}.get(v.status, True)


def h(k: int, t: Any) -> Any:
    """h_k in mpmath, which shares no recurrence with sqsim."""
    return mp.hermite(k, t / mp.sqrt(2)) / mp.sqrt(2) ** k / mp.sqrt(mp.factorial(k))


def holds(found: Enclosure, value: Any) -> bool:
    slack = mp.mpf(10) ** -35
    return bool(mp.mpf(found.lower) - slack <= value <= mp.mpf(found.upper) + slack)


def test_closed_forms_of_atoms_and_injective_pieces() -> None:
    """A flat piece gives (mean of h_k)^2 times its mass, an injective one E[h_k^2] there."""
    cut = lambda_squared(relu(-2.0))
    half = lambda_squared(relu())
    two = lambda_squared(sign())
    band = lambda_squared(named_expansion("step(z-1) + 1 - step(z+1)"))
    for k in range(1, 9):
        at = (h(k - 1, mp.mpf(0)) * mp.npdf(0)) ** 2 / k
        assert holds(half[k - 1], 2 * at + mp.mpf(1) / 2)
        assert holds(two[k - 1], 4 * at)
        flat = (h(k - 1, mp.mpf(2)) * mp.npdf(2)) ** 2 / k / mp.ncdf(2)
        rest = mp.quad(lambda t, k=k: h(k, t) ** 2 * mp.npdf(t), [2, 4, 8, 14, 20])
        assert holds(cut[k - 1], flat + rest)
        out = 2 * mp.ncdf(-1)
        inner = (2 * h(k - 1, mp.mpf(1)) * mp.npdf(1)) ** 2 / k if k % 2 == 0 else mp.mpf(0)
        assert holds(band[k - 1], inner * (1 / out + 1 / (1 - out)))
    assert min(e.digits for e in (*cut, *half)) >= 38


def test_invertible_labels_tell_everything() -> None:
    """lambda_k^2 = 1 for every k where g is injective; for an even g at even k, and 0 at odd k."""
    for link in (Sigmoid(1.0), leaky_relu(0.1, bias=0.5), Exponential(Fraction(0))):
        for e in lambda_squared(link):
            assert e.contains(1)
            assert e.width < Fraction(1, 10**40)
    for text in ("z**3", "z + z**3", "max(z, 2*z - 1)"):
        assert all(e.contains(1) for e in lambda_squared(named_expansion(text), max_degree=4))
    for text in ("z**2", "abs", "z**4 + z**2"):
        found = lambda_squared(named_expansion(text), max_degree=6)
        assert [e.upper for e in found[::2]] == ["0"] * 3
        assert all(e.contains(1) and e.width < Fraction(1, 10**40) for e in found[1::2])


def density(z: Any) -> Any:
    return np.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def third(k: int) -> float:
    """He_3(z) = 2 cos(theta) at z = 2 cos((theta + 2 pi j) / 3): the trapezoidal rule in theta."""
    theta = (np.arange(200_000) + 0.5) * math.pi / 200_000
    z = 2 * np.cos((theta + 2 * math.pi * np.arange(3)[:, None]) / 3)
    q = density(z) / np.abs(3 * z * z - 3)
    top = (q * hermite_functions(z, k)[k]).sum(axis=0)
    inner = np.mean(top**2 / q.sum(axis=0) * 2 * np.sin(theta)) * math.pi
    outer = quad(lambda t: hermite_functions(np.array([t]), k)[k, 0] ** 2 * density(t), 2, 20)
    return float(inner + 2 * outer[0])


def fourth(k: int) -> float:
    """He_4(z) = s^2 - 6 at z^2 = 3 +- s."""
    if k % 2:
        return 0.0

    def inner(s: float) -> float:
        z = np.sqrt(np.array([3 - s, 3 + s]))
        q = density(z) / z
        return float(4 * (q @ hermite_functions(z, k)[k]) ** 2 / q.sum() / 4)

    outer = quad(
        lambda t: hermite_functions(np.array([t]), k)[k, 0] ** 2 * density(t), math.sqrt(6), 20
    )
    return float(quad(inner, 0, 3, limit=400, epsabs=1e-11)[0] + 2 * outer[0])


def damped(k: int) -> float:
    """u exp(-u) has the preimages -W_0(-y) and -W_-1(-y), u = z^2."""
    if k % 2:
        return 0.0

    def inner(u: float) -> float:
        y = u * math.exp(-u)
        other = float(-lambertw(-y, -1).real)
        z = np.sqrt(np.array([u, other]))
        q = density(z) / np.abs(2 * z * (1 - z * z) * np.exp(-z * z))
        mean = (q @ hermite_functions(z, k)[k]) ** 2 / q.sum()
        return float(2 * mean * (1 - u) * math.exp(-u))

    return float(quad(inner, 0, 1 - 1e-9, limit=400, epsabs=1e-8)[0])


@pytest.mark.parametrize(
    ("link", "value", "wide"),
    [(hermite(3), third, 1e-7), (hermite(4), fourth, 1e-6), (DampedSquare(), damped, 1e-4)],
    ids=["He3", "He4", "damped square"],
)
def test_brackets_hold_the_level_set_integral(
    link: Link | Expansion, value: Callable[[int], float], wide: float
) -> None:
    """Quadrature of N^2 / D along explicit preimages shares no code with the brackets."""
    found = lambda_squared(link, max_degree=5)
    for k, e in enumerate(found, start=1):
        low, high = (float(end) for end in e.bounds)
        assert low - 2e-6 <= value(k) <= high + 2e-6
        assert high - low < wide


def binned(values: Any, z: Any, k: int, bins: int) -> float:
    """sum of (integral of h_k over a bin of labels)^2 / its mass, which is at most lambda_k^2.

    Equal labels stay in one bin.
    """
    weight = density(z)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    ends = np.searchsorted(np.cumsum(weight[order]) / weight.sum(), np.linspace(0, 1, bins + 1))
    starts = np.unique(np.searchsorted(ordered, ordered[ends[:-1]]))
    first = np.add.reduceat((weight * hermite_functions(z, k)[k])[order], starts)
    mass = np.add.reduceat(weight[order], starts)
    return float(np.sum(first**2 / mass) / weight.sum())


@pytest.mark.parametrize(
    ("expansion", "function", "cells"),
    [
        (Wave(Fraction(1, 3), 0), lambda z: np.sin(z + 1 / 3), 100),
        (Series((Fraction(0), Fraction(1), Fraction(1))),
         lambda z: z + (z * z - 1) / 2**0.5, 500),
        (named_expansion("min(abs(z - 1), 1) + z**2/9"),
         lambda z: np.minimum(np.abs(z - 1), 1) + z**2 / 9, 500),
    ],
    ids=["sin(z + 1/3)", "h1 + h2", "two kinks"],
)  # fmt: skip
def test_brackets_agree_with_fine_bins(expansion: Expansion, function: Any, cells: int) -> None:
    """Data processing: bins see less, and with many of them nearly all."""
    z = np.linspace(-8, 8, 1_000_001)
    found = lambda_squared(expansion, max_degree=3, cells=cells)
    for k, e in enumerate(found, start=1):
        low, high = (float(end) for end in e.bounds)
        seen = binned(function(z), z, k, 10_000)
        assert low - 5e-3 < seen < high + 1e-3
        assert high - low < 1e-4


def random_piecewise(rng: random.Random) -> Piecewise:
    breaks = sorted({Fraction(rng.randrange(-8, 9), rng.choice([1, 3])) for _ in range(2)})
    pieces = (
        tuple(
            Fraction(rng.randrange(-5, 6), rng.choice([1, 2])) for _ in range(rng.randrange(1, 5))
        )
        for _ in range(len(breaks) + 1)
    )
    return Piecewise(tuple(breaks), tuple(pieces))


def test_random_piecewise_polynomials() -> None:
    """Atoms, jumps, folds and repeated critical values: bins never see more than the bracket."""
    rng, z = random.Random(4), np.linspace(-8, 8, 100_001)
    for _ in range(12):
        f = random_piecewise(rng)
        where = np.searchsorted([float(b) for b in f.breaks], z)
        rows = [np.polyval([float(c) for c in reversed(p)], z) for p in f.pieces]
        fine, coarse = (lambda_squared(f, max_degree=2, cells=c) for c in (100, 20))
        for k, (e, wide) in enumerate(zip(fine, coarse, strict=True), start=1):
            low, high = (float(end) for end in e.bounds)
            assert low - 0.02 < binned(np.choose(where, rows), z, k, 1500) < high + 5e-3
            assert wide.bounds[0] <= e.bounds[1]
            assert e.bounds[0] <= wide.bounds[1]


def test_more_cells_narrow_the_bracket() -> None:
    """All brackets of one number meet."""
    coarse, fine = (lambda_squared(DampedSquare(), max_degree=6, cells=c) for c in (60, 900))
    for a, b in zip(coarse, fine, strict=True):
        assert a.bounds[0] <= b.bounds[1]
        assert b.bounds[0] <= a.bounds[1]
        assert b.width <= a.width
    assert 0 < fine[3].width < Fraction(1, 1000)
    assert float(fine[3]) == pytest.approx(0.23, abs=1e-3)


def test_nothing_is_guessed_from_a_small_float() -> None:
    """An even function that is not known to be even has open odd degrees, and no exponent."""
    hidden = Integrated(lambda z, analytic: (-z * z).exp())
    found = information_exponent(hidden, max_degree=2, digits=10)
    assert [v.status for v in found.verdicts] == ["open", "nonzero"]
    assert found.value is None
    assert not found.decided
    assert "undecided from degree 1" in found.statement
    general = generative_exponent(hidden, max_degree=2)
    assert [v.status for v in general.verdicts] == ["open", "nonzero"]
    coefficient = float(found.verdicts[1].number)
    assert 0 < float(general.verdicts[1].number.bounds[0]) <= coefficient**2 / 0.44
    assert general.value is None


def test_exponents_beyond_the_degrees_asked() -> None:
    """All zero up to max_degree says only that; a constant has no exponent at all."""
    found = information_exponent(hermite(6), max_degree=5)
    assert (found.value, found.decided) == (None, False)
    assert "more than 5" in found.statement
    split = Piecewise((Fraction(1),), ((Fraction(3),),) * 2)
    for result in (
        information_exponent(named_expansion("3")),
        generative_exponent(named_expansion("3")),
        generative_exponent(split),
    ):
        assert (result.value, result.decided) == (None, True)
        assert "constant" in result.statement


def test_generative_exponent_is_at_most_the_information_exponent() -> None:
    """T = id is one of the transforms: lambda_k^2 >= c_k^2 / E[g^2]."""
    for text in ("z**3 - 2*z + z**2", "relu(z - 1) - z**2/5", "z**5 - 10*z**3 + 15*z"):
        f = named_expansion(text)
        information = information_exponent(f, max_degree=5)
        generative = generative_exponent(f, max_degree=5, cells=60)
        assert information.value is not None
        assert generative.value is not None
        assert generative.value <= information.value


@pytest.mark.parametrize(
    "link", [hermite(3), relu(-0.5), leaky_relu(-0.5), Residual(relu(), 2)], ids=repr
)
def test_the_best_transform_attains_lambda(link: Link) -> None:
    """E[T(Y)^2] = E[T(Y) h_k] = lambda_k^2 for T = zeta_k."""
    z = (np.arange(100_000) + 0.5) * 16 / 100_000 - 8
    weight = density(z) * 16 / 100_000
    found = lambda_squared(link, max_degree=3, cells=CELLS)
    for k in (1, 2, 3):
        transformed = LabelTransform(link, k)(link(z))
        value = float(found[k - 1])
        assert weight @ transformed**2 == pytest.approx(value, abs=2e-4)
        assert weight @ (transformed * hermite_functions(z, k)[k]) == pytest.approx(value, abs=2e-4)


def test_gaussian_noise_on_the_identity_is_mehler() -> None:
    """y = z + s N(0, 1) has lambda_k^2 = (1 + s^2)^-k."""
    for noise in (0.5, 1.0, 2.0):
        found = noisy_lambda_squared(HermiteSeries((0.0, 1.0)), noise=noise, max_degree=5)
        for k, e in enumerate(found, start=1):
            assert abs(e.value - (1 + noise**2) ** -k) <= e.error
            assert e.error < 1e-5
            assert e.grade == "estimate"


def test_noise_hides_and_less_noise_hides_less() -> None:
    """Data processing along y -> y + noise."""
    clean = [float(e) for e in lambda_squared(relu(), max_degree=3)]
    some = [float(e) for e in noisy_lambda_squared(relu(), noise=0.05, max_degree=3)]
    more = [float(e) for e in noisy_lambda_squared(relu(), noise=0.5, max_degree=3)]
    assert all(a > b > c > 0 for a, b, c in zip(clean, some, more, strict=True))
    assert some == pytest.approx(clean, abs=0.06)


def test_label_flips_scale_lambda() -> None:
    """A sign flipped with probability 1/10 keeps 0.8^2 of every lambda_k^2."""

    def flipped(y: Any, z: Any) -> Any:
        return 0.5 + 0.4 * y * np.sign(z)

    found = kernel_lambda_squared(flipped, labels=[-1, 1], kinks=[0.0], max_degree=5)
    exact = lambda_squared(sign(), max_degree=5)
    for a, b in zip(found, exact, strict=True):
        assert abs(a.value - 0.64 * float(b)) <= a.error


def test_the_command_keeps_its_contract(tmp_path: Path) -> None:
    path = tmp_path / "e.json"
    args = ["exponents", "z**2*exp(-z**2)", "--max-degree", "4", "--json", str(path)]
    result = CliRunner().invoke(app, args)
    assert result.exit_code == 0
    assert "4 (proved)" in result.output
    report = json.loads(path.read_text())
    assert list(report) == ["schema", "information", "generative", "lambda_squared"]
    assert report["schema"] == "sqsim.exponents/1"
    assert (report["information"], report["generative"]) == (4, 4)
    assert [row["degree"] for row in report["lambda_squared"]] == [1, 2, 3, 4]
    assert report["lambda_squared"][1] == {"degree": 2, "lower": "0", "upper": "0"}
    last = report["lambda_squared"][3]
    assert Fraction(last["lower"]) < Fraction("0.22996") < Fraction(last["upper"])
    quiet = CliRunner().invoke(app, ["exponents", "relu", "--bias", "-2", "--quiet"])
    assert (quiet.exit_code, quiet.output) == (0, "")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["exponents", "1/z"], "pole at z = 0"),
        (["exponents", "relu", "--max-degree", "0"], "max_degree"),
        (["exponents", "relu", "--max-degree", "1000"], "max_degree"),
        (["exponents", "z**2*exp(-z**2)", "--bias", "1"], "bias"),
        (["exponents", "relu", "--json", "/no/such/folder/e.json"], "folder"),
    ],
    ids=["not square integrable", "degree 0", "degree 1000", "bias of an expression", "no folder"],
)
def test_bad_commands_say_what_to_do(args: list[str], said: str) -> None:
    result = CliRunner().invoke(app, args)
    assert isinstance(result.exception, BadInput)
    assert said in str(result.exception)


def test_bad_input_is_named() -> None:
    with pytest.raises(BadInput, match="cells"):
        lambda_squared(relu(), cells=3)
    with pytest.raises(BadInput, match="digits"):
        information_exponent(relu(), digits=10**9)
    with pytest.raises(BadInput, match="noise"):
        noisy_lambda_squared(relu(), noise=0.0)
    with pytest.raises(BadInput, match="too many"):
        noisy_lambda_squared(hermite(8), noise=1e-4)
    with pytest.raises(BadInput, match="weights"):
        kernel_lambda_squared(lambda y, z: y * z, labels=[1.0], weights=[1.0, 2.0])
    with pytest.raises(BadInput, match="kernel"):
        kernel_lambda_squared(lambda y, z: -np.ones_like(y * z), labels=[1.0])

    class Unknown(Link):
        def __call__(self, t: Any) -> Any:
            return np.tanh(t)

    with pytest.raises(BadInput, match="exact form"):
        LabelTransform(Unknown(), 1)
