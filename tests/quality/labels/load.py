"""Reads the labelled sets of this folder and joins them to the texts in the shared data.

Labels hold ids, names and a digest of the text, never the texts of publishers.
"""

from __future__ import annotations

import csv
import hashlib
import html
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

HERE = Path(__file__).parent
JSONL = {
    "headlines": "articles/headlines-2023-12.jsonl",
    "roundups": "stories/roundups.jsonl",
    "ecbplus": "stories/ecbplus.jsonl",
    "basil": "stories/basil.jsonl",
}
LONG = {"ecbplus", "basil", "wikinews"}
"""Sets that carry a whole article; the others carry a title and a description."""


class Item(NamedTuple):
    """One labelled item. Either `summary` or `text` is filled, as the set has it; `id` is `set:key`."""

    title: str
    summary: str
    text: str
    language: str
    topics: tuple[str, ...]
    how: str
    id: str


class Entity(NamedTuple):
    """One entity of a document: canonical name, kind, and every surface form in the text that means it.

    `other_kinds` are as right as `kind` (a party is a group by DESIGN.md, an organisation to many). An `optional`
    entity (demonyms, minor places and names) is to be counted neither as missed nor, where it is found, as wrong.
    """

    name: str
    kind: str
    forms: tuple[str, ...]
    other_kinds: tuple[str, ...] = ()
    optional: bool = False


class Document(NamedTuple):
    """One document labelled with the canonical set of its entities; `split` is the part of the data it is from."""

    id: str
    title: str
    text: str
    entities: tuple[Entity, ...]
    split: str


class Paragraph(NamedTuple):
    """One paragraph written for the topic indo-pacific-partnership; `positive` says whether it has the topic."""

    id: str
    title: str
    text: str
    positive: bool
    about: str


def sha(title: str, text: str) -> str:
    """First 12 hex digits of the SHA-1 of title, newline, text, as stored in the shared data."""
    return hashlib.sha1(f"{title}\n{text}".encode(), usedforsecurity=False).hexdigest()[:12]


