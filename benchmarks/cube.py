"""All 2^d parities of a function on the cube, against one transform and its alternatives.

Run as `python benchmarks/cube.py [--largest 24]`; set OMP_NUM_THREADS=1 for one core.  Times are
medians of runs made in turn; the floor is two copies of the table, for two passes that read and
write it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from scipy.linalg import hadamard

from sqsim import Absolute, Batch, Correlation, csq
from sqsim.oracles.enumeration import Enumerate
from sqsim.problems.cube import CubeFunction
from sqsim.queries import Characters
from sqsim.tolerance import Scale
from sqsim.walsh import walsh_hadamard


def stacked(values: np.ndarray) -> np.ndarray:
    """The usual few lines: sum and difference of neighbours, stacked, d times."""
    for level in range(len(values).bit_length() - 1):
        pairs = values.reshape(-1, 2, 1 << level)
        values = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1).ravel()
    return values


def views(values: np.ndarray) -> np.ndarray:
    """Butterflies on views, in place, one level at a time over the whole table."""
    for level in range(len(values).bit_length() - 1):
        pairs = values.reshape(-1, 2, 1 << level)
        difference = pairs[:, 0] - pairs[:, 1]
        pairs[:, 0] += pairs[:, 1]
        pairs[:, 1] = difference
    return values


def products(values: np.ndarray, size: int = 5) -> np.ndarray:
    """Hadamard matrices of size 2^5 on whole axes, without blocks that fit a cache."""
    bits = len(values).bit_length() - 1
    for start in range(0, bits, size):
        step = min(size, bits - start)
        matrix = hadamard(1 << step).astype(values.dtype)
        values = np.matmul(matrix, values.reshape(-1, 1 << step, 1 << start)).ravel()
    return values


def seconds(actions: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Median of each, run in turn so that a noisy machine meets all alike."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    for round_ in range(rounds + 1):
        for name, action in actions.items():
            start = time.perf_counter()
            action()
            if round_:
                times[name].append(time.perf_counter() - start)
    return {name: median(values) for name, values in times.items()}


def compare(dimension: int, rounds: int) -> None:
    rng = np.random.default_rng(dimension)
    real = rng.normal(size=2**dimension)
    signs = np.sign(real)
    query = Correlation(Characters())
    oracles = {
        "floats": csq(CubeFunction(real), tolerance=Absolute(0.01)),
        "signs": csq(CubeFunction(signs), tolerance=Absolute(0.01)),
        "means": csq(CubeFunction(np.tanh(real), conditional=True), tolerance=Absolute(0.01)),
    }
    actions: dict[str, Callable[[], Any]] = {
        "transform": lambda: walsh_hadamard(real.copy()),
        "transform, float32": lambda: walsh_hadamard(signs.astype(np.float32)),
        "floor (two copies)": lambda: (real.copy(), real.copy()),
        "stacked numpy": lambda: stacked(real),
        "numpy views": lambda: views(real.copy()),
        "whole products": lambda: products(real),
    }
    for name, oracle in oracles.items():
        instance: Any = oracle.instance
        actions[f"means, {name}"] = lambda i=instance: Enumerate().means(i, [query], [Scale.NONE])
        actions[f"oracle, {name}"] = lambda o=oracle: o.answer(Batch((query,)), 0)
    found = seconds(actions, rounds)
    base = found["transform"]
    traffic = 4 * 8 * 2**dimension / base / 1e9
    print(f"d = {dimension}: transform {1e3 * base:.3f} ms, {traffic:.1f} GB/s in two passes")
    for name, value in found.items():
        print(f"    {name:22} {1e3 * value:10.3f} ms   {value / base:8.3f} transforms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=24)
    for d in range(12, parser.parse_args().largest + 1, 4):
        compare(d, 3 if d > 20 else 15)
