"""The graph as a whole: its elements are rows of known types, and what a stage can't do is an output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam import coders
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from newsbeam.errors import StoreError
from newsbeam.records import now_ms
from newsbeam.settings import load_settings
from newsbeam.stores import Store, open_store
from pipelines import graph
from tests.contract.samples import ALICE, draft, poll, row
from transforms.elements import Draft, DueFeed, EntryRow, Failure, Poll, RowResult, Tick
from transforms.failures import WriteFailures
from transforms.job import Job, close_clients
from transforms.write import WriteArticles

OURS = (Tick, DueFeed, EntryRow, Draft, Failure, Poll, RowResult)


@pytest.fixture
def job(tmp_path: Path, repo: Path) -> Any:
    url = f"sqlite:///{tmp_path}/newsbeam.db"
    open_store(url, create=True).close()
    yield Job(load_settings(repo / "config", with_feeds=False), url, "job")
    close_clients()


def test_every_collection_has_one_of_our_types(job: Job) -> None:
    pipeline = beam.Pipeline(runner=FnApiRunner())
    graph.ingest(pipeline | beam.Create([Tick(1, 0)]), job)
    found = {}

    class Look(beam.pipeline.PipelineVisitor):
        def visit_transform(self, node: Any) -> None:
            label = node.full_label
            if not any(part in label for part in ("Create", "/Spread", "Impulse")) and "Spread" not in label:
                found.update({f"{label}.{tag}": out.element_type for tag, out in node.outputs.items()})

    pipeline.visit(Look())
    assert len(found) > 10
    assert {name: kind for name, kind in found.items() if kind not in OURS} == {}


def test_elements_survive_their_coder() -> None:
    made = draft(row("a"), title="Radar pact", topics=("nato",))
    coder = coders.registry.get_coder(Draft)
    assert isinstance(coder, coders.RowCoder)
    again = coder.decode(coder.encode(made))
    assert plain(again) == plain(made) and type(again.article) is type(made.article)


def plain(value: Any) -> Any:
    from newsbeam.records import to_plain

    return to_plain(value)


def run(job: Job, elements: list[Any], transform: beam.PTransform) -> None:
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        out = pipeline | beam.Create(elements) | transform
        if isinstance(out, beam.pvalue.DoOutputsTuple):
            out["failures"] | WriteFailures(job)


def taken(store: Store, job: Job, keys: str) -> list[EntryRow]:
    return poll(store, [row(key) for key in keys], holder=ALICE._replace(job=job.id))


def test_a_draft_that_cannot_be_written_costs_itself_alone(job: Job) -> None:
    store = job.store()
    good, bad, other = taken(store, job, "abc")
    poisoned = draft(bad)
    poisoned = poisoned._replace(article=poisoned.article._replace(timestamp="yesterday"))
    run(job, [draft(good), poisoned, draft(other)], WriteArticles(job))
    ledger = store.ledger()
    assert (ledger.new, ledger.failed, ledger.inbox) == (2, {"internal_error": 1}, 0)
    assert store.check() == []


@pytest.mark.parametrize(
    ("route", "tries", "busy", "waits"), [("later", 1, 0, True), ("busy", 0, 1, True), ("back", 0, 0, False)]
)
def test_what_is_put_off_stays_in_the_inbox(job: Job, route: str, tries: int, busy: int, waits: bool) -> None:
    store = job.store()
    (made,) = taken(store, job, "a")
    run(job, [Failure(made, "fetch", route, "timeout")], WriteFailures(job))
    now = now_ms()
    assert (store.ledger().inbox, bool(store.take_rows(ALICE, now, now + 1, 9))) == (1, not waits)
    (again,) = store.get_rows([made.id]).values()
    assert (again.tries, again.busy, again.deaths) == (tries, busy, 0)


def test_a_store_that_is_gone_ends_the_job_and_no_row(job: Job, tmp_path: Path) -> None:
    store = job.store()
    made = taken(store, job, "a")
    close_clients()
    (tmp_path / "newsbeam.db").rename(tmp_path / "elsewhere.db")
    with pytest.raises(StoreError), beam.Pipeline(runner=FnApiRunner()) as pipeline:
        graph.carry(pipeline | beam.Create(made), job)
    close_clients()
    (tmp_path / "elsewhere.db").rename(tmp_path / "newsbeam.db")
    ledger = job.store().ledger()
    assert (ledger.inbox, ledger.failed) == (1, {})
