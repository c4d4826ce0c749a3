"""FindDue: what is to be done now, feeds to poll and rows to take up."""

from __future__ import annotations

from collections.abc import Iterable

import apache_beam as beam

from newsbeam.polling import is_due
from newsbeam.records import now_ms
from transforms.elements import DueFeed, EntryRow, Tick
from transforms.job import ROW_LIMIT, Job

FEEDS = "feeds"


class FindDue(beam.PTransform):
    """PCollection of Tick -> the due rows (main output), taken under the job's lease, and `feeds`, the due feeds.

    A late tick judges what is due by its own time or the clock, whichever is later.
    """

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def expand(self, ticks: beam.PCollection[Tick]) -> beam.pvalue.DoOutputsTuple:
        find = beam.ParDo(_FindDueFn(self._job)).with_output_types(EntryRow, feeds=DueFeed)
        return ticks | "FindDue" >> find.with_outputs(FEEDS, main="rows")


class _FindDueFn(beam.DoFn):
    def __init__(self, job: Job) -> None:
        self._job = job

    def process(self, tick: Tick) -> Iterable[EntryRow | beam.pvalue.TaggedOutput]:
        store, now = self._job.store(), now_ms()
        feeds = [feed for feed in self._job.settings.feeds if feed.enabled]
        cursors = store.cursors([feed.id for feed in feeds])
        for feed in feeds:
            if is_due(cursors.get(feed.id), tick.at, force=tick.force):
                yield beam.pvalue.TaggedOutput(FEEDS, DueFeed(feed, tick))
        yield from store.take_rows(self._job.holder, now, self._job.lease_until(), ROW_LIMIT // 2)


__all__ = ["FEEDS", "FindDue"]
