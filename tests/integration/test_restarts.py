"""Faults of runners, processes, clocks and disks: cases 31 to 39 of the checklist (shared/notes, section 4.1).

Cases that others hold: 36 (a second writer) in tests/unit/test_sqlite.py (`..._too_long_...`, `..._short_wait_...`) and
tests/contract/test_store_processes.py; 37 (kill -9) there, and with whole jobs in test_killed.py; 38 (disk full) in
tests/unit/test_sqlite.py, its exit code here; 39 (hostile queries) in tests/contract/test_store_search.py. Of 33, pages
that hang are in test_poison.py, and drafts that can't be written in tests/beam/test_graph.py.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from newsbeam.feeds import parse_feed, select
from newsbeam.records import EntryRow, Feed, Poll, Source, from_iso, now_ms, to_document
from newsbeam.settings import load_settings
from newsbeam.stores import Store, open_store
from pipelines import graph
from pipelines.rounds import Rounds
from tests.integration.conftest import Newsbeam, balances
from tests.integration.test_bad_input import PAGE, item, rss
from tests.unit.loopback import Site
from transforms.annotate import AnnotateArticles
from transforms.elements import DueFeed, Tick
from transforms.fetch import FetchArticles
from transforms.job import Job, close_clients
from transforms.poll import PollFeeds

DAY = 86_400_000


@pytest.fixture
def site() -> Iterator[Site]:
    """A publisher with eight reports, two of them under one address, and one without a page."""
    with Site() as site:
        site.routes |= {f"/a/{number}": PAGE.format(f"Report {number}") for number in range(7)}
        entries = [item(f"Report {number}", site.url(f"/a/{number}"), guid=f"g-{number}") for number in range(7)]
        entries += [item("Report 6", site.url("/a/6?utm_source=x"), guid="g-6-again")]
        entries += [item("No page", site.url("/none"), text="The feed alone tells of this.")]
        site.routes["/feed"] = rss(*entries)
        yield site


@pytest.fixture
def new_job(tmp_path: Path, repo: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Job]]:
    """Makes a job on a store of its own."""
    monkeypatch.setenv("NEWSBEAM_ALLOW_NETWORKS", "127.0.0.0/8")

    def new_job(name: str) -> Job:
        url = f"sqlite:///{tmp_path / name}.db"
        open_store(url, create=True).close()
        return Job(load_settings(repo / "config", with_feeds=False), url, name)

    yield new_job
    close_clients()


def the_feed(site: Site) -> Feed:
    return Feed("f", site.url("/feed"), "F", Source("s", "S", site.host))


def polled(site: Site, job: Job) -> list[EntryRow]:
    """The rows of the publisher's feed, durable and held by the job."""
    feed, store, now = the_feed(site), job.store(), now_ms()
    claim = store.claim_feeds([feed.id], job.holder, now, job.lease_until())[feed.id]
    body = str(site.routes["/feed"]).encode()
    parsed = parse_feed(body, url=feed.url, content_type="", now=now)
    selection = select(parsed, feed, claim.cursor, now=now)
    poll = Poll(feed.id, 1, now, "ok", seen=selection.seen, new=len(selection.rows), job=job.id)
    cursor = selection.cursor._replace(poll=1)
    return store.commit_poll(poll, cursor, selection.rows, job.holder, claim.fence, job.lease_until())


def run(build: Callable[[Any], Any]) -> None:
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        build(pipeline)


def carry(rows: Sequence[EntryRow], job: Job) -> None:
    run(lambda pipeline: graph.carry(pipeline | beam.Create(list(rows)) | beam.Reshuffle(), job))


def kept(store: Store) -> dict[str, Any]:
    """All that a store has of articles and the ledger."""
    articles = {article.id: to_document(article, internal=True) for article in store.scan()}
    revisions = {article: [to_document(old) for old in store.revisions(article)] for article in articles}
    return {"articles": articles, "revisions": revisions, "ledger": store.ledger()._asdict()}


