"""Workers that read parts of a table: the bits of one process, whatever happens to them."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from sqsim import Absolute, Sample, Transcript, run, sq
from sqsim.errors import BadInput, EngineFailed
from sqsim.oracles.distributed import Distributed
from sqsim.oracles.engines import Inline
from sqsim.problems.chunked import Chunked
from sqsim.problems.dataset import Dataset
from sqsim.problems.reading import Defects
from sqsim.problems.sources import from_arrays, from_chunks, from_dask
from sqsim.queries import Correlation, Opaque, Ridge, Statistic
from sqsim.strategy import ask
from sqsim.studies.rebuilding import table_run
from sqsim.studies.streaming import scaled
from sqsim.studies.table import run_table
from sqsim.tolerance import Scale

D = 8
ROWS = 20_000


def lazily(parts: int, *, pause: float = 0.0) -> Chunked:
    """Parts that make their rows where they are read: 1.4 MB each, from a seed."""

    def part(seed: int):
        def make():
            import time

            import numpy as np

            time.sleep(pause)
            draw = np.random.default_rng(seed)
            x = draw.standard_normal((ROWS, D))
            yield x, np.maximum(x[:, 0] - 0.3, 0.0) + 0.1 * draw.standard_normal(ROWS)

        return make

    return from_chunks([part(seed) for seed in range(parts)], dimension=D)


def every_query():
    w = np.arange(1.0, D + 1) / D
    return [
        Correlation(Ridge(lambda s: np.maximum(s, 0.0), w, 1), "gradient"),
        Correlation(Ridge(np.tanh, w), "scalar"),
        Statistic(Ridge(lambda s, y: s * y, w, 2), "matrix"),
        Statistic(Ridge(lambda y: y**2, power=1), "labels"),
        Statistic(Opaque(lambda x, y: np.stack([x[:, 0] * y, y], axis=1), 2), "pair"),
    ]


def asked(table, means, queries=None):
    queries = every_query() if queries is None else queries
    return means.means(table, queries, [Scale.FUNCTION] * len(queries), seed=0, turn=0)


def same_bits(one, two) -> bool:
    return all(
        np.array_equal(getattr(a, key), getattr(b, key))
        for a, b in zip(one, two, strict=True)
        for key in ("value", "error", "scale")
    )


class Shuffled:
    """An executor that does what it was given in another order, when the first result is wanted."""

    def __init__(self, seed: int) -> None:
        self.order = np.random.default_rng(seed)
        self.waiting: list = []

    def submit(self, function, *arguments):
        executor = self

        class Lazy(Future):
            def result(self, timeout=None):
                executor.work()
                return super().result(timeout)

        future = Lazy()
        self.waiting.append((future, function, arguments))
        return future

    def work(self) -> None:
        for i in self.order.permutation(len(self.waiting)):
            future, function, arguments = self.waiting[i]
            try:
                future.set_result(function(*arguments))
            except Exception as error:
                future.set_exception(error)
        self.waiting = []


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_completion_does_not_change_a_bit(seed: int) -> None:
    """Nor does how many parts are under way at a time."""
    table = lazily(11)
    expected = asked(table, Sample())
    assert same_bits(asked(table, Distributed(Shuffled(seed), ahead=1 + 5 * seed)), expected)


def test_executors_answer_as_one_process_does() -> None:
    table = lazily(5)
    expected = asked(table, Sample())
    with ThreadPoolExecutor(2) as threads:
        assert same_bits(asked(table, Distributed(threads)), expected)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        assert same_bits(asked(table, Distributed(processes)), expected)


def test_a_dataset_is_cut_into_parts() -> None:
    draw = np.random.default_rng(0)
    x, y = draw.standard_normal((9000, D)), draw.standard_normal(9000)
    with ThreadPoolExecutor(1) as threads:
        found = asked(Dataset(x, y), Distributed(threads))
    for mean, whole in zip(found, asked(Dataset(x, y), Sample()), strict=True):
        np.testing.assert_allclose(mean.value, whole.value, rtol=1e-11, atol=1e-13)


class Flaky:
    """Fails a few times as a machine does, and then works."""

    def __init__(self, failures: int) -> None:
        self.left = failures

    def submit(self, function, *arguments):
        future: Future = Future()
        if self.left:
            self.left -= 1
            future.set_exception(OSError("the disk is away"))
        else:
            future.set_result(function(*arguments))
        return future


def test_failures_of_the_machine_are_repeated_and_counted() -> None:
    table = lazily(1)
    assert same_bits(asked(table, Distributed(Flaky(2), retries=2)), asked(table, Sample()))
    with pytest.raises(EngineFailed, match="part 0 failed 3 times, at last with OSError"):
        asked(table, Distributed(Flaky(3), retries=2))


def test_errors_of_the_data_and_of_functions_are_raised_as_they_are() -> None:
    """And not repeated: they would be met again."""
    calls = []

    def make():
        calls.append(1)
        x = np.ones((10, D))
        x[3, 2] = np.nan
        return [(x, np.ones(10))]

    table = from_chunks([make, make], dimension=D)
    with ThreadPoolExecutor(1) as threads:
        with pytest.raises(BadInput, match="row 3, column 'x2'"):
            asked(table, Distributed(Inline()))
        assert len(calls) <= 2
        query = [Statistic(Opaque(lambda x, y: {}[0]), "lookup")]
        with pytest.raises(KeyError):
            asked(lazily(1), Distributed(threads), query)


def test_workers_count_what_is_skipped() -> None:
    def make():
        import numpy as np

        x = np.ones((10, 2))
        x[3, 1] = np.inf
        yield x, np.zeros(10)
        yield x[:0], np.zeros(0)

    table = from_chunks([make] * 9, dimension=2, defects=Defects.SKIP)
    counted = Distributed(Inline()).surveyed(table)
    assert counted.survey == table.survey
    assert counted.describe()["skipped_rows"] == counted.describe()["empty_chunks"] == 9


def test_what_cannot_be_sent_is_named() -> None:
    lock = threading.Lock()
    query = [Statistic(Opaque(lambda x, y: y * bool(lock)), "locked")]
    with pytest.raises(BadInput, match="cannot be sent to workers"):
        asked(lazily(1), Distributed(Inline()), query)


def test_bad_arguments() -> None:
    for engine in (None, 3, ThreadPoolExecutor):
        with pytest.raises(BadInput, match="the engine is"):
            Distributed(engine)
    for bad in ({"retries": -1}, {"ahead": 0}, {"timeout": 0.0}, {"timeout": float("nan")}):
        with pytest.raises(BadInput, match="wanted"):
            Distributed(Inline(), **bad)
    with pytest.raises(BadInput, match="Chunked table or a Dataset"):
        asked(object(), Distributed(Inline()))


distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes that give a task up at the second death of its worker."""
    dask = pytest.importorskip("dask")
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            silence_logs=50,
        ) as local,
    ):
        yield local


