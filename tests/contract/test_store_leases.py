"""Named leases."""

from __future__ import annotations

from newsbeam.stores import Store
from tests.contract.samples import ALICE, BOB, NOW, UNTIL, poll, row


def test_a_held_lease_is_refused_to_others_until_it_ends(store: Store, other: Store) -> None:
    fence = store.take_lease("grouper", ALICE, NOW, NOW + 5)
    assert fence is not None
    assert other.take_lease("grouper", BOB, NOW + 4, UNTIL) is None
    taken_over = other.take_lease("grouper", BOB, NOW + 5, UNTIL)
    assert taken_over is not None and taken_over > fence
    assert store.take_lease("grouper", ALICE, NOW + 6, UNTIL) is None


def test_leases_of_other_names_are_apart(store: Store) -> None:
    assert store.take_lease("grouper", ALICE, NOW, UNTIL) is not None
    assert store.take_lease("pruner", BOB, NOW, UNTIL) is not None


def test_its_holder_renews_a_lease_under_the_same_fence(store: Store) -> None:
    fence = store.take_lease("grouper", ALICE, NOW, NOW + 5)
    assert store.take_lease("grouper", ALICE, NOW + 1, NOW + 50) == fence
    assert store.take_lease("grouper", BOB, NOW + 49, UNTIL) is None
    assert store.release_lease("grouper", ALICE, fence or 0)


def test_the_next_tick_of_the_same_job_and_process_is_the_same_holder(store: Store) -> None:
    fence = store.take_lease("grouper", ALICE, NOW, UNTIL)
    assert store.take_lease("grouper", ALICE._replace(tick=2), NOW, UNTIL) == fence


def test_all_that_a_holder_has_is_let_go_without_a_death(store: Store) -> None:
    (made,) = poll(store, [row("a")], holder=ALICE)
    store.claim_feeds(["feed-b"], ALICE, NOW, UNTIL)
    store.take_lease("grouper", ALICE, NOW, UNTIL)
    assert store.release_all(BOB) == 0
    assert store.release_all(ALICE._replace(tick=7)) == 3
    (again,) = store.take_rows(BOB, NOW, UNTIL, 9)
    assert (again.id, again.deaths) == (made.id, 0)
    assert store.claim_feeds(["feed-b"], BOB, NOW, UNTIL)
    assert store.take_lease("grouper", BOB, NOW, UNTIL)


def test_a_claimed_feed_may_be_let_go_unpolled(store: Store) -> None:
    fence = store.claim_feeds(["feed-a"], ALICE, NOW, UNTIL)["feed-a"].fence
    assert not store.release_feed("feed-a", BOB, fence)
    assert store.release_feed("feed-a", ALICE, fence)
    assert not store.release_feed("feed-a", ALICE, fence)
    assert store.claim_feeds(["feed-a"], BOB, NOW, UNTIL)["feed-a"].cursor.poll == 0


def test_a_released_lease_is_free_and_is_released_once(store: Store) -> None:
    fence = store.take_lease("grouper", ALICE, NOW, UNTIL)
    assert fence is not None
    assert not store.release_lease("grouper", BOB, fence)
    assert not store.release_lease("grouper", ALICE, fence + 1)
    assert store.release_lease("grouper", ALICE, fence)
    assert not store.release_lease("grouper", ALICE, fence)
    again = store.take_lease("grouper", BOB, NOW, UNTIL)
    assert again is not None and again > fence
    assert not store.release_lease("nobody has it", BOB, 1)


def test_a_lease_that_was_taken_over_can_not_be_released_by_its_former_holder(store: Store) -> None:
    fence = store.take_lease("grouper", ALICE, NOW, NOW + 1)
    assert fence is not None
    assert store.take_lease("grouper", BOB, NOW + 1, UNTIL) is not None
    assert not store.release_lease("grouper", ALICE, fence)
    assert store.take_lease("grouper", ALICE, NOW + 2, UNTIL) is None
