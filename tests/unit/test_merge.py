"""Merging: the order in which drafts arrive makes no difference to the article."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsbeam import identity
from newsbeam.merge import CLASH, FEED_TEXT_ONLY, UPGRADED, Merged, merge_draft, merge_patch, place
from newsbeam.records import (
    Article,
    Draft,
    EntityDetail,
    Entry,
    EntryRow,
    Evidence,
    Extraction,
    Feed,
    Source,
    Span,
    TopicDetail,
    from_iso,
    to_iso,
)

NOW = 1_790_000_000_000
LINK = "https://daily.example/news/a"


def make(
    feed: str = "a", *, change: int = 0, key: str = "k", link: str = LINK, body: str = "The body.", page: bool = True,
    title: str = "", summary: str = "", page_title: str = "Page title", page_summary: str = "",
    read_at: int = NOW, seen_at: int = NOW, dated: bool = True, article_id: str | None = None,
    labels: Sequence[str] = (), **fields: Any,
) -> Draft:  # fmt: skip
    """The draft of an entry of a feed, put together as articles.make_draft does: what a page lacks is borrowed."""
    title, summary = title or f"Title by {feed}", summary or f"Summary by {feed}."
    entry = Entry(key, link=link, title=title, summary=summary)
    source = Source(f"source-{feed}")
    of = Feed(feed, f"https://{feed}.example/f", feed, source)
    row = EntryRow(
        f"row-{feed}-{key}-{change}", of, change + 1, "entry", change, f"hash-{change}", entry, seen_at, seen_at,
        article_id=article_id,
    )  # fmt: skip
    borrowed = []
    if page:
        title, summary = page_title or title, page_summary or summary
        borrowed = [name for name, own in (("title", page_title), ("summary", page_summary)) if not own]
    else:
        labels = (*labels, FEED_TEXT_ONLY)
    published_at = to_iso(NOW - 1000 - ord(feed[0])) if dated else None
    values: dict[str, Any] = {
        "id": identity.url_id(link), "revision": 1, "version": 1, "observed_at": to_iso(read_at), "url": link,
        "source": source, "guid": f"guid-{feed}", "authors": (f"Author of {feed}",), "title": title, "summary": summary,
        "body": body, "text_from": "page" if page else "feed", "first_seen_at": to_iso(seen_at),
        "published_at": published_at, "published_from": "feed" if dated else "none",
        "timestamp": published_at or to_iso(seen_at), "extraction": Extraction("sample" if page else "feed", "1"),
    } | fields  # fmt: skip
    values["content_hash"] = identity.content_hash(values["title"], values["summary"], values["body"])
    return Draft(row, Article(**values), read_at, tuple(borrowed), tuple(labels))


def run(*drafts: Draft) -> tuple[Article, list[Merged]]:
    """The article after these, and what merging each gave."""
    stored: Article | None = None
    results = []
    for number, draft in enumerate(drafts):
        results.append(merge_draft(stored, draft, NOW + number))
        stored = results[-1].article or stored
    assert stored is not None
    return stored, results


def outcomes(*drafts: Draft) -> list[str]:
    return [result.outcome for result in run(*drafts)[1]]


# --- order

SAME = (
    "id", "title", "summary", "body", "text_from", "content_hash", "url", "guid", "source", "authors", "published_at",
    "published_from", "timestamp", "first_seen_at", "revision", "canonical_url", "extraction", "language",
)  # fmt: skip


def visible(article: Article) -> dict[str, Any]:
    """What must not depend on order; feeds by id and key, without what each did."""
    return {name: getattr(article, name) for name in SAME} | {
        "feeds": [(ref.id, ref.key, ref.poll) for ref in article.feeds]
    }


SAMPLES = st.lists(
    st.tuples(st.sampled_from("abcd"), st.booleans(), st.integers(0, 3), st.integers(0, 3)),
    min_size=1, max_size=4, unique_by=lambda sample: sample[0],
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(SAMPLES, st.booleans(), st.booleans())
@example([("a", False, 0, 0), ("b", True, 0, 0), ("c", True, 0, 0)], False, True)
@example([("a", True, 0, 0), ("b", True, 1, 1)], False, True)
@example([("a", False, 0, 0), ("b", False, 1, 1)], True, True)
def test_any_order_gives_the_same_article_at_revision_1(
    samples: list[tuple[str, bool, int, int]], page_title: bool, page_summary: bool
) -> None:
    """Feeds that say different things of one page, or of none; the page says one thing."""
    drafts = [
        make(
            feed, page=page, read_at=NOW + read, seen_at=NOW + seen, body="The page." if page else f"Text of {feed}.",
            page_title="Page title" if page_title else "", page_summary="Page summary." if page_summary else "",
        )
        for feed, page, read, seen in samples
    ]  # fmt: skip
    results = [visible(run(*order)[0]) for order in itertools.permutations(drafts)]
    assert all(result == results[0] for result in results)
    assert results[0]["revision"] == 1
    least = min(samples)[0]
    assert results[0]["guid"] == f"guid-{least}", "the owner is the feed with the least id"
    pages = [sample[0] for sample in samples if sample[1]]
    assert results[0]["body"] == ("The page." if pages else f"Text of {least}.")


@settings(deadline=None, max_examples=60)
@given(st.permutations(range(4)), st.sampled_from("abc"))
def test_one_feed_with_a_date_gives_it_whatever_the_order(order: list[int], dated: str) -> None:
    drafts = [make(feed, dated=feed == dated, seen_at=NOW + number) for number, feed in enumerate("abcd")]
    article = run(*(drafts[number] for number in order))[0]
    assert (article.published_from, article.timestamp) == ("feed", to_iso(NOW - 1000 - ord(dated)))


@settings(deadline=None, max_examples=60)
@given(st.permutations(range(3)))
def test_without_any_date_the_earliest_sight_counts(order: list[int]) -> None:
    drafts = [make(feed, dated=False, seen_at=NOW + number) for number, feed in zip((2, 0, 1), "abc", strict=True)]
    article = run(*(drafts[number] for number in order))[0]
    assert (article.first_seen_at, article.timestamp) == (to_iso(NOW), to_iso(NOW))


@settings(deadline=None, max_examples=60)
@given(st.permutations(range(4)))
def test_the_content_read_last_is_current_whatever_the_order(order: list[int]) -> None:
    drafts = [make(feed, body=f"As of {number}.", read_at=NOW + number) for number, feed in enumerate("badc")]
    article, results = run(*(drafts[number] for number in order))
    assert article.body == "As of 3."
    assert article.revision == 1 + sum(result.outcome == "revised" for result in results)


def test_the_same_entry_in_two_feeds_with_different_summaries_is_one_article_and_no_revision() -> None:
    for page in (True, False):
        for order in itertools.permutations([make("a", page=page), make("b", page=page)]):
            article, results = run(*order)
            assert (article.revision, article.summary) == (1, "Summary by a.")
            assert [result.outcome for result in results] == ["new", "unchanged"]
            assert all(result.archived is None for result in results)


def test_two_entries_of_one_feed_that_lead_to_one_page_do_not_revise_it() -> None:
    for order in itertools.permutations([make(key="k1", summary="One."), make(key="k2", summary="Two.")]):
        article, _ = run(*order)
        assert (article.revision, article.summary) == (1, "One.")
        assert [ref.key for ref in article.feeds] == ["k1", "k2"]


# --- revisions and upgrades


def test_a_new_article() -> None:
    draft = make(labels=("date absurd",), read_at=NOW + 5)
    article, (result,) = run(draft)
    assert (result.outcome, result.labels, result.archived) == ("new", ("date absurd",), None)
    assert (article.revision, article.version, article.observed_at) == (1, 1, to_iso(NOW + 5))
    assert article.story_id == article.id
    assert [(ref.row, ref.outcome, tuple(ref.labels)) for ref in article.feeds] == [
        (draft.row.id, "new", ("date absurd",))
    ]


def test_changed_content_is_a_revision_and_the_former_is_archived() -> None:
    first, second = make(), make(change=1, body="Another body.", read_at=NOW + 10)
    article, results = run(first, second)
    assert [result.outcome for result in results] == ["new", "revised"]
    assert (article.revision, article.version, article.body) == (2, 2, "Another body.")
    assert article.observed_at == to_iso(NOW + 10)
    archived = results[1].archived
    assert archived is not None and (archived.revision, archived.body) == (1, "The body.")


def test_a_summary_that_its_own_feed_changes_is_a_revision() -> None:
    article, results = run(make(), make(change=1, summary="Corrected.", read_at=NOW + 1))
    assert (results[1].outcome, article.summary, article.revision) == ("revised", "Corrected.", 2)


def test_a_summary_that_another_feed_changes_is_not() -> None:
    later = make("b", change=1, summary="Corrected.", read_at=NOW + 2)
    article, results = run(make("a"), make("b", read_at=NOW + 1), later)
    assert (results[2].outcome, article.summary, article.revision) == ("unchanged", "Summary by a.", 1)


def test_white_space_and_unicode_forms_are_no_revision() -> None:
    assert outcomes(make(body="Caf\u00e9 au\nlait"), make(change=1, body="Cafe\u0301  au lait ", read_at=NOW + 1)) == [
        "new",
        "unchanged",
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (make("a", page=False, body="Feed."), make("a", change=1, body="Page.", read_at=NOW + 1)),
        (make("a", page=False, body="Feed."), make("b", body="Page.", read_at=NOW - 9)),
        (make("b", page=False, body="Feed b."), make("a", page=False, body="Feed a.", read_at=NOW - 9)),
        (make(body="Old."), make(change=1, body="New.", read_at=NOW + 1, extraction=Extraction("sample", "2"))),
    ],
    ids=["page for feed", "page of another feed, read before", "feed with a lesser id", "newer extractor"],
)
def test_upgrades_are_no_revisions(before: Draft, after: Draft) -> None:
    article, results = run(before, after)
    assert (results[1].outcome, results[1].archived) == ("unchanged", None)
    assert UPGRADED in results[1].labels
    assert (article.body, article.revision) == (after.article.body, 1)
    assert from_iso(article.observed_at) == after.read_at or after.article.text_from == "feed"


def test_a_page_read_before_the_feeds_text_does_not_hide_the_next_reading() -> None:
    feed_text = make("a", page=False, body="Feed.", read_at=NOW + 50)
    first, second = make("b", body="Page.", read_at=NOW), make("b", change=1, body="Corrected.", read_at=NOW + 20)
    article, _ = run(feed_text, first, second)
    assert (article.body, article.revision) == ("Corrected.", 2)


def test_an_entry_that_comes_back_after_it_was_forgotten_counts_again() -> None:
    """Its change count starts at 0 again; its poll does not."""
    first, last = make(change=3), make(change=0, body="Corrected.", read_at=NOW + 9)
    article, _ = run(first, last._replace(row=last.row._replace(id="later", poll=9)))
    assert article.body == "Corrected."


def test_guids_that_change_at_every_poll_do_not_grow_an_article_for_ever() -> None:
    drafts = [make("a", key=f"guid-{number:03d}", change=number) for number in range(30)]
    article, results = run(*drafts, make("b"))
    kept = [ref.key for ref in article.feeds if ref.id == "a"]
    assert kept == ["guid-000", *(f"guid-{n:03d}" for n in range(23, 30))]
    assert {result.outcome for result in results[1:]} == {"unchanged"}


def test_what_was_found_in_a_summary_that_is_not_taken_goes_with_it() -> None:
    stored, later = (
        make("a", page_title="T", body="Old.", page_summary=""),
        make("b", change=1, body="New.", read_at=NOW + 9),
    )
    spans = (Span("summary", 0, 5), Span("body", 0, 3))
    details = (
        EntityDetail("Macron", "person", 1, False, ("Macron",), spans[:1]),
        EntityDetail("New", "place", 2, False, ("New",), spans),
    )
    topic = TopicDetail("nato", "NATO", 0.9, (Evidence("r", "x", "summary", 0, 5),), "1")
    article = later.article._replace(
        entity_details=details, people=("Macron",), places=("New",), entities=("Macron", "New"),
        topics=("nato",), topic_details=(topic,),
    )  # fmt: skip
    merged, _ = run(stored, later._replace(article=article, borrowed=("summary",)))
    assert merged.summary == stored.article.summary and merged.body == "New."
    assert (merged.people, merged.places, merged.topics, merged.topic_details) == ((), ("New",), (), ())


EVIL = {"source": Source("evil", "Evil", "evil.example"), "url": "https://evil.example/x"}


def test_an_entry_that_led_elsewhere_before_does_not_bring_its_own_page_there() -> None:
    """A redirect to another publisher's page first, a page of one's own later."""
    good = make("good")
    stored = merge_draft(None, good, NOW).article
    assert stored
    later = make("evil", change=1, body="Bought by us.", read_at=NOW + 9, article_id=stored.id, **EVIL)
    own = identity.url_id("https://evil.example/x")
    moved, found = place(later._replace(article=later.article._replace(id=own)), {stored.id: stored}.get)
    assert (moved.article.id, found) == (own, None)


def test_a_canonical_on_another_host_needs_the_same_text() -> None:
    good = make("good", page_title="Ministers sign a radar pact")
    stored = merge_draft(None, good, NOW).article
    assert stored
    claim = make("evil", body="Quite another text.", page_title="Ministers sign a radar pact", read_at=NOW + 9, **EVIL)
    claim = claim._replace(row=claim.row._replace(entry=claim.row.entry._replace(link=EVIL["url"])))
    moved, _ = place(claim, {stored.id: stored}.get)
    assert moved.article.id == identity.url_id("https://evil.example/x") and CLASH in moved.labels
    same = claim._replace(article=claim.article._replace(body=stored.body))
    assert place(same, {stored.id: stored}.get)[1] == stored


def test_the_publishers_own_entry_goes_before_any_other_feeds() -> None:
    aggregator = make("aaa", source=Source("evil", "Evil", "evil.example"), published_at="2001-01-01T00:00:00.000Z")
    own = make("zzz", source=Source("daily", "Daily", "daily.example"))
    for drafts in ((aggregator, own), (own, aggregator)):
        article, _ = run(*drafts)
        assert (article.source.id, article.published_at) == ("daily", own.article.published_at)


def test_feed_text_never_replaces_a_page() -> None:
    article, results = run(make("b"), make("a", page=False, body="Feed.", read_at=NOW + 9))
    assert (article.body, article.text_from, results[1].outcome) == ("The body.", "page", "unchanged")
    assert (article.guid, article.source.id) == ("guid-a", "source-a"), "but its feed owns the rest"


def test_content_read_before_the_stored_one_is_history() -> None:
    for read_at in (NOW - 1, NOW):
        article, results = run(make("a", body="Current."), make("b", body="Former.", read_at=read_at))
        assert (article.body, article.revision, results[1].outcome) == ("Current.", 1, "unchanged")
        assert [ref.id for ref in article.feeds] == ["a", "b"]


def test_a_clock_set_back_loses_nothing() -> None:
    first = run(make(read_at=NOW + 1000))[0]
    second = merge_draft(
        first, make(change=1, body="Page.", extraction=Extraction("other", "1"), read_at=NOW + 1001), NOW
    )
    assert second.article is not None
    assert from_iso(second.article.observed_at) == NOW + 1001


def test_a_date_that_the_owner_stops_giving_stays() -> None:
    article, _ = run(make(), make(change=1, dated=False))
    assert article.published_from == "feed"
    assert article.timestamp == article.published_at


def test_a_row_that_runs_again_reports_its_first_outcome() -> None:
    drafts = [make(labels=("x",)), make(change=1, body="B.", read_at=NOW + 1), make("b", page=False)]
    article, results = run(*drafts)
    first, again = merge_draft(None, drafts[0], NOW), merge_draft(run(drafts[0])[0], drafts[0], NOW)
    assert (again.article, again.outcome, again.labels) == (None, first.outcome, first.labels)
    for draft, result in zip(drafts[1:], results[1:], strict=True):
        again = merge_draft(article, draft, NOW + 99)
        assert (again.article, again.archived) == (None, None)
        assert (again.outcome, tuple(again.labels)) == (result.outcome, tuple(result.labels))


def test_an_older_change_is_superseded() -> None:
    article, results = run(make(change=2), make(change=1, body="Old.", read_at=NOW + 1))
    assert (results[1].outcome, results[1].reason, results[1].article) == ("skipped", "superseded", None)
    assert article.body == "The body."


def test_two_rows_of_one_change_are_both_taken_in() -> None:
    """A poll that is repeated may find the entry changed once more, under the same change count."""
    second = make(change=1, body="Second.", read_at=NOW + 1)
    third = make(change=1, body="Third.", read_at=NOW + 2)
    third = third._replace(row=third.row._replace(id="another row"))
    article, results = run(make(), second, third)
    assert [result.outcome for result in results] == ["new", "revised", "revised"]
    assert article.body == "Third."


def test_a_patch_does_not_reach_what_was_taken_down() -> None:
    article, _ = run(make())
    gone = article._replace(status="deleted")
    assert merge_patch(gone, {"story_id": "other"}, None, NOW) is None
    assert merge_patch(gone, {"status": "active"}, None, NOW) is not None


def test_nothing_comes_back_after_a_delete() -> None:
    tombstone = run(make())[0]._replace(status="deleted")
    result = merge_draft(tombstone, make(change=1, body="Back."), NOW)
    assert (result.article, result.outcome, result.reason) == (None, "skipped", "deleted")


def test_every_write_is_a_version() -> None:
    drafts = [make(feed, change=change, read_at=NOW + change) for change in range(3) for feed in "ba"]
    article, results = run(*drafts)
    assert article.version == sum(result.article is not None for result in results) == 6


def test_places_in_a_text_that_was_not_taken_are_not_taken_either() -> None:
    """Another feed's page is current, but the summary that it lacks stays the owner's."""
    details = (EntityDetail("X", "person", 2, False, ("X",), (Span("summary", 0, 1), Span("body", 0, 1))),)
    topics = (TopicDetail("t", "T", 1.0, (Evidence("r", "X", "summary", 0, 1), Evidence("r", "X", "body", 0, 1)), "1"),)
    second = make("b", body="X is new.", read_at=NOW + 1, entity_details=details, topic_details=topics)
    article, _ = run(make("a"), second)
    assert (article.body, article.summary) == ("X is new.", "Summary by a.")
    assert [span.field for span in article.entity_details[0].spans] == ["body"]
    assert [evidence.field for evidence in article.topic_details[0].evidence] == ["body"]


# --- where a draft belongs


def placed(draft: Draft, *stored: Article) -> tuple[Draft, Article | None]:
    return place(draft, {article.id: article for article in stored}.get)


def test_a_canonical_that_many_pages_share_is_a_clash() -> None:
    shared = identity.url_id("https://daily.example/consent")
    first = run(make(id=shared, page_title="The election", body="All the votes were counted today."))[0]
    other = make("b", link="https://daily.example/news/b", id=shared, page_title="Football", body="Nil to nil again.",
                 canonical_url="https://daily.example/consent")  # fmt: skip
    draft, stored = placed(other, first)
    assert stored is None
    assert draft.article.id == identity.url_id("https://daily.example/news/b")
    assert (CLASH in draft.labels, draft.article.canonical_url) == (True, None)
    again, stored = placed(other, first, run(draft)[0])
    assert (again.article.id, stored is not None) == (draft.article.id, True)


@pytest.mark.parametrize(
    "same",
    [
        {"link": LINK, "body": "Another text altogether.", "page_title": "Another"},
        {"link": "https://daily.example/amp/a", "page_title": "The election", "body": "Shorter."},
        {
            "link": "https://daily.example/amp/a",
            "page_title": "Altogether other",
            "body": "All the votes were counted.",
        },
    ],
    ids=["link", "title", "text"],
)
def test_the_same_link_title_or_text_is_no_clash(same: dict[str, Any]) -> None:
    first = run(make(page_title="The election", body="All the votes were counted today."))[0]
    draft, stored = placed(make("b", id=first.id, **same), first)
    assert (stored, draft.labels) == (first, ())


def test_an_entry_stays_with_the_article_that_it_wrote() -> None:
    first = run(make())[0]
    moved = make(change=1, link="https://daily.example/elsewhere", article_id=first.id, body="Altogether other.")
    draft, stored = placed(moved, first)
    assert (draft.article.id, stored) == (first.id, first)
    draft, stored = placed(moved)
    assert (draft.article.id, stored) == (moved.article.id, None), "where that is gone, it goes by its own key"


# --- patches


def test_a_patch() -> None:
    article = run(make())[0]
    patched = merge_patch(article, {"topics": ["t"], "story_id": "s"}, article.content_hash, NOW + 5)
    assert patched is not None
    assert (tuple(patched.topics), patched.story_id, patched.version, patched.revision) == (("t",), "s", 2, 1)
    assert patched.indexed_at == to_iso(NOW + 5)
    assert merge_patch(patched, {"topics": ["t"]}, None, NOW + 6) is None
    assert merge_patch(patched, {"topics": []}, "another content", NOW + 6) is None
    assert merge_patch(None, {"topics": []}, None, NOW) is None
