"""JSON Feed, versions 1 and 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from newsbeam.entries import MAX_ENTRIES, Item, ParsedFeed, language_tag, make_entries, split_text
from newsbeam.errors import FeedError
from newsbeam.markup import plain_line, plain_text, to_line, to_text

_VERSION = "jsonfeed.org/version/"


def parse_json_feed(body: bytes, *, url: str, now: int) -> ParsedFeed:
    """A JSON Feed as data.

    Members of a wrong type count as absent. Raises FeedError: `bad_json`, or `not_a_feed` for other JSON.
    """
    try:
        document = json.loads(body.lstrip(b"\xef\xbb\xbf \t\r\n"))
    except (ValueError, RecursionError) as error:  # ValueError has UnicodeDecodeError and JSONDecodeError below it
        raise FeedError("bad_json", str(error)[:200]) from None
    if not isinstance(document, dict) or not (number := _version(document)):
        raise FeedError("not_a_feed", "JSON without the version of a JSON Feed")
    found = document.get("items")
    items = [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    unreadable = len(found) - len(items) if isinstance(found, list) else 0
    language = language_tag(_text(document.get("language")))
    feed_authors = tuple(_authors(document))
    read = [_item(item, feed_authors, language) for item in items[:MAX_ENTRIES]]
    return ParsedFeed(
        title=plain_line(_text(document.get("title"))),
        language=language,
        entries=make_entries(read, base=_text(document.get("feed_url")) or url, now=now),
        recovered=unreadable > 0,
        ttl=None,
        version=f"json{number.replace('.', '')[:4]}",
        truncated=max(0, len(items) - MAX_ENTRIES),
        unreadable=unreadable,
    )


def _version(document: Mapping[str, Any]) -> str:
    """The version's number; '' where it is no JSON Feed. Some feeds give the number alone, where an address belongs."""
    version = _text(document.get("version"))
    if _VERSION in version:
        return version.partition(_VERSION)[2].strip("/") or "1"
    return version if version in ("1", "1.0", "1.1") and isinstance(document.get("items"), list) else ""


def _item(item: Mapping[str, Any], feed_authors: tuple[str, ...], language: str | None) -> Item:
    content = to_text(_text(item.get("content_html"))) or plain_text(_text(item.get("content_text")))
    summary, text = split_text(plain_text(_text(item.get("summary"))), content)
    attachments = item.get("attachments")
    tags = item.get("tags")
    images = [_text(item.get("image")), _text(item.get("banner_image"))]
    for attachment in attachments if isinstance(attachments, list) else []:
        if isinstance(attachment, dict) and _text(attachment.get("mime_type")).startswith("image/"):
            images.append(_text(attachment.get("url")))
    return Item(
        guid=_text(item.get("id")),
        links=[_text(item.get("url")), _text(item.get("external_url"))],
        title=to_line(_text(item.get("title"))),
        summary=summary,
        text=text,
        published=_text(item.get("date_published")),
        updated=_text(item.get("date_modified")),
        authors=tuple(_authors(item)) or feed_authors,
        categories=[_text(tag) for tag in tags] if isinstance(tags, list) else [],
        images=images,
        language=language_tag(_text(item.get("language"))) or language,
    )


def _authors(holder: Mapping[str, Any]) -> Iterator[str]:
    """Names, from `authors` (1.1) or `author` (1)."""
    several = holder.get("authors")
    for author in several if isinstance(several, list) else [holder.get("author")]:
        if isinstance(author, dict) and _text(author.get("name")):
            yield _text(author.get("name"))


def _text(value: object) -> str:
    """A string; a number as one (ids are numbers in some feeds); anything else as ''."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""
