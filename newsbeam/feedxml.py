"""RSS, Atom and RDF documents, read by feedparser: from bytes to items.

feedparser is given bytes of UTF-8 and never an address. What it would guess about encodings is settled before, what
it would do to markup is left out (all texts become plain here), and what in it takes more than linear time is capped.
"""

from __future__ import annotations

import io
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from html.entities import name2codepoint
from typing import Any, NamedTuple, Optional

from newsbeam.entries import MAX_ENTRIES, Item, ParsedFeed, language_tag, make_entries, split_text
from newsbeam.errors import FeedError
from newsbeam.markup import join_surrogates, plain_line, plain_text, to_line, to_text

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0, production 2
_DECLARATION = re.compile(r"<\?xml\b[^>]*\?>")
_DECLARED = re.compile(rb"<\?xml\b[^>]*?\bencoding\s*=\s*[\"']([^\"'>]*)[\"']")
# Names that claim UTF-16 or wider; a document whose declaration can be read as ASCII is not.
_WIDE = re.compile(r"u(tf[-_]?|cs[-_]?)?(16|32|2|4)|iso-10646|csu", re.IGNORECASE)
_ODD_CODECS = frozenset((None, "utf-7", "unicode-escape", "raw-unicode-escape", "idna", "punycode", "undefined"))
_AMPERSAND = re.compile(
    r"<!\[CDATA\[(?:.*?\]\]>|.*)|&(?:#(?:(\d{1,8})|[xX]([\dA-Fa-f]{1,7}));|([A-Za-z][A-Za-z0-9]{1,31});)?", re.DOTALL
)
_ENTRY = re.compile(r"<(/?)(?:[\w.-]{1,100}:)?(?:item|entry)[\s>]", re.ASCII)
_PROLOG = re.compile(r"<!--|<\?|<!doctype|<([A-Za-z_][\w.:-]*)", re.IGNORECASE)
_DOCTYPE = re.compile(r"<!--|<\?|\"[^\"]*\"|'[^']*'|[][>]")
_PAGE_ROOTS = frozenset(("html", "head", "body", "meta", "script", "title", "div", "p", "table"))
_PERIODS = {"hourly": 3_600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}
_OVER_CAP, _SLIPPED = "newsbeam_over_cap", "newsbeam_slipped"  # what is told through feedparser's own result
_SLIPS = (LookupError, TypeError, ValueError)  # what its handlers raise where elements stand in the wrong place
_MAX_ELEMENTS, _MAX_LOOSE, _MAX_AUTHOR, _MAX_TAGS = 250_000, 2_000_000, 1_000, 200


class Decoded(NamedTuple):
    """A document as text, without byte order mark and XML declaration; `sound` unless something had to be mended."""

    text: str
    sound: bool


def parse_xml_feed(body: bytes, *, url: str, content_type: str, now: int) -> ParsedFeed:
    """An RSS, Atom or RDF document as data. Raises FeedError with the reasons that `feeds.parse_feed` lists."""
    text, sound = decode(body, content_type)
    if not text:
        raise FeedError("empty", f"{len(body)} bytes of white space")
    root = _check_prolog(text)
    result = _feedparse(text, url)
    if result.bozo and (mended := _AMPERSAND.sub(_mended, join_surrogates(text))) != text:
        result, sound = _feedparse(mended, url), False
    entries: list[Any] = result.entries
    broken = bool(result.bozo)
    if not entries and broken and not _lacks_no_entry(text, root):
        raise FeedError("bad_xml", plain_line(str(result.get("bozo_exception", "")))[:200])
    if not entries and not result.version:
        raise FeedError("not_a_feed", f"the root element is {root[:100] or 'missing'}")
    over = int(_get(result.feed, _OVER_CAP) or 0)
    unreadable = int(broken and bool(entries) and _ends_within_entry(text))
    whole = entries[:-1] if unreadable and not over else entries
    atom = str(result.version).startswith("atom")
    language = language_tag(_get(result.feed, "language"))
    return ParsedFeed(
        title=_line(result.feed, "title", atom),
        language=language,
        entries=make_entries([_item(entry, atom, language) for entry in whole], base=url, now=now),
        recovered=broken or not sound or bool(_get(result.feed, _SLIPPED)),
        ttl=_ttl(result.feed),
        version=str(result.version),
        truncated=over - unreadable if over else 0,
        unreadable=unreadable,
    )


# --- bytes to text ------------------------------------------------------------------------------------------------


