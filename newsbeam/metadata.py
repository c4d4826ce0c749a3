"""What a page says of its article: title, description, canonical address, authors, date, and what its markup calls
the lines around the text.

Read from a parsed page (trafilatura's `load_html`), from the sources that publishers keep for search engines and
social cards (JSON-LD of schema.org, Open Graph, meta elements), then from what is shown. Nothing is trusted: sizes
are bounded, values that don't parse are passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from newsbeam import furniture
from newsbeam.furniture import key
from newsbeam.language import normalize_language
from newsbeam.markup import plain_line
from newsbeam.search import grams, without_runs

_SITE = re.compile(r"\s+(?:[|–—·»›-]|::)\s+")  # between a title and the site's name
_MAX_JSON = 200_000  # characters; trafilatura searches broken JSON with slow patterns
_ARTICLE_TYPE = re.compile(r"(?:article|posting|report|story)$", re.IGNORECASE)
_DATE_METAS = (
    *("article:published_time", "og:article:published_time", "datepublished", "parsely-pub-date", "sailthru.date"),
    *("dc.date.issued", "dcterms.issued", "dcterms.created", "dc.date", "pubdate", "publish-date", "publish_date"),
    *("published_time", "cxenseparse:recs:publishtime", "date"),
)


class Metadata(NamedTuple):
    """What a page says of its article; empty or None where it doesn't. `titles`: the headline, then other prints."""

    titles: tuple[str, ...]
    summary: str
    canonical_url: str
    language: str | None
    authors: tuple[str, ...]
    image: str | None
    published_at: str | None
    categories: tuple[str, ...]


def read_metadata(tree: Any, url: str) -> Metadata:
    """The metadata of a parsed page (an lxml tree, which this call uses up) that was read at `url`."""
    from trafilatura.metadata import extract_metadata

    metas = _metas(tree)
    articles = list(_json_ld(tree))
    headlines = [line(article.get("headline")) for article in articles]
    declared = [article.get("datePublished") for article in articles] + [metas.get(name) for name in _DATE_METAS]
    declared += tree.xpath("//*[@itemprop='datePublished']/@content | //*[@itemprop='datePublished']/@datetime")[:3]
    shown = tree.xpath("//time[@pubdate]/@datetime | //article//time/@datetime | //time/@datetime")[:10]
    base = urljoin(url, next(iter(tree.xpath("//head//base/@href")), ""))
    links = tree.xpath("//head//link[@rel='canonical' or @rel='Canonical']/@href")
    titles = _titles(tree, metas, headlines)
    language = _language(tree, metas)

    for script in tree.xpath("//script[@type='application/ld+json']"):
        if len(script.text or "") > _MAX_JSON:
            script.drop_tree()
    # last, for it removes elements
    found = extract_metadata(tree, date_config={"original_date": True, "extensive_search": False})
    image = metas.get("og:image") or metas.get("twitter:image") or found.image
    names = [line(name) for name in (found.author or "").split(";")]
    topics = [*(found.categories or ()), *(tag for tags in found.tags or () for tag in tags.split(","))]
    return Metadata(
        titles=tuple(dict.fromkeys(title for title in titles if title)),
        summary=line(metas.get("og:description") or metas.get("description") or found.description),
        canonical_url=next((_address(base, link) for link in links[:1]), ""),
        language=language,
        authors=tuple(dict.fromkeys(name for name in names if name and "/" not in name and len(name) <= 100))[:20],
        image=_address(base, image) or None,
        published_at=_published_at(declared, found.date, shown),
        categories=tuple(dict.fromkeys(word for topic in topics if (word := line(topic)) and len(word) <= 100))[:20],
    )


def line(value: Any) -> str:
    """A value as `markup.plain_line` makes it; '' for what is no text."""
    return plain_line(value) if isinstance(value, str) else ""


