"""The studies that come with sqsim: cells, what is proved beside them, and summaries."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from sqsim.errors import BadInput
from sqsim.links import Relu, sign
from sqsim.loop import run
from sqsim.lowerbounds import PlainStep, ReweightedStep
from sqsim.lowerbounds.label_kernels import label_spectrum, moments_beyond
from sqsim.lowerbounds.spectrum import sphere_moment
from sqsim.oracles import sq
from sqsim.oracles.policies import exact
from sqsim.problems import ReluRegression
from sqsim.problems.corruption import Decoy
from sqsim.studies import Study, run_study, shipped, shipped_studies
from sqsim.studies.access_cells import under_access
from sqsim.studies.basin_crossings import certified_crossing
from sqsim.studies.budget_cells import smallest_budget
from sqsim.studies.cells import canonical, measure_named
from sqsim.studies.certified import certified_csq_queries
from sqsim.studies.comparisons import boundaries, certified_against_measured, gap
from sqsim.studies.critical_cells import critical_bias
from sqsim.studies.crossing import locate
from sqsim.studies.dimension_cells import dimensions
from sqsim.studies.exporting import records
from sqsim.studies.figures import Figure, figures_of
from sqsim.studies.frontiers import csq_frontier
from sqsim.studies.marginal_cells import bounded, under
from sqsim.studies.marginals import LAWS, MarginalNeuron
from sqsim.studies.network_cells import several
from sqsim.studies.parameter_cells import TwoStages, tuned, two_stages
from sqsim.studies.parity_cells import parity
from sqsim.studies.store import open_for_reading
from sqsim.studies.summaries import (
    expected_running_times,
    needed_tolerances,
    smallest_budgets,
    success_rates,
)
from sqsim.studies.tolerance_cells import smallest_tolerance
from sqsim.tolerance import L2

NAMES = [study.name for study in shipped_studies()]


def first_cells(study: Study, *, count: int) -> list[dict[str, Any]]:
    """Arguments of the first settings, with seed 0."""
    return [{**setting, "seed": 0} for setting in islice(study.settings(), count)]


# ---- the specifications


def test_every_subject_of_the_plan_has_a_study() -> None:
    """Separation, critical bias, dimensions, parameters, marginals, networks, parity, access."""
    wanted = {
        *("separation", "frontier", "critical-bias", "local-basin", "dimensions", "parameters"),
        *("other-marginals", "marginal-dimensions", "several-neurons", "parity", "access-models"),
    }
    assert wanted <= set(NAMES)


@pytest.mark.parametrize("size", ["small", "full"])
@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_study_is_read_and_its_figures_are_known(name: str, size: str) -> None:
    """Both sizes; the file is named after the study, and figures have a text for the blind."""
    study = shipped(name, size=size)
    assert study.name == name
    assert study.title
    assert study.note
    assert len(study) >= 8
    assert figures_of(study)
    assert all(figure.title and figure.caption for figure in figures_of(study))


@pytest.mark.parametrize("name", NAMES)
def test_the_first_cell_of_a_shipped_study_runs_and_has_what_figures_read(name: str) -> None:
    """A column that no row has would be an empty figure."""
    study = shipped(name)
    study.check()
    arguments = first_cells(study, count=1)[0]
    row = measure_named(study.measure)(**arguments)
    columns = {"seed", "tolerance", *row}
    for table, values in arguments.items():
        columns |= {f"{table}.{key}" for key in values} if isinstance(values, dict) else set()
    later = {f"algorithm.{key}" for table in _tables(study.algorithm) for key in table}
    for figure in figures_of(study):
        assert set(figure.columns) <= columns | later
    assert canonical(row)


def _tables(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given or {}]


@pytest.mark.parametrize("name", ["access-models", "dimensions", "local-basin", "parity"])
def test_rows_are_the_same_in_two_runs(name: str) -> None:
    """A store is the same whoever computed it: no time, no state, no global generator in a row."""
    study = shipped(name)
    measure = measure_named(study.measure)
    for arguments in first_cells(study, count=2):
        assert canonical(measure(**arguments)) == canonical(measure(**arguments))


def test_a_figure_that_cannot_be_drawn_is_refused() -> None:
    """Before hours of runs."""
    with pytest.raises(BadInput, match="kind of a figure"):
        Figure("pie", "x", "y")
    with pytest.raises(BadInput, match="coloured column"):
        Figure("heat", "x", "y")
    with pytest.raises(BadInput, match="two ends"):
        Figure("curve", "x", "y", low="a")
    with pytest.raises(BadInput, match="axes are"):
        Figure("curve", "x", "y", log=("z",))
    with pytest.raises(BadInput, match="did you mean 'caption'"):
        figures_of(Study("s", figures=[{"kind": "curve", "x": "a", "y": "b", "captoin": ""}]))


# ---- boundaries


@pytest.mark.parametrize("boundary", [-0.31, -2.0, -3.99])
def test_a_boundary_is_bracketed(boundary: float) -> None:
    """The bracket holds it, is as narrow as asked, and its two ends were seen."""
    found = locate(lambda b: b > boundary, np.linspace(0, -4, 5).tolist(), width=0.05)
    assert found.succeeds is not None
    assert found.fails is not None
    assert found.fails <= boundary < found.succeeds
    assert found.error is not None
    assert found.error <= 0.025
    assert found.regular


def test_a_boundary_that_is_not_met_or_not_one_is_told() -> None:
    """Success everywhere, nowhere, or again beyond a failure."""
    assert locate(lambda b: True, [0.0, -1.0], width=0.1).middle is None
    assert locate(lambda b: False, [0.0, -1.0], width=0.1).middle is None
    assert not locate(lambda b: abs(b + 1) > 0.5, [0.0, -1.0, -2.0], width=0.1).regular


@pytest.mark.parametrize("update", ["plain", "reweighted"])
@pytest.mark.parametrize("alpha", [30.0, 100.0, 300.0])
def test_the_measured_boundary_of_a_step_is_the_certified_crossing(
    update: str, alpha: float
) -> None:
    """Exact answers under the worst labels fail where noise / signal passes 1, within 0.05."""
    row = critical_bias(
        problem={
            "dimension": 5,
            "corruption": "worst-case",
            "update": update,
            "overlap": 0.9,
            "alpha": alpha,
        },
        algorithm={"name": "local-step", "update": update},
        oracle={"model": "unperturbed"},
        parameters={"shallow": -1.0, "deep": -21.0, "points": 6, "width": 0.04},
        seed=1,
    )
    assert row["regular"]
    assert row["error"] <= 0.02
    low, high = Fraction(row["certified_below"]), Fraction(row["certified_above"])
    assert 0 < high - low <= Fraction(1, 10**4)
    assert row["fails"] <= high
    assert low <= row["succeeds"]


def test_a_tolerance_makes_a_step_fail_earlier() -> None:
    """Answers pushed towards zero hide what is left of the signal."""
    places = []
    for tolerance in (1e-9, 1e-5, 1e-3):
        row = critical_bias(
            problem={"dimension": 5, "corruption": "worst-case", "overlap": 0.9},
            algorithm={"name": "local-step"},
            oracle={"policy": "toward-zero"},
            tolerance=tolerance,
            parameters={"shallow": -1.0, "deep": -12.0, "points": 6, "width": 0.1},
            seed=0,
        )
        places.append(row["critical_bias"])
    assert places[0] < places[1] < places[2]


@pytest.mark.parametrize("step", [PlainStep(), ReweightedStep()], ids=["plain", "reweighted"])
def test_the_certified_crossing_is_where_quadrature_says(step: Any) -> None:
    """||sigma_b|| / sqrt(alpha) ||h|| = S E[h(Z) Phi((L Z + b) / S)], integrated by floats."""
    alpha, overlap, sine = 100.0, 0.9, math.sqrt(0.19)
    found = certified_crossing(step, overlap="0.9", alpha=100, shallow=-1, deep=-20)
    assert found is not None
    a = -float(sum(found) / 2)
    shift = 0.5 * a if isinstance(step, ReweightedStep) else 0.0
    cut = (0.5 + 0.9 - 0.81 * 0.5) * a if shift else a

    # exp(shift z - shift^2 / 2) phi(z) = phi(z - shift): no factor leaves the range of floats.
    signal, _ = quad(
        lambda z: norm.pdf(z - shift) * norm.cdf((overlap * z - a) / sine), cut, cut + 12
    )
    square, _ = quad(lambda z: norm.pdf(z - 2 * shift) * math.exp(shift**2), cut, cut + 12)
    noise = math.sqrt(Relu(-a).second_moment / alpha * square)
    assert noise / (sine * signal) == pytest.approx(1.0, abs=2e-3)


def test_a_range_without_a_crossing_is_none() -> None:
    """Both ends on one side."""
    assert certified_crossing(PlainStep(), overlap="0.9", alpha=100, shallow=-1, deep=-3) is None


def test_the_boundary_of_several_seeds_carries_spread_and_bracket() -> None:
    """Student's interval of three values plus the widest bracket; 4.3027 is t(0.975, 2)."""
    rows = [
        {"corruption": "noise", "critical_bias": place, "error": error}
        for place, error in ((-1.0, 0.05), (-1.2, 0.02), (-1.1, 0.05))
    ]
    rows.append({"corruption": "noise", "critical_bias": None, "error": None})
    (found,) = boundaries(rows, by=["corruption"])
    assert found["place"] == pytest.approx(-1.1)
    assert found["spread"] == pytest.approx(0.1)
    assert found["half_width"] == pytest.approx(4.302653 * 0.1 / math.sqrt(3) + 0.05, rel=1e-6)
    assert (found["runs"], found["unlocated"]) == (4, 1)


