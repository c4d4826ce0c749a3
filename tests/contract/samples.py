"""What the contract tests make: feeds, rows and drafts, at fixed times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from newsbeam import identity
from newsbeam.records import (
    Article,
    Cursor,
    Draft,
    EntityDetail,
    Entry,
    EntryRow,
    Extraction,
    Feed,
    Holder,
    Poll,
    Source,
    now_ms,
    to_iso,
)
from newsbeam.search import parse_query
from newsbeam.stores import Store

NOW = now_ms()  # leases and due times are compared with the clock by ledger() alone
MINUTE = 60_000
DAY = 86_400_000
UNTIL = NOW + 10 * MINUTE
ALICE = Holder("job-a", "host-1", 101, 1_000, 1)
BOB = Holder("job-b", "host-1", 202, 2_000, 1)
CAROL = Holder("job-c", "host-2", 101, 1_000, 1)


def feed(feed_id: str = "feed-a", source: str = "daily") -> Feed:
    return Feed(
        feed_id,
        f"https://{source}.example/{feed_id}.xml",
        feed_id.title(),
        Source(source, source.title(), f"{source}.example"),
    )


def entry(key: str, **fields: Any) -> Entry:
    fields = {
        "link": f"https://daily.example/news/{key}",
        "title": f"Title of {key}",
        "summary": f"About {key}.",
    } | fields
    return Entry(key, **fields)


def row(
    key: str, *, of: Feed | None = None, poll: int = 1, change: int = 0, kind: str = "entry", **fields: Any
) -> EntryRow:
    """A row as select makes it; `hash` and what EntryRow has may be given, all else goes to the entry."""
    of = of or feed()
    own = {name: fields.pop(name) for name in (*EntryRow._fields, "hash") if name in fields}
    entry_hash = own.pop("hash", f"hash-{key}-{change}")
    values = {"seen_at": NOW, "due_at": NOW} | own
    row_id = identity.row_id(of.id, key, change, entry_hash)
    return EntryRow(row_id, of, poll, kind, change, entry_hash, entry(key, **fields), **values)


def poll(
    store: Store,
    rows: Sequence[EntryRow],
    *,
    of: Feed | None = None,
    number: int = 1,
    holder: Holder = ALICE,
    unchanged: int = 0,
    skipped: Mapping[str, int] | None = None,
    until: int = UNTIL,
) -> list[EntryRow]:
    """Claims a feed and commits a poll of it that made these rows."""
    of = of or feed()
    claim = store.claim_feeds([of.id], holder, NOW, UNTIL)[of.id]
    seen = len(rows) + unchanged + sum((skipped or {}).values())
    record = Poll(
        of.id,
        number,
        NOW,
        "ok",
        http_status=200,
        seen=seen,
        unchanged=unchanged,
        skipped=skipped or {},
        new=len(rows),
        job=holder.job,
        tick=holder.tick,
    )
    cursor = claim.cursor._replace(poll=number, etag=f'"{number}"', next_poll_at=NOW + 15 * MINUTE)
    return store.commit_poll(record, cursor, rows, holder, claim.fence, until)


def cursor_of(feed_id: str, **fields: Any) -> Cursor:
    return Cursor(feed_id, **fields)


def draft(
    of: EntryRow,
    *,
    read_at: int = NOW,
    text_from: str = "page",
    borrowed: Sequence[str] = (),
    labels: Sequence[str] = (),
    **fields: Any,
) -> Draft:
    """The draft of a row's article; fields of Article replace what the row says. `people` and so on get details."""
    said = of.entry
    values: dict[str, Any] = {
        "id": identity.article_id(identity.article_key(said.link, source_id=of.feed.source.id, entry=said)),
        "revision": 1, "version": 1, "observed_at": to_iso(read_at), "url": said.link, "source": of.feed.source,
        "title": said.title, "summary": said.summary, "body": f"The body of {said.key}.", "text_from": text_from,
        "first_seen_at": to_iso(of.seen_at), "timestamp": to_iso(of.seen_at), "guid": said.guid, "language": "en",
        "extraction": Extraction("sample" if text_from == "page" else "feed", "1"),
    } | fields  # fmt: skip
    values["content_hash"] = identity.content_hash(values["title"], values["summary"], values["body"])
    return Draft(of, Article(**values), read_at, borrowed, labels)


def entity(name: str, kind: str, *forms: str) -> EntityDetail:
    return EntityDetail(name, kind, 1, False, forms or (name,), ())


def write(store: Store, *drafts: dict[str, Any]) -> list[str]:
    """Writes an article for each, by way of one poll of each feed; returns their ids.

    Each gives the fields of `draft`; `key` names the entry, `of` its feed.
    """
    given = [{"key": f"entry-{number}", "of": feed()} | fields for number, fields in enumerate(drafts)]
    feeds = {fields["of"].id: fields["of"] for fields in given}
    rows = {}
    for of in feeds.values():
        number = store.cursors([of.id]).get(of.id, Cursor(of.id)).poll + 1
        new = [row(fields["key"], of=of, poll=number) for fields in given if fields["of"].id == of.id]
        rows |= {(of.id, made.entry.key): made for made in poll(store, new, of=of, number=number)}
    made_drafts = []
    for fields in given:
        of, key = fields.pop("of"), fields.pop("key")
        made_drafts.append(draft(rows[of.id, key], **fields))
    return [result.article_id or "" for result in store.write_articles(made_drafts, NOW)]


def titles(store: Store, text: str = "", **options: Any) -> list[str]:
    """The titles that a search finds, in its order."""
    return [hit.article.title for hit in store.search(parse_query(text, **({"limit": 100} | options))).hits]
