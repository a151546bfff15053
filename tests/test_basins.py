"""Basins of local steps: proved ratios against other arithmetic, the limit law, the command."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import log_ndtr, ndtr
from typer.testing import CliRunner

from sqsim.cli import app
from sqsim.errors import BadInput, SqsimError
from sqsim.lowerbounds.basin_limits import (
    LimitLaw,
    best_shift,
    cap_angle,
    limit_roots,
    limit_threshold,
    optimal_exponent,
    plain_exponent,
    reweighted_exponent,
    two_stage_bias,
)
from sqsim.lowerbounds.basins import (
    STEPS,
    LocalStep,
    OptimalStep,
    PlainStep,
    ReweightedStep,
    SmoothedStep,
    basin_point,
)
from sqsim.lowerbounds.expansions import Piecewise
from sqsim.lowerbounds.orthants import closed_correlation
from sqsim.lowerbounds.plackett import orthant
from sqsim.lowerbounds.precision import Enclosure, ball, working_bits
from sqsim.report.basins import basin_figure
from sqsim.report.figures import svg
from sqsim.studies.basin import Grid, Place, basin_study
from sqsim.updates import Update, optimal, plain, reweighted, smoothed

NAMES = [step.name for step in STEPS]


def ratio(step: LocalStep, a: int, overlap: str, alpha: int = 100) -> float:
    found = basin_point(step, bias=-a, alpha=alpha, overlap=overlap).noise_to_signal
    return float(found)


def weight_of(step: LocalStep, bias: float, overlap: float) -> Update:
    """The learner's weight, written in floats by another hand."""
    match step:
        case PlainStep():
            return plain(bias)
        case ReweightedStep(rho, cut):
            return reweighted(bias, rho=float(rho), overlap=float(cut))
        case SmoothedStep(rho):
            return smoothed(bias, rho=float(rho))
    return optimal(bias, overlap=overlap)


@pytest.mark.parametrize("overlap", ["0.5", "0.9", "0.95", "0.99"])
@pytest.mark.parametrize("a", [0, 1, 3, 5])
@pytest.mark.parametrize("step", STEPS, ids=NAMES)
def test_proved_numbers_are_those_of_float_quadrature(step, a, overlap):
    """Signal by Stein's identity and norm, each integrated over z with the learner's own weight."""
    found = basin_point(step, bias=-a, alpha=7, overlap=overlap)
    cosine = float(overlap)
    sine, update = math.sqrt(1 - cosine**2), weight_of(step, -float(a), cosine)

    def density(z: float) -> float:
        return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    def h(z: float) -> float:
        return float(update.weight(np.array([z]))[0])

    def mean(f) -> float:
        knots = sorted({-10.0, *(k for k in update.kinks if abs(k) < 14), float(a), a + 2.0, 14.0})
        return sum(quad(f, s, t, epsabs=0, epsrel=1e-11, limit=200)[0] for s, t in pairwise(knots))

    signal = sine * mean(lambda z: h(z) * ndtr((cosine * z - a) / sine) * density(z))
    norm = math.sqrt(mean(lambda z: h(z) ** 2 * density(z)))
    energy = mean(lambda z: max(z - a, 0.0) ** 2 * density(z))
    assert float(found.signal) == pytest.approx(signal, rel=1e-8)
    assert float(found.weight_norm) == pytest.approx(norm, rel=1e-8)
    expected = math.sqrt(energy / 7) * norm / signal
    assert float(found.noise_to_signal) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("cosine", ["0", "0.3", "0.9", "0.9999"])
@pytest.mark.parametrize("s", ["0", "1/3", "4", "25"])
def test_the_orthant_is_the_correlation_of_two_steps(s, cosine):
    """Two routes to P(X > s, Y > s), both proved: they must overlap, to 25 digits."""
    at = Fraction(s)
    step = Piecewise((at,), ((Fraction(0),), (Fraction(1),)))
    with working_bits(140):
        r = ball(Fraction(cosine))
        mine, other = orthant(ball(at), None, r.acos()), closed_correlation(step, r)
        assert other is not None
        assert mine.overlaps(other)
        assert mine.rel_accuracy_bits() > 85


