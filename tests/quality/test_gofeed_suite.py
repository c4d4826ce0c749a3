"""gofeed's suite: 533 pairs of a document and what gofeed makes of it, and six of JSON Feed.

Its models (RSS, Atom, JSON Feed, and the one it translates all to) are read through one map of keys each. What newsbeam
keeps is plain text, so an expectation holds where our field is the expected value as text. Read for it, none copied.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from newsbeam.errors import FeedError
from newsbeam.feeds import ParsedFeed, parse_feed
from newsbeam.markup import plain_line, plain_text, to_line, to_text
from newsbeam.records import Entry, from_iso, to_iso

NOW = from_iso("2026-06-01T00:00:00Z")
URL = "http://127.0.0.1:8097/feed.xml"
# Documents of which we make something else, on purpose.
_NO_TEXT = "content of no text type"
_MARKUP = "elements inside of one that has none"
_LOST = "an end tag of another name swallows it"
DELIBERATE = {
    "extensions/dublincore/dublincore_item_multiple_values.xml": "both authors, where gofeed's model has one",
    "parser/atom/atom10_feed_entry_content_base64.xml": _NO_TEXT,
    "parser/atom/atom10_feed_entry_content_base64_escaped_markup.xml": _NO_TEXT,
    "parser/atom/issue_275_extensions_and_source.xml": _NO_TEXT,
    "parser/atom/atom10_feed_title_xhtml_escaped_markup.xml": _LOST,
    "parser/atom/atom10_feed_title_xhtml_inline_markup.xml": _LOST,
    "parser/rss/rss_channel_language.xml": _LOST,
    "parser/atom/entry_id_xml_base.xml": "a guid is a name and stays as it is, also where it looks like an address",
    "parser/rss/rss_channel_item_author_naked_markup.xml": _MARKUP,
    "parser/rss/rss_channel_item_category_naked_markup.xml": _MARKUP,
    "parser/rss/rss_channel_item_guid_naked_markup.xml": _MARKUP,
    "parser/rss/version_rdf_090.xml": "no entries, and a namespace of no known format",
}


class Expectation(NamedTuple):
    """A field, the values that will do, and ours."""

    field: str
    wanted: list[Any]
    ours: Any


class Case(NamedTuple):
    name: str
    body: bytes
    expected: dict[str, Any]

    def read(self) -> ParsedFeed | FeedError:
        kind = "application/feed+json" if self.name.endswith(".json") else "text/xml"
        try:
            return parse_feed(self.body, url=URL, content_type=kind, now=NOW)
        except FeedError as error:
            return error


@pytest.fixture(scope="module")
def cases(shared_data: Path) -> list[Case]:
    return list(_cases(shared_data / "suites" / "gofeed"))


def _cases(root: Path) -> Iterator[Case]:
    for path in sorted(root.rglob("*.xml")):
        for expected in (path.with_suffix(".json"), path.with_name(f"{path.name}.json")):
            if expected.exists():
                yield Case(str(path.relative_to(root)), path.read_bytes(), json.loads(expected.read_bytes()))
    for expected in sorted(root.glob("*/json/*_expected.json")):
        path = expected.with_name(expected.name.replace("_expected", ""))
        yield Case(str(path.relative_to(root)), path.read_bytes(), json.loads(expected.read_bytes()))


def test_what_documents_say_is_what_gofeed_expects(cases: list[Case]) -> None:
    assert len(cases) >= 533
    checked, agreed, differing = Counter[str](), Counter[str](), dict[str, list[str]]()
    for case in cases:
        result = case.read()
        for field, wanted, ours in _expectations(case, result):
            checked[field] += 1
            agreed[field] += ours in wanted
            if ours not in wanted:
                differing.setdefault(case.name, []).append(f"{field}: {ours!r} where {wanted[0]!r} is expected")
    print(f"\n{len(cases)} documents, {sum(agreed.values())} of {sum(checked.values())} expectations met:")
    for field, count in checked.most_common():
        print(f"  {field:10} {agreed[field]:4} of {count:4}")
    for name, lines in differing.items():
        print(f"  {name} ({DELIBERATE.get(name, 'NOT DELIBERATE')})", *lines, sep="\n    ")
    assert sum(checked.values()) >= 800
    assert set(differing) == set(DELIBERATE)


def test_documents_without_a_pair_are_read_or_fail_with_a_reason(shared_data: Path) -> None:
    root = shared_data / "suites" / "gofeed" / "parser"
    paths = [*sorted((root / "universal").iterdir()), root / "json" / "invalid" / "invalid.json"]
    found = {}
    for path in paths:
        result = Case(path.name, path.read_bytes(), {}).read()
        found[path.name] = result.reason if isinstance(result, FeedError) else result.version
    assert found == {
        "atom03_feed.xml": "atom03", "atom10_feed.xml": "atom10", "rdf_feed.xml": "rss10", "rss_feed.xml": "rss20",
        "rss_feed_bom.xml": "rss20", "rss_feed_leading_spaces.xml": "rss20", "json10_feed.json": "json10",
        "json11_feed.json": "json11", "sample.json": "json10", "invalid.json": "bad_json", "empty_feed.xml": "empty",
        "unknown_feed.xml": "not_a_feed",
    }  # fmt: skip


def _expectations(case: Case, result: ParsedFeed | FeedError) -> Iterator[Expectation]:
    if isinstance(result, FeedError):
        yield Expectation("read", ["a feed"], result.reason)
        return
    expected = case.expected
    items = expected.get("items") or expected.get("entries") or []
    yield Expectation("read", [len(items)], len(result.entries))
    if "title" in expected:
        yield Expectation("feed title", [to_line(expected["title"]), plain_line(expected["title"])], result.title)
    if "language" in expected:
        yield Expectation("language", [expected["language"].lower()], result.language)
    if len(items) == len(result.entries):
        model = _MODELS["/".join(case.name.split("/")[:2])]
        for item, entry in zip(items, result.entries, strict=True):
            yield from _of_item(model(item), entry)


def _of_item(item: dict[str, Any], entry: Entry) -> Iterator[Expectation]:
    said = {field: value for field, value in item.items() if value}
    for field, value in said.items():
        if field == "title":
            yield Expectation(field, [to_line(value), plain_line(value)], entry.title)
        elif field == "summary":  # a long one alone is the text
            yield Expectation(field, [to_text(value), plain_text(value)], entry.summary or entry.text)
        elif field == "content":
            texts = [to_text(value), plain_text(value)]
            teaser = bool(said.get("summary")) and len(texts[0]) <= len(to_text(said["summary"]))
            yield Expectation(field, texts, texts[0] if teaser else entry.text or entry.summary)
        elif field == "links":
            yield Expectation("link", [link.strip() for link in value], entry.link)
        elif field == "guid":
            yield Expectation(field, [plain_line(value)], entry.guid)
        elif field in ("published", "updated"):
            ours = entry.published_at if field == "published" else entry.updated_at
            yield Expectation(field, [to_iso(from_iso(value))], ours)
        else:
            yield Expectation(field, [tuple(dict.fromkeys(map(to_line, value)))], tuple(getattr(entry, field)))


def _universal(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": item.get("title"),
        "summary": item.get("description"),
        "content": item.get("content"),
        "links": item.get("links") or [item["link"]] if "link" in item else [],
        "guid": item.get("guid"),
        "published": item.get("publishedParsed"),
        "updated": item.get("updatedParsed"),
        "authors": [author.get("name") or author.get("email") for author in item.get("authors", ())],
        "categories": item.get("categories"),
    }


def _rss(item: dict[str, Any]) -> dict[str, Any]:
    author = re.sub(r" ?\(?\S+@\S+\)?$", "", item.get("author", ""))
    return {
        "title": item.get("title"),
        "summary": item.get("description"),
        "content": item.get("content"),
        "links": item.get("links"),
        "guid": item.get("guid", {}).get("value"),
        "published": item.get("pubDateParsed"),
        "authors": [author] if author else [],
        "categories": [category["value"] for category in item.get("categories", ())],
    }


def _atom(item: dict[str, Any]) -> dict[str, Any]:
    links = item.get("links", ())
    names = [author.get("name") or author.get("email") for author in item.get("authors", ())]
    return {
        "title": item.get("title"),
        "summary": item.get("summary"),
        "content": item.get("content", {}).get("value"),
        "links": [link["href"] for link in links if "href" in link and link.get("rel", "alternate") == "alternate"],
        "guid": item.get("id"),
        "published": item.get("publishedParsed"),
        "updated": item.get("updatedParsed"),
        "authors": [name for name in names if name],
        "categories": [name for kind in item.get("categories", ()) if (name := kind.get("label") or kind.get("term"))],
    }


def _json(item: dict[str, Any]) -> dict[str, Any]:
    authors = item.get("authors") or [item.get("author", {})]
    return {
        "title": item.get("title"),
        "summary": item.get("summary"),
        "content": item.get("content_html") or item.get("content_text"),
        "links": [item[key] for key in ("url", "external_url") if key in item],
        "guid": item.get("id"),
        "published": item.get("date_published"),
        "updated": item.get("date_modified"),
        "authors": [author["name"] for author in authors if "name" in author],
        "categories": item.get("tags"),
    }


_MODELS = {
    "parser/rss": _rss,
    "parser/atom": _atom,
    "parser/json": _json,
    "translator/rss": _universal,
    "translator/atom": _universal,
    "translator/json": _universal,
    "extensions/dublincore": _universal,
    "extensions/itunes": _universal,
    "extensions/media": _universal,
}
