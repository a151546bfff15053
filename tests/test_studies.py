"""Grids of runs: what is run, how often, and what a store keeps whatever happens."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import binom

from sqsim.errors import BadInput, EngineFailed
from sqsim.studies import (
    Crew,
    Repeats,
    Store,
    Study,
    dask_workers,
    export,
    frequency_interval,
    in_process,
    inspector_frame,
    lent,
    loky_processes,
    open_for_reading,
    processes,
    progress_of,
    records,
    resume_study,
    run_study,
    to_xarray,
)
from sqsim.studies.driving import drive
from sqsim.studies.estimating import check_meant
from sqsim.studies.store import StoreFull, create, resume

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(HERE)}


def numbers(places: int, *, seeds: Any = 2) -> Study:
    return Study(
        "numbers",
        measure="measures_for_studies:numbers",
        parameters={"place": list(range(places))},
        seeds=seeds,
    )


def fragile(places: int) -> Study:
    return Study(
        "fragile",
        measure="measures_for_studies:fragile",
        parameters={"place": list(range(places))},
    )


def fingerprint(path: Path) -> str:
    with open_for_reading(path) as store:
        return store.fingerprint()


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are other processes: they import the measures by name."""
    monkeypatch.setenv("PYTHONPATH", str(HERE))


# ---- what is run


def test_a_specification_is_expanded_in_order_with_the_last_table_fastest() -> None:
    """The place of a cell is part of the store: it must follow from the text alone."""
    study = Study.of(
        {
            "name": "grid",
            "problem": {"dimension": [3, 5], "bias": -1.0},
            "algorithm": [{"name": ["a", "b"]}, {"name": "c", "steps": 7}],
            "tolerance": [0.1, 0.01],
        }
    )
    settings = list(study.settings())
    assert len(study) == len(settings) == 12
    assert settings[0] == {
        "problem": {"dimension": 3, "bias": -1.0},
        "algorithm": {"name": "a"},
        "tolerance": 0.1,
    }
    assert settings[1]["tolerance"] == 0.01
    assert settings[5]["algorithm"] == {"name": "c", "steps": 7}
    assert settings[6]["problem"]["dimension"] == 5


def test_a_study_is_rebuilt_from_its_plain_data() -> None:
    """A store holds the study as text, and resumes from it."""
    study = numbers(3, seeds={"at_least": 4, "at_most": 8})
    assert Study.of(json.loads(json.dumps(study.to_dict()))).to_dict() == study.to_dict()


def test_the_size_of_a_specification_replaces_what_it_names(tmp_path: Path) -> None:
    """One file for minutes and for hours."""
    path = tmp_path / "s.toml"
    path.write_text('name = "s"\ntolerance = [0.1]\nseeds = 1\n[size.full]\nseeds = 9\n')
    assert Study.read(path).most_cells == 1
    assert Study.read(path, size="full").most_cells == 9


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"name": "s", "problen": {}}, "did you mean 'problem'"),
        ({"tolerance": 1}, "no name"),
        ({"name": "s", "tolerance": []}, "nothing to run"),
        ({"name": "s", "problem": 3}, "wanted tables"),
        ({"name": "s", "size": {"tiny": {}}}, "unknown in size"),
        ({"name": "s", "seeds": {"at_leats": 3}}, "known: at_least"),
        ({"name": "s", "seeds": 0}, "from 1 on"),
    ],
    ids=["key", "name", "empty", "shape", "size", "rule", "seeds"],
)
def test_a_wrong_specification_says_what_is_wrong(spec: dict[str, Any], message: str) -> None:
    """Before anything runs."""
    with pytest.raises(BadInput, match=message):
        Study.of(spec)


def test_arguments_that_can_never_run_are_refused_before_a_store_is_made(tmp_path: Path) -> None:
    """A measure checks every setting."""
    study = Study("n", measure="measures_for_studies:numbers", parameters={"place": [1, -1]})
    with pytest.raises(BadInput, match="place is -1"):
        run_study(study, tmp_path / "s.db")
    assert not (tmp_path / "s.db").exists()


