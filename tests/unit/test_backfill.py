"""Entry rows out of JSON Lines, saved feeds and WARC files."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.backfill import MAX_BYTES, Broken, Found, Skipped, feed_home, read_file, read_line
from newsbeam.feeds import ParsedFeed, parse_feed
from newsbeam.packed import Packed
from newsbeam.records import EntryRow, Source, from_iso
from tests.unit.test_warc import Archive

NOW = from_iso("2026-06-01T00:00:00Z")


def parse(body: bytes, url: str) -> ParsedFeed:
    return parse_feed(body, url=url, content_type="", now=NOW)


def read(data: bytes, source: str = "") -> list[Found]:
    return list(read_file(Packed(io.BytesIO(data)), "F", parse=parse, now=NOW, source=source))


def row(found: Any) -> EntryRow:
    assert isinstance(found, EntryRow), found
    return found


def line(**fields: Any) -> bytes:
    return json.dumps({"url": "https://a.example/1", "title": "Radar pact", "text": "Signed.", **fields}).encode()


# --- JSON Lines ---------------------------------------------------------------------------------------------------


def test_a_line_is_a_row() -> None:
    found = row(read_line(line(published="2024-05-06", source="The Example", language="EN", id=7), now=NOW))
    entry = found.entry
    assert (entry.link, entry.title, entry.text) == ("https://a.example/1", "Radar pact", "Signed.")
    assert (entry.guid, entry.key, entry.language) == ("7", "7", "en")
    assert entry.published_at == "2024-05-06T00:00:00.000Z"
    assert (found.kind, found.feed.id, found.feed.full_text) == ("backfill", "backfill", False)
    assert found.feed.source == Source("the-example", "The Example", "a.example")
    assert found.seen_at == found.due_at == NOW


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", "bad_json"),
        (b"not json", "bad_json"),
        (b"\xff\xfe{}", "bad_json"),
        (b'{"title": "\xe9"}', "bad_json"),
        (b"[" * 100_000, "bad_json"),
        (b'{"a": ' + b"1" * 10_000 + b"}", "bad_json"),
        (b'"text"', "bad_document"),
        (b"[]", "bad_document"),
        (b"null", "bad_document"),
        (b"{}", "bad_document"),
        (b'{"url": "https://a.example/1", "title": " ", "text": null}', "bad_document"),
        (line(title=["a"]), "bad_document"),
        (line(published=123), "bad_document"),
        (line(id=True), "bad_document"),
    ],
)
def test_a_bad_line_costs_itself_alone(data: bytes, reason: str) -> None:
    found = read(line() + b"\n" + data + b"\n\n" + line(url="https://a.example/2"))
    assert [type(item) for item in found] == [EntryRow, Broken, EntryRow]
    broken = found[1]
    assert isinstance(broken, Broken) and broken.reason == reason and broken.detail
    kept = broken.row.entry
    assert not (kept.title or kept.text or kept.html or kept.summary), "it must never pass for an article"
    assert kept.guid and kept.guid.encode()[:1] in (data[:1], b"\xef")


def test_the_same_line_gives_the_same_row_and_another_another() -> None:
    rows = [row(read_line(line(title=title), now=NOW + later)) for title, later in (("A", 0), ("A", 9), ("B", 0))]
    assert rows[0].id == rows[1].id != rows[2].id and rows[0].entry.key == rows[2].entry.key
    assert len({item.row.id for item in read(b"x\nx\ny\n") if isinstance(item, Broken)}) == 2


@pytest.mark.parametrize("fields", [{"id": 7}, {}, {"title": ""}])
def test_the_same_of_two_sources_is_two_rows(fields: dict[str, Any]) -> None:
    rows = [row(read_line(line(url="", source=source, **fields), now=NOW)) for source in ("One", "Two", "One")]
    assert rows[0].id != rows[1].id and rows[0] == rows[2]


def test_long_fields_are_cut() -> None:
    long = line(id="7" * 9_000, title="word " * 300, summary="word " * 5_000, text="word " * 50_000)
    entry = row(read_line(long, now=NOW)).entry
    assert len(entry.guid) == 2_048
    assert [len(text) for text in (entry.title, entry.summary, entry.text)] == [999, 19_999, 199_999]
    broken = read_line(b"x" * 1_000_000, now=NOW)
    assert isinstance(broken, Broken) and len(broken.row.entry.guid) < 100_000


def test_what_has_no_name_is_known_by_its_text() -> None:
    one, two = (row(read_line(json.dumps({"html": f"<p>{text}</p>"}).encode(), now=NOW)) for text in "ab")
    assert one.entry.guid and one.entry.key and one.entry.guid != two.entry.guid and one.entry.key != two.entry.key


def test_odd_values_are_put_aside() -> None:
    found = row(
        read_line(
            line(title="A\x00\u202e\ud800 B", text="x\x00\ud800y", url="javascript:alert(1)", language="klingon!",
                 published="2099-01-01", source=7), now=NOW,
        )
    )  # fmt: skip
    entry = found.entry
    assert (entry.title, entry.text, entry.link, entry.language, entry.published_at) == ("A B", "xy", "", None, None)
    assert set(entry.labels) == {"link unusable", "date absurd"}
    assert found.feed.source == Source("unknown", "unknown", "")
    json.dumps(entry).encode()


@pytest.mark.parametrize(
    ("given", "option", "source"),
    [
        ("The Example", "", Source("the-example", "The Example", "a.example")),
        ("www.Other.example", "", Source("other.example", "other.example", "other.example")),
        ("https://www.other.example/x", "", Source("other.example", "other.example", "other.example")),
        (None, "", Source("a.example", "a.example", "a.example")),
        (None, "Wire", Source("wire", "Wire", "a.example")),
        ("The Example", "Wire", Source("the-example", "The Example", "a.example")),
        ({"name": "N", "country": "JP"}, "", Source("a.example", "N", "a.example", "jp")),
        ({"id": "i", "domain": "D.example", "country": "Japan"}, "", Source("i", "d.example", "d.example")),
        ("  \x1b[31m ", "", Source("31m", "[31m", "a.example")),
        ("日本 新聞", "", Source("日本-新聞", "日本 新聞", "a.example")),
    ],
)
def test_sources(given: Any, option: str, source: Source) -> None:
    assert row(read_line(line(source=given), now=NOW, source=option)).feed.source == source


def test_a_line_that_is_too_large_costs_no_memory() -> None:
    data = gzip.compress(line() + b"\n" + b"x" * (5 * MAX_BYTES) + b"\n" + line(title="B"))
    tracemalloc.start()
    found = read(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [type(item) for item in found] == [EntryRow, Broken, EntryRow]
    broken = found[1]
    assert isinstance(broken, Broken) and broken.reason == "too_large"
    assert str(5 * MAX_BYTES + 1) in broken.detail and len(broken.row.entry.guid) < 100_000
    assert peak < 5 * MAX_BYTES


def test_packed_and_damaged_lines() -> None:
    lines = [line(url=f"https://a.example/{number}") for number in range(50)]
    data = gzip.compress(b"\n".join(lines))
    assert len(read(data)) == 50
    found = read(data[:-30])
    last = found[-1]
    assert isinstance(last, Broken) and last.reason == "truncated"
    assert 10 < sum(isinstance(item, EntryRow) for item in found) < 50
    assert [read(data[:-30])] == [found], "the same rows again"


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=100)
def test_any_bytes_are_accounted_for(data: bytes) -> None:
    for found in read(data), read(b"{" + data), read(b"<" + data), read(b"WARC/1.0\r\n" + data):
        for item in found:
            if isinstance(item, Broken):
                assert item.reason and json.dumps(item.row.entry).encode()


# --- which kind ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"PK\x03\x04\x00\x00" + bytes(500), b"SQLite format 3\x00" + bytes(100), bytes(9)])
def test_other_files_are_one_failure(data: bytes) -> None:
    (found,) = read(data)
    assert isinstance(found, Broken) and found.reason == "unknown_format"


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", gzip.compress(b"")])
def test_an_empty_file_has_nothing(data: bytes) -> None:
    assert [item for item in read(data) if not isinstance(item, Broken)] == []


def test_lines_that_speak_of_json_feed_are_lines() -> None:
    text = 'Its "version": "https://jsonfeed.org/version/1" is the mark.'
    assert len(read(line(text=text) + b"\n" + line(title="B", text=text))) == 2


# --- saved feeds --------------------------------------------------------------------------------------------------

ITEMS = """<item><title>Radar pact</title><link>/1</link><description>It was signed.</description></item>
<item><title>Strait talks</title><link>https://a.example/2</link><content:encoded>&lt;p&gt;All of the text stands
here, two sentences of it.&lt;/p&gt;</content:encoded><description>They talk.</description></item>"""
RSS = f"""<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
<title>The Example: Asia</title><link>https://www.a.example/news/</link><language>en</language>{ITEMS}</channel></rss>"""
RDF = f"""<rdf:RDF xmlns="http://purl.org/rss/1.0/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel rdf:about="x"><title>The Example: Asia</title>
<link>https://www.a.example/news/</link><items><rdf:Seq/></items></channel>{ITEMS}</rdf:RDF>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>The Example: Asia</title>
<link rel="self" href="https://feeds.example/a"/><link rel="alternate" href="https://www.a.example/news/"/>
<entry><id>1</id><title>Radar pact</title><link href="/1"/><summary>It was signed.</summary></entry>
<entry><id>2</id><title>Strait talks</title><link href="https://a.example/2"/><summary>They talk.</summary>
<content type="html">&lt;p&gt;All of the text stands here, two sentences of it.&lt;/p&gt;</content></entry></feed>"""
JSON_FEED = {
    "version": "https://jsonfeed.org/version/1.1", "title": "The Example: Asia", "language": "en",
    "home_page_url": "https://www.a.example/news/", "items": [
        {"id": "1", "url": "/1", "title": "Radar pact", "summary": "It was signed."},
        {"id": "2", "url": "https://a.example/2", "title": "Strait talks", "summary": "They talk.",
         "content_html": "<p>All of the text stands here, two sentences of it.</p>"},
    ],
}  # fmt: skip
FEEDS = {
    "rss": RSS.encode(), "rdf": RDF.encode(), "atom": ATOM.encode(), "utf-16": RSS.encode("utf-16"),
    "json": json.dumps(JSON_FEED).encode(), "json, several lines": json.dumps(JSON_FEED, indent=1).encode(),
    "json, escaped": json.dumps(dict(reversed(JSON_FEED.items()))).replace("/", "\\/").encode(),
    "packed": gzip.compress(ATOM.encode()), "after blanks": b"\xef\xbb\xbf\n" + RSS.encode(),
}  # fmt: skip


