"""Maxima of affine functions: polynomials beside the common heuristic and least squares."""

from __future__ import annotations

import csv
import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner
from zoo import POLICIES

from sqsim import Absolute, Unperturbed, csq, run, sq
from sqsim.algorithms.network_polynomials import max_affine
from sqsim.algorithms.partition_fitting import fit_partitions
from sqsim.cli import app
from sqsim.errors import BadInput
from sqsim.inputs import Gaussian
from sqsim.problems.ball import sphere_points
from sqsim.problems.dataset import Dataset, least_squares_loss, split
from sqsim.problems.gadgets import MaxAffine
from sqsim.problems.index import ReluRegression
from sqsim.problems.tables import read_table
from sqsim.studies.catalogue.ball_networks import ALGORITHMS
from sqsim.studies.max_affine_fits import fit_max_affine

FITS = ("polynomial", "alternating least squares", "least squares")


def convex(pieces: int, *, noise: float = 0.05, rows: int = 600) -> tuple[MaxAffine, Dataset]:
    """A maximum of well-separated pieces at points of the ball."""
    stream = np.random.default_rng(pieces)
    x = sphere_points(3, rows, seed=pieces) * stream.random((rows, 1)) ** (1 / 3)
    w = np.array([[0.8, 0.0, 0.0], [-0.5, 0.6, 0.0], [-0.3, -0.7, 0.2]])[:pieces]
    function = MaxAffine(w, np.array([0.0, 0.1, -0.1])[:pieces])
    y = np.asarray(function(x), float) + noise * stream.choice([-1.0, 1.0], rows)
    return function, Dataset(x, y)


def loss(values: Any, table: Dataset) -> float:
    return float(np.mean((values - table.targets) ** 2))


@pytest.mark.parametrize("pieces", [2, 3])
def test_three_learners_on_convex_data(pieces: int) -> None:
    """Polynomial: within epsilon of the truth.  Heuristic: here at the noise.  Plane: far off."""
    function, table = convex(pieces)
    oracle, x, epsilon = csq(table, tolerance=Unperturbed()), table.inputs, 0.3
    best = loss(function(x), table)
    polynomial = run(max_affine(table.problem, pieces=pieces, epsilon=epsilon), oracle).value
    heuristic = run(fit_partitions(table.problem, pieces=pieces, starts=8), oracle).value
    assert polynomial is not None
    assert heuristic is not None
    assert math.sqrt(loss(polynomial(x), table)) <= math.sqrt(best) + epsilon
    assert loss(heuristic.function(x), table) <= best
    plane = least_squares_loss(table)
    assert loss(polynomial(x), table) < plane / 2
    assert heuristic.settled


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_the_heuristic_is_used_under_every_policy(policy: Any) -> None:
    """It has no guarantee; answers within 1e-4 leave it near the noise on separated pieces."""
    function, table = convex(2)
    oracle = csq(table, tolerance=Absolute(1e-4), policy=policy, seed=1)
    found = run(fit_partitions(table.problem, pieces=2), oracle).value
    assert found is not None
    best = loss(function(table.inputs), table)
    assert loss(found.function(table.inputs), table) <= 1.5 * best


def test_fits_on_cells_are_least_squares_on_their_rows() -> None:
    """One step by queries, against numpy on the rows of each cell."""
    _, table = convex(3)
    asked: list[Any] = []
    strategy = fit_partitions(table.problem, pieces=3, steps=1, starts=1, seed=5)
    found = run(
        strategy,
        csq(table, tolerance=Unperturbed()),
        callback=lambda exchange, ledger: asked.append(exchange.batch.queries[0]),
    ).value
    assert found is not None
    columns = asked[0].form.fn(table.inputs)
    planes = []
    for part in (columns[:, 1:5], columns[:, 5:9], columns[:, 9:13]):
        rows = part[:, 3] == 1
        planes.append(np.linalg.lstsq(part[rows], table.targets[rows], rcond=None)[0])
    stacked = np.stack(planes)
    np.testing.assert_allclose(found.function.weights, stacked[:, :3], atol=1e-6)
    np.testing.assert_allclose(found.function.offsets, stacked[:, 3], atol=1e-6)
    assert found.excess == pytest.approx(
        loss(found.function(table.inputs), table) - np.mean(table.targets**2), abs=1e-9
    )


def test_one_piece_is_the_plane_of_least_squares() -> None:
    _, table = convex(3)
    found = run(fit_partitions(table.problem, pieces=1, starts=1),
                csq(table, tolerance=Unperturbed())).value  # fmt: skip
    assert found is not None
    assert found.settled
    fitted = loss(found.function(table.inputs), table)
    assert fitted == pytest.approx(least_squares_loss(table), rel=1e-9)


def test_more_starts_and_more_steps_never_lose() -> None:
    """The best of what was met is kept, and a longer search meets what a shorter one met."""
    _, table = convex(3)
    oracle = csq(table, tolerance=Unperturbed())
    found = [
        run(fit_partitions(table.problem, pieces=3, steps=s, starts=1, seed=2), oracle).value
        for s in (1, 2, 4, 8, 16)
    ]
    for before, after in pairwise(fit.excess for fit in found if fit is not None):
        assert after <= before + 1e-12


