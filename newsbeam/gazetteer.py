"""Names that are known beforehand, from config/entities: found in a text in one pass, each under its canonical name.

The matcher is Aho-Corasick (pyahocorasick): with 5,000 names a news article takes 0.1 ms; ahocorasick-rs took 0.13 ms,
spaCy's PhraseMatcher 0.14 ms after tokenizing, and that cannot match scripts without spaces.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Optional

from newsbeam.names import Names, load_names, other_order
from newsbeam.records import ENTITY_KINDS
from newsbeam.yamlfile import Node, read_node

ANY_LANGUAGE = ""
_KEYS = ("name", "kind", "aliases", "demonyms", "of", "wikidata")
_LIST_KEYS = ("names", "kind", "of")
_ALSO_KEYS = ("also", "aliases")
# One code point for one, so that offsets stay: typographic quotes, dashes and spaces as typed ones.
_PLAIN = str.maketrans("’‘ʼ′“”‐‑‒–—\u00a0\u202f\u2009\n\t", "''''\"\"-----     ")


class Entry(NamedTuple):
    """A known entity. `forms`: language (ANY_LANGUAGE for all) to the ways its name is written, its own name first.

    `of` names the entity that it belongs to or stands for, as Japan for Tokyo and Japanese.
    """

    name: str
    kind: str
    forms: Mapping[str, Sequence[str]]
    wikidata: Optional[str] = None
    of: Optional[str] = None


class Match(NamedTuple):
    """A known name in a text, code points [start, end)."""

    start: int
    end: int
    entry: Entry


class PhraseIndex:
    """Finds all of many phrases in a text in one pass. It holds no text; make it once in each process.

    Args:
        phrases: each with any value; several values of one phrase are all reported.
    """

    def __init__(self, phrases: Iterable[tuple[str, Any]]) -> None:
        import ahocorasick  # type: ignore[import-not-found]  # a C extension without stubs

        values: dict[str, list[Any]] = {}
        for phrase, value in phrases:
            values.setdefault(phrase, []).append(value)
        self._automaton = ahocorasick.Automaton()
        for phrase, found in values.items():
            self._automaton.add_word(phrase, (len(phrase), found))
        if values:
            self._automaton.make_automaton()
        self._empty = not values

    def find(self, text: str) -> list[tuple[int, int, list[Any]]]:
        """All (start, end, values), overlapping ones too, in no useful order; word boundaries are not looked at."""
        if self._empty:
            return []
        return [(end + 1 - length, end + 1, values) for end, (length, values) in self._automaton.iter(text)]


class Gazetteer:
    """Known entities, and how names are read. Picklable: the index is built on first use in each process."""

    def __init__(self, entries: Sequence[Entry], names: Names = Names()) -> None:  # noqa: B008  # it cannot change
        self.entries = tuple(entries)
        self.names = names

    def __getstate__(self) -> dict[str, Any]:
        return {"entries": self.entries, "names": self.names}

    @cached_property
    def by_name(self) -> dict[str, Entry]:
        """Entries by canonical name."""
        return {entry.name: entry for entry in self.entries}

    @cached_property
    def _index(self) -> PhraseIndex:
        return PhraseIndex(
            (written, (language, entry))
            for entry in self.entries
            for language, forms in entry.forms.items()
            for form in forms
            for written in _ways_to_write(form)
        )

    def find(self, text: str, language: str | None = None) -> list[Match]:
        """Known names in a text, in order, none overlapping (the leftmost, then the longest).

        Case counts, since most short names are words too (us, who, turkey); names of 5 letters or more are found in
        capitals as well. Forms of one language are left out of a text in another; where it is unknown
        (None), English ones and those that are not all ASCII are looked for.
        """
        spoken = (ANY_LANGUAGE, primary(language) or "en")
        found: list[tuple[int, int, Entry]] = []
        for start, end, values in self._index.find(plain(text)):
            if not is_word(text, start, end):
                continue
            for of_language, entry in values:
                if of_language in spoken or (language is None and not text[start:end].isascii()):
                    found.append((start, end, entry))
                    break
        found.sort(key=lambda item: (item[0], -item[1]))
        matches: list[Match] = []
        reached = 0
        for start, end, entry in found:
            if start >= reached:
                matches.append(Match(start, end, entry))
                reached = end
        return matches


def plain(text: str) -> str:
    """The text with typographic quotes, dashes and spaces as plain ones, of the same length."""
    return text.translate(_PLAIN)


def lower(text: str) -> str:
    """The text in lower case, of the same length (str.lower makes two code points of U+0130)."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(c if len(c.lower()) != 1 else c.lower() for c in text)


def primary(language: str | None) -> str | None:
    """The primary subtag of a language tag (BCP 47): `en` of `en-US`."""
    return language.replace("_", "-").split("-", 1)[0].lower() if language else None


def is_word(text: str, start: int, end: int, *, open_end: bool = False) -> bool:
    """Whether [start, end) stands as whole words; in scripts without spaces everything does."""
    if start > 0 and _joined(text[start - 1], text[start]):
        return False
    return open_end or end >= len(text) or not _joined(text[end - 1], text[end])


def _joined(left: str, right: str) -> bool:
    return _in_word(left) and _in_word(right)


