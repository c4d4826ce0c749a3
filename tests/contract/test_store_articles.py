"""Articles: what writing a draft does, revisions, patches, and finding them."""

from __future__ import annotations

from typing import Any

import pytest

from newsbeam import identity
from newsbeam.records import Evidence, Extraction, RowResult, Source, Span, TopicDetail, from_iso, to_iso
from newsbeam.search import Query, parse_query
from newsbeam.stores import Store
from newsbeam.stores.base import Patch
from tests.contract.samples import ALICE, BOB, DAY, MINUTE, NOW, UNTIL, draft, entity, feed, poll, row, titles, write

LATER = NOW + MINUTE


def change(store: Store, key: str, number: int, *, of: Any = None, **fields: Any) -> Any:
    """Polls an entry's next change and writes it; the result."""
    of = of or feed()
    (made,) = poll(store, [row(key, of=of, change=number, poll=number + 1)], of=of, number=number + 1)
    (result,) = store.write_articles([draft(made, **fields)], LATER)
    return result


# --- writing


def test_a_new_article_is_kept_whole(store: Store, other: Store) -> None:
    (made,) = poll(store, [row("a", guid="tag:a")])
    details = (entity("Fumio Kishida", "person", "Kishida", "Mr Kishida")._replace(spans=(Span("body", 4, 11),)),)
    topics = (TopicDetail("pact", "The pact", 0.75, (Evidence("r1", "pact", "title", 0, 4),), "v1"),)
    given = draft(
        made, title="Ein „Titel“ & <b>", summary="S", body="岸田首相 \n\n b", authors=("A. B.",), language="ja",
        canonical_url="https://daily.example/canonical/a", image="https://daily.example/a.png", categories=("World",),
        published_at="2026-11-24T10:00:00.000Z", published_from="feed", updated_at="2026-11-24T11:00:00.000Z",
        timestamp="2026-11-24T10:00:00.000Z", entities=("Fumio Kishida",), people=("Fumio Kishida",),
        entity_details=details, topics=("pact",), topic_details=topics, words=3,
        extraction=Extraction("sample", "1", "short", True, "why"), labels=("date absurd",),
    )  # fmt: skip
    (result,) = store.write_articles([given], LATER)
    assert (result.row_id, result.fence, result.outcome, result.reason) == (made.id, made.fence, "new", None)
    assert (result.article_id, tuple(result.labels)) == (given.article.id, ("date absurd",))
    assert (result.job, result.tick) == (ALICE.job, ALICE.tick)
    kept = other.get_articles([given.article.id, "nothing"])[given.article.id]
    same = (
        "title", "summary", "body", "authors", "language", "canonical_url", "image", "categories", "published_at",
        "published_from", "updated_at", "timestamp", "entities", "people", "entity_details", "topics",
        "topic_details", "words", "extraction", "guid", "url", "source", "content_hash", "text_from",
    )  # fmt: skip
    assert {name: getattr(kept, name) for name in same} == {name: getattr(given.article, name) for name in same}
    assert (kept.revision, kept.version, kept.status, kept.story_id) == (1, 1, "active", kept.id)
    assert (kept.observed_at, kept.indexed_at) == (to_iso(NOW), to_iso(LATER))
    assert [(ref.id, ref.key, ref.row, ref.outcome) for ref in kept.feeds] == [("feed-a", "a", made.id, "new")]
    assert store.get_rows([made.id])[made.id].article_id == kept.id
    assert store.check() == []


def test_the_row_is_complete_and_on_record(store: Store) -> None:
    made = poll(store, [row("a"), row("b")])
    store.write_articles([draft(made[0], labels=("feed text only",)), draft(made[1])], NOW)
    ledger = store.ledger(ALICE.job, ALICE.tick)
    assert (ledger.new, ledger.inbox, dict(ledger.labels)) == (2, 0, {"feed text only": 1})
    assert store.take_rows(BOB, UNTIL, UNTIL + 1, 9) == []