@pytest.mark.parametrize("pieces", [2, 3])
@pytest.mark.parametrize("degree", [2, 4])
def test_a_reach_that_is_not_told_costs_a_round(pieces: int, degree: int) -> None:
    """n + 1 queries for the plane of least squares, then C(n + d, d)."""
    _, table = convex(pieces)
    strategy = max_affine(table.problem, pieces=pieces, degree=degree, reach=None)
    result = run(strategy, csq(table, tolerance=Unperturbed()))
    assert result.ledger.rounds == 2
    assert result.ledger.queries == 4 + math.comb(3 + degree, degree)
    assert result.value is not None
    assert loss(result.value(table.inputs), table) < least_squares_loss(table)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: max_affine(p, pieces=0, epsilon=0.1), "pieces"),
        (lambda p: max_affine(p, pieces=2), "epsilon or degree"),
        (lambda p: max_affine(p, pieces=2, epsilon=0.1, degree=2, reach=None), "one of them"),
        (lambda p: fit_partitions(p, pieces=0), "pieces is 0"),
        (lambda p: fit_partitions(p, pieces=700), "at least one row each"),
        (lambda p: fit_partitions(ReluRegression(3), pieces=2), Gaussian.__name__),
    ],
)
def test_bad_requests_are_refused_before_anything_is_asked(make: Any, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        next(make(convex(2)[1].problem))


@pytest.mark.parametrize("entry", ALGORITHMS, ids=lambda entry: entry.name)
def test_registered_costs_are_those_of_a_run(entry: Any) -> None:
    """The ledger counts, sympy evaluates the formulas."""
    instance = entry.instance()
    make: Any = csq if entry.access == "CSQ" else sq
    strategy = entry.strategy(instance.problem, 0)
    ledger = run(strategy, make(instance, tolerance=Unperturbed())).ledger
    assert (ledger.rounds, ledger.queries) == entry.costs_on(instance.problem)


@pytest.fixture(scope="module")
def diabetes(tmp_path_factory: Any) -> Path:
    bunch = pytest.importorskip("sklearn.datasets").load_diabetes()
    file: Path = tmp_path_factory.mktemp("tables") / "diabetes.csv"
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*bunch.feature_names, "target"])
        for row, label in zip(bunch.data.tolist(), bunch.target.tolist(), strict=True):
            writer.writerow([*row, label])
    return file


@pytest.mark.parametrize("pieces", [2, 3])
def test_the_command_compares_three_learners_on_a_real_table(
    diabetes: Path, tmp_path: Path, pieces: int
) -> None:
    """Least squares by queries is that of numpy; more pieces fit the training rows better."""
    copy = tmp_path / "fits.json"
    words = ["fit-max-affine", str(diabetes), "--target", "target", "--pieces", str(pieces)]
    result = CliRunner().invoke(app, [*words, "--json", str(copy)])
    assert result.exit_code == 0, result.output
    found = json.loads(copy.read_text())
    assert found["schema"] == "sqsim.fit-max-affine/1"
    assert found["table"]["rows"] + found["table"]["test_rows"] == 442
    fits = {fit["name"]: fit for fit in found["fits"]}
    assert tuple(fits) == FITS
    assert all(name in result.output for name in FITS)
    train, test = split(read_table(diabetes, target="target"), test_fraction=0.25, seed=0)
    plane = fits["least squares"]
    assert plane["train_loss"] == pytest.approx(least_squares_loss(train), rel=1e-6)
    assert plane["test_loss"] == pytest.approx(least_squares_loss(train, test=test), rel=0.02)
    variance = float(np.var(test.targets))
    for name in FITS[:2]:
        assert fits[name]["train_loss"] < plane["train_loss"]
        assert fits[name]["test_loss"] < 0.65 * variance
    assert fits["polynomial"]["degree"] == 2
    assert fits["polynomial"]["features"] == math.comb(12, 2)
    assert (fits["polynomial"]["queries"], fits["polynomial"]["rounds"]) == (11 + 66, 2)


def test_the_command_learns_from_noisy_answers_and_all_rows(tmp_path: Path) -> None:
    _, table = convex(2, rows=200)
    file = tmp_path / "convex.npz"
    np.savez(file, X=table.inputs, y=table.targets)
    found = fit_max_affine(file, target="y", pieces=2, degree=2, reach=1.0, test_fraction=0.0,
                           tolerance=1e-4, policy="worst-direction")  # fmt: skip
    assert found["table"]["test_rows"] == 0
    assert all(fit["test_loss"] is None for fit in found["fits"])
    first, last = found["fits"][0], found["fits"][-1]
    assert first["train_loss"] < last["train_loss"]
    assert first["rounds"] == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--pieces", "0"], "pieces"),
        (["--pieces", "2", "--degree", "2", "--epsilon", "0.1"], "not both"),
        (["--pieces", "2", "--policy", "kind"], "policy"),
        (["--pieces", "2", "--seed", "-1"], "seed is -1"),
        (["--pieces", "2", "--degree", "40"], "features"),
    ],
)
def test_bad_input_to_the_command_says_what_to_do(
    diabetes: Path, words: list[str], message: str
) -> None:
    result = CliRunner().invoke(
        app, ["fit-max-affine", str(diabetes), "--target", "target", *words]
    )
    assert isinstance(result.exception, BadInput)
    assert message in str(result.exception)


def test_a_constant_target_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "flat.npz"
    np.savez(file, X=sphere_points(3, 20), y=np.ones(20))
    with pytest.raises(BadInput, match="targets that differ"):
        fit_max_affine(file, target="y", pieces=2)
