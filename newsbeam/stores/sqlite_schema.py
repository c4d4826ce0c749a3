"""The tables of the SQLite store, and the scripts that bring a file from one version of them to the next."""

from __future__ import annotations

import sqlite3

from newsbeam.errors import StoreError

APPLICATION_ID = 0x6E627631  # "nbv1" in the file's header: what tells a store from another program's database

# Who holds a thing under a lease; lease_until is NULL where nobody does. The fence outlives the holders.
_LEASE = """
    fence INTEGER NOT NULL DEFAULT 0,
    lease_job TEXT, lease_host TEXT, lease_pid INTEGER, lease_started INTEGER, lease_tick INTEGER, lease_until INTEGER
"""

_VERSION_1 = (
    # Small columns first: SQLite reads a row from its start, and long texts are on pages of their own.
    """CREATE TABLE articles (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        version INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        status TEXT NOT NULL,
        timestamp INTEGER NOT NULL,
        content_hash TEXT NOT NULL,
        url_key TEXT NOT NULL,
        canonical_key TEXT NOT NULL,
        title TEXT NOT NULL,
        summary TEXT NOT NULL,
        body TEXT NOT NULL,
        grams TEXT NOT NULL,
        document TEXT NOT NULL  -- the rest, as JSON
    )""",
    "CREATE INDEX articles_by_time ON articles (status, timestamp, id)",
    "CREATE INDEX articles_by_url ON articles (url_key) WHERE url_key <> ''",
    "CREATE INDEX articles_by_canonical ON articles (canonical_key) WHERE canonical_key <> ''",
    # The full-text index follows what this view shows; triggers keep it so whatever writes to the table.
    "CREATE VIEW active_texts AS SELECT key, title, summary, body, grams FROM articles WHERE status = 'active'",
    # Marks (M*) belong to words: without them, vowel signs would break Hindi and Thai words into pieces.
    """CREATE VIRTUAL TABLE texts USING fts5 (
        title, summary, body, grams, content = 'active_texts', content_rowid = 'key',
        tokenize = "porter unicode61 remove_diacritics 2 categories 'L* M* N* Co'"
    )""",
    """CREATE TRIGGER texts_insert AFTER INSERT ON articles WHEN new.status = 'active' BEGIN
        INSERT INTO texts (rowid, title, summary, body, grams)
        VALUES (new.key, new.title, new.summary, new.body, new.grams);
    END""",
    """CREATE TRIGGER texts_delete AFTER DELETE ON articles WHEN old.status = 'active' BEGIN
        INSERT INTO texts (texts, rowid, title, summary, body, grams)
        VALUES ('delete', old.key, old.title, old.summary, old.body, old.grams);
    END""",
    """CREATE TRIGGER texts_update AFTER UPDATE ON articles
    WHEN (old.status, old.title, old.summary, old.body, old.grams)
        IS NOT (new.status, new.title, new.summary, new.body, new.grams)
    BEGIN
        INSERT INTO texts (texts, rowid, title, summary, body, grams)
        SELECT 'delete', old.key, old.title, old.summary, old.body, old.grams WHERE old.status = 'active';
        INSERT INTO texts (rowid, title, summary, body, grams)
        SELECT new.key, new.title, new.summary, new.body, new.grams WHERE new.status = 'active';
    END""",
    # What filters compare (folded) and facets show (value; NULL for other names of the same thing).
    """CREATE TABLE facets (
        field TEXT NOT NULL,
        folded TEXT NOT NULL,
        article INTEGER NOT NULL REFERENCES articles (key) ON DELETE CASCADE,
        value TEXT,
        PRIMARY KEY (field, folded, article)
    ) WITHOUT ROWID""",
    "CREATE INDEX facets_by_article ON facets (article, field, value)",
    """CREATE TABLE revisions (
        article_id TEXT NOT NULL,
        revision INTEGER NOT NULL,
        document TEXT NOT NULL,
        PRIMARY KEY (article_id, revision)
    ) WITHOUT ROWID""",
    # Feeds as the rows name them, each spelling once.
    "CREATE TABLE feeds (key INTEGER PRIMARY KEY, document TEXT NOT NULL UNIQUE)",
    f"""CREATE TABLE entries (
        id TEXT NOT NULL PRIMARY KEY,
        feed_id TEXT NOT NULL,
        feed INTEGER NOT NULL REFERENCES feeds (key),
        poll INTEGER NOT NULL,
        kind TEXT NOT NULL,
        change INTEGER NOT NULL,
        entry_hash TEXT NOT NULL,
        entry_key TEXT NOT NULL,
        seen_at INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        previous TEXT,
        article_id TEXT,
        tries INTEGER NOT NULL,
        busy INTEGER NOT NULL,
        deaths INTEGER NOT NULL,
        outcome TEXT,
        reason TEXT,
        detail TEXT NOT NULL DEFAULT '',
        labels TEXT,
        job TEXT NOT NULL DEFAULT '',
        tick INTEGER NOT NULL DEFAULT 0,
        done_at INTEGER,
        {_LEASE},
        entry TEXT  -- the entry as JSON; NULL once the row is complete, unless it failed
    )""",
    "CREATE INDEX entries_inbox ON entries (due_at, id) WHERE outcome IS NULL",
    "CREATE INDEX entries_held ON entries (lease_host) WHERE lease_until IS NOT NULL",
    "CREATE INDEX entries_by_poll ON entries (feed_id, poll)",
    "CREATE INDEX entries_by_article ON entries (article_id) WHERE article_id IS NOT NULL",
    "CREATE INDEX entries_by_job ON entries (job, tick) WHERE outcome IS NOT NULL",
    "CREATE INDEX entries_failed ON entries (done_at, id) WHERE outcome = 'failed'",
    """CREATE TABLE polls (
        feed_id TEXT NOT NULL,
        number INTEGER NOT NULL,
        at INTEGER NOT NULL,
        status TEXT NOT NULL,
        reason TEXT,
        detail TEXT NOT NULL,
        http_status INTEGER,
        seen INTEGER NOT NULL,
        unchanged INTEGER NOT NULL,
        skipped TEXT NOT NULL,
        new INTEGER NOT NULL,
        recovered INTEGER NOT NULL,
        job TEXT NOT NULL,
        tick INTEGER NOT NULL,
        PRIMARY KEY (feed_id, number)
    ) WITHOUT ROWID""",
    "CREATE INDEX polls_by_job ON polls (job, tick)",
    "CREATE INDEX polls_by_time ON polls (at, feed_id, number)",
    f"CREATE TABLE cursors (feed_id TEXT NOT NULL PRIMARY KEY, {_LEASE}, cursor TEXT)",
    f"CREATE TABLE leases (name TEXT NOT NULL PRIMARY KEY, {_LEASE})",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_VERSION_1,)
