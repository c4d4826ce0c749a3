"""How a stored article and a newly read one become one: pure, and the same for both stores.

Precedence is fixed, so that the order of arrival does not matter: the page's text, else the text of the first entry;
other entries only join `feeds[]`. First are the publisher's own entries, then those with the least feed id and key.
What a page lacks (a summary), the first of the entries that led to it supplies. The first of all owns what is said
beside the content (source, authors, date).
`revision` counts changes of content, `version` writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple, Optional

from newsbeam import identity
from newsbeam.records import Article, Draft, FeedRef, facets, from_document, from_iso, to_document, to_iso

UPGRADED, CLASH, FEED_TEXT_ONLY = "upgraded", "clash", "feed text only"


class Merged(NamedTuple):
    """What merging a draft gives.

    `article` is to be written (None: nothing to write), `archived` the former content to be kept as a revision;
    `outcome`, `reason` and `labels` go on the row.
    """

    article: Optional[Article]
    archived: Optional[Article]
    outcome: str
    reason: Optional[str] = None
    labels: tuple[str, ...] = ()


def place(draft: Draft, get: Callable[[str], Optional[Article]]) -> tuple[Draft, Optional[Article]]:
    """Finds the stored article that a draft belongs to; `get` reads one by id.

    An entry stays with the article that it wrote before. Where the stored article of the id came from another link
    and neither title nor text agree (a canonical that points at a section or a consent page), the draft goes by its
    own link and is labelled `clash`.
    """
    article, row = draft.article, draft.row
    if row.article_id and row.article_id != article.id:
        known = get(row.article_id)
        if known and not _clashes(known, draft, remembered=True):
            return draft._replace(article=article._replace(id=known.id)), known
    stored = get(article.id)
    if stored is None or not _clashes(stored, draft, remembered=row.article_id == article.id):
        return draft, stored
    own = identity.link_id(row.entry, article.source.id)
    if own == article.id:
        return draft, stored
    moved = article._replace(id=own, canonical_url=None)
    return draft._replace(article=moved, labels=_add(draft.labels, CLASH)), get(own)


def _clashes(stored: Article, draft: Draft, *, remembered: bool) -> bool:
    """Whether a draft must not touch a stored article, though it claims its id.

    On another host and from another source, the texts have to agree: nobody takes over another publisher's article by
    a redirect or a rel=canonical. Within one, `remembered` entries are trusted, and of others title or text agrees.
    """
    new = draft.article
    if stored.status == "deleted":  # what was taken down is taken down under every address that leads to it
        return False
    link = identity.canonicalize_url(draft.row.entry.link) or draft.row.entry.link
    if any(ref.row == draft.row.id for ref in stored.feeds) or stored.url == new.url:
        return False
    hosts = {identity.host_of(stored.url), identity.host_of(stored.canonical_url or stored.url)}
    if identity.host_of(new.url) not in hosts and new.source.id != stored.source.id:
        return not identity.same_content(stored, "", new.body)
    return not remembered and stored.url != link and not identity.same_content(stored, new.title, new.body)


def merge_draft(stored: Optional[Article], draft: Draft, now: int) -> Merged:
    """The stored article after a draft has been taken in.

    Args:
        stored: what the store has under the draft's id (`place` finds it), or None.
        now: in ms; used for indexed_at alone.
    """
    row, new = draft.row, draft.article
    labels = _add(draft.labels, FEED_TEXT_ONLY) if new.text_from == "feed" else tuple(draft.labels)
    said_at = new.published_at if new.published_from == "feed" else None
    publisher = _is_publisher(new)
    if stored is None:
        ref = FeedRef(row.feed.id, row.entry.key, row.id, row.poll, "new", labels, said_at, publisher)
        article = new._replace(
            revision=1,
            version=1,
            feeds=(ref,),
            story_id=new.story_id or new.id,
            observed_at=to_iso(draft.read_at),
            indexed_at=to_iso(now),
        )
        return Merged(article, None, "new", labels=labels)

    known = next((ref for ref in stored.feeds if ref.row == row.id), None)
    if known:  # the row ran before, and its outcome was not put on record: it reports what it did then
        return Merged(None, None, known.outcome, labels=tuple(known.labels))
    refs = {(ref.id, ref.key): ref for ref in stored.feeds}
    last = refs.get((row.feed.id, row.entry.key))
    if last and last.poll > row.poll:
        return Merged(None, None, "skipped", "superseded", labels)
    if stored.status == "deleted":
        return Merged(None, None, "skipped", "deleted", labels)

    own = (row.feed.id, row.entry.key)
    change = _content_change(stored, draft)
    ranks = [_rank(ref) for name, ref in refs.items() if name != own]
    owns = all((not publisher, *own) <= rank for rank in ranks)
    fields = {name: getattr(new, name) for name in _OWNED} if owns else {}
    if change in ("revised", "upgraded"):
        fields |= _content(new, stored, draft)
    if change == "upgraded":
        labels = _add(labels, UPGRADED)
    outcome = "revised" if change == "revised" else "unchanged"
    refs[own] = FeedRef(
        *own, row.id, row.poll, outcome, labels, said_at or (last.published_at if last else None), publisher
    )
    fields["feeds"] = _capped(refs)
    fields["version"] = stored.version + 1
    fields["indexed_at"] = to_iso(now)
    fields["first_seen_at"] = min(stored.first_seen_at, new.first_seen_at)
    fields |= _date(stored, new, fields["feeds"], fields["first_seen_at"])
    if change == "revised":
        fields["revision"] = stored.revision + 1
    if change in ("revised", "upgraded"):
        first_page = stored.text_from != new.text_from  # from here on its own time counts, not that of the feed's text
        after = draft.read_at if first_page else max(draft.read_at, from_iso(stored.observed_at) + 1)
        fields["observed_at"] = to_iso(after)
    archived = stored if change == "revised" else None
    return Merged(stored._replace(**fields), archived, outcome, labels=labels)


def _content_change(stored: Article, draft: Draft) -> str:
    """What a draft does to the content: none, revised, upgraded, or history (it was read before the stored one)."""
    new = draft.article
    if stored.text_from != new.text_from:
        return "upgraded" if new.text_from == "page" else "none"
    supplies, newcomer = _supply(stored, draft)
    if new.text_from == "feed" and not supplies:
        return "none"
    if identity.content_hash(*_texts(stored, draft, supplies), new.body) == stored.content_hash:
        same = new.extraction._replace(reason=None) == stored.extraction._replace(reason=None)
        return "none" if same else "upgraded"
    if newcomer:  # one feed's words for another's are no change of what either says
        page_said_it = identity.content_hash(*_texts(stored, draft, False), new.body) == stored.content_hash
        if new.text_from == "feed" or page_said_it:
            return "upgraded"
    if draft.read_at <= from_iso(stored.observed_at):
        return "history"
    same_reader = (new.extraction.method, new.extraction.version) == (
        stored.extraction.method,
        stored.extraction.version,
    )
    return "revised" if same_reader else "upgraded"


def _supply(stored: Article, draft: Draft) -> tuple[bool, bool]:
    """Whether a draft's entry is the least of those with the same kind of text, and whether another one was before."""
    own = (not _is_publisher(draft.article), draft.row.feed.id, draft.row.entry.key)
    without_page = draft.article.text_from == "feed"
    others = [_rank(ref) for ref in stored.feeds if (FEED_TEXT_ONLY in ref.labels) == without_page]
    least = min(others, default=None)
    return least is None or own <= least, least is None or own < least


