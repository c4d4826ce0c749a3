"""Takedown: what a deleted article says is gone wherever it was kept, and does not come back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from newsbeam import identity
from newsbeam.records import Article, RowResult, to_document, to_iso
from newsbeam.search import parse_query
from newsbeam.stores import Store
from newsbeam.stores.base import Patch
from tests.contract.samples import ALICE, BOB, DAY, NOW, draft, entity, feed, poll, row, titles, write

LATER = NOW + DAY
SECRET = "Zanzibar"
CANONICAL = "https://daily.example/stories/one"


def rich(key: str = "a", **fields: Any) -> dict[str, Any]:
    """The fields of an article that says SECRET wherever it can."""
    return {
        "key": key,
        "title": f"{SECRET} is told",
        "summary": f"About {SECRET}.",
        "body": f"All of it: {SECRET}.",
        "authors": (f"{SECRET} Writer",),
        "image": f"https://daily.example/{SECRET}.jpg",
        "categories": (SECRET,),
        "entities": (SECRET,),
        "places": (SECRET,),
        "entity_details": (entity(SECRET, "place"),),
        "topics": ("pact",),
        "published_at": to_iso(NOW - DAY),
        "published_from": "feed",
        "timestamp": to_iso(NOW - DAY),
        "words": 4,
    } | fields


def get(store: Store, article_id: str) -> Article:
    return store.get_articles([article_id])[article_id]


def test_a_tombstone_says_nothing_and_is_known_again(store: Store, refresh: Callable[[], None]) -> None:
    gone, kept = write(store, rich(canonical_url=CANONICAL), {"key": "b", "title": "Kept"})
    store.patch_articles([Patch(gone, {"story_id": "s", "copy_of": kept})], NOW)
    before = get(store, gone)

    assert store.delete_articles([gone, "nothing"], LATER) == 1

    refresh()
    after = get(store, gone)
    assert SECRET not in str(to_document(after, internal=True))
    assert after.status == "deleted" and after.version == before.version + 1 and after.indexed_at == to_iso(LATER)
    for name in ("id", "url", "canonical_url", "source", "feeds", "first_seen_at", "revision"):
        assert getattr(after, name) == getattr(before, name), name
    assert (after.story_id, after.copy_of, after.content_hash, after.published_at, after.words) == (
        None, None, "", None, 0,
    )  # fmt: skip
    assert after.timestamp == after.first_seen_at
    assert titles(store) == [article.title for article in store.scan()] == ["Kept"]
    assert titles(store, SECRET) == titles(store, "", filters={"place": [SECRET]}) == []
    facets = store.search(parse_query("")).facets
    assert not facets["place"] and not facets["topic"] and facets["source"][0].count == 1
    assert (store.status().articles, store.check()) == (1, [])


def test_deleting_twice_is_no_write(store: Store) -> None:
    (gone,) = write(store, rich())
    assert store.delete_articles([gone, gone], LATER) == 1
    status, tombstone = store.status(), get(store, gone)
    assert store.delete_articles([gone], LATER + 1) == 0
    assert get(store, gone) == tombstone
    assert store.status()._replace(size_bytes=0) == status._replace(size_bytes=0)


def test_its_former_contents_are_gone(store: Store) -> None:
    (first,) = poll(store, [row("a")])
    (result,) = store.write_articles([draft(first, body=f"{SECRET} first.")], NOW)
    (second,) = poll(store, [row("a", poll=2, change=1, previous=first.id)], number=2)
    store.write_articles([draft(second, body=f"{SECRET} second.", read_at=NOW + 5)], NOW)
    gone = result.article_id or ""
    assert len(store.revisions(gone)) == store.status().revisions == 1
    store.delete_articles([gone], LATER)
    assert (store.revisions(gone), store.status().revisions) == ([], 0)
    assert get(store, gone).revision == 2


@pytest.mark.parametrize("known_by", ["row", "previous", "link"])
@pytest.mark.parametrize("state", ["failed", "waiting", "held"])
def test_its_rows_lose_their_payload(store: Store, other: Store, known_by: str, state: str) -> None:
    (first,) = poll(store, [row("a")])
    (result,) = store.write_articles([draft(first)], NOW)
    gone = result.article_id or ""
    fields = {
        "row": {"article_id": gone, "link": "https://daily.example/elsewhere"},
        "previous": {"previous": first.id, "link": "https://daily.example/elsewhere"},
        "link": {"link": first.entry.link + "?utm_source=b#x"},
    }[known_by]
    of = feed("feed-b")
    made, innocent = poll(store, [row("b", of=of, text=SECRET, **fields), row("c", of=of)], of=of, holder=BOB)
    if state == "failed":
        store.finish_rows([RowResult(made.id, made.fence, "failed", "timeout", f"fetch: {SECRET}")])
        assert store.failures()[0].row.entry.text == SECRET
    elif state == "waiting":
        store.finish_rows([RowResult(made.id, made.fence, route="later", due_at=LATER)])

    other.delete_articles([gone], NOW + 5)

    assert store.get_rows([made.id])[made.id].entry.text == ""
    assert store.failures() == []
    ledger = store.ledger()
    assert (ledger.skipped, ledger.failed, ledger.inbox, ledger.balances()) == ({"deleted": 1}, {}, 1, True)
    assert store.ledger(BOB.job).skipped == ({} if state == "waiting" else {"deleted": 1})
    assert store.finish_rows([RowResult(made.id, made.fence, "failed", "gone")]) == [], "its holder has lost it"
    assert store.write_articles([draft(made)], LATER) == []
    assert store.get_rows([innocent.id])[innocent.id].entry == innocent.entry
    assert store.take_rows(ALICE, LATER, LATER + DAY, 9)[0].id == innocent.id
    assert store.reopen_rows([made.id], LATER) == 0
    assert store.check() == []


def test_the_row_of_another_article_is_left(store: Store) -> None:
    """Its link names the deleted one, but what it wrote before is another (its page has a canonical address)."""
    gone, kept = write(store, {"key": "a"}, {"key": "b", "id": "f" * 32})
    (made,) = poll(store, [row("b", poll=2, change=1, article_id=kept, link="https://daily.example/news/a")], number=2)
    store.delete_articles([gone], LATER)
    assert store.finish_rows([RowResult(made.id, made.fence, "failed", "x")])
    assert store.failures()[0].row.entry == made.entry


def test_what_comes_later_is_skipped(store: Store) -> None:
    (gone,) = write(store, rich())
    store.delete_articles([gone], LATER)
    tombstone = get(store, gone)
    b = feed("feed-b")
    made = [
        *poll(store, [row("a", poll=2, change=1)], number=2),
        *poll(store, [row("b", of=b, link="https://daily.example/news/a")], of=b),
    ]
    results = store.write_articles([draft(one, body=f"{SECRET} again.", read_at=LATER) for one in made], LATER)
    assert [(result.outcome, result.reason) for result in results] == [("skipped", "deleted")] * 2
    assert get(store, gone) == tombstone
    assert store.check() == []


def test_it_does_not_come_back_under_its_address_alone(store: Store) -> None:
    """Known by its canonical address, it comes again without its page: in a file, or when the page is gone."""
    url = "https://daily.example/news/a"
    gone = identity.url_id(CANONICAL)
    (first,) = poll(store, [row("a", link=url)])
    store.write_articles([draft(first, id=gone, url=url, canonical_url=CANONICAL)], NOW)
    store.delete_articles([gone], LATER)
    b = feed("feed-b")
    (made,) = poll(store, [row("b", of=b, link=url)], of=b)
    (result,) = store.write_articles([draft(made, text_from="feed")], LATER)
    assert (result.outcome, result.reason) == ("skipped", "deleted")
    assert (store.status().articles, store.check()) == (0, [])
    assert store.delete_articles([gone, identity.url_id(url)], LATER) == 0


def test_another_article_under_its_address_is_left(store: Store) -> None:
    url = "https://daily.example/news/a"
    gone, kept = write(
        store,
        {"key": "x", "id": identity.url_id(CANONICAL), "url": url, "canonical_url": CANONICAL},
        {"key": "y", "id": identity.url_id(url), "url": url, "title": "Another"},
    )
    store.delete_articles([gone], LATER)
    assert (get(store, kept).status, get(store, kept).title) == ("active", "Another")


def test_an_address_without_a_path_stands_for_no_article(store: Store) -> None:
    (first,) = poll(store, [row("a", link="https://daily.example/", guid="one")])
    (result,) = store.write_articles([draft(first)], NOW)
    gone = result.article_id or ""
    store.delete_articles([gone], LATER)
    assert store.get_articles([identity.url_id("https://daily.example/")]) == {}
    of = feed("feed-b")
    (made,) = poll(store, [row("b", of=of, link="https://daily.example/", guid="two")], of=of)
    assert [result.outcome for result in store.write_articles([draft(made)], LATER)] == ["new"]


def test_a_patch_made_from_its_content_does_not_reach_it(store: Store) -> None:
    (gone,) = write(store, rich())
    content = get(store, gone).content_hash
    store.delete_articles([gone], LATER)
    assert store.patch_articles([Patch(gone, {"places": [SECRET]}, content)], LATER) == 0


def test_it_does_not_come_back_by_another_address_of_the_same_page(store: Store) -> None:
    gone = identity.url_id(CANONICAL)
    (first,) = poll(store, [row("a")])
    store.write_articles([draft(first, id=gone, canonical_url=CANONICAL)], NOW)
    store.delete_articles([gone], LATER)
    of = feed("feed-b")
    (made,) = poll(store, [row("b", of=of, link="https://daily.example/amp/a")], of=of)
    (result,) = store.write_articles([draft(made, id=gone, canonical_url=CANONICAL)], LATER)
    assert (result.outcome, result.reason) == ("skipped", "deleted")
