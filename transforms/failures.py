"""WriteFailures: puts on record what a stage could not carry on, or puts it off."""

from __future__ import annotations

import apache_beam as beam

from newsbeam import schedule
from newsbeam.records import Failure, RowResult, now_ms
from transforms.batches import BatchFn
from transforms.job import Job

FAILURES = "failures"
BATCH = 100  # failures a transaction
BUSY_SECONDS = 60.0  # until a host that said "not now" without a time is asked again


class WriteFailures(beam.PTransform):
    """PCollection of Failure -> PCollection of RowResult, those that took effect.

    Routes: never (the row ends as failed and keeps its bytes), later (tried again with growing waits), busy (soon, on
    the host's own terms), back (at once: its round had no time left).
    """

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def expand(self, failures: beam.PCollection[Failure]) -> beam.PCollection[RowResult]:
        return failures | "WriteFailure" >> beam.ParDo(_WriteFailureFn(self._job)).with_output_types(RowResult)


class _WriteFailureFn(BatchFn):
    def __init__(self, job: Job) -> None:
        super().__init__(BATCH)
        self._job = job

    def work(self, batch: list[Failure]) -> list[RowResult]:
        now = now_ms()
        return self._job.store().finish_rows([to_result(failure, self._job, now) for failure in batch])


def to_result(failure: Failure, job: Job, now: int) -> RowResult:
    """What becomes of a row by its failure's route."""
    row = failure.row
    result = RowResult(
        row.id,
        row.fence,
        reason=failure.reason,
        detail=f"{failure.stage}: {failure.detail}"[:1000],
        article_id=row.article_id,
        job=job.id,
        tick=job.tick,
    )
    if failure.route == "never":
        return result._replace(outcome="failed")
    if failure.route == "later":
        due_at = schedule.retry_at(row.tries, now, failure.retry_after)
    elif failure.route == "busy":
        due_at = now + int(1000 * max(failure.retry_after or BUSY_SECONDS, 1))
    else:
        due_at = now
    return result._replace(route=failure.route, due_at=due_at)
