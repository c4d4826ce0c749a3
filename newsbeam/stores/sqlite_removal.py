"""Takedown and retention in the SQLite store. Each function but `compact` runs within the caller's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence

from newsbeam import identity
from newsbeam.records import Entry
from newsbeam.stores import sqlite_leases
from newsbeam.stores.base import PRUNED, Pruned
from newsbeam.stores.sqlite_articles import get_articles, put_article
from newsbeam.stores.sqlite_database import Database
from newsbeam.stores.sqlite_rows import as_json
from newsbeam.tombstone import address_tombstone, entomb

_MERGE_PAGES = 500  # of the full-text index, rewritten in one transaction


# --- takedown -----------------------------------------------------------------------------------------------------


def delete_articles(db: sqlite3.Connection, ids: Sequence[str], now: int) -> int:
    stored = get_articles(db, ids)
    named = set(stored)
    deleted = 0
    for article in stored.values():
        tombstone, second = entomb(article, now), address_tombstone(article, now)
        if tombstone:
            put_article(db, tombstone)
            deleted += article.status != "deleted"
        if second and not get_articles(db, [second.id]):
            put_article(db, second)
        if second and get_articles(db, [second.id])[second.id].status == "deleted":
            named.add(second.id)
    db.execute("DELETE FROM revisions WHERE article_id IN (SELECT value FROM json_each(?))", (as_json(list(stored)),))
    for row_id, article_id in list(_rows_with_payload(db, named)):
        db.execute(
            f"""UPDATE entries {sqlite_leases.SET_DROPPED}, outcome = 'skipped', reason = 'deleted', detail = '',
                labels = NULL, entry = NULL, article_id = ?, done_at = ?,
                job = iif(job = '', coalesce(lease_job, ''), job), tick = iif(job = '', coalesce(lease_tick, 0), tick)
            WHERE id = ?""",
            (article_id, now, row_id),
        )
    return deleted


def _rows_with_payload(db: sqlite3.Connection, ids: set[str]) -> Iterator[tuple[str, str]]:
    """The rows in the inbox and among the failures that belong to these articles, with the article's id."""
    found = db.execute(
        """SELECT e.id, coalesce(e.article_id, (SELECT p.article_id FROM entries p WHERE p.id = e.previous)),
            json_extract(f.document, '$.source.id'),
            json_extract(e.entry, '$.link', '$.guid', '$.title', '$.published_at')
        FROM entries e JOIN feeds f ON f.key = e.feed WHERE e.outcome IS NULL OR e.outcome = 'failed'"""
    )
    for row_id, article_id, source_id, said in found:
        if article_id is None:
            link, guid, title, published_at = json.loads(said)
            entry = Entry("", guid=guid or "", link=link or "", title=title or "", published_at=published_at)
            article_id = identity.link_id(entry, source_id)
        if article_id in ids:
            yield row_id, article_id


# --- retention ----------------------------------------------------------------------------------------------------

_OLD_ARTICLES = "FROM articles WHERE status = 'active' AND timestamp < :before"
# Polls whose rows all ended before; with articles of which none stays.
_OLD_POLLS = """FROM polls p WHERE p.at < :before AND NOT EXISTS (
    SELECT 1 FROM entries e LEFT JOIN articles a ON a.id = e.article_id
    WHERE e.feed_id = p.feed_id AND e.poll = p.number AND (
        e.outcome IS NULL OR e.done_at >= :before
        OR (a.id IS NOT NULL AND NOT (a.status = 'active' AND a.timestamp < :before))
    )
)"""
_ROWS = "SELECT count(*), count(*) FILTER (WHERE outcome = 'failed') FROM entries WHERE feed_id = ? AND poll = ?"


def would_prune(db: sqlite3.Connection, before: int) -> Pruned:
    values = {"before": before}
    (articles,) = db.execute(f"SELECT count(*) {_OLD_ARTICLES}", values).fetchone()
    (revisions,) = db.execute(
        f"SELECT count(*) FROM revisions WHERE article_id IN (SELECT id {_OLD_ARTICLES})", values
    ).fetchone()
    (polls,) = db.execute(f"SELECT count(*) {_OLD_POLLS}", values).fetchone()
    rows, failed = db.execute(
        f"""SELECT count(*), count(*) FILTER (WHERE outcome = 'failed') FROM entries
        WHERE (feed_id, poll) IN (SELECT p.feed_id, p.number {_OLD_POLLS})""",
        values,
    ).fetchone()
    return Pruned(articles, revisions, rows, failed, polls)


def prune(db: sqlite3.Connection, before: int, limit: int) -> Pruned:
    articles, revisions = _prune_articles(db, before, limit)
    rows = failed = polls = 0
    if articles < limit:  # else there may be more articles, and their rows go after them
        found = db.execute(
            f"SELECT p.feed_id, p.number {_OLD_POLLS} ORDER BY p.at, p.feed_id, p.number LIMIT :limit",
            {"before": before, "limit": limit},
        ).fetchall()
        for poll in found:
            own, own_failed = db.execute(_ROWS, poll).fetchone()
            if polls and rows + own > limit:
                break
            db.execute("DELETE FROM entries WHERE feed_id = ? AND poll = ?", poll)
            db.execute("DELETE FROM polls WHERE feed_id = ? AND number = ?", poll)
            rows, failed, polls = rows + own, failed + own_failed, polls + 1
    return Pruned(articles, revisions, rows, failed, polls)


def _prune_articles(db: sqlite3.Connection, before: int, limit: int) -> tuple[int, int]:
    found = db.execute(
        f"SELECT id {_OLD_ARTICLES} ORDER BY timestamp, id LIMIT :limit", {"before": before, "limit": limit}
    )
    chosen = as_json([article_id for (article_id,) in found])
    among = "IN (SELECT value FROM json_each(?))"
    db.execute(
        f"""UPDATE entries SET labels = json_insert(coalesce(labels, '[]'), '$[#]', ?)
        WHERE article_id {among} AND outcome IN ('new', 'revised')
            AND NOT EXISTS (SELECT 1 FROM json_each(labels) WHERE value = ?)""",
        (PRUNED, chosen, PRUNED),
    )
    revisions = db.execute(f"DELETE FROM revisions WHERE article_id {among}", (chosen,)).rowcount
    return db.execute(f"DELETE FROM articles WHERE id {among}", (chosen,)).rowcount, revisions


# --- the file -----------------------------------------------------------------------------------------------------


def compact(database: Database) -> None:
    """Rewrites the full-text index, which else keeps the words of what was deleted, a part at a time, so that writers
    get their turn; then empties the journal. Freed pages are overwritten when they are freed (`secure_delete`)."""
    pages = -_MERGE_PAGES  # negative, once: all of the index is to become one (FTS5, section 6.8)
    while True:
        with database.write() as db:
            before = db.total_changes
            db.execute("INSERT INTO texts (texts, rank) VALUES ('merge', ?)", (pages,))
            if db.total_changes - before < 2:  # as FTS5 says that there was nothing left to merge
                break
        pages = _MERGE_PAGES
    database.truncate_journal()