def test_a_measure_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Also when the module is there and the name is not."""
    with pytest.raises(BadInput, match="cannot be imported"):
        run_study(Study("n", measure="measures_for_studies:absent"), tmp_path / "s.db")


def test_a_grid_larger_than_a_user_may_mean_is_counted_and_timed_first() -> None:
    """The estimate comes from cells of the study itself."""
    with pytest.raises(BadInput, match=r"up to 30,000 cells, about .*--yes"):
        check_meant(numbers(30_000, seeds=1))
    with pytest.raises(BadInput, match="10,000,000 are allowed"):
        check_meant(Study("huge", tolerance=0.1, problem={c: list(range(100)) for c in "abcde"}))
    slow = Study(
        "slow",
        measure="measures_for_studies:napping",
        parameters={"seconds": 0.2},
        seeds=19_000,
    )
    with pytest.raises(BadInput, match=r"about 1\.\d hours|about 6\d\.\d minutes"):
        check_meant(slow)


# ---- how often


@pytest.mark.parametrize(("successes", "trials"), [(0, 5), (3, 10), (10, 10), (500, 1000)])
def test_the_interval_of_a_frequency_is_where_the_binomial_tails_say(
    successes: int, trials: int
) -> None:
    """Clopper and Pearson: at either end the observed tail has probability alpha / 2."""
    low, high = frequency_interval(successes, trials, confidence=0.9)
    if successes:
        assert binom.sf(successes - 1, trials, low) == pytest.approx(0.05)
    if successes < trials:
        assert binom.cdf(successes, trials, high) == pytest.approx(0.05)


def test_seeds_are_repeated_until_success_is_known_well_enough(tmp_path: Path) -> None:
    """A sure thing takes fewer seeds than a coin, and blocks double."""
    rule = {"at_least": 8, "at_most": 64, "half_width": 0.2}
    study = Study(
        "coins",
        measure="measures_for_studies:coins",
        parameters={"chance": [0.0, 0.5]},
        seeds=rule,
    )
    reached = run_study(study, tmp_path / "s.db")
    with open_for_reading(tmp_path / "s.db") as store:
        counts = [sum(run.setting == place for run in store.runs()) for place in (0, 1)]
    assert counts == [8 if Repeats(**rule).wanted([False] * 8) == 8 else 16, 32]
    assert (reached.done, reached.left) == (sum(counts), 0)


# ---- what a store keeps


def crews() -> dict[str, Callable[[], Crew]]:
    return {
        "two processes": lambda: processes(2),
        "loky": lambda: loky_processes(2),
        "dask": lambda: dask_workers(None, workers=2),
        "threads that were lent": lambda: lent(ThreadPoolExecutor(1), workers=1),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", list(crews()))
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_rows_do_not_depend_on_the_executor(name: str, tmp_path: Path) -> None:
    """Byte for byte, times aside."""
    study = numbers(12, seeds={"at_least": 2, "at_most": 8, "half_width": 0.25})
    run_study(study, tmp_path / "one.db", crew=in_process())
    run_study(study, tmp_path / "two.db", crew=crews()[name]())
    assert fingerprint(tmp_path / "one.db") == fingerprint(tmp_path / "two.db")


@pytest.fixture
def mpiexec() -> tuple[list[str], dict[str, str]]:
    """The start of a command line with three MPI processes, and its environment."""
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    program = shutil.which("mpiexec")
    if program is None:
        pytest.skip("no MPI on this machine")
    for extra in ([], ["--oversubscribe"]):
        for kind in ({}, {"MPI4PY_MPIABI": "openmpi"}, {"MPI4PY_MPIABI": "mpich"}):
            start, environment = [program, *extra, "-n", "3"], {**ENVIRONMENT, **root, **kind}
            tried = subprocess.run(
                [*start, sys.executable, "-c", "from mpi4py import MPI"],
                env=environment,
                capture_output=True,
                timeout=60,
            )
            if tried.returncode == 0:
                return start, environment
    pytest.skip("mpi4py does not find the MPI library of this machine")


@pytest.mark.slow
def test_rows_do_not_depend_on_mpi(
    tmp_path: Path, mpiexec: tuple[list[str], dict[str, str]]
) -> None:
    """Three processes of mpiexec: one gives out work, two do it."""
    start, environment = mpiexec
    study = numbers(12)
    spec = written(study, tmp_path)
    run_study(study, tmp_path / "one.db")
    subprocess.run(
        [*start, *command(spec, tmp_path / "two.db"), "--executor", "mpi"],
        env=environment,
        check=True,
        timeout=120,
        capture_output=True,
    )
    assert fingerprint(tmp_path / "one.db") == fingerprint(tmp_path / "two.db")


def test_a_cell_that_fails_keeps_its_traceback_and_stops_no_other(tmp_path: Path) -> None:
    """One that kills its worker fails alone, too."""
    reached = run_study(fragile(6), tmp_path / "s.db", crew=processes(2))
    with open_for_reading(tmp_path / "s.db") as store:
        outcomes = {run.setting: run.outcome for run in store.runs()}
    assert (reached.done, reached.failed) == (6, 2)
    assert outcomes[2].reason == "ValueError: the second place cannot be measured"
    assert "measures_for_studies" in str(outcomes[2].traceback)
    assert "worker died 3 times" in outcomes[3].reason
    assert all(outcomes[place].state == "done" for place in (0, 1, 4, 5))


def test_an_executor_that_vanished_is_reported_and_the_rows_are_kept(tmp_path: Path) -> None:
    """An executor of the caller's is not replaced."""
    pool = ThreadPoolExecutor(1)
    study = numbers(4)

    def vanish(event: str, details: Any) -> None:
        if event == "run":
            pool.shutdown()

    with pytest.raises(EngineFailed, match="sqsim study resume"):
        run_study(study, tmp_path / "s.db", crew=lent(pool, workers=1), observer=vanish)
    with open_for_reading(tmp_path / "s.db") as store:
        kept = progress_of(store).done
    assert kept >= 1
    resume_study(tmp_path / "s.db")
    run_study(study, tmp_path / "whole.db")
    assert fingerprint(tmp_path / "s.db") == fingerprint(tmp_path / "whole.db")


