"""The errors of newsbeam, one tree:

    NewsbeamError
    ├── ConfigError        wrong use or configuration (exit code 2)
    ├── StoreError         the store can't be reached or used (exit code 3)
    │   └── StoreDamagedError  its integrity check failed
    └── ReadError          something from outside could not be read
        ├── FetchError     no usable answer for an address
        ├── FeedError      the answer is no feed
        └── ExtractError   the page has no usable text

Expected failures of feeds and pages are data, not exceptions: a `ReadError` is caught where it is raised from and
becomes an outcome with its `reason`. All survive pickling, since they cross process borders.
"""

from __future__ import annotations

from typing import Any


class NewsbeamError(Exception):
    """Base of all errors that newsbeam raises on purpose; its text is one clear line for a user."""


class ConfigError(NewsbeamError):
    """A wrong setting, file or argument; the text names the file, line and key where there are any."""


class StoreError(NewsbeamError):
    """The store can't be reached, opened or written."""


class StoreDamagedError(StoreError):
    """The store's own integrity check failed."""


class ReadError(NewsbeamError):
    """Something from outside could not be read.

    Args:
        reason: a short stable word for the ledger, such as `timeout`, `http_404` or `private_network`.
        detail: the values that explain it, for a person.
        retry_after: seconds that the other side asked us to wait, where it did.
    """

    def __init__(self, reason: str, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.reason, self.detail, self.retry_after)


class FetchError(ReadError):
    """No usable answer for an address."""


class FeedError(ReadError):
    """The answer is no feed that can be read."""


class ExtractError(ReadError):
    """The page has no usable text."""
