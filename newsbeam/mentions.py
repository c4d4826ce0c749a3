"""The names in one document: what is a mention, and what the gazetteer and the model each have to say about it.

Two finders, a model and the gazetteer, propose mentions; where they overlap, one is kept (`mentions_of`). Then the
whole document decides (`resolution`): the kind of a name, and which forms are one entity.
Nothing outside the document and the configuration is used, so that a document's entities never depend on history.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Optional

from newsbeam.cues import TITLES
from newsbeam.gazetteer import Entry, Match
from newsbeam.names import Names

FIELDS = ("title", "summary", "body")

_LEAD = re.compile(r"(?:[Tt]he|THE|[Aa]n?)\s+|[\s\"'“”‘’(\[,;:–—-]+")
_TAIL = re.compile(r"(?:['’][sS]|['’]|[\s\"“”‘,;:)\]–—-]+)$")
_FORMER = re.compile(
    r"(?:(?:former|acting|then|late|noting|regarding|citing|quoting|meanwhile|forward|defender|hibakusha|veteran)\s+"
    r"|ex-|then-)",
    re.IGNORECASE,
)
_PERSONAL = re.compile(r"(?:PM|CM|DGP|LG|SP|SSP|IGP|Coach|Gen|Lt Gen|Maj Gen|Mr|Mrs|Ms|Dr)\.? ")
_SPACE = re.compile(r"\s+")
_POSSESSIVE = re.compile(r"['’]s\s+")
_SMALL_WORDS = frozenset(
    ["a", "an", "the", "and", "or", "but", "of", "in", "on", "at", "to", "for", "with", "as", "by", "from", "is", "its"]
)
LEGAL_FORMS = frozenset(
    ["Ltd", "Limited", "Inc", "Corp", "Co", "LLC", "LLP", "PLC", "plc", "Pvt", "Bhd", "Sdn", "GmbH", "AG", "SA", "NV"]
)
_GAP = re.compile(r" (?:(?:[A-Z][\w.'’-]*|bin|bint|al|wa|de|del|da|la|von|van|der|y|ibn|ul) )?")
_HYPHENATED = re.compile(r"-[A-Z0-9]\w*")
_GIVEN_HYPHENATED = re.compile(
    r"-(?!(?:class|led|based|backed|era|style|run|owned|born|made|wide|linked|controlled|related)\b)[A-Za-z]\w*"
)
_INITIALS = re.compile(r"(?<![\w.])(?:[A-Z]\.? ?){1,3}(?:(?<=\.)|(?<= ))$")
_INITIAL = re.compile(r"[A-Z]\. ?[A-Z]")
_FIRM_DOT = re.compile(r"\b(?:Ltd|Corp|Inc|Co|Pvt)\.$")
_NOT_INSIDE = re.compile(r"\s+[(\[]|\)|/|\s+[–—|]\s+|\n")
_NOT_INSIDE_PERSON = re.compile(r"\s+[(\[]|\)|/|\s+[–—|]\s+|\s+-\s+(?=[A-Z])|\n")  # "Lee Sang - min" is sloppy, and one
_OWNER = re.compile(r"['’]s ")
_OFFICE = re.compile(
    r"(?:(?:Prime |Deputy |Vice[- ]|Attorney )?(?:Minister|President|Governor|General|Secretary|Chancellor)"
    r"|Ruler|Rector|Director|Head|Chief|Mayor|Emir|King|Queen|Sultan|Bishop|Archbishop|Dean|Chair|Chairman|Speaker"
    r"|Ambassador|Board|Members?) (?:of|to|for)\b"
)


class Texts(NamedTuple):
    """The texts of an article, as they will be stored, and their language (BCP 47; None where unknown)."""

    title: str
    summary: str
    body: str
    language: Optional[str]


class Mention(NamedTuple):
    """A name in a text, code points [start, end) of `field`; `kind` as its finder says."""

    field: str
    start: int
    end: int
    form: str
    kind: str
    entry: Optional[Entry] = None


def mentions_of(
    field: str, text: str, labelled: Sequence[tuple[int, int, str]], known: Sequence[Match], names: Names
) -> list[Mention]:
    """Mentions of one field, none overlapping: a known name, unless it is part of a longer name."""
    kept: list[Mention] = []
    taken: set[int] = set()  # the known names that are parts of longer names
    covered = bytearray(len(text))
    at = reached = 0
    for start, end, kind in _joined(text, labelled):
        while at < len(known) and known[at].end <= start:
            at += 1
        inside = []
        for number in range(at, len(known)):
            if known[number].start >= end:
                break
            inside.append(number)
        start, end = _trim(text, max(start, reached), end, kind, [known[number] for number in inside])
        inside = [number for number in inside if known[number].end > start and known[number].start < end]
        if start >= end:
            continue
        if inside:
            if not _is_longer_name(text, start, end, kind, [known[number] for number in inside]):
                continue
            taken.update(inside)
        if is_name(text[start:end], kind, names):
            kept.append(Mention(field, start, end, text[start:end], kind))
            covered[start:end] = b"\1" * (end - start)
            reached = end
    for number, match in enumerate(known):
        if number not in taken and 1 not in covered[match.start : match.end]:
            form = text[match.start : match.end]
            kept.append(Mention(field, match.start, match.end, form, match.entry.kind, match.entry))
    kept.sort(key=lambda mention: mention.start)
    return kept


def _joined(text: str, labelled: Sequence[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """The labels, those of people joined that only a space or one more capitalized word keeps apart."""
    result: list[tuple[int, int, str]] = []
    for start, end, kind in labelled:
        if result and kind == "person" == result[-1][2] and _GAP.fullmatch(text, result[-1][1], start):
            start = result.pop()[0]
        result.append((start, end, kind))
    return result


def _trim(text: str, start: int, end: int, kind: str, known: Sequence[Match]) -> tuple[int, int]:
    """The span without article, quotes, title before a person and 's; after its owner, where that is a known name."""
    if broken := (_NOT_INSIDE_PERSON if kind == "person" else _NOT_INSIDE).search(text, start, end):
        end = broken.start()
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
            space = _SPACE.match(text, match.end, end) if match.start == start else None
            if space and (TITLES.match(text, space.end(), end) or _INITIAL.match(text, space.end(), end)):
                start = space.end()
        while titles := TITLES.match(text, start, end):
            start = titles.end()
        if (owner := _OWNER.search(text, start, end)) and owner.start() > start:
            end = owner.start()
        if initials := _INITIALS.search(text, max(start - 9, 0), start):
            start = initials.start()
    elif kind in ("organization", "place", "other") and (titles := _PERSONAL.match(text, start, end)):
        start = titles.end()
    if rest := (_GIVEN_HYPHENATED if kind == "person" else _HYPHENATED).match(text, end):
        end = rest.end()
    if _FIRM_DOT.search(text, start, end):
        end -= 1
    return start, end