def test_the_second_writer_of_a_store_is_refused_and_readers_are_not(tmp_path: Path) -> None:
    """Politely: who holds it is said, and what can be done meanwhile."""
    path = tmp_path / "s.db"
    with create(path, numbers(2)):
        with pytest.raises(BadInput, match="another process is writing"):
            resume(path)
        with open_for_reading(path) as reader:
            assert progress_of(reader).left == 4
    with resume(path) as again:
        assert again.study.name == "numbers"


def test_a_store_is_not_made_twice_nor_from_something_else(tmp_path: Path) -> None:
    """Nothing is overwritten."""
    path = tmp_path / "s.db"
    run_study(numbers(1), path)
    with pytest.raises(BadInput, match="exists"):
        run_study(numbers(1), path)
    (tmp_path / "text").write_text("no store at all" * 100)
    with pytest.raises(BadInput, match="not a store"):
        resume(tmp_path / "text")
    with pytest.raises(BadInput, match="there is no store"):
        open_for_reading(tmp_path / "absent.db")


def test_a_store_of_another_version_is_resumed_only_when_told(tmp_path: Path) -> None:
    """Rows of two versions might not compare."""
    path = tmp_path / "s.db"
    run_study(numbers(1), path)
    changed = sqlite3.connect(path)
    changed.execute("update meta set value = '0.0.1' where name = 'sqsim'")
    changed.commit()
    changed.close()
    with pytest.raises(BadInput, match=r"made by sqsim 0\.0\.1"):
        resume(path)
    with resume(path, other_version=True) as store:
        assert progress_of(store).left == 0


def test_a_full_disk_rolls_back_and_the_study_is_resumed(tmp_path: Path) -> None:
    """The failing batch leaves nothing behind."""
    path, whole = tmp_path / "s.db", tmp_path / "whole.db"
    study = numbers(40)
    with create(path, study) as store:
        limited(store, pages=8)
        with pytest.raises(StoreFull, match="sqsim study resume"):
            drive(store)
    with open_for_reading(path) as reader:
        assert 0 < progress_of(reader).done < 80
    resume_study(path)
    run_study(study, whole)
    assert fingerprint(path) == fingerprint(whole)


def limited(store: Store, *, pages: int) -> None:
    """Let the file of a store grow to so many pages, as a full disk would."""
    store._database.execute(f"pragma max_page_count = {pages}")


def test_failures_are_run_again_only_when_told(tmp_path: Path) -> None:
    """A failed cell has its outcome; resuming does not hide it."""
    path = tmp_path / "s.db"
    study = Study(
        "f", measure="measures_for_studies:fragile", parameters={"place": [1, 2]}, seeds=2
    )
    assert run_study(study, path).failed == 2
    assert resume_study(path).failed == 2
    asked: list[str] = []
    resume_study(path, retry_failures=True, observer=lambda event, _: asked.append(event))
    assert asked.count("run") == 2


# ---- crashes


def written(study: Study, folder: Path) -> Path:
    """The study as a TOML file."""
    spec = study.to_dict()
    lines = [f"{name} = {json.dumps(spec[name])}" for name in ("name", "measure", "seeds")]
    lines += ["[parameters]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in spec["parameters"].items()]
    path = folder / "study.toml"
    path.write_text("\n".join(lines))
    return path


def command(spec: Path, store: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "sqsim.cli", "study", "run"),
        *(str(spec), "--store", str(store), "--quiet", "--yes"),
    ]


def resuming(store: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "sqsim.cli", "study", "resume"),
        *(str(store), "--quiet", "--workers", "2"),
    ]


