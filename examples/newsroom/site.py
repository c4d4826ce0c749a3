"""A publisher's web site at one step: every address with its answer, rendered from templates/.

All is made in memory when a step is published; serving (server.py) only looks up. The same publisher, articles and
port give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any, NamedTuple
from urllib.parse import quote

import jinja2
from markupsafe import Markup, escape

from examples.newsroom.content import HERE, Article, FeedSpec, Publisher

FEED_TYPES = {
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "rdf": "application/rdf+xml; charset=utf-8",
    "json": "application/feed+json; charset=utf-8",
}
_RELATED = 3


class Answer(NamedTuple):
    """What an address answers with status 200, or, with `location`, a redirect there (301)."""

    content_type: str
    body: bytes
    modified: datetime
    location: str = ""

    @property
    def etag(self) -> str:
        """Weak, since the same tag stands for the plain and the gzipped body (RFC 9110, 8.8.3)."""
        return f'W/"{hashlib.sha256(self.body).hexdigest()[:20]}"'


def zone_of(publisher: Publisher) -> timezone:
    """The publisher's offset from UTC, written `+09:00`."""
    hours, minutes = int(publisher.zone[1:3]), int(publisher.zone[4:6])
    return timezone((1 if publisher.zone[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes))


def place(articles: Sequence[Article], base: str) -> list[Article]:
    """The articles with their addresses under a publisher's base address."""
    return [replace(article, url=base + article.path) for article in articles]


def render_site(
    publisher: Publisher, articles: Sequence[Article], base: str, labels: dict[str, dict[str, str]]
) -> dict[str, Answer]:
    """Every address of a publisher (path with the query that counts) and its answer.

    Args:
        articles: the publisher's own, newest first, with their addresses (`place`).
        base: scheme, host and port, without a final slash.
        labels: the words of page furniture, by language.
    """
    environment = _environment(publisher, labels)
    newest = max(article.updated_at for article in articles)
    common: dict[str, Any] = {
        "site": publisher, "base": base, "articles": articles, "updated": newest, "feed_types": FEED_TYPES
    }  # fmt: skip
    answers = {"/robots.txt": Answer("text/plain; charset=utf-8", _robots(publisher), _oldest(articles))}
    answers["/"] = _page(environment, "front.html", newest, **common)
    for spec in publisher.feeds:
        answers |= _feed(environment, spec, common)
    for index, article in enumerate(articles):
        if article.image:
            picture = _picture(article.number)
            answers[f"/media/{article.number}.png"] = Answer("image/png", picture, article.published_at)
        if article.page == "missing":
            continue
        others = [articles[(index + step) % len(articles)] for step in range(1, _RELATED + 1)]
        related = [other for other in others if other.id != article.id]
        answers[article.path] = _page(
            environment,
            publisher.template,
            article.updated_at,
            **common,
            article=article,
            related=related,
            authors_ld=[{"@type": "Person", "name": name} for name in article.authors],
        )
    return answers


def _oldest(articles: Sequence[Article]) -> datetime:
    return min(article.published_at for article in articles)


def _environment(publisher: Publisher, labels: dict[str, dict[str, str]]) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    zone = zone_of(publisher)
    words = labels[publisher.language]
    environment.filters["rfc822"] = lambda moment: format_datetime(moment.astimezone(zone))
    environment.filters["iso"] = lambda moment: moment.astimezone(zone).isoformat()
    environment.filters["shown"] = lambda moment: moment.astimezone(zone).strftime(words["date"])
    environment.filters["html"] = _html
    environment.filters["json"] = lambda value: Markup(json.dumps(value, ensure_ascii=False).replace("</", "<\\/"))
    environment.globals["words"] = words
    return environment


def _page(environment: jinja2.Environment, template: str, modified: datetime, **values: Any) -> Answer:
    text = environment.get_template(template).render(**values)
    return Answer("text/html; charset=utf-8", text.encode(), modified)


def _html(blocks: Sequence[tuple[str, str]]) -> Markup:
    """An article's text as HTML paragraphs."""
    tags = {"p": ("<p>", "</p>"), "h2": ("<h2>", "</h2>"), "quote": ("<blockquote><p>", "</p></blockquote>")}
    return Markup("\n").join(Markup(tags[kind][0]) + escape(text) + Markup(tags[kind][1]) for kind, text in blocks)


def _feed(environment: jinja2.Environment, spec: FeedSpec, common: dict[str, Any]) -> dict[str, Answer]:
    """A feed and, where its links go through a redirector, the redirects."""
    articles = [item for item in common["articles"] if spec.sections is None or item.section in spec.sections]
    base: str = common["base"]
    answers, links = {}, {}
    for article in articles:
        links[article.id] = article.url
        if spec.redirect:
            hop = f"/go/{article.number}"
            answers[hop] = Answer("text/html; charset=utf-8", b"", article.published_at, location=article.url)
            links[article.id] = base + hop
        if spec.tracking:
            links[article.id] += ("&" if "?" in links[article.id] else "?") + spec.tracking
    modified = max(article.updated_at for article in articles)
    if spec.content == "lead":
        articles = [replace(article, summary=article.paragraphs[0]) for article in articles]
    values = {**common, "articles": articles, "links": links, "feed": spec, "updated": modified}
    if spec.format == "json":
        body = json.dumps(_json_feed(environment, values), ensure_ascii=False, indent=1)
    else:
        body = environment.get_template(f"{spec.format}.xml").render(values)
    answers[spec.path] = Answer(FEED_TYPES[spec.format], body.encode(), modified)
    return answers


def _json_feed(environment: jinja2.Environment, values: dict[str, Any]) -> dict[str, Any]:
    """A JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""
    site, base, spec = values["site"], values["base"], values["feed"]
    iso = environment.filters["iso"]
    items = []
    for article in values["articles"]:
        item: dict[str, Any] = {
            "id": str(article.number),
            "url": values["links"][article.id],
            "title": article.title,
            "summary": article.summary,
            "date_published": iso(article.published_at),
            "authors": [{"name": name} for name in article.authors],
            "tags": list(article.tags),
        }
        if spec.content == "full":
            item["content_html"] = str(_html(article.blocks))
        else:
            item["content_text"] = article.summary
        if article.image:
            item["image"] = f"{base}/media/{article.number}.png"
        if article.updated_at != article.published_at:
            item["date_modified"] = iso(article.updated_at)
        if article.language != site.language:
            item["language"] = article.language
        items.append(item)
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": spec.name,
        "home_page_url": f"{base}/",
        "feed_url": base + spec.path,
        "description": site.tagline,
        "language": site.language,
        "items": items,
    }


def _robots(publisher: Publisher) -> bytes:
    rules = "".join(f"Disallow: {quote(path)}\n" for path in publisher.disallow) or "Disallow:\n"
    return f"User-agent: *\n{rules}".encode()


def _picture(number: int) -> bytes:
    """A small PNG of one colour, which the number gives (PNG specification, 5.3)."""
    width, height = 320, 180
    colour = bytes((number * factor) % 128 + 64 for factor in (3, 5, 7))
    raw = (b"\0" + colour * width) * height

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def http_date(moment: datetime) -> str:
    """A time as HTTP headers write it (RFC 9110, 5.6.7)."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)
