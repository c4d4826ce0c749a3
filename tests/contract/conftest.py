"""The engines that must keep the contract of newsbeam/stores/base.py. The tests here know the protocol alone.

An engine makes a new, empty store each time it is asked for one. To hold another engine to the contract, write its
class beside SqliteEngine and add it to ENGINES.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from newsbeam.stores import Store, open_store


class SqliteEngine:
    """Stores in files of a directory of the test's own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.number = 0

    def new_url(self) -> str:
        """The address of a store that does not exist yet."""
        self.number += 1
        return f"sqlite:///{self.directory}/store-{self.number}.db"

    def refresh(self, store: Store) -> None:
        """Makes what was written visible to searches; SQLite's searches see it at once."""

    def close(self) -> None:
        """Removes what was made; pytest removes the directory."""


ENGINES = {"sqlite": SqliteEngine}


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqliteEngine]:
    made = ENGINES[request.param](tmp_path)
    yield made
    made.close()


@pytest.fixture
def new_store(engine: SqliteEngine) -> Iterator[Callable[[], Store]]:
    """Makes a new, empty store at each call, for tests that need several."""
    opened: list[Store] = []

    def make() -> Store:
        opened.append(open_store(engine.new_url(), create=True))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(new_store: Callable[[], Store]) -> Store:
    """A new, empty store."""
    return new_store()


@pytest.fixture
def other(store: Store) -> Iterator[Store]:
    """A second client of `store`, as another process has one."""
    client = open_store(store.url)
    yield client
    client.close()


@pytest.fixture
def refresh(engine: SqliteEngine, store: Store) -> Callable[[], None]:
    """Makes what was written to `store` visible to its searches."""
    return lambda: engine.refresh(store)
