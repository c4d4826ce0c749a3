"""The names in one document: what is a mention, and which mentions are one entity.

Two finders, a model and the gazetteer, propose mentions; where they overlap, one is kept (`_merge`). Then the whole
document decides (`_resolve`): the kind of a name by the vote of its mentions, and which forms are one person.
Nothing outside the document and the gazetteer is used, so that a document's entities never depend on history.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, Optional

from newsbeam.gazetteer import Entry, Gazetteer, Match, is_word
from newsbeam.records import EntityDetail, Span

FIELDS = ("title", "summary", "body")

_LEAD = re.compile(r"(?:[Tt]he|THE|[Aa]n?)\s+|[\s\"'“”‘’(\[,;:–—-]+")
_TAIL = re.compile(r"(?:['’][sS]|['’]|[\s\"“”‘,;:)\]–—-]+)$")
_TITLES = re.compile(
    r"(?:(?:deputy|vice|prime|foreign|defen[cs]e|first)[ -])*"
    r"(?:president|premier|chancellor|minister|secretary[- ]general|secretary|spokes(?:man|woman|person)|ambassador"
    r"|senator|sen\.|rep\.|representative|gov\.|governor|mayor|chief|chairman|chairwoman|chair|director(?:[- ]general)?"
    r"|gen\.|general|adm\.|admiral|lt\.|col\.|colonel|capt\.|captain|maj\.|major|sgt\.|commander|judge|justice"
    r"|mrs?\.?|ms\.?|dr\.?|prof\.?|professor|sir|lord|lady|king|queen|prince|princess|pope|rev\.|sheikh|ayatollah)\s+",
    re.IGNORECASE,
)
_FORMER = re.compile(r"(?:(?:former|acting|then|late)\s+|ex-|then-)", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_POSSESSIVE = re.compile(r"['’]s\s+")
_SMALL_WORDS = frozenset(
    ["a", "an", "the", "and", "or", "but", "of", "in", "on", "at", "to", "for", "with", "as", "by", "from", "is", "its"]
)


class Texts(NamedTuple):
    """The texts of an article, as they will be stored, and their language (BCP 47; None where unknown)."""

    title: str
    summary: str
    body: str
    language: Optional[str]


class _Found(NamedTuple):
    field: str
    start: int
    end: int
    form: str
    kind: str
    entry: Optional[Entry] = None


def find_entities(
    text: Texts, labelled: Mapping[str, Sequence[tuple[int, int, str]]], gazetteer: Gazetteer
) -> list[EntityDetail]:
    """The entities of a document, commonest first, from what a model labelled (field to start, end, kind)."""
    found: list[_Found] = []
    for field in FIELDS:
        value: str = getattr(text, field)
        if value:
            known = gazetteer.find(value, text.language)
            found.extend(_merge(field, value, labelled.get(field, ()), known))
    return _resolve(_without_guesses_in_title(found, text), text)


def _merge(
    field: str, text: str, labelled: Sequence[tuple[int, int, str]], known: Sequence[Match]
) -> Iterable[_Found]:
    """Mentions of one field, none overlapping: a known name, unless it is part of a longer name."""
    kept: list[_Found] = []
    taken: set[int] = set()  # the known names that are parts of longer names
    at = 0
    for start, end, kind in labelled:
        while at < len(known) and known[at].end <= start:
            at += 1
        inside = []
        for number in range(at, len(known)):
            if known[number].start >= end:
                break
            inside.append(number)
        start, end = _trim(text, start, end, kind, [known[number] for number in inside])
        inside = [number for number in inside if known[number].end > start and known[number].start < end]
        if start >= end:
            continue
        if inside:
            if not _is_longer_name(text, start, end, kind, [known[number] for number in inside]):
                continue
            taken.update(inside)
        if _is_name(text[start:end], kind):
            kept.append(_Found(field, start, end, text[start:end], kind))
    for number, match in enumerate(known):
        if number not in taken:
            form = text[match.start : match.end]
            kept.append(_Found(field, match.start, match.end, form, match.entry.kind, match.entry))
    kept.sort(key=lambda mention: mention.start)
    return kept


def _trim(text: str, start: int, end: int, kind: str, known: Sequence[Match]) -> tuple[int, int]:
    """The span without article, quotes, title before a person and 's; after its owner, where that is a known name."""
    if (newline := text.find("\n", start, end)) >= 0:
        end = newline
    for match in known:  # "Japan's Kishida Fumio", "Taiwan's Foreign Ministry"
        if match.start <= start and (owner := _POSSESSIVE.match(text, match.end, end)):
            start = owner.end()
    while lead := _LEAD.match(text, start, end):
        start = lead.end()
    while tail := _TAIL.search(text[start:end]):
        end -= len(tail.group())
    if kind == "person":
        if former := _FORMER.match(text, start, end):
            start = former.end()
        for match in known:  # "US President", "French Gen."
            if match.start == start and (space := _SPACE.match(text, match.end, end)):
                start = space.end() if _TITLES.match(text, space.end(), end) else start
        if titles := _TITLES.match(text, start, end):
            start = titles.end()
        if (slash := text.find("/", start, end)) >= 0:  # a photographer and the agency
            end = slash
    return start, end


def _is_longer_name(text: str, start: int, end: int, kind: str, known: Sequence[Match]) -> bool:
    """Whether a span is a name of which the known names are only parts, as Bank of Japan, Jordan Peterson."""
    if any(match.start < start or match.end > end for match in known):
        return False
    rest = text[start:end]
    for match in known:
        rest = rest.replace(text[match.start : match.end], " ", 1)
    if kind in ("place", "group") and re.search(r",|\band\b|/", rest):
        return False
    return any(word[0].isupper() for word in rest.split())


