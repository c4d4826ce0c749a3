"""The dates of publishers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.dates import ABSURD, UNREADABLE, parse_date, read_date
from newsbeam.records import from_iso, to_iso

NOW = from_iso("2026-11-24T12:00:00Z")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-09-19T12:00:00.123Z", "2025-09-19T12:00:00.123Z"),
        ("2025-09-19T12:00:00+09:00", "2025-09-19T03:00:00.000Z"),
        ("2025-09-19T12:00:00+0900", "2025-09-19T03:00:00.000Z"),
        ("2025-09-19 12:00:00", "2025-09-19T12:00:00.000Z"),  # no zone is UTC
        ("2025-09-19T12:00:00 PST", "2025-09-19T20:00:00.000Z"),
        ("2025-09-19T24:00:00Z", "2025-09-20T00:00:00.000Z"),
        ("20250919T120000Z", "2025-09-19T12:00:00.000Z"),
        ("2025-09-19", "2025-09-19T00:00:00.000Z"),
        ("2025-9-9 1:2:3", "2025-09-09T01:02:03.000Z"),
        ("Fri, 19 Sep 2025 12:00:00 GMT", "2025-09-19T12:00:00.000Z"),
        ("Fri, 19 Sep 2025 12:00:00 +0900", "2025-09-19T03:00:00.000Z"),
        ("Fri, 19 Sep 2025 12:00:00 JST", "2025-09-19T03:00:00.000Z"),
        ("Fri, 19 Sep 2025 12:00:00 (KST)", "2025-09-19T03:00:00.000Z"),
        ("Fri, 19 Sep 2025 12:00:00 AEST", "2025-09-19T02:00:00.000Z"),
        ("Fri, 19 Sep 2025 12:00:00 EDT", "2025-09-19T16:00:00.000Z"),
        ("Fri, 19 Sep 2025 12:00:00 CEST", "2025-09-19T10:00:00.000Z"),
        ("Fri, 19 Sep 2025 12:00:00 XYZ", "2025-09-19T12:00:00.000Z"),  # RFC 2822: unknown counts as UTC
        ("Fri, 19 Sep 25 12:00 Z", "2025-09-19T12:00:00.000Z"),
        ("19 Sep. 2025 12:00:00 GMT", "2025-09-19T12:00:00.000Z"),
        ("Fri, 19 Sep 2025", "2025-09-19T00:00:00.000Z"),
        ("  Fri,  19 Sep 2025\n12:00:00 GMT ", "2025-09-19T12:00:00.000Z"),
        ("September 19, 2025 12:00 PM EST", "2025-09-19T17:00:00.000Z"),
        ("Fri Sep 19 12:00:00 2025", "2025-09-19T12:00:00.000Z"),
        ("19.09.2025 12:00", "2025-09-19T12:00:00.000Z"),
        ("19/10/2025 10:00", "2025-10-19T10:00:00.000Z"),
        ("2025.09.19 12:00", "2025-09-19T12:00:00.000Z"),
        ("2025년 9월 19일", "2025-09-19T00:00:00.000Z"),
        ("2025년 9월 19일 오후 3:04", "2025-09-19T15:04:00.000Z"),
        ("2004-05-28 오후 11:31:25", "2004-05-28T23:31:25.000Z"),
        ("2025年9月19日 15:04", "2025-09-19T15:04:00.000Z"),
        ("2025年9月19日(金) 15時04分", "2025-09-19T15:04:00.000Z"),
        ("19 septembre 2025 12:00", "2025-09-19T12:00:00.000Z"),
        ("пт, 19 сен 2025 12:00:00 +0300", "2025-09-19T09:00:00.000Z"),
        ("Vie, 19 sep 2025 12:00:00 +0200", "2025-09-19T10:00:00.000Z"),
        ("Κυρ, 11 Ιούλ 2004 12:00:00 EST", "2004-07-11T17:00:00.000Z"),
    ],
)
def test_forms(text: str, expected: str) -> None:
    assert read_date(text, NOW) == (expected, None)


@pytest.mark.parametrize(
    "text",
    ["asdf", "yesterday", "10", "12:00", "19", "1755000000", "Sep 2025", "09/10/2025", "0000-00-00T00:00:00Z",
     "Fri, 32 Sep 2025 12:00:00 GMT", "2025-13-01", "2025-02-30", "2025-02-30 1:2:3", "2025-9-31",
     "9" * 90, "1/" * 40, "x" * 5_000, "\0", "--", "T", "now", "{}"],
)  # fmt: skip
def test_what_is_no_date_or_ambiguous_is_put_aside(text: str) -> None:
    assert read_date(text, NOW) == (None, UNREADABLE)


def test_nothing_is_no_failure() -> None:
    assert read_date(" \n", NOW) == (None, None)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("1989-12-31T23:59:59Z", ABSURD),
        ("1990-01-01T00:00:00Z", None),
        ("1970-01-01T00:00:00Z", ABSURD),
        ("0001-01-01T00:00:00Z", ABSURD),
        ("2026-11-26T12:00:00Z", None),
        ("2026-11-26T12:00:00.001Z", ABSURD),
        ("2099-01-01T00:00:00Z", ABSURD),
        ("9999-12-31T23:59:59Z", ABSURD),
    ],
)
def test_absurd_dates(text: str, label: str | None) -> None:
    assert read_date(text, NOW)[1] == label


moments = st.datetimes(datetime(1990, 1, 2), datetime(2026, 11, 24), timezones=st.just(UTC))
zones = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@settings(deadline=None, max_examples=300)
@given(moments, zones)
def test_standard_forms_are_exact(moment: datetime, zone: timezone) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1_000 * 1_000)
    expected = to_iso(round(moment.timestamp() * 1_000))
    assert read_date(moment.astimezone(zone).isoformat(timespec="milliseconds"), NOW) == (expected, None)
    whole = moment.replace(microsecond=0)
    assert read_date(format_datetime(whole.astimezone(zone)), NOW) == (to_iso(round(whole.timestamp() * 1_000)), None)


@settings(deadline=None, max_examples=300)
@given(st.text(st.characters(codec=None), max_size=40))
def test_any_string_is_read_or_put_aside(text: str) -> None:
    value, label = read_date(text, NOW)
    assert value is None or label is None
    if value:
        assert from_iso("1990-01-01T00:00:00Z") <= from_iso(value) <= NOW + 2 * 86_400_000


PARTS = ["19", "2025", "9", "Sep", "12:00", "/", "-", ".", "GMT", "년", "월", "일", "오후", "T", "Fri,"]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from(PARTS), max_size=7))
def test_the_day_of_reading_makes_no_difference(parts: list[str]) -> None:
    """Nothing is filled in from today: what a date says is in the date."""
    moment = parse_date(" ".join(parts))
    if moment is not None:
        assert to_iso(moment)[:4] in " ".join(parts) or any(part in ("19", "9") for part in parts)
        assert to_iso(moment)[5:7] in ("09", "01") or "/" in parts or "." in parts or "-" in parts
