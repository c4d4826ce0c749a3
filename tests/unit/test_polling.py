"""One poll: what it asks for, and what the answer makes of the cursor."""

from __future__ import annotations

from typing import Any, Optional

from newsbeam.errors import FetchError
from newsbeam.feeds import parse_feed
from newsbeam.fetch import Fetched
from newsbeam.polling import UNCONDITIONAL_EVERY, Polled, is_due, poll_feed
from newsbeam.records import Cursor, Feed, Source

NOW = 1_790_000_000_000
FEED = Feed("f", "http://a.example/feed", "F", Source("a"), every=600)
ITEM = "<item><title>{0}</title><link>http://a.example/{0}</link></item>"


def rss(*titles: str) -> bytes:
    return f"<rss version='2.0'><channel>{''.join(map(ITEM.format, titles))}</channel></rss>".encode()


def answer(body: bytes = b"", *, status: int = 200, **headers: str) -> Fetched:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fetched(FEED.url, status, named, body, status == 304)


class Publisher:
    """Answers one poll after the other, and keeps what it was asked with."""

    def __init__(self) -> None:
        self.asked: list[tuple[Optional[str], Optional[str]]] = []
        self.cursor = Cursor(FEED.id)
        self.now = NOW

    def poll(self, said: Fetched | FetchError) -> Polled:
        def fetch(etag: Optional[str], modified: Optional[str]) -> Fetched:
            self.asked.append((etag, modified))
            if isinstance(said, FetchError):
                raise said
            return said

        def parse(body: bytes, url: str, content_type: str) -> Any:
            return parse_feed(body, url=url, content_type=content_type, now=self.now)

        polled = poll_feed(FEED, self.cursor, fetch=fetch, parse=parse, at=self.now, now=self.now)
        poll = polled.poll
        assert poll.seen == poll.unchanged + sum(poll.skipped.values()) + poll.new
        self.cursor = polled.cursor
        self.now += 600_000
        return polled


def test_validators_are_kept_and_sent() -> None:
    publisher = Publisher()
    publisher.poll(answer(rss("a"), etag='"1"', last_modified="Mon, 01 Jan 2024 00:00:00 GMT"))
    publisher.poll(answer(status=304))
    assert publisher.asked == [(None, None), ('"1"', "Mon, 01 Jan 2024 00:00:00 GMT")]
    publisher.poll(answer(status=304))
    assert publisher.asked[2] == publisher.asked[1]  # a 304 without validators keeps them


def test_every_so_often_it_asks_without_validators() -> None:
    publisher = Publisher()
    publisher.cursor = Cursor(FEED.id, poll=UNCONDITIONAL_EVERY - 1, etag='"1"')
    publisher.poll(answer(rss("a")))
    assert publisher.asked == [(None, None)]


def test_not_modified_and_an_equal_body_count_what_the_feed_had() -> None:
    publisher = Publisher()
    assert len(publisher.poll(answer(rss("a", "b"))).rows) == 2
    for said in (answer(status=304), answer(rss("a", "b"))):
        polled = publisher.poll(said)
        assert polled.rows == [] and (polled.poll.status, polled.poll.seen) == ("not_modified", 2)


def test_a_failed_poll_keeps_the_entries_and_backs_off() -> None:
    publisher = Publisher()
    publisher.poll(answer(rss("a")))
    waits = []
    for _ in range(3):
        at = publisher.now
        polled = publisher.poll(FetchError("timeout", "20 s"))
        assert (polled.poll.status, polled.poll.reason) == ("failed", "timeout")
        waits.append(polled.cursor.next_poll_at - at)
    assert waits == sorted(waits) and waits[2] > waits[0]
    assert publisher.cursor.failures == 3
    assert publisher.poll(answer(rss("a", "b"))).poll.new == 1  # a is still known
    assert publisher.cursor.failures == 0


def test_retry_after_is_honoured() -> None:
    publisher = Publisher()
    polled = publisher.poll(FetchError("http_429", "", 3600.0))
    assert polled.cursor.next_poll_at >= NOW + 3_600_000


def test_a_page_instead_of_a_feed_changes_nothing_but_the_schedule() -> None:
    publisher = Publisher()
    before = publisher.poll(answer(rss("a"), etag='"1"')).cursor
    after = publisher.poll(answer(b"<!doctype html><html><body>sorry</body></html>", etag='"2"')).cursor
    assert (after.etag, after.body_hash, after.entries) == (before.etag, before.body_hash, before.entries)


def test_the_row_numbers_follow_the_poll() -> None:
    publisher = Publisher()
    publisher.poll(answer(rss("a")))
    polled = publisher.poll(answer(rss("a", "b")))
    assert polled.poll.number == 2 and [row.poll for row in polled.rows] == [2]


def test_what_is_due() -> None:
    assert is_due(None, NOW, force=False)
    cursor = Cursor("f", polled_at=NOW - 1000, next_poll_at=NOW + 1)
    assert not is_due(cursor, NOW, force=False) and is_due(cursor, NOW + 1, force=False)
    assert is_due(cursor, NOW, force=True)
    assert not is_due(cursor._replace(polled_at=NOW), NOW, force=True)  # once a tick
