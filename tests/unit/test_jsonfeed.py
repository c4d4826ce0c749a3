"""JSON Feed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.errors import FeedError
from newsbeam.feeds import ParsedFeed, parse_feed
from newsbeam.records import from_iso

NOW = from_iso("2026-11-24T12:00:00Z")
VERSION = "https://jsonfeed.org/version/1.1"


def read(document: Any, **more: Any) -> ParsedFeed:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return parse_feed(body, url="https://example.org/feed.json", content_type="application/feed+json", now=NOW)


def test_a_whole_item() -> None:
    long = "<p>" + "A long text. " * 40 + "</p>"
    parsed = read({
        "version": VERSION, "title": " The <b>Feed</b> ", "language": "en_GB",
        "items": [{
            "id": "a1", "url": "/news/1", "external_url": "https://other.example/2", "title": "Title &amp; <i>more</i>",
            "content_html": long, "content_text": "ignored", "summary": "Short.", "image": "/1.jpg",
            "date_published": "2026-11-20T10:00:00.5+01:00", "date_modified": "2026-11-21T10:00:00Z",
            "authors": [{"name": "Ada"}, {"url": "x"}, {"name": "Ada"}], "tags": ["Asia", "asia", "Defence"],
        }],
    })  # fmt: skip
    assert (parsed.version, parsed.title, parsed.language) == ("json11", "The <b>Feed</b>", "en-gb")
    (entry,) = parsed.entries
    assert (entry.key, entry.guid, entry.link) == ("a1", "a1", "https://example.org/news/1")
    assert (entry.title, entry.summary) == ("Title & more", "Short.")
    assert entry.text == ("A long text. " * 40).strip()
    assert (entry.published_at, entry.updated_at) == ("2026-11-20T09:00:00.500Z", "2026-11-21T10:00:00.000Z")
    assert (entry.authors, entry.categories) == (("Ada",), ("Asia", "Defence"))
    assert (entry.image, entry.language, entry.labels) == ("https://example.org/1.jpg", "en-gb", ())


def test_version_1_and_what_stands_for_all_items() -> None:
    parsed = read({
        "version": "https://jsonfeed.org/version/1", "author": {"name": "Bo"},
        "items": [
            {"id": 7, "external_url": "https://other.example/2", "content_text": "Plain <b>text</b> & more"},
            {"id": "8", "attachments": [{"url": "/a.mp3", "mime_type": "audio/mpeg"},
                                        {"url": "/b.png", "mime_type": "image/png"}], "author": {"name": "Cy"}},
        ],
    })  # fmt: skip
    one, two = parsed.entries
    assert (one.key, one.link, one.authors) == ("7", "https://other.example/2", ("Bo",))
    assert one.text == "" and one.summary == "Plain <b>text</b> & more"
    assert (two.image, two.authors, two.link) == ("https://example.org/b.png", ("Cy",), "")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_encodings(encoding: str) -> None:
    document = json.dumps({"version": VERSION, "items": [{"id": "1", "title": "日本 é"}]}, ensure_ascii=False)
    assert read(document.encode(encoding)).entries[0].title == "日本 é"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "bad_json"), (b"[1,", "bad_json"), (b'{"version": \xff}', "bad_json"), (b"[" * 100_000, "bad_json"),
        (b'{"a":' * 100_000, "bad_json"), (b'{"a": 1' + b"0" * 9_999 + b"}", "bad_json"),
        (b"[]", "not_a_feed"), (b"{}", "not_a_feed"), (b'{"version": "2", "items": []}', "not_a_feed"),
        (b'{"version": ["https://jsonfeed.org/version/1"]}', "not_a_feed"),
    ],
)  # fmt: skip
def test_what_is_no_feed(body: bytes, reason: str) -> None:
    with pytest.raises(FeedError) as caught:
        read(body)
    assert caught.value.reason == reason


def test_an_empty_feed_is_no_failure() -> None:
    assert read({"version": VERSION, "items": []}).entries == ()
    assert read({"version": VERSION}).entries == ()


def test_the_cap_is_counted() -> None:
    parsed = read({"version": VERSION, "items": [{"id": str(number)} for number in range(2_003)]})
    assert (len(parsed.entries), parsed.truncated) == (2_000, 3)


def test_items_that_are_none_are_counted_out() -> None:
    parsed = read({"version": VERSION, "items": [1, None, "x", [], {"id": "1"}]})
    assert [entry.key for entry in parsed.entries] == ["1"] and parsed.recovered and parsed.unreadable == 4


@pytest.mark.parametrize("found", [5, "abc", {"id": "1"}, True, None])
def test_items_of_a_wrong_type_are_none(found: Any) -> None:
    assert read({"version": VERSION, "items": found}).entries == ()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
items = st.fixed_dictionaries({}, optional=dict.fromkeys(
    ("id", "url", "external_url", "title", "content_html", "content_text", "summary", "image", "date_published",
     "date_modified", "authors", "author", "tags", "attachments", "language"), values))  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(st.lists(items, max_size=4), values, values)
def test_members_of_any_type_are_read(found: list[Any], title: Any, language: Any) -> None:
    parsed = read({"version": VERSION, "title": title, "language": language, "items": found})
    assert len(parsed.entries) == len(found)
    for entry in parsed.entries:
        assert entry.key and all(isinstance(value, (str, tuple, type(None))) for value in entry)