def decode(body: bytes, content_type: str) -> Decoded:
    """A document's text.

    The encoding is the byte order mark's, else that of the Content-Type header, else that of the XML declaration
    (RFC 7303, section 3), else UTF-8; but a document that declares UTF-8 and is UTF-8 is taken at its word. Raises
    FeedError `unknown_encoding` where the name means nothing and the bytes are not UTF-8 either.
    """
    from w3lib.encoding import http_content_type_encoding, read_bom

    body = body.lstrip(b" \t\r\n")
    marked, mark = read_bom(body)
    marked = marked or _wide(body)
    if marked:
        return _tidy(body[len(mark or b"") :].decode(marked, "replace"))
    found = _DECLARED.match(body[:1_024])
    declared = found[1].decode("latin-1").strip() if found else ""
    served = http_content_type_encoding(content_type) or ""
    names = ["utf-8", served] if declared.lower() in ("utf-8", "utf8", "") else [served, declared, "utf-8"]
    names = [name for name in names if name and not _WIDE.match(name)]
    codecs = list(dict.fromkeys(filter(None, map(_codec, names))))
    for codec in codecs:
        with suppress(UnicodeError):
            return _tidy(body.decode(codec), sound=codec == _codec(names[0]))
        text = body.decode(codec, "replace")
        if text.count("\ufffd") * 10 <= sum(byte > 127 for byte in body):  # a few slips in a text that is right
            return _tidy(text, sound=False)
    unknown = [name for name in (served, declared) if name and not _WIDE.match(name) and not _codec(name)]
    if unknown:
        raise FeedError("unknown_encoding", unknown[0][:100])
    return _tidy(body.decode("cp1252", "replace"), sound=False)


def _wide(body: bytes) -> Optional[str]:
    """UTF-16 or UTF-32 without a mark, by the zeros about the first `<` (XML 1.0, appendix F)."""
    patterns = {
        "utf-32-be": b"\0\0\0<", "utf-32-le": b"<\0\0\0", "utf-16-be": b"\0<\0", "utf-16-le": b"<\0",
    }  # fmt: skip
    return next((name for name, start in patterns.items() if body.startswith(start)), None)


def _codec(name: str) -> Optional[str]:
    """Python's codec for an encoding, as browsers take its name; None where it is none, or none for texts in ASCII."""
    from w3lib.encoding import resolve_encoding

    codec = resolve_encoding(name)
    try:
        return codec if codec not in _ODD_CODECS and b"<?xml".decode(codec or "") == "<?xml" else None
    except (LookupError, ValueError):
        return None


def _tidy(text: str, sound: bool = True) -> Decoded:
    legal = _ILLEGAL.sub("", text).lstrip("\ufeff \t\r\n")
    sound = sound and "\ufffd" not in legal and len(legal) == len(text.lstrip("\ufeff \t\r\n"))
    declaration = _DECLARATION.match(legal)
    return Decoded(legal[declaration.end() :].lstrip() if declaration else legal, sound)


def _check_prolog(text: str) -> str:
    """The root element's name; refuses entities declared before it, which must not reach a parser, and pages."""
    doctype, root = _prolog(text)
    if "<!entity" in doctype.lower():
        raise FeedError("xml_entities", "the document declares entities of its own")
    if root.lower() in _PAGE_ROOTS:
        raise FeedError("html", "an HTML page instead of a feed")
    return root


def _prolog(text: str) -> tuple[str, str]:
    """The document type declarations before the root element, and the root element's name; '' where there is none."""
    doctypes: list[str] = []
    position = 0
    while found := _PROLOG.search(text, position):
        if found[1]:
            return "".join(doctypes), found[1]
        if found[0].startswith("<!") and found[0] != "<!--":
            position = _doctype_end(text, found.end())
            doctypes.append(text[found.start() : position])
        else:
            position = _skip(text, found)
    return "".join(doctypes), ""


def _doctype_end(text: str, position: int) -> int:
    """Where a document type declaration ends: at the first `>` outside of brackets, quotes and comments."""
    inside = False
    while found := _DOCTYPE.search(text, position):
        position = found.end()
        if found[0] == ">" and not inside:
            return position
        if found[0] in "[]":
            inside = found[0] == "["
        elif found[0] in ("<!--", "<?"):
            position = _skip(text, found)
    return len(text)


def _skip(text: str, found: re.Match[str]) -> int:
    """The position behind a comment or an instruction, of which the start was found."""
    end = "-->" if found[0] == "<!--" else "?>"
    close = text.find(end, found.end())
    return close + len(end) if close >= 0 else len(text)


def _mended(found: re.Match[str]) -> str:
    """What ampersands ought to be: XML has five named entities, many feeds use those of HTML too, or forget `&amp;`."""
    decimal, hexadecimal, name = found.groups()
    if found[0].startswith("<") or name in ("amp", "lt", "gt", "quot", "apos"):
        return found[0]
    if name:
        return chr(name2codepoint[name]) if name in name2codepoint else f"&amp;{name};"
    if decimal or hexadecimal:
        code = int(decimal) if decimal else int(hexadecimal, 16)
        return found[0] if code <= 0x10FFFF and not _ILLEGAL.match(chr(code)) else ""
    return "&amp;"


