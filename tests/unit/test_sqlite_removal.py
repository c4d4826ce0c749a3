"""What the SQLite store takes away is gone from its file, not only from its tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from newsbeam.records import RowResult
from newsbeam.stores import open_store
from newsbeam.stores.sqlite import SqliteStore
from tests.contract.samples import DAY, NOW, draft, poll, row, write

SECRET = "quokkaphone"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(f"sqlite:///{tmp_path / 'newsbeam.db'}", create=True)
    assert isinstance(opened, SqliteStore)
    yield opened
    opened.close()


def left(tmp_path: Path) -> int:
    """How often the secret's start (the index keeps words by their stems) is in the file and its journal."""
    return sum(file.read_bytes().count(SECRET[:8].encode()) for file in tmp_path.glob("newsbeam.db*"))


def test_a_takedown_reaches_freed_pages_and_the_index(store: SqliteStore, tmp_path: Path) -> None:
    long = f"The {SECRET} was heard. " * 1000  # over many pages of the file
    (first,) = poll(store, [row("a", text=long)])
    store.write_articles([draft(first, title=SECRET, body=long)], NOW)
    (second,) = poll(store, [row("a", poll=2, change=1, previous=first.id, text=long)], number=2)
    store.write_articles([draft(second, body=f"{long} Or not.", read_at=NOW + 5)], NOW)
    (third,) = poll(store, [row("a", poll=3, change=2, previous=second.id, text=long)], number=3)
    store.finish_rows([RowResult(third.id, third.fence, "failed", "timeout", f"fetch: {SECRET}")])
    write(store, {"key": "b", "body": "Another."})
    assert left(tmp_path) > 3000
    store.delete_articles([draft(first).article.id], NOW)
    store.compact()
    assert left(tmp_path) == 0
    assert store.check() == []


def test_the_detail_of_a_failure_goes_with_it(store: SqliteStore, tmp_path: Path) -> None:
    (article_id,) = write(store, {"key": "a"})
    (made,) = poll(store, [row("a", poll=2, change=1, article_id=article_id)], number=2)
    store.finish_rows([RowResult(made.id, made.fence, "failed", "x", f"extract: {SECRET}")])
    assert left(tmp_path)
    store.delete_articles([article_id], NOW)
    store.compact()
    assert left(tmp_path) == 0


def test_what_is_pruned_is_gone_too(store: SqliteStore, tmp_path: Path) -> None:
    write(store, {"key": "a", "body": f"The {SECRET} was heard. " * 100}, {"key": "b", "body": "Another."})
    while any(store.prune(NOW + DAY, 10)):
        pass
    store.compact()
    assert left(tmp_path) == 0


def test_compacting_goes_on_in_parts_and_ends(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from newsbeam.stores import sqlite_removal

    monkeypatch.setattr(sqlite_removal, "_MERGE_PAGES", 1)
    for number in range(6):
        write(store, *({"key": f"{number}-{entry}", "body": f"word{number} " * 500} for entry in range(20)))
    writes = 0
    write_begun = store._database.write

    def counted() -> object:
        nonlocal writes
        writes += 1
        return write_begun()

    monkeypatch.setattr(store._database, "write", counted)
    store.compact()
    assert writes > 2
    writes = 0
    store.compact()
    assert writes == 1, "there is nothing left to do"
    assert store.check() == []
