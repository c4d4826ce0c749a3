"""feedparser's own suite: 2,107 documents, each with what it expects in its leading comment.

What newsbeam keeps of a feed is plain text, so an expectation holds where our field is the expected value as text.
Expectations of other fields (podcasts, places, licences) are none of ours. Read for it, none copied from it.
"""

from __future__ import annotations

import ast
import calendar
import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from newsbeam.errors import FeedError
from newsbeam.feeds import ParsedFeed, parse_feed
from newsbeam.markup import plain_line, plain_text, to_line, to_text
from newsbeam.records import from_iso, to_iso

NOW = from_iso("2026-01-01T00:00:00Z")
URL = "http://127.0.0.1:8097/tests/feed.xml"
REASONS = {"empty", "html", "not_a_feed", "bad_xml", "bad_json", "unknown_encoding", "xml_entities", "too_large"}
_CDF = "a format of 1997, of which no document without entries is told from other XML"
_RELATIVE_GUID = "a guid is a name and stays as it is, also where it looks like an address"
_BASE64 = "content of no text type"
_LIKE_A_BROWSER = "what browsers show of it"
# Documents that we read otherwise, or not at all, on purpose.
DELIBERATE = {
    "encoding/bozo_linenoise.xml": "bytes that no encoding explains",
    "illformed/rss_empty_document.xml": "no document",
    "wellformed/atom10/entry_content_base64.xml": _BASE64,
    "wellformed/atom10/entry_content_base64_2.xml": _BASE64,
    "wellformed/base/http_entry_id_base_content_location.xml": _RELATIVE_GUID,
    "wellformed/base/http_entry_id_base_docuri.xml": _RELATIVE_GUID,
    "wellformed/cdf/channel_abstract_map_description.xml": _CDF,
    "wellformed/cdf/channel_abstract_map_tagline.xml": _CDF,
    "wellformed/cdf/channel_href_map_link.xml": _CDF,
    "wellformed/cdf/channel_href_map_links.xml": _CDF,
    "wellformed/cdf/channel_lastmod.xml": _CDF,
    "wellformed/cdf/channel_lastmod_parsed.xml": _CDF,
    "wellformed/cdf/channel_title.xml": _CDF,
    "wellformed/rdf/doctype_contains_entity_decl.xml": "declares entities",
    "wellformed/rss/entity_in_doctype.xml": "declares entities",
    "wellformed/rss/item_description_not_a_doctype.xml": _LIKE_A_BROWSER,
    "wellformed/sanitize/entry_content_iframe.xml": _LIKE_A_BROWSER,
    "wellformed/sanitize/entry_summary_iframe.xml": _LIKE_A_BROWSER,
    "wellformed/sanitize/item_content_encoded_script_nested_cdata.xml": _LIKE_A_BROWSER,
    "wellformed/sanitize/xml_declaration_unexpected_character.xml": _LIKE_A_BROWSER,
    "wellformed/sanitize/xml_malicious_comment.xml": _LIKE_A_BROWSER,
}
_EXPECTED = re.compile(
    r"(?:not bozo and |bozo and )?(entries\[0\]|feed)(?:\['(\w+)'\]|\.(\w+))((?:\[\w+\]|\['\w+'\])*) == (.+)"
)


class Case(NamedTuple):
    name: str
    body: bytes
    headers: dict[str, str]
    expect: str


@pytest.fixture(scope="module")
def cases(shared_data: Path) -> list[Case]:
    root = shared_data / "suites" / "feedparser"
    paths = sorted(path for path in root.rglob("*") if path.suffix in (".xml", ".json"))
    return [read_case(path, path.relative_to(root)) for path in paths]


def read_case(path: Path, name: Path) -> Case:
    body = path.read_bytes()
    if body.startswith((codecs.BOM_UTF32_BE, codecs.BOM_UTF32_LE)) or body[:3] == b"\0\0\0" or body[1:4] == b"\0\0\0":
        text = body.decode("utf-32-be" if b"\0<" in body[:8] else "utf-32-le", "replace")
    elif body.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE)) or b"\0" in body[:4]:
        text = body.decode("utf-16-be" if body[:1] in (b"\0", b"\xfe") else "utf-16-le", "replace")
    else:
        text = body.decode("utf-8", "replace")
    headers = {
        found[1].lower(): found[2].strip() for found in re.finditer(r"^Header:\s*([\w-]+):(.*)$", text, re.MULTILINE)
    }
    expect = re.search(r"^Expect:\s*(.*?)\s*$", text, re.MULTILINE)
    return Case(str(name), body, {"content-type": "text/xml"} | headers, expect[1] if expect else "")


