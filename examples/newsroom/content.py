"""What the newsroom publishes: publishers.yaml and articles/*.yaml, read into records.

Times in the files are offsets from the newsroom's start (`-2d3h20m`), so articles are always fresh, and the same
start gives the same content. Step 0 is what is published at the start; step n is later by n minutes in the
newsroom's own clock, which runs from ten minutes before the start, so that no date ever lies in the future.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
STEP_ZERO = timedelta(minutes=-10)
COPY_KINDS = ("whole", "shortened", "new-headline", "own-lead")
PAGES = ("full", "teaser", "missing", "disallowed")
_OFFSET = re.compile(r"-(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?")
_MARKS = {"## ": "h2", "> ": "quote"}
_ARTICLE_KEYS = frozenset(
    re.findall(
        r"\w+",
        "slug publisher published appears section author headline summary text topics tags image language page "
        "event copy_of copy_kind keep lead corrections",
    )
)


@dataclass(frozen=True)
class FeedSpec:
    """One feed of a publisher. `format`: rss, atom, rdf or json; `sections`: None for all.

    `content`: summary; html (the summary with markup); lead (the first paragraph instead); full (the text beside it).
    `redirect`: links go through the publisher's own redirector, as feed proxies do.
    """

    path: str
    format: str
    name: str
    content: str = "summary"
    sections: tuple[str, ...] | None = None
    tracking: str = ""
    redirect: bool = False


@dataclass(frozen=True)
class Publisher:
    """A fictional publisher; `host` is its own loopback address, `path` the pattern of its article addresses."""

    id: str
    name: str
    domain: str
    country: str
    host: str
    language: str
    zone: str
    tagline: str
    template: str
    path: str
    sections: tuple[str, ...]
    feeds: tuple[FeedSpec, ...]
    tags: tuple[str, ...] = ()
    disallow: tuple[str, ...] = ()


@dataclass(frozen=True)
class Article:
    """An article as it stands at one step, with the truth about it that tests measure against.

    Args:
        id: `publisher/slug`.
        url: canonical address of its page; '' until the newsroom's port is known.
        blocks: (kind, text) in order; kind is p, h2 or quote.
        event: name of the event it reports, None where no other article of the newsroom does.
        topics: ids of config/topics.yaml that a reader following that subject would expect it under.
        copy_of: id of the wire article whose text it carries; `copy_kind` is one of COPY_KINDS.
        page: full; teaser (the text is in the feed alone); missing (404); disallowed (by robots.txt).
        note: the correction's wording, once corrected.
    """

    id: str
    publisher: str
    title: str
    summary: str
    blocks: tuple[tuple[str, str], ...]
    authors: tuple[str, ...]
    section: str
    published_at: datetime
    updated_at: datetime
    language: str
    topics: tuple[str, ...]
    tags: tuple[str, ...]
    event: str | None = None
    copy_of: str | None = None
    copy_kind: str | None = None
    page: str = "full"
    image: Mapping[str, str] | None = None
    note: str = ""
    path: str = field(default="", repr=False)
    url: str = ""

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """All its text, headings too, one string a paragraph."""
        return tuple(text for _, text in self.blocks)

    @property
    def text(self) -> str:
        """All its text, paragraphs apart by an empty line."""
        return "\n\n".join(self.paragraphs)

    @property
    def number(self) -> int:
        """A stable number, as content systems give their articles."""
        return 100_000 + zlib.crc32(self.id.encode()) % 900_000


def parse_offset(text: str) -> timedelta:
    """`-2d3h20m` as a time span; at least 15 minutes back. Raises ValueError."""
    match = _OFFSET.fullmatch(str(text).strip())
    if not match or not any(match.groups()):
        raise ValueError(f"no offset such as -2d3h20m: {text!r}")
    days, hours, minutes = (int(part or 0) for part in match.groups())
    span = -timedelta(days=days, hours=hours, minutes=minutes)
    if span > timedelta(minutes=-15):
        raise ValueError(f"less than 15 minutes before the start: {text!r}")
    return span


def parse_text(text: str, language: str) -> tuple[tuple[str, str], ...]:
    """Paragraphs apart by an empty line as blocks; `## ` starts a heading, `> ` a quotation set apart."""
    blocks = []
    for chunk in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in chunk.splitlines()]
        joined = ("" if language == "ja" else " ").join(lines)
        mark = next((mark for mark in _MARKS if joined.startswith(mark)), "")
        blocks.append((_MARKS.get(mark, "p"), joined.removeprefix(mark)))
    return tuple(blocks)


@cache
def load_publishers() -> tuple[dict[str, Publisher], dict[str, dict[str, str]]]:
    """The publishers by id, and the words that pages of each language use."""
    document = yaml.safe_load((HERE / "publishers.yaml").read_text(encoding="utf-8"))
    publishers = {}
    for item in document["publishers"]:
        item["feeds"] = tuple(FeedSpec(**_tuples(spec)) for spec in item["feeds"])
        publishers[item["id"]] = Publisher(**_tuples(item))
    return publishers, document["labels"]


def _tuples(item: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in item.items()}


@cache
def load_files() -> tuple[dict[str, Any], ...]:
    """The articles as the files have them, each with its id and event; wrong keys raise ValueError."""
    items: list[dict[str, Any]] = []
    for path in sorted((HERE / "articles").glob("*.yaml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        for item in document["articles"]:
            unknown = set(item) - _ARTICLE_KEYS
            if unknown:
                raise ValueError(f"{path.name}: {item.get('slug')}: unknown {sorted(unknown)}")
            item = {"event": document.get("event"), **item}
            items.append({**item, "id": f"{item['publisher']}/{item['slug']}", "file": path.name})
    if len({item["id"] for item in items}) != len(items):
        raise ValueError("an id stands twice in examples/newsroom/articles")
    return tuple(items)


def load_articles(start: datetime, step: int = 0) -> list[Article]:
    """All articles published by a step, newest first."""
    items = {item["id"]: item for item in load_files()}
    articles = [_article(item, items, start, step) for item in items.values() if item.get("appears", 0) <= step]
    return sorted(articles, key=lambda article: (article.published_at, article.id), reverse=True)


def _moment(start: datetime, step: int) -> datetime:
    return start + STEP_ZERO + timedelta(minutes=step)


def _article(item: Mapping[str, Any], items: Mapping[str, Any], start: datetime, step: int) -> Article:
    publishers, _ = load_publishers()
    publisher = publishers[item["publisher"]]
    language = item.get("language", publisher.language)
    original = items[item["copy_of"]] if item.get("copy_of") else item
    appears = item.get("appears", 0)
    published = _moment(start, appears) if appears else start + parse_offset(item["published"])
    authors = item.get("author", [])
    article = Article(
        id=item["id"],
        publisher=publisher.id,
        title=item.get("headline") or original["headline"],
        summary=" ".join((item.get("summary") or original["summary"]).split()),
        blocks=_copied(item, original, language),
        authors=tuple([authors] if isinstance(authors, str) else authors),
        section=item["section"],
        published_at=published,
        updated_at=published,
        language=language,
        topics=tuple(item.get("topics", original["topics"])),
        tags=tuple(item.get("tags", ())),
        event=item["event"],
        copy_of=item.get("copy_of"),
        copy_kind=item.get("copy_kind"),
        page=item.get("page", "full"),
        image=item.get("image"),
    )
    if article.page not in PAGES or (article.copy_kind or "whole") not in COPY_KINDS:
        raise ValueError(f"{article.id}: page {article.page!r}, copy_kind {article.copy_kind!r}")
    if article.section not in publisher.sections:
        raise ValueError(f"{article.id}: {publisher.id} has no section {article.section!r}")
    for correction in item.get("corrections", ()):
        if correction["after"] <= step:
            article = _corrected(article, correction, _moment(start, correction["after"]))
    slug = item["slug"]
    path = publisher.path.format(section=_slug(article.section, publisher), slug=slug, number=article.number)
    return replace(article, path=path)


def _slug(section: str, publisher: Publisher) -> str:
    """A section's part of an address; where its name has no ASCII letters, its place in the list."""
    ascii_only = unicodedata.normalize("NFKD", section).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")
    return slug or f"s{publisher.sections.index(section) + 1}"