"""Statements that bring a file from version n to n + 1. What is released here is never edited, only added to."""

VERSION = len(MIGRATIONS)


def check_version(db: sqlite3.Connection, path: str) -> None:
    """Raises StoreError where the file is no store, or one of another version than this code's."""
    application, version, empty = _header(db)
    if application != APPLICATION_ID:
        what = "an empty file" if empty else "a database of another program"
        raise StoreError(f"{path} is {what}, no store of newsbeam" + ('; run "newsbeam store init"' if empty else ""))
    if version > VERSION:
        raise StoreError(
            f"{path} was written by a newer newsbeam (schema {version}, this one knows {VERSION}); update newsbeam"
        )
    if version < VERSION:
        raise StoreError(f'{path} has the older schema {version}; run "newsbeam store init" to bring it to {VERSION}')


def migrate(db: sqlite3.Connection, path: str) -> None:
    """Brings the file up to date, within the transaction that is open. Raises StoreError as `check_version` does."""
    application, version, empty = _header(db)
    if application != APPLICATION_ID and not empty:
        check_version(db, path)
    for number, statements in enumerate(MIGRATIONS[version:], version + 1):
        for statement in statements:
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {number}")
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    check_version(db, path)


def _header(db: sqlite3.Connection) -> tuple[int, int, bool]:
    """The application's id, the schema's version, and whether there is nothing in the file yet."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return application, version, application == version == tables == 0