# ---- tolerances and budgets


def test_the_certified_frontier_is_where_the_certificate_passes_the_queries() -> None:
    """At it more are proved than were asked; a thirtieth below, not."""
    cell: dict[str, Any] = {"dimension": 50, "bias": -4.0, "cutoff": 5, "ratio": 1.5}
    found = csq_frontier(**cell, queries=1000)
    assert found is not None

    def proved(tolerance: float) -> Fraction:
        lower = certified_csq_queries(**cell, tolerance=tolerance, norm="l2")["lower"]
        return Fraction(10**100) if lower == "Infinity" else Fraction(lower)

    assert proved(float(found)) > 1000
    assert proved(float(found) * 10**-0.03) <= 1000
    begins = csq_frontier(**cell, queries=0)
    assert begins is not None
    assert begins < found


def test_no_correlational_learner_bears_a_tolerance_above_the_frontier() -> None:
    """The gap of a correlational learner is at least 1, and the statistical one bears far more."""
    cell: dict[str, Any] = {
        "problem": {"dimension": 50, "bias": -4.0, "corruption": "low-degree", "cutoff": 5},
        "oracle": {"policy": "toward-zero"},
        "parameters": {"fine": 1e-9, "coarse": 1e-3, "points": 3, "width": 2.0},
        "seed": 0,
    }
    learned = smallest_tolerance(algorithm={"name": "spectral-start"}, **cell)
    seen = smallest_tolerance(algorithm={"name": "thresholded-pca"}, **cell)
    assert learned["gap"] >= 1
    assert seen["needed_tolerance"] > 100 * learned["needed_tolerance"]
    assert Fraction(learned["csq_frontier"]) > Fraction(learned["certificate_begins"])


