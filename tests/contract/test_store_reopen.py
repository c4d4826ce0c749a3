"""Failures: found again, and put back into the inbox."""

from __future__ import annotations

import pytest

from newsbeam.records import RowResult
from newsbeam.stores import Store
from tests.contract.samples import ALICE, BOB, DAY, MINUTE, NOW, UNTIL, draft, feed, poll, row

LATER = NOW + DAY


def fail(store: Store, *reasons: str, of: str = "feed-a") -> list[str]:
    """Rows of one feed that failed, one for each reason; their ids."""
    made = poll(store, [row(f"{of}-{number}", of=feed(of)) for number in range(len(reasons))], of=feed(of))
    store.finish_rows(
        [RowResult(made[n].id, made[n].fence, "failed", reason, f"why {n}") for n, reason in enumerate(reasons)]
    )
    return [failed.id for failed in made]


def test_failures_are_found_by_reason_feed_row_and_time(store: Store) -> None:
    a, b, c = fail(store, "timeout", "http_404", "timeout")
    (d,) = fail(store, "timeout", of="feed-b")

    def ids(**given: object) -> set[str]:
        return {failed.row.id for failed in store.failures(**given)}  # type: ignore[arg-type]

    assert ids() == {a, b, c, d}
    assert ids(reason="timeout") == {a, c, d}
    assert ids(feed="feed-b") == {d}
    assert ids(reason="timeout", feed="feed-a") == {a, c}
    assert ids(row_ids=[b, "nothing"]) == {b}
    assert ids(row_ids=[]) == set()
    assert ids(reason="time") == set()
    (at,) = {failed.at for failed in store.failures(row_ids=[a])}
    assert a in ids(until=at) and ids(until=at - DAY) == set()
    assert len(store.failures(2, reason="timeout")) == 2


def test_a_failed_row_goes_back_as_if_just_seen(store: Store) -> None:
    (made,) = poll(store, [row("a", text="The text.")], until=NOW)
    for now in (NOW, NOW + 1):  # put off once each way, and a job died with it
        (taken,) = store.take_rows(ALICE, now, UNTIL, 1)
        route = "later" if now == NOW else "busy"
        store.finish_rows([RowResult(taken.id, taken.fence, route=route, due_at=now + 1)])
    store.take_rows(ALICE, NOW + 2, UNTIL, 1)
    store.drop_dead(ALICE.host, lambda holder: False)
    (taken,) = store.take_rows(BOB, NOW + 2, UNTIL, 1)
    assert (taken.tries, taken.busy, taken.deaths) == (1, 1, 1)
    store.finish_rows([RowResult(taken.id, taken.fence, "failed", "timeout", "why", ("date absurd",), job=BOB.job)])
    before = store.ledger()
    assert (before.failed, before.labels, before.balances()) == ({"timeout": 1}, {"date absurd": 1}, True)

    assert store.reopen_rows([made.id], LATER) == 1

    ledger = store.ledger()
    assert (ledger.inbox, ledger.failed, ledger.labels, ledger.balances()) == (1, {}, {}, True)
    assert store.ledger(BOB.job).failed == {}
    assert store.failures() == []
    known = store.get_rows([made.id])[made.id]
    assert (known.due_at, known.tries, known.busy, known.deaths) == (LATER, 0, 0, 0)
    assert store.take_rows(ALICE, LATER - 1, UNTIL + DAY, 9) == []
    (again,) = store.take_rows(ALICE, LATER, LATER + MINUTE, 9)
    assert again.fence > taken.fence, "the fence keeps growing"
    assert again.entry == made.entry and again.entry.text == "The text."
    assert store.finish_rows([RowResult(taken.id, taken.fence, "failed", "x")]) == [], "the old taking is over"
    (result,) = store.write_articles([draft(again)], LATER)
    assert (result.outcome, store.ledger().balances(), store.ledger(ALICE.job).new) == ("new", True, 1)


@pytest.mark.parametrize("outcome", ["skipped", "unchanged", None])
def test_rows_with_another_outcome_or_none_are_left(store: Store, outcome: str | None) -> None:
    (made,) = poll(store, [row("a")])
    if outcome:
        store.finish_rows([RowResult(made.id, made.fence, outcome, "x")])
    ledger, known = store.ledger(), store.get_rows([made.id])
    assert store.reopen_rows([made.id, "nothing"], LATER) == 0
    assert (store.ledger(), store.get_rows([made.id])) == (ledger, known)
    if outcome is None:
        assert store.finish_rows([RowResult(made.id, made.fence, "skipped", "x")]), "its taking still holds"


def test_reopening_twice_is_once(store: Store) -> None:
    ids = fail(store, "x", "y")
    assert store.reopen_rows(ids, NOW) == 2
    assert store.reopen_rows(ids, LATER) == 0
    assert store.reopen_rows([], LATER) == 0
    assert {known.due_at for known in store.get_rows(ids).values()} == {NOW}
    assert len(store.take_rows(ALICE, NOW, UNTIL, 9)) == 2


def test_what_was_overtaken_by_a_later_change_is_superseded(store: Store) -> None:
    (first,) = poll(store, [row("a")])
    (write,) = store.write_articles([draft(first)], NOW)
    (failed,) = poll(store, [row("a", poll=2, change=1, previous=first.id)], number=2)
    store.finish_rows([RowResult(failed.id, failed.fence, "failed", "timeout", article_id=write.article_id)])
    (newest,) = poll(store, [row("a", poll=3, change=2, previous=failed.id)], number=3)
    store.write_articles([draft(newest, body="The newest text.", read_at=NOW + 2)], NOW)

    store.reopen_rows([failed.id], NOW)
    (again,) = store.take_rows(ALICE, NOW, UNTIL, 9)
    (result,) = store.write_articles([draft(again, body="An old text.", read_at=NOW + 3)], NOW)
    assert (result.outcome, result.reason) == ("skipped", "superseded")
    assert write.article_id and store.get_articles([write.article_id])[write.article_id].body == "The newest text."
    assert store.check() == []
