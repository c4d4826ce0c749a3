"""AnnotateArticles: language and entities, in the process pool, in batches through `nlp.pipe`."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import apache_beam as beam

from newsbeam import work
from newsbeam.pool import PoolError, PoolStoppedError
from newsbeam.records import Draft, Failure
from transforms.failures import FAILURES
from transforms.job import Job
from transforms.threadmap import ThreadMapFn

_log = logging.getLogger(__name__)
BATCH_CHARS = 200_000  # of a batch: a model takes some kilobytes of memory for each hundred characters
_NO_DEADLINE = 1e9  # what was read is annotated, however late: it takes milliseconds each


class AnnotateArticles(beam.PTransform):
    """PCollection of Draft -> Draft with language and entities (main output), and `failures`.

    Where a batch's process dies or overruns, each of its items runs alone; the third death alone is a failure.
    """

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def expand(self, drafts: beam.PCollection[Draft]) -> beam.pvalue.DoOutputsTuple:
        annotate = beam.ParDo(_AnnotateFn(self._job)).with_output_types(Draft, failures=Failure)
        return drafts | "Annotate" >> annotate.with_outputs(FAILURES, main="drafts")


class _AnnotateFn(ThreadMapFn):
    def __init__(self, job: Job) -> None:
        processes = job.settings.pool.count()
        super().__init__(processes, processes, _NO_DEADLINE)
        self._job = job

    def start_bundle(self) -> None:
        super().start_bundle()
        self._batch: list[Draft] = []
        self._chars = 0
        self._place: tuple[Any, ...] = ()

    def process(
        self, element: Draft, timestamp: Any = beam.DoFn.TimestampParam, window: Any = beam.DoFn.WindowParam
    ) -> Iterable[Any]:
        self._batch.append(element)
        self._chars += len(element.article.body)
        self._place = (timestamp, window)
        if len(self._batch) >= self._job.settings.pool.batch or self._chars >= BATCH_CHARS:
            yield from super().process(self._take(), *self._place)

    def finish_bundle(self) -> Iterable[Any]:
        if self._batch:
            yield from super().process(self._take(), *self._place)
        yield from super().finish_bundle()

    def _take(self) -> list[Draft]:
        batch, self._batch, self._chars = self._batch, [], 0
        return batch

    def host(self, element: list[Draft]) -> str:
        return ""

    def work(self, element: list[Draft]) -> list[Any]:
        pool, seconds = self._job.pool(), self._job.settings.pool.item_seconds
        texts = [(draft.article.title, draft.article.summary, draft.article.body, _hint(draft)) for draft in element]
        try:
            annotations = pool.call(work.annotate, texts, seconds=seconds)
        except PoolStoppedError:
            raise  # the job ends; its rows are due again
        except Exception as error:  # a death, or a defect that one of them meets: find out which
            _log.warning("annotating %d articles one by one, since together: %r", len(element), error)
            return [self._annotate_alone(draft, text, seconds) for draft, text in zip(element, texts, strict=True)]
        return [_annotated(draft, annotation) for draft, annotation in zip(element, annotations, strict=True)]

    def _annotate_alone(self, draft: Draft, text: Any, seconds: float) -> Any:
        try:
            (annotation,) = self._job.pool().call_alone(work.annotate, [text], seconds=seconds)
            return _annotated(draft, annotation)
        except PoolError as death:
            reason, detail = "annotate_timeout" if death.overran else "annotate_died", death.detail
        except PoolStoppedError:
            raise
        except Exception as error:
            reason, detail = "internal_error", repr(error)
        return beam.pvalue.TaggedOutput(FAILURES, Failure(draft.row, "annotate", "never", reason, detail))


def _hint(draft: Draft) -> str | None:
    return draft.article.language


def _annotated(draft: Draft, annotation: work.Annotation) -> Draft:
    return draft._replace(article=work.annotated(draft.article, annotation))
