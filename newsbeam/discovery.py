"""The feed of a site: the one that its page names, else one at an address where many sites have theirs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Optional
from urllib.parse import urljoin, urlsplit

from newsbeam.entries import ParsedFeed, first_address
from newsbeam.errors import FeedError, FetchError, ReadError

if TYPE_CHECKING:
    from newsbeam.fetch import Fetched

PATHS = ("/feed", "/rss", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/feed.json")
_TYPES = ("rss+xml", "atom+xml", "rdf+xml", "feed+json", "application/json", "text/xml", "application/xml")
_MAX_NAMED = 5  # of the feeds that a page names are tried
_NO_HOST = ("dns", "refused", "timeout", "connection", "tls", "private_network", "bad_port", "bad_url")


class FoundFeed(NamedTuple):
    """A feed that was read: the address to poll, and what it says."""

    url: str
    body: bytes
    parsed: ParsedFeed


def find_feed(
    address: str, *, fetch: Callable[[str], Fetched], parse: Callable[[bytes, str, str], ParsedFeed]
) -> FoundFeed:
    """The feed at an address, or of the site that is there.

    The feeds that a page names (link elements, RFC 5005 and the autodiscovery of RSS and Atom) are tried in its order,
    those of comments last, then `PATHS` on the site. One without entries is taken where there is no other.

    Args:
        address: with or without https://.
        fetch, parse: may raise ReadError; `parse` is given body, final address and content type.

    Raises ReadError: what fetching said where the host can't be reached, else FeedError `no_feed`.
    """
    url = address if "://" in address else f"https://{address}"
    tried, empty = 0, None
    named: list[str] = []
    page_at = url
    try:
        answer = fetch(url)
        page_at = answer.url
        try:
            return FoundFeed(url, answer.body, _parse(answer, parse))
        except FeedError as error:
            if error.reason not in ("html", "not_a_feed", "bad_xml"):
                raise
        named = named_feeds(answer.body, answer.url)[:_MAX_NAMED]
    except FetchError as error:
        if error.reason in _NO_HOST:
            raise
    for candidate in dict.fromkeys([*named, *(urljoin(page_at, path) for path in PATHS)]):
        if candidate in (url, page_at):
            continue
        tried += 1
        try:
            answer = fetch(candidate)
            found = FoundFeed(candidate, answer.body, _parse(answer, parse))
        except ReadError:
            continue
        if found.parsed.entries:
            return found
        empty = empty or found
    if empty:
        return empty
    raise FeedError("no_feed", f"{url} is no feed and names none that can be read; tried {tried} more addresses")


def _parse(answer: Fetched, parse: Callable[[bytes, str, str], ParsedFeed]) -> ParsedFeed:
    return parse(answer.body, answer.url, answer.headers.get("content-type", ""))


def named_feeds(page: bytes, url: str) -> list[str]:
    """The addresses of the feeds that a page names, in its order, those of comments last."""
    from lxml import etree  # type: ignore[import-untyped]

    root: Optional[etree._Element] = None
    try:
        root = etree.fromstring(page, etree.HTMLParser(recover=True, no_network=True))
    except (etree.LxmlError, ValueError):
        return []
    if root is None:
        return []
    base = urljoin(url, next(iter(root.xpath("//base/@href")), ""))
    found: dict[str, bool] = {}
    for link in root.xpath("//link[@href]"):
        kind = (link.get("type") or "").split(";")[0].strip().lower()
        if "alternate" not in (link.get("rel") or "").lower().split() or not kind.endswith(_TYPES):
            continue
        address = first_address([link.get("href")], base)
        if address and "/wp-json/" not in urlsplit(address).path:  # JSON of another kind, on many sites
            comments = re.search(r"\bcomments?\b", f"{urlsplit(address).path} {link.get('title') or ''}", re.IGNORECASE)
            found.setdefault(address, bool(comments))
    return sorted(found, key=lambda address: found[address])
