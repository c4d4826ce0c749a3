"""The records that newsbeam's parts hand to each other and keep in stores.

All are NamedTuples of plain values: picklable, comparable, and rows for Beam (transforms/ registers their coders).
Sequences may come back from a coder or a store as lists, so compare their contents, never their type.
Times are integer milliseconds since 1970 UTC in what newsbeam keeps for itself (rows, cursors, polls, leases), and
ISO 8601 UTC strings with milliseconds in what users see (entries and articles).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from types import UnionType
from typing import Any, NamedTuple, Optional, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def now_ms() -> int:
    """The time, in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def to_iso(ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601 UTC: `2026-11-24T17:22:21.123Z`."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def from_iso(text: str) -> int:
    """ISO 8601 (any offset; none means UTC) as milliseconds since 1970. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


# --- what is configured -------------------------------------------------------------------------------------------


class Source(NamedTuple):
    """The publisher that a feed belongs to. `country` is ISO 3166-1 alpha-2, lower case."""

    id: str
    name: str = ""
    domain: str = ""
    country: Optional[str] = None


class Feed(NamedTuple):
    """A configured feed. `every` is the polling interval in seconds; `credentials` names environment variables."""

    id: str
    url: str
    name: str
    source: Source
    language: Optional[str] = None
    every: int = 900
    full_text: bool = True
    enabled: bool = True
    credentials: Optional[str] = None
    tags: Sequence[str] = ()


# --- what feeds say -----------------------------------------------------------------------------------------------


class Entry(NamedTuple):
    """One item as its feed gives it, all text plain (no markup), paragraphs apart by an empty line.

    `key` tells it from the other entries of its feed. `text` is a full text that came with it (backfill, or a feed's
    content element); `html` a page that came with it (backfill). `labels` name what was put aside, as `date absurd`.
    """

    key: str
    guid: str = ""
    link: str = ""
    title: str = ""
    summary: str = ""
    text: str = ""
    html: str = ""
    authors: Sequence[str] = ()
    categories: Sequence[str] = ()
    image: Optional[str] = None
    language: Optional[str] = None
    published_at: Optional[str] = None
    updated_at: Optional[str] = None
    labels: Sequence[str] = ()


class Seen(NamedTuple):
    """What a cursor remembers of one entry. `last_at` is the last poll that had it, in ms."""

    hash: str
    change: int
    last_at: int


class Cursor(NamedTuple):
    """What is remembered of a feed between polls. `poll` counts the polls done; `failures` those failed in a row."""

    feed_id: str
    poll: int = 0
    etag: Optional[str] = None
    last_modified: Optional[str] = None
    body_hash: Optional[str] = None
    polled_at: int = 0
    next_poll_at: int = 0
    failures: int = 0
    entries: Mapping[str, Seen] = {}
    current: int = 0  # how many of `entries` the last readable poll had


class Poll(NamedTuple):
    """One fetch of a feed, for the ledger. `status` is ok, not_modified or failed; `new` counts the rows it made.

    seen = unchanged + sum(skipped) + new, always.
    """

    feed_id: str
    number: int
    at: int
    status: str
    reason: Optional[str] = None
    detail: str = ""
    http_status: Optional[int] = None
    seen: int = 0
    unchanged: int = 0
    skipped: Mapping[str, int] = {}
    new: int = 0
    recovered: bool = False
    job: str = ""
    tick: int = 0


# --- the way of an entry to an article ----------------------------------------------------------------------------


class Holder(NamedTuple):
    """Who holds a lease: a job (one run of a command) in a process. `started` tells apart processes that had one pid
    (`process.started`); `tick` is the job's round, kept for the ledger and no part of who it is."""

    job: str
    host: str
    pid: int
    started: int
    tick: int = 0


class EntryRow(NamedTuple):
    """What the store keeps of a new or changed entry; without an outcome it is in the inbox.

    Args:
        id: made of feed, entry key, change count and entry hash (`identity.row_id`).
        kind: `entry` (from a poll), or `backfill`.
        previous: the row id of this entry's change before, whose article id it inherits.
        article_id: the article that it wrote, or that an earlier row of this entry wrote.
        tries: how often it was put off as `later`; busy: how often as `busy`.
        deaths: how many jobs died while they held it.
        fence: grows with every taking; what is written under an older one is refused.
    """

    id: str
    feed: Feed
    poll: int
    kind: str
    change: int
    entry_hash: str
    entry: Entry
    seen_at: int
    due_at: int
    previous: Optional[str] = None
    article_id: Optional[str] = None
    tries: int = 0
    busy: int = 0
    deaths: int = 0
    fence: int = 0


class RowResult(NamedTuple):
    """The end of one taking of a row: an outcome, or (outcome None) put off until `due_at` for a `route`.

    `outcome` is new, revised, unchanged, skipped or failed. `route` is later (counts as a try) or busy.
    """

    row_id: str
    fence: int
    outcome: Optional[str] = None
    reason: Optional[str] = None
    detail: str = ""
    labels: Sequence[str] = ()
    article_id: Optional[str] = None
    route: Optional[str] = None
    due_at: int = 0
    job: str = ""
    tick: int = 0


class Failure(NamedTuple):
    """A row that a stage could not carry on. `route`: never (failed for good), later (try again) or busy (soon)."""

    row: EntryRow
    stage: str
    route: str
    reason: str
    detail: str = ""
    retry_after: Optional[float] = None


# --- articles -----------------------------------------------------------------------------------------------------


class FeedRef(NamedTuple):
    """An entry of a feed that carries an article: its last row that was written, the poll that saw it, and what it did.

    `published_at` is the date that the entry gives; `publisher` says that its source is that of the article's address.
    """

    id: str
    key: str
    row: str
    poll: int
    outcome: str
    labels: Sequence[str] = ()
    published_at: Optional[str] = None
    publisher: bool = False


class Span(NamedTuple):
    """A place in an article: code points [start, end) of `field` (title, summary or body)."""

    field: str
    start: int
    end: int


class EntityDetail(NamedTuple):
    """One entity of an article under its canonical name. `kind` is one of ENTITY_KINDS."""

    name: str
    kind: str
    mentions: int
    in_title: bool
    forms: Sequence[str]
    spans: Sequence[Span]
    wikidata: Optional[str] = None


ENTITY_KINDS = ("person", "organization", "place", "group", "event", "other")


def facets(details: Sequence[EntityDetail]) -> dict[str, Sequence[str]]:
    """The keyword fields of an article: entities, people, organizations ..., each by mentions, then name."""
    ordered = sorted(details, key=lambda detail: (-detail.mentions, detail.name))

    def names(kind: str) -> tuple[str, ...]:
        return tuple(detail.name for detail in ordered if detail.kind == kind)

    return {
        "entities": tuple(detail.name for detail in ordered),
        "people": names("person"),
        "organizations": names("organization"),
        "places": names("place"),
        "groups": names("group"),
        "events": names("event"),
    }


class Evidence(NamedTuple):
    """Why an article has a topic: the rule that hit, the words it hit, and where (code points of `field`)."""

    rule: str
    text: str
    field: str
    start: int
    end: int


class TopicDetail(NamedTuple):
    """One topic of an article, with its score and the evidence."""

    id: str
    label: str
    score: float
    evidence: Sequence[Evidence]
    rules_version: str


class Extraction(NamedTuple):
    """How the text came about. `method`: trafilatura, feed, given ...; `quality`: ok, short or none;
    `cut`: the text was longer than the cap and ends early; `reason`: why the page was not used."""

    method: str
    version: str = ""
    quality: str = "ok"
    cut: bool = False
    reason: Optional[str] = None


class Article(NamedTuple):
    """An article as both stores keep it and users see it; `to_document` gives its JSON shape."""

    id: str
    revision: int
    version: int
    observed_at: str
    url: str
    source: Source
    title: str
    summary: str
    body: str
    text_from: str
    first_seen_at: str
    timestamp: str
    canonical_url: Optional[str] = None
    guid: str = ""
    feeds: Sequence[FeedRef] = ()
    authors: Sequence[str] = ()
    language: Optional[str] = None
    image: Optional[str] = None
    categories: Sequence[str] = ()
    published_at: Optional[str] = None
    published_from: str = "none"
    updated_at: Optional[str] = None
    indexed_at: Optional[str] = None
    entities: Sequence[str] = ()
    people: Sequence[str] = ()
    organizations: Sequence[str] = ()
    places: Sequence[str] = ()
    groups: Sequence[str] = ()
    events: Sequence[str] = ()
    entity_details: Sequence[EntityDetail] = ()
    topics: Sequence[str] = ()
    topic_details: Sequence[TopicDetail] = ()
    story_id: Optional[str] = None
    copy_of: Optional[str] = None
    content_hash: str = ""
    words: int = 0
    extraction: Extraction = Extraction("none")
    status: str = "active"
    grams: str = ""


class Draft(NamedTuple):
    """An article as one row alone would make it, on its way to the store.

    `read_at` is when its content was asked for, never earlier than what the store had then (ms).
    `borrowed` names the fields that a page lacked and its feed supplied.
    """

    row: EntryRow
    article: Article
    read_at: int
    borrowed: Sequence[str] = ()
    labels: Sequence[str] = ()


# --- records as JSON ----------------------------------------------------------------------------------------------

_RENAMED = {"timestamp": "@timestamp"}
_INTERNAL = frozenset({"grams"})


def to_plain(value: Any) -> Any:
    """A record as dicts, lists and scalars."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: to_plain(item) for name, item in zip(value._fields, value, strict=True)}
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    return value


def from_plain(kind: type[T], value: Any) -> T:
    """The inverse of `to_plain`; unknown keys are ignored, so that older code reads newer rows."""
    return _decode(kind, value)  # type: ignore[no-any-return]


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _decode(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return _decode(next(arg for arg in get_args(kind) if arg is not type(None)), value)
    if hasattr(kind, "_fields"):
        hints = _hints(kind)
        return kind(**{name: _decode(hints[name], value[name]) for name in kind._fields if name in value})
    if origin is not None and issubclass(origin, Mapping):
        return {key: _decode(get_args(kind)[1], item) for key, item in value.items()}
    if origin is not None and issubclass(origin, Sequence):
        return tuple(_decode(get_args(kind)[0], item) for item in value)
    return value


def to_document(article: Article, *, internal: bool = False) -> dict[str, Any]:
    """An article as the JSON document that users see; with `internal`, as stores keep it."""
    plain = to_plain(article)
    return {_RENAMED.get(key, key): item for key, item in plain.items() if internal or key not in _INTERNAL}


def from_document(document: Mapping[str, Any]) -> Article:
    """The inverse of `to_document`."""
    plain = dict(document)
    for name, renamed in _RENAMED.items():
        if renamed in plain:
            plain[name] = plain.pop(renamed)
    return from_plain(Article, plain)