def test_the_smallest_budget_is_spent_by_the_first_good_iterate() -> None:
    """Not above the whole run's, and a result that has no iterates counts whole."""
    problem = {"dimension": 5, "corruption": "noise", "alpha": 10.0}
    oracle = {"model": "unperturbed"}
    row = smallest_budget(
        problem=problem, algorithm={"name": "gradient-descent"}, oracle=oracle, seed=0
    )
    assert row["success"]
    assert 0 < row["needed_queries"] < row["queries"] == 100 * 7
    assert row["needed_queries"] == 7 * row["needed_rounds"]
    whole = smallest_budget(
        problem=problem, algorithm={"name": "one-shot-regression"}, oracle=oracle, seed=0
    )
    assert whole["needed_queries"] == whole["queries"] == 5


# ---- dimensions


@pytest.mark.parametrize("harmonic", [0, 1, 2])
@pytest.mark.parametrize("degree", [0, 3, 6])
def test_moments_beyond_a_degree_are_the_sum_of_the_others(degree: int, harmonic: int) -> None:
    """The closed form against the series, which falls like m^-6 in dimension 12."""
    series = sum(sphere_moment(m, harmonic, 12) for m in range(degree + 1, 300))
    found = moments_beyond(degree, harmonic, 12)
    assert 0 < found - series < Fraction(1, 10**8)


