"""Polls, entry rows and their ledger in the SQLite store. Each function runs within the caller's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from newsbeam.records import Cursor, Entry, EntryRow, Feed, Holder, Poll, RowResult, from_plain, to_plain
from newsbeam.stores import sqlite_leases
from newsbeam.stores.base import FailedRow, Ledger
from newsbeam.stores.sqlite_database import text

DEADLY = 2
"""Rows that this many jobs died with are tried one at a time."""

# A row inherits the article of its entry's change before, unless it has one of its own.
_COLUMNS = """
    e.id, f.document, e.poll, e.kind, e.change, e.entry_hash, e.entry, e.entry_key, e.seen_at, e.due_at, e.previous,
    coalesce(e.article_id, (SELECT p.article_id FROM entries p WHERE p.id = e.previous)),
    e.tries, e.busy, e.deaths, e.fence
"""
_FROM = "FROM entries e JOIN feeds f ON f.key = e.feed"


def as_json(value: Any) -> str:
    return text(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _row(values: tuple[Any, ...]) -> EntryRow:
    row_id, feed, poll, kind, change, entry_hash, entry, key, *rest = values
    known = from_plain(Entry, json.loads(entry)) if entry else Entry(key)
    return EntryRow(row_id, from_plain(Feed, json.loads(feed)), poll, kind, change, entry_hash, known, *rest)


def get_rows(db: sqlite3.Connection, row_ids: Sequence[str]) -> dict[str, EntryRow]:
    found = db.execute(
        f"SELECT {_COLUMNS} {_FROM} WHERE e.id IN (SELECT value FROM json_each(?))", (as_json(list(row_ids)),)
    )
    return {values[0]: _row(values) for values in found}


# --- polls --------------------------------------------------------------------------------------------------------


def commit_poll(
    db: sqlite3.Connection,
    poll: Poll,
    cursor: Cursor,
    rows: Sequence[EntryRow],
    holder: Holder,
    fence: int,
    until: int,
) -> list[EntryRow]:
    if not sqlite_leases.holds_feed(db, poll.feed_id, holder, fence):
        return []
    lease = (1, *sqlite_leases.taken(holder, until)) if until > poll.at else (0, *[None] * 6)
    created = [row.id for row in rows if _create(db, row._replace(poll=poll.number), lease)]
    _put_poll(db, _accounted(db, poll, [row.id for row in rows]))
    db.execute(
        f"UPDATE cursors {sqlite_leases.SET_DROPPED}, cursor = ? WHERE feed_id = ?",
        (as_json(to_plain(cursor)), poll.feed_id),
    )
    made = get_rows(db, created)
    return [made[row_id] for row_id in created]


def _create(db: sqlite3.Connection, row: EntryRow, lease: tuple[Any, ...]) -> bool:
    """Makes a row, held under a lease of (fence, and what `taken` gives); False where it exists already."""
    feed = as_json(to_plain(row.feed))
    db.execute("INSERT INTO feeds (document) VALUES (?) ON CONFLICT DO NOTHING", (feed,))
    created = db.execute(
        """INSERT INTO entries (
            id, feed_id, feed, poll, kind, change, entry_hash, entry_key, seen_at, due_at, previous, article_id,
            tries, busy, deaths, entry, fence,
            lease_job, lease_host, lease_pid, lease_started, lease_tick, lease_until
        ) VALUES (
            ?, ?, (SELECT key FROM feeds WHERE document = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?,
            ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
        ) ON CONFLICT DO NOTHING""",
        (
            row.id, row.feed.id, feed, row.poll, row.kind, row.change, row.entry_hash, text(row.entry.key),
            row.seen_at, row.due_at, row.previous, row.article_id,
            row.tries, row.busy, row.deaths, as_json(to_plain(row.entry)), *lease,
        ),
    )  # fmt: skip
    return created.rowcount > 0


def _accounted(db: sqlite3.Connection, poll: Poll, row_ids: Sequence[str]) -> Poll:
    """The poll as the rows bear it out, so that what was seen always adds up.

    Rows that an earlier poll made (or that are given twice) are no news: they count as unchanged. Rows of a first
    try of this poll that this one does not have (the feed has moved on) were seen all the same.
    """
    ids = as_json(list(row_ids))
    where = "feed_id = ? AND poll = ?"
    (made,) = db.execute(f"SELECT count(*) FROM entries WHERE {where}", (poll.feed_id, poll.number)).fetchone()
    (own,) = db.execute(
        f"SELECT count(*) FROM entries WHERE {where} AND id IN (SELECT value FROM json_each(?))",
        (poll.feed_id, poll.number, ids),
    ).fetchone()
    old = len(row_ids) - own
    return poll._replace(new=poll.new - old + made - own, unchanged=poll.unchanged + old, seen=poll.seen + made - own)


def _put_poll(db: sqlite3.Connection, poll: Poll) -> None:
    values = poll._replace(detail=text(poll.detail), skipped={})._asdict() | {"skipped": as_json(dict(poll.skipped))}
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    db.execute(f"INSERT OR REPLACE INTO polls ({names}) VALUES ({marks})", values)


# --- the inbox ----------------------------------------------------------------------------------------------------


def take_rows(
    db: sqlite3.Connection, holder: Holder, now: int, until: int, limit: int, *, alone: bool = False
) -> list[EntryRow]:
    # A lease that is still on a row, but over, is a death that is counted now.
    ids = [
        row_id
        for (row_id,) in db.execute(
            f"""SELECT id FROM entries
            WHERE outcome IS NULL AND due_at <= ? AND (lease_until IS NULL OR lease_until <= ?)
                AND deaths + (lease_until IS NOT NULL) {">=" if alone else "<"} {DEADLY}
            ORDER BY due_at, id LIMIT ?""",
            (now, now, max(0, limit)),
        )
    ]
    db.executemany(
        f"UPDATE entries {sqlite_leases.SET_TAKEN}, deaths = deaths + (lease_until IS NOT NULL) WHERE id = ?",
        [(*sqlite_leases.taken(holder, until), row_id) for row_id in ids],
    )
    rows = get_rows(db, ids)
    return [rows[row_id] for row_id in ids]


def finish_rows(db: sqlite3.Connection, results: Sequence[RowResult], now: int) -> list[RowResult]:
    return [result for result in results if finish(db, result, now)]


HELD = "id = ? AND fence = ? AND outcome IS NULL AND lease_until IS NOT NULL"
"""Whether a taking of a row still holds; the parameters are the row's id and the fence."""


def finish(db: sqlite3.Connection, result: RowResult, now: int) -> bool:
    """Ends one taking of a row; False where it was lost before, and nothing is changed."""
    if result.outcome is None:
        ended = db.execute(
            f"UPDATE entries {sqlite_leases.SET_DROPPED}, due_at = ?, tries = tries + ?, busy = busy + ? WHERE {HELD}",
            (result.due_at, result.route == "later", result.route == "busy", result.row_id, result.fence),
        )
        return ended.rowcount > 0
    ended = db.execute(
        f"""UPDATE entries {sqlite_leases.SET_DROPPED}, outcome = ?, reason = ?, detail = ?, labels = ?, done_at = ?,
            article_id = coalesce(
                ?, article_id, (SELECT p.article_id FROM entries p WHERE p.id = entries.previous)
            ),
            job = iif(? = '', coalesce(lease_job, ''), ?), tick = iif(? = '', coalesce(lease_tick, 0), ?),
            entry = iif(? = 'failed', entry, NULL)
        WHERE {HELD}""",
        (
            result.outcome, result.reason, text(result.detail), as_json(list(result.labels)) if result.labels else None,
            now, result.article_id, result.job, result.job, result.job, result.tick, result.outcome,
            result.row_id, result.fence,
        ),
    )  # fmt: skip
    return ended.rowcount > 0


# --- the ledger ---------------------------------------------------------------------------------------------------


def ledger(db: sqlite3.Connection, job: Optional[str], tick: Optional[int], now: int) -> Ledger:
    chosen: str = "1"
    values: list[str | int] = []
    if job is not None:
        chosen, values = "job = ?", [job]
    if tick is not None:
        chosen, values = f"{chosen} AND tick = ?", [*values, tick]
    feeds, seen, unchanged = db.execute(
        f"SELECT count(DISTINCT feed_id), ifnull(sum(seen), 0), ifnull(sum(unchanged), 0) FROM polls WHERE {chosen}",
        values,
    ).fetchone()
    feed_failures = db.execute(
        f"SELECT coalesce(reason, 'unknown'), count(*) FROM polls WHERE {chosen} AND status = 'failed' GROUP BY 1",
        values,
    ).fetchall()
    skipped: Counter[str] = Counter()
    for (counts,) in db.execute(f"SELECT skipped FROM polls WHERE {chosen} AND skipped <> '{{}}'", values):
        skipped.update(json.loads(counts))
    done: dict[str, Counter[str]] = {}
    for outcome, reason, count in db.execute(
        f"SELECT outcome, reason, count(*) FROM entries WHERE outcome IS NOT NULL AND {chosen} GROUP BY 1, 2", values
    ):
        done.setdefault(outcome, Counter())[reason or "unknown"] += count
    labels = db.execute(
        f"""SELECT l.value, count(*) FROM entries, json_each(entries.labels) l
        WHERE outcome IS NOT NULL AND {chosen} AND labels IS NOT NULL GROUP BY 1 ORDER BY 1""",
        values,
    ).fetchall()
    inbox, waiting, next_due_at = db.execute(
        """SELECT count(*), count(*) FILTER (WHERE due_at > :now), min(due_at) FILTER (WHERE due_at > :now)
        FROM entries WHERE outcome IS NULL""",
        {"now": now},
    ).fetchone()
    skipped.update(done.get("skipped", Counter()))
    return Ledger(
        feeds=feeds,
        feed_failures=dict(sorted(feed_failures)),
        seen=seen,
        new=_sum(done, "new"),
        revised=_sum(done, "revised"),
        unchanged=unchanged + _sum(done, "unchanged"),
        skipped=dict(sorted(skipped.items())),
        failed=dict(sorted(done.get("failed", Counter()).items())),
        labels=dict(labels),
        inbox=inbox,
        waiting=waiting,
        next_due_at=next_due_at,
    )


def _sum(done: Mapping[str, Counter[str]], outcome: str) -> int:
    return sum(done.get(outcome, Counter()).values())


# --- failures -----------------------------------------------------------------------------------------------------


def failures(
    db: sqlite3.Connection,
    limit: int,
    reason: Optional[str],
    feed: Optional[str],
    row_ids: Optional[Sequence[str]],
    until: Optional[int],
) -> list[FailedRow]:
    conditions = {
        "coalesce(e.reason, 'unknown') = ?": reason,
        "e.feed_id = ?": feed,
        "e.id IN (SELECT value FROM json_each(?))": None if row_ids is None else as_json(list(row_ids)),
        "e.done_at <= ?": until,
    }
    chosen = {condition: value for condition, value in conditions.items() if value is not None}
    found = db.execute(
        f"""SELECT {_COLUMNS}, e.reason, e.detail, e.done_at {_FROM}
        WHERE {" AND ".join(["e.outcome = 'failed'", *chosen])} ORDER BY e.done_at DESC, e.id DESC LIMIT ?""",
        (*chosen.values(), max(0, limit)),
    )
    return [FailedRow(_row(values[:-3]), values[-3] or "unknown", values[-2], values[-1]) for values in found]


def reopen_rows(db: sqlite3.Connection, row_ids: Sequence[str], now: int) -> int:
    return db.execute(
        """UPDATE entries SET outcome = NULL, reason = NULL, detail = '', labels = NULL, done_at = NULL,
            job = '', tick = 0, due_at = ?, tries = 0, busy = 0, deaths = 0
        WHERE outcome = 'failed' AND id IN (SELECT value FROM json_each(?))""",
        (now, as_json(list(row_ids))),
    ).rowcount
