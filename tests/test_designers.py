"""Designed corruptions: exact budgets, the theory's harm."""

from __future__ import annotations

import numpy as np
import pytest

from sqsim.algorithms.spectral import thresholded_moment
from sqsim.errors import BadInput
from sqsim.links import Relu
from sqsim.lowerbounds.basin_limits import cap_angle
from sqsim.lowerbounds.basins import (
    LocalStep,
    OptimalStep,
    PlainStep,
    ReweightedStep,
    SmoothedStep,
    basin_point,
)
from sqsim.lowrank import Array
from sqsim.problems.caps import CapAttack, SplitAttack, best_cap, tilt
from sqsim.problems.corruption import Corruption
from sqsim.problems.designers import Clipped, PushBack, unweighted
from sqsim.problems.index import IndexInstance, ReluRegression
from sqsim.queries import Correlation, Ridge
from sqsim.studies.designers import attacked_start
from sqsim.studies.planar import Planar
from sqsim.tolerance import Scale
from sqsim.updates import Update, optimal, plain, reweighted, smoothed

BIAS = -1.5
ENERGY = Relu(BIAS).second_moment
BUDGET = ENERGY / 10


def draw(corruption: Corruption | None = None, *, bias: float = BIAS, d: int = 3) -> IndexInstance:
    corruptions = () if corruption is None else (corruption,)
    return ReluRegression(d).draw(bias=bias, corruptions=corruptions, seed=4)


def designed(bias: float, budget: float) -> dict[str, Corruption]:
    return {
        "plain": PushBack(plain(bias), budget),
        "reweighted": PushBack(reweighted(bias), budget, 0.8),
        "smoothed": PushBack(smoothed(bias, rho=0.9), budget),
        "optimal": PushBack(optimal(bias, overlap=0.95), budget, 0.95),
        "one-shot": PushBack(unweighted(), budget, 0.0),
        "bounded-plain": PushBack(plain(bias), budget, bound=1.0),
        "bounded-reweighted": PushBack(reweighted(bias), budget, bound=1.0),
        "bounded-one-shot": PushBack(unweighted(), budget, bound=0.3),
        "cap": CapAttack(budget, -1 / bias),
        "split": SplitAttack(reweighted(bias), budget, -1 / bias, 0.3),
    }


NAMES = list(designed(BIAS, BUDGET))


def change_energy(instance: IndexInstance) -> float:
    """E[(y - target)^2] by iterated adaptive quadrature of the change's own terms."""
    terms = instance.labels.terms[1:]
    total = 0.0
    for one in terms:
        for two in terms:
            columns = np.stack([*one.columns, *two.columns], axis=1)
            split = len(one.columns)
            form = Ridge(
                lambda s, one=one, two=two, split=split: (
                    one.values(s[:, :split]) * two.values(s[:, split:])
                ),
                columns,
                kinks=[list(k) for k in (*one.columns_kinks, *two.columns_kinks)],
            )
            total += float(np.asarray(instance.problem.inputs.expectation(form)))
    return total