def test_the_label_spectrum_of_a_sign_is_that_of_an_arcsine() -> None:
    """A sign is one bit: chi-square and correlation agree, k(t) = (2 / pi) arcsin t."""
    d = 9
    found = label_spectrum(sign(), dimension=d, max_degree=8)
    density = math.gamma(d / 2) / math.gamma((d - 1) / 2) / math.sqrt(math.pi)
    mean, _ = quad(
        lambda t: t * 2 / math.pi * math.asin(t) * density * (1 - t * t) ** ((d - 3) / 2), -1, 1
    )
    low, high = found.eigenvalues[1].bounds
    assert float(low) <= mean <= float(high)
    assert high - low < Fraction(1, 100)
    assert found.eigenvalues[2].bounds[0] == 0


def test_dimensions_of_the_class_are_those_of_its_largest_eigenvalues() -> None:
    """CSQ from the float Hermite coefficients; SQ below it once degrees are removed."""
    row = dimensions(problem={"dimension": 50, "bias": -2.0, "epsilon": 0.6}, seed=0)
    link = Relu(-2.0)
    squares = np.square(link.coefficients(60))
    removed = float(squares[: row["cutoff"] + 1].sum())
    assert removed <= 0.6 * link.second_moment < removed + squares[row["cutoff"] + 1]
    sums = [
        sum(squares[m] * float(sphere_moment(m, order, 50)) for m in range(row["cutoff"] + 1, 61))
        for order in (1, 2)
    ]
    assert row["csq_dimension"] == pytest.approx((link.second_moment - removed) / max(sums))
    assert Fraction(row["csq_dimension_lower"]) <= Fraction(row["csq_dimension_upper"])
    assert Fraction(row["sq_dimension_upper"]) < Fraction(row["csq_dimension_lower"])


def test_the_sq_dimension_grows_like_d_and_the_csq_dimension_faster() -> None:
    """From d = 100 to 1000 at bias -2: by 10 within a tenth, and by more than 50."""
    small, large = (
        dimensions(problem={"dimension": d, "bias": -2.0, "epsilon": 0.6}, seed=0)
        for d in (100, 1000)
    )
    assert large["sq_dimension"] / small["sq_dimension"] == pytest.approx(10, rel=0.1)
    assert large["csq_dimension"] / small["csq_dimension"] > 50


# ---- other laws


@pytest.mark.parametrize("law", list(LAWS))
def test_a_law_has_mean_zero_and_variance_one_and_labels_without_low_degrees(law: str) -> None:
    """Every monomial of degree up to the cutoff is orthogonal to the labels, on the table."""
    sample = MarginalNeuron(5, law=law, bias=-0.5, cutoff=2, examples=40_000).sample(3)
    assert np.abs(sample.inputs.mean(axis=0)).max() < 0.03
    assert np.abs(sample.inputs.var(axis=0) - 1).max() < 0.15
    table = sample.table()
    for monomial in (np.ones(len(table.targets)), sample.inputs[:, 1] * sample.inputs[:, 3]):
        assert abs(np.mean(monomial * table.targets)) < 1e-12


def test_the_estimated_dimension_of_the_gaussian_law_is_the_proved_one() -> None:
    """1 / lambda over the sphere, at as many examples and directions as a test can have."""
    row = bounded(problem={"dimension": 4, "bias": -1.0, "cutoff": 0, "examples": 40_000}, seed=0)
    proved = dimensions(problem={"dimension": 4, "bias": -1.0, "epsilon": 0.1}, seed=0)
    assert proved["cutoff"] == 0
    assert row["csq_dimension"] == pytest.approx(proved["csq_dimension"], rel=0.08)


