"""The article on a page: its text, without the furniture around it, and what the page says about it.

The text is trafilatura's; what stays in it of the page's furniture, `furniture` takes out. The same input gives the
same output however often and in whatever order a process is asked: trafilatura's deduplication, which remembers
earlier pages, is off.
"""

from __future__ import annotations

import codecs
import importlib.metadata
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from newsbeam import furniture
from newsbeam.errors import ExtractError
from newsbeam.markup import drop_controls
from newsbeam.metadata import line, read_hints, read_metadata, terms
from newsbeam.search import count_words

EXTRACTOR_VERSION = f"trafilatura-{importlib.metadata.version('trafilatura')}+{furniture.RULES_VERSION}"

_MAX_CHARS = 200_000
_MAX_TITLE = 1_000  # characters
_MAX_HTML = 10_000_000  # characters; the rest of a page is not looked at
_MAX_ELEMENTS = 20_000  # likewise; trafilatura's time grows with more than their number
_MAX_ATTRIBUTES = 1_000  # of one element; libxml2's time for a tree grows with their square
_SHORT = 50  # words under which a text is `short`

# Numeric references to what no tree of lxml can hold (XML 1.0, section 2.2), but for U+0000 and surrogates, which the
# parser replaces. Two of them are white space in HTML.
_REFERENCE = re.compile(
    r"&#(?:x0*(?P<hex>[1-8bcef]|1[0-9a-f]|fff[ef])(?![0-9a-f])"
    r"|0*(?P<decimal>[1-8]|1[124-9]|2[0-9]|3[01]|6553[45])(?![0-9]));?",
    re.IGNORECASE,
)
_WHITE = frozenset(("b", "c", "11", "12"))
_TAG = re.compile(r"<(?:!doctype|[a-z][a-z0-9]*[\s/>]|!--)", re.IGNORECASE)
_FEED = re.compile(r"^\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<(?:rss|feed|rdf:RDF|urlset|sitemapindex)[\s>]", re.S)
_MAGIC = re.compile(
    rb"\s*(?:%PDF-|PK\x03\x04|\x89PNG|GIF8|\xff\xd8\xff|RIFF|\x1f\x8b|ID3|OggS|\x7fELF|MZ\x90|\x00\x00\x01\x00"
    rb"|\xd0\xcf\x11\xe0|\{\\rtf|7z\xbc\xaf|Rar!)"
)
_HTML_TYPES = frozenset(("text/html", "application/xhtml+xml", "text/xml", "application/xml"))
_VAGUE_TYPES = frozenset(("", "text/plain", "application/octet-stream", "binary/octet-stream", "unknown/unknown"))


class Content(NamedTuple):
    """What a page or text holds. `method`: trafilatura or given; `quality`: ok, short or none; `cut`: longer than
    the cap, ends early. `title` and `summary` have at most 1,000 and 20,000 characters. `published_at`: ISO 8601 UTC
    with milliseconds; midnight where the page tells only the day."""

    title: str
    summary: str
    body: str
    method: str
    version: str
    quality: str
    cut: bool = False
    canonical_url: str = ""
    language: str | None = None
    authors: tuple[str, ...] = ()
    image: str | None = None
    published_at: str | None = None
    categories: tuple[str, ...] = ()


