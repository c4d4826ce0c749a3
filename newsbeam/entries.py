"""What a feed document gives once it is read, and how an item of any format becomes an entry."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Optional
from urllib.parse import urljoin, urlsplit

from newsbeam import identity
from newsbeam.dates import read_date
from newsbeam.markup import plain_line
from newsbeam.records import Entry

MAX_ENTRIES = 2_000
MAX_TITLE, MAX_SUMMARY, MAX_TEXT, MAX_GUID, MAX_KEY = 1_000, 20_000, 200_000, 2_048, 512  # characters
_LIMITS = {"title": MAX_TITLE, "summary": MAX_SUMMARY, "text": MAX_TEXT}
_MAX_URL, _MAX_NAME, _MAX_NAMES = 2_048, 200, 100
_FULL_TEXT = 300  # characters from which a content without a summary beside it is a text, not a teaser
LINK_UNUSABLE = "link unusable"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8}){0,7}")


class ParsedFeed(NamedTuple):
    """A feed document as data.

    Args:
        recovered: the document is broken, and this is what could be read of it.
        ttl: seconds for which the feed asks to be left alone.
        version: the format, as `rss20`, `atom10`, `rss10` or `json11`.
        truncated: entries past the first 2,000, which are not read.
        unreadable: items that are none, and the entry within which a broken document ends: it is left for the next
            poll, since half of it would pass for a change.
    """

    title: str
    language: Optional[str]
    entries: Sequence[Entry]
    recovered: bool
    ttl: Optional[int]
    version: str
    truncated: int = 0
    unreadable: int = 0


class Item(NamedTuple):
    """An item as its format gives it: text fields plain already, addresses and dates as they stand, best first."""

    guid: str
    links: Sequence[str]
    title: str
    summary: str
    text: str
    published: str = ""
    updated: str = ""
    authors: Sequence[str] = ()
    categories: Sequence[str] = ()
    images: Sequence[str] = ()
    language: Optional[str] = None


def split_text(summary: str, content: str) -> tuple[str, str]:
    """Summary and full text: a content is the text where it is longer than the summary beside it.

    Without a summary, a short content is one.
    """
    if not summary:
        return ("", content) if len(content) >= _FULL_TEXT else (content, "")
    return summary, content if len(content) > len(summary) else ""


def make_entries(items: Sequence[Item], *, base: str, now: int) -> tuple[Entry, ...]:
    """Entries with the keys that tell them apart.

    A guid that stands on entries with different links in one document names none of them alone (feeds with one
    constant guid exist): there the key is guid and link.
    """
    entries = [_make_entry(item, base, now) for item in items]
    links: dict[str, set[str]] = {}
    for entry in entries:
        links.setdefault(entry.guid, set()).add(identity.canonicalize_url(entry.link))
    return tuple(
        entry._replace(key=own_key(entry)) if entry.guid and len(links[entry.guid]) > 1 else entry for entry in entries
    )


def own_key(entry: Entry) -> str:
    """The key of an entry whose guid is not its alone."""
    return _bounded(f"{entry.guid} {identity.canonicalize_url(entry.link)}", MAX_KEY)


def guid_key(entry: Entry) -> str:
    """The key of an entry whose guid is its alone."""
    return _bounded(entry.guid, MAX_KEY)


def _make_entry(item: Item, base: str, now: int) -> Entry:
    labels = []
    link = first_address(item.links, base)
    if not link and any(item.links):
        labels.append(LINK_UNUSABLE)
    published, published_label = read_date(item.published or item.updated, now)
    updated, updated_label = read_date(item.updated, now)
    labels += [label for label in (published_label, updated_label) if label]
    said = {"title": plain_line(item.title), "summary": item.summary, "text": item.text}
    kept = {name: _cut(value, _LIMITS[name]) for name, value in said.items()}
    labels += [f"{name} cut" for name in said if kept[name] != said[name]]
    guid = _bounded(plain_line(item.guid), MAX_GUID)
    dated = plain_line(item.published or item.updated)  # as written: what counts as absurd changes with time
    return Entry(
        key=_bounded(guid or identity.canonicalize_url(link) or _text_key(kept["title"], dated, item), MAX_KEY),
        guid=guid,
        link=link,
        **kept,
        authors=_names(item.authors),
        categories=_names(item.categories),
        image=first_address(item.images, base) or None,
        language=language_tag(item.language),
        published_at=published,
        updated_at=updated,
        labels=tuple(dict.fromkeys(labels)),
    )


def _text_key(title: str, dated: str, item: Item) -> str:
    if title:
        return f"title:{title}:{dated}"
    return f"text:{_digest(item.summary + item.text)}:{dated}"


def _bounded(name: str, limit: int) -> str:
    """A name of at most so many characters: the end of a longer one gives way to a digest of it all."""
    return name if len(name) <= limit else f"{name[: limit - 33]}#{_digest(name)}"


def _cut(text: str, limit: int) -> str:
    """A text of at most so many characters, cut at the end of a paragraph or word where one is in the latter half."""
    if len(text) <= limit:
        return text
    ends = (text.rfind(mark, limit // 2, limit + 1) for mark in ("\n\n", " "))
    return text[: next((end for end in ends if end >= 0), limit)].rstrip()


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _names(values: Iterable[str]) -> tuple[str, ...]:
    """Names of one line each, each once (whatever its case), the first 100."""
    names: dict[str, str] = {}
    for value in values:
        name = plain_line(value)[:_MAX_NAME]
        if name:
            names.setdefault(name.casefold(), name)
    return tuple(names.values())[:_MAX_NAMES]


def first_address(candidates: Iterable[str], base: str) -> str:
    """The first of some addresses that is http(s) and usable, made absolute; '' where none is."""
    return next(filter(None, (_address(candidate, base) for candidate in candidates)), "")


def _address(value: str, base: str) -> str:
    value = re.sub(r"[\t\r\n]", "", value.strip()).replace(" ", "%20")  # as browsers do (WHATWG URL, 4.4)
    if not value or value == "#":
        return ""
    try:
        url = urljoin(base, value)
        parts = urlsplit(url)
        usable = parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and parts.username is None
        parts.port  # noqa: B018  (raises ValueError for a port that is none)
    except ValueError:
        return ""
    usable = usable and len(url) <= _MAX_URL and url == plain_line(url) and "\\" not in url
    return url if usable else ""


def language_tag(value: Optional[str]) -> Optional[str]:
    """A language tag in lower case (`en-gb`), or None where the value is none (BCP 47)."""
    tag = (value or "").strip().lower().replace("_", "-")
    return tag if _LANGUAGE.fullmatch(tag) else None
