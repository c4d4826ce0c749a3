"""When to ask again: feeds after a poll, rows that were put off. Pure; times in ms, waits in seconds where named so."""

from __future__ import annotations

import hashlib
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Optional

from newsbeam.records import Feed

DAY = 86_400.0
MIN_RETRY, MAX_RETRY = 60.0, DAY  # what a server may ask for with Retry-After, in seconds
_FIRST_TRY, _LAST_TRY = 60.0, 6 * 3_600.0
_JITTER = 0.1  # of the wait after failures, so that feeds which failed together do not come back together


def next_poll(
    feed: Feed,
    *,
    now: int,
    failures: int = 0,
    retry_after: Optional[float] = None,
    ttl: Optional[int] = None,
    max_age: Optional[int] = None,
    jitter_key: str = "",
) -> int:
    """When a feed is due again, in ms.

    Args:
        now: the tick of the poll, in ms, so that a feed keeps its pace however long a round takes.
        failures: how many polls failed in a row; each doubles the wait, up to a day.
        retry_after, ttl, max_age: seconds asked for by Retry-After, the feed and Cache-Control. They only lengthen
            the feed's own interval, up to a day.
        jitter_key: what spreads feeds after failures (up to a tenth of the wait); the feed's id.
    """
    longest = max(DAY, float(feed.every))
    wait = max(float(feed.every), 1.0)
    if failures > 0:
        wait = min(wait * 2.0 ** min(failures - 1, 32), longest)
    wait = min(max(wait, float(ttl or 0), float(max_age or 0)), longest)
    if retry_after is not None:
        wait = max(wait, clamp_retry(retry_after))
    if failures > 0:
        wait += wait * _JITTER * _fraction(jitter_key)
    return now + round(wait * 1000)


def retry_at(tries: int, now: int, retry_after: Optional[float] = None) -> int:
    """When a row that was put off is due again, in ms: after a minute, doubled at each try, up to 6 hours.

    Args:
        tries: how often it has been put off before.
        retry_after: seconds that the server asked for; it only lengthens the wait.
    """
    wait = min(_FIRST_TRY * 2.0 ** min(max(tries, 0), 32), _LAST_TRY)
    if retry_after is not None:
        wait = max(wait, clamp_retry(retry_after))
    return now + round(wait * 1000)


def parse_retry_after(value: Optional[str], now: int) -> Optional[float]:
    """Seconds that a Retry-After header asks for (RFC 9110, section 10.2.3), within 1 minute and 24 hours.

    A time that has passed gives the minimum; what is neither a number nor a date gives None.
    """
    value = (value or "").strip()
    if value.isascii() and value.lstrip("-").isdigit() and len(value) <= 20:
        return clamp_retry(float(value))
    try:
        moment = parsedate_to_datetime(value)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return clamp_retry(aware.timestamp() - now / 1000)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def clamp_retry(seconds: float) -> float:
    """Seconds within what Retry-After may ask for."""
    return min(max(seconds, MIN_RETRY), MAX_RETRY) if seconds == seconds else MIN_RETRY  # NaN is unequal to itself


def _fraction(key: str) -> float:
    """A number in [0, 1) that is always the same for a key."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest(), "big") / 2**32