@pytest.mark.parametrize(("s", "t"), [(1.0, 1.2), (0.3, 4.0), (2.0, 2.0)])
@pytest.mark.parametrize("r", [0.1, 0.8, 0.999])
def test_orthants_of_two_thresholds_are_mpmath_integrals(s, t, r):
    with working_bits(120):
        found = orthant(ball(Fraction(s)), ball(Fraction(t)), ball(Fraction(r)).acos())
        middle = float(found.mid())
    sine = mpmath.sqrt((1 - mpmath.mpf(r)) * (1 + mpmath.mpf(r)))
    expected = mpmath.quad(
        lambda z: mpmath.npdf(z) * mpmath.ncdf((r * z - t) / sine),
        sorted({s, max(s, t / r), max(s, t / r) + 0.2, max(s, t / r) + 2, 12}),
    )
    assert middle == pytest.approx(float(expected), rel=1e-9)


# The two tables of section 1.5 of the project's theory, three or four digits each.

SIZES = (3, 5, 8, 12, 20, 30)
TABLE = {
    ("reweighted", "0.9"): (0.193, 0.249, 0.593, 4.24, 2.95e3, 1.28e9),
    ("reweighted", "0.95"): (0.213, 0.215, 0.297, 0.707, 15.1, 7.4e3),
    ("reweighted", "0.99"): (0.373, 0.310, 0.276, 0.279, 0.409, 1.14),
    ("plain", "0.9"): (0.197, 0.254, 0.625, 4.76),
    ("plain", "0.95"): (0.207, 0.205, 0.282, 0.700),
}


@pytest.mark.parametrize(("name", "overlap"), TABLE)
def test_ratios_at_alpha_100_are_the_tabulated_ones(name, overlap):
    (step,) = (s for s in STEPS if s.name == name)
    for a, expected in zip(SIZES, TABLE[name, overlap], strict=False):
        assert ratio(step, a, overlap) == pytest.approx(expected, rel=5e-3)


def test_reweighting_at_overlap_nine_tenths_can_be_fooled_from_a_bias_between_9_and_10_on():
    """At alpha = 100, where the analysis of the reweighting starts."""
    assert [ratio(ReweightedStep(), a, "0.9") < 1 for a in (7, 8, 9, 10)] == [1, 1, 1, 0]


@settings(max_examples=25)
@given(st.integers(0, 40), st.integers(1, 99), st.integers(2, 500))
def test_no_weight_beats_the_optimal_one_nor_cauchy_schwarz(a, cosine, alpha):
    """ratio >= that of the optimal weight >= 1 / sqrt(alpha), whatever the bias and the angle."""
    overlap = Fraction(cosine, 100)
    found = [
        basin_point(s, bias=-a, alpha=alpha, overlap=overlap, digits=10).noise_to_signal.bounds
        for s in STEPS
    ]
    best = found[NAMES.index("optimal")]
    assert all(high >= best[0] for _, high in found)
    assert best[1] ** 2 * alpha >= 1


def test_the_smoothed_weight_of_the_right_overlap_is_the_optimal_one():
    a = basin_point(SmoothedStep(Fraction(7, 10)), bias=-4, alpha=9, overlap="0.7")
    b = basin_point(OptimalStep(), bias=-4, alpha=9, overlap="0.7")
    assert abs(float(a.noise_to_signal) / float(b.noise_to_signal) - 1) < 1e-13


