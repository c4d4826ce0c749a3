"""Two real processes on one store at once, and one that is killed in the middle."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from newsbeam.records import Cursor, Holder, Poll
from newsbeam.stores import Store, open_store
from newsbeam.stores.base import Patch
from tests.contract.samples import DAY, NOW, draft, feed, row

ROUNDS, SHARED = 12, 6
FAR = NOW + 30 * DAY
ROOT = Path(__file__).resolve().parents[2]


def writer(url: str, name: str, start: Any) -> None:
    """Polls a feed of its own whose entries lead to the other writer's articles too, and change each round."""
    store, of = open_store(url), feed(f"feed-{name}")
    holder = Holder(f"job-{name}", "host-1", os.getpid(), 1)
    start.wait(60)
    for number in range(1, ROUNDS + 1):
        claim = store.claim_feeds([of.id], holder, NOW, FAR)[of.id]
        rows = [row(f"shared-{key}", of=of, poll=number, change=number) for key in range(SHARED)]
        rows += [row(f"own-{name}-{number}", of=of, poll=number, link=f"https://daily.example/{name}/{number}")]
        record = Poll(of.id, number, NOW, "ok", seen=len(rows), new=len(rows), job=holder.job)
        made = store.commit_poll(record, Cursor(of.id, number), rows, holder, claim.fence, FAR)
        assert len(made) == len(rows)
        # Bodies differ between writers and rounds, so that each write that comes later is a revision.
        drafts = [draft(item, body=f"{name} {number}", read_at=NOW + 1000 * number) for item in made]
        assert len(store.write_articles(drafts, NOW)) == len(drafts)
        store.patch_articles([Patch(given.article.id, {"copy_of": f"{name}-{number}"}) for given in drafts], NOW)
    store.close()


def test_two_processes_that_write_the_same_articles_lose_nothing(store: Store) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(3)
    processes = [context.Process(target=writer, args=(store.url, name, start)) for name in ("a", "b")]
    for process in processes:
        process.start()
    versions: dict[str, int] = {}
    ids = [draft(row(f"shared-{key}")).article.id for key in range(SHARED)]
    start.wait(60)
    while any(process.is_alive() for process in processes):
        for article in store.get_articles(ids).values():
            assert article.version >= versions.get(article.id, 0), "a version never goes back"
            versions[article.id] = article.version
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    ledger = store.ledger()
    rows = 2 * ROUNDS * (SHARED + 1)
    assert (ledger.seen, ledger.inbox, ledger.failed, ledger.skipped) == (rows, 0, {}, {})
    assert ledger.new == SHARED + 2 * ROUNDS
    assert ledger.new + ledger.revised + ledger.unchanged == rows
    for article in store.get_articles(ids).values():
        former = store.revisions(article.id)
        assert [kept.revision for kept in former] == list(range(1, article.revision))
        assert article.version == 4 * ROUNDS, "each of the writes and of the patches is a version of its own"
        assert {(ref.id, ref.poll) for ref in article.feeds} == {("feed-a", ROUNDS), ("feed-b", ROUNDS)}
    assert store.check() == []


def maker(url: str, start: Any) -> None:
    start.wait(60)
    open_store(url, create=True).close()


