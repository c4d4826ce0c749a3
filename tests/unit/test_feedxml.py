"""Broken documents mended, and what is past the cap counted without being read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.entries import MAX_ENTRIES, ParsedFeed
from newsbeam.errors import FeedError
from newsbeam.feeds import parse_feed
from newsbeam.records import Entry, from_iso

NOW = from_iso("2026-11-24T12:00:00Z")


def read(text: str) -> ParsedFeed:
    return parse_feed(text.encode(), url="https://example.org/feed", content_type="", now=NOW)


def first(inner: str, *, recovered: bool = True) -> Entry:
    parsed = read(f"<rss version='2.0'><channel><item>{inner}</item></channel></rss>")
    assert parsed.recovered == recovered
    (entry,) = parsed.entries
    assert ("recovered" in entry.labels) == recovered
    return entry


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Fish & chips", "Fish & chips"),
        ("AT&T &amp; others", "AT&T & others"),
        ("Caf&eacute; &#233; &#xe9;", "Café é é"),
        ("&nosuch; entity", "&nosuch; entity"),
        ("R&D; &", "R&D; &"),
        ("a &#1; b &#x110000; c &#99999999999;", "a b c \ufffd"),
        ("& <![CDATA[<b>Q&amp;A</b> & more]]>", "& Q&A & more"),
    ],
)
def test_ampersands_are_mended(said: str, title: str) -> None:
    assert first(f"<title>{said}</title>").title == title


def test_addresses_with_ampersands_are_read_as_they_stand() -> None:
    entry = first("<link>https://example.org/a?page=1&copy=2&lt=3</link>")
    assert entry.link == "https://example.org/a?page=1&copy=2&lt=3"


def test_a_sound_document_is_not_touched() -> None:
    assert first("<title><![CDATA[a & b &eacute;]]></title>", recovered=False).title == "a & b é"


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.sampled_from(["&", "&amp;", "&x", ";", "#", "65", "<![CDATA[", "]]>", " ", "é", "&lt;"]), max_size=12)
)
def test_any_ampersands_give_an_entry_or_a_reason(parts: list[str]) -> None:
    try:
        parsed = read(f"<rss version='2.0'><channel><item><title>& {''.join(parts)}</title></item></channel></rss>")
    except FeedError as error:
        assert error.reason == "bad_xml"
    else:
        assert len(parsed.entries) + parsed.unreadable == 1 and parsed.recovered


@pytest.mark.parametrize(
    "text",
    [
        "<rss version='2.0'><channel><title>Fish & chips</title></channel></rss>",
        "<rss version='2.0'><channel><media:x>1</media:x></channel></rss><!-- 0.1 s -->",
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>T</title><b></feed>",
    ],
)
def test_a_broken_document_that_is_whole_may_have_no_entries(text: str) -> None:
    parsed = read(text)
    assert parsed.recovered and parsed.entries == []


@pytest.mark.parametrize(
    "text",
    ["<rss version='2.0'><channel><title>T & U</title></channel>", "<rss version='2.0'><channel><item", "a & b"],
)
def test_one_that_may_lack_some_is_bad(text: str) -> None:
    with pytest.raises(FeedError, match="bad_xml"):
        read(text)


def test_the_address_of_an_item_is_its_text_whatever_its_attributes() -> None:
    assert first("<link uri='at://x/y'>https://example.org/a</link>", recovered=False).link == "https://example.org/a"


RSS = ("<rss version='2.0'><channel><title>T</title>", "<item><title>{}</title></item>", "</channel></rss>")
RDF = (
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'>"
    "<channel><title>T</title></channel>", "<item><title>{}</title></item>", "</rdf:RDF>",
)  # fmt: skip
ATOM = (
    "<a:feed xmlns:a='http://www.w3.org/2005/Atom'><a:title>T</a:title>",
    "<a:entry><a:title>{}</a:title></a:entry>", "</a:feed>",
)  # fmt: skip


@pytest.mark.parametrize("parts", [RSS, RDF, ATOM])
@pytest.mark.parametrize("over", [0, 1, 1_000])
@pytest.mark.parametrize("end", ["whole", "broken", "cut"])
def test_what_is_past_the_cap_is_counted(parts: tuple[str, str, str], over: int, end: str) -> None:
    start, item, close = parts
    text = start + "".join(item.format(number) for number in range(MAX_ENTRIES + over))
    text += {"whole": close, "broken": "<b>" + close, "cut": item[:12]}[end]
    parsed = read(text)
    assert parsed.title == "T" and parsed.recovered == (end != "whole")
    assert [entry.title for entry in parsed.entries] == [str(number) for number in range(MAX_ENTRIES)]
    assert (parsed.truncated, parsed.unreadable) == (over, int(end == "cut"))


@pytest.mark.parametrize(
    "start",
    [
        '<?xml version="1.0" encoding="' + " " * 20_000,
        '<?xml encoding="utf-8' + " " * 20_000,
        "<?xml encoding=" * 5_000,
    ],
)
@pytest.mark.timeout(20)
def test_a_declaration_without_an_end_takes_no_time(start: str) -> None:
    with pytest.raises(FeedError):
        read(start)


@pytest.mark.parametrize("declared", ["' koi8-r '", '"KOI8-R"', "'koi8-r' standalone='yes'"])
def test_the_declared_encoding_is_found(declared: str) -> None:
    document = f"<?xml version='1.0' encoding = {declared}?><rss version='2.0'><channel><item><title>Мир</title>"
    body = f"{document}</item></channel></rss>".encode("koi8-r")
    (entry,) = parse_feed(body, url="https://example.org/feed", content_type="", now=NOW).entries
    assert entry.title == "Мир"


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("a &#55357;&#56832; b", "a 😀 b"),
        ("a &#xD83D;&#xde00; b", "a 😀 b"),
        ("a &#55357; b &#xDE00;", "a \ufffd b \ufffd"),
        ("<![CDATA[a &#55357;&#56832; b]]>", "a 😀 b"),
        ("a &amp;#55357;&amp;#56832; b", "a 😀 b"),
    ],
)
def test_halves_of_characters_are_joined(said: str, title: str) -> None:
    assert first(f"<title>{said}</title>", recovered=said.startswith("a &#")).title == title


@pytest.mark.parametrize(
    "odd",
    [
        "<width>3</width>", "<image><width/></image>", "<media:player>x</media:player>", "</link></link>",
        "<creativeCommons:license>x</creativeCommons:license>", "<textInput></channel><description>x</description>",
        "<psc:chapter start='x'/>", "<gml:pos>1</gml:pos>", "&#x110000;", "&#xd800;", f"&#{'9' * 5000};",
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["channel", "item"])
def test_elements_in_the_wrong_place_cost_no_entry(odd: str, place: str) -> None:
    before, within = (odd, "") if place == "channel" else ("", odd)
    parsed = read(f"<rss version='2.0'><channel>{before}<item>{within}<title>One</title></item></channel></rss>")
    assert [entry.title for entry in parsed.entries] == ["One"]


@pytest.mark.parametrize("odd", ["<x:y/>", "<y x:z='1'/>", ""])
def test_white_space_in_the_name_of_a_namespace(odd: str) -> None:
    item = f"<item><title>One</title>{odd}</item>"
    parsed = read(f"<rss version='2.0' xmlns:x=' http://a b c '><channel>{item}</channel></rss>")
    assert [entry.title for entry in parsed.entries] == ["One"]
