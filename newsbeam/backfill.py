"""Backfill: entry rows made from files instead of polls. JSON Lines of
`{url, title, text or html, published, source, language?, id?}`; each line ends in the ledger, also one that is broken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

from newsbeam import identity
from newsbeam.errors import ConfigError, FeedError
from newsbeam.records import Entry, EntryRow, Feed, Source

FEED_ID = "backfill"
_STRINGS = ("url", "title", "text", "html", "summary", "published", "language", "id")


class Broken(NamedTuple):
    """A line that is no document: its row, which fails at once, and why."""

    row: EntryRow
    reason: str
    detail: str


def read_lines(path: Path, *, poll: int, now: int) -> Iterator[Union[EntryRow, Broken]]:
    """The rows of a file's lines, blank ones left out. Raises ConfigError where it can't be read."""
    try:
        with path.open("rb") as file:
            for line in file:
                if line.strip():
                    yield read_line(line, poll=poll, now=now)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error


def read_line(line: bytes, *, poll: int, now: int) -> Union[EntryRow, Broken]:
    """The row of one line; the same line gives the same row."""
    try:
        feed, entry = _parse(line, now)
    except FeedError as error:
        entry = Entry("line:" + identity.bytes_hash(line), text=line.decode("utf-8", "replace"))
        return Broken(_row(Feed(FEED_ID, "", FEED_ID, Source("unknown")), entry, poll, now), error.reason, error.detail)
    return _row(feed, entry, poll, now)


def _row(feed: Feed, entry: Entry, poll: int, now: int) -> EntryRow:
    entry_hash = identity.entry_hash(entry)
    row_id = identity.row_id(FEED_ID, entry.key, 0, entry_hash)
    return EntryRow(row_id, feed, poll, "backfill", 0, entry_hash, entry, now, now)


def _parse(line: bytes, now: int) -> tuple[Feed, Entry]:
    from newsbeam.dates import read_date

    try:
        document: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise FeedError("bad_json", str(error)) from error
    if not isinstance(document, dict):
        raise FeedError("bad_document", f"a JSON object is wanted, not {type(document).__name__}")
    for name in _STRINGS:
        if not isinstance(document.get(name) or "", str):
            raise FeedError("bad_document", f"{name}: text is wanted, not {type(document[name]).__name__}")
    field = {name: document.get(name) or "" for name in _STRINGS}
    if not (field["title"] or field["text"] or field["html"]):
        raise FeedError("bad_document", "title, text or html is wanted")
    published_at, label = read_date(field["published"], now)
    key = field["id"] or identity.canonicalize_url(field["url"])
    entry = Entry(
        key=key or "title:" + field["title"] + ":" + field["published"],
        guid=field["id"],
        link=field["url"],
        title=" ".join(field["title"].split()),
        summary=field["summary"],
        text="" if field["html"] else field["text"],
        html=field["html"],
        language=field["language"] or None,
        published_at=published_at,
        labels=(label,) if label else (),
    )
    source = _source(document.get("source"), field["url"])
    return Feed(FEED_ID, "", FEED_ID, source, language=field["language"] or None), entry


def _source(given: Any, url: str) -> Source:
    """A source from its name, domain, address or {id, name, domain, country}; by the article's host where absent."""
    host = identity.host_of(url).removeprefix("www.")
    if isinstance(given, dict):
        domain = _text(given.get("domain")) or host
        name = _text(given.get("name")) or domain
        country = _text(given.get("country")).lower() or None
        return Source(_text(given.get("id")) or _slug(domain or name), name, domain, country)
    name = _text(given)
    domain = identity.host_of(name).removeprefix("www.") if "://" in name else ""
    if not domain and re.fullmatch(r"[\w-]+(\.[\w-]+)+", name):
        domain = name.lower().removeprefix("www.")
    if domain or not name:
        domain = domain or host
        return Source(_slug(domain or "unknown"), domain or "unknown", domain)
    return Source(_slug(name), name, host)


def _text(value: Optional[Any]) -> str:
    return value.strip() if isinstance(value, str) else ""


def _slug(text: str) -> str:
    slug = re.sub(r"[^\w.]+", "-", text.lower()).strip("-.")
    return slug or identity.bytes_hash(text.encode("utf-8", "replace"))[:12]