@pytest.mark.parametrize("rho", ["0.5", "0.8", "0.95"])
@pytest.mark.parametrize("a", [1, 4, 9])
def test_smoothed_steps_keep_two_thirds_of_the_signal_under_the_published_condition(a, rho):
    """rho <= cos(theta) and sin(theta) >= 3 sqrt(OPT) / ||h|| give noise <= signal / 3."""
    step = SmoothedStep(Fraction(rho))
    for overlap in (Fraction(rho), (1 + Fraction(rho)) / 2):
        free = basin_point(step, bias=-a, alpha=1, overlap=overlap)
        # noise_to_signal sqrt(alpha) is sqrt(||s||^2) norm / signal; OPT is put on the boundary.
        sine = math.sqrt(1 - float(overlap) ** 2)
        norm = float(free.weight_norm)
        energy = (float(free.noise_to_signal) * float(free.signal) / norm) ** 2
        opt = (sine * norm / 3) ** 2
        at = basin_point(step, bias=-a, alpha=energy / opt, overlap=overlap)
        assert float(at.noise_to_signal) <= (1 + 1e-12) / 3


# b -> -infinity.

ROOTS = {
    10: ((0.532, 3.35), (0.579, 2.82)),
    30: ((0.281, 4.07), (0.292, 3.60)),
    100: ((0.148, 4.69), (0.150, 4.26)),
    1000: ((0.0453, 5.66), (0.0455, 5.26)),
    10**4: ((0.0142, 6.47), (0.0142, 6.09)),
}


@pytest.mark.parametrize("alpha", ROOTS)
def test_limit_roots_are_the_tabulated_ones_and_change_the_sign(alpha):
    """Each bracket is narrow, and mpmath sees the sign change across it."""
    for law, expected in zip((LimitLaw.OPTIMAL, LimitLaw.PLAIN), ROOTS[alpha], strict=True):
        roots = limit_roots(law, alpha=alpha, digits=20)
        assert roots is not None
        for root, value, turn in zip(roots, expected, (1, -1), strict=True):
            assert float(root) == pytest.approx(value, rel=4e-3)
            assert root.digits >= 19
            low, high = (sign_of(law, end, alpha) for end in (root.lower, root.upper))
            assert (low, high) == (-turn, turn)


def sign_of(law: LimitLaw, c: str, alpha: int) -> int:
    context = mpmath.mp.clone()
    context.dps = 40
    x = context.mpf(c)
    if law is LimitLaw.PLAIN:
        value = 2 * x**2 * context.ncdf(-x / 2) ** 2
    else:
        value = x**2 * context.ncdf(-x / context.sqrt(2))
    return int(context.sign(value - context.mpf(1) / alpha))


@pytest.mark.parametrize(("law", "value"), [(LimitLaw.OPTIMAL, 3.017), (LimitLaw.PLAIN, 4.327)])
def test_thresholds_are_the_reciprocal_of_the_largest_progress(law, value):
    """Against a scan of the closed form; just below it there are no roots, just above two."""
    threshold = limit_threshold(law, digits=20)
    assert float(threshold) == pytest.approx(value, abs=5e-4)
    c = np.linspace(0.5, 6, 200_001)
    plain_form, best_form = 2 * (c * ndtr(-c / 2)) ** 2, c * c * ndtr(-c / math.sqrt(2))
    scan = plain_form if law is LimitLaw.PLAIN else best_form
    assert float(threshold) == pytest.approx(1 / scan.max(), rel=1e-9)
    low, high = threshold.bounds
    shift = Fraction(1, 10**9)
    assert limit_roots(law, alpha=low - shift) is None
    assert limit_roots(law, alpha=high + shift) is not None


@pytest.mark.parametrize(("step", "law"), [(PlainStep(), "plain"), (OptimalStep(), "optimal")])
@pytest.mark.parametrize("c", ["0.15", "1", "4"])
def test_ratios_tend_to_the_limit_law(step, law, c):
    """At angle c / |b| the square of alpha ratio^2 progress goes to 1 like 1 / b^2."""
    progress = {
        "plain": 2 * (float(c) * ndtr(-float(c) / 2)) ** 2,
        "optimal": float(c) ** 2 * math.exp(log_ndtr(-float(c) / math.sqrt(2))),
    }[law]
    gaps = []
    for a in (50, 200, 800):
        found = basin_point(step, bias=-a, alpha=1, angle=Fraction(c) / a, digits=8)
        gaps.append(float(found.noise_to_signal) ** 2 * progress - 1)
    assert abs(gaps[-1]) < 2e-4
    assert abs(gaps[1]) < abs(gaps[0]) / 12
    assert abs(gaps[2]) < abs(gaps[1]) / 12


