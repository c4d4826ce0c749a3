"""PollFeeds: fetches due feeds, side by side, and makes what is new in them durable."""

from __future__ import annotations

import logging
import threading
from typing import Any

import apache_beam as beam

from newsbeam import identity, polling
from newsbeam.errors import FeedError
from newsbeam.pool import PoolError
from newsbeam.records import Cursor, EntryRow, Feed, Poll, now_ms
from newsbeam.settings import credentials_for
from transforms.elements import DueFeed
from transforms.job import ROW_LIMIT, Job
from transforms.threadmap import ThreadMapFn

POLLS = "polls"
_log = logging.getLogger(__name__)


class PollFeeds(beam.PTransform):
    """PCollection of DueFeed -> rows of new and changed entries (main output), and `polls`, one Poll for each feed.

    Rows, poll and cursor are durable, in this order, before a row is emitted. At most half of ROW_LIMIT rows a bundle
    are emitted (under the job's lease); those of further feeds wait in the inbox.
    """

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def expand(self, feeds: beam.PCollection[DueFeed]) -> beam.pvalue.DoOutputsTuple:
        poll = beam.ParDo(_PollFn(self._job)).with_output_types(EntryRow, polls=Poll)
        return feeds | "Poll" >> poll.with_outputs(POLLS, main="rows")


class _PollFn(ThreadMapFn):
    def __init__(self, job: Job) -> None:
        super().__init__(job.settings.fetch.concurrency, job.settings.fetch.per_host, job.settings.round_seconds)
        self._job = job

    def start_bundle(self) -> None:
        super().start_bundle()
        self._emitted, self._lock = 0, threading.Lock()

    def host(self, element: DueFeed) -> str:
        return identity.host_of(element.feed.url)

    def give_back(self, element: DueFeed) -> list[Any]:
        return []  # nothing was taken; the feed stays due

    def work(self, element: DueFeed) -> list[Any]:
        job, store, (feed, tick) = self._job, self._job.store(), element
        claim = store.claim_feeds([feed.id], job.holder, now_ms(), job.lease_until()).get(feed.id)
        if claim is None:
            return []  # another job has it
        if not polling.is_due(claim.cursor, tick.at, force=tick.force):
            store.release_feed(feed.id, job.holder, claim.fence)  # another job has just polled it
            return []
        now = now_ms()
        polled = self._poll(feed, claim.cursor, tick.at, now)
        poll = polled.poll._replace(job=job.id, tick=job.tick)
        until = job.lease_until() if self._may_emit(len(polled.rows)) else 0
        rows = store.commit_poll(poll, polled.cursor, polled.rows, job.holder, claim.fence, until)
        return [*(rows if until else []), beam.pvalue.TaggedOutput(POLLS, poll)]

    def _poll(self, feed: Feed, cursor: Cursor, at: int, now: int) -> polling.Polled:
        settings, (fetcher, _) = self._job.settings, self._job.reader()

        def fetch(etag: str | None, last_modified: str | None) -> Any:
            credentials = credentials_for(feed)
            auth = credentials.header if credentials else None
            return fetcher.fetch(feed.url, kind="feed", etag=etag, last_modified=last_modified, auth=auth)

        def parse(body: bytes, url: str, content_type: str) -> Any:
            from newsbeam import work

            try:
                return self._job.pool().call_alone(
                    work.parse, body, url, content_type, now, seconds=settings.pool.item_seconds
                )
            except PoolError as death:
                raise FeedError("parse_timeout" if death.overran else "parse_died", death.detail) from death

        def poll(parse: Any) -> polling.Polled:
            return polling.poll_feed(feed, cursor, fetch=fetch, parse=parse, at=at, now=now)

        try:
            return poll(parse)
        except Exception as error:  # a defect of ours must cost one feed, on record, not the job
            _log.exception("polling %s", feed.id)
            defect = FeedError("internal_error", repr(error))

            def fail(*_: Any) -> Any:
                raise defect

            return polling.poll_feed(feed, cursor, fetch=fail, parse=fail, at=at, now=now)

    def _may_emit(self, count: int) -> bool:
        with self._lock:
            if self._emitted + count > ROW_LIMIT // 2:
                return False
            self._emitted += count
            return True


__all__ = ["POLLS", "PollFeeds"]
