"""Markup as plain text: the texts of feeds and fragments of pages.

The parser is libxml2's, driven as events, so that no tree is built and nesting costs no recursion.
"""

from __future__ import annotations

import re
from html import unescape
from itertools import groupby

_SKIPPED = frozenset(("script", "style", "template", "noscript", "iframe", "title", "textarea", "select"))
_PARAGRAPHS = frozenset((
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "main",
    "nav", "ol", "p", "pre", "section", "summary", "table", "ul",
))  # fmt: skip
_LINES = frozenset(("caption", "li", "option", "tbody", "tfoot", "thead", "tr"))
_CELLS = frozenset(("td", "th"))
_MAX_DEPTH = 1_000  # libxml2 looks through all open elements at each end tag

# What XML and stores refuse or mangle: C0 and C1 controls but for white space, lone surrogates, non-characters.
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_INVISIBLE = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_JOINERS = re.compile("(?<![^\x00-\u00ff])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\u00ff])")
# References to UTF-16's surrogates and to a few characters around them, which may be put as characters as well.
_SURROGATES = re.compile(
    r"(?:&#(?:0{0,9}5[5-7]\d{3}(?!\d)|[xX]0{0,9}[dD][89a-fA-F][\da-fA-F]{2}(?![\da-fA-F]));?)+", re.ASCII
)
_ENDLESS = re.compile(r"&#[0-9]{1000,};?")  # Python refuses to read numbers of more than 4,300 digits
_CHUNK = 32_768  # bytes given to the parser at once; it can only be stopped in between


def to_text(html: str) -> str:
    """A fragment of HTML, or plain text, as plain text with its paragraphs apart by an empty line.

    Entities are decoded once; scripts, styles and comments are left out; <br>, list items and table rows make lines.
    """
    html = join_surrogates(drop_controls(html))
    if "<" not in html:
        return plain_text(_unescaped(html))
    from lxml import etree  # type: ignore[import-untyped]

    events = _Events()
    parser = etree.HTMLParser(target=events, encoding="utf-8", huge_tree=True)
    data = html.encode()
    try:
        for start in range(0, len(data), _CHUNK):
            parser.feed(data[start : start + _CHUNK])
        parser.close()
    except _TooDeepError:
        from w3lib.html import remove_comments, remove_tags

        return plain_text(_unescaped(remove_tags(remove_comments(html))))
    except etree.LxmlError:  # nothing in it that the parser takes for content
        pass
    return drop_controls("".join(events.pieces))


def _unescaped(html: str) -> str:
    return unescape(_ENDLESS.sub("\ufffd", html))


def to_line(html: str) -> str:
    """Like `to_text`, for fields of one line: no breaks, and no characters that hide or reorder what is shown."""
    return plain_line(to_text(html))


def plain_text(text: str) -> str:
    """Text that is no markup, made tidy: white space squeezed, paragraphs kept, control characters dropped."""
    lines = [" ".join(line.split()) for line in drop_controls(text).split("\n")]
    paragraphs = (" ".join(group) for full, group in groupby(lines, bool) if full)
    return "\n\n".join(paragraphs)


def plain_line(text: str) -> str:
    """Text that is no markup as one line, without characters that hide or reorder what is shown.

    Joiners stay between letters beyond Latin-1, where Persian, Indic scripts and emoji need them.
    """
    return " ".join(_JOINERS.sub("", _INVISIBLE.sub("", drop_controls(text))).split())


def join_surrogates(markup: str) -> str:
    """Markup in which pairs of references to surrogates (`&#55357;&#56832;`), which are none in XML and HTML, are the
    characters that they mean; lone ones are U+FFFD."""
    return _SURROGATES.sub(_joined, markup)


def _joined(found: re.Match[str]) -> str:
    numbers = re.findall(r"[xX]?[\da-fA-F]+", found[0])
    units = "".join(chr(int(number[1:], 16) if number[0] in "xX" else int(number)) for number in numbers)
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def drop_controls(text: str) -> str:
    """Text without control characters (white space aside), lone surrogates and non-characters."""
    return _CONTROLS.sub("", text)


class _TooDeepError(Exception):
    """Elements nest deeper than any real text does."""


class _Events:
    """Collects text from parser events; `_breaks` and `_space` are what is owed before the next of it."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._breaks = 0
        self._space = False
        self._depth = 0
        self._skipping = 0
        self._pre = 0

    def start(self, tag: str, attributes: object) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _TooDeepError
        if tag in _SKIPPED:
            self._skipping += 1
        elif tag == "br":
            self._breaks = min(self._breaks + 1, 2)
        self._boundary(tag, 1)

    def end(self, tag: str) -> None:
        self._depth -= 1
        if tag in _SKIPPED:
            self._skipping -= 1
        self._boundary(tag, -1)

    def _boundary(self, tag: str, step: int) -> None:
        if tag in _PARAGRAPHS:
            self._breaks = 2
            if tag == "pre":
                self._pre += step
        elif tag in _LINES:
            self._breaks = max(self._breaks, 1)
        elif tag in _CELLS:
            self._space = True

    def data(self, data: str) -> None:
        if self._skipping:
            return
        lines = data.split("\n") if self._pre else [data]
        for number, line in enumerate(lines):
            if number:
                self._breaks = min(self._breaks + 1, 2)
            self._line(line)

    def _line(self, data: str) -> None:
        words = data.split()
        if not words:
            self._space = self._space or bool(data)
            return
        if self.pieces:
            if self._breaks:
                self.pieces.append("\n" * self._breaks)
            elif self._space or data[0].isspace():
                self.pieces.append(" ")
        self.pieces.append(" ".join(words))
        self._breaks, self._space = 0, data[-1].isspace()

    def comment(self, text: str) -> None:
        pass

    def close(self) -> None:
        pass
