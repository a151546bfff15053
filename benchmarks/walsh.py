"""All parities at once: time against butterflies written with numpy, and a Hadamard matrix.

Run as `python benchmarks/walsh.py`; set OMP_NUM_THREADS=1 for one core.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np
from scipy.linalg import hadamard

from sqsim.lowerbounds.fourier import walsh_coefficients

LARGEST_MATRIX = 12


def stacked(values: np.ndarray) -> np.ndarray:
    """The usual few lines: sum and difference of neighbours, stacked, d times."""
    for level in range(len(values).bit_length() - 1):
        pairs = values.reshape(-1, 2, 1 << level)
        values = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1).ravel()
    return values


def seconds(actions: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median of each, run in turn so that a noisy machine meets all alike."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            start = time.perf_counter()
            action()
            times[name].append(time.perf_counter() - start)
    return {name: median(values) for name, values in times.items()}


def compare(dimension: int, kind: str) -> None:
    rng = np.random.default_rng(dimension)
    real = rng.normal(size=2**dimension)
    table = real if kind == "float64" else np.sign(real).astype(np.int64)
    actions: dict[str, Callable[[], object]] = {
        "here": lambda: walsh_coefficients(table),
        "stack": lambda: stacked(table),
        "copy": lambda: table.copy(),
    }
    if dimension <= LARGEST_MATRIX:
        matrix = hadamard(2**dimension).astype(table.dtype)
        actions["matrix"] = lambda: matrix @ table
    found = seconds(actions, 3 if dimension > 20 else 7)
    here = found.pop("here")
    ratios = "  ".join(f"{name} {value / here:8.2f}" for name, value in found.items())
    print(f"{dimension:3d} {kind:>8} {1e3 * here:10.3f} ms   others / here:  {ratios}")


if __name__ == "__main__":
    print("  d     type    coefficients")
    for dimension in (10, 12, 16, 20, 24, 25):
        for kind in ("float64", "int64"):
            compare(dimension, kind)