def _copied(item: Mapping[str, Any], original: Mapping[str, Any], language: str) -> tuple[tuple[str, str], ...]:
    """The original's first `keep` blocks, its first one replaced by `lead` where there is one (for copies)."""
    blocks = parse_text(original["text"], language)[: item.get("keep")]
    if item.get("lead"):
        blocks = parse_text(item["lead"], language) + blocks[1:]
    return blocks


def _corrected(article: Article, correction: Mapping[str, Any], moment: datetime) -> Article:
    """An article after a correction: new headline, summary or text, or phrases replaced (each must be there)."""
    swaps = correction.get("replace", {})
    for old in swaps:
        if old not in "\n".join((article.title, article.summary, article.text)):
            raise ValueError(f"{article.id}: nothing to correct: {old!r}")

    def swap(text: str) -> str:
        for old, new in swaps.items():
            text = text.replace(old, new)
        return text

    blocks: Sequence[tuple[str, str]] = article.blocks
    if "text" in correction:
        blocks = parse_text(correction["text"], article.language)
    return replace(
        article,
        title=swap(correction.get("headline", article.title)),
        summary=swap(" ".join(correction.get("summary", article.summary).split())),
        blocks=tuple((kind, swap(text)) for kind, text in blocks),
        updated_at=moment,
        note=" ".join(correction["note"].split()),
    )
