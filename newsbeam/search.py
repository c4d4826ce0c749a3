"""Queries: one parser for what a person types, compiled by each store to its own engine."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple, Optional

from newsbeam.errors import ConfigError
from newsbeam.records import Article, from_iso

FILTERS = ("topic", "entity", "person", "org", "place", "source", "lang", "story")
SORTS = ("relevance", "newest", "oldest")
FACETS = ("source", "topic", "person", "org", "place", "lang")


class Term(NamedTuple):
    """A word or (with `phrase`) a sequence of words that a text must have, or (with `negated`) must not have."""

    text: str
    phrase: bool = False
    negated: bool = False


class Query(NamedTuple):
    """A search: terms ANDed; values of one filter ORed, filters ANDed; times in ms on @timestamp, [since, until)."""

    terms: Sequence[Term] = ()
    filters: Mapping[str, Sequence[str]] = {}
    since: Optional[int] = None
    until: Optional[int] = None
    sort: str = "relevance"
    limit: int = 10


class Hit(NamedTuple):
    """An article found. `highlights`: field to fragments, HTML-escaped, hits between <em> and </em>."""

    article: Article
    score: float
    highlights: Mapping[str, Sequence[str]]


class Facet(NamedTuple):
    """How many of all articles found have a value."""

    value: str
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs here


class SearchResult(NamedTuple):
    """What a search found: the count of all, the first hits, and for each of FACETS its commonest values."""

    total: int
    hits: Sequence[Hit]
    facets: Mapping[str, Sequence[Facet]]


# --- what a person types ------------------------------------------------------------------------------------------

_TERM = re.compile(r'(-?)"([^"]*)"|(-?)(\S+)')
_QUOTES = str.maketrans("\u201c\u201d\u201e\u201f", '""""')


def parse_query(
    text: str,
    *,
    filters: Mapping[str, Sequence[str]] | None = None,
    since: Optional[int] = None,
    until: Optional[int] = None,
    sort: str = "relevance",
    limit: int = 10,
) -> Query:
    """What a person typed, as a query.

    Words are ANDed, "quoted words" are a phrase, -word and -"a phrase" must not occur. Nothing else has a meaning:
    any other sign is plain text, so that no text is an error. A word of several parts (Indo-Pacific) is a phrase to
    the engines. Terms without a letter or digit find nothing in any text, so they count only where they stand alone.

    Args:
        filters: names of FILTERS to values.
        since, until: ms, [since, until) on @timestamp (`parse_time`).

    Raises:
        ConfigError: an unknown filter or sort, or a limit below 0.
    """
    for name in filters or {}:
        if name not in FILTERS:
            raise ConfigError(f"unknown filter {name!r}; the filters are {', '.join(FILTERS)}")
    if sort not in SORTS:
        raise ConfigError(f"unknown sort {sort!r}; the sorts are {', '.join(SORTS)}")
    if limit < 0:
        raise ConfigError(f"limit {limit}: must be 0 or more")
    values = {name: _values(given) for name, given in (filters or {}).items()}
    kept = {name: given for name, given in values.items() if given}
    return Query(_terms(text), kept, since, until, sort, limit)


def _values(given: Sequence[str]) -> tuple[str, ...]:
    texts = (given,) if isinstance(given, str) else given
    return tuple(dict.fromkeys(value for value in (plain(text).strip() for text in texts) if value))


def _terms(text: str) -> tuple[Term, ...]:
    terms: dict[Term, None] = {}
    for match in _TERM.finditer(plain(text).translate(_QUOTES)):
        phrase = match[2] is not None
        minus, words = (match[1], match[2]) if phrase else (match[3], match[4])
        if minus or words.strip():
            terms[Term(" ".join(words.split()), phrase, bool(minus))] = None
    with_words = tuple(term for term in terms if _has_words(term.text))
    return with_words or tuple(term for term in terms if not term.negated)


def _has_words(text: str) -> bool:
    return any(unicodedata.category(char)[0] in "LN" for char in text)


def plain(text: str) -> str:
    """A text without what no engine stores or matches: control characters and lone surrogates become spaces; NFC."""
    cleaned = "".join(" " if unicodedata.category(char) in ("Cc", "Cs") else char for char in text)
    return unicodedata.normalize("NFC", cleaned)


