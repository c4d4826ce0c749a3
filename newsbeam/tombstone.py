"""Tombstones: what is left of an article that was taken down, so that it is known again when it comes back. Pure."""

from __future__ import annotations

from typing import Optional

from newsbeam import identity
from newsbeam.records import Article, Entry, to_iso

_KEPT = (
    "id", "revision", "version", "observed_at", "url", "canonical_url", "source", "feeds", "text_from",
    "first_seen_at", "indexed_at",
)  # fmt: skip


def entomb(article: Article, now: int) -> Optional[Article]:
    """An article's tombstone: all that it said, and all that was made of that, emptied; None where it is one already.

    Kept are id, addresses, source, feeds, first_seen_at (and @timestamp by it) and the versions, `version` grown.

    Args:
        now: in ms, for indexed_at.
    """
    empty = _emptied(article)
    return None if empty == article else empty._replace(version=article.version + 1, indexed_at=to_iso(now))


def address_tombstone(article: Article, now: int) -> Optional[Article]:
    """A second tombstone, under the id that an article's address alone gives; None where that is the article's own id.

    An article that is known by its page's canonical address would else come back, as another one, when it arrives
    without its page: in a file, or when the page is gone.
    """
    known = identity.url_id(article.url)
    if known == article.id or known != identity.link_id(Entry("", link=article.url), ""):
        return None  # or an address without a path, which is the key of no article
    return _emptied(article)._replace(id=known, revision=1, version=1, feeds=(), indexed_at=to_iso(now))


def _emptied(article: Article) -> Article:
    kept = {name: getattr(article, name) for name in _KEPT}
    return Article(**kept, title="", summary="", body="", timestamp=article.first_seen_at, status="deleted")
