"""TagTopics: the subjects of each article, with evidence."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import apache_beam as beam

from newsbeam import topics
from newsbeam.records import Draft, Failure
from transforms.failures import FAILURES
from transforms.job import Job


class TagTopics(beam.PTransform):
    """PCollection of Draft -> Draft with topics (main output), and `failures`."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def expand(self, drafts: beam.PCollection[Draft]) -> beam.pvalue.DoOutputsTuple:
        tag = beam.ParDo(_TagFn(self._job)).with_output_types(Draft, failures=Failure)
        return drafts | "Tag" >> tag.with_outputs(FAILURES, main="drafts")


class _TagFn(beam.DoFn):
    def __init__(self, job: Job) -> None:
        self._job = job

    def setup(self) -> None:
        self._rules = topics.load_topics(Path(self._job.settings.config_dir))

    def process(self, draft: Draft) -> Iterable[Draft | beam.pvalue.TaggedOutput]:
        article = draft.article
        try:
            details = topics.tag_topics(
                article.title, article.summary, article.body, article.entity_details, self._rules, article.language
            )
        except Exception as error:  # a defect of ours must cost one entry, on record, not the job
            yield beam.pvalue.TaggedOutput(
                FAILURES, Failure(draft.row, "topics", "never", "internal_error", repr(error))
            )
            return
        tagged = article._replace(topics=tuple(detail.id for detail in details), topic_details=tuple(details))
        yield draft._replace(article=tagged)
