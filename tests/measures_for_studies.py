"""Measures of the tests of studies: importable by name in every worker."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from sqsim.errors import BadInput
from sqsim.studies import Measure


def _numbers(*, parameters: dict[str, Any], seed: int) -> dict[str, Any]:
    """Floating-point work whose last bits would show another order of summation."""
    generator = np.random.default_rng([seed, parameters["place"]])
    matrix = generator.standard_normal((20, 20))
    values = np.linalg.eigvalsh(matrix @ matrix.T)
    return {
        "largest": float(values[-1]),
        "spread": float(values.std()),
        "success": bool(values[-1] > 55),
        "nothing": None,
        "unbounded": float("inf"),
    }


def _check(*, parameters: dict[str, Any], seed: int) -> None:
    if parameters["place"] < 0:
        raise BadInput(f"place is {parameters['place']}; wanted at least 0")


numbers = Measure(_numbers, _check)


def fragile(*, parameters: dict[str, Any], seed: int) -> dict[str, Any]:
    """Fails in one place and kills its process in another."""
    if parameters["place"] == 2:
        raise ValueError("the second place cannot be measured")
    if parameters["place"] == 3:
        os._exit(9)
    return {"success": True, "place": parameters["place"]}


def coins(*, parameters: dict[str, Any], seed: int) -> dict[str, Any]:
    """Success with a known frequency."""
    return {"success": bool(np.random.default_rng(seed).random() < parameters["chance"])}


def napping(*, parameters: dict[str, Any], seed: int) -> dict[str, Any]:
    """Takes a while."""
    time.sleep(parameters["seconds"])
    return {"success": True}
