"""Who is who: canonical addresses, the ids of articles, entries and rows, and the hashes that tell changes.

All pure. Every hash starts from a version, so that a changed rule never passes for changed content.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from newsbeam.records import Article, Entry

# Query parameters that tell where a reader came from, never which article it is. Names are exact and case-sensitive
# but for the prefixes; from the lists of w3lib, courlan and miniflux, and the captured feeds.
TRACKING_PREFIXES = ("utm_", "mtm_", "pk_", "hsa_", "_hs", "at_", "oly_", "vero_", "trk_")
TRACKING_PARAMETERS = frozenset(
    "fbclid gclid gclsrc dclid gbraid wbraid msclkid yclid twclid igshid ttclid li_fat_id mc_cid mc_eid mkt_tok ocid "  # noqa: SIM905
    "ncid cmpid cmp CMP cmp_id smid smtyp sr_share taid ftag feedName feedType ITO rss_id partner_rss "
    "wt_mc wtmc WT.mc_id ns_mchannel ns_source ns_campaign ns_linkname ns_fee xtor echobox s_cid spm "
    "ref_src ref_url sref xtref campaign_id ICID icid _ga _gl guccounter guce_referrer guce_referrer_sig".split()
)
_MAX_URL = 8000  # octets; what RFC 9110 section 4.1 asks everyone to take


def canonicalize_url(url: str) -> str:
    """An address in the one form that identity uses; '' where it is no http(s) address.

    Host in lower case and ASCII (IDNA), default port, fragment and tracking parameters dropped, percent-encoding
    normalised, query parameters sorted (RFC 3986 section 6.2; sorting as w3lib does). Paths keep their case and
    their final slash; hosts are never merged. Idempotent.
    """
    return _canonicalize(url.strip())


@lru_cache(maxsize=20_000)
def _canonicalize(url: str) -> str:
    from w3lib.url import canonicalize_url as w3lib_canonicalize

    if not url or len(url) > _MAX_URL or any(ord(char) < 32 or char in "\\\x7f" for char in url):
        return ""
    try:
        parts = urlsplit(url)
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError:
        return ""
    if parts.scheme.lower() not in ("http", "https") or not host:
        return ""
    scheme = parts.scheme.lower()
    netloc = host if port is None or port == {"http": 80, "https": 443}[scheme] else f"{host}:{port}"
    query = "&".join(pair for pair in parts.query.split("&") if pair and not _is_tracking(pair))
    try:
        canonical = w3lib_canonicalize(urlunsplit((scheme, netloc, parts.path or "/", query, "")))
    except (ValueError, UnicodeError):
        return ""
    return str(canonical) if len(canonical) <= _MAX_URL else ""


def _is_tracking(pair: str) -> bool:
    decoded = parse_qsl(pair, keep_blank_values=True)
    name = decoded[0][0] if decoded else pair
    return name in TRACKING_PARAMETERS or name.lower().startswith(TRACKING_PREFIXES)


def _host(host: str) -> str:
    """A host in lower-case ASCII; an IPv6 address in brackets; ValueError where it is none."""
    host = host.rstrip(".").lower()
    if ":" in host:
        return f"[{ipaddress.ip_address(host)}]"
    try:
        return host.encode("ascii").decode() if host.isascii() else host.encode("idna").decode()
    except UnicodeError as error:
        raise ValueError(host) from error


def host_of(url: str) -> str:
    """The host of an address, lower-case ASCII without port; '' where it has none."""
    try:
        return _host(urlsplit(url.strip()).hostname or "")
    except ValueError:
        return ""


def _is_key(canonical: str) -> bool:
    """Whether a canonical address can name an article: it has a path (or a query) of its own."""
    if not canonical:
        return False
    parts = urlsplit(canonical)
    return parts.path not in ("", "/") or bool(parts.query)


def same_owner(url: str, other: str) -> bool:
    """Whether two addresses are under one registrable domain."""
    hosts = (host_of(url), host_of(other))
    return all(hosts) and _registrable(hosts[0]) == _registrable(hosts[1])


def _registrable(host: str) -> str:
    """The part of a host that one owner has: by the public suffix list; an IP address is its own."""
    from tld import get_fld

    bare = host.strip("[]")
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return str(get_fld(f"http://{host}/", fail_silently=True) or host)


def article_key(link: str, *, final_url: str = "", canonical_url: str = "", source_id: str = "", entry: Entry) -> str:
    """What an article's id is a hash of, once its page has been read.

    The first of these that can name an article: rel=canonical where it is plausible (of the same registrable domain
    as the page), the final address after redirects, the link; without any, guid or title and date within the
    source. http and https name one article.
    """
    final = canonicalize_url(final_url) or canonicalize_url(link)
    declared = canonicalize_url(canonical_url)
    if declared and final and _registrable(host_of(declared)) != _registrable(host_of(final)):
        declared = ""
    for url in (declared, final, canonicalize_url(link)):
        if _is_key(url):
            return url.split(":", 1)[1]
    if entry.guid:
        return f"guid:{source_id}:{entry.guid}"
    return f"title:{source_id}:{_squash(entry.title)}:{(entry.published_at or '')[:10]}"


def article_id(key: str) -> str:
    """The id of an article: 32 hexadecimal digits."""
    return _digest("article:1", key)


def url_id(url: str) -> str:
    """The id that an article known by this address alone has."""
    return article_id(canonicalize_url(url).partition(":")[2])


def link_id(entry: Entry, source_id: str) -> str:
    """The id by an entry's own link, for use where the page's canonical address belongs to another article."""
    return article_id(article_key(entry.link, source_id=source_id, entry=entry))


def row_id(feed_id: str, entry_key: str, change: int, entry_hash: str) -> str:
    """The id of an entry row; a repeated poll makes the same one."""
    return _digest("row:1", feed_id, entry_key, str(change), entry_hash)


def entry_hash(entry: Entry) -> str:
    """What a feed says of an entry, for select to compare."""
    said = (entry.title, entry.summary, entry.text, entry.html)
    link = canonicalize_url(entry.link) or entry.link
    return _digest("entry:1", *(map(_squash, said)), link, entry.published_at or "", entry.updated_at or "")


def content_hash(title: str, summary: str, body: str) -> str:
    """What an article says, for merge to tell a revision; white space and Unicode forms make no difference."""
    return _digest("content:1", _squash(title), _squash(summary), _squash(body))


def bytes_hash(data: bytes) -> str:
    """The hash of a feed's body."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def same_content(stored: Article, title: str, body: str) -> bool:
    """Whether a title or a text agrees with a stored article's: the words of either overlap by half (Jaccard)."""
    return _overlap(stored.title, title) >= 0.5 or _overlap(stored.body, body) >= 0.5


def _overlap(one: str, other: str) -> float:
    first, second = (set(re.findall(r"\w+", _squash(text).casefold())) for text in (one, other))
    return len(first & second) / len(first | second) if first and second else 0.0


def _squash(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _digest(*parts: str | Iterable[str]) -> str:
    hasher = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = str(part).encode("utf-8", "surrogatepass")
        hasher.update(len(data).to_bytes(8, "big") + data)  # lengths keep ("ab", "c") and ("a", "bc") apart
    return hasher.hexdigest()
