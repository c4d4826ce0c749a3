"""Backfill: entry rows made from files instead of polls. Everything in a file is accounted for, also what is broken.

Three kinds of files, told apart by content, each plain or packed with gzip: JSON Lines of
`{url, title, text or html, published, source, summary?, language?, id?}`, saved feed documents, and WARC files.
Nothing is fetched. The same file gives the same rows, so that a second run finds the first one's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Union
from urllib.parse import urlsplit

from newsbeam import identity
from newsbeam.entries import Item, ParsedFeed, first_address, make_entries
from newsbeam.errors import FeedError
from newsbeam.feeds import OVER_CAP, UNREADABLE
from newsbeam.markup import drop_controls, plain_line, plain_text
from newsbeam.packed import Packed
from newsbeam.records import Entry, EntryRow, Feed, Source, from_iso

FEED_ID = "backfill"
MAX_BYTES = 10 * 1024 * 1024  # of a line, a feed document, a page
_KEPT = 64 * 1024  # bytes that are kept of a thing that is too large
_HEAD = 4 * 1024  # bytes by which the kind of a file is told
_STRINGS = ("url", "title", "text", "html", "summary", "published", "language", "id")
_JSON_FEED = re.compile(rb'"version"\s*:\s*"https?:\\?/\\?/(www\.)?jsonfeed\.org\\?/version')
_CHANNEL_END = re.compile(r"<(?:\w+:)?(?:item|entry)[\s>]", re.IGNORECASE)
_LINK = re.compile(r"<link\b([^<>]{0,2000})>(?:<!\[CDATA\[)?([^<\]]*)")
_HREF = re.compile(r"\bhref=[\"']([^\"']+)")
_OTHER_REL = re.compile(r"\brel=[\"'](?!alternate)")

Parse = Callable[[bytes, str], ParsedFeed]


class Broken(NamedTuple):
    """What can't be read: its row, which fails at once, and why. What was there of it stands in the entry's guid,
    where nothing takes it for an article when the row runs all the same."""

    row: EntryRow
    reason: str
    detail: str


class Skipped(NamedTuple):
    """What is no article, and why not."""

    reason: str


Found = Union[EntryRow, Broken, Skipped]


def read_file(stream: Packed, name: str, *, parse: Parse, now: int, source: str = "") -> Iterator[Found]:
    """All that is in a file, in its order.

    Args:
        name: what failures call the file.
        parse: given a feed document and the address it stands for, reads it. May raise FeedError.
        now: in ms; when what is in the file is first seen.
        source: name, domain or address of the publisher of what names none.
    """
    kind = _kind(stream)
    if kind == "warc":
        return _read_pages(stream, name, now, source)
    if kind == "feed":
        return _read_feed(stream, name, parse, now, source)
    if kind == "lines":
        return _read_lines(stream, name, now, source)
    return iter([_broken(stream.peek(_HEAD), "unknown_format", f"{name} is no JSON Lines, feed or WARC", now)])


def _kind(stream: Packed) -> str:
    head = stream.peek(_HEAD)
    if head.startswith(b"WARC/"):
        return "warc"
    if head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xfe\xff \t\r\n").startswith(b"<"):
        return "feed"
    if b"\0" in head:
        return "unknown"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and _is_json_feed(stream):
        return "feed"
    return "lines"


def _is_json_feed(stream: Packed) -> bool:
    """Whether a file that begins with an object is one JSON Feed: a JSON Lines file has an object on its first line."""
    line = stream.readline(MAX_BYTES)
    stream.unread(line)
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):  # an object of several lines
        return bool(_JSON_FEED.search(stream.peek(16 * _HEAD)))
    return isinstance(document, dict) and "jsonfeed.org/version/" in _text(document.get("version"))


# --- JSON Lines ---------------------------------------------------------------------------------------------------


def _read_lines(stream: Packed, name: str, now: int, source: str) -> Iterator[Found]:
    while True:
        line = stream.readline(MAX_BYTES + 1)
        if len(line) > MAX_BYTES:
            size = len(line)
            while not line.endswith(b"\n") and (rest := stream.readline(MAX_BYTES)):
                size, line = size + len(rest), line[:_KEPT] + rest[-1:]
            yield _broken(line[:_KEPT], "too_large", f"a line of {size} bytes, more than {MAX_BYTES}", now)
        elif line.strip():
            yield read_line(line, now=now, source=source)
        elif not line:
            if not stream.resume():
                return
            yield _broken(f"{name} {stream.taken}".encode(), "truncated", f"{name} is damaged: gzip ends early", now)


def read_line(line: bytes, *, now: int, source: str = "") -> Union[EntryRow, Broken]:
    """The row of one line; the same line gives the same row."""
    try:
        return _row(*_parse_line(line, now, source), now)
    except FeedError as error:
        return _broken(line, error.reason, error.detail, now)


def _parse_line(line: bytes, now: int, source: str) -> tuple[Source, Entry]:
    try:
        document: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise FeedError("bad_json", str(error)[:300]) from error
    if not isinstance(document, dict):
        raise FeedError("bad_document", f"a JSON object is wanted, not {type(document).__name__}")
    if type(document.get("id")) is int:
        document["id"] = str(document["id"])
    for name in _STRINGS:
        if not isinstance(document.get(name) or "", str):
            raise FeedError("bad_document", f"{name}: text is wanted, not {type(document[name]).__name__}")
    field = {name: drop_controls(document.get(name) or "") for name in _STRINGS}
    if not any(field[name].strip() for name in ("title", "text", "html", "summary")):
        raise FeedError("bad_document", "title, text or html is wanted")
    item = Item(
        guid=field["id"],
        links=[field["url"]],
        title=field["title"],
        summary=plain_text(field["summary"]),
        text=field["text"],
        published=field["published"],
        language=field["language"],
    )
    (entry,) = make_entries([item], base="", now=now)
    return _source(document.get("source") or source, entry.link), _named(entry._replace(html=field["html"]))


# --- saved feeds --------------------------------------------------------------------------------------------------


def _read_feed(stream: Packed, name: str, parse: Parse, now: int, source: str) -> Iterator[Found]:
    body = stream.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        yield _broken(body[:_KEPT], "too_large", f"{name}: more than {MAX_BYTES} bytes", now)
        return
    home = first_address([feed_home(body)], "")
    try:
        parsed = parse(body, home)
    except FeedError as error:
        yield _broken(body[:_KEPT], error.reason, f"{name}: {error.detail}", now)
        return
    for reason, count in ((OVER_CAP, parsed.truncated), (UNREADABLE, parsed.unreadable)):
        yield from [Skipped(reason)] * count
    title = plain_line(parsed.title)
    for entry in parsed.entries:
        said = source or {"name": title, "domain": identity.host_of(home).removeprefix("www.")}
        row = _row(_source(said, entry.link), _named(entry), now)
        yield row._replace(feed=row.feed._replace(language=parsed.language))


def feed_home(body: bytes) -> str:
    """The address of the site that a feed document says it is of, as it stands there; '' where it says none."""
    text = body.replace(b"\0", b"").decode("utf-8", "replace")
    if text.lstrip("\ufeff\ufffd \t\r\n").startswith("{"):
        found = re.search(r'"home_page_url"\s*:\s*"([^"]+)"', text)
        return found[1].replace("\\/", "/") if found else ""
    text = text[:_KEPT]
    end = _CHANNEL_END.search(text)
    for attributes, inner in _LINK.findall(text[: end.start()] if end else text):
        href = _HREF.search(attributes)
        address = (href[1] if href else "" if attributes.strip() else inner).strip()
        if address and not _OTHER_REL.search(attributes):
            return address.replace("&amp;", "&")
    return ""


# --- WARC ---------------------------------------------------------------------------------------------------------


def _read_pages(stream: Packed, name: str, now: int, source: str) -> Iterator[Found]:
    from newsbeam.extract import decode
    from newsbeam.warc import WarcBroken, WarcPage, read_warc

    for record in read_warc(stream, limit=MAX_BYTES):
        if isinstance(record, WarcBroken):
            data = record.data or f"{name} {stream.taken}".encode()
            yield _broken(data[:_KEPT], record.reason, f"{name}: {record.detail}", now)
        elif isinstance(record, WarcPage):
            (entry,) = make_entries([Item("", [record.url], "", "", "")], base="", now=now)
            if _is_home(entry.link):
                yield Skipped("home page")
                continue
            html = drop_controls(decode(record.html, record.content_type))
            yield _row(_source(source, entry.link), entry._replace(html=html), _seen_at(record.date, now), now)
        else:
            yield Skipped(record.reason)


def _is_home(url: str) -> bool:
    parts = urlsplit(identity.canonicalize_url(url))
    return parts.path in ("", "/") and not parts.query


def _seen_at(date: str, now: int) -> int:
    """When a page was archived. It is what `first_seen_at` means, and no date of publication."""
    try:
        return min(from_iso(date), now)
    except (ValueError, OverflowError):
        return now


# --- rows ---------------------------------------------------------------------------------------------------------


def _row(source: Source, entry: Entry, seen_at: int, due_at: int = 0) -> EntryRow:
    feed = Feed(FEED_ID, "", FEED_ID, source, full_text=False)
    entry_hash = identity.entry_hash(entry)
    row_id = identity.row_id(FEED_ID, f"{source.id} {entry.key}", 0, entry_hash)  # one key may be of two sources
    return EntryRow(row_id, feed, 0, "backfill", 0, entry_hash, entry, seen_at, due_at or seen_at)


def _broken(data: bytes, reason: str, detail: str, now: int) -> Broken:
    entry = Entry("line:" + identity.bytes_hash(data), guid=drop_controls(data[:_KEPT].decode("utf-8", "replace")))
    return Broken(_row(Source("unknown"), entry, now), reason, drop_controls(detail))


def _named(entry: Entry) -> Entry:
    """An entry that has a name: one without guid, address and title is known by its text."""
    if entry.guid or entry.link or entry.title:
        return entry
    key = "text:" + identity.bytes_hash((entry.summary + entry.text + entry.html).encode())
    return entry._replace(key=key, guid=key)


def _source(given: Any, url: str) -> Source:
    """A source from its name, domain, address or {id, name, domain, country}; by the article's host where absent."""
    host = identity.host_of(url).removeprefix("www.")
    if isinstance(given, dict):
        domain = _text(given.get("domain")).lower() or host
        name = _text(given.get("name")) or domain or "unknown"
        country = _text(given.get("country")).lower()
        known = country if re.fullmatch("[a-z]{2}", country) else None
        return Source(_slug(_text(given.get("id")) or domain or name), name, domain, known)
    name = _text(given)
    domain = identity.host_of(name).removeprefix("www.") if "://" in name else ""
    if not domain and re.fullmatch(r"[\w-]+(\.[\w-]+)+", name):
        domain = name.lower().removeprefix("www.")
    if domain or not name:
        domain = domain or host
        return Source(_slug(domain or "unknown"), domain or "unknown", domain)
    return Source(_slug(name), name, host)


def _text(value: Any) -> str:
    return plain_line(value)[:200] if isinstance(value, str) else ""


def _slug(text: str) -> str:
    slug = re.sub(r"[^\w.]+", "-", text.lower()).strip("-.")
    return slug[:120] or identity.bytes_hash(text.encode("utf-8", "replace"))[:12]