def _parse(case: Case) -> ParsedFeed | FeedError:
    try:
        url = case.headers.get("content-location", URL)
        url = url if url.startswith("http") else URL
        return parse_feed(case.body, url=url, content_type=case.headers["content-type"], now=NOW)
    except FeedError as error:
        return error


@pytest.fixture(scope="module")
def results(cases: list[Case]) -> dict[str, ParsedFeed | FeedError]:
    return {case.name: _parse(case) for case in cases}


def test_every_document_is_read_or_fails_with_a_reason(results: dict[str, ParsedFeed | FeedError]) -> None:
    assert len(results) >= 2_000
    failures = {name: result.reason for name, result in results.items() if isinstance(result, FeedError)}
    assert set(failures.values()) <= REASONS
    print(f"\n{len(results)} documents, {len(failures)} not read:")
    for name, reason in failures.items():
        print(f"  {reason:17} {name}")
    assert set(failures) <= set(DELIBERATE)


def test_what_documents_say_is_what_feedparser_expects(
    cases: list[Case], results: dict[str, ParsedFeed | FeedError]
) -> None:
    checked, disagreeing = 0, []
    for case in cases:
        result = results[case.name]
        for field, wanted, ours in _expectations(case, result):
            checked += 1
            if ours not in wanted:
                disagreeing.append(f"{case.name}: {field}: {ours!r} where {wanted[0]!r} is expected")
    print(f"\n{checked} expectations compared, {len(disagreeing)} differ:")
    print("\n".join(f"  {line}" for line in disagreeing))
    assert checked >= 1_100
    not_read = {name for name, result in results.items() if isinstance(result, FeedError)}
    assert {line.partition(":")[0] for line in disagreeing} | not_read == set(DELIBERATE)


def _expectations(case: Case, result: ParsedFeed | FeedError) -> Iterator[tuple[str, list[Any], Any]]:
    """Field, the values that will do, and ours, for an expectation of a form that is understood."""
    found = _EXPECTED.fullmatch(case.expect)
    if not found:
        return
    try:
        value = ast.literal_eval(found[5])
    except (ValueError, SyntaxError):
        return
    field, rest = found[2] or found[3], found[4]
    if isinstance(result, FeedError):
        yield result.reason, [value], None
        return
    if found[1] == "feed":
        if field == "title" and not rest:
            yield "feed title", [to_line(value), plain_line(value)], result.title
        return
    entry = result.entries[0] if result.entries else None
    if entry is None:
        return
    if isinstance(value, tuple) and not rest and field.endswith("_parsed"):
        wanted = to_iso(calendar.timegm(value + (0,) * (9 - len(value))) * 1000)
        if field in ("updated_parsed", "modified_parsed", "date_parsed"):
            yield field, [wanted], entry.updated_at or entry.published_at
        elif field in ("published_parsed", "issued_parsed"):
            yield field, [wanted], entry.published_at
    if not isinstance(value, str):
        return
    texts = [to_text(value), plain_text(value)]
    if field in ("title", "title_detail") and rest in ("", "['value']"):
        yield "title", [to_line(value), plain_line(value)], entry.title
    elif field in ("summary", "description", "summary_detail") and rest in ("", "['value']"):
        yield "summary", texts, entry.summary or entry.text
    elif field == "content" and rest == "[0]['value']":
        if entry.text or entry.summary not in texts:
            # shorter than the summary beside it: no full text
            yield "content", [*texts, entry.text if len(texts[0]) <= len(entry.summary) else None], entry.text
        else:
            yield "content", texts, entry.summary
    elif field == "link" and not rest:
        yield "link", [value] if value.startswith("http") else ["", value], entry.link
    elif field in ("id", "guid") and not rest:
        yield "guid", [plain_line(value)], entry.guid
    elif field == "author_detail" and rest == "['name']":
        yield "author", [(to_line(value),)], tuple(entry.authors)
    elif field == "author" and not rest:
        name = re.sub(r" ?\(\S+@\S+\)$", "", to_line(value))
        yield "author", [(name,)], tuple(entry.authors)
    elif field == "category" and not rest:
        yield "category", [to_line(value)], next(iter(entry.categories), "")
