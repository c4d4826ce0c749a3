"""OPML, both ways."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.errors import ConfigError
from newsbeam.opml import looks_like_opml, read_opml, write_opml
from newsbeam.records import Feed, Source


def outline(body: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0"><body>\n{body}\n</body></opml>'.encode()


def test_folders_and_categories_are_tags() -> None:
    data = outline("""
<outline text="Asia">
  <outline title="Japan, news">
    <outline type="rss" text="a" title="A  paper" xmlUrl="https://a.example/feed" htmlUrl="https://www.a.example/x"
             language="ja" category="/politics/japan, Asia,"/>
  </outline>
  <outline type="rss" text="B" XMLURL="https://b.example/feed"/>
</outline>
<outline text="a note"/>
<outline type="rss" xmlUrl="https://c.example/feed"/>
""")
    assert read_opml(data) == [
        {
            "url": "https://a.example/feed",
            "name": "A paper",
            "language": "ja",
            "source": {"domain": "www.a.example"},
            "tags": ["Asia", "Japan news", "politics/japan"],
        },
        {"url": "https://b.example/feed", "name": "B", "tags": ["Asia"]},
        {"url": "https://c.example/feed", "tags": []},
    ]


def test_a_feed_in_two_folders_is_one() -> None:
    data = outline(
        '<outline text="x"><outline text="A" xmlUrl="https://a.example/"/></outline>'
        '<outline text="y"><outline text="Other" xmlUrl="https://a.example/"/></outline>'
    )
    assert read_opml(data) == [{"url": "https://a.example/", "name": "A", "tags": ["x", "y"]}]


def test_bare_ampersands_are_read_as_meant() -> None:
    data = outline('<outline text="Q&A &amp; more &#38; &hellip;" xmlUrl="https://a.example/?a=1&b=2"/>')
    feed = read_opml(data)[0]
    assert (feed["name"], feed["url"]) == ("Q&A & more & &hellip;", "https://a.example/?a=1&b=2")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_encodings(encoding: str) -> None:
    name = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{name}"?><opml><outline text="é & è" xmlUrl="https://a.example/"/></opml>'
    data = (text.replace("&", "&amp;") if name == "utf-16" else text).encode(encoding)
    assert looks_like_opml(data)
    assert read_opml(data)[0]["name"] == "é & è"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (outline('<outline text="a>\n<outline'), "F:4: not valid XML: not well-formed"),
        (outline("<outline>"), "F:4: not valid XML: mismatched tag"),
        (b"", "F:1: not valid XML: no element found"),
        (b'<?xml version="1.0"?>\n<rss version="2.0"/>', "F:2: not OPML: its first element is <rss>"),
        (b"<!DOCTYPE html>\n<html/>", "F:1: a document type declaration is not allowed"),
        (b'<?xml version="1.0" encoding="klingon"?><opml/>', "F:1: not valid XML: unknown encoding"),
    ],
)
def test_what_is_no_opml_gets_one_line(data: bytes, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_opml(data, "F")
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_never_declared(encoding: str) -> None:
    bomb = '<!DOCTYPE opml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><opml><outline text="&b;"/></opml>'
    with pytest.raises(ConfigError, match="document type declaration"):
        read_opml(f'<?xml version="1.0" encoding="{encoding}"?>{bomb}'.encode(encoding))


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_give_feeds_or_one_line(data: bytes) -> None:
    try:
        read_opml(b"<opml>" + data)
    except ConfigError as error:
        assert len(str(error).splitlines()) == 1


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=1, max_size=9)
tags = words.map(lambda text: text.replace(",", ".").strip("/ ")).filter(lambda text: text.strip())
feeds = st.builds(
    lambda number, name, language, tags: Feed(
        id=f"f{number}",
        url=f"https://f{number}.example/?a=1&b={number}",
        name=name,
        source=Source("s", domain=f"s{number}.example"),
        language=language,
        tags=tuple(dict.fromkeys(tags)),
    ),
    st.integers(0, 999),
    words.filter(lambda text: not set(text) & {"\ufffe", "\uffff"}),
    st.sampled_from([None, "en", "pt-br"]),
    st.lists(tags.filter(lambda text: not set(text) & {"\ufffe", "\uffff"}), max_size=3),
)


@given(st.lists(feeds, max_size=5, unique_by=lambda feed: feed.url))
@settings(deadline=None, max_examples=100)
def test_what_is_written_is_read_again(given_feeds: list[Feed]) -> None:
    found = {feed["url"]: feed for feed in read_opml(write_opml(given_feeds))}
    assert len(found) == len(given_feeds)
    for feed in given_feeds:
        again = found[feed.url]
        assert again["name"] == feed.name
        assert again.get("language") == feed.language
        assert again["source"]["domain"] == feed.source.domain
        assert again["tags"] == list(feed.tags)


def test_what_is_written_is_opml_with_folders() -> None:
    one = Feed("a", "https://a.example/", "A", Source("s"), tags=("x", "y"))
    root = ElementTree.fromstring(write_opml([one, one._replace(url="https://b.example/")], "Mine"))
    assert (root.tag, root.get("version"), root.findtext("head/title")) == ("opml", "2.0", "Mine")
    assert [item.get("xmlUrl") for item in root.findall("body/outline[@text='x']/outline[@type='rss']")] == [
        "https://a.example/",
        "https://b.example/",
    ]


def test_lists_found_in_the_wild(shared_data: Path) -> None:
    """Most are not well-formed; those that can be read as meant are, and the others name a line."""
    files = sorted((shared_data / "feedlists/opml").rglob("*.opml"))
    assert len(files) > 100
    read, refused = 0, []
    for file in files:
        try:
            found = read_opml(file.read_bytes(), "F")
        except ConfigError as error:
            refused.append(str(error))
        else:
            read += 1
            assert found and all(feed["url"].startswith("http") for feed in found)
    assert all(line.startswith("F:") and "not valid XML" in line for line in refused)  # quotes within quotes
    assert read >= 0.75 * len(files)