def _texts(stored: Article, draft: Draft, supplies: bool) -> tuple[str, str]:
    """Title and summary: what a page lacks stays as it was stored, unless the draft's entry supplies it."""
    title, summary = (
        getattr(stored if name in draft.borrowed and not supplies else draft.article, name)
        for name in ("title", "summary")
    )
    return title, summary


_CONTENT = (
    "body", "text_from", "language", "words", "extraction", "canonical_url", "entities", "people",
    "organizations", "places", "groups", "events", "entity_details", "topics", "topic_details",
)  # fmt: skip
_OWNED = ("url", "guid", "source", "authors", "categories", "image", "updated_at")
MAX_REFS = 8  # of one feed: those whose guids change give a new entry for one article at every poll


def _content(new: Article, stored: Article, draft: Draft) -> dict[str, Any]:
    supplies = stored.text_from != new.text_from or _supply(stored, draft)[0]
    title, summary = _texts(stored, draft, supplies)
    kept = {name for name, text in (("title", title), ("summary", summary)) if text != getattr(new, name)}
    taken = {name: getattr(new, name) for name in _CONTENT}
    if kept:  # what was found in a title or summary that is not taken was found in nothing
        taken |= _annotations_without(new, kept)
    return taken | {
        "title": title,
        "summary": summary,
        "content_hash": identity.content_hash(title, summary, new.body),
    }