def test_changed_content_is_a_revision_and_the_former_is_kept(store: Store) -> None:
    change(store, "a", 0, body="First.")
    result = change(store, "a", 1, body="Second.", read_at=LATER)
    assert result.outcome == "revised"
    change(store, "a", 2, body="Third.", read_at=LATER + 1)
    article = store.get_articles([result.article_id])[result.article_id]
    assert (article.body, article.revision, article.version) == ("Third.", 3, 3)
    former = store.revisions(result.article_id)
    assert [(kept.revision, kept.body) for kept in former] == [(1, "First."), (2, "Second.")]
    assert store.revisions("nothing") == []
    assert store.check() == []


def test_the_same_content_again_is_unchanged(store: Store) -> None:
    change(store, "a", 0)
    result = change(store, "a", 1, read_at=LATER)
    assert result.outcome == "unchanged"
    article = store.get_articles([result.article_id])[result.article_id]
    assert (article.revision, article.version) == (1, 2), "its feeds[] names the row, so it was written"
    assert store.revisions(result.article_id) == []


def test_page_text_in_place_of_feed_text_is_an_upgrade(store: Store) -> None:
    change(store, "a", 0, text_from="feed", body="Short.")
    result = change(store, "a", 1, body="Much longer.", read_at=LATER)
    assert (result.outcome, tuple(result.labels)) == ("unchanged", ("upgraded",))
    article = store.get_articles([result.article_id])[result.article_id]
    assert (article.text_from, article.body, article.revision) == ("page", "Much longer.", 1)
    assert titles(store, "longer") == [article.title]
    assert titles(store, "short") == []


def test_an_older_change_after_a_newer_one_is_superseded(store: Store) -> None:
    (old,) = poll(store, [row("a")])
    result = change(store, "a", 1, body="New.")
    (superseded,) = store.write_articles([draft(old, body="Old.")], LATER)
    assert (superseded.outcome, superseded.reason) == ("skipped", "superseded")
    article = store.get_articles([result.article_id])[result.article_id]
    assert (article.body, article.version) == ("New.", 1)
    assert dict(store.ledger().skipped) == {"superseded": 1}


def test_content_read_before_the_stored_one_never_becomes_current(store: Store) -> None:
    change(store, "a", 0, body="Read late.", read_at=LATER)
    (made,) = poll(store, [row("a", of=feed("feed-b"))], of=feed("feed-b"))
    (result,) = store.write_articles([draft(made, body="Read early.", read_at=NOW)], LATER)
    assert result.outcome == "unchanged"
    article = store.get_articles([result.article_id or ""])[result.article_id or ""]
    assert (article.body, article.revision) == ("Read late.", 1)
    assert from_iso(article.observed_at) == LATER


def test_two_feeds_that_lead_to_one_page_are_one_article(store: Store) -> None:
    change(store, "a", 0, of=feed("feed-b"))
    result = change(store, "a", 0, of=feed("feed-a"))
    article = store.get_articles([result.article_id])[result.article_id]
    assert [ref.id for ref in article.feeds] == ["feed-a", "feed-b"]
    assert article.revision == 1


def test_drafts_of_one_article_in_one_batch_are_all_taken_in(store: Store) -> None:
    feeds = [feed(f"feed-{number}") for number in range(4)]
    drafts = [draft(made) for of in feeds for made in poll(store, [row("a", of=of)], of=of)]
    results = store.write_articles(drafts, LATER)
    assert sorted(result.outcome or "" for result in results) == ["new", "unchanged", "unchanged", "unchanged"]
    assert len({result.article_id for result in results}) == 1
    article = store.get_articles([results[0].article_id or ""])[results[0].article_id or ""]
    assert ([ref.id for ref in article.feeds], article.version) == ([of.id for of in feeds], 4)


def test_a_clash_goes_by_its_own_link(store: Store) -> None:
    consent = "https://daily.example/consent"
    made = poll(store, [row("a"), row("b")])
    first = draft(made[0], id=identity.url_id(consent), title="The election", body="All about the votes counted.")
    second = draft(made[1], id=identity.url_id(consent), title="A football match", body="Nil to nil, once more.")
    results = store.write_articles([first, second], NOW)
    assert [result.outcome for result in results] == ["new", "new"]
    assert tuple(results[1].labels) == ("clash",)
    assert results[1].article_id == identity.url_id(made[1].entry.link)
    assert len(store.get_articles([result.article_id or "" for result in results])) == 2


