"""WriteArticles: merges drafts into the store and ends their rows."""

from __future__ import annotations

from collections.abc import Iterable

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows

from newsbeam.records import Draft, RowResult, now_ms
from transforms.job import Job

BATCH = 100  # drafts a transaction; small, so that readers and other writers get their turn


class WriteArticles(beam.PTransform):
    """PCollection of Draft -> PCollection of RowResult, those that took effect.

    At least once: a row that runs again finds its change contained and reports what it did first.
    """

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def expand(self, drafts: beam.PCollection[Draft]) -> beam.PCollection[RowResult]:
        return drafts | "Write" >> beam.ParDo(_WriteFn(self._job)).with_output_types(RowResult)


class _WriteFn(beam.DoFn):
    def __init__(self, job: Job) -> None:
        self._job = job

    def start_bundle(self) -> None:
        self._batch: list[Draft] = []

    def process(self, draft: Draft) -> Iterable[RowResult]:
        self._batch.append(draft)
        if len(self._batch) >= BATCH:
            yield from self._write()

    def finish_bundle(self) -> Iterable[RowResult]:
        yield from map(GlobalWindows.windowed_value, self._write())

    def _write(self) -> list[RowResult]:
        batch, self._batch = self._batch, []
        return self._job.store().write_articles(batch, now_ms()) if batch else []