@pytest.mark.parametrize("kind", FEEDS)
def test_the_entries_of_a_saved_feed_are_rows(kind: str) -> None:
    one, two = map(row, read(FEEDS[kind]))
    assert (one.entry.title, one.entry.summary, one.entry.text) == ("Radar pact", "It was signed.", "")
    assert one.entry.link == "https://www.a.example/1", "relative to the feed's site"
    assert two.entry.text == "All of the text stands here, two sentences of it."
    for found in one, two:
        assert found.kind == "backfill" and not found.feed.full_text
        assert found.feed.source == Source("a.example", "The Example: Asia", "a.example")
        assert kind == "rdf" or "en" in (found.entry.language, found.feed.language)
    assert row(read(FEEDS[kind], source="Wire")[0]).feed.source.name == "Wire"


def test_a_feed_that_says_nothing_of_itself_has_the_sources_of_its_entries() -> None:
    data = RSS.replace("<title>The Example: Asia</title><link>https://www.a.example/news/</link>", "").encode()
    assert row(read(data)[1]).feed.source == Source("a.example", "a.example", "a.example")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<!doctype html><html><body>Sorry</body></html>", "html"),
        (b"<opml version='2.0'/>", "not_a_feed"),
        (b'<!DOCTYPE r [<!ENTITY a "b">]><rss version="2.0"><channel/></rss>', "xml_entities"),
        (b"<rss>" + b" " * MAX_BYTES, "too_large"),
    ],
)
def test_a_document_that_is_no_feed_is_one_failure(data: bytes, reason: str) -> None:
    (found,) = read(data)
    assert isinstance(found, Broken) and found.reason == reason


