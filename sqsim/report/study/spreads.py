"""One number, and how far it spreads, for the runs of a point.  This file does not group runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sqsim.report.study.columns import Row, real
from sqsim.studies.figures import Figure

CONFIDENCE = 0.95


def summary(figure: Figure, rows: Sequence[Row], column: str) -> tuple[float, Any, Any, int] | None:
    """(statistic, low, high, runs) of a column over runs; None where no run has a number."""
    values = [v for row in rows if (v := real(row.get(column))) is not None]
    if not values:
        return None
    low, high = _spread(figure, rows, values)
    return _centre(figure.statistic, values), low, high, len(values)


def _centre(statistic: str, values: Sequence[float]) -> float:
    if statistic == "mean":
        return math.fsum(values) / len(values) if all(map(math.isfinite, values)) else math.inf
    if statistic in ("min", "max"):
        return min(values) if statistic == "min" else max(values)
    return _quantile(values, 0.5)


def _spread(
    figure: Figure, rows: Sequence[Row], values: Sequence[float]
) -> tuple[float | None, float | None]:
    if figure.low:
        lows = [v for row in rows if (v := real(row.get(figure.low))) is not None]
        highs = [v for row in rows if (v := real(row.get(figure.high))) is not None]
        return min(lows, default=None), max(highs, default=None)
    if len(values) < 2 or figure.statistic in ("min", "max"):
        return None, None
    if figure.statistic == "median":
        return _quantile(values, 0.25), _quantile(values, 0.75)
    return _mean_interval(values)


def _mean_interval(values: Sequence[float]) -> tuple[float | None, float | None]:
    from scipy.special import stdtrit

    if not all(map(math.isfinite, values)):
        return None, None
    count = len(values)
    mean = math.fsum(values) / count
    deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (count - 1))
    half = float(stdtrit(count - 1, (1 + CONFIDENCE) / 2)) * deviation / math.sqrt(count)
    return mean - half, mean + half


def _quantile(values: Sequence[float], level: float) -> float:
    # Between a finite and an infinite value nothing can be interpolated.
    method = "linear" if all(map(math.isfinite, values)) else "inverted_cdf"
    return float(np.quantile(values, level, method=method))  # type: ignore[call-overload]
