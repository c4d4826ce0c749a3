"""The file of the SQLite store: its connections, transactions and errors."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from newsbeam.errors import ConfigError, StoreDamagedError, StoreError
from newsbeam.stores import sqlite_schema

BUSY_SECONDS = 30.0
"""How long a writer waits for another one, in seconds."""

_SCHEME = "sqlite:///"


class _Connection(sqlite3.Connection):
    """A connection that can be referred to weakly, so that those of ended threads go with them."""


class Database:
    """One file, with a connection for each thread that uses it.

    Every write is one BEGIN IMMEDIATE transaction, so that it waits for other writers at its start and never fails
    half-way for them. The journal is a WAL: readers and the writer don't wait for each other.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._create = False
        self._local = threading.local()
        self._opened: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self._lock = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A transaction that sees one state of the store."""
        with self._errors():
            db = self._connection()
            db.execute("BEGIN")
            try:
                yield db
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is written whole at its end, or not at all where an exception leaves it."""
        with self._errors():
            db = self._connection()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:  # after a full disk SQLite has rolled back by itself
                    db.execute("ROLLBACK")
                raise

    def initialize(self) -> None:
        """Makes the file where it is missing, and brings its schema up to date."""
        folder = os.path.dirname(self.path)
        if not os.path.isdir(folder):
            raise StoreError(f"can't make the store {self.path}: there is no directory {folder}")
        self._create = True
        try:
            with self.write() as db:
                sqlite_schema.migrate(db, self.path)
            with self._errors():
                self._use_wal(self._connection())
        finally:
            self._create = False

    def check_version(self) -> None:
        """Raises StoreError where the file is missing, no store, or of another version."""
        with self.read() as db:
            sqlite_schema.check_version(db, self.path)

    def truncate_journal(self) -> None:
        """Moves the journal into the file and empties it; where readers hold it back, the next one does."""
        with self._errors():
            self._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Closes the connections of all threads; the next use opens new ones."""
        with self._lock:
            for connection in list(self._opened):
                connection.close()
            self._opened.clear()
            self._local = threading.local()

    def _connection(self) -> sqlite3.Connection:
        known: _Connection | None = getattr(self._local, "connection", None)
        if known is not None:
            return known
        if not self._create and not os.path.exists(self.path):
            raise StoreError(f'no store at {self.path}; "newsbeam ingest" or "newsbeam store init" makes one')
        db = sqlite3.connect(
            f"file:{quote(self.path)}?mode={'rwc' if self._create else 'rw'}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,  # transactions are begun and ended here, by hand
            check_same_thread=False,  # for close() alone
            factory=_Connection,
        )
        # FULL: a batch that is reported as done survives a power failure (with NORMAL, a WAL may lose the last
        # ones). A batch is one transaction, so that is one fsync a batch.
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA secure_delete = ON")  # freed pages are overwritten: what is taken down is gone
        db.execute("PRAGMA cache_size = -16000")  # KiB
        with self._lock:
            self._opened.add(db)
        self._local.connection = db
        return db

    def _use_wal(self, db: sqlite3.Connection) -> None:
        """Sets the journal's mode, which the file keeps. SQLite does not wait for other connections here."""
        give_up = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                    raise
                time.sleep(0.02)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """SQLite's errors as StoreError, with the path and what to do."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._explain(error) from error

    def _explain(self, error: sqlite3.Error) -> StoreError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # extended codes have the primary one in the low byte
        path = self.path
        if code == sqlite3.SQLITE_FULL:
            return StoreError(f"no space left for the store {path}; nothing of the batch was written; free some space")
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return StoreError(f"another process held the store {path} for {BUSY_SECONDS:g} s; try again when it ends")
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
            return StoreError(f"the store {path} can't be written ({error}); check the rights of file and directory")
        if code == sqlite3.SQLITE_CANTOPEN:
            return StoreError(f"can't open the store {path} ({error}); check the path and its rights")
        if code == sqlite3.SQLITE_NOTADB:
            return StoreError(f"{path} is no SQLite database")
        if code == sqlite3.SQLITE_CORRUPT:
            return StoreDamagedError(f"the store {path} is damaged ({error}); bring it back from a backup")
        if code == sqlite3.SQLITE_IOERR:
            return StoreError(f"the disk failed under the store {path} ({error})")
        return StoreError(f"the store {path} failed: {error}")


def path_of(url: str) -> str:
    """The absolute path that `sqlite:///relative` or `sqlite:////absolute` names. Raises ConfigError."""
    path = url.removeprefix(_SCHEME)
    if not url.startswith(_SCHEME) or not path.strip() or path == ":memory:" or "\0" in path:
        raise ConfigError(f"{url!r} is no store address; use sqlite:///PATH, with the path of a file")
    return os.path.abspath(path)


def url_of(path: str) -> str:
    """The address of a store by its absolute path."""
    return _SCHEME + path


def text(value: str) -> str:
    """A text that SQLite can keep: lone surrogates, which have no UTF-8, become U+FFFD."""
    if value.isascii():
        return value
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
