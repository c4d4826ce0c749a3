"""OPML 2.0, the list of feeds that readers exchange (http://opml.org/spec2.opml), both ways.

Read with expat, which stops at a document type declaration: entities are never declared, let alone expanded. Most
lists found in the wild have addresses with a bare `&`, which XML forbids: these are read as meant; nothing else is
repaired.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree
from xml.parsers import expat

from newsbeam.errors import ConfigError
from newsbeam.records import Feed

# What feeds.yaml has and OPML has no place for, as attributes of our own (OPML 2.0 allows them in a namespace).
_PREFIX, _NAMESPACE = "newsbeam", "urn:newsbeam:opml"
_EVERY = Feed._field_defaults["every"]
_FLAGS = {"true": True, "false": False}

_BARE_AMPERSAND = re.compile(rb"&(?!(?:#[0-9]+|#x[0-9A-Fa-f]+|amp|lt|gt|quot|apos);)")


def looks_like_opml(data: bytes) -> bool:
    """Whether a file is XML rather than YAML: by its first byte, past any byte order mark and blanks."""
    return data.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").startswith(b"<")


def read_opml(data: bytes, name: str = "OPML") -> list[dict[str, Any]]:
    """The feeds of an OPML file, as feeds.yaml would have them: url, name, and where known language, source and tags.

    Tags are the names of the folders around a feed and its `category`. A feed in two places is one, with the tags of
    both. `name` is what errors call the file. Raises ConfigError.
    """
    return [feed for _, feed in read_opml_lines(data, name)]


def read_opml_lines(data: bytes, name: str = "OPML") -> list[tuple[int, dict[str, Any]]]:
    """As `read_opml`, each feed with the line that it is on."""
    reader = _Reader(name)
    try:
        # Not in UTF-16, where a byte is no character.
        reader.parser.Parse(data if b"\0" in data else _BARE_AMPERSAND.sub(b"&amp;", data), True)
    except expat.ExpatError as error:
        raise ConfigError(f"{name}:{error.lineno}: not valid XML: {expat.ErrorString(error.code)}") from None
    except LookupError as error:  # the encoding of the XML declaration
        raise ConfigError(f"{name}:1: not valid XML: {error}") from None
    return list(reader.feeds.values())


class _Reader:
    """Takes feeds from the events of one parse."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.feeds: dict[str, tuple[int, dict[str, Any]]] = {}
        self.folders: list[str] = []
        self.root_seen = False
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.StartDoctypeDeclHandler = self.doctype

    def error(self, text: str) -> ConfigError:
        return ConfigError(f"{self.name}:{self.parser.CurrentLineNumber}: {text}")

    def doctype(self, *_: Any) -> None:
        raise self.error("a document type declaration is not allowed")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self.root_seen:
            self.root_seen = True
            if tag.lower() != "opml":
                raise self.error(f"not OPML: its first element is <{tag[:40]}>")
        if tag.lower() != "outline":
            return
        values = {key.lower(): " ".join(value.split()) for key, value in attributes.items()}
        title = values.get("title") or values.get("text") or ""
        url = values.get("xmlurl")
        self.folders.append("" if url else title)
        if url:
            self.add(url, title, values)

    def end(self, tag: str) -> None:
        if tag.lower() == "outline":
            self.folders.pop()

    def add(self, url: str, title: str, values: dict[str, str]) -> None:
        categories = [part.strip("/ ") for part in values.get("category", "").split(",")]
        tags = [" ".join(tag.replace(",", " ").split()) for tag in (*self.folders, *categories)]
        feed: dict[str, Any] = {"url": url}
        if title:
            feed["name"] = title
        if language := values.get("language"):
            feed["language"] = language
        own = {name.partition(":")[2]: value for name, value in values.items() if name.startswith(f"{_PREFIX}:")}
        source = {"domain": _domain(values.get("htmlurl", "")), "country": own.get("country")}
        source |= {"id": own.get("source_id"), "name": own.get("source_name")}
        if source := {name: value for name, value in source.items() if value}:
            feed["source"] = source
        feed |= {name: own[name] for name in ("id", "every") if own.get(name)}
        feed |= {name: _FLAGS.get(own[name], own[name]) for name in ("full_text", "enabled") if own.get(name)}
        _, feed = self.feeds.setdefault(url, (self.parser.CurrentLineNumber, feed))
        feed["tags"] = list(dict.fromkeys([*feed.get("tags", ()), *filter(None, tags)]))


def _domain(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def write_opml(feeds: Iterable[Feed], title: str = "newsbeam feeds") -> bytes:
    """Feeds as an OPML file in UTF-8, each in a folder named by its first tag.

    `read_opml` gives back all that feeds.yaml says of them but `credentials`, which are not written. What OPML has no
    place for stands in attributes with the prefix `newsbeam:`, which other readers pass over.
    """
    root = ElementTree.Element("opml", {"version": "2.0", f"xmlns:{_PREFIX}": _NAMESPACE})
    ElementTree.SubElement(ElementTree.SubElement(root, "head"), "title").text = _xml(title)
    body = ElementTree.SubElement(root, "body")
    folders: dict[str, ElementTree.Element] = {}
    for feed in feeds:
        parent = body
        if feed.tags:
            folder = feed.tags[0]
            if folder not in folders:
                folders[folder] = ElementTree.SubElement(body, "outline", text=_xml(folder))
            parent = folders[folder]
        ElementTree.SubElement(parent, "outline", {name: _xml(value) for name, value in _attributes(feed) if value})
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _attributes(feed: Feed) -> Iterator[tuple[str, str]]:
    """The attributes of a feed's outline; those of our own only where they differ from what would be assumed."""
    source = feed.source
    yield from (("type", "rss"), ("text", feed.name), ("title", feed.name), ("xmlUrl", feed.url))
    yield "htmlUrl", source.domain and f"https://{source.domain}/"
    yield "language", feed.language or ""
    yield "category", ",".join(feed.tags)
    own = {
        "id": feed.id,
        "every": "" if feed.every == _EVERY else f"{feed.every}s",
        "full_text": "" if feed.full_text else "false",
        "enabled": "" if feed.enabled else "false",
        "source_id": "" if source.id == source.domain else source.id,
        "source_name": "" if source.name == source.domain else source.name,
        "country": source.country or "",
    }
    for name, value in own.items():
        yield f"{_PREFIX}:{name}", value


def _xml(text: str) -> str:
    """A text without the characters that XML has no way to write."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)