def _is_name(form: str, kind: str) -> bool:
    if len(form) < 2 or len(form) > 100 or not any(char.isalpha() for char in form):
        return False
    if form.islower():
        return False
    return kind != "person" or not any(char.isdigit() for char in form)


def _without_guesses_in_title(found: Sequence[_Found], text: Texts) -> list[_Found]:
    """Mentions but those that a Title Case Headline alone suggests: there every word looks like a name."""
    if len(text.summary) + len(text.body) < 200 or not _is_title_case(text.title):
        return list(found)
    rest = "\n".join(mention.form for mention in found if mention.field != "title")
    return [
        mention for mention in found if mention.field != "title" or mention.entry is not None or mention.form in rest
    ]


def _is_title_case(title: str) -> bool:
    words = [word for word in re.findall(r"[^\W\d_][\w'’]*", title) if word.lower() not in _SMALL_WORDS]
    return len(words) >= 4 and sum(word[0].isupper() for word in words) >= 0.8 * len(words)


class _Group:
    """The mentions that are taken to be one entity."""

    def __init__(self) -> None:
        self.mentions: list[_Found] = []

    @cached_property
    def entry(self) -> Entry | None:
        return next((mention.entry for mention in self.mentions if mention.entry is not None), None)

    @cached_property
    def kind(self) -> str:
        if self.entry is not None:
            return self.entry.kind
        return Counter(mention.kind for mention in self.mentions).most_common(1)[0][0]

    @cached_property
    def name(self) -> str:
        if self.entry is not None:
            return self.entry.name
        # The commonest way to write it; one in capitals only where there is no other.
        forms = Counter(_canonical(mention.form) for mention in self.mentions)
        return max(forms, key=lambda form: (not form.isupper(), forms[form]))

    @cached_property
    def tokens(self) -> frozenset[str]:
        return frozenset(re.findall(r"[^\W_]+", self.name.lower()))


def _canonical(form: str) -> str:
    return " ".join(form.replace("’", "'").split())


def _resolve(found: Sequence[_Found], text: Texts) -> list[EntityDetail]:
    groups: dict[str, _Group] = {}
    for mention in found:
        key = f"={mention.entry.name}" if mention.entry is not None else _canonical(mention.form).lower()
        groups.setdefault(key, _Group()).mentions.append(mention)
    entities = _join_people(list(groups.values()))
    _find_missed(entities, text)
    details = [_detail(group) for group in entities]
    return sorted(details, key=lambda detail: (-detail.mentions, detail.name))


def _join_people(groups: Sequence[_Group]) -> list[_Group]:
    """Joins what names one person: the same words in another order, and part of a name that only one person has.

    A single word joins whatever kind the model gave it: "Stoltenberg" alone is as often called a place.
    """
    people = [group for group in groups if group.kind == "person" and len(group.tokens) > 1]
    people.sort(key=lambda group: (-len(group.tokens), group.entry is None, -len(group.mentions)))
    whole: list[_Group] = []
    result: list[_Group] = []
    joined: set[int] = set()
    for group in people:
        holders = [other for other in whole if group.tokens <= other.tokens]
        if len(holders) == 1 and (group.entry is None or group.entry is holders[0].entry):
            holders[0].mentions.extend(group.mentions)
            joined.add(id(group))
        elif not holders:
            whole.append(group)
    for group in groups:
        if id(group) in joined:
            continue
        if group.entry is None and len(group.tokens) == 1 and group.kind != "group":
            holders = [other for other in whole if group.tokens <= other.tokens]
            if len(holders) == 1 and len(group.name) > 2:
                holders[0].mentions.extend(group.mentions)
                continue
        result.append(group)
    return result


def _find_missed(groups: Sequence[_Group], text: Texts) -> None:
    """Adds the mentions of people and organizations that the model missed, where it saw the same form elsewhere.

    A single word that the text also has in small letters ("may", "will") is left alone.
    """
    fields = [(field, value) for field in FIELDS if (value := getattr(text, field))]
    taken = {field: [False] * len(value) for field, value in fields}
    for group in groups:
        for mention in group.mentions:
            taken[mention.field][mention.start : mention.end] = [True] * (mention.end - mention.start)
    forms = {
        form: group
        for group in groups
        if group.kind in ("person", "organization")
        for form in {mention.form for mention in group.mentions}
        if len(form) > 2 and (" " in form or not any(_has_word(value, form.lower()) for _, value in fields))
    }
    for form in sorted(forms, key=lambda form: (-len(form), form)):
        for field, value in fields:
            start = value.find(form)
            while start >= 0:
                end = start + len(form)
                if is_word(value, start, end) and not any(taken[field][start:end]):
                    forms[form].mentions.append(_Found(field, start, end, form, forms[form].kind))
                    taken[field][start:end] = [True] * len(form)
                start = value.find(form, end)


def _has_word(text: str, word: str) -> bool:
    start = text.find(word)
    while start >= 0 and not is_word(text, start, start + len(word)):
        start = text.find(word, start + 1)
    return start >= 0


def _detail(group: _Group) -> EntityDetail:
    mentions = sorted(group.mentions, key=lambda mention: (FIELDS.index(mention.field), mention.start))
    return EntityDetail(
        name=group.name,
        kind=group.kind,
        mentions=len(mentions),
        in_title=any(mention.field == "title" for mention in mentions),
        forms=tuple(dict.fromkeys(mention.form for mention in mentions)),
        spans=tuple(Span(mention.field, mention.start, mention.end) for mention in mentions),
        wikidata=group.entry.wikidata if group.entry is not None else None,
    )
