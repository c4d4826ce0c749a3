"""Claims, cursors and polls."""

from __future__ import annotations

import pytest

from newsbeam.records import Cursor, Poll, Seen
from newsbeam.stores import Store
from tests.contract.samples import ALICE, BOB, CAROL, MINUTE, NOW, UNTIL, cursor_of, feed, poll, row


def test_a_feed_without_a_cursor_gets_a_fresh_one_and_still_has_none(store: Store) -> None:
    claims = store.claim_feeds(["feed-a", "feed-b"], ALICE, NOW, UNTIL)
    assert {name: claim.cursor for name, claim in claims.items()} == {n: Cursor(n) for n in ("feed-a", "feed-b")}
    assert store.cursors(["feed-a", "feed-b"]) == {}


def test_a_claimed_feed_is_left_out_for_others(store: Store, other: Store) -> None:
    assert set(store.claim_feeds(["feed-a"], ALICE, NOW, UNTIL)) == {"feed-a"}
    assert set(other.claim_feeds(["feed-a", "feed-b"], BOB, NOW + 1, UNTIL)) == {"feed-b"}
    assert set(store.claim_feeds(["feed-a", "feed-b"], CAROL, NOW + 1, UNTIL)) == set()


@pytest.mark.parametrize("name", ["job", "host", "pid", "started"])
def test_a_holder_is_all_of_it(store: Store, name: str) -> None:
    store.claim_feeds(["feed-a"], ALICE, NOW, UNTIL)
    value = getattr(ALICE, name)
    other = ALICE._replace(**{name: value + 1 if isinstance(value, int) else value + "x"})
    assert store.claim_feeds(["feed-a"], other, NOW, UNTIL) == {}


def test_each_taking_has_a_greater_fence(store: Store) -> None:
    first = store.claim_feeds(["feed-a"], ALICE, NOW, NOW + 5)["feed-a"].fence
    again = store.claim_feeds(["feed-a"], ALICE, NOW + 1, NOW + 5)["feed-a"].fence
    taken_over = store.claim_feeds(["feed-a"], BOB, NOW + 5, UNTIL)["feed-a"].fence
    assert first < again < taken_over


def test_a_claim_ends_at_its_time_and_not_before(store: Store) -> None:
    store.claim_feeds(["feed-a"], ALICE, NOW, NOW + 5)
    assert store.claim_feeds(["feed-a"], BOB, NOW + 4, UNTIL) == {}
    assert set(store.claim_feeds(["feed-a"], BOB, NOW + 5, UNTIL)) == {"feed-a"}


def test_a_commit_keeps_the_whole_cursor_and_lets_go(store: Store, other: Store) -> None:
    claim = store.claim_feeds(["feed-a"], ALICE, NOW, UNTIL)["feed-a"]
    cursor = cursor_of(
        "feed-a", poll=1, etag='W/"x"', last_modified="Tue, 24 Nov 2026 17:00:00 GMT", body_hash="b" * 32,
        polled_at=NOW, next_poll_at=NOW + MINUTE, failures=2, current=1,
        entries={"schlüssel": Seen("h", 3, NOW), "": Seen("i", 0, NOW - 1)},
    )  # fmt: skip
    store.commit_poll(Poll("feed-a", 1, NOW, "ok"), cursor, [], ALICE, claim.fence, UNTIL)
    assert other.cursors(["feed-a", "feed-b"]) == {"feed-a": cursor}
    assert other.claim_feeds(["feed-a"], BOB, NOW, UNTIL)["feed-a"].cursor == cursor


def test_rows_are_made_as_given_and_held_with_fence_1(store: Store, other: Store) -> None:
    given = row(
        "a", title="Ein „Titel“", html="<p>x</p>", authors=("N. N.",), published_at="2026-11-24T10:00:00.000Z",
        due_at=NOW - 5, seen_at=NOW - 7,
    )  # fmt: skip
    made = poll(store, [given])
    assert made == [given._replace(fence=1)]
    assert other.get_rows([given.id, "no such row"]) == {given.id: given._replace(fence=1)}
    assert other.take_rows(BOB, UNTIL - 1, UNTIL + 1, 10) == []
    assert [taken.id for taken in other.take_rows(BOB, UNTIL, UNTIL + 1, 10)] == [given.id]


