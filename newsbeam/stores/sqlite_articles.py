"""Articles, their revisions and facets in the SQLite store. Each function runs within the caller's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Optional

from newsbeam import identity, merge
from newsbeam.records import Article, Draft, RowResult, from_document, from_iso, to_document
from newsbeam.search import article_grams, fold
from newsbeam.stores import sqlite_rows
from newsbeam.stores.base import Patch
from newsbeam.stores.sqlite_database import text
from newsbeam.stores.sqlite_rows import as_json

_TEXTS = ("title", "summary", "body", "grams")  # in columns of their own, not in the JSON
COLUMNS = "a.title, a.summary, a.body, a.grams, a.document"
"""What `article_of` reads, of a table named a."""


def article_of(values: Sequence[Any]) -> Article:
    """An article from its COLUMNS."""
    *texts, document = values
    return from_document(json.loads(document) | dict(zip(_TEXTS, texts, strict=True)))


# --- reading ------------------------------------------------------------------------------------------------------


def get_articles(db: sqlite3.Connection, ids: Iterable[str]) -> dict[str, Article]:
    found = db.execute(
        f"SELECT {COLUMNS} FROM articles a WHERE a.id IN (SELECT value FROM json_each(?))", (as_json(list(ids)),)
    )
    return {article.id: article for article in map(article_of, found)}


def _get(db: sqlite3.Connection, article_id: str) -> Optional[Article]:
    found = db.execute(f"SELECT {COLUMNS} FROM articles a WHERE a.id = ?", (article_id,)).fetchone()
    return article_of(found) if found else None


def find_article(db: sqlite3.Connection, id_or_url: str) -> Optional[Article]:
    known = _get(db, text(id_or_url.strip()))
    key = _url_key(id_or_url)
    if known or not key:
        return known
    known = _get(db, identity.url_id(id_or_url))
    if known:
        return known
    found = db.execute(
        f"""SELECT {COLUMNS} FROM articles a
        WHERE (a.url_key = :key AND a.url_key <> '') OR (a.canonical_key = :key AND a.canonical_key <> '')
        ORDER BY a.url_key = :key DESC, a.status, a.id LIMIT 1""",
        {"key": key},
    ).fetchone()
    return article_of(found) if found else None


def _url_key(url: Optional[str]) -> str:
    """An address as articles are looked up by: canonical, http and https alike."""
    return text(identity.canonicalize_url(url or "").partition(":")[2])


def revisions(db: sqlite3.Connection, article_id: str) -> list[Article]:
    found = db.execute("SELECT document FROM revisions WHERE article_id = ? ORDER BY revision", (article_id,))
    return [from_document(json.loads(document)) for (document,) in found]


# --- writing ------------------------------------------------------------------------------------------------------


def write_articles(db: sqlite3.Connection, drafts: Sequence[Draft], now: int) -> list[RowResult]:
    results = (_write_draft(db, draft, now) for draft in drafts)
    return [result for result in results if result]


def _write_draft(db: sqlite3.Connection, draft: Draft, now: int) -> Optional[RowResult]:
    """Merges one draft and completes its row; None, and nothing written, where the row's lease was lost."""
    row_id, fence = draft.row.id, draft.row.fence
    held = db.execute(f"SELECT lease_job, lease_tick FROM entries WHERE {sqlite_rows.HELD}", (row_id, fence)).fetchone()
    if held is None:
        return None
    if draft.row.article_id is None:  # an earlier row of the entry may have written its article since this was taken
        inherited = sqlite_rows.get_rows(db, [row_id])[row_id].article_id
        draft = draft._replace(row=draft.row._replace(article_id=inherited))
    draft, stored = merge.place(draft, lambda article_id: _get(db, article_id))
    merged = merge.merge_draft(stored, draft, now)
    if merged.archived:
        _put_revision(db, merged.archived)
    if merged.article:
        put_article(db, merged.article)
    article_id = merged.article.id if merged.article else draft.article.id
    result = RowResult(
        row_id, fence, merged.outcome, merged.reason, "", merged.labels, article_id, job=held[0], tick=held[1]
    )
    sqlite_rows.finish(db, result, now)
    return result


