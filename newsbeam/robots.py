"""robots.txt: what publishers ask of crawlers (RFC 9309)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple, Optional, Protocol

from newsbeam.errors import FetchError
from newsbeam.fetch import Fetched, Kind, check_url
from newsbeam.records import now_ms

AGENT = "newsbeam"
KEEP = 86_400_000  # ms for which rules are kept (RFC 9309, section 2.4: not longer than a day)
_KEEP_FAILURE = 300_000  # ms for which a host without an answer is not asked again
_MAX_HOSTS = 5_000
_MAX_BYTES = 16_000_000  # of all texts whose rules are kept; parsed they take 10 times as much, at worst 70 times


class _Fetches(Protocol):
    def fetch(self, url: str, *, kind: Kind) -> Fetched: ...


class _Rules(Protocol):
    def can_fetch(self, url: str, user_agent: str) -> bool: ...


class _Known(NamedTuple):
    until: int
    rules: Optional[_Rules]  # None: everything is allowed
    error: Optional[FetchError] = None
    size: int = 0  # of the text, in bytes


class Robots:
    """Says whether pages may be fetched; thread-safe, rules kept in memory for a day by scheme, host and port."""

    def __init__(self, fetcher: _Fetches) -> None:
        self._fetcher = fetcher
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._size = 0  # of all that is known
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def allowed(self, url: str) -> bool:
        """Whether the rules let newsbeam fetch an address.

        A site that answers robots.txt with 4xx has no rules. Where it can't be had (5xx, no connection), nothing may
        be fetched: raises that FetchError, so that its reason tells why and its route when to try again.
        """
        parsed = check_url(url)
        origin = f"{parsed.scheme}://{parsed.netloc.decode('ascii')}"
        known = self._look_up(origin)
        if known.error:
            raise FetchError(known.error.reason, f"robots.txt: {known.error.detail}", known.error.retry_after)
        return known.rules is None or known.rules.can_fetch(str(parsed), AGENT)

    def _look_up(self, origin: str) -> _Known:
        with self._lock:
            lock = self._locks.setdefault(origin, threading.Lock())
        with lock:  # one request a host, however many threads ask
            with self._lock:
                known = self._known.get(origin)
                if known and known.until > now_ms():
                    self._known.move_to_end(origin)
                    return known
            known = self._ask(origin)
            with self._lock:
                self._keep(origin, known)
            return known

    def _keep(self, origin: str, known: _Known) -> None:
        if before := self._known.pop(origin, None):
            self._size -= before.size
        self._known[origin] = known
        self._size += known.size
        while len(self._known) > _MAX_HOSTS or self._size > _MAX_BYTES:
            dropped, gone = self._known.popitem(last=False)
            self._size -= gone.size
            self._locks.pop(dropped, None)

    def _ask(self, origin: str) -> _Known:
        from protego import Protego

        try:
            answer = self._fetcher.fetch(f"{origin}/robots.txt", kind="robots")
        except FetchError as error:
            if error.reason.startswith("http_4") and error.reason != "http_429":
                return _Known(now_ms() + KEEP, None)
            if error.reason in ("redirect_loop", "too_many_redirects"):  # section 2.3.1.2: as if there were none
                return _Known(now_ms() + KEEP, None)
            return _Known(now_ms() + _KEEP_FAILURE, None, error)
        rules = Protego.parse(answer.body.decode("utf-8", "replace"))
        return _Known(now_ms() + KEEP, rules, size=len(answer.body))
