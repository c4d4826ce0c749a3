"""Where the rules of topics hit in one text, in one pass over it for all phrases of all rules."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from newsbeam.gazetteer import PhraseIndex, is_word, lower, plain, primary
from newsbeam.records import EntityDetail, Evidence
from newsbeam.rules import Group, Rule, Topic, TopicRules
from newsbeam.sentences import split_sentences

# How much a hit counts by where it stands; `topics` says how a score is made of it.
TITLE = 1.6
LEAD = 3
SECOND = 0.75
SHORT = 8
REST = 0.5
LONG = 30  # sentences of a body; beyond it each one that is not in the lead counts less
STRONGEST = 0.95


class _Phrase(NamedTuple):
    group: int
    text: str
    open_end: bool
    as_written: bool  # it has capitals, and so must the text


class _Ready:
    """Groups and rules by number, and from each phrase and entity to the groups that have it."""

    def __init__(self, rules: TopicRules) -> None:
        self.owners = rules.owners
        self.groups: list[Group] = []
        self.rules: list[tuple[Topic, Rule, list[int], list[int], bool]] = []
        self.rules_of: dict[int, list[int]] = {}
        self.rules_by_key: dict[str, dict[int, list[int]]] = {}  # scope to one group of each rule, its smallest
        numbers: dict[Any, int] = {}  # the same group in several rules is looked for once
        for topic in rules.topics:
            for rule, excludes in [*((r, False) for r in topic.rules), *((r, True) for r in topic.exclude)]:
                wanted = [self._number(group, numbers) for group in rule.all]
                unwanted = [self._number(group, numbers) for group in rule.none]
                for group in set(wanted):
                    self.rules_of.setdefault(group, []).append(len(self.rules))
                key = min(wanted, key=self._size)
                self.rules_by_key.setdefault(rule.within, {}).setdefault(key, []).append(len(self.rules))
                self.rules.append((topic, rule, wanted, unwanted, excludes))
        self.by_entity: dict[str, list[int]] = {}
        for number, wanted_group in enumerate(self.groups):
            for name in wanted_group.entities:
                self.by_entity.setdefault(name, []).append(number)
        self._indexes: dict[str | None, PhraseIndex] = {}

    def _number(self, group: Group, numbers: dict[Any, int]) -> int:
        key = (tuple(sorted((language, tuple(items)) for language, items in group.phrases.items())), *group[1:])
        if key not in numbers:
            numbers[key] = len(self.groups)
            self.groups.append(group)
        return numbers[key]

    def _size(self, group: int) -> int:
        phrases = self.groups[group].phrases.values()
        return len(self.groups[group].entities) * 5 + sum(len(items) for items in phrases)  # names are common in news

    def index(self, language: str | None) -> PhraseIndex:
        """The phrases of a language; of all languages for None."""
        if language not in self._indexes:
            phrases = []
            for number, group in enumerate(self.groups):
                for of_language, items in group.phrases.items():
                    if language is None or language == of_language:
                        for item in items:
                            text = plain(item.rstrip("*"))
                            value = _Phrase(number, text, item.endswith("*"), lower(text) != text)
                            phrases.append((lower(text), value))
            self._indexes[language] = PhraseIndex(phrases)
        return self._indexes[language]

    def groups_with(self, entity: str) -> dict[int, str]:
        """The groups that an entity is in, itself or by what it belongs to, and the name under which."""
        found: dict[int, str] = {}
        name: str | None = entity
        for _ in range(8):  # owners of owners; a bound, should two own each other
            if name is None:
                break
            for group in self.by_entity.get(name, ()):
                found.setdefault(group, name)
            name = self.owners.get(name)
        return found


_ready: WeakKeyDictionary[TopicRules, _Ready] = WeakKeyDictionary()


def _make_ready(rules: TopicRules) -> _Ready:
    if rules not in _ready:
        _ready[rules] = _Ready(rules)
    return _ready[rules]


# --- one text -------------------------------------------------------------------------------------------------------


class _Piece(NamedTuple):
    field: str
    start: int
    end: int
    paragraph: tuple[str, int]
    factor: float


class Hit(NamedTuple):
    """A rule that hits: the number of the piece (title or sentence) that shows it, and how much it counts (0 to 1)."""

    piece: int
    strength: float
    rule: Rule


class Nearly(NamedTuple):
    """A sentence in which a rule lacked one of its groups, `missing`."""

    evidence: Evidence
    missing: Group


_Units = dict[int, set[str]]  # group number to the different phrases and entities of it that were found


class Document:
    """A text cut into title and sentences, with what of the rules' groups is found in each."""

    def __init__(
        self,
        title: str,
        summary: str,
        body: str,
        entities: Sequence[EntityDetail],
        rules: TopicRules,
        language: str | None,
    ) -> None:
        self._ready = _make_ready(rules)
        self._texts = {"title": title, "summary": summary, "body": body}
        self._pieces = _cut_in_pieces(self._texts)
        self._units: list[_Units] = [{} for _ in self._pieces]
        self._starts: dict[str, tuple[list[int], list[int]]] = {}
        for number, piece in enumerate(self._pieces):
            starts, numbers = self._starts.setdefault(piece.field, ([], []))
            starts.append(piece.start)
            numbers.append(number)
        self._find_phrases(primary(language))
        self._find_entities(entities)

    def _add(self, field: str, start: int, end: int, group: int, unit: str) -> None:
        starts, numbers = self._starts.get(field, ([], []))
        at = bisect_right(starts, start) - 1
        if at >= 0 and end <= self._pieces[numbers[at]].end:
            self._units[numbers[at]].setdefault(group, set()).add(unit)

    def _find_phrases(self, language: str | None) -> None:
        index = self._ready.index(language)
        for field, text in self._texts.items():
            straight = plain(text)
            for start, end, phrases in index.find(lower(straight)):
                for phrase in phrases:
                    if not is_word(text, start, end, open_end=phrase.open_end):
                        continue
                    found = straight[start:end]
                    if phrase.as_written and found != phrase.text and not found.isupper():
                        continue
                    self._add(field, start, end, phrase.group, phrase.text)

    def _find_entities(self, entities: Sequence[EntityDetail]) -> None:
        for entity in entities:
            if groups := self._ready.groups_with(entity.name):
                for span in entity.spans:
                    for group, name in groups.items():
                        self._add(span.field, span.start, span.end, group, name)

    def topics(self) -> list[tuple[Topic, list[Hit], list[Hit]]]:
        """Topics that any rule hit, each with its hits and those of its exclusions."""
        found: dict[str, tuple[Topic, list[Hit], list[Hit]]] = {}
        for scope, members in self._scopes():
            self._apply(scope, members, _together(self._units[number] for number in members), found)
        return [item for item in found.values() if item[1]]

    def _scopes(self) -> list[tuple[str, list[int]]]:
        used = self._ready.rules_by_key
        everything = [number for number, units in enumerate(self._units) if units]
        paragraphs: dict[tuple[str, int], list[int]] = {}
        for number in everything:
            paragraphs.setdefault(self._pieces[number].paragraph, []).append(number)
        scopes = [
            *(("sentence", [number]) for number in everything),
            *(("paragraph", members) for members in paragraphs.values()),
            ("document", everything),
        ]
        return [(scope, members) for scope, members in scopes if scope in used]

    def _apply(
        self,
        scope: str,
        members: Sequence[int],
        units: _Units,
        found: dict[str, tuple[Topic, list[Hit], list[Hit]]],
    ) -> None:
        ready = self._ready
        by_key = ready.rules_by_key[scope]
        for number in [number for group in units for number in by_key.get(group, ())]:
            topic, rule, wanted, unwanted, excludes = ready.rules[number]
            if not all(self._has(units, group) for group in wanted):
                continue
            here, within = members, units
            if rule.where != "anywhere":
                least = TITLE if rule.where == "title" else SECOND
                here = [piece for piece in members if self._pieces[piece].factor >= least]
                within = _together(self._units[piece] for piece in here)
            if any(self._has(within, group) for group in unwanted) or not all(self._has(within, g) for g in wanted):
                continue
            piece = max(here, key=lambda n: (len(self._units[n].keys() & set(wanted)), -n))
            hit = Hit(piece, min(rule.weight * self._pieces[piece].factor, STRONGEST), rule)
            _, hits, exclusions = found.setdefault(topic.id, (topic, [], []))
            (exclusions if excludes else hits).append(hit)

    def _has(self, units: Mapping[int, set[str]], group: int) -> bool:
        return len(units.get(group, ())) >= self._ready.groups[group].at_least

    def nearly(self) -> dict[str, list[Nearly]]:
        """By topic, up to 3 sentences in which a rule of two groups or more lacks one."""
        found: dict[str, list[Nearly]] = {}
        for piece, units in enumerate(self._units):
            for number in sorted({number for group in units for number in self._ready.rules_of.get(group, ())}):
                topic, rule, wanted, unwanted, excludes = self._ready.rules[number]
                missing = [group for group in wanted if not self._has(units, group)]
                if excludes or rule.within != "sentence" or len(missing) != 1 or len(wanted) < 2:
                    continue
                if any(self._has(units, group) for group in unwanted) or len(found.get(topic.id, ())) >= 3:
                    continue
                evidence = self.evidence(Hit(piece, 0.0, rule))
                found.setdefault(topic.id, []).append(Nearly(evidence, self._ready.groups[missing[0]]))
        return found

    def evidence(self, hit: Hit) -> Evidence:
        """The sentence that shows a hit."""
        piece = self._pieces[hit.piece]
        text = self._texts[piece.field][piece.start : piece.end]
        return Evidence(hit.rule.name, text, piece.field, piece.start, piece.end)