def test_a_row_stays_with_the_article_that_its_entry_wrote(store: Store) -> None:
    result = change(store, "a", 0)
    (second,) = poll(
        store, [row("a", change=1, poll=2, previous=row("a").id, link="https://daily.example/moved")], number=2
    )
    (moved,) = store.write_articles([draft(second, read_at=LATER, body="It has moved.")], LATER)
    assert (moved.article_id, moved.outcome) == (result.article_id, "revised")


def test_a_row_that_was_taken_before_its_entry_had_an_article_still_finds_it(store: Store) -> None:
    (first,) = poll(store, [row("a")])
    (second,) = poll(
        store, [row("a", change=1, poll=2, previous=first.id, link="https://daily.example/moved")], number=2
    )
    results = store.write_articles([draft(first), draft(second, read_at=LATER, body="It has moved.")], LATER)
    assert [result.outcome for result in results] == ["new", "revised"]
    assert results[0].article_id == results[1].article_id


@pytest.mark.parametrize("lost", ["taken over", "put off", "completed", "wrong fence"])
def test_a_draft_whose_lease_was_lost_is_left_out(store: Store, lost: str) -> None:
    made, good = poll(store, [row("a"), row("b")], until=NOW + 5)
    if lost == "taken over":
        store.take_rows(BOB, NOW + 5, UNTIL, 1) + store.take_rows(BOB, NOW + 5, UNTIL, 9)
    elif lost == "put off":
        store.finish_rows([RowResult(made.id, made.fence, route="busy", due_at=NOW)])
    elif lost == "completed":
        store.finish_rows([RowResult(made.id, made.fence, "skipped", "other")])
    else:
        made = made._replace(fence=made.fence + 1)
    results = store.write_articles([draft(made), draft(good)], NOW)
    assert [result.row_id for result in results] == ([] if lost == "taken over" else [good.id])
    assert store.get_articles([draft(made).article.id]) == {}
    assert store.check() == []


def test_a_batch_written_twice_is_written_once(store: Store) -> None:
    drafts = [draft(made) for made in poll(store, [row("a"), row("b")])]
    assert len(store.write_articles(drafts, NOW)) == 2
    before = store.get_articles([given.article.id for given in drafts])
    assert store.write_articles(drafts, LATER) == []
    assert store.get_articles([given.article.id for given in drafts]) == before
    assert (store.ledger().new, store.status().articles) == (2, 2)


def test_nothing_is_written_for_nothing(store: Store) -> None:
    assert store.write_articles([], NOW) == []
    assert store.finish_rows([]) == []
    assert store.patch_articles([], NOW) == 0
    assert store.get_articles([]) == {}
    assert store.get_rows([]) == {}
    assert store.claim_feeds([], ALICE, NOW, UNTIL) == {}


# --- patches


def test_a_patch_replaces_derived_fields_once(store: Store, refresh: Any) -> None:
    (article_id,) = write(store, {"title": "A"})
    detail = {"id": "pact", "label": "The pact", "score": 0.5, "evidence": [], "rules_version": "v2"}
    patch = Patch(article_id, {"topics": ["pact"], "topic_details": [detail], "story_id": "s1", "copy_of": "c1"})
    assert store.patch_articles([patch], LATER) == 1
    assert store.patch_articles([patch], LATER + 1) == 0
    article = store.get_articles([article_id])[article_id]
    assert (list(article.topics), article.story_id, article.copy_of) == (["pact"], "s1", "c1")
    assert (article.version, article.revision, article.indexed_at) == (2, 1, to_iso(LATER))
    assert article.topic_details[0].label == "The pact"
    refresh()
    assert titles(store, filters={"topic": ["pact"], "story": ["s1"]}) == ["A"]
    assert store.check() == []