def _is_longer_name(text: str, start: int, end: int, kind: str, known: Sequence[Match]) -> bool:
    """Whether a span is a name of which the known names are only parts, as Bank of Japan, Jordan Peterson."""
    if any(match.start < start or match.end > end for match in known):
        return False
    if kind != "organization" and any(_is_whole_person(text, match) for match in known):
        return False
    rest = text[start:end]
    for match in known:
        rest = rest.replace(text[match.start : match.end], " ", 1)
    if kind in ("place", "group") and re.search(r",|\band\b|/", rest):
        return False
    return any(word[0].isupper() and word.strip(".,") not in LEGAL_FORMS for word in rest.split())


def _is_whole_person(text: str, match: Match) -> bool:
    return match.entry.kind == "person" and " " in text[match.start : match.end]


def is_name(form: str, kind: str, names: Names) -> bool:
    """Whether a form may be a name at all."""
    if len(form) < 2 or len(form) > 100 or not any(char.isalpha() for char in form):
        return False
    if form.islower() or form.lower() in names.never or _OFFICE.match(form) or form.startswith(("of ", "for ", "and ")):
        return False
    return kind != "person" or not any(char.isdigit() for char in form)


def without_guesses_in_title(found: Sequence[Mention], text: Texts) -> list[Mention]:
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