def test_labels_that_vanish_under_a_law_are_refused_with_the_reason() -> None:
    """Signs in dimension 2 never reach a bias of -2."""
    with pytest.raises(BadInput, match="never active"):
        bounded(problem={"dimension": 2, "law": "signs", "bias": -2.0, "cutoff": 0}, seed=0)


def test_an_oracle_that_cannot_answer_under_a_law_gives_a_row_with_the_reason() -> None:
    """x_i^2 - 1 vanishes for signs, and so does a radius in units of its norm."""
    row = under(
        problem={"dimension": 6, "law": "signs", "bias": -1.0, "cutoff": 1},
        algorithm={"name": "thresholded-pca"},
        tolerance=0.01,
        seed=0,
    )
    assert (row["success"], row["status"]) == (False, "tolerance unreachable")
    assert "norm of the query vanishes" in row["message"]


# ---- parameters, parities, networks, access


def test_the_two_stages_cost_what_is_stated() -> None:
    """d(d + 1)/2 + 2 + steps (d + 1) + 2 queries in steps + 3 rounds."""
    choice = TwoStages(steps=5)
    instance = ReluRegression(6).draw(norm=1.0, bias=-2.0, corruptions=[Decoy(0.1, -2.0)])
    oracle = sq(instance, tolerance=L2(1e-6), policy=exact)
    result = run(two_stages(instance.problem, choice, norm=1.0, bias=-2.0, seed=0), oracle)
    assert result.ledger.queries == 21 + 2 + 5 * 7 + 2
    assert result.ledger.rounds == 5 + 3


def test_the_choices_of_the_paper_succeed_and_a_wrong_bias_does_not() -> None:
    """The loss over OPT of the two stages depends on what it is told."""
    cell: dict[str, Any] = {
        "problem": {"dimension": 8, "bias": -4.0, "corruption": "decoy", "alpha": 10.0},
        "oracle": {"policy": "toward-zero"},
        "tolerance": 1e-6,
        "seed": 0,
    }
    assert tuned(algorithm={"steps": 10}, **cell)["success"]
    assert not tuned(algorithm={"steps": 10, "bias_guess": 0.8}, **cell)["success"]


@pytest.mark.parametrize(("sparsity", "noise"), [(2, 0.0), (2, 0.25), (6, 0.1)])
def test_the_exhaustive_search_of_parities_is_next_to_the_proved_number(
    sparsity: int, noise: float
) -> None:
    """C(d, k) queries against C(d, k) tau^2 / (1 - 2 noise)^2 - 1 at tau = 0.99 (1 - 2 noise)."""
    row = parity(
        problem={"dimension": 9, "sparsity": sparsity, "noise": noise},
        algorithm={"learner": "exhaustive-parity"},
        seed=0,
    )
    count = math.comb(9, sparsity)
    assert row["success"]
    assert row["queries"] == count
    assert float(row["certified_queries"]) == pytest.approx(0.99**2 * count - 1)
    assert 1 <= row["gap"] == pytest.approx(count / (0.99**2 * count - 1))


def test_several_neurons_are_a_row_of_plain_numbers() -> None:
    """Two of them at a fine tolerance are learned, at the stated cost."""
    row = several(
        problem={"count": 2, "dimension": 6, "biases": -1},
        algorithm={"name": "tensor-correlational"},
        tolerance=1e-4,
        seed=0,
    )
    assert row["success"]
    assert row["recovered"] == 2
    assert row["queries"] == row["stated_queries"]
    assert "seconds" not in row


@pytest.mark.parametrize(
    "model",
    [
        *("l2", "absolute", "vstat", "unperturbed", "honest", "unbiased"),
        *("fresh-stat", "reused-stat", "holdout", "bits", "ldp", "central"),
    ],
)
def test_one_learner_succeeds_under_every_oracle(model: str) -> None:
    """At a tolerance that all of them can keep."""
    row = under_access(
        problem={"dimension": 3, "bias": -0.5, "corruption": "noise", "alpha": 5.0},
        algorithm={"name": "biased-one-shot-regression", "success": 3.0},
        oracle={"model": model, "clip": 3.0},
        tolerance=0.2,
        seed=0,
    )
    assert row["success"]
    assert (row["examples"] is None) == (model in ("l2", "absolute", "vstat", "unperturbed"))


