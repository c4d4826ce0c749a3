"""Feeds: a document becomes entries, and a cursor tells which of them are new or changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from newsbeam import identity
from newsbeam.entries import ParsedFeed, guid_key, own_key
from newsbeam.errors import FeedError
from newsbeam.records import Cursor, Entry, EntryRow, Feed, Seen

KEEP_SEEN = 7 * 86_400_000  # ms for which a cursor remembers an entry that its feed no longer has
MAX_GONE = 10_000  # of such entries, the newest: a feed may change every guid at each poll
DUPLICATE, OVER_CAP, UNREADABLE = "duplicate", "over the cap", "unreadable"
RECOVERED = "recovered"  # the label of entries of a broken document


def parse_feed(body: bytes, *, url: str, content_type: str, now: int) -> ParsedFeed:
    """A feed document (RSS, Atom, RDF, JSON Feed) as data.

    Args:
        body: the document, decompressed. At most 2,000 entries of it are read, the others counted.
        url: where it came from; relative addresses are resolved against it.
        content_type: the header, or ''. The content decides what it is; the header helps with the encoding.
        now: in ms, to tell absurd dates.

    A broken document gives the entries that could be read, with `recovered` and labelled so; one without entries is
    no failure. Raises FeedError: empty, html (a page instead of a feed), not_a_feed, bad_xml, bad_json (broken, and
    nothing to be had), unknown_encoding, xml_entities (a DTD that declares entities; never parsed), too_large.
    """
    start = body[:1_024].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xfe\xff \t\r\n")[:1]
    if not start and not body.strip(b"\0 \t\r\n"):
        raise FeedError("empty", f"{len(body)} bytes")
    if start in (b"{", b"["):
        from newsbeam.jsonfeed import parse_json_feed

        return _labelled(parse_json_feed(body, url=url, now=now))
    from newsbeam.feedxml import parse_xml_feed

    return _labelled(parse_xml_feed(body, url=url, content_type=content_type, now=now))


def _labelled(parsed: ParsedFeed) -> ParsedFeed:
    """The document, its entries labelled where it is a broken one."""
    if not parsed.recovered:
        return parsed
    return parsed._replace(entries=[entry._replace(labels=(*entry.labels, RECOVERED)) for entry in parsed.entries])


class Selection(NamedTuple):
    """What a poll found: rows for new and changed entries, and the accounts of all.

    seen = unchanged + sum(skipped) + len(rows), always. Of `cursor`, entries and current are those after the poll;
    the rest is the caller's to set.
    """

    rows: Sequence[EntryRow]
    cursor: Cursor
    seen: int
    unchanged: int
    skipped: Mapping[str, int]


def select(parsed: ParsedFeed, feed: Feed, cursor: Cursor, *, now: int) -> Selection:
    """The entries of a document that are new or changed against a cursor. Pure.

    An entry that left its feed and comes back within 7 days is not new, unless more than 10,000 left after it. Of
    entries with one key, the latest counts.
    """
    groups: dict[str, list[Entry]] = {}
    for entry in parsed.entries:
        key = _settled_key(entry, cursor)
        groups.setdefault(key, []).append(entry._replace(key=key))

    rows: list[EntryRow] = []
    seen_now: dict[str, Seen] = {}
    unchanged = 0
    for key, group in groups.items():
        known = cursor.entries.get(key)
        entry, entry_hash = _pick(group, known)
        if known and known.hash == entry_hash:
            change = known.change
            unchanged += 1
        else:
            change = known.change + 1 if known else 0
            previous = identity.row_id(feed.id, key, known.change, known.hash) if known else None
            row_id = identity.row_id(feed.id, key, change, entry_hash)
            rows.append(
                EntryRow(
                    id=row_id, feed=feed, poll=cursor.poll + 1, kind="entry", change=change, entry_hash=entry_hash,
                    entry=entry, seen_at=now, due_at=now, previous=previous,
                )
            )  # fmt: skip
        seen_now[key] = Seen(entry_hash, change, now)

    gone = [
        (key, seen) for key, seen in cursor.entries.items() if key not in seen_now and now - seen.last_at <= KEEP_SEEN
    ]
    kept = dict(sorted(gone, key=lambda item: item[1].last_at)[-MAX_GONE:])
    skipped = {
        DUPLICATE: len(parsed.entries) - len(groups),
        OVER_CAP: parsed.truncated,
        UNREADABLE: parsed.unreadable,
    }
    return Selection(
        rows=rows,
        cursor=cursor._replace(entries=kept | seen_now, current=len(seen_now)),
        seen=len(parsed.entries) + parsed.truncated + parsed.unreadable,
        unchanged=unchanged,
        skipped={reason: count for reason, count in skipped.items() if count},
    )


def _settled_key(entry: Entry, cursor: Cursor) -> str:
    """An entry's key as earlier polls have it, where its guid was shared in one of two polls and not in the other."""
    own = own_key(entry)
    if not entry.guid or own in cursor.entries:
        return own if entry.guid else entry.key
    alone = cursor.entries.get(guid_key(entry))
    if entry.key == own and alone and alone.hash == identity.entry_hash(entry):
        return guid_key(entry)
    return entry.key


def _pick(group: Sequence[Entry], known: Seen | None) -> tuple[Entry, str]:
    """The latest of entries with one key; among equals the one that the cursor has, so that order never matters."""
    hashed = [(entry, identity.entry_hash(entry)) for entry in group]
    latest = max(_moment(entry) for entry in group)
    rivals = [pair for pair in hashed if _moment(pair[0]) == latest]
    return next((pair for pair in rivals if known and pair[1] == known.hash), rivals[0])


def _moment(entry: Entry) -> str:
    return entry.updated_at or entry.published_at or ""


__all__ = ["FeedError", "ParsedFeed", "Selection", "parse_feed", "select"]
