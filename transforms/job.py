"""What every transform of one job shares: settings, the store's address and who holds the leases.

A Job is plain and picklable; clients are made from it in `setup`, and live as long as their process.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from newsbeam.pool import WorkPool, shared_pool
from newsbeam.process import this_holder
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
    """One run of a command. `tick` is its round, for the ledger."""

    settings: Settings
    store_url: str
    id: str
    tick: int = 0

    @property
    def holder(self) -> Holder:
        """This process, as the holder of the leases that it takes for the job."""
        return this_holder(self.id, self.tick)

    def lease_until(self) -> int:
        """The end of a lease taken now."""
        return now_ms() + LEASE_MS

    def store(self) -> Store:
        """This process's client of the store."""
        return _client(self.store_url, lambda: open_store(self.store_url), lambda store: store.close())

    def pool(self) -> WorkPool:
        """This process's pool."""
        return start_pool(self.settings)

    def reader(self) -> tuple[Fetcher, Robots]:
        """This process's HTTP client, with what it knows of hosts' robots.txt."""
        settings = self.settings.fetch
        return _client(settings, lambda: _reader(settings), lambda reader: reader[0].close())


def start_pool(settings: Settings) -> WorkPool:
    """This process's pool for some settings; it starts at the first call, and its processes load their models."""
    from newsbeam import work

    models = tuple(sorted(settings.models.items()))
    return shared_pool(settings.pool.count(), work.prepare, (models, settings.config_dir))


_lock = threading.Lock()
_clients: dict[Hashable, Any] = {}


def _client(key: Hashable, make: Callable[[], T], close: Callable[[T], None]) -> T:
    """This process's client for a key, made at the first call."""
    with _lock:
        if key not in _clients:
            client = make()
            _clients[key] = (client, lambda: close(client))
        found: T = _clients[key][0]
        return found


@atexit.register
def close_clients() -> None:
    """Closes this process's clients; the next use makes them anew."""
    with _lock:
        for _, close in _clients.values():
            close()
        _clients.clear()


def _reader(settings: FetchSettings) -> tuple[Fetcher, Robots]:
    from newsbeam.fetch import Fetcher
    from newsbeam.robots import Robots

    fetcher = Fetcher(settings)
    return fetcher, Robots(fetcher)
