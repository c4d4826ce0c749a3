"""The graph, the only place that puts the transforms together.

    ticks -> FindDue -> feeds -> PollFeeds -> rows --+
                   \\-> due rows --------------------+-> FetchArticles -> AnnotateArticles -> TagTopics -> WriteArticles
                                                        each stage's failures -> WriteFailures

Everything that must outlive a process is in the store before it flows on, so a graph that dies loses nothing: what
it had taken is due again when its leases run out, or at the next start on its host.
"""

from __future__ import annotations

import apache_beam as beam

from transforms.annotate import AnnotateArticles
from transforms.due import FEEDS, FindDue
from transforms.elements import EntryRow, RowResult, Tick
from transforms.failures import FAILURES, WriteFailures
from transforms.fetch import FetchArticles
from transforms.job import Job
from transforms.poll import PollFeeds
from transforms.topics import TagTopics
from transforms.write import WriteArticles


def ingest(ticks: beam.PCollection[Tick], job: Job) -> beam.PCollection[RowResult]:
    """Polls what is due and carries every due row to its outcome."""
    due = ticks | "FindDue" >> FindDue(job)
    # Apart from each other and from the tick: without it Flink runs all of it in one subtask.
    feeds = due[FEEDS] | "SpreadFeeds" >> beam.Reshuffle()
    taken = due["rows"] | "SpreadRows" >> beam.Reshuffle()
    polled = feeds | "PollFeeds" >> PollFeeds(job)
    return carry((polled["rows"], taken) | "Rows" >> beam.Flatten(), job)


def carry(rows: beam.PCollection[EntryRow], job: Job) -> beam.PCollection[RowResult]:
    """Carries entry rows to their outcome: the part that polling and backfill share."""
    fetched = rows | "FetchArticles" >> FetchArticles(job)
    annotated = fetched["drafts"] | "AnnotateArticles" >> AnnotateArticles(job)
    tagged = annotated["drafts"] | "TagTopics" >> TagTopics(job)
    written = tagged["drafts"] | "WriteArticles" >> WriteArticles(job)
    stages = (fetched, annotated, tagged, written)
    failures = [stage[FAILURES] for stage in stages] | "Failures" >> beam.Flatten()
    failed = failures | "WriteFailures" >> WriteFailures(job)
    return (written["results"], failed) | "Results" >> beam.Flatten()