def _lacks_no_entry(text: str, root: str) -> bool:
    """Whether a broken document without entries has none for all that: it goes on to its end, and none starts in it."""
    return bool(root) and f"</{root}" in text and not _ENTRY.search(text)


def _ends_within_entry(text: str) -> bool:
    last = deque(_ENTRY.finditer(text), maxlen=1)
    return bool(last) and not last[0][1]


# --- feedparser ---------------------------------------------------------------------------------------------------


def _feedparse(text: str, url: str) -> Any:
    feedparser = _feedparser()
    headers = {"content-type": "application/xml; charset=utf-8", "content-location": url}
    data = b'<?xml version="1.0" encoding="utf-8"?>\n' + text.encode()
    return feedparser.parse(
        io.BytesIO(data), response_headers=headers, resolve_relative_uris=False, sanitize_html=False
    )


@cache
def _feedparser() -> Any:
    """feedparser, its two parsers replaced by ones with caps: its author reading takes quadratic time, and its
    reading of broken documents about a minute for 10 MB."""
    from xml.sax import SAXException

    import feedparser  # type: ignore[import-untyped]
    from feedparser import api

    class Capped:
        elements = entries_begun = 0
        # a guid is a name, also where it looks like a relative address
        can_be_relative_uri = frozenset(api.StrictFeedParser.can_be_relative_uri) - {"id"}

        def unknown_starttag(self, tag: str, attributes: Any) -> None:
            if tag.rpartition(":")[2] in ("item", "entry"):
                self.entries_begun += 1
                self.feeddata[_OVER_CAP] = max(0, self.entries_begun - MAX_ENTRIES)  # type: ignore[attr-defined]
            if self.entries_begun > MAX_ENTRIES:
                return  # and so is all after it
            self.elements += 1
            if self.elements > _MAX_ELEMENTS:
                raise FeedError("too_large", f"more than {_MAX_ELEMENTS} elements")
            with suppress(*_SLIPS):
                super().unknown_starttag(tag, attributes)  # type: ignore[misc]

        def unknown_endtag(self, tag: str) -> None:
            if self.entries_begun <= MAX_ENTRIES:
                with suppress(*_SLIPS):
                    super().unknown_endtag(tag)  # type: ignore[misc]

        def startElementNS(self, name: Any, qname: Any, attributes: Any) -> None:  # noqa: N802  (SAX's name)
            try:
                super().startElementNS(name, qname, attributes)  # type: ignore[misc]
            except ValueError:  # expat gives such names in more parts than two
                raise SAXException("white space in the name of a namespace") from None

        def _start_link(self, attributes: Any) -> None:
            if "href" not in attributes and "url" not in attributes:  # RSS: the address is the element's text
                attributes.pop("uri", None)
            super()._start_link(attributes)  # type: ignore[misc]

        def resolve_uri(self, uri: str) -> Any:
            return super().resolve_uri(uri) or uri  # type: ignore[misc]  # what is no address is ours to put aside

        def handle_charref(self, reference: str) -> None:
            with suppress(ValueError, OverflowError):  # of no character
                super().handle_charref(reference)  # type: ignore[misc]

        def _sync_author_detail(self, key: str = "author") -> None:
            context = self._get_context()  # type: ignore[attr-defined]
            if isinstance(author := context.get(key), str) and len(author) > _MAX_AUTHOR:
                context[key] = author[:_MAX_AUTHOR]
            super()._sync_author_detail(key)  # type: ignore[misc]

        def _add_tag(self, term: Any, scheme: Any, label: Any) -> None:
            if len(self._get_context().get("tags", ())) < _MAX_TAGS:  # type: ignore[attr-defined]
                super()._add_tag(term, scheme, label)  # type: ignore[misc]

        def feed(self, text: str) -> None:
            if len(text) > _MAX_LOOSE:
                raise FeedError("bad_xml", "broken, and too large to mend")
            super().feed(text)  # type: ignore[misc]

    for name in ("StrictFeedParser", "LooseFeedParser"):
        parser = type(name, (Capped, getattr(api, name)), {})
        for member in dir(parser):
            if member.startswith(("_start_", "_end_")):
                setattr(parser, member, _careful(getattr(parser, member)))
        setattr(api, name, parser)
    return feedparser


