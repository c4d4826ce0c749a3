"""The consistency check of the SQLite store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

from newsbeam.stores import sqlite_rows
from newsbeam.stores.base import PRUNED
from newsbeam.stores.sqlite_articles import COLUMNS, article_of, facets_of, facets_stored
from newsbeam.stores.sqlite_database import Database


def check(database: Database) -> list[str]:
    """Problems, one line each; damage that SQLite itself finds ends the check, since nothing can be read then."""
    with database.read() as db:
        try:
            damage = [line for (line,) in db.execute("PRAGMA integrity_check") if line != "ok"]
        except sqlite3.DatabaseError as error:
            damage = [str(error)]
        if damage:
            return [f"file: {line}" for line in damage]
        problems = [
            f"file: row {key} of {table} refers to a row of {parent} that is not there"
            for table, key, parent, _ in db.execute("PRAGMA foreign_key_check")
        ]
        problems += [*_articles(db), *_rows(db), *_ledger(db)]
    return problems + _index(database)


def _index(database: Database) -> list[str]:
    """Whether the full-text index has what the articles have; FTS5 checks it by a command, a write to SQLite."""
    with database.write() as db:
        try:
            db.execute("INSERT INTO texts (texts, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT:
                raise
            return ["search index: it does not agree with the articles"]
    return []


def _articles(db: sqlite3.Connection) -> Iterator[str]:
    found = db.execute(f"SELECT a.key, a.id, a.version, a.revision, a.status, {COLUMNS} FROM articles a")
    for key, article_id, version, revision, status, *values in found:
        article = article_of(values)
        if (article_id, version, revision, status) != (article.id, article.version, article.revision, article.status):
            yield f"article {article_id}: its document says otherwise than its columns"
        if facets_stored(db, key) != facets_of(article):
            yield f"article {article_id}: its facets do not agree with it"
    for article_id, revision, latest in db.execute(
        """SELECT r.article_id, r.revision, a.revision FROM revisions r LEFT JOIN articles a ON a.id = r.article_id
        WHERE a.id IS NULL OR r.revision >= a.revision"""
    ):
        what = "the article is not there" if latest is None else f"the article is only at {latest}"
        yield f"revision {revision} of {article_id}: {what}"


def _rows(db: sqlite3.Connection) -> Iterator[str]:
    for row_id, outcome, article_id in db.execute(
        """SELECT e.id, e.outcome, e.article_id FROM entries e LEFT JOIN articles a ON a.id = e.article_id
        WHERE e.outcome IN ('new', 'revised') AND a.id IS NULL AND NOT EXISTS (
            SELECT 1 FROM json_each(iif(json_valid(e.labels), e.labels, '[]')) WHERE value = ?
        )""",
        (PRUNED,),
    ):
        yield f"row {row_id}: {outcome}, but its article {article_id} is not there"
    for row_id, labels in db.execute("SELECT id, labels FROM entries WHERE labels IS NOT NULL"):
        if not isinstance(json.loads(labels), list):
            yield f"row {row_id}: its labels can't be read"


def _ledger(db: sqlite3.Connection) -> Iterator[str]:
    for feed_id, number, seen, accounted, new, rows in db.execute(
        """SELECT * FROM (
            SELECT feed_id, number, seen,
                unchanged + new + (SELECT ifnull(sum(value), 0) FROM json_each(polls.skipped)) AS accounted,
                new, (SELECT count(*) FROM entries e WHERE e.feed_id = polls.feed_id AND e.poll = number) AS rows
            FROM polls
        ) WHERE seen <> accounted OR new <> rows"""
    ):
        what = f"{seen} entries seen, {accounted} accounted for; {new} new, {rows} rows"
        yield f"poll {number} of {feed_id}: {what}"
    ledger = sqlite_rows.ledger(db, None, None, 0)
    ended = ledger.new + ledger.revised + ledger.unchanged + sum(ledger.skipped.values()) + sum(ledger.failed.values())
    if ledger.seen != ended + ledger.inbox:
        yield f"ledger: {ledger.seen} entries seen, but {ended} with an outcome and {ledger.inbox} in the inbox"
