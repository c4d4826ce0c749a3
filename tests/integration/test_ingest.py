"""From feeds to a searchable store, on the sample newsroom over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.newsroom import Newsroom
from tests.integration.conftest import Newsbeam, balances

PUBLISHERS = ("courier", "ledger", "dispatch")


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with Newsroom(publishers=PUBLISHERS) as newsroom:
        (tmp_path / "feeds.yaml").write_text(newsroom.feeds_yaml(), encoding="utf-8")
        yield newsroom


def test_new_then_unchanged_then_revised(newsroom: Newsroom, newsbeam: Newsbeam, tmp_path: Path) -> None:
    feeds = tmp_path / "feeds.yaml"
    count = len(newsroom.articles)

    first = newsbeam("ingest", "--feeds", feeds, "--json")
    assert first.code == 0, first.err
    line = first.document
    assert balances(line) and line["feeds"] == newsroom.feeds_yaml().count("url:") and line["inbox"] == 0
    assert line["outcomes"]["new"] == count, line
    assert line["outcomes"]["unchanged"] == line["seen"] - count  # what stands in two feeds is one article
    before = newsroom.requests.copy()

    second = newsbeam("ingest", "--feeds", feeds, "--now", "--json").document
    assert (
        balances(second)
        and second["outcomes"]["unchanged"] == second["seen"] == line["seen"]
        and second["outcomes"]["new"] == 0
    )
    asked = newsroom.requests - before
    assert all("feed" in path or "rss" in path or "atom" in path for path in asked), asked  # no page was read again

    assert newsbeam("ingest", "--feeds", feeds, "--json").document["feeds"] == 0  # nothing is due yet

    newsroom.publish(1)
    third = newsbeam("ingest", "--feeds", feeds, "--now", "--json").document
    assert balances(third)
    corrected = [article for article in newsroom.articles if article.note]
    assert corrected and third["outcomes"]["revised"] == len(corrected), third

    history = newsbeam("show", corrected[0].url, "--revisions", "--json").documents
    assert [document["revision"] for document in history] == [1, 2]
    assert history[0]["body"] != history[1]["body"]
    assert history[0]["observed_at"] < history[1]["observed_at"]
    assert newsbeam("store", "check").code == 0


def test_documents_hold_what_the_newsroom_says(newsroom: Newsroom, newsbeam: Newsbeam, tmp_path: Path) -> None:
    newsbeam("ingest", "--feeds", tmp_path / "feeds.yaml")
    documents = {document["title"]: document for document in newsbeam("export").documents}
    assert set(documents) == {article.title for article in newsroom.articles}
    for article in newsroom.articles:
        document = documents[article.title]
        assert document["text_from"] == "page"
        assert document["source"]["id"]
        assert document["language"] == article.language
        assert document["published_from"] == "feed"
        assert article.title not in document["body"]
        for detail in document["entity_details"]:
            for span in detail["spans"]:
                assert document[span["field"]][span["start"] : span["end"]] in detail["forms"]
        for topic in document["topic_details"]:
            for evidence in topic["evidence"]:
                assert document[evidence["field"]][evidence["start"] : evidence["end"]] == evidence["text"]
    event = [documents[article.title] for article in newsroom.articles if article.event == "manila-pact"]
    tagged = [document["title"] for document in event if "indo-pacific-partnership" in document["topics"]]
    assert len(tagged) > len(event) / 2, tagged


def test_search_stems_phrases_and_hostile_text(newsroom: Newsroom, newsbeam: Newsbeam, tmp_path: Path) -> None:
    newsbeam("ingest", "--feeds", tmp_path / "feeds.yaml")
    event = next(article for article in newsroom.articles if article.event)
    word = next(word for word in event.title.split() if len(word) > 5)
    found = newsbeam("search", word.lower(), "--json").documents
    assert event.title in [document["title"] for document in found]
    for text in ('"', "NEAR(a b)", "*", "title: x", "a OR", "-", "(", "\x00", "'; DROP TABLE articles; --", "é" * 500):
        ran = newsbeam("search", text, "--json")
        assert ran.code == 0, (text, ran.err)