def content(store: Store) -> dict[str, Any]:
    """What a store has of articles, but for when it was read and written, and which entry came first."""
    times = ("observed_at", "indexed_at", "first_seen_at", "@timestamp", "feeds", "guid")
    found = {}
    for key, document in kept(store)["articles"].items():
        found[key] = {name: value for name, value in document.items() if name not in times}
        found[key]["refs"] = sorted((ref["id"], ref["key"], ref["row"]) for ref in document["feeds"])
    return found


def test_31_a_bundle_that_runs_again_changes_nothing(site: Site, new_job: Callable[[str], Job]) -> None:
    """Case 31, bundle re-execution: the runner does not know that the first try was complete."""
    job = new_job("job")
    rows = polled(site, job)
    carry(rows, job)
    before = kept(job.store())
    assert (before["ledger"]["new"], before["ledger"]["unchanged"], before["ledger"]["inbox"]) == (8, 1, 0)
    carry(rows, job)
    assert kept(job.store()) == before
    assert job.store().check() == []


def test_31_a_worker_that_fails_in_mid_batch_leaves_what_an_untroubled_one_does(
    site: Site, new_job: Callable[[str], Job]
) -> None:
    """Case 31, restart in mid-batch: a part of it is written, the rest read and lost; another worker does it all."""
    calm, job = new_job("calm"), new_job("job")
    carry(polled(site, calm), calm)
    rows = polled(site, job)
    carry(rows[:3], job)

    def fail(_: object) -> None:
        raise RuntimeError("the worker is gone")

    def lose(pipeline: Any) -> None:
        fetched = pipeline | beam.Create(rows[3:]) | FetchArticles(job)
        fetched["drafts"] | AnnotateArticles(job) | beam.Map(fail)

    with pytest.raises(Exception, match="the worker is gone"):
        run(lose)
    store = job.store()
    assert store.ledger().inbox == len(rows) - 3
    assert store.drop_dead(job.holder.host, lambda holder: False) == len(rows) - 3
    rounds = Rounds(job.settings, store)
    report = rounds.replay()
    assert report.balanced and report.ledger.inbox == 0
    assert content(store) == content(calm.store())
    assert store.check() == []


def test_32_rows_given_several_times_in_several_bundles_are_written_once(
    site: Site, new_job: Callable[[str], Job]
) -> None:
    """Case 32: duplicate input elements, within a bundle and across bundles and pipelines."""
    once, often = new_job("once"), new_job("often")
    carry(polled(site, once), once)
    rows = polled(site, often)
    carry([*rows, *rows[::-1], *rows], often)
    carry(rows[:4], often)
    assert content(often.store()) == content(once.store())
    ledger = often.store().ledger()
    assert (ledger.new, ledger.unchanged, ledger.revised, ledger.failed) == (8, 1, 0, {})
    assert ledger.balances() and often.store().check() == []


def test_32_a_feed_given_several_times_is_polled_once(site: Site, new_job: Callable[[str], Job]) -> None:
    """Case 32, for feeds: of three polls by the same tick one counts, whichever of them asked the publisher."""
    job = new_job("job")
    due = [DueFeed(the_feed(site), Tick(1, now_ms()))] * 3
    run(lambda pipeline: pipeline | beam.Create(due) | beam.Reshuffle() | PollFeeds(job))
    status, ledger = job.store().status(), job.store().ledger()
    assert (status.polls, status.rows, ledger.seen, ledger.inbox) == (1, 9, 9, 9)