@pytest.mark.parametrize("until", [NOW, NOW - 1])
def test_rows_are_made_free_where_the_lease_would_be_over(store: Store, until: int) -> None:
    (made,) = poll(store, [row("a")], until=until)
    assert made.fence == 0
    (taken,) = store.take_rows(BOB, NOW, UNTIL, 10)
    assert (taken.fence, taken.deaths) == (1, 0)


def test_rows_that_exist_are_left_as_they_are(store: Store) -> None:
    first = row("a", title="first")
    poll(store, [first])
    again = row("a", title="again", poll=2)
    assert again.id == first.id
    assert [made.id for made in poll(store, [again, row("b", poll=2)], number=2)] == [row("b").id]
    assert store.get_rows([first.id])[first.id] == first._replace(fence=1)


@pytest.mark.parametrize("lost", ["taken over", "let go", "dropped", "never had", "another's"])
def test_a_lost_lease_writes_nothing(store: Store, lost: str) -> None:
    fence, holder = store.claim_feeds(["feed-a"], ALICE, NOW, NOW + 5)["feed-a"].fence, ALICE
    if lost == "taken over":
        store.claim_feeds(["feed-a"], BOB, NOW + 5, UNTIL)
    elif lost == "let go":
        store.commit_poll(Poll("feed-a", 1, NOW, "ok"), Cursor("feed-a", 1), [], ALICE, fence, UNTIL)
    elif lost == "dropped":
        assert store.drop_dead("host-1", lambda holder: False) == 1
    elif lost == "never had":
        fence += 1
    else:
        holder = BOB
    before = store.cursors(["feed-a"]), store.ledger(), store.status().polls
    late = Poll("feed-a", 9, NOW, "ok", seen=1, new=1)
    assert store.commit_poll(late, Cursor("feed-a", 9), [row("a", poll=9)], holder, fence, UNTIL) == []
    assert (store.cursors(["feed-a"]), store.ledger(), store.status().polls) == before
    assert store.get_rows([row("a").id]) == {}


def test_a_lease_that_is_over_but_not_taken_over_still_commits(store: Store) -> None:
    fence = store.claim_feeds(["feed-a"], ALICE, NOW - 10, NOW - 5)["feed-a"].fence
    record = Poll("feed-a", 1, NOW, "ok", seen=1, new=1)
    assert len(store.commit_poll(record, Cursor("feed-a", 1), [row("a")], ALICE, fence, UNTIL)) == 1


def test_a_repeated_poll_overwrites_and_counts_once(store: Store) -> None:
    rows = [row("a"), row("b")]
    assert len(poll(store, rows, unchanged=3)) == 2
    assert poll(store, rows, unchanged=3) == []
    ledger = store.ledger()
    assert (ledger.seen, ledger.unchanged, ledger.inbox, store.status().polls) == (5, 3, 2, 1)
    assert store.check() == []


def test_a_repeated_poll_that_found_another_feed_still_adds_up(store: Store) -> None:
    poll(store, [row("a"), row("b")])
    assert [made.id for made in poll(store, [row("b"), row("c")])] == [row("c").id]
    assert (store.ledger().seen, store.ledger().inbox) == (3, 3)
    assert store.check() == []


@pytest.mark.parametrize("kind", ["backfill", "entry"])
def test_rows_of_an_earlier_poll_count_as_unchanged(store: Store, kind: str) -> None:
    of = feed("backfill")
    poll(store, [row("a", of=of, kind=kind), row("b", of=of, kind=kind)], of=of)
    again = [row(key, of=of, kind=kind, poll=2) for key in ("a", "b", "c")]
    assert len(poll(store, again, of=of, number=2, unchanged=1)) == 1
    ledger = store.ledger()
    assert (ledger.seen, ledger.unchanged, ledger.inbox) == (6, 3, 3)
    assert store.check() == []


def test_a_row_given_twice_counts_as_unchanged(store: Store) -> None:
    assert len(poll(store, [row("a"), row("a")])) == 1
    assert (store.ledger().seen, store.ledger().unchanged, store.ledger().inbox) == (2, 1, 1)
    assert store.check() == []


def test_texts_that_are_not_unicode_are_no_error(store: Store) -> None:
    (made,) = poll(store, [row("a", title="half \ud83d of a pair", summary="nul \0 and \x1f")])
    kept = store.get_rows([made.id])[made.id]
    assert kept.entry.title.startswith("half ")
    assert "nul" in kept.entry.summary