@pytest.mark.parametrize("name", NAMES)
def test_budgets_are_exact_by_quadrature(name: str) -> None:
    """Truncated or split, the square of the change integrates to the budget."""
    instance = draw(designed(BIAS, BUDGET)[name])
    assert instance.opt_upper_bound == BUDGET
    assert change_energy(instance) == pytest.approx(BUDGET, rel=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_budgets_are_exact_by_sampling(name: str) -> None:
    instance = draw(designed(BIAS, BUDGET)[name])
    rng = np.random.default_rng(5)
    x = rng.standard_normal((150_000, 3))
    squares = (instance.labels.draw(x, rng) - instance.target(x)) ** 2
    error = squares.std() / np.sqrt(len(x))
    assert abs(squares.mean() - BUDGET) < 5 * error


def push(instance: IndexInstance, w: Array, update: Update) -> tuple[float, float]:
    """Component toward v of the clean step, and how far the corruption moves it back."""
    e = instance.direction - (instance.direction @ w) * w
    e = e / np.linalg.norm(e)
    form = Ridge(update.weight, w, power=1, kinks=update.kinks)
    clean = draw(bias=instance.target.bias)
    values = [
        float(np.asarray(Planar().means(one, [Correlation(form)], [Scale.NONE])[0].value) @ e)
        for one in (clean, instance)
    ]
    return values[0], values[0] - values[1]


STEPS: list[tuple[LocalStep, str]] = [
    (PlainStep(), "plain"),
    (ReweightedStep(), "reweighted"),
    (SmoothedStep(), "smoothed"),
    (OptimalStep(), "optimal"),
]


@pytest.mark.parametrize(("step", "name"), STEPS, ids=[name for _, name in STEPS])
@pytest.mark.parametrize("size", [3, 9, 15])
def test_harm_is_the_certified_worst_ratio(step: LocalStep, name: str, size: int) -> None:
    """Noise over signal as the learner would measure it, against the proved number."""
    bias = -float(size)
    update = {
        "plain": plain(bias),
        "reweighted": reweighted(bias),
        "smoothed": smoothed(bias, rho=0.9),
        "optimal": optimal(bias, overlap=0.9),
    }[name]
    instance = draw(PushBack(update, Relu(bias).second_moment / 100), bias=bias)
    signal, back = push(instance, attacked_start(instance), update)
    proved = basin_point(step, bias=-size, alpha=100, overlap="0.9", digits=10).noise_to_signal
    assert back / signal == pytest.approx(float(proved.lower), rel=1e-8)


@pytest.mark.parametrize("bound", [0.6, 1.0, 3.0, 40.0])
@pytest.mark.parametrize("name", ["plain", "reweighted"])
def test_bounded_noise_is_bounded_and_less_harmful(name: str, bound: float) -> None:
    """|noise| <= bound; the harm grows with the bound up to the unbounded one."""
    update = {"plain": plain(BIAS), "reweighted": reweighted(BIAS)}[name]
    instance = draw(PushBack(update, BUDGET, bound=bound))
    rng = np.random.default_rng(1)
    x = 2 * rng.standard_normal((20_000, 3))
    assert np.abs(instance.labels.draw(x, rng) - instance.target(x)).max() <= bound * (1 + 1e-9)
    most = float(np.sqrt(BUDGET)) * update.norm
    harm = push(instance, attacked_start(instance), update)[1]
    assert 0.5 * most < harm <= most * (1 + 1e-9)
    if bound == 40.0 and name == "plain":
        assert harm == pytest.approx(most, rel=1e-3)


def test_the_clipped_direction_is_the_best_bounded_noise() -> None:
    """Karush-Kuhn-Tucker: for plain descent clip(c <e, x>) at the bound, c by the budget."""
    from scipy.optimize import brentq
    from scipy.special import erf, ndtr

    bound, mass = 1.0, float(ndtr(BIAS))
    update = plain(BIAS)
    instance = draw(PushBack(update, BUDGET, bound=bound))
    width = float(
        brentq(lambda t: Clipped(t).second_moment / t**2 - BUDGET / (bound**2 * mass), 1e-3, 20)
    )
    best = bound * mass * erf(width / np.sqrt(2)) / width
    harm = push(instance, attacked_start(instance), update)[1]
    assert harm == pytest.approx(best, rel=1e-4)


@pytest.mark.parametrize(("bias", "alpha"), [(-3.0, 5.0), (-3.0, 100.0), (-12.0, 30.0)])
def test_the_cap_tilts_the_eigenvector_as_far_as_computed(bias: float, alpha: float) -> None:
    """The closed form of the tilt against the learner's own matrix, in the plane."""
    budget, cut = Relu(bias).second_moment / alpha, -1 / bias
    instance = draw(CapAttack(budget, cut), bias=bias)
    matrix = np.asarray(Planar().means(instance, [thresholded_moment(cut)], [Scale.NONE])[0].value)
    w = np.linalg.eigh(matrix / np.abs(matrix).max())[1][:, -1]
    cap = best_cap(draw(bias=bias).labels, budget, cut)
    cosine = float(abs(w @ instance.direction))
    assert np.arccos(min(1.0, cosine)) == pytest.approx(cap.tilt, rel=1e-6)
    for angle in (0.5, 0.9, 1.3):
        assert tilt(cut - bias, cap.level, angle) <= cap.tilt * (1 + 1e-9)


def test_the_tilt_tends_to_its_limit() -> None:
    """arcsin(2 e / alpha) / 2 as the bias goes to minus infinity, proved elsewhere."""
    bias, alpha = -30.0, 100
    limit = float(cap_angle(alpha, digits=8).lower)
    cap = best_cap(draw(bias=bias).labels, Relu(bias).second_moment / alpha, -1 / bias)
    assert cap.tilt == pytest.approx(limit, rel=0.01)


def test_bad_designs_name_the_assumption() -> None:
    labels = draw().labels
    rng = np.random.default_rng(0)
    for corruption in (
        PushBack(plain(BIAS), ENERGY),
        CapAttack(2 * ENERGY, 1.0),
        SplitAttack(plain(BIAS), ENERGY, 1.0),
    ):
        with pytest.raises(BadInput, match="OPT < E"):
            corruption.apply(labels, rng)
    with pytest.raises(BadInput, match="raise the bound"):
        PushBack(plain(BIAS), BUDGET, bound=0.1).apply(labels, rng)
    with pytest.raises(BadInput, match="below 1/2"):
        CapAttack(BUDGET, 0.05).apply(labels, rng)
    with pytest.raises(BadInput):
        SplitAttack(plain(BIAS), BUDGET, 1.0, 1.0)
    with pytest.raises(BadInput):
        PushBack(plain(BIAS), BUDGET, bound=0.0)
    with pytest.raises(BadInput):
        Clipped(0.0)
