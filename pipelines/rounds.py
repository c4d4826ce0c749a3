"""Batch and rounds: bounded pipelines on FnApiRunner until nothing is due, and the account of each round."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Optional

import apache_beam as beam

from newsbeam.polling import is_due
from newsbeam.process import is_alive
from newsbeam.records import EntryRow, Holder, now_ms
from newsbeam.settings import Settings
from newsbeam.stores.base import Ledger, Store
from pipelines import graph
from pipelines.options import runner_and_options
from transforms.elements import Tick
from transforms.job import ROW_LIMIT, Job

GROUP = 50  # rows that two jobs died with, in one pipeline
Progress = Callable[[Ledger], None]


class Report(NamedTuple):
    """The account of one round.

    seen = unchanged + new + revised + skipped + failed + inbox, with what the inbox held before counted as seen, where
    no other job works on the store at the time. `balanced` is the same of the whole store, which always holds.
    """

    round: int
    ledger: Ledger
    carried: int
    seconds: float
    balanced: bool

    def to_json(self) -> dict[str, Any]:
        """The line that `ingest --json` prints."""
        ledger = self.ledger
        return {
            "round": self.round,
            "feeds": ledger.feeds,
            "seen": ledger.seen,
            "outcomes": {
                "new": ledger.new,
                "revised": ledger.revised,
                "unchanged": ledger.unchanged,
                "skipped": dict(ledger.skipped),
                "failed": dict(ledger.failed),
            },
            "inbox": ledger.inbox,
            "labels": dict(ledger.labels),
            "seconds": round(self.seconds, 3),
            "carried": self.carried,
            "feed_failures": dict(ledger.feed_failures),
        }


class Rounds:
    """One run of a job over a store: its holder, its rounds.

    Args:
        progress: called now and then with the round's ledger so far.
        runner_options: Beam options, as on a command line.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        progress: Optional[Progress] = None,
        runner_options: tuple[str, ...] = (),
    ) -> None:
        self._settings, self._store, self._progress = settings, store, progress
        self._options = runner_options
        self._job = Job(settings, store.url, uuid.uuid4().hex[:12])
        self._stopping = False
        store.drop_dead(self.holder.host, is_alive)

    def stop(self) -> None:
        """Ends the round after the pipeline that runs now; the rest stays in the inbox."""
        self._stopping = True

    def ingest(self, *, force: bool = False) -> Report:
        """One round: polls what is due (with `force`, every enabled feed) and empties the inbox of what is due."""

        def run(job: Job, at: int) -> None:
            tick = Tick(job.tick, at, force)
            due, before = self._due_feeds(tick), None
            while due and due != before and not self._stopping:  # what the deadline left over, or another job holds
                self._run(lambda pipeline: graph.ingest(pipeline | beam.Create([tick]), job))
                due, before = self._due_feeds(tick), due

        return self._round(run)

    def backfill(self, batches: Iterator[list[EntryRow]]) -> Report:
        """One round over entry rows that are made elsewhere; `batches` makes each durable before it yields it."""

        def run(job: Job, at: int) -> None:
            for rows in batches:
                self._carry(rows, job)
                if self._stopping:
                    return

        return self._round(run)

    def replay(self) -> Report:
        """One round that polls nothing: empties the inbox of what is due, as rows that were reopened are."""
        return self._round(lambda job, at: None)

    @property
    def holder(self) -> Holder:
        """Who this run is, for leases taken outside its pipelines."""
        return self._job.holder

    def _round(self, run: Callable[[Job, int], None]) -> Report:
        self._job = job = self._job._replace(tick=self._job.tick + 1)
        carried, at, began = self._account(0).inbox, now_ms(), time.monotonic()
        try:
            with _Watch(self._progress, self._account, carried):
                run(job, at)
                self._empty_inbox(job)
        finally:
            self._store.release_all(job.holder)
        account = self._account(carried)
        balanced = account.balances() or self._store.ledger().balances()  # the former misses what other jobs did
        return Report(job.tick, account, carried, time.monotonic() - began, balanced)

    def _empty_inbox(self, job: Job) -> None:
        """Further pipelines, of 1,000 rows at most each, until no row is due; then what jobs died with.

        Rows that two jobs died with go in small groups, so that a restart after two kills stays quick; those that died
        again with their group go one by one, the worst last.
        """
        for alone in (False, True):
            while not self._stopping:
                limit = GROUP if alone else ROW_LIMIT
                rows = self._store.take_rows(job.holder, now_ms(), job.lease_until(), limit, alone=alone)
                if not rows:
                    break
                for group in _groups(rows) if alone else [rows]:
                    self._carry(group, job)

    def _due_feeds(self, tick: Tick) -> list[str]:
        feeds = [feed.id for feed in self._settings.feeds if feed.enabled]
        cursors = self._store.cursors(feeds)
        return [feed for feed in feeds if is_due(cursors.get(feed), tick.at, force=tick.force)]

    def _carry(self, rows: list[EntryRow], job: Job) -> None:
        self._run(lambda pipeline: graph.carry(pipeline | beam.Create(rows), job))

    def _run(self, build: Callable[[Any], Any]) -> None:
        runner, options = runner_and_options(self._options)
        with beam.Pipeline(runner=runner, options=options) as pipeline:
            build(pipeline)

    def _account(self, carried: int) -> Ledger:
        ledger = self._store.ledger(self._job.id, self._job.tick)
        return ledger._replace(seen=ledger.seen + carried)


def _groups(rows: list[EntryRow]) -> list[list[EntryRow]]:
    together = [row for row in rows if row.deaths <= 2]
    apart = sorted((row for row in rows if row.deaths > 2), key=lambda row: row.deaths)
    return [*([together] if together else []), *([row] for row in apart)]


class _Watch:
    """Tells the progress twice a second while a pipeline blocks its thread."""

    def __init__(self, progress: Optional[Progress], account: Callable[[int], Ledger], carried: int) -> None:
        self._progress, self._account, self._carried = progress, account, carried
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._tell, daemon=True)

    def __enter__(self) -> None:
        if self._progress:
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._progress:
            self._thread.join()

    def _tell(self) -> None:
        while self._progress and not self._done.wait(0.5):
            self._progress(self._account(self._carried))