@given(st.fractions(0, 1, max_denominator=50), st.fractions(Fraction(1, 50), 1, max_denominator=50))
def test_the_reweighted_exponent_is_never_negative_by_an_exact_identity(rho, cut):
    """It is the optimal exponent plus a square, in rationals; so no shift turns its sign."""
    shift = best_shift(cut).value
    factor = (1 - cut**2) / 4 if rho <= shift else Fraction(1, 2)
    square = factor * (1 + cut**2) * (rho - shift) ** 2
    found = reweighted_exponent(rho, cut).value
    assert found == optimal_exponent(cut).value + square
    assert found >= 0
    assert (found == 0) <= (cut == 1)
    assert plain_exponent(cut).value >= optimal_exponent(cut).value


def test_exponents_at_a_few_shifts_are_half_the_tabulated_ones():
    """The table gives twice the exponent per b^2, as its formula does."""
    doubled = [float(2 * reweighted_exponent(r, "0.9").value) for r in ("0.3", "0.4", "0.5", "0.6")]
    assert doubled == pytest.approx([0.0592, 0.0541, 0.0525, 0.0716], abs=5e-5)
    assert float(2 * reweighted_exponent("0.5", "0.95").value) == pytest.approx(0.0256, abs=5e-5)
    assert float(2 * reweighted_exponent("0.5", "0.99").value) == pytest.approx(0.0050, abs=5e-5)
    assert reweighted_exponent("0.5", 1).value == reweighted_exponent("0.3", 1).value == 0


@pytest.mark.parametrize(
    "step", [PlainStep(), ReweightedStep(), OptimalStep()], ids=lambda s: s.name
)
def test_exponents_are_the_growth_of_the_proved_ratios(step):
    """log ratio at |b| = 400 and 800, overlap 0.9: powers of b cancel like log(2) / b^2."""
    exponent = {
        "plain": plain_exponent("0.9"),
        "reweighted": reweighted_exponent("0.5", "0.9"),
        "optimal": optimal_exponent("0.9"),
    }[step.name]
    logs = []
    for a in (400, 800):
        found = basin_point(step, bias=-a, alpha=1, overlap="0.9", digits=8).noise_to_signal
        logs.append(float(mpmath.log(mpmath.mpf(found.lower))))
    slope = (logs[1] - logs[0]) / (800**2 - 400**2)
    assert slope == pytest.approx(float(exponent), abs=2e-5)


def test_the_caps_tilt_is_that_of_two_weighted_directions():
    """Half arcsin(2e / alpha), against the top eigenvector over a scan of the cap's direction."""
    assert float(cap_angle(100)) == pytest.approx(0.0272, abs=5e-5)
    share = 2 * math.e / 100
    worst = 0.0
    for psi in np.linspace(0.7, 0.9, 2001):
        u = np.array([math.cos(psi), math.sin(psi)])
        top = np.linalg.eigh(np.diag([1.0, 0.0]) + share * np.outer(u, u))[1][:, -1]
        worst = max(worst, abs(math.atan2(top[1], top[0]) % math.pi))
    assert float(cap_angle(100)) == pytest.approx(worst, abs=1e-7)
    assert float(cap_angle(5)) == pytest.approx(math.pi / 2)


