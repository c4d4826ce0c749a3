"""The dates of feeds and pages, in the many forms that publishers give them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Optional

from newsbeam.records import to_iso

ABSURD, UNREADABLE = "date absurd", "date unreadable"
_EARLIEST = round(datetime(1990, 1, 1, tzinfo=UTC).timestamp() * 1000)
_AHEAD = 2 * 86_400_000  # clocks and time zones of publishers are off by up to this, in ms
_MAX_LENGTH = 100

# Time zones by name, in minutes east of UTC, where publishers use the name for one zone nearly always (RFC 822's US
# names hold by its own rule). Unknown names count as UTC, as in RFC 2822 section 4.3.
_ZONES = {
    "UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "MET": 60, "CEST": 120,
    "MEST": 120, "MESZ": 120, "MEZ": 60, "EET": 120, "SAST": 120, "EEST": 180, "MSK": 180, "TRT": 180, "EAT": 180,
    "GST": 240, "PKT": 300, "IST": 330, "NPT": 345, "BDT": 360, "ICT": 420, "WIB": 420, "HKT": 480, "SGT": 480,
    "MYT": 480, "PHT": 480, "AWST": 480, "JST": 540, "KST": 540, "ACST": 570, "AEST": 600, "ACDT": 630, "AEDT": 660,
    "NZST": 720, "NZDT": 780, "ART": -180, "BRT": -180, "ADT": -180, "AST": -240, "EDT": -240, "EST": -300,
    "CDT": -300, "CST": -360, "MDT": -360, "MST": -420, "PDT": -420, "PST": -480, "AKDT": -480, "AKST": -540,
    "HST": -600,
}  # fmt: skip
_ZONE_NAME = re.compile(r"(?<![A-Za-z])([A-Z]{1,4})\)?\s*$")
_W3C = re.compile(r"\d{4}(-\d{1,2}){0,2}|\d{4}-\d{1,2}-\d{1,2}[T ]+\d{1,2}:[\d:.]+ ?([A-Z]{1,4}|[+-][\d:]+)?", re.ASCII)
_GREEK_OR_HUNGARIAN = re.compile(r"[\u0370-\u03ff]|^\d{4}-[^\W\d]+-\d")
_LOCALES = ["en", "de", "fr", "es", "it", "pt", "nl", "ru", "uk", "pl", "tr", "id", "vi", "ko", "ja", "zh"]


def read_date(text: str, now: int) -> tuple[Optional[str], Optional[str]]:
    """A date as ISO 8601 UTC with milliseconds, or None with a label that says why it was put aside.

    Args:
        text: as the publisher wrote it; without a time zone it counts as UTC.
        now: in ms; dates before 1990 or more than two days ahead are `date absurd`.
    """
    text = " ".join(text.split())
    if not text:
        return None, None
    moment = parse_date(text)
    if moment is None:
        return None, UNREADABLE
    if not _EARLIEST <= moment <= now + _AHEAD:
        return None, ABSURD
    return to_iso(moment), None


@lru_cache(maxsize=10_000)
def parse_date(text: str) -> Optional[int]:
    """A date in ms since 1970, by the first reader that knows its form; None where it is none or ambiguous."""
    if len(text) > _MAX_LENGTH:
        return None
    for reader in _READERS:
        try:
            moment = reader(text)
            if moment is not None:
                aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
                return round(aware.timestamp() * 1000)
        except (ValueError, OverflowError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError):
            continue
    return None


def _zoned(text: str) -> str:
    """Text with a zone's name at its end as an offset."""
    found = _ZONE_NAME.search(text)
    if not found or found[1] not in _ZONES or not text[: found.start()].strip():
        return text
    sign, minutes = "-" if _ZONES[found[1]] < 0 else "+", abs(_ZONES[found[1]])
    return f"{text[: found.start()].rstrip(' (')} {sign}{minutes // 60:02d}{minutes % 60:02d}"


def _iso(text: str) -> Optional[datetime]:
    """ISO 8601, RFC 3339."""
    return datetime.fromisoformat(text) if re.match(r"\d{4}-\d\d-\d\d|\d{8}(T|$)", text) else None


def _rfc822(text: str) -> Optional[datetime]:
    """RFC 822 and its successors, as RSS asks for."""
    from email.utils import parsedate_to_datetime

    # The standard library reads other forms as well, and wrongly where they begin with a year.
    return parsedate_to_datetime(_zoned(text)) if re.match(r"([A-Za-z]+\.?,? *)?\d{1,2}[ -][A-Za-z]{3}", text) else None


def _feedparser(text: str) -> Optional[datetime]:
    """W3C-DTF of any precision and with slips, Greek and Hungarian names, as feedparser reads them.

    Its reader of ISO 8601 takes nearly everything, and the parts that it does not find from today: hence the shapes.
    """
    if _W3C.fullmatch(text):
        year, month, day = [*map(int, re.findall(r"\d+", text)[:3]), 1, 1][:3]
        date(year, month, day)  # raises where feedparser would count on, as from month 13 to the next year
    elif not _GREEK_OR_HUNGARIAN.search(text):
        return None
    import calendar

    from feedparser.datetimes import _parse_date  # type: ignore[import-untyped]

    parsed = _parse_date(_zoned(text))
    return datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed else None


def _dateutil(text: str) -> Optional[datetime]:
    """Forms with the parts in another order or with odd punctuation.

    Read with two defaults and both orders of day and month: a date with a part missing, or that two readers would
    take for two days, is none.
    """
    from dateutil.parser import parse  # type: ignore[import-untyped]

    def zone(name: Optional[str], offset: Optional[int]) -> timezone:
        return timezone(timedelta(seconds=offset)) if offset else timezone(timedelta(minutes=_ZONES.get(name or "", 0)))

    defaults = (datetime(2000, 1, 1), datetime(2001, 2, 2))
    readings = {
        parse(text, default=default, dayfirst=dayfirst, tzinfos=zone, fuzzy=False)
        for default in defaults
        for dayfirst in (False, True)
    }
    return readings.pop() if len(readings) == 1 else None


def _dateparser(text: str) -> Optional[datetime]:
    """Dates in the words of other languages; nothing relative to now, and nothing without day, month and year."""
    if not re.search(r"\d", text) or (text.isascii() and not re.search(r"[A-Za-z]{3}", text)):
        return None
    import dateparser  # type: ignore[import-untyped]

    found = dateparser.parse(
        text,
        locales=_LOCALES,
        settings={
            "TIMEZONE": "UTC",
            "RETURN_AS_TIMEZONE_AWARE": True,
            "REQUIRE_PARTS": ["day", "month", "year"],
            "PARSERS": ["absolute-time"],
        },
    )
    return found if isinstance(found, datetime) else None


_READERS: tuple[Callable[[str], Optional[datetime]], ...] = (_iso, _rfc822, _feedparser, _dateutil, _dateparser)