def test_entries_past_the_cap_are_counted() -> None:
    items = "".join(f"<item><title>T{n}</title><link>https://a.example/{n}</link></item>" for n in range(2_003))
    found = read(f"<rss version='2.0'><channel><title>T</title>{items}</channel></rss>".encode())
    assert len(found) == 2_003 and found.count(Skipped("over the cap")) == 3


@pytest.mark.parametrize(
    ("text", "home"),
    [
        ("<rss><channel><link><![CDATA[https://a.example/?a=1&b=2]]></link><item>", "https://a.example/?a=1&b=2"),
        ("<feed><link href='https://a.example/'/><entry>", "https://a.example/"),
        ("<feed><link rel='self' href='https://f.example/'/><entry><link href='https://a.example/1'/>", ""),
        ("<rss><channel><item><link>https://a.example/1</link>", ""),
        ("nothing", ""),
        ("<rss><channel><link>\n https://a.example/ \n</link><item>", "https://a.example/"),
        (
            "<rss><channel><link rel='self' href='https://f.example/'/><link>https://a.example/</link>",
            "https://a.example/",
        ),
        ("<rss>" + " " * 100_000 + "<channel><link>https://a.example/</link>", ""),
        ("<link " * 50_000 + "<item>", ""),
        ("<link>" * 50_000 + "<item>", ""),
        ("<link" + " href='" * 50_000 + "<item>", ""),
        ("<link" + " " * 300_000 + "<item>", ""),
    ],
)
@pytest.mark.timeout(20)
def test_the_site_of_a_feed(text: str, home: str) -> None:
    assert feed_home(text.encode()) == home


