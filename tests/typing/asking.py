"""Who may stand inside whom.  A line that mypy must reject says so."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sqsim import CSQ, SQ, Correlation, Ridge, Statistic, ask, ask_all, together

Vector = NDArray[np.float64]

degree_one = Correlation(Ridge(power=1), "E[y x]")
large_labels = Statistic(Ridge(lambda y: (abs(y) > 1) * 1.0, power=2, levels=(-1.0, 1.0)))


def correlational() -> CSQ[Vector]:
    first: Vector = yield from ask(degree_one, step=0)
    answers = yield from ask_all(degree_one, degree_one)
    second: Vector = answers[0]
    return first + second


def statistical() -> SQ[Vector]:
    matrix: Vector = yield from ask(large_labels)
    answers = yield from ask_all(degree_one, large_labels)
    vector: Vector = answers[0]
    return matrix @ vector


def correlational_inside_statistical() -> SQ[Vector]:
    start = yield from correlational()
    pair = yield from together(correlational(), correlational())
    return start + pair[0]


def statistical_inside_correlational() -> CSQ[Vector]:
    return (yield from statistical())  # rejected


def statistic_inside_correlational() -> CSQ[Vector]:
    answer: Vector = yield from ask(large_labels)  # rejected
    return answer
