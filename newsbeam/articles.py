"""Articles in the making: what an entry and its page say, put together into a draft. Pure."""

from __future__ import annotations

import re
from typing import Any, NamedTuple, Optional

from newsbeam import identity
from newsbeam.records import Article, Draft, EntryRow, Extraction, to_iso
from newsbeam.search import count_words

_URL_DATE = re.compile(r"/((?:19|20)\d\d)[/-]?(0[1-9]|1[0-2])[/-]?(0[1-9]|[12]\d|3[01])(?:/|-|$)")


class Page(NamedTuple):
    """What was read behind an entry's link: the final address after redirects, and what extraction found there."""

    url: str
    content: Any  # extract.Content; typed loosely, since extract loads heavy libraries


def make_draft(row: EntryRow, page: Optional[Page], *, read_at: int, reason: Optional[str] = None) -> Optional[Draft]:
    """The draft of a row's article, from its page or, without one, from what its feed said.

    Args:
        page: None where the page could not be read; `reason` says why.
        read_at: when the content was asked for, in ms.

    Returns:
        None where there is neither a title nor a text.
    """
    entry, feed = row.entry, row.feed
    borrowed: list[str] = []
    if page:
        content = page.content
        title, summary, body = content.title or entry.title, content.summary or entry.summary, content.body
        borrowed = [name for name in ("title", "summary") if not getattr(content, name)]
        extraction = Extraction(content.method, content.version, content.quality, content.cut)
    else:
        title, summary, body = entry.title, entry.summary, entry.text
        extraction = Extraction("feed", quality="ok" if body else "short", reason=reason)
    if not (title or summary or body):
        return None
    link = identity.canonicalize_url(entry.link)
    final = (identity.canonicalize_url(page.url) if page else "") or link
    declared = page.content.canonical_url if page else ""
    key = identity.article_key(
        entry.link, final_url=final, canonical_url=declared, source_id=feed.source.id, entry=entry
    )
    published_at, published_from = _published(row, page, final)
    article_id = identity.article_id(key)
    article = Article(
        id=article_id,
        revision=1,
        version=1,
        observed_at=to_iso(read_at),
        url=final,
        canonical_url=(identity.canonicalize_url(declared) or None) if page else None,
        guid=entry.guid,
        source=feed.source,
        title=title,
        summary=summary,
        body=body,
        text_from="page" if page else "feed",
        authors=entry.authors or (page.content.authors if page else ()),
        language=(page.content.language if page else None) or entry.language or feed.language,
        image=(page.content.image if page else None) or entry.image,
        categories=entry.categories or (page.content.categories if page else ()),
        published_at=published_at,
        published_from=published_from,
        updated_at=entry.updated_at,
        first_seen_at=to_iso(row.seen_at),
        timestamp=published_at or to_iso(row.seen_at),
        content_hash=identity.content_hash(title, summary, body),
        words=count_words(body or summary),
        extraction=extraction,
    )
    return Draft(row, article, read_at, tuple(borrowed), tuple(entry.labels))


def _published(row: EntryRow, page: Optional[Page], url: str) -> tuple[Optional[str], str]:
    """When it was published and who says so; an absurd date is not taken."""
    from newsbeam.dates import read_date

    found = [(row.entry.published_at, "feed"), (page.content.published_at if page else None, "page")]
    match = _URL_DATE.search(url)
    if match:
        found.append(("-".join(match.groups()), "url"))
    for text, said_by in found:
        published_at, _ = read_date(text or "", row.seen_at)
        if published_at:
            return published_at, said_by
    return None, "none"
