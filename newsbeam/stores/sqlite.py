"""The store in one SQLite file. What its methods promise is in stores/base.py."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Optional

from newsbeam.records import Article, Cursor, Draft, EntryRow, Holder, Poll, RowResult, now_ms
from newsbeam.search import Query, SearchResult
from newsbeam.stores import (
    sqlite_articles,
    sqlite_check,
    sqlite_leases,
    sqlite_removal,
    sqlite_rows,
    sqlite_schema,
    sqlite_search,
)
from newsbeam.stores.base import Claim, FailedRow, Ledger, Patch, Pruned, Status
from newsbeam.stores.sqlite_database import Database, path_of, url_of


class SqliteStore:
    """A Store in one SQLite file, for any number of threads and processes of one machine.

    Pickled, it is its address: the other process opens the file for itself, and never makes it.

    Args:
        url: `sqlite:///relative` or `sqlite:////absolute`; the path is made absolute.
        create: make the file where it is missing and bring its schema up to date.

    Raises:
        ConfigError: the address has no path.
        StoreError: the file is missing (without `create`), no store, of another version, or can't be used.
    """

    def __init__(self, url: str, *, create: bool) -> None:
        path = path_of(url)
        self.url = url_of(path)
        self._database = Database(path)
        if create:
            self._database.initialize()
        else:
            self._database.check_version()

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(SqliteStore, create=False), (self.url,)

    # --- the store itself

    def initialize(self) -> None:
        self._database.initialize()

    def close(self) -> None:
        self._database.close()

    def status(self) -> Status:
        path = self._database.path
        with self._database.read() as db:
            articles, deleted, revisions, feeds, polls, rows = db.execute(
                """SELECT (SELECT count(*) FROM articles WHERE status = 'active'),
                    (SELECT count(*) FROM articles WHERE status <> 'active'),
                    (SELECT count(*) FROM revisions),
                    (SELECT count(*) FROM cursors WHERE cursor IS NOT NULL),
                    (SELECT count(*) FROM polls),
                    (SELECT count(*) FROM entries)"""
            ).fetchone()
        size = sum(os.path.getsize(name) for name in (path, f"{path}-wal") if os.path.exists(name))
        return Status(self.url, "sqlite", sqlite_schema.VERSION, articles, deleted, revisions, feeds, polls, rows, size)

    def check(self) -> list[str]:
        return sqlite_check.check(self._database)

    # --- polling

    def cursors(self, feed_ids: Sequence[str]) -> dict[str, Cursor]:
        with self._database.read() as db:
            return sqlite_leases.cursors(db, feed_ids)

    def claim_feeds(self, feed_ids: Sequence[str], holder: Holder, now: int, until: int) -> dict[str, Claim]:
        with self._database.write() as db:
            return sqlite_leases.claim_feeds(db, feed_ids, holder, now, until)

    def release_feed(self, feed_id: str, holder: Holder, fence: int) -> bool:
        with self._database.write() as db:
            return sqlite_leases.release_feed(db, feed_id, holder, fence)

    def commit_poll(
        self, poll: Poll, cursor: Cursor, rows: Sequence[EntryRow], holder: Holder, fence: int, until: int
    ) -> list[EntryRow]:
        with self._database.write() as db:
            return sqlite_rows.commit_poll(db, poll, cursor, rows, holder, fence, until)

    # --- the inbox

    def take_rows(self, holder: Holder, now: int, until: int, limit: int, *, alone: bool = False) -> list[EntryRow]:
        with self._database.write() as db:
            return sqlite_rows.take_rows(db, holder, now, until, limit, alone=alone)

    def get_rows(self, row_ids: Sequence[str]) -> dict[str, EntryRow]:
        with self._database.read() as db:
            return sqlite_rows.get_rows(db, row_ids)

    def finish_rows(self, results: Sequence[RowResult]) -> list[RowResult]:
        with self._database.write() as db:
            return sqlite_rows.finish_rows(db, results, now_ms())

    def ledger(self, job: Optional[str] = None, tick: Optional[int] = None) -> Ledger:
        with self._database.read() as db:
            return sqlite_rows.ledger(db, job, tick, now_ms())

    def failures(
        self,
        limit: int = 100,
        *,
        reason: Optional[str] = None,
        feed: Optional[str] = None,
        row_ids: Optional[Sequence[str]] = None,
        until: Optional[int] = None,
    ) -> list[FailedRow]:
        with self._database.read() as db:
            return sqlite_rows.failures(db, limit, reason, feed, row_ids, until)

    def reopen_rows(self, row_ids: Sequence[str], now: int) -> int:
        with self._database.write() as db:
            return sqlite_rows.reopen_rows(db, row_ids, now)

    # --- articles

    def get_articles(self, ids: Sequence[str]) -> dict[str, Article]:
        with self._database.read() as db:
            return sqlite_articles.get_articles(db, ids)

    def find_article(self, id_or_url: str) -> Optional[Article]:
        with self._database.read() as db:
            return sqlite_articles.find_article(db, id_or_url)

    def write_articles(self, drafts: Sequence[Draft], now: int) -> list[RowResult]:
        with self._database.write() as db:
            return sqlite_articles.write_articles(db, drafts, now)

    def patch_articles(self, patches: Sequence[Patch], now: int) -> int:
        with self._database.write() as db:
            return sqlite_articles.patch_articles(db, patches, now)

    def delete_articles(self, ids: Sequence[str], now: int) -> int:
        with self._database.write() as db:
            return sqlite_removal.delete_articles(db, ids, now)

    def would_prune(self, before: int) -> Pruned:
        with self._database.read() as db:
            return sqlite_removal.would_prune(db, before)

    def prune(self, before: int, limit: int) -> Pruned:
        with self._database.write() as db:
            return sqlite_removal.prune(db, before, limit)

    def compact(self) -> None:
        sqlite_removal.compact(self._database)

    def revisions(self, article_id: str) -> list[Article]:
        with self._database.read() as db:
            return sqlite_articles.revisions(db, article_id)

    def search(self, query: Query) -> SearchResult:
        with self._database.read() as db:
            return sqlite_search.search(db, query, now_ms())

    def scan(self, query: Optional[Query] = None) -> Iterator[Article]:
        return sqlite_search.scan(self._database, query)

    # --- leases

    def take_lease(self, name: str, holder: Holder, now: int, until: int) -> Optional[int]:
        with self._database.write() as db:
            return sqlite_leases.take_lease(db, name, holder, now, until)

    def release_lease(self, name: str, holder: Holder, fence: int) -> bool:
        with self._database.write() as db:
            return sqlite_leases.release_lease(db, name, holder, fence)

    def release_all(self, holder: Holder) -> int:
        with self._database.write() as db:
            return sqlite_leases.release_all(db, holder)

    def drop_dead(self, host: str, alive: Callable[[Holder], bool]) -> int:
        with self._database.read() as db:
            holders = sqlite_leases.holders(db, host)
        dead = sqlite_leases.dead_among(holders, alive)
        if not dead:
            return 0
        with self._database.write() as db:
            return sqlite_leases.drop(db, dead)
