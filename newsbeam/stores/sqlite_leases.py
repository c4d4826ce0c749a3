"""Leases in the SQLite store: on feeds (cursors), on entry rows and by name, with fences."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Optional

from newsbeam.records import Cursor, Holder, from_plain
from newsbeam.stores.base import Claim

_HOLDER = ("lease_job", "lease_host", "lease_pid", "lease_started", "lease_tick")
_HELD = " AND ".join(f"{column} = ?" for column in _HOLDER[:-1])  # the tick is no part of who holds it
SET_TAKEN = "SET fence = fence + 1, " + ", ".join(f"{column} = ?" for column in (*_HOLDER, "lease_until"))
"""Takes a lease; its parameters are those of `taken`."""
SET_DROPPED = "SET " + ", ".join(f"{column} = NULL" for column in (*_HOLDER, "lease_until"))
"""Lets go of a lease."""


def taken(holder: Holder, until: int) -> tuple[str | int, ...]:
    """The parameters of SET_TAKEN."""
    return (*_identity(holder), holder.tick, until)


def _identity(holder: Holder) -> tuple[str | int, ...]:
    return (holder.job, holder.host, holder.pid, holder.started)


def cursors(db: sqlite3.Connection, feed_ids: Sequence[str]) -> dict[str, Cursor]:
    found = db.execute(
        "SELECT feed_id, cursor FROM cursors WHERE cursor IS NOT NULL AND feed_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(feed_ids)),),
    )
    return {feed_id: from_plain(Cursor, json.loads(cursor)) for feed_id, cursor in found}


def claim_feeds(
    db: sqlite3.Connection, feed_ids: Sequence[str], holder: Holder, now: int, until: int
) -> dict[str, Claim]:
    claims = {}
    for feed_id in dict.fromkeys(feed_ids):
        db.execute("INSERT INTO cursors (feed_id) VALUES (?) ON CONFLICT DO NOTHING", (feed_id,))
        claimed = db.execute(
            f"UPDATE cursors {SET_TAKEN} WHERE feed_id = ? AND (lease_until IS NULL OR lease_until <= ? OR {_HELD})"
            " RETURNING cursor, fence",
            (*taken(holder, until), feed_id, now, *_identity(holder)),
        ).fetchall()
        for cursor, fence in claimed:
            claims[feed_id] = Claim(from_plain(Cursor, json.loads(cursor)) if cursor else Cursor(feed_id), fence)
    return claims


def release_feed(db: sqlite3.Connection, feed_id: str, holder: Holder, fence: int) -> bool:
    released = db.execute(
        f"UPDATE cursors {SET_DROPPED} WHERE feed_id = ? AND fence = ? AND {_HELD}",
        (feed_id, fence, *_identity(holder)),
    )
    return released.rowcount > 0


def holds_feed(db: sqlite3.Connection, feed_id: str, holder: Holder, fence: int) -> bool:
    """Whether the lease on a feed is still the one that was taken with this fence."""
    held = db.execute(
        f"SELECT 1 FROM cursors WHERE feed_id = ? AND fence = ? AND {_HELD}", (feed_id, fence, *_identity(holder))
    )
    return held.fetchone() is not None


def take_lease(db: sqlite3.Connection, name: str, holder: Holder, now: int, until: int) -> Optional[int]:
    identity = _identity(holder)
    renewed = db.execute(
        f"UPDATE leases SET lease_until = ? WHERE name = ? AND {_HELD} RETURNING fence", (until, name, *identity)
    ).fetchall()
    if renewed:
        return int(renewed[0][0])
    db.execute("INSERT INTO leases (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
    fences = db.execute(
        f"UPDATE leases {SET_TAKEN} WHERE name = ? AND (lease_until IS NULL OR lease_until <= ?) RETURNING fence",
        (*taken(holder, until), name, now),
    ).fetchall()
    return int(fences[0][0]) if fences else None


def release_lease(db: sqlite3.Connection, name: str, holder: Holder, fence: int) -> bool:
    released = db.execute(
        f"UPDATE leases {SET_DROPPED} WHERE name = ? AND fence = ? AND {_HELD}", (name, fence, *_identity(holder))
    )
    return released.rowcount > 0


_TABLES: Mapping[str, str] = {"cursors": "", "leases": "", "entries": ", deaths = deaths + 1"}


def holders(db: sqlite3.Connection, host: str) -> list[Holder]:
    """Who of a host holds something."""
    found: set[Holder] = set()
    for table in _TABLES:
        found.update(
            Holder(*row)
            for row in db.execute(
                f"SELECT DISTINCT {', '.join(_HOLDER)} FROM {table} WHERE lease_until IS NOT NULL AND lease_host = ?",
                (host,),
            )
        )
    return sorted(found)


def release_all(db: sqlite3.Connection, holder: Holder) -> int:
    statement = f"{SET_DROPPED} WHERE lease_until IS NOT NULL AND {_HELD}"
    return sum(db.execute(f"UPDATE {table} {statement}", _identity(holder)).rowcount for table in _TABLES)


def drop(db: sqlite3.Connection, dead: Sequence[Holder]) -> int:
    """Drops what these hold; a row counts one death more."""
    dropped = 0
    for holder in dead:
        for table, death in _TABLES.items():
            statement = f"UPDATE {table} {SET_DROPPED}{death} WHERE lease_until IS NOT NULL AND {_HELD}"
            dropped += db.execute(statement, _identity(holder)).rowcount
    return dropped


def dead_among(found: Sequence[Holder], alive: Callable[[Holder], bool]) -> list[Holder]:
    """Those whose process is gone; each process is asked for once."""
    gone = {holder._replace(tick=0): None for holder in found}
    asked = {holder: alive(holder) for holder in gone}
    return [holder for holder in found if not asked[holder._replace(tick=0)]]