def test_33_an_entry_that_raises_is_one_failure_and_can_be_replayed(
    site: Site, newsbeam: Newsbeam, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 33: a defect of ours that one entry meets. It is on record once, and the job completes."""
    from transforms import fetch

    (tmp_path / "feeds.yaml").write_text(f"feeds: [{{url: '{site.url('/feed')}', id: f}}]")
    read = fetch.read_article

    def poisoned(row: EntryRow, *args: Any, **kwargs: Any) -> Any:
        if row.entry.guid == "g-2":
            raise ZeroDivisionError("poison")
        return read(row, *args, **kwargs)

    monkeypatch.setattr(fetch, "read_article", poisoned)
    for number in (1, 2):
        ran = newsbeam("ingest", "--feeds", tmp_path / "feeds.yaml", "--now", "--json")
        assert ran.code == 0 and balances(ran.document) and ran.document["inbox"] == 0
        failed = newsbeam("failures", "list", "--json").documents
        assert [(row["reason"], row["title"]) for row in failed] == [("internal_error", "Report 2")], number
    assert len(newsbeam("export").documents) == 7

    monkeypatch.undo()
    monkeypatch.setenv("NEWSBEAM_STORE", f"sqlite:///{tmp_path / 'newsbeam.db'}")
    monkeypatch.setenv("NEWSBEAM_ALLOW_NETWORKS", "127.0.0.0/8")
    replayed = newsbeam("failures", "replay", "--all", "--json").document
    assert replayed["outcomes"]["new"] == 1
    assert newsbeam("failures", "list", "--json").documents == []
    assert len(newsbeam("export").documents) == 8 and newsbeam("store", "check").code == 0


def test_33_a_feed_that_raises_is_one_failure(
    site: Site, newsbeam: Newsbeam, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 33, for feeds: the poll failed with its reason, and the other feeds are read."""
    from newsbeam import polling

    site.routes["/poison"] = rss(item("Poison", guid="poison"))
    feeds = [f"{{url: '{site.url(path)}', id: {path[1:]}}}" for path in ("/feed", "/poison")]
    (tmp_path / "feeds.yaml").write_text(f"feeds: [{', '.join(feeds)}]")

    def poisoned(parsed: Any, feed: Feed, *args: Any, **kwargs: Any) -> Any:
        if feed.id == "poison":
            raise ZeroDivisionError("poison")
        return select(parsed, feed, *args, **kwargs)

    monkeypatch.setattr(polling, "select", poisoned)
    ran = newsbeam("ingest", "--feeds", tmp_path / "feeds.yaml", "--now", "--json")
    assert ran.code == 0 and balances(ran.document)
    assert ran.document["feed_failures"] == {"internal_error": 1} and ran.document["outcomes"]["new"] == 8


@pytest.mark.slow
def test_34_a_feed_of_100000_items_takes_no_more_memory_than_others(newsbeam: Newsbeam, tmp_path: Path) -> None:
    """Case 34: 2,000 of them are read and 98,000 counted; the whole job stays within 150 MB of one of a single item."""
    most = {}
    for count in (1, 100_000):
        items = (f"<item><title>Report {n}</title><guid>g-{n}</guid><link>/a/{n}</link></item>" for n in range(count))
        with Site({"/feed": rss(*items)}) as site:
            file = tmp_path / f"{count}.yaml"
            file.write_text(f"feeds: [{{url: '{site.url('/feed')}', id: f{count}, full_text: false}}]")
            most[count] = peak_memory("ingest", "--now", "--feeds", file, store=tmp_path / f"{count}.db")
            ledger = newsbeam("store", "status", "--json", "--store", f"sqlite:///{tmp_path / f'{count}.db'}").document[
                "ledger"
            ]
            read = min(count, 2_000)
            assert (ledger["seen"], ledger["new"], ledger["inbox"]) == (count, read, 0)
            assert ledger["skipped"] == ({"over the cap": count - read} if count > read else {})
    print({count: f"{kilobytes // 1024} MB" for count, kilobytes in most.items()})
    assert most[100_000] < most[1] + 150 * 1024


def peak_memory(*arguments: object, store: Path) -> int:
    """Kilobytes that the largest process of a command needed."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from pipelines.cli import main; main()", *map(str, arguments)],
        env=os.environ | {"NEWSBEAM_STORE": f"sqlite:///{store}", "NEWSBEAM_ALLOW_NETWORKS": "127.0.0.0/8"},
        cwd=Path(__file__).parents[2],
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return int(used.ru_maxrss)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The clock of this process, as newsbeam reads it (`records.now_ms` alone does); `ahead` of the real one, in ms."""
    import time

    clock = SimpleNamespace(ahead=0, time_ns=lambda: time.time_ns() + clock.ahead * 1_000_000)
    monkeypatch.setattr("newsbeam.records.time", clock)
    return clock


def test_35_clocks_that_jump_lose_nothing(newsbeam: Newsbeam, tmp_path: Path, clock: SimpleNamespace) -> None:
    """Case 35: set back two days, on ten, back thirty, between rounds. Each change is a revision, in its order, and
    dates that are absurd by the clock are put aside until they are not."""
    start = now_ms()

    def rfc822(days: float) -> str:
        from email.utils import formatdate

        return formatdate((start + days * DAY) / 1000, usegmt=True)

    def report() -> dict[str, Any]:
        return next(document for document in newsbeam("export").documents if document["title"] == "Changing")

    with Site() as site:
        (tmp_path / "feeds.yaml").write_text(f"feeds: [{{url: '{site.url('/feed')}', id: f, full_text: false}}]")
        versions = []
        for number, jump in enumerate((0, -2, 10, -30, 0)):
            clock.ahead += jump * DAY
            site.routes["/feed"] = rss(
                item("Changing", guid="a", date=rfc822(-60), text=f"What is said the {number}th time."),
                item("Tomorrow", guid="b", date=rfc822(1)),
                item("Next week", guid="c", date=rfc822(5)),
            )
            ran = newsbeam("ingest", "--feeds", tmp_path / "feeds.yaml", "--now", "--json")
            line = ran.document
            assert ran.code == 0 and balances(line) and line["feeds"] == 1 and line["inbox"] == 0, (number, line)
            assert line["outcomes"]["new"] == (3 if number == 0 else 0)
            assert line["outcomes"]["revised"] == (0 if number == 0 else 1), (number, line)
            versions.append(report()["version"])
            dates = {document["title"]: document["published_at"] for document in newsbeam("export").documents}
            assert dates["Tomorrow"] is not None  # once known, it stays
            assert (dates["Next week"] is not None) == (number >= 2), number
        assert versions == sorted(set(versions))
        history = newsbeam("show", report()["id"], "--revisions", "--json").documents
        assert [document["revision"] for document in history] == [1, 2, 3, 4, 5]
        observed = [from_iso(document["observed_at"]) for document in history]
        assert observed == sorted(set(observed))
        assert report()["summary"] == "What is said the 4th time."

        again = newsbeam("ingest", "--feeds", tmp_path / "feeds.yaml", "--json").document
        assert again["feeds"] == 0  # the schedule goes by the clock as it is now
        assert newsbeam("store", "check").code == 0


def test_38_a_full_disk_ends_the_run_with_an_exit_code(newsbeam: Newsbeam, site: Site, tmp_path: Path) -> None:
    """Case 38: exit code 3 and one line; the store stays readable, and the next run has all that this one lost."""
    file = tmp_path / "feeds.yaml"
    file.write_text(f"feeds: [{{url: '{site.url('/feed')}', id: f}}]")
    arguments = ("ingest", "--feeds", file, "--now", "--json")
    feed, site.routes["/feed"] = site.routes["/feed"], rss()
    assert newsbeam(*arguments).code == 0
    site.routes["/feed"] = feed

    with no_file_beyond((tmp_path / "newsbeam.db").stat().st_size + 16_384):
        full = newsbeam(*arguments)
    assert full.code == 3 and full.out == "", full
    assert [line[:9] for line in full.err.splitlines()] == ["newsbeam:"], full.err
    assert newsbeam("store", "check").code == 0
    assert newsbeam("search", "report", "--json").code == 0
    assert newsbeam(*arguments).code == 0 and len(newsbeam("export").documents) == 8
    assert newsbeam("store", "check").code == 0


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """As if the disk were full: no file of this process grows beyond some bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