def extract_page(
    html: bytes | str, *, url: str, content_type: str = "", title_hint: str = "", max_chars: int = _MAX_CHARS
) -> Content:
    """The article on a page.

    Args:
        html: as it came; bytes are decoded by byte order mark, `content_type`, meta element, else by detection.
        url: where it was read, for relative addresses.
        title_hint: what a feed calls it, taken out of the text too; never the title that is returned.

    Raises:
        ExtractError: `empty`, `not_html` or `no_text`.
    """
    text = _read(html, content_type)
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # what it can't read is told by our error
    try:
        from trafilatura import bare_extraction, load_html

        _refuse_many_attributes(text)
        tree = load_html(text)
        if tree is None:
            raise ExtractError("not_html", "no elements")
        pruned = _prune(tree)
        document: Any = bare_extraction(tree, url=url, include_comments=False, deduplicate=False)
        lines = list(_paragraphs(document.body)) if document is not None else []
        hints = read_hints(tree)
        meta = read_metadata(tree, url)  # last: it uses the tree up
    except ExtractError:
        raise
    except (Exception, RecursionError) as error:  # a page that breaks the parser is a fact about the page
        raise ExtractError("no_text", f"{type(error).__name__} while extracting") from error
    cleaned = furniture.clean(
        lines,
        title=meta.titles[0] if meta.titles else line(title_hint),
        titles=[*meta.titles, line(title_hint)],
        summary=meta.summary,
        authors=meta.authors,
        hints=hints,
    )
    if not cleaned.paragraphs:
        raise ExtractError("no_text")
    body, cut = _join(cleaned.paragraphs, max_chars)
    cut = cut or pruned or len(html) > _MAX_HTML
    return Content(
        title=_start(cleaned.title, _MAX_TITLE) if meta.titles or not title_hint else "",
        summary=_start(cleaned.summary, furniture.MAX_SUMMARY),
        body=body,
        method="trafilatura",
        version=EXTRACTOR_VERSION,
        quality=_quality(body),
        cut=cut,
        canonical_url=meta.canonical_url,
        language=meta.language,
        authors=meta.authors,
        image=meta.image,
        published_at=meta.published_at,
        categories=meta.categories,
    )


def clean_text(text: str, *, title: str = "", max_chars: int = _MAX_CHARS) -> Content:
    """The same for a plain text that was copied off a page: one paragraph a line."""
    lines = [line(part) for part in drop_controls(text).splitlines()]
    cleaned = furniture.clean(lines, title=_start(line(title), _MAX_TITLE))
    body, cut = _join(cleaned.paragraphs, max_chars)
    return Content(cleaned.title, cleaned.summary, body, "given", EXTRACTOR_VERSION, _quality(body), cut)


def matches(title: str, content: Content) -> bool:
    """Whether a page has anything to do with an entry's title; consent pages and home pages do not.

    At least a quarter of the title's words (three letters or more; pairs of characters in Chinese, Japanese, Korean)
    stand in the page's title or text. True where the title has fewer than three such words.
    """
    wanted = terms(title)
    if len(wanted) < 3:
        return True
    return 4 * len(wanted & terms(f"{content.title}\n{content.summary}\n{content.body}")) >= len(wanted)


# --- bytes to text ------------------------------------------------------------------------------------------------


def _read(html: bytes | str, content_type: str) -> str:
    kind = content_type.split(";")[0].strip().lower()
    if not html.strip():
        raise ExtractError("empty")
    if kind not in _HTML_TYPES | _VAGUE_TYPES:
        raise ExtractError("not_html", kind)
    if isinstance(html, bytes):
        if _MAGIC.match(html):
            raise ExtractError("not_html", "another format by its first bytes")
        html = decode(html, content_type)
    text = drop_controls(html[:_MAX_HTML]).replace("\x0b", " ").replace("\x0c", " ")
    text = _REFERENCE.sub(lambda found: " " if (found["hex"] or found["decimal"]).lower() in _WHITE else "", text)
    if not text.strip():
        raise ExtractError("empty")
    if _FEED.match(text[:1000]):
        raise ExtractError("not_html", "a feed")
    if not _TAG.search(text[:100_000]):
        raise ExtractError("not_html", "no element")
    return text