def _metas(tree: Any) -> dict[str, str]:
    """The first content of each named meta element, names in lower case."""
    metas: dict[str, str] = {}
    for meta in tree.xpath("//meta[@content]")[:500]:
        content = meta.get("content").strip()
        for name in (meta.get("property") or meta.get("name") or meta.get("http-equiv") or "").lower().split():
            if content:
                metas.setdefault(name, content)
    return metas


def _json_ld(tree: Any) -> Iterator[dict[str, Any]]:
    """The articles in a page's JSON-LD, on top or in @graph."""
    for script in tree.xpath("//script[@type='application/ld+json']")[:20]:
        try:
            data = json.loads(script.text or "", strict=False)
        except (ValueError, RecursionError):
            continue
        items = _list(data)
        items = items + [part for item in items if isinstance(item, dict) for part in _list(item.get("@graph"))]
        for item in items:
            if isinstance(item, dict) and any(_ARTICLE_TYPE.search(str(kind)) for kind in _list(item.get("@type"))):
                yield item


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _language(tree: Any, metas: dict[str, str]) -> str | None:
    declared = [*tree.xpath("/html/@lang")[:1], metas.get("content-language"), metas.get("og:locale")]
    return next((code for tag in declared if (code := normalize_language(tag))), None)


def _address(base: str, link: str | None) -> str:
    """A link as an absolute http(s) address, or ''."""
    try:
        url = urljoin(base, (link or "").strip())
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if link and parts.scheme in ("http", "https") and parts.netloc and len(url) <= 2048 else ""


# --- the title ----------------------------------------------------------------------------------------------------


def _titles(tree: Any, metas: dict[str, str], headlines: Sequence[str]) -> list[str]:
    """The title and its other prints. The headline on the page comes first where a declared title agrees with it."""
    h1s = [text for h1 in tree.xpath("//h1")[:20] if (text := line("".join(h1.itertext())).rstrip("¶# "))]
    bar = next((line("".join(title.itertext())) for title in tree.xpath("//title[not(ancestor::svg)]")[:1]), "")
    site = key(line(metas.get("og:site_name")))
    declared = [line(text) for text in (metas.get("og:title"), *headlines, metas.get("twitter:title"), bar)]
    declared = [text for text in declared if text and key(text) != site]
    for h1 in h1s:
        if any(_agree(h1, text, site) for text in declared):
            return [h1, *declared]
    if not declared:
        return [h1 for h1 in h1s if key(h1) != site][:1]
    return [_without_site(declared[0], {site, *map(key, h1s)}), *declared]


def _agree(h1: str, declared: str, site: str) -> bool:
    """Whether a heading is the title that a page declares: the same, that without the site's name, or most of it."""
    parts = _SITE.split(declared)
    own = key(h1)
    if own == key(declared):
        return True
    if own == site or (len(parts) > 1 and own == key(parts[-1])):
        return False
    words, wanted = terms(h1), terms(max(parts, key=len))
    shared = len(words & wanted)
    return own == key(parts[0]) or (len(words) > 2 and 2 * shared > len(words) and 3 * shared > len(wanted))


def _without_site(title: str, site_names: set[str]) -> str:
    """A title without the site's name at its start or end, where the page itself gives that name."""
    parts = _SITE.split(title)
    if len(parts) > 1 and key(parts[-1]) in site_names - {""}:
        return title[: title.rindex(parts[-1])].rstrip(" |–—·»›-:")
    if len(parts) > 1 and key(parts[0]) in site_names - {""}:
        return title[len(parts[0]) :].lstrip(" |–—·»›-:")
    return title


_WORD = re.compile(r"[^\W\d_]{3,}")


def terms(text: str) -> set[str]:
    """The words of three letters or more, and the grams, as `key` prints them."""
    text = key(text)
    return {*_WORD.findall(without_runs(text)), *grams(text).split()}


# --- the date -----------------------------------------------------------------------------------------------------