def test_a_patch_holds_for_its_content_alone(store: Store) -> None:
    (article_id,) = write(store, {"title": "A"})
    content = store.get_articles([article_id])[article_id].content_hash
    assert store.patch_articles([Patch(article_id, {"topics": ["x"]}, "another content")], LATER) == 0
    assert store.patch_articles([Patch("nothing", {"topics": ["x"]})], LATER) == 0
    assert store.patch_articles([Patch(article_id, {"topics": ["x"]}, content)], LATER) == 1


def test_patches_of_one_article_add_up(store: Store) -> None:
    (article_id,) = write(store, {"title": "A"})
    patches = [Patch(article_id, {"topics": ["x"]}), Patch(article_id, {"story_id": "s"})]
    assert store.patch_articles(patches, LATER) == 1, "one article"
    article = store.get_articles([article_id])[article_id]
    assert (list(article.topics), article.story_id) == (["x"], "s")


def test_a_deleted_article_is_a_tombstone(store: Store, refresh: Any) -> None:
    gone, _ = write(store, {"title": "Gone away", "people": ("Nobody",)}, {"title": "Still here"})
    store.patch_articles([Patch(gone, {"status": "deleted"})], LATER)
    refresh()
    assert titles(store, "gone") == []
    assert titles(store) == ["Still here"]
    assert titles(store, filters={"person": ["Nobody"]}) == []
    assert store.search(parse_query("")).facets["person"] == ()
    assert [article.title for article in store.scan()] == ["Still here"]
    assert store.get_articles([gone])[gone].status == "deleted"
    assert (store.status().articles, store.status().deleted) == (1, 1)
    result = change(store, "entry-0", 5, title="Gone away", body="Back?", read_at=LATER + DAY)
    assert (result.outcome, result.reason) == ("skipped", "deleted")
    assert store.check() == []
    store.patch_articles([Patch(gone, {"status": "active"})], LATER)
    refresh()
    assert titles(store, "gone") == ["Gone away"]
    assert store.check() == []


# --- finding


def test_an_article_is_found_by_id_and_by_its_addresses(store: Store) -> None:
    (article_id,) = write(
        store,
        {
            "url": "https://m.daily.example/News/A?id=1",
            "canonical_url": "https://daily.example/News/A",
            "id": identity.url_id("https://daily.example/key"),
        },
    )
    for known in (
        article_id,
        "https://daily.example/key",
        "http://daily.example/key?utm_source=x#top",
        "https://m.daily.example/News/A?id=1",
        "http://m.daily.example/News/A?id=1&fbclid=x",
        " https://daily.example/News/A ",
    ):
        found = store.find_article(known)
        assert found is not None and found.id == article_id, known
    for unknown in ("", "https://", "nothing", "https://daily.example/news/a", "https://daily.example/", "\ud800"):
        assert store.find_article(unknown) is None, unknown


def test_the_article_of_an_address_comes_before_one_that_only_declares_it(store: Store) -> None:
    _, right = write(
        store,
        {"id": "1" * 32, "url": "https://daily.example/x", "canonical_url": "https://daily.example/a"},
        {"id": "2" * 32, "url": "https://daily.example/a"},
    )
    found = store.find_article("https://daily.example/a")
    assert found is not None and found.id == right


def test_scan_gives_all_that_match_by_time_and_id(store: Store, refresh: Any) -> None:
    of = [
        {"title": f"T{number}", "timestamp": to_iso(NOW - (number % 3) * DAY), "source": Source("s")}
        for number in range(7)
    ]
    write(store, *of)
    refresh()
    found = list(store.scan())
    assert len(found) == 7
    assert [(article.timestamp, article.id) for article in found] == sorted((a.timestamp, a.id) for a in found)
    assert {article.title for article in store.scan(parse_query("T3 ", limit=0))} == {"T3"}
    assert len(list(store.scan(Query(since=NOW - DAY)))) == 5


def test_the_store_may_be_written_while_it_is_scanned(store: Store) -> None:
    ids = write(store, *({"title": f"T{number}"} for number in range(5)))
    seen = []
    for article in store.scan():
        store.patch_articles([Patch(article.id, {"story_id": "s"})], LATER)
        seen.append(article.id)
    assert sorted(seen) == sorted(ids)
