"""FetchArticles: reads the page behind each row, side by side; HTML stays inside."""

from __future__ import annotations

import logging
from typing import Any

import apache_beam as beam

from newsbeam import identity
from newsbeam.errors import StoreError
from newsbeam.pool import PoolStoppedError
from newsbeam.reading import Tools, read_article
from newsbeam.records import Draft, EntryRow, Failure, from_iso, now_ms
from transforms.failures import FAILURES
from transforms.job import Job
from transforms.threadmap import ThreadMapFn

_log = logging.getLogger(__name__)


class FetchArticles(beam.PTransform):
    """PCollection of EntryRow -> Draft (main output) and `failures`: rows without text, or not reached in time."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def expand(self, rows: beam.PCollection[EntryRow]) -> beam.pvalue.DoOutputsTuple:
        fetch = beam.ParDo(_FetchFn(self._job)).with_output_types(Draft, failures=Failure)
        return rows | "Fetch" >> fetch.with_outputs(FAILURES, main="drafts")


class _FetchFn(ThreadMapFn):
    def __init__(self, job: Job) -> None:
        super().__init__(job.settings.fetch.concurrency, job.settings.fetch.per_host, job.settings.round_seconds)
        self._job = job

    def host(self, element: EntryRow) -> str:
        if element.entry.html or element.kind == "backfill":
            return element.id  # no host is asked
        return identity.host_of(element.entry.link)

    def give_back(self, element: EntryRow) -> list[Any]:
        return [_failed(Failure(element, "fetch", "back", "deadline"))]

    def work(self, element: EntryRow) -> list[Any]:
        row = self._with_article(element)
        read_at = self._read_at(row)
        try:
            result = read_article(row, self._tools(), read_at=read_at)
        except (StoreError, PoolStoppedError):
            raise  # the job ends; its rows are due again
        except Exception as error:  # a defect of ours must cost one entry, on record, not the job
            _log.exception("reading %s", element.id)
            result = Failure(row, "fetch", "never", "internal_error", repr(error))
        return [result] if isinstance(result, Draft) else [_failed(result)]

    def _with_article(self, row: EntryRow) -> EntryRow:
        """The row with the article that an earlier row of its entry wrote."""
        if row.article_id or not row.previous:
            return row
        previous = self._job.store().get_rows([row.previous]).get(row.previous)
        return row._replace(article_id=previous.article_id) if previous else row

    def _read_at(self, row: EntryRow) -> int:
        """Now, and later than what the store has: a clock set back must not make a new reading look old."""
        guess = row.article_id or identity.url_id(row.entry.link)
        stored = self._job.store().get_articles([guess]).get(guess)
        return max(now_ms(), from_iso(stored.observed_at) + 1) if stored else now_ms()

    def _tools(self) -> Tools:
        from newsbeam import work

        fetcher, robots = self._job.reader()
        pool, seconds = self._job.pool(), self._job.settings.pool.item_seconds
        return Tools(
            fetch_page=lambda url: fetcher.fetch(url, kind="page", allowed=robots.allowed),
            extract=lambda *args: pool.call_alone(work.extract, *args, seconds=seconds),
            clean=lambda *args: pool.call_alone(work.clean, *args, seconds=seconds),
        )


def _failed(failure: Failure) -> beam.pvalue.TaggedOutput:
    return beam.pvalue.TaggedOutput(FAILURES, failure)
