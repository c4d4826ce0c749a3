"""Taking rows, ending takings, deaths, and what is accounted for them."""

from __future__ import annotations

from typing import Any

import pytest

from newsbeam.records import Entry, EntryRow, RowResult
from newsbeam.stores import Store
from tests.contract.samples import ALICE, BOB, CAROL, MINUTE, NOW, UNTIL, draft, feed, poll, row


def free(store: Store, *keys: str, **fields: Any) -> list[EntryRow]:
    """Rows that nobody holds."""
    return poll(store, [row(key, **fields) for key in keys], until=NOW)


def done(of: EntryRow, outcome: str = "skipped", **fields: Any) -> RowResult:
    return RowResult(of.id, of.fence, outcome, **fields)


# --- taking


def test_due_rows_are_taken_oldest_first_up_to_the_limit(store: Store) -> None:
    poll(store, [row("c", due_at=NOW - 1), row("a", due_at=NOW - 3), row("later", due_at=NOW + 1),
                 row("b", due_at=NOW - 2)], until=NOW)  # fmt: skip
    assert [taken.entry.key for taken in store.take_rows(ALICE, NOW, UNTIL, 2)] == ["a", "b"]
    assert [taken.entry.key for taken in store.take_rows(BOB, NOW, UNTIL, 9)] == ["c"]
    assert [taken.entry.key for taken in store.take_rows(CAROL, NOW + 1, UNTIL, 9)] == ["later"]
    assert store.take_rows(CAROL, NOW, UNTIL, 0) == []


def test_a_taken_row_is_whole_and_belongs_to_nobody_else(store: Store, other: Store) -> None:
    (made,) = free(store, "a", html="<p>whole</p>")
    assert store.take_rows(ALICE, NOW, UNTIL, 9) == [made._replace(fence=1)]
    assert other.take_rows(BOB, UNTIL - 1, UNTIL + MINUTE, 9) == []
    assert store.take_rows(ALICE, NOW, UNTIL, 9) == []


def test_a_lease_that_ran_out_is_a_death_and_the_next_taking_has_a_greater_fence(store: Store) -> None:
    free(store, "a")
    (first,) = store.take_rows(ALICE, NOW, NOW + 5, 9)
    (second,) = store.take_rows(BOB, NOW + 5, NOW + 9, 9)
    assert (first.deaths, second.deaths) == (0, 1)
    assert second.fence > first.fence
    assert store.finish_rows([done(first)]) == []
    assert store.finish_rows([done(second)]) == [done(second)]


def test_two_deaths_are_taken_alone_and_with_alone_no_others(store: Store) -> None:
    free(store, "a")
    store.take_rows(ALICE, NOW, NOW + 1, 9)
    store.take_rows(ALICE, NOW + 1, NOW + 2, 9)
    free_row = row("b", of=feed("feed-b"))
    poll(store, [free_row], of=feed("feed-b"), until=NOW)
    assert [(taken.entry.key, taken.deaths) for taken in store.take_rows(BOB, NOW + 2, UNTIL, 9)] == [("b", 0)]
    (alone,) = store.take_rows(BOB, NOW + 2, NOW + 3, 9, alone=True)
    assert (alone.entry.key, alone.deaths) == ("a", 2)
    assert store.take_rows(BOB, NOW + 2, UNTIL, 9, alone=True) == []
    (again,) = store.take_rows(BOB, NOW + 3, UNTIL, 9, alone=True)
    assert again.deaths == 3


def test_completed_rows_are_not_taken(store: Store) -> None:
    (made,) = poll(store, [row("a")])
    store.finish_rows([done(made, "failed", reason="timeout")])
    assert store.take_rows(BOB, UNTIL + 1, UNTIL + 2, 9) == []
    assert store.take_rows(BOB, UNTIL + 1, UNTIL + 2, 9, alone=True) == []


# --- ending a taking


@pytest.mark.parametrize(("route", "tries", "busy"), [("later", 1, 0), ("busy", 0, 1)])
def test_a_row_put_off_keeps_its_payload_and_waits(store: Store, route: str, tries: int, busy: int) -> None:
    (made,) = poll(store, [row("a", html="<p>kept</p>")])
    put_off = RowResult(made.id, made.fence, route=route, due_at=NOW + MINUTE)
    assert store.finish_rows([put_off]) == [put_off]
    assert store.take_rows(BOB, NOW + MINUTE - 1, UNTIL, 9) == []
    (taken,) = store.take_rows(BOB, NOW + MINUTE, UNTIL, 9)
    expected = made._replace(tries=tries, busy=busy, due_at=NOW + MINUTE, fence=made.fence + 1)
    assert taken == expected, "no death is counted: it was let go"


def test_a_taking_ends_once(store: Store) -> None:
    (made,) = poll(store, [row("a")])
    put_off = RowResult(made.id, made.fence, route="later", due_at=NOW)
    assert store.finish_rows([put_off]) == [put_off]
    assert store.finish_rows([put_off]) == []
    assert store.finish_rows([done(made)]) == []
    (taken,) = store.take_rows(ALICE, NOW, UNTIL, 9)
    assert taken.tries == 1
    assert store.finish_rows([done(taken), done(taken, "failed", reason="x")]) == [done(taken)]
    assert store.ledger().failed == {}


