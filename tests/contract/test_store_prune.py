"""Retention: what goes, what stays, and that the books balance whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsbeam.records import RowResult, from_iso, to_iso
from newsbeam.search import parse_query
from newsbeam.stores import Store
from newsbeam.stores.base import PRUNED, Pruned
from tests.contract.samples import DAY, NOW, draft, feed, poll, row, titles, write
from tests.contract.test_store_ledger import STEPS, Run

BEFORE = NOW - 90 * DAY
AFTER_NOW = NOW + DAY  # everything that the tests make is from before it


def aged(key: str, days: int, **fields: Any) -> dict[str, Any]:
    """The fields of an article that is so many days old."""
    at = to_iso(NOW - days * DAY)
    return {"key": key, "title": key, "published_at": at, "published_from": "feed", "timestamp": at} | fields


def prune_all(store: Store, before: int, limit: int = 100) -> Pruned:
    total, calls = Pruned(), 0
    while any(part := store.prune(before, limit)):
        total = Pruned(*(one + other for one, other in zip(total, part, strict=True)))
        calls += 1
        assert calls < 200, "it ends"
    return total


def test_an_empty_store_has_nothing_to_prune(store: Store) -> None:
    assert store.would_prune(AFTER_NOW) == store.prune(AFTER_NOW, 10) == Pruned()


def test_articles_go_by_their_time_with_their_former_contents(store: Store, refresh: Callable[[], None]) -> None:
    old, edge, young = write(store, aged("old", 91), aged("edge", 90), aged("young", 1))
    said = fields_of(aged("old", 91))
    (again,) = poll(store, [row("old", poll=2, change=1, published_at=said["published_at"])], number=2)
    store.write_articles([draft(again, **said, body="Other words.", read_at=NOW + 5)], NOW)
    assert len(store.revisions(old)) == 1
    assert store.would_prune(BEFORE) == Pruned(1, 1)
    assert prune_all(store, BEFORE) == Pruned(1, 1)
    refresh()
    assert set(store.get_articles([old, edge, young])) == {edge, young}
    assert (store.revisions(old), store.status().revisions) == ([], 0)
    assert sorted(titles(store)) == ["edge", "young"] == sorted(article.title for article in store.scan())
    assert store.search(parse_query("")).facets["source"][0].count == 2
    assert store.check() == []


def fields_of(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name != "key"}


def test_a_row_that_stays_says_that_its_article_went(store: Store) -> None:
    """A page that was old when it was first seen: its row is of now."""
    (old,) = write(store, aged("old", 91))
    before = store.ledger()
    prune_all(store, BEFORE)
    ledger = store.ledger()
    assert (ledger.seen, ledger.new, ledger.labels) == (before.seen, before.new, {PRUNED: 1})
    assert ledger.balances() and store.check() == []
    assert store.find_article(old) is None
    (again,) = poll(store, [row("old", poll=2, change=1)], number=2)
    (result,) = store.write_articles([draft(again)], NOW)
    assert (result.outcome, store.get_articles([old])[old].revision) == ("new", 1)
    assert prune_all(store, NOW - DAY) == Pruned()


def test_polls_go_whole_with_their_rows(store: Store) -> None:
    made = poll(store, [row(key) for key in "abcd"], unchanged=3, skipped={"duplicate": 2})
    store.write_articles([draft(made[0], **fields_of(aged("a", 5))), draft(made[1], **fields_of(aged("b", 5)))], NOW)
    store.finish_rows([RowResult(made[2].id, made[2].fence, "failed", "timeout")])
    poll(store, [], number=2, unchanged=4)
    assert prune_all(store, AFTER_NOW) == Pruned(articles=2, polls=1), "one of its rows is in the inbox"
    assert (store.status().polls, store.status().rows, store.ledger().balances()) == (1, 4, True)
    store.finish_rows([RowResult(made[3].id, made[3].fence, "skipped", "x")])
    assert store.would_prune(AFTER_NOW) == Pruned(rows=4, failed=1, polls=1)
    assert prune_all(store, AFTER_NOW) == Pruned(rows=4, failed=1, polls=1)
    ledger = store.ledger()
    assert (ledger.seen, ledger.inbox, ledger.failed, store.status().polls) == (0, 0, {}, 0)
    assert store.failures() == []
    assert store.check() == []


def test_a_poll_of_before_stays_while_a_row_ended_after(store: Store) -> None:
    (made,) = poll(store, [row("a")])
    store.write_articles([draft(made, **fields_of(aged("a", 100)))], NOW + 5)
    assert prune_all(store, NOW) == Pruned(articles=1), "the poll is of NOW, not before"
    assert prune_all(store, NOW + 5) == Pruned(), "its row ended at NOW + 5, not before"
    assert prune_all(store, NOW + 6) == Pruned(rows=1, polls=1)


def test_rows_of_articles_that_stay_stay(store: Store) -> None:
    """A row names its article, so that later changes of its entry find it; also where that was deleted."""
    gone, _kept = write(store, aged("gone", 5, of=feed("feed-a")), aged("kept", -30, of=feed("feed-b")))
    write(store, aged("old", 5, of=feed("feed-c")))
    store.delete_articles([gone], NOW)
    expected = Pruned(articles=1, rows=1, polls=1)
    assert store.would_prune(AFTER_NOW) == expected
    assert prune_all(store, AFTER_NOW) == expected
    assert (store.status().articles, store.status().deleted, store.status().rows) == (1, 1, 2)
    assert store.check() == []


def test_cursors_stay(store: Store) -> None:
    write(store, aged("a", 5))
    cursors = store.cursors(["feed-a"])
    prune_all(store, AFTER_NOW)
    assert store.cursors(["feed-a"]) == cursors != {}
    assert store.status().feeds == 1


def test_it_goes_a_part_at_a_time(store: Store) -> None:
    for number in range(3):
        of = feed(f"feed-{number}")
        write(store, *(aged(f"{number}-{entry}", 5, of=of) for entry in range(4)))
    parts = []
    while any(part := store.prune(AFTER_NOW, 5)):
        parts.append(part)
        assert store.check() == [] and store.ledger().balances()
    assert [part.articles for part in parts] == [5, 5, 2, 0, 0]
    assert [(part.polls, part.rows) for part in parts] == [(0, 0), (0, 0), (1, 4), (1, 4), (1, 4)]


def test_a_poll_of_more_rows_than_the_part_goes_all_the_same(store: Store) -> None:
    write(store, *(aged(f"{number}", 5) for number in range(7)))
    assert prune_all(store, AFTER_NOW, limit=2) == Pruned(articles=7, rows=7, polls=1)


# --- whatever happens

MORE_STEPS = st.one_of(
    st.tuples(st.just("reopen"), st.integers(0, 9)),
    st.tuples(st.just("delete"), st.integers(0, 9)),
    st.tuples(st.just("prune"), st.integers(0, 3), st.integers(1, 3)),
)


class Upkeep(Run):
    """A store under random steps, reopened, deleted from and pruned."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.deleted: set[str] = set()

    def _ids(self) -> list[str]:
        return sorted(self.created)

    def _articles(self) -> list[str]:
        return [article.id for article in self.store.scan()]

    def _resync(self) -> None:
        """After a step that ends rows, or begins them anew: what is known of them is what the store says."""
        known = self.store.get_rows(self._ids())
        self.takings = [taking for taking in self.takings if taking.id in known]
        for row_id in self._ids():
            if row_id not in known:
                del self.created[row_id], self.finished[row_id]

    def reopen(self, number: int) -> None:
        failed = [failed.row.id for failed in self.store.failures()]
        chosen = [failed[number % len(failed)]] if failed else []
        others = [row_id for row_id in self._ids() if row_id not in failed][:2]
        assert self.store.reopen_rows([*chosen, *others], self.now) == len(chosen)
        for row_id in chosen:
            assert self.finished.pop(row_id) == 1

    def delete(self, number: int) -> None:
        articles = self._articles()
        if articles:
            gone = articles[number % len(articles)]
            inbox, failed = self.store.ledger().inbox, len(self.store.failures())
            assert self.store.delete_articles([gone], self.now) == 1
            self.deleted.add(gone)
            ledger = self.store.ledger()
            ended = inbox - ledger.inbox
            assert ended >= 0 and failed >= len(self.store.failures())
            for row_id in self._open_rows_ended(ended):
                self.finished[row_id] += 1

    def _open_rows_ended(self, count: int) -> list[str]:
        """Rows without a known end that have no payload: those that the delete has ended."""
        known = self.store.get_rows(self._ids())
        found = [row_id for row_id in known if row_id not in self.finished and not known[row_id].entry.title]
        assert len(found) == count
        return found

    def prune(self, days: int, limit: int) -> None:
        before = self.now - days * DAY
        articles = {article.id: article for article in self.store.scan()}
        open_rows = [row_id for row_id in self._ids() if row_id not in self.finished]
        expected = self.store.would_prune(before)
        assert prune_all(self.store, before, limit) == expected
        left = set(self._articles())
        assert left == {name for name, article in articles.items() if from_iso(article.timestamp) >= before}
        assert set(open_rows) <= set(self.store.get_rows(open_rows)), "what is in the inbox stays"
        self._resync()

    def holds(self) -> None:
        super().holds()
        assert not self.deleted & set(self._articles()), "what was deleted does not come back"


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.tuples(STEPS, st.lists(MORE_STEPS, max_size=8)).flatmap(lambda both: st.permutations(both[0] + both[1])))
def test_the_ledger_balances_under_upkeep(new_store: Callable[[], Store], steps: list[tuple[Any, ...]]) -> None:
    run = Upkeep(new_store())
    for name, *values in steps:
        getattr(run, name)(*values)
        run.holds()
    assert run.store.check() == []
    run.store.close()
