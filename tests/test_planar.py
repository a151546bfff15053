"""The fixed rule on panels of a plane, against adaptive quadrature and against itself."""

from __future__ import annotations

import numpy as np
import pytest

from sqsim.algorithms.boolean_labels import AtLeast
from sqsim.algorithms.spectral import thresholded_moment
from sqsim.links import Relu
from sqsim.oracles.quadrature import Quadrature
from sqsim.problems.caps import CapAttack, SplitAttack
from sqsim.problems.designers import PushBack
from sqsim.problems.index import IndexInstance, ReluRegression
from sqsim.queries import Correlation, Query, Ridge, Statistic
from sqsim.studies.designers import attacked_start
from sqsim.studies.planar import Planar
from sqsim.tolerance import Scale
from sqsim.updates import plain, reweighted, smoothed


def attacked(name: str, bias: float) -> IndexInstance:
    budget = Relu(bias).second_moment / 30
    corruption = {
        "plain": PushBack(plain(bias), budget),
        "reweighted": PushBack(reweighted(bias), budget, 0.8),
        "smoothed": PushBack(smoothed(bias, rho=0.9), budget),
        "cap": CapAttack(budget, -1 / bias),
        "split": SplitAttack(reweighted(bias), budget, -1 / bias, 0.3),
    }[name]
    return ReluRegression(3).draw(bias=bias, corruptions=[corruption], seed=4)


@pytest.mark.parametrize("name", ["plain", "reweighted", "smoothed", "cap", "split"])
def test_the_planar_rule_agrees_with_adaptive_quadrature(name: str) -> None:
    """Correlations, agreements and statistics of attacked labels, within the stated error."""
    bias = -3.0
    instance = attacked(name, bias)
    v, other = instance.direction, attacked_start(instance)
    w = (v + other) / np.linalg.norm(v + other)
    update = reweighted(bias)
    queries: list[Query] = [
        Correlation(Ridge(update.weight, w, power=1, kinks=update.kinks)),
        Correlation(Ridge(lambda s: np.maximum(s + bias, 0.0), w, kinks=(-bias,))),
        Correlation(Ridge(power=1)),
    ]
    if name == "cap":
        queries = [*queries, thresholded_moment(-1 / bias), Statistic(Ridge(np.square))]
    none = [Scale.NONE] * len(queries)
    for ours, exact in zip(
        Planar().means(instance, queries, none),
        Quadrature().means(instance, queries, none),
        strict=True,
    ):
        found, wanted = np.asarray(ours.value), np.asarray(exact.value)
        size = float(np.abs(wanted).max())
        assert np.abs(found - wanted).max() <= np.max(ours.error) + 1e-11 * size
        assert np.abs(found - wanted).max() <= 1e-8 * size


def test_queries_along_one_direction_share_nodes_and_keep_their_means() -> None:
    """Nodes of all kinks serve each query as well as its own, label thresholds included."""
    bias = -4.0
    instance = attacked("split", bias)
    w, update, labels = attacked_start(instance), reweighted(bias), AtLeast(-1 / bias)
    band = Ridge(lambda s: (np.abs(s + bias) < 0.3) * 1.0, w, power=1, kinks=(3.7, 4.3))
    side = Ridge(lambda s: (s > -bias) * 1.0, w, kinks=(-bias,))
    queries: list[Query] = [
        Correlation(Ridge(update.weight, w, power=1, kinks=update.kinks)),
        labels.query(band, "band"),
        Correlation(Ridge(lambda s: np.maximum(s + bias, 0.0), w, kinks=(-bias,))),
        labels.query(side, "side"),
    ]
    together = Planar().means(instance, queries, [Scale.NONE] * 4)
    for query, shared in zip(queries, together, strict=True):
        alone = Planar().means(instance, [query], [Scale.NONE])[0]
        difference = np.abs(np.asarray(alone.value) - np.asarray(shared.value)).max()
        assert difference <= np.max(alone.error) + np.max(shared.error)
        assert np.max(shared.error) <= 1e-4 * np.abs(np.asarray(shared.value)).max()
