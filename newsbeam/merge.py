"""How a stored article and a newly read one become one: pure, and the same for both stores.

Precedence is fixed, so that the order of arrival does not matter: the page's text, else the text of the feed with
the least id (the owner); other feeds only join `feeds[]`. `revision` counts changes of content, `version` writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Optional

from newsbeam import identity
from newsbeam.records import Article, Draft, FeedRef, from_document, from_iso, to_document, to_iso

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
        if known:
            return draft._replace(article=article._replace(id=known.id)), known
    stored = get(article.id)
    if stored is None or row.article_id == article.id or not _clashes(stored, draft):
        return draft, stored
    own = identity.link_id(row.entry, article.source.id)
    if own == article.id:
        return draft, stored
    moved = article._replace(id=own, canonical_url=None)
    return draft._replace(article=moved, labels=_add(draft.labels, CLASH)), get(own)


def _clashes(stored: Article, draft: Draft) -> bool:
    link = identity.canonicalize_url(draft.row.entry.link) or draft.row.entry.link
    if any(ref.row == draft.row.id for ref in stored.feeds) or stored.url in (link, draft.article.url):
        return False
    return not identity.same_content(stored, draft.article.title, draft.article.body)


def merge_draft(stored: Optional[Article], draft: Draft, now: int) -> Merged:
    """The stored article after a draft has been taken in.

    Args:
        stored: what the store has under the draft's id (`place` finds it), or None.
        now: in ms; used for indexed_at alone.
    """
    row, new = draft.row, draft.article
    if stored is None:
        ref = FeedRef(row.feed.id, row.entry.key, row.id, row.change, "new", tuple(draft.labels))
        article = new._replace(
            revision=1,
            version=1,
            feeds=(ref,),
            story_id=new.story_id or new.id,
            observed_at=to_iso(draft.read_at),
            indexed_at=to_iso(now),
        )
        return Merged(article, None, "new", labels=tuple(draft.labels))

    known = next((ref for ref in stored.feeds if ref.row == row.id), None)
    if known:  # the row ran before, and its outcome was not put on record: it reports what it did then
        return Merged(None, None, known.outcome, labels=tuple(known.labels))
    refs = {(ref.id, ref.key): ref for ref in stored.feeds}
    last = refs.get((row.feed.id, row.entry.key))
    if last and last.change > row.change:
        return Merged(None, None, "skipped", "superseded", tuple(draft.labels))
    if stored.status == "deleted":
        return Merged(None, None, "skipped", "deleted", tuple(draft.labels))

    owner = min([row.feed.id, *(ref.id for ref in stored.feeds)])
    change = _content_change(stored, draft, owner)
    labels = tuple(draft.labels)
    if change == "history":
        fields: dict[str, Any] = {}
    else:
        fields = _owned(new, stored) if owner == row.feed.id else {}
        if change != "none":
            fields |= _content(new, stored, draft, owner)
    if change == "upgraded":
        labels = _add(labels, UPGRADED)
    outcome = "revised" if change == "revised" else "unchanged"
    refs[row.feed.id, row.entry.key] = FeedRef(row.feed.id, row.entry.key, row.id, row.change, outcome, labels)
    fields["feeds"] = tuple(refs[name] for name in sorted(refs))
    fields["version"] = stored.version + 1
    fields["indexed_at"] = to_iso(now)
    if change == "revised":
        fields["revision"] = stored.revision + 1
    if change in ("revised", "upgraded"):
        fields["observed_at"] = to_iso(max(draft.read_at, from_iso(stored.observed_at) + 1))
    archived = stored if change == "revised" else None
    return Merged(stored._replace(**fields), archived, outcome, labels=labels)


def _content_change(stored: Article, draft: Draft, owner: str) -> str:
    """What a draft does to the content: none, revised, upgraded, or history (it was read before the stored one)."""
    new = draft.article
    if stored.text_from == "page" and new.text_from == "feed":
        return "none"
    if stored.text_from == "feed" and new.text_from == "feed" and owner != draft.row.feed.id:
        return "none"
    title, summary = _texts(new, stored, draft, owner)
    if identity.content_hash(title, summary, new.body) == stored.content_hash:
        same_text_from = new.text_from == stored.text_from
        return "none" if same_text_from and new.extraction == stored.extraction else "upgraded"
    if draft.read_at <= from_iso(stored.observed_at):
        return "history"
    if stored.text_from != new.text_from:
        return "upgraded"
    if new.text_from == "feed":
        wrote = min(ref.id for ref in stored.feeds)  # the feed whose text is stored
        return "revised" if wrote == draft.row.feed.id else "upgraded"
    same_reader = (new.extraction.method, new.extraction.version) == (
        stored.extraction.method,
        stored.extraction.version,
    )
    return "revised" if same_reader else "upgraded"


def _texts(new: Article, stored: Article, draft: Draft, owner: str) -> tuple[str, str]:
    """Title and summary: what a page lacks and another feed than the owner supplied stays as it was stored."""
    keep = stored.text_from == "page" and draft.row.feed.id != owner
    title = stored.title if keep and "title" in draft.borrowed else new.title
    summary = stored.summary if keep and "summary" in draft.borrowed else new.summary
    return title, summary


_CONTENT = (
    "body", "text_from", "language", "words", "extraction", "canonical_url", "grams", "entities", "people",
    "organizations", "places", "groups", "events", "entity_details", "topics", "topic_details",
)  # fmt: skip
_OWNED = (
    "url", "guid", "source", "authors", "categories", "image", "published_at", "published_from", "updated_at",
    "timestamp",
)  # fmt: skip


def _content(new: Article, stored: Article, draft: Draft, owner: str) -> dict[str, Any]:
    title, summary = _texts(new, stored, draft, owner)
    taken = {name: getattr(new, name) for name in _CONTENT}
    return taken | {
        "title": title,
        "summary": summary,
        "content_hash": identity.content_hash(title, summary, new.body),
    }


def _owned(new: Article, stored: Article) -> dict[str, Any]:
    """What the owning feed says beside the content; a date that it stops giving stays."""
    taken = {name: getattr(new, name) for name in _OWNED}
    if new.published_from == "none":
        for name in ("published_at", "published_from", "timestamp"):
            taken[name] = getattr(stored, name)
    return taken


def merge_patch(stored: Optional[Article], fields: Mapping[str, Any], content_hash: Optional[str], now: int) -> (
    Optional[Article]
):
    """The stored article with derived fields replaced; None where there is nothing to write.

    Args:
        fields: document names and plain values.
        content_hash: the content that the fields were made from; with another one stored, nothing is written.
    """
    if stored is None or (content_hash is not None and stored.content_hash != content_hash):
        return None
    document = to_document(stored, internal=True)
    changed = from_document(document | dict(fields))
    if to_document(changed, internal=True) == document:
        return None
    return changed._replace(version=stored.version + 1, indexed_at=to_iso(now))


def _add(labels: Any, label: str) -> tuple[str, ...]:
    return (*labels, label) if label not in labels else tuple(labels)