@pytest.fixture
def client(cluster):
    with distributed.Client(cluster, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=30)
        yield client


def test_a_killed_worker_changes_nothing(client) -> None:
    """55 MB made lazily in 40 parts; one of two workers is killed half-way."""
    table = lazily(40, pause=0.05)
    expected = asked(table, Sample())
    pids = list(client.run(os.getpid).values())
    started = time.monotonic()
    killer = threading.Timer(0.8, os.kill, (pids[0], signal.SIGKILL))
    killer.start()
    found = asked(table, Distributed(client))
    killer.join()
    assert time.monotonic() - started > 0.8, "the work was over before the worker was killed"
    assert same_bits(found, expected)
    client.wait_for_workers(2, timeout=30)
    assert pids[0] not in client.run(os.getpid).values()
    assert same_bits(asked(table, Distributed(client)), expected)


def test_an_address_is_connected_to_and_left(cluster) -> None:
    table = lazily(3)
    with Distributed(cluster.scheduler_address) as means:
        assert same_bits(asked(table, means), asked(table, Sample()))
        assert "tcp" not in repr(means)
    assert means.engine.status == "closed"


def test_blocks_of_dask_arrays_are_read_where_they_are(client) -> None:
    array = pytest.importorskip("dask.array")
    draw = np.random.default_rng(5)
    x, y = draw.standard_normal((9000, D)), draw.standard_normal(9000)
    x[17, 3] = np.nan
    table = from_dask(array.from_array(x, (1000, 4)), array.from_array(y, 1000))
    with pytest.raises(BadInput, match="row 17, column 'x3'"):
        asked(table, Distributed(client))
    x[17, 3] = 0.0
    table = from_dask(array.from_array(x, (1000, 4)), array.from_array(y, 1000))
    assert same_bits(
        asked(table, Distributed(client)), asked(from_arrays(x, y, rows=1000), Sample())
    )


@pytest.fixture(scope="module")
def table_file(tmp_path_factory) -> Path:
    """A folder with two Parquet files of a ReLU of correlated columns in odd units."""
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    folder = tmp_path_factory.mktemp("table")
    draw = np.random.default_rng(2)
    z = draw.standard_normal((6000, 4))
    x = z @ draw.standard_normal((4, 4)) * [1e-3, 1.0, 50.0, 1e4] + [0.0, 5.0, 3.0, -1e5]
    y = 7 * np.maximum(z[:, 0] - 0.4, 0.0)
    for i, rows in enumerate((slice(0, 4000), slice(4000, 6000))):
        columns = {f"c{j}": x[rows, j] for j in range(4)} | {"y": y[rows]}
        parquet.write_table(arrow.table(columns), folder / f"{i}.parquet", row_group_size=1500)
    columns = {f"c{j}": x[:, j] for j in range(4)} | {"y": y}
    parquet.write_table(arrow.table(columns), folder.parent / "whole.parquet")
    return folder


