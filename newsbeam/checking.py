"""What a poll of a feed would do, and what is wrong with the feed; nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Optional

from newsbeam.errors import ReadError
from newsbeam.feeds import ParsedFeed, select
from newsbeam.pool import PoolError
from newsbeam.records import Cursor, Feed, from_iso

if TYPE_CHECKING:
    from newsbeam.fetch import Fetched

_QUIET_DAYS = 60


class Checked(NamedTuple):
    """What a feed is like. `status` is ok or failed; `new`, `changed` and `unchanged` are against the cursor given.

    `url` is where it was read, after redirects; `newest` the date of its newest entry; `format` as `rss20`.
    """

    id: str
    url: str
    status: str
    reason: Optional[str] = None
    detail: str = ""
    http_status: Optional[int] = None
    format: str = ""
    title: str = ""
    entries: int = 0
    newest: Optional[str] = None
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    problems: Sequence[str] = ()


def check_feed(
    feed: Feed,
    cursor: Optional[Cursor],
    *,
    fetch: Callable[[], Fetched],
    parse: Callable[[bytes, str, str], ParsedFeed],
    now: int,
) -> Checked:
    """Reads a feed as a poll would, and says what it found.

    Args:
        fetch: asks for the feed, whatever the cursor has. May raise ReadError.
        parse: given body, final address and content type. May raise ReadError and PoolError.
    """
    checked = Checked(feed.id, feed.url, "failed")
    try:
        answer = fetch()
        checked = checked._replace(url=answer.url, http_status=answer.status)
        parsed = parse(answer.body, answer.url, answer.headers.get("content-type", ""))
    except ReadError as error:
        return checked._replace(reason=error.reason, detail=error.detail, problems=(str(error),))
    except PoolError as death:
        reason = "parse_timeout" if death.overran else "parse_died"
        return checked._replace(reason=reason, detail=death.detail, problems=(f"{reason}: {death.detail}",))
    selection = select(parsed, feed, cursor or Cursor(feed.id), now=now)
    changed = sum(row.change > 0 for row in selection.rows)
    dates = [entry.published_at or entry.updated_at for entry in parsed.entries]
    newest = max(filter(None, dates), default=None)
    return checked._replace(
        status="ok",
        format=parsed.version,
        title=parsed.title,
        entries=len(parsed.entries),
        newest=newest,
        new=len(selection.rows) - changed,
        changed=changed,
        unchanged=selection.unchanged,
        problems=tuple(_problems(feed, parsed, checked.url, newest, selection.skipped, now)),
    )


def _problems(feed: Feed, parsed: ParsedFeed, url: str, newest: Optional[str], skipped: object, now: int) -> list[str]:
    from newsbeam.fetch import redact

    count, found = len(parsed.entries), []
    if url != feed.url:
        found.append(f"it has moved to {redact(url)}")
    if parsed.recovered:
        found.append("its document is broken; this is what could be read of it")
    if not count:
        found.append("it has no entries")
    if newest and (days := (now - from_iso(newest)) // 86_400_000) > _QUIET_DAYS:
        found.append(f"nothing new for {days} days")
    lacking = Counter[str]()
    for entry in parsed.entries:
        lacking.update(entry.labels)
        missing = {"link": entry.link, "title": entry.title, "date": entry.published_at or entry.updated_at}
        lacking.update(f"no {name}" for name, value in missing.items() if not value)
    found += [f"{what}: {number} of {count} entries" for what, number in sorted(lacking.items())]
    found += [f"{what}: {number}" for what, number in (skipped.items() if isinstance(skipped, dict) else ())]
    return found