def test_the_two_stage_bias_is_where_the_tilt_leaves_the_basin():
    found = {alpha: two_stage_bias(alpha) for alpha in (30, 100)}
    assert [round(float(value)) for value in found.values() if value] == [45, 173]
    assert two_stage_bias(3) is None


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: basin_point(PlainStep(), bias=1, alpha=9, overlap="0.9"), "bias"),
        (lambda: basin_point(PlainStep(), bias=-9999, alpha=9, overlap="0.9"), "limit law"),
        (lambda: basin_point(PlainStep(), bias=-1, alpha=0, overlap="0.9"), "positive"),
        (lambda: basin_point(PlainStep(), bias=-1, alpha=9, overlap=1), "nothing to learn"),
        (lambda: basin_point(PlainStep(), bias=-1, alpha=9, angle=2), "pi / 2"),
        (lambda: basin_point(PlainStep(), bias=-1, alpha=9), "exactly one"),
        (lambda: SmoothedStep(Fraction(1)), "rho"),
        (lambda: ReweightedStep(Fraction(2)), "rho"),
        (lambda: limit_roots(LimitLaw.PLAIN, alpha="-1"), "alpha"),
        (lambda: reweighted_exponent(2, "0.9"), "rho"),
        (lambda: plain_exponent(0), "overlap"),
        (lambda: cap_angle(0), "positive"),
        (lambda: Grid(5, 2), "LO < HI"),
        (lambda: Grid(2, 5, 2), "grid"),
        (lambda: basin_study(alpha=9, workers=0), "workers"),
        (lambda: basin_figure({"schema": "sqsim.basin/1"}), "no grid"),
    ],
)
def test_bad_input_is_refused_with_what_was_wanted(call, words):
    with pytest.raises(BadInput, match=words):
        call()


# The study, its picture and the command.


def test_the_study_does_not_depend_on_its_processes():
    grid = Grid(2, 50, 11)
    one = basin_study(alpha=100, grid=grid)
    assert one == basin_study(alpha=100, grid=grid, workers=2)
    assert len(one["points"]) == 4 * 11 * 11


def test_the_picture_has_a_curve_for_each_update_and_the_limit_lines():
    results = basin_study(alpha=100, grid=Grid(2, 200, 12), places=[Place(overlap=Fraction(9, 10))])
    text = svg(basin_figure(results))
    for name in NAMES:
        assert f'id="boundary-{name}"' in text
    assert text.count('id="limit-plain"') == text.count('id="limit-optimal"') == 2
    assert "computed here" in text
    assert svg(basin_figure(results)) == text


def call(*arguments: object) -> str:
    done = CliRunner().invoke(app, ["basin", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_the_command_prints_brackets_and_writes_them(tmp_path):
    copy = tmp_path / "b.json"
    shown = call("--biases", "3,-5", "--alpha", 100, "--overlap", "0.9", "--angles", "0.1",
                 "--json", copy)  # fmt: skip
    assert "[0.193293, 0.193294]" in shown
    results = json.loads(copy.read_text())
    assert results["schema"] == "sqsim.basin/1"
    assert len(results["points"]) == 2 * 2 * 4
    assert {point["bias"] for point in results["points"]} == {-3.0, -5.0}
    first = Enclosure(**results["points"][0]["noise_to_signal"])
    expected = basin_point(PlainStep(), bias=-3, alpha=100, overlap="0.9").noise_to_signal
    assert first.bounds[0] <= Fraction(expected.upper)
    assert Fraction(expected.lower) <= first.bounds[1]
    assert first.digits >= 11
    assert float(results["limit_roots"][1]["lower"]) == pytest.approx(4.6915, abs=1e-4)


def test_the_command_draws_one_update_over_a_range(tmp_path):
    call("--bias-range", "2:20", "--alpha", 30, "--update", "plain", "--grid", 8,
         "--out", tmp_path / "out", "--quiet")  # fmt: skip
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert len(results["points"]) == 64
    assert results["limit_roots_of"] == "plain"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "results.json", "basin.svg", "basin.png"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--alpha", "9"], "--bias"),
        (["--alpha", "9", "--bias", "3", "--update", "best"], "wanted plain"),
        (["--alpha", "9", "--bias-range", "3"], "LO:HI"),
        (["--alpha", "x", "--bias", "3"], "alpha"),
    ],
)
def test_the_command_refuses_what_it_does_not_understand(arguments, words):
    with pytest.raises(SqsimError, match=words):
        CliRunner().invoke(app, ["basin", *arguments], catch_exceptions=False)