_RELATIVE = re.compile(r"([0-9]{1,9})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_time(text: str, now: int) -> int:
    """A time given by a user, in ms: an ISO 8601 date or time (UTC where it has no offset), or how long ago it was
    (`90m`, `24h`, `7d`, `2w`). Raises ConfigError.

    Args:
        now: in ms; what relative times count from.
    """
    given = text.strip()
    relative = _RELATIVE.fullmatch(given.lower())
    try:
        if relative:
            ago = timedelta(**{_UNITS[relative[2]]: int(relative[1])})
            return max(0, now - ago // timedelta(milliseconds=1))
        return from_iso(given.replace("z", "Z"))
    except (ValueError, OverflowError):
        raise ConfigError(f"{text!r} is no time; give a date (2026-11-24), a time, or 90m, 24h, 7d, 2w") from None


# --- what engines index beside the words --------------------------------------------------------------------------

# Thai; Hangul with its letters; Japanese kana; Han with its supplements. Signs and punctuation of these blocks are
# left out: they end a run.
_RUN_CHARACTERS = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e50-\u0e59\u1100-\u11ff\u3131-\u318e\ua960-\ua97c\uac00-\ud7a3\ud7b0-\ud7fb"
    "\u3005-\u3007\u3041-\u3096\u3099\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_GRAM_RUN = re.compile(f"[{_RUN_CHARACTERS}]+")
_WORD = re.compile(f"[\\w{_RUN_CHARACTERS}]+")
_RUN_OR_REST = re.compile(f"([{_RUN_CHARACTERS}]+)|([^\\W{_RUN_CHARACTERS}]+)")


def gram_runs(text: str) -> list[str]:
    """The runs of Chinese, Japanese, Korean and Thai characters in a text, which has no spaces between words there."""
    return [] if text.isascii() else _GRAM_RUN.findall(unicodedata.normalize("NFKC", text))


def without_runs(text: str) -> str:
    """The rest of a text, a space for each of its `gram_runs`."""
    return text if text.isascii() else _GRAM_RUN.sub(" ", unicodedata.normalize("NFKC", text))


def grams(text: str, *, index: bool = False) -> str:
    """The overlapping pairs of characters of each run of Chinese, Japanese, Korean or Thai text, apart by spaces.

    A run of one character gives that character. Consecutive pairs found as a phrase are the run inside running text
    (as Lucene's CJKBigramFilter does).

    Args:
        index: for indexing, also what queries look for beside pairs: the last character of each run by itself (a
            query of one character finds pairs that begin with it), and the words that are written together with a
            run (NATO首脳会議) or in compatibility characters (ＮＡＴＯ), which engines do not see as words.
    """
    if text.isascii():
        return ""
    if not index:
        return " ".join(pair for run in gram_runs(text) for pair in _pairs(run))
    found: list[str] = []
    usual = set(_WORD.findall(unicodedata.normalize("NFC", text)))
    for word in _WORD.findall(unicodedata.normalize("NFKC", text)):
        if word not in usual or _GRAM_RUN.search(word):
            for run, rest in _RUN_OR_REST.findall(word):
                found += [*_pairs(run), run[-1]] if len(run) > 1 else [run or rest]
    return " ".join(found)


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(max(1, len(run) - 1))]


def count_words(text: str) -> int:
    """The number of words; of text without spaces, half the number of its pairs, as words there are mostly pairs."""
    return len(_WORD.findall(without_runs(text))) + len(grams(text).split()) // 2


def article_grams(article: Article) -> str:
    """What stores keep as an article's `grams`: those of title, summary and body, for indexing."""
    return grams("\n".join((article.title, article.summary, article.body)), index=True)


_MARKS = re.compile("[\u0300-\u036f]")


def fold(value: str) -> str:
    """The form in which filter values are compared: no case, no accents, single spaces."""
    decomposed = unicodedata.normalize("NFKD", plain(value).casefold())
    return " ".join(unicodedata.normalize("NFC", _MARKS.sub("", decomposed)).split())