def _annotations_without(new: Article, fields: set[str]) -> dict[str, Any]:
    """An article's entities and topics as they are without some of its fields."""
    details = []
    for detail in new.entity_details:
        spans = tuple(span for span in detail.spans if span.field not in fields)
        if spans:
            details.append(detail._replace(spans=spans, mentions=len(spans)))
    topics = []
    for topic in new.topic_details:
        evidence = tuple(found for found in topic.evidence if found.field not in fields)
        if evidence:
            topics.append(topic._replace(evidence=evidence))
    return facets(details) | {
        "entity_details": tuple(details),
        "topic_details": tuple(topics),
        "topics": tuple(topic.id for topic in topics),
    }


def _rank(ref: FeedRef) -> tuple[bool, str, str]:
    """The order of precedence of entries: the publisher's own first, then by feed id and key."""
    return (not ref.publisher, ref.id, ref.key)


def _is_publisher(article: Article) -> bool:
    """Whether the source that carries an article is that of the article's address."""
    return identity.same_owner(article.url, f"http://{article.source.domain}/")


def _capped(refs: Mapping[tuple[str, str], FeedRef]) -> tuple[FeedRef, ...]:
    """The entries that carry an article, in order; of one feed the least, and the newest of the others."""
    kept: list[FeedRef] = []
    for _, of_feed in groupby(sorted(refs), key=lambda name: name[0]):
        least, *others = [refs[name] for name in of_feed]
        newest = sorted(others, key=lambda ref: ref.poll)[-(MAX_REFS - 1) :]
        kept += [least, *(ref for ref in others if ref in newest)]
    return tuple(kept)


def _date(stored: Article, new: Article, refs: Sequence[FeedRef], first_seen_at: str) -> dict[str, Any]:
    """When it was published: as the least entry with a date says, else the page or address, else when first seen."""
    given = next((ref.published_at for ref in sorted(refs, key=_rank) if ref.published_at), None)
    if given:
        return {"published_at": given, "published_from": "feed", "timestamp": given}
    told = next((article for article in (new, stored) if article.published_from in ("page", "url")), None)
    if told:
        return {name: getattr(told, name) for name in ("published_at", "published_from", "timestamp")}
    return {"published_at": None, "published_from": "none", "timestamp": first_seen_at}


def merge_patch(
    stored: Optional[Article], fields: Mapping[str, Any], content_hash: Optional[str], now: int
) -> Optional[Article]:
    """The stored article with derived fields replaced; None where there is nothing to write, or it was taken down.

    Args:
        fields: document names and plain values.
        content_hash: the content that the fields were made from; with another one stored, nothing is written.
    """
    if stored is None or (content_hash is not None and stored.content_hash != content_hash):
        return None
    if stored.status == "deleted" and "status" not in fields:
        return None
    document = to_document(stored, internal=True)
    changed = from_document(document | dict(fields))
    if to_document(changed, internal=True) == document:
        return None
    return changed._replace(version=stored.version + 1, indexed_at=to_iso(now))


def _add(labels: Any, label: str) -> tuple[str, ...]:
    return (*labels, label) if label not in labels else tuple(labels)
