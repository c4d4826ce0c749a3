"""WriteArticles: merges drafts into the store and ends their rows."""

from __future__ import annotations

import logging
from typing import Any

import apache_beam as beam

from newsbeam.errors import StoreError
from newsbeam.records import Draft, Failure, RowResult, now_ms
from transforms.batches import BatchFn
from transforms.failures import FAILURES
from transforms.job import Job

BATCH = 100  # drafts a transaction; small, so that readers and other writers get their turn
_log = logging.getLogger(__name__)


class WriteArticles(beam.PTransform):
    """PCollection of Draft -> RowResult, those that took effect (main output), and `failures`: what can't be written.

    At least once: a row that runs again finds its change contained and reports what it did first.
    """

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def expand(self, drafts: beam.PCollection[Draft]) -> beam.pvalue.DoOutputsTuple:
        write = beam.ParDo(_WriteFn(self._job)).with_output_types(RowResult, failures=Failure)
        return drafts | "Write" >> write.with_outputs(FAILURES, main="results")


class _WriteFn(BatchFn):
    def __init__(self, job: Job) -> None:
        super().__init__(BATCH)
        self._job = job

    def work(self, batch: list[Draft]) -> list[Any]:
        store = self._job.store()
        try:
            return list(store.write_articles(batch, now_ms()))
        except StoreError:
            raise  # the job ends; its rows are due again
        except Exception as error:  # a draft that none can write must not hold up the others
            if len(batch) > 1:
                _log.warning("writing %d articles one by one, since together: %r", len(batch), error)
                return [output for draft in batch for output in self.work([draft])]
            failure = Failure(batch[0].row, "write", "never", "internal_error", repr(error))
            return [beam.pvalue.TaggedOutput(FAILURES, failure)]