def ran(path: Path, engine: str, **options):
    return run_table(
        path,
        target="y",
        algorithm="one-shot-regression",
        tolerance=1e-4,
        engine=engine,
        sweep=False,
        **options,
    )


def test_sqsim_run_finds_the_same_from_memory_chunks_and_workers(
    cluster, table_file: Path, tmp_path: Path
) -> None:
    """Whitening, learner and losses; chunks and workers to the last bit."""
    memory = ran(table_file.parent / "whole.parquet", "memory")
    chunks = ran(table_file, "chunks", directory=tmp_path / "chunks")
    workers = ran(
        table_file, "dask", scheduler=cluster.scheduler_address, directory=tmp_path / "dask"
    )
    assert workers["hypothesis"] == chunks["hypothesis"]
    assert workers["loss"] == chunks["loss"]
    assert chunks["table"]["rows"] == memory["table"]["rows"] == 6000
    for part in ("learner", "zero", "least_squares"):
        expected = memory["loss"]["train"][part]
        assert chunks["loss"]["train"][part] == pytest.approx(expected, rel=1e-6)
    for fact in ("condition_number", "largest_shift", "smallest_deviation", "target_unit"):
        expected = memory["whitening"][fact]
        assert chunks["whitening"][fact] == pytest.approx(expected, rel=1e-8)
    assert chunks["sample_size"] == memory["sample_size"]
    assert "--engine chunks" in chunks["command"]
    for name, results in (("chunks", chunks), ("dask", workers)):
        log = Transcript.resume(tmp_path / name / results["transcript"])
        recipe = json.loads(log.path.read_text().splitlines()[0])["recipe"]
        strategy, oracle = table_run(**recipe["arguments"])
        assert run(strategy, oracle, log=log).ledger.queries == results["queries"]


def test_engines_refuse_what_they_cannot_do(table_file: Path) -> None:
    for engine, options, said in [
        ("spark", {}, "wanted one of memory, chunks, dask"),
        ("chunks", {"scheduler": "tcp://127.0.0.1:9"}, "wanted engine dask"),
        ("chunks", {"test_fraction": 0.5}, "test_fraction"),
    ]:
        with pytest.raises(BadInput, match=said):
            ran(table_file, engine, **options)


def test_a_constant_column_is_found_in_chunks() -> None:
    x = np.random.default_rng(0).standard_normal((500, 3))
    x[:, 1] = 0.1
    with pytest.raises(BadInput, match="'x1'"):
        scaled(from_arrays(x, x[:, 0], rows=100))


def asking(poison: str, main: int):
    """Two rounds; the second kills the worker that computes it while the file `poison` exists."""

    def deadly(y):
        import os

        if os.path.exists(poison) and os.getpid() != main:
            os._exit(1)
        return y**2

    first = yield from ask(Statistic(Ridge(lambda y: y, power=1), "first"))
    second = yield from ask(Statistic(Ridge(deadly), "second"))
    return float(first[0]), float(second)


def test_a_worker_that_keeps_dying_ends_the_run_and_keeps_the_transcript(
    client, tmp_path: Path
) -> None:
    """Bounded repetitions, a clear error, and a log that goes on when the machine is well again."""
    table, poison, log = lazily(2), tmp_path / "poison", tmp_path / "run.jsonl"
    poison.touch()

    def strategy():
        return asking(str(poison), os.getpid())

    def oracle(means):
        return sq(table, tolerance=Absolute(1e-6), means=means)

    with pytest.raises(EngineFailed, match=r"KilledWorker.*keeps dying.*resume the transcript"):
        run(strategy(), oracle(Distributed(client)), log=log)
    kept = Transcript.resume(log)
    assert len(kept) == 1
    poison.unlink()
    client.wait_for_workers(2, timeout=30)
    resumed = run(strategy(), oracle(Distributed(client)), log=kept)
    assert resumed.value == run(strategy(), oracle(Sample())).value
    assert resumed.ledger.rounds == 2


def test_a_cluster_without_workers_is_not_waited_for() -> None:
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as empty,
        distributed.Client(empty, set_as_default=False) as client,
        pytest.raises(EngineFailed, match="no worker has been at the scheduler for 1 seconds"),
    ):
        asked(lazily(1), Distributed(client, timeout=1.0))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x"])
def test_a_scheduler_that_is_not_there_is_found_missing_quickly(address: str) -> None:
    started = time.monotonic()
    with pytest.raises(BadInput, match="no scheduler at"):
        Distributed(address, timeout=1.0)
    assert time.monotonic() - started < 20