def decode(data: bytes, content_type: str = "") -> str:
    """A page's bytes as text: by byte order mark, the header's charset, the meta element's, else by detection.

    As the HTML standard (13.2.3.2) has it, but for this: a declared encoding that the bytes contradict is passed
    over when the next one fits without an error.
    """
    from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, read_bom, to_unicode

    bom_encoding, bom = read_bom(data)
    if bom_encoding and bom:
        return to_unicode(data[len(bom) :], bom_encoding)
    declared = [
        encoding
        for encoding in (http_content_type_encoding(content_type), html_body_declared_encoding(data[:4096]))
        if encoding and _is_text_encoding(encoding)
    ]
    for encoding in [*declared, "utf-8"]:
        try:
            return data.decode(encoding)
        except (UnicodeError, ValueError):
            continue
    if declared:
        return to_unicode(data, declared[0])
    from charset_normalizer import from_bytes

    best = from_bytes(data if len(data) < 40_000 else data[:20_000] + data[-20_000:]).best()
    return to_unicode(data, best.encoding if best else "cp1252")


_NEVER = frozenset(("idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "utf-7"))


def _is_text_encoding(name: str) -> bool:
    """Whether Python has it and the Encoding standard does not forbid it."""
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):
        return False
    return bool(codec._is_text_encoding) and codec.name.replace("_", "-") not in _NEVER


class _Attributes:
    """The parser's events, of which the number of each element's attributes is looked at."""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if len(attributes) > _MAX_ATTRIBUTES:
            raise ExtractError("no_text", f"an element with more than {_MAX_ATTRIBUTES} attributes")

    def close(self) -> None:
        pass


def _refuse_many_attributes(text: str) -> None:
    """Raises ExtractError for what would keep the parser for minutes. Asked of the parser itself, as events without a
    tree, for it alone knows what it takes for an element."""
    from lxml import etree  # type: ignore[import-untyped]

    with suppress(etree.LxmlError):  # is met again when the tree is made
        etree.fromstring(text.encode(), etree.HTMLParser(target=_Attributes(), encoding="utf-8", huge_tree=True))


def _prune(tree: Any) -> bool:
    """Bounds the number of a page's elements: those without text go first, then the last ones. True where any text
    went."""
    from lxml.etree import strip_elements  # type: ignore[import-untyped]

    if tree.xpath("count(//*)") <= _MAX_ELEMENTS:
        return False
    strip_elements(tree, "style", "svg", "noscript", "template", "iframe", "option", with_tail=False)
    for script in tree.xpath("//script[not(@type='application/ld+json')]"):
        script.drop_tree()
    elements = list(tree.iter("*"))
    kept = set(elements[:_MAX_ELEMENTS])
    for element in elements[_MAX_ELEMENTS:]:
        parent = element.getparent()
        if parent is not None and parent in kept:
            parent.remove(element)
    return len(elements) > _MAX_ELEMENTS


# --- trafilatura's tree to paragraphs -----------------------------------------------------------------------------

_BLOCKS = frozenset(("p", "head", "quote", "list", "item", "table", "row", "lb", "div", "body"))


def _paragraphs(body: Any) -> Iterator[str]:
    """The paragraphs of an extracted tree: each block, list item and table row one; cells apart by commas."""
    from lxml.etree import iterwalk

    current: list[str] = []
    for event, element in iterwalk(body, events=("start", "end")):
        tag = element.tag
        if tag in _BLOCKS:
            if text := line("".join(current)):
                yield text
            current.clear()
        part = (element.text if event == "start" else element.tail if element is not body else "") or ""
        if tag == "cell" and event == "start" and current and (part.strip() or len(element)):
            current.append(", ")
        if part.strip() or current:
            current.append(part)
    if text := line("".join(current)):
        yield text


# --- small things -------------------------------------------------------------------------------------------------


def _start(text: str, size: int) -> str:
    return text[:size].rstrip()


def _join(paragraphs: Sequence[str], max_chars: int) -> tuple[str, bool]:
    body = "\n\n".join(paragraphs)
    if len(body) <= max_chars:
        return body, False
    end = max(body.rfind("\n\n", 0, max_chars + 1), 0) or max(body.rfind(" ", 0, max_chars + 1), 0) or max_chars
    return body[:end].rstrip(), True


def _quality(body: str) -> str:
    words = count_words(body)
    return "none" if not words else "short" if words < _SHORT else "ok"