def _in_word(char: str) -> bool:
    if char.isascii():
        return char.isalnum()
    # Scripts written without spaces, and Hangul, whose particles follow a name directly.
    if "\u3040" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7a3" or "\u0e00" <= char <= "\u0eff":
        return False
    if "\u1000" <= char <= "\u109f" or "\u1780" <= char <= "\u17ff" or char >= "\U00020000":
        return False
    return char.isalnum() or unicodedata.combining(char) != 0


def _ways_to_write(form: str) -> set[str]:
    form = plain(form)
    ways = {form, form.replace("-", " - ")}
    if sum(char.isalpha() for char in form) >= 5:
        ways.add(form.upper())
    return ways


def load_gazetteer(config_dir: Path) -> Gazetteer:
    """The gazetteer of config/entities/*.yaml. Raises ConfigError that names file, line and key.

    Each file is a list of {name, kind, aliases?, demonyms?, of?, wikidata?}; or {names, kind, of?}, many entries that
    have no more than a name; or {also, aliases}, more aliases of an entry elsewhere. `aliases` is a list (any language)
    or a mapping of language to list. `demonyms` (English) make a group of their own, named by the first, `of` its
    country.
    """
    entries: list[Entry] = []
    places: dict[str, Node] = {}
    owners: list[tuple[Node, str]] = []
    more: list[dict[str, Node]] = []
    for path in sorted((config_dir / "entities").glob("*.yaml")):
        for item in read_node(path).items():
            if "also" in item.mapping():
                more.append(item.mapping(_ALSO_KEYS, required=_ALSO_KEYS))
                continue
            for entry, node in _read_entry(item):
                if entry.name in places:
                    raise node.error(f"{entry.name!r} is defined twice; a canonical name has one entry and one kind")
                places[entry.name] = node
                if entry.of is not None:
                    owners.append((node, entry.of))
                entries.append(entry)
    for node, of in owners:
        if of not in places:
            raise node.error(f"'of' names {of!r}, which is no entry")
    entries = _with_more(entries, more)
    _check_forms(entries, places)
    names = load_names(config_dir)
    return Gazetteer([_with_other_order(entry, names) for entry in entries], names)


def _with_more(entries: Sequence[Entry], more: Sequence[Mapping[str, Node]]) -> list[Entry]:
    found = {entry.name: entry for entry in entries}
    for item in more:
        name = item["also"].text()
        if name not in found:
            raise item["also"].error(f"'also' names {name!r}, which is no entry")
        forms = dict(found[name].forms)
        for language, written in _read_aliases(item["aliases"]).items():
            forms[language] = tuple(dict.fromkeys([*forms.get(language, ()), *written]))
        found[name] = found[name]._replace(forms=forms)
    return list(found.values())


def _read_aliases(node: Node) -> dict[str, list[str]]:
    if node.is_mapping:
        return {language: forms.texts() for language, forms in node.mapping().items()}
    return {ANY_LANGUAGE: node.texts()}


def _with_other_order(entry: Entry, names: Names) -> Entry:
    """A person of a family name that stands first, found in the other order too."""
    turned = other_order(entry.name, names) if entry.kind == "person" else None
    if turned is None or any(turned in forms for forms in entry.forms.values()):
        return entry
    return entry._replace(forms={**entry.forms, ANY_LANGUAGE: (*entry.forms[ANY_LANGUAGE], turned)})


def _read_entry(item: Node) -> list[tuple[Entry, Node]]:
    if "names" in item.mapping():
        values = item.mapping(_LIST_KEYS, required=("names", "kind"))
        kind = values["kind"].one_of(ENTITY_KINDS)
        of = values["of"].text() if "of" in values else None
        named = [(node.text(), node) for node in values["names"].items()]
        return [(Entry(name, kind, {ANY_LANGUAGE: (name,)}, None, of), node) for name, node in named]
    values = item.mapping(_KEYS, required=("name", "kind"))
    name = values["name"].text()
    values = {key: value.within(repr(name)) for key, value in values.items()}
    kind = values["kind"].one_of(ENTITY_KINDS)
    forms: dict[str, list[str]] = {ANY_LANGUAGE: [name]}
    if "aliases" in values:
        for language, written in _read_aliases(values["aliases"]).items():
            forms.setdefault(language, []).extend(written)
    wikidata = values["wikidata"].text() if "wikidata" in values else None
    if wikidata is not None and not (wikidata[0] == "Q" and wikidata[1:].isdecimal()):
        raise values["wikidata"].error(f"{wikidata!r} is no Wikidata id such as Q17")
    of = values["of"].text() if "of" in values else None
    entry = Entry(name, kind, {key: tuple(value) for key, value in forms.items()}, wikidata, of)
    result = [(entry, values["name"])]
    if "demonyms" in values:
        demonyms = values["demonyms"].texts()
        if not demonyms:
            raise values["demonyms"].error("the list is empty")
        group = Entry(demonyms[0], "group", {"en": tuple(demonyms)}, None, name)
        result.append((group, values["demonyms"]))
    return result


def _check_forms(entries: Sequence[Entry], places: Mapping[str, Node]) -> None:
    seen: dict[tuple[str, str], str] = {}
    for entry in entries:
        for language, forms in entry.forms.items():
            for form in forms:
                other = seen.setdefault((language, form), entry.name)
                if other != entry.name:
                    raise places[entry.name].error(f"{form!r} is a form of {other!r} already")
