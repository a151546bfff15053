"""Further single-neuron algorithms of the literature, as learners that end with a neuron.

This file does not know what is done with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqsim.algorithms.generalised_linear import glmtron, surrogate_descent
from sqsim.studies.catalogue.separation import GRID
from sqsim.studies.registry import Algorithm, Cost, Symbol
from sqsim.studies.single_neurons import (
    fitted_along_regression,
    isotonic_direction,
    matched,
    planted,
    scaled,
    smoothed_from_regression,
)


def _isotonic(name: str, lipschitz: float | None, source: str, guarantee: str) -> Algorithm:
    return Algorithm(
        name=name,
        access="CSQ",
        rounds="steps + 3",
        queries="d + 3 + steps*(bins + 1)",
        at_most=True,
        untold=Cost("steps + 7", "d + 35 + 2*biases + steps*(bins + 1)"),
        symbols={
            "steps": Symbol("isotonic fits", 20),
            "bins": Symbol("bins of <w, x>", 40),
            "biases": GRID,
        },
        source=source,
        guarantee=guarantee,
        strategy=partial(isotonic_direction, lipschitz),
    )


ALGORITHMS: Sequence[Algorithm] = (
    Algorithm(
        name="glmtron",
        access="CSQ",
        rounds="2",
        queries="d + steps",
        untold=Cost("2", "d + 1 + steps"),
        symbols={"steps": Symbol("label-free steps, ranked at the end", 40)},
        source="Kakade, Kalai, Kanade and Shamir (2011)",
        guarantee="E[y | x] = u(<w*, x>), u monotone and 1-Lipschitz, E[x x'] <= I: loses at most "
        "||w*||^2 / steps more than the noise",
        strategy=partial(matched, glmtron),
    ),
    Algorithm(
        name="surrogate-descent",
        access="CSQ",
        rounds="1",
        queries="d",
        untold=Cost("1", "d + 1"),
        source="Diakonikolas, Goel, Karmalkar, Klivans and Soltanolkotabi (2020)",
        guarantee="loss at most (1 + 1/sqrt(mu))^2 OPT where the Chow map is mu-monotone; bias 0, "
        "x ~ N(0, I): (3 + 2 sqrt 2) OPT",
        strategy=partial(matched, surrogate_descent),
    ),
    _isotonic(
        "isotron",
        None,
        "Kalai and Sastry (2009)",
        "E[y | x] monotone in <w*, x>: no rate is restated; a neuron is fitted along the direction",
    ),
    _isotonic(
        "lipschitz-isotron",
        1.0,
        "Kakade, Kalai, Kanade and Shamir (2011), L-Isotron",
        "E[y | x] = u(<w*, x>), u unknown, monotone and 1-Lipschitz, E[x x'] <= I: its fit loses "
        "at most ||w*||^2 / steps more than the noise, up to the bins",
    ),
    Algorithm(
        name="planted-descent",
        access="CSQ",
        rounds="steps",
        queries="steps*d",
        symbols={"steps": Symbol("descent steps", 10)},
        source="Soltanolkotabi (2017)",
        guarantee="clean labels, bias 0, x ~ N(0, I), exact answers: exact in two steps",
        strategy=planted,
    ),
    Algorithm(
        name="scaled-gradient-descent",
        access="CSQ",
        rounds="steps + 1",
        queries="steps*(d + 1) + 1",
        symbols={"steps": Symbol("descent steps", 200)},
        source="Vardi, Yehudai and Shamir (2021)",
        guarantee="clean labels, a start of less loss than zero: converges; the neuron never dies",
        strategy=scaled,
    ),
    Algorithm(
        name="smoothed-descent",
        access="CSQ",
        rounds="steps + 1",
        queries="steps*(d + 1) + d",
        untold=Cost("steps + 11", "steps*(d + 1) + d + biases + 77"),
        symbols={"steps": Symbol("descent steps", 600), "biases": GRID},
        source="Zarifis et al. (2025), SGD-VA, begun at E[y x]",
        guarantee="O(OPT) + epsilon, x ~ N(0, I), where E[y x] is at an angle of order 1/|b| to v",
        strategy=smoothed_from_regression,
    ),
    Algorithm(
        name="fit-norm-and-bias",
        access="CSQ",
        rounds="2",
        queries="d + 1",
        untold=Cost("6", "d + biases + 34"),
        symbols={"biases": GRID},
        source="search on the loss, along E[y x]; derived here",
        guarantee="the neuron of least loss along E[y x], up to the grid and the tolerance",
        strategy=fitted_along_regression,
    ),
)