def _together(parts: Iterable[_Units]) -> _Units:
    units: _Units = {}
    for part in parts:
        for group, found in part.items():
            units.setdefault(group, set()).update(found)
    return units


def _cut_in_pieces(texts: Mapping[str, str]) -> list[_Piece]:
    """The title, and the sentences of summary and body, but those that were there before."""
    pieces: list[_Piece] = []
    seen: set[str] = set()

    def add(field: str, start: int, end: int, paragraph: int, factor: float) -> None:
        text = " ".join(plain(texts[field][start:end]).lower().split())
        if text not in seen:
            seen.add(text)
            pieces.append(_Piece(field, start, end, (field, paragraph), factor))

    title = texts["title"]
    if title.strip():
        start = len(title) - len(title.lstrip())
        add("title", start, len(title.rstrip()), 0, TITLE)
    for field in ("summary", "body"):
        sentences = split_sentences(texts[field])
        rest = REST * min(1.0, LONG / max(len(sentences), 1))
        for number, sentence in enumerate(sentences):
            if field == "summary" or number == 0 or (number < LEAD and len(sentences) <= SHORT):
                factor = 1.0
            else:
                factor = SECOND if number < LEAD else rest
            add(field, sentence.start, sentence.end, sentence.paragraph, factor)
    return pieces