@pytest.mark.parametrize(
    ("measure", "arguments", "message"),
    [
        (critical_bias, {"problem": {"dimension": 3, "bias": -1.0}}, "leave it out"),
        (critical_bias, {"parameters": {"shallow": -3.0, "deep": -1.0}}, "deep < shallow"),
        (critical_bias, {"algorithm": {"name": "local-step", "update": "no"}}, "wanted one of"),
        (smallest_tolerance, {"parameters": {"fine": 1.0, "coarse": 0.1}}, "0 < fine < coarse"),
        (smallest_budget, {"problem": {"dimension": 3}}, "OPT = 0"),
        (dimensions, {"problem": {"dimension": 5, "epsilon": 2.0}}, "part of the energy"),
        (dimensions, {"problem": {"dimension": 5, "bias": -1.0, "epsilon": 0.999}}, "pays for"),
        (tuned, {"problem": {"dimension": 3, "bias": -2.0}}, "corrupted labels"),
        (tuned, {"algorithm": {"rho": 2.0}}, "0 <= rho <= 1"),
        (under, {"problem": {"dimension": 3, "law": "cauchy"}}, "law is 'cauchy'"),
        (under, {"problem": {"dimension": 60, "cutoff": 3}}, "take more"),
        (parity, {"problem": {"dimension": 6, "sparsity": 2, "tolernce": 1}}, "known: dimension"),
        (several, {"problem": {"count": 2, "seed": 3}}, "belong to the other tables"),
        (under_access, {"oracle": {"model": "telepathy"}}, "wanted one of"),
        (under_access, {"oracle": {"model": "holdout"}, "tolerance": 1e-3}, "coarser tolerance"),
    ],
    ids=lambda value: (
        None
        if isinstance(value, dict)
        else getattr(value, "run", value).__name__
        if not isinstance(value, str)
        else value.split()[0].strip("'")
    ),
)
def test_a_cell_that_can_never_run_is_refused(
    measure: Any, arguments: dict[str, Any], message: str
) -> None:
    """Before a store is made, with what is wanted."""
    usual: dict[Any, dict[str, Any]] = {
        critical_bias: {
            "problem": {"dimension": 3},
            "algorithm": {"name": "local-step"},
            "tolerance": 0.1,
        },
        smallest_tolerance: {
            "problem": {"dimension": 3},
            "algorithm": {"name": "gradient-descent"},
        },
        smallest_budget: {"algorithm": {"name": "gradient-descent"}, "tolerance": 0.1},
        tuned: {
            "problem": {"dimension": 3, "bias": -1.0, "corruption": "noise"},
            "algorithm": {},
            "tolerance": 0.1,
        },
        under: {"algorithm": {"name": "gradient-descent"}, "tolerance": 0.1},
        parity: {"algorithm": {"learner": "greedy-parity"}},
        several: {"algorithm": {"name": "tensor-correlational"}, "tolerance": 0.1},
        under_access: {
            "problem": {"dimension": 3},
            "algorithm": {"name": "biased-one-shot-regression"},
            "tolerance": 0.1,
        },
    }
    with pytest.raises(BadInput, match=message):
        measure.check(**{**usual.get(measure, {}), **arguments}, seed=0)


# ---- summaries


ROWS = (
    {"name": "a", "tolerance": 0.1, "success": False, "queries": 100, "rounds": 10},
    {"name": "a", "tolerance": 0.1, "success": True, "queries": 50, "rounds": 5},
    {"name": "a", "tolerance": 0.01, "success": True, "queries": 70, "rounds": 7},
    {"name": "a", "tolerance": 0.01, "success": True, "queries": 30, "rounds": 3},
    {"name": "b", "tolerance": 0.1, "success": None, "queries": None, "rounds": None},
    {"name": "b", "tolerance": 0.01, "success": False, "queries": 20, "rounds": 2},
)