# --- WARC ---------------------------------------------------------------------------------------------------------


def test_pages_of_a_warc_are_rows() -> None:
    archive = Archive()
    archive.add(
        "https://www.a.example/1", "<p>Cafétéria</p>".encode("latin-1"), content_type="text/html;charset=latin1"
    )
    archive.add("https://www.a.example/2", date="2099-01-01T00:00:00Z")
    archive.add("https://www.a.example/3", date="yesterday")
    archive.add("https://www.a.example/")
    archive.add("https://www.a.example/gone", status="404 Not Found")
    archive.add("https://www.a.example/large", b"x" * (MAX_BYTES + 1))
    found = read(archive.bytes())
    first = row(found[0])
    assert (first.entry.html, first.entry.link) == ("<p>Cafétéria</p>", "https://www.a.example/1")
    assert first.entry.published_at is None, "when it was archived is not when it was published"
    assert (first.seen_at, first.due_at) == (from_iso("2024-05-06T07:08:09Z"), NOW)
    assert [row(item).seen_at for item in found[1:3]] == [NOW, NOW]
    assert first.feed.source == Source("a.example", "a.example", "a.example")
    assert found[3:5] == [Skipped("home page"), Skipped("http 404")]
    assert isinstance(found[5], Broken) and found[5].reason == "too_large" and len(found[5].row.entry.guid) < 1_000
    assert row(read(archive.bytes(), source="Wire")[0]).feed.source.id == "wire"
