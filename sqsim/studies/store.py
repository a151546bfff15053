"""The rows of a study in one sqlite file: written by one process, read by any number.

This file does not know how a row is computed.  A row is written once, in a transaction; what was
committed survives a kill of the process.
"""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import IO, Any, final

from sqsim import __version__
from sqsim.errors import BadInput, SqsimError
from sqsim.studies.cells import Cell, canonical
from sqsim.studies.study import Study

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

SCHEMA = "sqsim.store/1"
_TABLES = """
create table meta (name text primary key, value text not null) without rowid;
create table runs (
    setting integer not null, repeat integer not null, id text not null unique,
    arguments text not null, state text not null, row text, reason text, traceback text,
    seconds real not null, primary key (setting, repeat)
) without rowid;
"""


class StoreFull(SqsimError):
    """The disk took no more; what had been committed is kept, and the study can be resumed."""


@final
@dataclass(frozen=True)
class Outcome:
    """What came of one cell.

    Attributes
    ----------
    state : "done" or "failed"
    row : canonical JSON of the row, None for a failure.
    reason : why it stopped, in a line; traceback : of a failure.
    seconds : it took; the only part that may differ between two runs of a study.
    """

    state: str
    row: str | None
    reason: str
    traceback: str | None
    seconds: float

    @property
    def values(self) -> dict[str, Any]:
        """The row, empty for a failure."""
        return {} if self.row is None else json.loads(self.row)


@final
@dataclass(frozen=True)
class Run:
    """A cell that was run, as the store has it."""

    setting: int
    repeat: int
    content_id: str
    arguments: dict[str, Any]
    outcome: Outcome


@final
class Store:
    """An open store.  Make one with `create`, `resume` or `open_for_reading`."""

    def __init__(self, path: Path, lock: IO[bytes] | None) -> None:
        self.path = path
        self._lock = lock
        # Autocommit: transactions are begun by hand, one for each batch of outcomes.
        uri = f"{path.resolve().as_uri()}?mode={'ro' if lock is None else 'rwc'}"
        self._database = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30)
        self._database.execute("pragma busy_timeout = 30000")

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let go of the lock."""
        self._database.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def meta(self) -> dict[str, str]:
        """Schema, versions and the study, as text."""
        return dict(self._database.execute("select name, value from meta"))

    @property
    def study(self) -> Study:
        """The study that the store was made for."""
        return Study.of(json.loads(self.meta["study"]))

    def runs(self) -> Iterator[Run]:
        """Every run, in the order of the study."""
        rows = self._database.execute(
            "select setting, repeat, id, arguments, state, row, reason, traceback, seconds "
            "from runs order by setting, repeat"
        )
        for setting, repeat, content_id, arguments, *outcome in rows:
            yield Run(setting, repeat, content_id, json.loads(arguments), Outcome(*outcome))

    def fingerprint(self) -> str:
        """Every run as text, times aside: equal for equal stores."""
        rows = self._database.execute(
            "select setting, repeat, id, arguments, state, row, reason from runs "
            "order by setting, repeat"
        )
        return "\n".join(canonical(list(row)) for row in rows)

    def add(self, outcomes: Sequence[tuple[Cell, Outcome]]) -> None:
        """Write these outcomes, all or none.

        Raises StoreFull where the disk takes no more.
        """
        rows = [
            (cell.setting, cell.repeat, cell.content_id, cell.arguments, *astuple(outcome))
            for cell, outcome in outcomes
        ]
        with self._transaction():
            self._database.executemany("insert into runs values (?,?,?,?,?,?,?,?,?)", rows)

    def forget_failures(self) -> int:
        """Remove the failed runs, so that they are run again; how many there were."""
        with self._transaction():
            return self._database.execute("delete from runs where state = 'failed'").rowcount

    def begin(self, study: Study) -> None:
        """Lay the tables of an empty file."""
        self._database.execute("pragma journal_mode = wal")
        # A kill of the process loses nothing at this level; a power cut may lose the last moments.
        self._database.execute("pragma synchronous = normal")
        with self._transaction():
            for statement in filter(str.strip, _TABLES.split(";")):
                self._database.execute(statement)
            about = {"schema": SCHEMA, "study": canonical(study.to_dict()), **_versions()}
            self._database.executemany("insert into meta values (?, ?)", about.items())

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Whatever is read inside is of one moment, while another process goes on writing."""
        self._database.execute("begin")
        try:
            yield
        finally:
            self._database.execute("rollback")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._database.execute("begin immediate")
            yield
            self._database.execute("commit")
        except BaseException as error:
            if self._database.in_transaction:
                self._database.execute("rollback")
            full = isinstance(error, sqlite3.OperationalError) and "full" in str(error)
            if full or (isinstance(error, sqlite3.OperationalError) and "I/O" in str(error)):
                raise StoreFull(
                    f"{self.path} could not be written ({error}); what it held before is kept: "
                    f"make room and run: sqsim study resume --store {self.path}"
                ) from None
            raise


def create(path: str | Path, study: Study) -> Store:
    """A new store for this study; BadInput if the file exists or another process writes it."""
    path = Path(path)
    if path.exists() and path.stat().st_size:
        raise BadInput(f"{path} exists; resume it (sqsim study resume) or give another --store")
    if not path.parent.is_dir():
        raise BadInput(f"cannot make {path}: its folder does not exist")
    store = Store(path, _locked(path))
    try:
        store.begin(study)
    except BaseException:
        store.close()
        path.unlink(missing_ok=True)
        raise
    return store


def resume(path: str | Path, *, other_version: bool = False) -> Store:
    """An existing store, to go on with.

    Raises BadInput if it is no store, if another process writes it, or if it was made by another
    version of sqsim and `other_version` does not allow that.
    """
    path = _existing(Path(path))
    store = Store(path, _locked(path))
    try:
        _check(store)
        made = store.meta["sqsim"]
        if made != __version__ and not other_version:
            raise BadInput(
                f"{path} was made by sqsim {made}, and this is {__version__}: its rows might not "
                "compare; install that version, or allow a mixture (--other-version)"
            )
    except BaseException:
        store.close()
        raise
    return store


def open_for_reading(path: str | Path) -> Store:
    """A store as it stands, while another process may be writing it."""
    store = Store(_existing(Path(path)), None)
    try:
        _check(store)
    except BaseException:
        store.close()
        raise
    return store


def _check(store: Store) -> None:
    try:
        schema = store.meta.get("schema")
    except sqlite3.DatabaseError:
        schema = None
    if schema != SCHEMA:
        raise BadInput(
            f"{store.path} is not a store of this sqsim (schema {schema!r}, wanted {SCHEMA!r})"
        )


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise BadInput(f"there is no store {path}; sqsim study run makes one")
    return path


def _locked(path: Path) -> IO[bytes]:
    """A lock beside the store that ends with this process, however it ends."""
    lock = open(path.with_name(path.name + ".lock"), "ab")  # noqa: SIM115
    if fcntl is not None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise BadInput(
                f"another process is writing {path}; wait for it, or look on with sqsim study "
                "status or sqsim report"
            ) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n".encode())
    lock.flush()
    return lock


def _versions() -> dict[str, str]:
    import numpy as np
    import scipy

    return {
        "sqsim": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
    }