@pytest.mark.parametrize("outcome", ["new", "revised", "unchanged", "skipped"])
def test_a_completed_row_drops_its_payload_and_keeps_who_it_is(store: Store, outcome: str) -> None:
    (made,) = poll(store, [row("a", html="<p>dropped</p>")])
    store.finish_rows([done(made, outcome, reason="why", article_id="f" * 32)])
    kept = store.get_rows([made.id])[made.id]
    assert kept.entry == Entry("a")
    assert (kept.feed.id, kept.feed.url, kept.feed.source) == (made.feed.id, made.feed.url, made.feed.source)
    assert (kept.article_id, kept.entry_hash, kept.change) == ("f" * 32, made.entry_hash, made.change)


def test_a_failed_row_keeps_its_payload_and_is_among_the_failures(store: Store) -> None:
    made = poll(store, [row("a", html="<p>kept</p>"), row("b"), row("c")])
    store.finish_rows([done(made[0], "failed", reason="timeout", detail="after 20 s"), done(made[1])])
    (failed,) = store.failures()
    assert (failed.row.entry, failed.reason, failed.detail) == (made[0].entry, "timeout", "after 20 s")
    assert failed.at > 1_600_000_000_000
    store.finish_rows([done(made[2], "failed", reason="no_content")])
    assert len(store.failures()) == 2
    assert len(store.failures(limit=1)) == 1


def test_failures_are_newest_first(store: Store) -> None:
    made = poll(store, [row(key) for key in "abc"])
    times = []
    for number in (1, 0, 2):
        store.finish_rows([done(made[number], "failed", reason=str(number))])
        times = [failed.at for failed in store.failures()]
        assert times == sorted(times, reverse=True)
    assert len(times) == 3


def test_a_row_without_an_article_of_its_own_keeps_what_it_inherited(store: Store) -> None:
    (made,) = poll(store, [row("a", article_id="e" * 32)])
    store.finish_rows([done(made, "failed", reason="timeout")])
    assert store.get_rows([made.id])[made.id].article_id == "e" * 32


def test_a_row_inherits_the_article_of_its_change_before(store: Store) -> None:
    (first,) = poll(store, [row("a")])
    second = row("a", change=1, poll=2, previous=first.id)
    (second,) = poll(store, [second], number=2, until=NOW)
    assert second.article_id is None
    (result,) = store.write_articles([draft(first)], NOW)
    assert store.get_rows([second.id])[second.id].article_id == result.article_id
    (taken,) = store.take_rows(ALICE, NOW, UNTIL, 9)
    assert taken.article_id == result.article_id
    store.finish_rows([done(taken, "failed", reason="timeout")])
    (third,) = poll(store, [row("a", change=2, poll=3, previous=second.id)], number=3)
    assert third.article_id == result.article_id, "through a change that failed"


# --- the dead


def test_drop_dead_frees_what_gone_processes_of_this_host_hold(store: Store, other: Store) -> None:
    for holder, name in ((ALICE, "feed-a"), (BOB, "feed-b"), (CAROL, "feed-c")):
        poll(store, [row(name, of=feed(name))], of=feed(name), holder=holder)
        store.claim_feeds([name], holder, NOW, UNTIL)
        assert store.take_lease(f"lease of {name}", holder, NOW, UNTIL)
    asked = []

    def alive(holder: Any) -> bool:
        asked.append((holder.job, holder.host, holder.pid, holder.started))
        return holder.pid == BOB.pid

    assert other.drop_dead("host-1", alive) == 3
    assert sorted(asked) == sorted({ALICE[:4], BOB[:4]})
    (freed,) = store.take_rows(BOB, NOW, UNTIL, 9)
    assert (freed.entry.key, freed.deaths) == ("feed-a", 1)
    assert set(store.claim_feeds(["feed-a", "feed-b", "feed-c"], ALICE._replace(job="new"), NOW, UNTIL)) == {"feed-a"}
    assert store.take_lease("lease of feed-a", BOB, NOW, UNTIL)
    assert store.take_lease("lease of feed-c", BOB, NOW, UNTIL) is None
    assert store.drop_dead("host-1", lambda holder: True) == 0


def test_a_drop_counts_a_death_once_and_its_late_result_is_refused(store: Store) -> None:
    (made,) = poll(store, [row("a")])
    assert store.drop_dead("host-1", lambda holder: False) == 1
    assert store.finish_rows([done(made)]) == []
    assert store.write_articles([draft(made)], NOW) == []
    (taken,) = store.take_rows(BOB, UNTIL + MINUTE, UNTIL + 2 * MINUTE, 9)
    assert taken.deaths == 1


def test_completed_rows_are_not_dropped(store: Store) -> None:
    made = poll(store, [row("a"), row("b")])
    store.finish_rows([done(made[0]), RowResult(made[1].id, made[1].fence, route="busy", due_at=NOW)])
    assert store.drop_dead("host-1", lambda holder: False) == 0