def plain(text: str) -> str:
    """Text without tags and character references."""
    return re.sub(r"[ \t\r\f\v]+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text))).strip()


def _labels(name: str) -> Any:
    return yaml.safe_load((HERE / name).read_text("utf-8"))


def _jsonl(path: Path, by_id: bool) -> dict[Any, tuple[str, str]]:
    rows: dict[Any, tuple[str, str]] = {}
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        if line.strip():
            record = json.loads(line)
            rows[record["id"] if by_id else number] = (record.get("title") or "", record.get("text") or "")
    return rows


def _wikinews(folder: Path) -> dict[Any, tuple[str, str]]:
    csv.field_size_limit(min(sys.maxsize, 10**8))
    rows: dict[Any, tuple[str, str]] = {}
    for path in sorted(folder.glob("wikinews_*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            rows.update((row["url"], (row["title"], row["text"])) for row in csv.DictReader(file))
    return rows


def _feeds(folder: Path, files: Iterable[str]) -> dict[Any, tuple[str, str]]:
    import feedparser

    rows: dict[Any, tuple[str, str]] = {}
    for name in files:
        parsed = feedparser.parse((folder / name).read_bytes())
        for index, entry in enumerate(parsed.entries):
            rows[f"{name}#{index}"] = (entry.get("title", ""), entry.get("summary", ""))
    return rows


def read_set(shared_data: Path, name: str, keys: Iterable[Any] = ()) -> dict[Any, tuple[str, str]]:
    """Key to (title, text) of one set; `keys` is needed for codehollow alone, to read only the feeds named."""
    if name == "wikinews":
        return _wikinews(shared_data / "articles/wikinews")
    if name == "codehollow":
        return _feeds(shared_data / "feeds/codehollow", sorted({key.split("#")[0] for key in keys}))
    return _jsonl(shared_data / JSONL[name], by_id=name in ("ecbplus", "basil"))


def _checked(where: str, title: str, text: str, wanted: str) -> None:
    if sha(title, text) != wanted:
        raise ValueError(f"{where}: the text is not the one that was labelled (sha1 {sha(title, text)}, not {wanted})")


def _items(shared_data: Path, rows: list[dict[str, Any]]) -> list[Item]:
    texts = {
        name: read_set(shared_data, name, [row["key"] for row in rows if row["set"] == name])
        for name in sorted({row["set"] for row in rows})
    }
    items = []
    for row in rows:
        title, text = texts[row["set"]][row["key"]]
        where = f"{row['set']}:{row['key']}"
        _checked(where, title, text, row["sha1"])
        summary, body = ("", plain(text)) if row["set"] in LONG else (plain(text), "")
        items.append(Item(plain(title), summary, body, "en", tuple(row["topics"]), row["how"], where))
    return items


def load_topic_items(shared_data: Path) -> list[Item]:
    """The items of topics_items.yaml with their texts; ValueError where a text is not the one labelled."""
    return _items(shared_data, _labels("topics_items.yaml")["items"])


def load_indo_pacific_items(shared_data: Path) -> list[Item]:
    """Real items judged for indo-pacific-partnership alone (`topics` says nothing of others), without the unsure."""
    rows = [
        {**row, "how": "swept", "topics": ["indo-pacific-partnership"] if row["has"] == "yes" else []}
        for row in _labels("indo_pacific_items.yaml")["items"]
        if row["has"] != "unsure"
    ]
    return _items(shared_data, rows)


def load_indo_pacific_paragraphs() -> list[Paragraph]:
    """The 60 positive and 60 hard-negative paragraphs, all written for this set."""
    data = _labels("indo_pacific_paragraphs.yaml")
    return [
        Paragraph(f"{part}-{number}", row["title"], row["text"].strip(), part == "positive", row["about"])
        for part in ("positive", "negative")
        for number, row in enumerate(data[part], 1)
    ]


_NO_SPACE_BEFORE = set(".,;:!?)]}%’”") | {"'s", "n't", "n’t", "'re", "'ve", "'ll", "'d", "'m", "..."}
_NO_SPACE_AFTER = set("([{$£€¥“‘")
_AFTER_APOSTROPHE = {"s", "t", "re", "ve", "ll", "d", "m"}


def join_tokens(sentences: Iterable[Iterable[str]]) -> str:
    """Tokens as readable text: one line a sentence; the set splits every hyphen and apostrophe, these are mended."""
    return "\n".join(_join(list(sentence)) for sentence in sentences)


def _join(tokens: list[str]) -> str:
    text, quotes = "", 0
    for before, token, after in zip(["", *tokens[:-1]], tokens, [*tokens[1:], ""], strict=True):
        closing = token == '"' and quotes % 2 == 1
        opened = before == '"' and quotes % 2 == 1
        hyphen = token == "-" and before[-1:].isalnum() and after[:1].isalnum() and after != "The"
        hyphened = before == "-" and text[-2:-1].strip() != "" and token != "The"
        apostrophe = before == "’" and token in _AFTER_APOSTROPHE
        glued = closing or opened or hyphen or hyphened or apostrophe or before in _NO_SPACE_AFTER
        text += token if glued or not text or token in _NO_SPACE_BEFORE else " " + token
        quotes += token == '"'
    return text


def worldwide_sentences(path: Path) -> Iterator[list[str]]:
    """Token lists of one file of the worldwide set, without the line of its address (and what was split from it)."""
    sentence: list[str] = []
    for line in [*path.read_text("utf-8").split("\n"), ""]:
        token = line.split("\t")[0].strip()
        if token:
            sentence.append(token)
            continue
        if sentence and not sentence[0].startswith(("http://", "https://")):
            yield sentence
        sentence = []


def _document(shared_data: Path, kind: str, key: Any, cache: dict[str, dict[Any, tuple[str, str]]]) -> tuple[str, str]:
    if kind == "worldwide":
        return "", join_tokens(worldwide_sentences(shared_data / "entities/worldwide" / key))
    if kind == "example":
        return "", (shared_data / "articles" / key).read_text("utf-8")
    if kind not in cache:
        cache[kind] = read_set(shared_data, kind)
    title, text = cache[kind][key]
    return plain(title), plain(text)


def load_entity_documents(shared_data: Path) -> list[Document]:
    """The documents of entities.yaml with their texts; ValueError where a text is not the one labelled."""
    cache: dict[str, dict[Any, tuple[str, str]]] = {}
    documents = []
    for row in _labels("entities.yaml")["documents"]:
        where = f"{row['set']}:{row['key']}"
        title, text = _document(shared_data, row["set"], row["key"], cache)
        _checked(where, title, text, row["sha1"])
        entities = tuple(
            Entity(e["name"], e["kind"], tuple(e["forms"]), tuple(e.get("or", ())), e.get("optional", False))
            for e in row["entities"]
        )
        documents.append(Document(where, title, text, entities, row["set"]))
    return documents
