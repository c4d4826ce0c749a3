"""The ledger: every entry seen ends in exactly one place, whatever happens in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsbeam.records import Cursor, EntryRow, Holder, Poll, RowResult
from newsbeam.stores import Store
from newsbeam.stores.base import Ledger
from tests.contract.samples import ALICE, BOB, DAY, MINUTE, NOW, UNTIL, draft, feed, poll, row


def ended(ledger: Ledger) -> int:
    sums = sum(ledger.skipped.values()) + sum(ledger.failed.values())
    return ledger.new + ledger.revised + ledger.unchanged + sums


def test_an_empty_store_has_an_empty_ledger(store: Store) -> None:
    assert store.ledger() == Ledger()
    assert store.ledger("no such job") == Ledger()
    assert store.check() == []


def test_polls_and_rows_are_added_up_by_reason(store: Store) -> None:
    made = poll(store, [row(key) for key in "abcdef"], unchanged=4, skipped={"duplicate": 2, "no_content": 1})
    store.write_articles([draft(made[0])], NOW)
    store.finish_rows(
        [
            RowResult(made[1].id, 1, "skipped", "no_content", labels=("date absurd",)),
            RowResult(made[2].id, 1, "failed", "timeout", labels=("date absurd", "x")),
            RowResult(made[3].id, 1, "failed", "timeout"),
            RowResult(made[4].id, 1, "unchanged"),
        ]
    )
    expected = Ledger(
        feeds=1, seen=13, new=1, unchanged=5, skipped={"duplicate": 2, "no_content": 2}, failed={"timeout": 2},
        labels={"date absurd": 2, "x": 1}, inbox=1,
    )  # fmt: skip
    assert store.ledger() == expected
    assert store.ledger(ALICE.job, ALICE.tick) == expected


def test_polls_that_failed_are_counted_by_reason(store: Store) -> None:
    for number, reason in enumerate(("timeout", "http_404", "timeout"), 1):
        fence = store.claim_feeds([f"feed-{number}"], ALICE, NOW, UNTIL)[f"feed-{number}"].fence
        record = Poll(f"feed-{number}", number, NOW, "failed", reason, "why", 404, job=ALICE.job)
        store.commit_poll(record, Cursor(f"feed-{number}", number), [], ALICE, fence, UNTIL)
    ledger = store.ledger()
    assert (ledger.feeds, dict(ledger.feed_failures)) == (3, {"timeout": 2, "http_404": 1})
    assert ledger.seen == 0


def test_a_feed_polled_twice_is_one_feed(store: Store) -> None:
    poll(store, [])
    poll(store, [], number=2)
    assert store.ledger().feeds == 1


def test_what_waits_is_told_apart_from_what_is_due(store: Store) -> None:
    soon, late = NOW + DAY, NOW + 2 * DAY
    made = poll(store, [row("a"), row("b"), row("c"), row("d")])
    store.finish_rows(
        [
            RowResult(made[0].id, 1, route="later", due_at=late),
            RowResult(made[1].id, 1, route="busy", due_at=soon),
            RowResult(made[2].id, 1, route="busy", due_at=NOW - 1),
        ]
    )
    ledger = store.ledger()
    assert (ledger.inbox, ledger.waiting, ledger.next_due_at) == (4, 2, soon)
    assert store.ledger("another job") == Ledger(inbox=4, waiting=2, next_due_at=soon), "of the whole store"


def test_a_job_and_a_tick_have_their_own_accounts(store: Store) -> None:
    later = ALICE._replace(tick=2)
    (a,) = poll(store, [row("a")], until=NOW, unchanged=1)
    (b,) = poll(store, [row("b", of=feed("feed-b"))], of=feed("feed-b"), holder=later)
    (c,) = poll(store, [row("c", of=feed("feed-c"))], of=feed("feed-c"), holder=BOB)
    (a,) = store.take_rows(BOB, NOW, UNTIL, 1)
    store.write_articles([draft(a), draft(b)], NOW)
    store.finish_rows([RowResult(c.id, c.fence, "failed", "x", job=ALICE.job, tick=7)])
    by_job = {job: store.ledger(job) for job in (ALICE.job, BOB.job)}
    assert (by_job[ALICE.job].seen, by_job[ALICE.job].new, by_job[ALICE.job].unchanged) == (3, 1, 1)
    assert by_job[ALICE.job].failed == {"x": 1}, "the result names its job"
    assert (by_job[BOB.job].seen, by_job[BOB.job].new) == (1, 1), "a row counts for who completed it"
    assert (store.ledger(ALICE.job, 1).seen, store.ledger(ALICE.job, 1).new) == (2, 0)
    assert (store.ledger(ALICE.job, 2).seen, store.ledger(ALICE.job, 2).new) == (1, 1)
    assert store.ledger(ALICE.job, 7).failed == {"x": 1}
    assert store.ledger().seen == ended(store.ledger()) == 4


def test_results_without_a_job_count_for_who_held_the_row(store: Store) -> None:
    (made,) = poll(store, [row("a")], holder=BOB)
    store.finish_rows([RowResult(made.id, made.fence, "skipped", "x")])
    assert store.ledger(BOB.job, BOB.tick).skipped == {"x": 1}


@pytest.mark.parametrize("outcome", ["new", "revised"])
def test_the_check_finds_a_row_without_its_article(store: Store, outcome: str) -> None:
    (made,) = poll(store, [row("a")])
    store.finish_rows([RowResult(made.id, made.fence, outcome, article_id="f" * 32)])
    (problem,) = store.check()
    assert made.id in problem and "\n" not in problem


def test_the_check_finds_a_ledger_that_does_not_add_up(store: Store) -> None:
    fence = store.claim_feeds(["feed-a"], ALICE, NOW, UNTIL)["feed-a"].fence
    store.commit_poll(Poll("feed-a", 1, NOW, "ok", seen=5), Cursor("feed-a", 1), [], ALICE, fence, UNTIL)
    problems = store.check()
    assert problems and all("5" in problem for problem in problems)


# --- whatever happens

HOLDERS = (ALICE, BOB, Holder("job-d", "host-1", 303, 3_000))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("poll"), st.sampled_from("xyz"), st.lists(st.integers(0, 7), max_size=5), st.booleans()),
        st.tuples(st.just("take"), st.sampled_from(HOLDERS), st.integers(0, 4), st.booleans()),
        st.tuples(st.just("finish"), st.integers(0, 9), st.sampled_from(["skipped", "failed", "later", "busy"])),
        st.tuples(st.just("write"), st.lists(st.integers(0, 9), max_size=4), st.sampled_from(["page", "feed"])),
        st.tuples(st.just("wait"), st.sampled_from([1, MINUTE, DAY])),
        st.tuples(st.just("drop"), st.sampled_from(HOLDERS)),
    ),
    max_size=25,
)


class Run:
    """A store under random steps, and what is known to be true of it."""

    def __init__(self, store: Store) -> None:
        self.store, self.now = store, NOW
        self.created: Counter[str] = Counter()
        self.finished: Counter[str] = Counter()
        self.takings: list[EntryRow] = []  # also those that were lost since

    def poll(self, feed_id: str, keys: list[int], repeat: bool) -> None:
        number = self.store.cursors([feed_id]).get(feed_id, Cursor(feed_id)).poll + (not repeat)
        claim = self.store.claim_feeds([feed_id], ALICE, self.now, self.now + MINUTE).get(feed_id)
        assert claim, "each poll lets go of its feed"
        rows = [row(f"{key}", of=feed(feed_id), poll=number, due_at=self.now) for key in keys]
        record = Poll(feed_id, number, self.now, "ok", seen=len(rows) + 2, unchanged=1, skipped={"x": 1}, new=len(rows))
        made = self.store.commit_poll(record, Cursor(feed_id, number), rows, ALICE, claim.fence, self.now + MINUTE)
        self.created.update(created.id for created in made)
        self.takings += made

    def take(self, holder: Holder, limit: int, alone: bool) -> None:
        self.takings += self.store.take_rows(holder, self.now, self.now + MINUTE, limit, alone=alone)

    def finish(self, number: int, how: str) -> None:
        if self.takings:
            of = self.takings[number % len(self.takings)]
            end: dict[str, Any] = (
                {"route": how, "due_at": self.now + 5} if how in ("later", "busy") else {"outcome": how}
            )
            results = self.store.finish_rows([RowResult(of.id, of.fence, **end), RowResult(of.id, of.fence, **end)])
            self.finished.update(result.row_id for result in results if result.outcome)

    def write(self, numbers: list[int], text_from: str) -> None:
        rows = [self.takings[number % len(self.takings)] for number in numbers if self.takings]
        drafts = [draft(of, text_from=text_from, read_at=self.now, body=f"{of.poll}") for of in rows]
        self.finished.update(result.row_id for result in self.store.write_articles(drafts, self.now))

    def wait(self, ms: int) -> None:
        self.now += ms

    def drop(self, holder: Holder) -> None:
        self.store.drop_dead(holder.host, lambda other: other.pid != holder.pid)

    def holds(self) -> None:
        ledger = self.store.ledger()
        assert ledger.seen == ended(ledger) + ledger.inbox
        assert ledger.inbox == len(self.created) - len(self.finished)
        assert set(self.created.values()) | set(self.finished.values()) <= {1}, "made once, ended once"


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_nothing_is_lost_and_nothing_doubled(new_store: Callable[[], Store], steps: list[tuple[Any, ...]]) -> None:
    run = Run(new_store())
    for name, *values in steps:
        getattr(run, name)(*values)
        run.holds()
    assert run.store.check() == []
    run.store.close()
