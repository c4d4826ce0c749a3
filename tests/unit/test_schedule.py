"""When feeds and rows are due again."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.records import Feed, Source, from_iso
from newsbeam.schedule import next_poll, parse_retry_after, retry_at

NOW = from_iso("2026-11-24T12:00:00Z")
DAY = 86_400_000
MINUTE = 60_000

seconds = st.one_of(st.none(), st.integers(-10, 10**9))
waits = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))


def feed(every: int = 900) -> Feed:
    return Feed("f", "https://example.org/feed", "", Source("s"), every=every)


def test_a_feed_keeps_its_pace() -> None:
    assert next_poll(feed(), now=NOW) == NOW + 15 * MINUTE


def test_ttl_and_max_age_only_lengthen_up_to_a_day() -> None:
    assert next_poll(feed(), now=NOW, ttl=3_600) == NOW + 60 * MINUTE
    assert next_poll(feed(), now=NOW, max_age=1_800, ttl=60) == NOW + 30 * MINUTE
    assert next_poll(feed(), now=NOW, ttl=60, max_age=0) == NOW + 15 * MINUTE
    assert next_poll(feed(), now=NOW, ttl=10**9) == NOW + DAY
    assert next_poll(feed(every=7 * 86_400), now=NOW, ttl=60) == NOW + 7 * DAY


def test_failures_double_the_wait() -> None:
    waits = [next_poll(feed(), now=NOW, failures=failures, jitter_key="f") - NOW for failures in range(1, 12)]
    assert waits[0] < 17 * MINUTE
    assert all(1.99 < later / sooner < 2.01 for sooner, later in pairwise(waits[:7]))
    assert DAY <= waits[-1] == waits[-2] <= DAY * 1.1


def test_feeds_that_failed_together_come_back_apart() -> None:
    due = {next_poll(feed(), now=NOW, failures=3, jitter_key=f"feed-{number}") for number in range(100)}
    assert len(due) > 90
    again = {next_poll(feed(), now=NOW, failures=3, jitter_key=f"feed-{number}") for number in range(100)}
    assert due == again


def test_retry_after_lengthens_within_a_day() -> None:
    assert next_poll(feed(60), now=NOW, failures=1, retry_after=7_200) >= NOW + 120 * MINUTE
    assert next_poll(feed(60), now=NOW, failures=1, retry_after=10**9) <= NOW + DAY * 1.1
    assert next_poll(feed(60), now=NOW, failures=1, retry_after=1) >= NOW + MINUTE


@settings(deadline=None, max_examples=300)
@given(st.integers(60, 10 * 86_400), st.integers(0, 500), waits, seconds, seconds, st.text(max_size=9))
def test_the_next_poll_is_ahead_and_within_bounds(
    every: int, failures: int, retry_after: float | None, ttl: int | None, max_age: int | None, key: str
) -> None:
    asked = {"retry_after": retry_after, "ttl": ttl, "max_age": max_age, "jitter_key": key}
    due = next_poll(feed(every), now=NOW, failures=failures, **asked)  # type: ignore[arg-type]
    assert NOW + every * 1_000 <= due <= NOW + max(DAY, every * 1_000) * 1.1
    assert due <= next_poll(feed(every), now=NOW, failures=failures + 1, **asked)  # type: ignore[arg-type]


def test_rows_wait_a_minute_doubled_up_to_six_hours() -> None:
    assert [retry_at(tries, NOW) - NOW for tries in range(4)] == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]
    assert retry_at(20, NOW) == NOW + 360 * MINUTE
    assert retry_at(0, NOW, 600.0) == NOW + 10 * MINUTE
    assert retry_at(4, NOW, 60.0) == NOW + 16 * MINUTE


@settings(deadline=None, max_examples=200)
@given(st.integers(-5, 10_000), waits)
def test_a_row_is_due_ahead_and_within_a_day(tries: int, retry_after: float | None) -> None:
    due = retry_at(tries, NOW, retry_after)
    assert NOW + MINUTE <= due <= NOW + DAY
    assert due <= retry_at(tries + 1, NOW, retry_after)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", 120), (" 120 ", 120), ("0", 60), ("-5", 60), ("1", 60), ("999999999", 86_400),
        ("Tue, 24 Nov 2026 12:10:00 GMT", 600), ("Tue, 24 Nov 2026 11:00:00 GMT", 60),
        ("Wed, 24 Nov 2027 12:00:00 GMT", 86_400), ("Tuesday, 24-Nov-26 12:10:00 GMT", 600),
        (None, None), ("", None), ("soon", None), ("1.5.2", None), ("9" * 30, None), ("١٢٠", None), ("--", None),
        ("Tue, 99 Nov 2026 12:10:00 GMT", None),
    ],
)  # fmt: skip
def test_retry_after(value: str | None, expected: float | None) -> None:
    assert parse_retry_after(value, NOW) == expected


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=40))
def test_any_header_gives_a_wait_within_bounds_or_none(value: str) -> None:
    wait = parse_retry_after(value, NOW)
    assert wait is None or 60 <= wait <= 86_400


@settings(deadline=None, max_examples=100)
@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)))
def test_any_http_date_is_read(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    wait = parse_retry_after(format_datetime(aware, usegmt=True), NOW)
    ahead = int(aware.timestamp()) - NOW / 1_000
    assert wait == min(max(ahead, 60), 86_400)