def rows_in(store: Path) -> int:
    try:
        with open_for_reading(store) as opened:
            return sum(1 for _ in opened.runs())
    except (BadInput, sqlite3.OperationalError):
        return 0


def children(parent: int) -> list[int]:
    """Processes whose command line is a spawned worker of this one."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == parent and b"spawn_main" in words:
            found.append(int(folder.name))
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_killing_driver_and_workers_loses_no_row_and_repeats_none(tmp_path: Path) -> None:
    """20 kills of each at random moments: the rows are those of a run that nobody disturbed."""
    study = numbers(5_000)
    spec, path = written(study, tmp_path), tmp_path / "killed.db"
    moments = random.Random(5)
    deaths = {"driver": 0, "worker": 0}
    while deaths["driver"] < 20:
        start = resuming(path) if path.exists() else [*command(spec, path), "--workers", "2"]
        before = rows_in(path)
        driver = subprocess.Popen(start, env=ENVIRONMENT, stderr=subprocess.PIPE)
        try:
            _wait_for(partial(_moved, driver, path, before))
            if deaths["worker"] < 20 and (workers := children(driver.pid)):
                os.kill(moments.choice(workers), signal.SIGKILL)
                deaths["worker"] += 1
            time.sleep(moments.uniform(0.0, 0.4))
        finally:
            alive = driver.poll() is None
            os.kill(driver.pid, signal.SIGKILL) if alive else None
            driver.communicate()
        assert alive, "the study ended before it could be killed"
        deaths["driver"] += 1
    assert deaths["worker"] == 20
    resume_study(path, crew=processes(2))
    run_study(study, tmp_path / "whole.db", crew=in_process())
    assert rows_in(path) == 10_000
    assert fingerprint(path) == fingerprint(tmp_path / "whole.db")


def _moved(driver: subprocess.Popen[bytes], path: Path, before: int) -> bool:
    return rows_in(path) > before or driver.poll() is not None


def _wait_for(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


@pytest.mark.slow
def test_ctrl_c_saves_what_runs_and_leaves_with_130(tmp_path: Path) -> None:
    """Resuming gives the rows of a study that was never stopped."""
    study = Study(
        "naps",
        measure="measures_for_studies:napping",
        parameters={"seconds": [0.05 + place / 1e6 for place in range(60)]},
    )
    spec, path = written(study, tmp_path), tmp_path / "s.db"
    driver = subprocess.Popen(
        [*command(spec, path), "--workers", "2"], env=ENVIRONMENT, stderr=subprocess.PIPE
    )
    _wait_for(lambda: rows_in(path) > 2)
    driver.send_signal(signal.SIGINT)
    _, said = driver.communicate(timeout=60)
    assert driver.returncode == 130, said
    assert b"sqsim study resume" in said
    assert 2 < rows_in(path) < 60
    resume_study(path, crew=processes(2))
    run_study(study, tmp_path / "whole.db", crew=processes(2))
    assert fingerprint(path) == fingerprint(tmp_path / "whole.db")


# ---- tables


def test_exports_hold_every_run_and_read_back(tmp_path: Path) -> None:
    """CSV, Parquet and xarray agree with the rows."""
    import csv

    parquet = pytest.importorskip("pyarrow.parquet")
    pytest.importorskip("xarray")
    path = tmp_path / "s.db"
    run_study(numbers(3), path)
    with open_for_reading(path) as store:
        rows = records(store)
        export(store, tmp_path / "t.csv")
        export(store, tmp_path / "t.parquet")
        cube = to_xarray(store)
    with (tmp_path / "t.csv").open() as file:
        texts = list(csv.DictReader(file))
    table = parquet.read_table(tmp_path / "t.parquet").to_pydict()
    assert len(rows) == len(texts) == len(table["largest"]) == 6
    for place, row in enumerate(rows):
        assert float(texts[place]["largest"]) == table["largest"][place] == row["largest"]
        here = {"parameters.place": row["parameters.place"], "seed": row["seed"]}
        assert float(cube["largest"].sel(here)) == row["largest"]


def test_the_inspector_frame_has_its_columns(tmp_path: Path) -> None:
    """Evaluations and quality, one record a run."""
    path = tmp_path / "s.db"
    run_study(numbers(2), path)
    with open_for_reading(path) as store:
        frame = inspector_frame(store, evaluations="largest", value="spread")
    assert len(frame) == 4
    assert {"data_id", "algorithm_name", "evaluations", "raw_y", "instance"} <= set(frame[0])


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    """With the formats there are."""
    run_study(numbers(1), tmp_path / "s.db")
    with open_for_reading(tmp_path / "s.db") as store, pytest.raises(BadInput, match=r"\.parquet"):
        export(store, tmp_path / "t.xls")