def _published_at(declared: Sequence[Any], day: str | None, shown: Sequence[Any]) -> str | None:
    """The first date declared (else the day found on the page), with the time of day that another gives for it."""
    times = [iso for value in declared if (iso := parse_time(value))]
    first = times[0] if times else parse_time(day)
    if first is None or not first.endswith("T00:00:00.000Z"):
        return first
    return next(
        (iso for iso in (*times, *map(parse_time, shown)) if iso and iso[:10] == first[:10] and iso > first), first
    )


def parse_time(value: Any) -> str | None:
    """A date as a page writes it, as ISO 8601 UTC with milliseconds; without an offset it is taken for UTC."""
    text = value.strip() if isinstance(value, str) else ""
    if not 8 <= len(text) <= 40:
        return None
    try:
        read: datetime | None = datetime.fromisoformat(text)
    except ValueError:
        read = _loose_time(text)
    if read is None:
        return None
    try:
        moment = (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z" if moment.year >= 1900 else None


def _loose_time(text: str) -> datetime | None:
    import warnings

    from dateutil.parser import ParserError, parse  # type: ignore[import-untyped]

    fixed = datetime(1, 1, 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an unknown time zone's name
            moment = parse(text, default=fixed)
            same = moment == parse(text, default=datetime(2, 2, 2))
    except (ParserError, OverflowError, ValueError, TypeError, AttributeError):
        return None
    return moment if same else None  # year, month and day must all be there


# --- what markup calls the lines around a text ----------------------------------------------------------------------

_HINTS = tuple(
    (kind, re.compile(rf"(?:^|[\s_-])(?:{names})(?:$|[\s_-])", re.IGNORECASE))
    for kind, names in (
        (furniture.CAPTION, "(?:fig|img|image|photo)?-?(?:captions?|credits?)|caption-?text|media-?description"),
        (furniture.LABEL, "breadcrumbs?|kicker|eyebrow|overline|rubric|section-(?:label|name)"),
        (furniture.STANDFIRST, "standfirst|dek|deck|sub-?headline|subhead|sub-?title|strapline|chapo|sottotitolo"),
        (furniture.BYLINE, "byline|author-name|timestamp"),
        (furniture.PROMO, "related|read-?more|newsletter|promo|recirc|recommended|social|share"),
    )
)
_MAX_LINE = 600


def read_hints(tree: Any) -> dict[str, str]:
    """What markup says of short texts, for `furniture.clean`: the key of each element of a telling class."""
    hints: dict[str, str] = {}
    for element in tree.xpath("//figcaption | //nav | //*[@class or @itemprop or @rel]")[:20_000]:
        kind = _hint(element)
        parts = [line(part) for part in _some_text(element)] if kind else []
        whole = key(" ".join(parts))
        if not kind or not whole or len(whole) > _MAX_LINE:
            continue
        hints.setdefault(whole, kind)
        for part in parts if kind == furniture.CAPTION else ():
            if len(part) > 20:
                hints.setdefault(key(part), kind)
    for paragraph in tree.xpath("//p[not(ancestor::figure)]")[:5_000] if hints else ():
        # a lead that its picture's caption repeats is no caption
        if not any(_hint(element) for element in (paragraph, *paragraph.iterancestors())):
            hints.pop(key(line(" ".join(_some_text(paragraph)))), None)
    return hints


def _hint(element: Any) -> str | None:
    if element.tag == "figcaption":
        return furniture.CAPTION
    if element.tag == "nav":
        return furniture.LABEL
    name = element.get("class")
    if name:
        for kind, pattern in _HINTS:
            if pattern.search(name[:500]):
                return kind
    if element.get("itemprop") in ("alternativeHeadline", "description"):
        return furniture.STANDFIRST
    return furniture.BYLINE if element.get("rel") == "author" else None


def _some_text(element: Any) -> Iterator[str]:
    """Its text, no more than is needed to see that it is too long for a line."""
    length = 0
    for part in element.itertext():
        length += len(part)
        if length > 2 * _MAX_LINE:
            return
        if part.strip():
            yield part
