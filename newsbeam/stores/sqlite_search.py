"""Searches in the SQLite store: a Query as FTS5 and SQL."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Optional

from newsbeam.records import Article
from newsbeam.search import FACETS, Facet, Hit, Query, SearchResult, Term, fold, gram_runs, grams, plain, without_runs
from newsbeam.stores.sqlite_articles import COLUMNS, article_of
from newsbeam.stores.sqlite_database import Database, text
from newsbeam.stores.sqlite_highlight import emphasize, fragments, merge_places, places_of, unmark
from newsbeam.stores.sqlite_rows import as_json

_WEIGHTS = "8.0, 3.0, 1.0, 2.0"  # of title, summary, body, grams (which has all three) in BM25
_RECENCY = "max(0.2, 1.0 / (1 + max(0, :now - a.timestamp) / 2592000000.0))"  # half after 30 days, never below a fifth
_TOP = 10
_PAGE = 500


class _Matching(NamedTuple):
    """The SELECT of all articles that match, as columns key, id, timestamp, score; and its parameters."""

    sql: str
    values: dict[str, Any]


def search(db: sqlite3.Connection, query: Query, now: int) -> SearchResult:
    sql, values = _matching(query, now)
    order = {"newest": "timestamp DESC", "oldest": "timestamp"}.get(query.sort, "score DESC, timestamp DESC")
    found = db.execute(f"SELECT key, score FROM ({sql}) ORDER BY {order}, id", values).fetchall()
    first = found[: max(0, query.limit)]
    articles = _load(db, [key for key, _ in first])
    highlights = _highlights(db, query, articles)
    hits = tuple(Hit(articles[key], score, highlights.get(key, {})) for key, score in first)
    return SearchResult(len(found), hits, _facets(db, [key for key, _ in found]))


def scan(database: Database, query: Optional[Query]) -> Iterator[Article]:
    """All that match, by (timestamp, id). Reads in pages, so that no transaction is open while the caller works."""
    sql, values = _matching(query or Query(), 0)
    with database.read() as db:
        keys = [key for (key,) in db.execute(f"SELECT key FROM ({sql}) ORDER BY timestamp, id", values)]
    for start in range(0, len(keys), _PAGE):
        page = keys[start : start + _PAGE]
        with database.read() as db:
            articles = _load(db, page)
        for key in page:
            if key in articles and articles[key].status == "active":  # deleted since
                yield articles[key]


def _load(db: sqlite3.Connection, keys: Sequence[int]) -> dict[int, Article]:
    found = db.execute(
        f"SELECT a.key, {COLUMNS} FROM articles a WHERE a.key IN (SELECT value FROM json_each(?))", (as_json(keys),)
    )
    return {key: article_of(values) for key, *values in found}


# --- what matches -------------------------------------------------------------------------------------------------


def _matching(query: Query, now: int) -> _Matching:
    values: dict[str, Any] = {"now": now}
    conditions = ["a.status = 'active'"]
    wanted = _expression([term for term in query.terms if not term.negated], " AND ")
    unwanted = _expression([term for term in query.terms if term.negated], " OR ")
    if unwanted:
        conditions.append("a.key NOT IN (SELECT rowid FROM texts WHERE texts MATCH :unwanted)")
        values["unwanted"] = unwanted
    for number, (field, names) in enumerate(query.filters.items()):
        folded = sorted({text(fold(name)) for name in names})
        if folded:
            conditions.append(
                f"a.key IN (SELECT article FROM facets WHERE field = :field{number}"
                f" AND folded IN (SELECT value FROM json_each(:folded{number})))"
            )
            values |= {f"field{number}": field, f"folded{number}": as_json(folded)}
    for name, sign in (("since", ">="), ("until", "<")):
        if getattr(query, name) is not None:
            conditions.append(f"a.timestamp {sign} :{name}")
            values[name] = getattr(query, name)
    where = " AND ".join(conditions)
    if not wanted:
        return _Matching(f"SELECT a.key, a.id, a.timestamp, 0.0 AS score FROM articles a WHERE {where}", values)
    return _Matching(
        # CROSS JOIN keeps the full-text index first (SQLite's documented way to fix the order).
        f"SELECT a.key, a.id, a.timestamp, -bm25(texts, {_WEIGHTS}) * {_RECENCY} AS score"
        f" FROM texts CROSS JOIN articles a ON a.key = texts.rowid WHERE texts MATCH :wanted AND {where}",
        values | {"wanted": wanted},
    )


def _expression(terms: Sequence[Term], operator: str) -> str:
    """Terms as an FTS5 expression, every text quoted, so that nothing in it has a meaning; '' for no terms."""
    return operator.join(f"({_term(term.text)})" for term in terms)


def _term(term: str) -> str:
    """One term: its Chinese, Japanese, Korean and Thai runs as phrases of grams, the rest as a phrase of words."""
    cleaned = text(plain(term))
    parts = [f"grams : {_quoted(grams(run))}{' *' if len(run) == 1 else ''}" for run in gram_runs(cleaned)]
    words = without_runs(cleaned).split()
    if any(char.isalnum() for word in words for char in word) or not parts:
        parts.append("{title summary body grams} : " + _quoted(" ".join(words)))
    return " AND ".join(parts)


def _quoted(words: str) -> str:
    return '"' + words.replace('"', '""') + '"'


# --- highlights and facets ----------------------------------------------------------------------------------------


def _highlights(
    db: sqlite3.Connection, query: Query, articles: Mapping[int, Article]
) -> dict[int, dict[str, list[str]]]:
    terms = [term for term in query.terms if not term.negated]
    if not terms or not articles:
        return {}
    runs = [run for term in terms for run in gram_runs(text(plain(term.text)))]
    start, end = (f"\x02{secrets.token_hex(8)}{sign}" for sign in "<>")  # what no text can have
    columns = ", ".join(f"highlight(texts, {number}, :start, :end)" for number in range(3))
    found = db.execute(
        f"SELECT rowid, {columns} FROM texts"
        " WHERE texts MATCH :wanted AND rowid IN (SELECT value FROM json_each(:keys))",
        {"start": start, "end": end, "wanted": _expression(terms, " AND "), "keys": as_json(list(articles))},
    )
    highlights = {}
    for key, *fields in found:
        marked = {}
        for field, value in zip(("title", "summary", "body"), fields, strict=True):
            content, places = unmark(value, start, end)
            places = merge_places([*places, *places_of(content, runs)])
            if places:
                marked[field] = [emphasize(content, places)] if field == "title" else fragments(content, places)
        highlights[key] = marked
    return highlights


def _facets(db: sqlite3.Connection, keys: Sequence[int]) -> dict[str, tuple[Facet, ...]]:
    found = db.execute(
        """SELECT field, value, count FROM (
            SELECT field, value, count(*) AS count,
                row_number() OVER (PARTITION BY field ORDER BY count(*) DESC, value) AS place
            FROM facets
            WHERE field IN (SELECT value FROM json_each(:facets)) AND value IS NOT NULL
                AND article IN (SELECT value FROM json_each(:keys))
            GROUP BY field, value
        ) WHERE place <= :top ORDER BY field, place""",
        {"facets": as_json(list(FACETS)), "keys": as_json(keys), "top": _TOP},
    )
    facets: dict[str, tuple[Facet, ...]] = {name: () for name in FACETS}
    for field, value, count in found:
        facets[field] = (*facets[field], Facet(value, count))
    return facets
