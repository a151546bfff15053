"""What run, ledger and transcript add to a run: time for each batch, and time for large answers.

Run as `python benchmarks/overhead.py`.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from sqsim.loop import run
from sqsim.lowrank import LowRank
from sqsim.queries import Batch, Opaque, Query, Ridge, Statistic
from sqsim.strategy import SQ, Answers, ask
from sqsim.tolerance import Absolute, Tolerance
from sqsim.transcript import Transcript

TURNS = 5000


class Constant:
    """An oracle that costs nothing."""

    tolerance: Tolerance = Absolute(0.1)

    def __init__(self, answer: Any, dimension: int) -> None:
        self.dimension = dimension
        self._answers = (answer,)

    def answer(self, batch: Batch[Query], turn: int) -> Answers:
        return self._answers

    def describe(self) -> dict[str, object]:
        return {"access": "SQ"}


def asking(query: Query, turns: int) -> SQ[None]:
    for _ in range(turns):
        yield from ask(query)


def seconds(action: Callable[[], object], repeats: int = 5) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return median(times)


def per_batch(folder: Path, query: Query, dimension: int) -> tuple[float, float]:
    """Microseconds a batch of one scalar query, in memory and with a file."""
    oracle = Constant(np.float64(0.25), dimension)
    paths = iter(folder / f"scalar{query.label}{i}.jsonl" for i in range(99))

    def bare() -> None:
        strategy = asking(query, TURNS)
        batch = next(strategy)
        try:
            while True:
                batch = strategy.send(oracle.answer(batch, 0))
        except StopIteration:
            return

    base = seconds(bare)
    memory = seconds(lambda: run(asking(query, TURNS), oracle)) - base
    file = seconds(lambda: run(asking(query, TURNS), oracle, log=next(paths))) - base
    return memory / TURNS * 1e6, file / TURNS * 1e6


def large(folder: Path, query: Query, answer: Any, dimension: int, raw: bytes) -> tuple[float, int]:
    """Time of a run of 10 such answers over the time of writing `raw` 10 times; bytes on disk."""
    oracle = Constant(answer, dimension)
    ratios, size, turns = [], 0, 10
    for attempt in range(7):
        path = folder / f"{query.label}{attempt}.jsonl"
        plain = folder / f"{query.label}{attempt}.raw"
        start = time.perf_counter()
        with open(plain, "wb") as file:
            for _ in range(turns):
                file.write(raw)
        middle = time.perf_counter()
        run(asking(query, turns), oracle, log=Transcript(path))
        ratios.append((time.perf_counter() - middle) / (middle - start))
        sidecar = path.with_name(path.name + ".bin")
        size = (path.stat().st_size + sidecar.stat().st_size) // turns
        for done in (plain, path, sidecar):
            os.remove(done)
    return median(ratios), size


def main() -> None:
    rng = np.random.default_rng(0)
    w = rng.standard_normal(100)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ridge = Statistic(Ridge(lambda s, y: np.maximum(s, 0) * y, w), "ridge")
        opaque = Statistic(Opaque(lambda x, y: x[:, 0] * y), "opaque")
        for query in (ridge, opaque):
            memory, file = per_batch(folder, query, 100)
            print(f"scalar {query.label}: {memory:.1f} us a batch in memory, {file:.1f} in a file")
        matrix = rng.standard_normal((1000, 1000))
        matrix += matrix.T
        moment = Statistic(Ridge(power=2), "matrix")
        ratio, size = large(folder, moment, matrix, 1000, matrix.tobytes())
        print(f"matrix 1000 x 1000: {ratio:.2f} times the raw write, {size} bytes an answer")
        vector = rng.standard_normal(10**6)
        mean = Statistic(Ridge(power=1), "vector")
        ratio, size = large(folder, mean, vector, 10**6, vector.tobytes())
        print(f"vector of 10^6: {ratio:.2f} times the raw write, {size} bytes an answer")
        basis = np.linalg.qr(rng.standard_normal((10_000, 3)))[0]
        low = LowRank(basis, np.diag([3.0, 2.0, 1.0]))
        second = Statistic(Ridge(power=2), "lowrank")
        ratio, size = large(folder, second, low, 10_000, basis.tobytes())
        print(f"low rank, d = 10 000, r = 3: {ratio:.2f} times the raw write, {size} bytes")


if __name__ == "__main__":
    main()
