"""The command backfill: the graph from the entry rows on, over files."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from newsbeam.backfill import FEED_ID, Broken, Found, Skipped, read_file
from newsbeam.errors import ConfigError, FeedError, StoreError
from newsbeam.packed import Packed
from newsbeam.records import Cursor, EntryRow, Holder, Poll, RowResult, now_ms
from newsbeam.settings import load_settings
from newsbeam.stores import open_store
from pipelines.cli import DEFAULT_STORE, Config, Json, StoreUrl, app
from pipelines.commands_run import MaxFailed, exit_code, print_report, start_rounds
from pipelines.progress import FileProgress

if TYPE_CHECKING:
    from newsbeam.entries import ParsedFeed
    from newsbeam.settings import Settings
    from newsbeam.stores.base import Claim, Store
    from pipelines.rounds import Rounds

BATCH = 500  # things of a file that become durable, and then a pipeline, at once
BATCH_CHARS = 8_000_000  # of their texts and pages
PATIENCE = 30.0  # seconds to wait for another backfill into the same store to let go between its batches


@app.command()
def backfill(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="JSON Lines, saved feeds or WARC, also .gz; - is standard input."),
    ],
    config: Config = None,
    store: StoreUrl = DEFAULT_STORE,
    source: Annotated[
        str, typer.Option("--source", metavar="NAME", help="The publisher (name or domain) of what names none.")
    ] = "",
    max_failed: MaxFailed = None,
    json: Json = False,
) -> int:
    """Take in articles from files, through the same graph; nothing is fetched. Killed, the same command goes on."""
    settings = load_settings(config, with_feeds=False)
    reading = _Reading(files, settings, source)
    client = open_store(store, create=True)
    with FileProgress(reading.share) as progress:
        rounds = start_rounds(settings, client, progress, ())
        report = rounds.backfill(_batches(reading.found(), client, rounds))
        progress.end(report.ledger)
    print_report(report, json)
    return exit_code(report, settings.max_failed if max_failed is None else max_failed)


class _Reading:
    """The files of one backfill, read one after another, and how far that is. Raises ConfigError for what is none."""

    def __init__(self, files: list[Path], settings: Settings, source: str) -> None:
        self._files, self._settings, self._source = files, settings, source
        self._before = 0
        self._stream: Optional[Packed] = None
        for file in files:
            if str(file) != "-" and (not file.exists() or file.is_dir()):
                raise ConfigError(f"{file}: no such file" if not file.exists() else f"{file}: a directory, not a file")
        known = all(file.is_file() for file in files)
        self._total = sum(file.stat().st_size for file in files) if known else 0

    def share(self) -> Optional[float]:
        """What is read, from 0 to 1; None where a size is not known, as of standard input."""
        taken = self._before + (self._stream.taken if self._stream else 0)
        return min(taken / self._total, 1) if self._total else None

    def found(self) -> Iterator[Found]:
        """What is in the files."""
        for file in self._files:
            try:
                with sys.stdin.buffer if str(file) == "-" else file.open("rb") as opened:
                    self._stream = Packed(opened)
                    name = "standard input" if str(file) == "-" else file.name
                    yield from read_file(self._stream, name, parse=self._parse, now=now_ms(), source=self._source)
                    self._before, self._stream = self._before + self._stream.taken, None
            except OSError as error:
                raise ConfigError(f"{file}: {error.strerror or error}") from error

    def _parse(self, body: bytes, url: str) -> ParsedFeed:
        """Parses a feed document in the pool, as a poll does."""
        from newsbeam import work
        from newsbeam.pool import PoolError
        from transforms.job import Job

        pool = Job(self._settings, "", "").pool()
        try:
            return pool.call_alone(work.parse, body, url, "", now_ms(), seconds=self._settings.pool.item_seconds)
        except PoolError as death:
            raise FeedError("parse_timeout" if death.overran else "parse_died", death.detail) from death


class _Batch:
    """Things of a file that become durable at once. It has one row of an entry: of several states of one article, the
    last in the file is then the last that is read."""

    def __init__(self) -> None:
        self.seen, self.chars = 0, 0
        self.skipped: Counter[str] = Counter()
        self.rows: dict[str, EntryRow] = {}
        self.broken: dict[str, Broken] = {}
        self._keys: set[tuple[str, str]] = set()

    def takes(self, item: Found) -> bool:
        """Whether there is room for a thing."""
        if self.seen >= BATCH or self.chars >= BATCH_CHARS:
            return False
        return not isinstance(item, EntryRow) or item.id in self.rows or _key(item) not in self._keys

    def add(self, item: Found) -> None:
        self.seen += 1
        if isinstance(item, Skipped):
            self.skipped[item.reason] += 1
            return
        row = item.row if isinstance(item, Broken) else item
        if row.id in self.rows:
            self.skipped["duplicate"] += 1
            return
        self.rows[row.id] = row
        self._keys.add(_key(row))
        self.chars += len(row.entry.text) + len(row.entry.html) + len(row.entry.summary)
        if isinstance(item, Broken):
            self.broken[row.id] = item


def _key(row: EntryRow) -> tuple[str, str]:
    return row.feed.source.id, row.entry.key


def _batches(found: Iterator[Found], store: Store, rounds: Rounds) -> Iterator[list[EntryRow]]:
    """Rows, made durable a batch at a time; what is broken or skipped is on record with them."""
    batch = _Batch()
    for item in found:
        if not batch.takes(item):
            yield from _commit(batch, store, rounds.holder)
            batch = _Batch()
        batch.add(item)
    if batch.seen:
        yield from _commit(batch, store, rounds.holder)


def _commit(batch: _Batch, store: Store, holder: Holder) -> Iterator[list[EntryRow]]:
    """Makes a batch durable and gives the rows that are to be carried on: those that no run before has made."""
    from transforms.job import LEASE_MS

    made: list[EntryRow] = []
    while True:
        claim, now = _claim(store, holder), now_ms()
        poll = Poll(
            FEED_ID, claim.cursor.poll + 1, now, "ok", seen=batch.seen, skipped=dict(batch.skipped),
            new=len(batch.rows), job=holder.job, tick=holder.tick,
        )  # fmt: skip
        cursor, rows = Cursor(FEED_ID, poll=poll.number, polled_at=now), list(batch.rows.values())
        made = store.commit_poll(poll, cursor, rows, holder, claim.fence, now + LEASE_MS)
        if made or len(store.get_rows(list(batch.rows))) == len(batch.rows):
            break  # else the lease was lost in between, as when a machine sleeps
    failed = [
        RowResult(row.id, row.fence, "failed", batch.broken[row.id].reason, batch.broken[row.id].detail,
                  job=holder.job, tick=holder.tick)
        for row in made if row.id in batch.broken
    ]  # fmt: skip
    store.finish_rows(failed)
    good = [row for row in made if row.id not in batch.broken]
    if good:
        yield good


def _claim(store: Store, holder: Holder) -> Claim:
    """Takes the feed that stands for all backfills; another one holds it for a moment at a time."""
    from transforms.job import LEASE_MS

    deadline = time.monotonic() + PATIENCE
    while True:
        now = now_ms()
        claim = store.claim_feeds([FEED_ID], holder, now, now + LEASE_MS).get(FEED_ID)
        if claim:
            return claim
        if time.monotonic() > deadline:
            raise StoreError("another backfill into this store is running; wait for it to end")
        time.sleep(0.1)