def _careful(handler: Any) -> Any:
    """A handler for one element that fails as one that there is not: feedparser then keeps the element unread."""

    def careful(parser: Any, *arguments: Any) -> Any:
        try:
            return handler(parser, *arguments)
        except _SLIPS as slip:
            parser.feeddata[_SLIPPED] = True
            raise AttributeError from slip

    return careful


def _get(holder: Any, key: str) -> Any:
    """A value that stands there itself; feedparser's own access puts one key's value for another's."""
    return dict.get(holder, key)


def _item(entry: Any, atom: bool, language: Optional[str]) -> Item:
    summary, text = _texts(entry, atom)
    return Item(
        guid=str(_get(entry, "id") or ""),
        links=list(_links(entry)),
        title=_line(entry, "title", atom),
        summary=summary,
        text=text,
        published=str(_get(entry, "published") or _get(entry, "created") or ""),
        updated=str(_get(entry, "updated") or ""),
        authors=list(_authors(entry)),
        categories=[to_line(tag.get("label") or tag.get("term") or "") for tag in _get(entry, "tags") or ()],
        images=list(_images(entry)),
        language=_language(entry) or language,
    )


def _plain(value: Any, kind: str, atom: bool) -> str:
    """A text of any type as plain text; RSS does not say which of its texts are HTML, Atom does."""
    value = value if isinstance(value, str) else ""
    return plain_text(value) if atom and kind == "text/plain" else to_text(value)


def _line(holder: Any, key: str, atom: bool) -> str:
    kind = (_get(holder, f"{key}_detail") or {}).get("type", "")
    return plain_line(_plain(_get(holder, key), kind, atom))


def _texts(entry: Any, atom: bool) -> tuple[str, str]:
    """Summary and full text, of the summary and the longest of the content elements."""
    contents = [
        (str(content.get("value") or ""), str(content.get("type") or ""))
        for content in _get(entry, "content") or ()
        if str(content.get("type") or "text/").startswith(("text/", "application/x"))  # x: xhtml+xml, xml
    ]
    said = _get(entry, "summary")
    kind = (_get(entry, "summary_detail") or {}).get("type", "")
    copied = any(said == value for value, _ in contents)  # feedparser copies a content where there is no summary
    summary = "" if copied else _plain(said, kind, atom)
    text = max((_plain(value, kind, atom) for value, kind in contents), key=len, default="")
    return split_text(summary, text)


def _links(entry: Any) -> Iterator[str]:
    """Addresses of the article, best first."""
    yield str(_get(entry, "feedburner_origlink") or "")  # the article's own, where links go through a proxy
    alternates = [link for link in _get(entry, "links") or () if link.get("rel", "alternate") == "alternate"]
    pages = [link for link in alternates if link.get("type", "text/html") in ("text/html", "application/xhtml+xml")]
    for link in pages + alternates:
        yield str(link.get("href") or "")
    yield str(_get(entry, "link") or "")  # also the guid, where it is a permalink


def _authors(entry: Any) -> Iterator[str]:
    found = [author.get("name") or author.get("email") or "" for author in _get(entry, "authors") or ()]
    yield from (to_line(name) for name in found)
    if not any(found):
        yield to_line(_get(entry, "author") or "")


def _images(entry: Any) -> Iterator[str]:
    """Addresses of the entry's image: Media RSS content, its thumbnail, an enclosure, an item image."""

    def is_image(media: Mapping[str, Any]) -> bool:
        return media.get("medium") == "image" or str(media.get("type", "")).startswith("image/")

    yield from (str(media.get("url") or "") for media in _get(entry, "media_content") or () if is_image(media))
    yield from (str(media.get("url") or "") for media in _get(entry, "media_thumbnail") or ())
    links: Sequence[Any] = _get(entry, "links") or ()
    yield from (str(link.get("href") or "") for link in links if link.get("rel") == "enclosure" and is_image(link))
    yield str((_get(entry, "image") or {}).get("href") or "")


def _language(entry: Any) -> Optional[str]:
    details = [_get(entry, "title_detail"), *(_get(entry, "content") or ()), _get(entry, "summary_detail")]
    tags = (language_tag(detail.get("language")) for detail in details if detail)
    return next(filter(None, tags), None) or language_tag(_get(entry, "language"))


def _ttl(feed: Any) -> Optional[int]:
    """Seconds from <ttl> (minutes) or the syndication module (period over frequency), whichever is longer."""
    try:
        seconds = int(_get(feed, "ttl") or 0) * 60
        period = _PERIODS.get(str(_get(feed, "sy_updateperiod") or "").strip().lower(), 0)
        frequency = int(_get(feed, "sy_updatefrequency") or 1)
    except ValueError:
        return None
    seconds = max(seconds, period // frequency if frequency > 0 else period)
    return seconds if seconds > 0 else None
