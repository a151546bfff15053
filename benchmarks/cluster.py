"""Ten gigabytes that are made lazily, on two worker processes of which one is killed half-way.

Run as `python benchmarks/cluster.py [gigabytes]`.  The answers must have the bits of one
process that reads the same parts, and no worker may hold more than 3 GiB.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import numpy as np
import psutil
from distributed import Client, LocalCluster

from sqsim.oracles.distributed import Distributed
from sqsim.oracles.sampling import Sample
from sqsim.problems.chunked import Chunked
from sqsim.problems.sources import from_chunks
from sqsim.queries import Correlation, Query, Ridge, Statistic
from sqsim.tolerance import Mean, Scale

D, ROWS, CHUNK = 100, 40_960, 2048
LIMIT = 3 * 2**30


def made(parts: int) -> Chunked:
    """Parts of 33 MB, each from its seed."""

    def part(seed: int):
        def make():
            draw = np.random.default_rng(seed)
            for _ in range(ROWS // CHUNK):
                x = draw.standard_normal((CHUNK, D))
                yield x, np.maximum(x[:, 0] - 0.5, 0.0) + 0.1 * draw.standard_normal(CHUNK)

        return make

    return from_chunks([part(seed) for seed in range(parts)], dimension=D)


def batch() -> list[Query]:
    """Ten gradients and a second-moment matrix: one round of a grid of learners."""
    frames = np.random.default_rng(0).standard_normal((D, 10)) / 10
    queries: list[Query] = [
        Correlation(Ridge(lambda s: (s >= 0.1) * 1.0, frames[:, j], 1)) for j in range(10)
    ]
    return [*queries, Statistic(Ridge(lambda y: (np.abs(y) >= 0.5) * 1.0, power=2))]


def asked(table: Chunked, means: Sample | Distributed) -> tuple[list[Mean], float]:
    queries, start = batch(), time.perf_counter()
    found = means.means(table, queries, [Scale.NONE] * len(queries), seed=0, turn=0)
    return found, time.perf_counter() - start


class Watch:
    """The largest memory that any worker held, looked at ten times a second."""

    def __init__(self) -> None:
        self.peak, self.done = 0, threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)

    def look(self) -> None:
        while not self.done.wait(0.1):
            for process in psutil.Process().children(recursive=True):
                try:
                    self.peak = max(self.peak, process.memory_info().rss)
                except psutil.Error:
                    continue

    def __enter__(self) -> Watch:
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.done.set()
        self.thread.join()


def main() -> None:
    gigabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    parts = max(4, round(gigabytes * 1e9 / (8 * D * ROWS)))
    table = made(parts)
    print(f"{parts} parts of {ROWS} rows, d = {D}: {parts * ROWS * D * 8 / 1e9:.2f} GB of inputs")
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            memory_limit="3GiB",
            dashboard_address=":0",
            silence_logs=50,
        ) as cluster,
        Client(cluster) as client,
        Watch() as watch,
    ):
        pids = list(client.run(os.getpid).values())
        whole, undisturbed = asked(table, Distributed(client))
        print(f"two workers: {undisturbed:.1f} s")
        killer = threading.Timer(undisturbed / 2, os.kill, (pids[0], signal.SIGKILL))
        killer.start()
        found, disturbed = asked(table, Distributed(client))
        killer.join()
        client.wait_for_workers(2, timeout=60)
        gone = pids[0] not in client.run(os.getpid).values()
        print(f"one of them killed after {undisturbed / 2:.1f} s ({gone}): {disturbed:.1f} s")
        print(f"largest memory of a worker: {watch.peak / 2**30:.2f} GiB")
    alone, serial = asked(table, Sample())
    print(f"one process: {serial:.1f} s")
    same = all(
        np.array_equal(a.value, b.value) and np.array_equal(a.error, b.error)
        for others in (whole, found)
        for a, b in zip(alone, others, strict=True)
    )
    print(f"the same answers to the last bit: {same}")
    if not (same and gone and disturbed > undisturbed / 2 and watch.peak < LIMIT):
        raise SystemExit("the demonstration failed")


if __name__ == "__main__":
    main()
