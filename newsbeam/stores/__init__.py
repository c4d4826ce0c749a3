"""Stores: `open_store(url)` gives the one that an address names."""

from __future__ import annotations

from newsbeam.errors import ConfigError
from newsbeam.stores.base import Store


def open_store(url: str, *, create: bool = False) -> Store:
    """The store at `url`: `sqlite:///PATH` (Elasticsearch follows).

    Args:
        create: make the file where it is missing and bring its schema up to date.

    Raises:
        ConfigError: the address names no known engine.
        StoreError: it can't be opened, or does not exist and `create` is off.
    """
    if url.startswith("sqlite:///"):
        from newsbeam.stores.sqlite import SqliteStore

        return SqliteStore(url, create=create)
    raise ConfigError(f"--store {url}: not a store address; use sqlite:///PATH")


__all__ = ["Store", "open_store"]
