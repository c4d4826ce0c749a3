"""What is said of a feed that is looked at."""

from __future__ import annotations

from newsbeam.checking import check_feed
from newsbeam.feeds import parse_feed
from newsbeam.fetch import Fetched
from newsbeam.records import Feed, Source, from_iso

NOW = from_iso("2026-11-24T12:00:00Z")


def test_where_a_feed_has_moved_to_is_said_without_secrets() -> None:
    body = b"<rss version='2.0'><channel><item><title>T</title><link>https://a.example/1</link></item></channel></rss>"
    checked = check_feed(
        Feed("f", "https://a.example/feed", "F", Source("a")),
        None,
        fetch=lambda: Fetched("https://b.example/feed?token=secret", 200, {}, body),
        parse=lambda body, url, kind: parse_feed(body, url=url, content_type=kind, now=NOW),
        now=NOW,
    )
    assert checked.problems[0] == "it has moved to https://b.example/feed?..."
    assert "secret" not in str(checked.problems)