def test_the_running_time_counts_runs_that_failed() -> None:
    """(100 + 50 + 70 + 30) / 3, infinite where none succeeded; a crash is told, not hidden."""
    first, second = expected_running_times(ROWS, by=["name"])
    assert first["ert"] == pytest.approx(250 / 3)
    assert first["low"] < first["ert"] < first["high"]
    assert (second["ert"], second["uncounted"]) == (math.inf, 1)
    (rounds, _) = expected_running_times(ROWS, by=["name"], evaluations="rounds")
    assert rounds["ert"] == pytest.approx(25 / 3)


def test_a_run_that_failed_is_no_success() -> None:
    """It counts among the trials of its group."""
    rates = success_rates(ROWS, by=["name", "tolerance"])
    assert [rate["frequency"] for rate in rates] == [0.5, 1.0, 0.0, 0.0]
    assert all(rate["low"] <= rate["frequency"] <= rate["high"] for rate in rates)
    with pytest.raises(BadInput, match="no column 'nome'"):
        success_rates(ROWS, by=["nome"])


def test_budgets_and_tolerances_are_read_off_a_grid() -> None:
    """Half of a's runs succeed within 50 queries; b never does."""
    budgets = smallest_budgets(ROWS, by=["name"])
    assert [one["budget"] for one in budgets] == [50, math.inf]
    assert smallest_budgets(ROWS, by=["name"], share=1.0)[0]["budget"] == math.inf
    needed = needed_tolerances(ROWS, by=["name"], share=0.75)
    assert (needed[0]["needed"], needed[0]["fails"]) == (0.01, 0.1)
    assert (needed[1]["needed"], needed[1]["fails"]) == (None, 0.01)


def test_the_gap_of_exact_texts() -> None:
    """Infinity, nothing proved, and a bound of forty digits."""
    assert gap(10, "Infinity") == 0.0
    assert gap(10, "0") == math.inf
    assert gap(None, "3") is None
    assert gap(3, None) is None
    assert gap(10, "4.0000000000000000000000000000000000000001") == pytest.approx(2.5)
    with pytest.raises(BadInput, match="exact decimals"):
        gap(1, "many")


def test_certified_and_measured_stand_side_by_side() -> None:
    """Only where the theorem applies, measured only where the run succeeded."""
    rows = [
        {"access": "CSQ", "certified_queries": "40.5", "queries": 81, "success": True},
        {"access": "CSQ", "certified_queries": "Infinity", "queries": 81, "success": False},
        {"access": "SQ", "certified_queries": "40.5", "queries": 3, "success": True},
        {"access": "CSQ", "certified_queries": None, "queries": 3, "success": True},
        {"access": "CSQ", "certified_queries": "90", "queries": 81, "success": True},
    ]
    found = certified_against_measured(rows)
    assert [one["gap"] for one in found] == [2.0, None, 0.9]
    assert [one["broken"] for one in found] == [False, False, True]
    assert found[1]["certified"] == "Infinity"


def test_summaries_of_a_store_made_by_hand(tmp_path: Path) -> None:
    """From the runs of a study to its table."""
    study = Study(
        "hand",
        measure="sqsim.studies.parity_cells:parity",
        problem={"dimension": [5, 6], "sparsity": 2},
        algorithm={"learner": ["exhaustive-parity", "greedy-parity"]},
        seeds=2,
    )
    run_study(study, tmp_path / "s.db")
    with open_for_reading(tmp_path / "s.db") as store:
        found = records(store)
    times = expected_running_times(found, by=["algorithm.learner", "problem.dimension"])
    ert = {(one["algorithm.learner"], one["problem.dimension"]): one["ert"] for one in times}
    assert (ert["exhaustive-parity", 5], ert["exhaustive-parity", 6]) == (10, 15)
    assert ert["greedy-parity", 5] == math.inf
    pairs = certified_against_measured(found)
    assert len(pairs) == 8
    assert not any(one["broken"] for one in pairs)
    assert all(one["gap"] >= 1 for one in pairs if one["gap"] is not None)
