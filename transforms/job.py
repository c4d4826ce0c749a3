"""What every transform of one job shares: settings, the store's address and who holds the leases.

A Job is plain and picklable; clients are made from it in `setup`, and live as long as their process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from newsbeam.pool import WorkPool, shared_pool
from newsbeam.records import Holder, now_ms
from newsbeam.settings import FetchSettings, Settings
from newsbeam.stores import Store, open_store

if TYPE_CHECKING:
    from newsbeam.fetch import Fetcher
    from newsbeam.robots import Robots

ROW_LIMIT = 1_000  # of one pipeline, since FnApiRunner keeps its elements in memory
LEASE_MS = 15 * 60_000  # of rows and feeds: longer than a round can take
T = TypeVar("T")


class Job(NamedTuple):
    """One run of a command, or one round of it (`holder.tick`)."""

    settings: Settings
    store_url: str
    holder: Holder

    def lease_until(self) -> int:
        """The end of a lease taken now."""
        return now_ms() + LEASE_MS

    def store(self) -> Store:
        """This process's client of the store."""
        return _once(_store, self.store_url)

    def pool(self) -> WorkPool:
        """This process's pool, its models loaded or loading."""
        from newsbeam import work

        settings = self.settings
        return shared_pool(
            settings.pool.count(), work.prepare, (tuple(sorted(settings.models.items())), settings.config_dir)
        )

    def reader(self) -> tuple[Fetcher, Robots]:
        """This process's HTTP client, with what it knows of hosts' robots.txt."""
        return _once(_reader, self.settings.fetch)


_lock = threading.Lock()


def _once(make: Callable[..., T], *args: object) -> T:
    with _lock:  # lru_cache alone may make two when two threads come at once
        return make(*args)


@lru_cache(maxsize=4)
def _store(url: str) -> Store:
    return open_store(url)


@lru_cache(maxsize=4)
def _reader(settings: FetchSettings) -> tuple[Fetcher, Robots]:
    from newsbeam.fetch import Fetcher
    from newsbeam.robots import Robots

    fetcher = Fetcher(settings)
    return fetcher, Robots(fetcher)