def patch_articles(db: sqlite3.Connection, patches: Sequence[Patch], now: int) -> int:
    written = set()
    for patch in patches:
        patched = merge.merge_patch(_get(db, patch.article_id), patch.fields, patch.content_hash, now)
        if patched:
            put_article(db, patched)
            written.add(patched.id)
    return len(written)


def put_article(db: sqlite3.Connection, article: Article) -> None:
    """Writes an article and its facets; triggers keep the full-text index."""
    article = article._replace(grams=article_grams(article))
    document = to_document(article, internal=True)
    values = {
        "id": article.id,
        "version": article.version,
        "revision": article.revision,
        "status": article.status,
        "timestamp": from_iso(article.timestamp),
        "content_hash": article.content_hash,
        "url_key": _url_key(article.url),
        "canonical_key": _url_key(article.canonical_url),
        **{name: text(document.pop(name)) for name in _TEXTS},
        "document": as_json(document),
    }
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    changes = ", ".join(f"{name} = excluded.{name}" for name in values if name != "id")
    ((key,),) = db.execute(
        f"INSERT INTO articles ({names}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {changes} RETURNING key",
        values,
    ).fetchall()
    _put_facets(db, key, article)


def _put_revision(db: sqlite3.Connection, article: Article) -> None:
    db.execute(
        "INSERT INTO revisions (article_id, revision, document) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (article.id, article.revision, as_json(to_document(article, internal=True))),
    )


# --- facets -------------------------------------------------------------------------------------------------------


class FacetRow(NamedTuple):
    """A value that an article is found by; `value` is what facets show, None for another name of the same."""

    field: str
    folded: str
    value: Optional[str]


_KINDS = {"person": "person", "organization": "org", "place": "place"}


def facets_of(article: Article) -> set[FacetRow]:
    """The facets of an article; none where it is deleted."""
    if article.status != "active":
        return set()
    shown: list[tuple[str, Iterable[Optional[str]]]] = [
        ("topic", article.topics),
        ("entity", article.entities),
        ("person", article.people),
        ("org", article.organizations),
        ("place", article.places),
        ("source", [article.source.id]),
        ("lang", [article.language]),
        ("story", [article.story_id]),
    ]
    others: list[tuple[str, Iterable[Optional[str]]]] = [
        ("source", [article.source.name, article.source.domain]),
        ("topic", [topic.label for topic in article.topic_details]),
    ]
    for entity in article.entity_details:
        for field in ("entity", _KINDS.get(entity.kind)):
            if field:
                others.append((field, [entity.name, *entity.forms]))
    rows: dict[tuple[str, str], FacetRow] = {}
    for group, show in ((shown, True), (others, False)):
        for field, names in group:
            for name in names:
                folded = text(fold(name or ""))
                if name and folded:
                    rows.setdefault((field, folded), FacetRow(field, folded, text(name) if show else None))
    return set(rows.values())


def facets_stored(db: sqlite3.Connection, key: int) -> set[FacetRow]:
    return {FacetRow(*row) for row in db.execute("SELECT field, folded, value FROM facets WHERE article = ?", (key,))}


def _put_facets(db: sqlite3.Connection, key: int, article: Article) -> None:
    stored, wanted = facets_stored(db, key), facets_of(article)
    if stored == wanted:
        return
    db.executemany(
        "DELETE FROM facets WHERE article = ? AND field = ? AND folded = ?",
        [(key, row.field, row.folded) for row in stored - wanted],
    )
    db.executemany(
        "INSERT INTO facets (article, field, folded, value) VALUES (?, ?, ?, ?)",
        [(key, *row) for row in wanted - stored],
    )