def test_processes_that_make_a_store_at_once_make_one(engine: Any) -> None:
    url, context = engine.new_url(), multiprocessing.get_context("spawn")
    start = context.Barrier(3)
    processes = [context.Process(target=maker, args=(url, start)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    store = open_store(url)
    assert store.check() == []
    store.close()


def taker(url: str, number: int, start: Any, results: Any) -> None:
    store = open_store(url)
    start.wait(60)
    holder, taken = Holder("job", "host-1", number, 1), []
    while rows := store.take_rows(holder, NOW, FAR, 3):
        taken += [item.id for item in rows]
    results.put(taken)
    store.close()


def test_a_row_is_taken_by_one_process_alone(store: Store) -> None:
    claim = store.claim_feeds(["feed-a"], Holder("job", "host-1", 1, 1), NOW, FAR)["feed-a"]
    rows = [row(f"{number}") for number in range(60)]
    record = Poll("feed-a", 1, NOW, "ok", seen=60, new=60)
    store.commit_poll(record, Cursor("feed-a", 1), rows, Holder("job", "host-1", 1, 1), claim.fence, NOW)
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(2), context.Queue()
    processes = [context.Process(target=taker, args=(store.url, number, start, results)) for number in (1, 2)]
    for process in processes:
        process.start()
    taken = [row_id for _ in processes for row_id in results.get(timeout=60)]
    for process in processes:
        process.join(60)
    assert sorted(taken) == sorted(item.id for item in rows)


def test_many_threads_share_one_client(store: Store) -> None:
    def work(number: int) -> int:
        of, holder = feed(f"feed-{number}"), Holder("job", "host-1", 1, 1)
        claim = store.claim_feeds([of.id], holder, NOW, FAR)[of.id]
        rows = [row(f"{key}", of=of) for key in range(3)]
        record = Poll(of.id, 1, NOW, "ok", seen=3, new=3)
        made = store.commit_poll(record, Cursor(of.id, 1), rows, holder, claim.fence, FAR)
        return len(store.write_articles([draft(item) for item in made], NOW))

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(work, range(16))) == 48
    assert (store.ledger().seen, store.ledger().new) == (48, 3)
    assert store.check() == []


KILLED = """
import sys
from tests.contract.test_store_processes import endless
endless(sys.argv[1], int(sys.argv[2]))
"""


def endless(url: str, number: int) -> None:
    """Writes for ever; says on stdout what was committed, and is killed."""
    store, of = open_store(url), feed(f"feed-{number}")
    holder = Holder("job", "host-1", os.getpid(), 1)
    while True:
        number = store.cursors([of.id]).get(of.id, Cursor(of.id)).poll + 1
        claim = store.claim_feeds([of.id], holder, NOW, FAR)[of.id]
        rows = [row(f"{number}-{key}", of=of, poll=number) for key in range(20)]
        record = Poll(of.id, number, NOW, "ok", seen=len(rows), new=len(rows))
        made = store.commit_poll(record, Cursor(of.id, number), rows, holder, claim.fence, FAR)
        print("polled", number, flush=True)
        store.write_articles([draft(item, body="word " * 500) for item in made], NOW)
        print("written", number, flush=True)


@pytest.mark.parametrize("lines", [1, 2, 5, 8])
def test_what_was_committed_survives_a_kill(store: Store, new_store: Callable[[], Store], lines: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, store.url, str(lines)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout
    said = [process.stdout.readline().split() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)  # in the middle of what comes after the last line
    said += [line.split() for line in process.stdout.read().splitlines() if len(line.split()) == 2]
    process.stdout.close()
    process.wait(60)
    client = open_store(store.url)
    assert client.check() == []
    ledger, of = client.ledger(), f"feed-{lines}"
    polled, written = (sum(what == word for what, _ in said) for word in ("polled", "written"))
    assert polled * 20 <= ledger.seen <= (polled + 1) * 20
    assert written * 20 <= ledger.new <= (written + 1) * 20
    assert ledger.new % 20 == 0 and ledger.seen == ledger.new + ledger.inbox, "batches are whole or not there"
    assert client.cursors([of])[of].poll * 20 == ledger.seen
    assert client.drop_dead("host-1", lambda holder: False) >= ledger.inbox
    taken = client.take_rows(Holder("next", "host-1", 1, 1), FAR, FAR + 1, 1000)
    assert (len(taken), {item.deaths for item in taken}) == (ledger.inbox, {1} if ledger.inbox else set())
    assert len(client.write_articles([draft(item) for item in taken], NOW)) == ledger.inbox
    assert client.ledger().new == ledger.seen
    assert client.check() == []
    client.close()
