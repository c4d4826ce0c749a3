"""One poll of a feed: what to ask for, and what the answer makes of its cursor. The effects are handed in."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Optional

from newsbeam import identity, schedule
from newsbeam.errors import ReadError
from newsbeam.feeds import ParsedFeed, select
from newsbeam.records import Cursor, EntryRow, Feed, Poll

if TYPE_CHECKING:
    from newsbeam.fetch import Fetched

CLOCK_SLACK = 3_600_000  # ms by which clocks of machines that share a store may differ
UNCONDITIONAL_EVERY = 50  # polls; some servers keep a validator while the feed changes


class Polled(NamedTuple):
    """What `Store.commit_poll` makes durable."""

    poll: Poll
    cursor: Cursor
    rows: list[EntryRow]


def is_due(cursor: Optional[Cursor], at: int, *, force: bool) -> bool:
    """Whether a feed is to be polled by the tick of time `at`; with `force`, unless it was polled since."""
    if cursor is None or cursor.polled_at > at + CLOCK_SLACK:  # polled in the future: the clock was set back
        return True
    return cursor.polled_at < at if force else cursor.next_poll_at <= at


def poll_feed(
    feed: Feed,
    cursor: Cursor,
    *,
    fetch: Callable[[Optional[str], Optional[str]], Fetched],
    parse: Callable[[bytes, str, str], ParsedFeed],
    at: int,
    now: int,
) -> Polled:
    """Polls a feed once.

    Args:
        fetch: given ETag and Last-Modified, asks for the feed. May raise ReadError.
        parse: given body, final address and content type, reads it. May raise ReadError.
        at: the tick's time in ms, from which the next poll counts.
        now: the time in ms, at which entries are first seen.
    """
    number = cursor.poll + 1
    conditional = number % UNCONDITIONAL_EVERY != 0
    cursor = cursor._replace(poll=number, polled_at=max(at, now))
    max_age = ttl = None
    status: Optional[int] = None
    try:
        answer = fetch(*((cursor.etag, cursor.last_modified) if conditional else (None, None)))
        status = answer.status
        max_age = _max_age(answer.headers.get("cache-control", ""))
        body_hash = identity.bytes_hash(answer.body)
        if answer.not_modified or body_hash == cursor.body_hash:
            poll = Poll(feed.id, number, now, "not_modified", seen=cursor.current, unchanged=cursor.current)
            selected_rows: list[EntryRow] = []
        else:
            parsed = parse(answer.body, answer.url, answer.headers.get("content-type", ""))
            ttl = parsed.ttl
            selection = select(parsed, feed, cursor._replace(poll=number - 1), now=now)
            selected_rows = list(selection.rows)
            poll = Poll(
                feed.id,
                number,
                now,
                "ok",
                seen=selection.seen,
                unchanged=selection.unchanged,
                skipped=selection.skipped,
                new=len(selected_rows),
                recovered=parsed.recovered,
            )
            cursor = cursor._replace(
                etag=answer.headers.get("etag"),
                last_modified=answer.headers.get("last-modified"),
                body_hash=body_hash,
                entries=selection.cursor.entries,
                current=selection.cursor.current,
            )
    except ReadError as error:
        failures = cursor.failures + 1
        next_poll_at = _next(feed, at, failures, error.retry_after)
        poll = Poll(feed.id, number, now, "failed", reason=error.reason, detail=error.detail[:500])
        return Polled(poll, cursor._replace(failures=failures, next_poll_at=next_poll_at), [])
    next_poll_at = _next(feed, at, 0, None, ttl, max_age)
    return Polled(
        poll._replace(http_status=status), cursor._replace(failures=0, next_poll_at=next_poll_at), selected_rows
    )


def _next(
    feed: Feed,
    at: int,
    failures: int,
    retry_after: Optional[float],
    ttl: Optional[int] = None,
    max_age: Optional[int] = None,
) -> int:
    return schedule.next_poll(
        feed, now=at, failures=failures, retry_after=retry_after, ttl=ttl, max_age=max_age, jitter_key=feed.id
    )


def _max_age(cache_control: str) -> Optional[int]:
    match = re.search(r"\bmax-age=(\d{1,9})\b", cache_control)
    return int(match[1]) if match else None
