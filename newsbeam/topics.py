"""Topics: which subjects a text is about, by rules that a person can read, each with the sentences that say so.

A topic is a main or clear secondary matter of a text, not a word in passing. So a score grows with where a hit stands
and with how many sentences hit: each sentence counts once, with the strongest of its rules,

    strength = weight * (TITLE in the title, 1 in the lead, REST elsewhere, and less in a long text)
    score    = (1 - product(1 - strength)) * (1 - the same of the exclusions)

that is the noisy-or of the sentences (Pearl 1988, section 4.3.2). The lead is the summary and the first LEAD sentences
of the body; in a body of more than SHORT sentences those after the first count SECOND of that, so that one of them
alone makes no topic. A sentence that the text repeats (the summary in the body) counts where it stands first.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from newsbeam.entities import Annotator, Entities, Texts
from newsbeam.gazetteer import PhraseIndex, is_word, lower, plain, primary
from newsbeam.records import EntityDetail, Evidence, TopicDetail
from newsbeam.rules import Group, Rule, Topic, TopicRules, load_topics
from newsbeam.sentences import split_sentences

TITLE = 1.6
LEAD = 3
SECOND = 0.75
SHORT = 8
REST = 0.5
LONG = 30  # sentences of a body; beyond it each one that is not in the lead counts less
STRONGEST = 0.95
MAX_EVIDENCE = 10

Annotate = Callable[[Sequence[Texts]], Sequence[Entities]]


class Scored(NamedTuple):
    """A piece of evidence and how much it counted, in [0, 1)."""

    evidence: Evidence
    strength: float


class Nearly(NamedTuple):
    """A sentence in which a rule lacked one of its groups, `missing`."""

    evidence: Evidence
    missing: Group


class Explanation(NamedTuple):
    """Why a text has a topic or misses it: what hit, what took away or vetoed, and which rules lacked one group."""

    id: str
    label: str
    tagged: bool
    score: float
    threshold: float
    hits: Sequence[Scored]
    exclusions: Sequence[Scored]
    vetoed_by: Sequence[str]
    nearly: Sequence[Nearly]


class ExampleFailure(NamedTuple):
    """An example of config/topics.yaml that its own topic's rules get wrong."""

    topic: str
    positive: bool
    line: int
    text: str
    score: float
    threshold: float


def tag_topics(
    title: str,
    summary: str,
    body: str,
    entities: Sequence[EntityDetail],
    rules: TopicRules,
    language: str | None,
) -> list[TopicDetail]:
    """The topics of a text, highest score first, with the sentences that say so (the strongest MAX_EVIDENCE).

    Phrases of one language are not looked for in a text that is known to be in another.
    """
    document = _Document(title, summary, body, entities, rules, language)
    found = []
    for topic, hits, exclusions in document.topics():
        score = _score(hits, exclusions)
        if score >= topic.threshold:
            evidence = [document.evidence(hit) for hit in _strongest(hits)]
            found.append(TopicDetail(topic.id, topic.label, round(score, 4), tuple(evidence), rules.version))
    return sorted(found, key=lambda topic: (-topic.score, topic.id))


def explain_topics(
    title: str,
    summary: str,
    body: str,
    entities: Sequence[EntityDetail],
    rules: TopicRules,
    language: str | None,
) -> list[Explanation]:
    """Why a text has its topics and just misses others; topics without any trace in it are left out."""
    document = _Document(title, summary, body, entities, rules, language)
    nearly = document.nearly()
    found: list[Explanation] = []
    scored = {topic.id: (hits, exclusions) for topic, hits, exclusions in document.topics()}
    for topic in rules.topics:
        hits, exclusions = scored.get(topic.id, ([], []))
        if not hits and topic.id not in nearly:
            continue
        score = _score(hits, exclusions)
        found.append(
            Explanation(
                id=topic.id,
                label=topic.label,
                tagged=score >= topic.threshold,
                score=round(score, 4),
                threshold=topic.threshold,
                hits=document.scored(hits),
                exclusions=document.scored(exclusions),
                vetoed_by=sorted({hit.rule.name for hit in exclusions if hit.rule.veto}),
                nearly=nearly.get(topic.id, ()),
            )
        )
    return sorted(found, key=lambda topic: (not topic.tagged, -topic.score, topic.id))


def run_examples(rules: TopicRules, annotate: Annotate | None = None) -> list[ExampleFailure]:
    """The examples in the rules that come out wrong; none when all is well.

    Args:
        annotate: finds entities, as `Annotator.annotate`; without it the gazetteer alone does.
    """
    annotate = annotate or Annotator({}, rules.gazetteer).annotate
    cases = [(topic, example) for topic in rules.topics for example in topic.examples]
    texts = [Texts(example.title, example.summary, example.text, example.language) for _, example in cases]
    failures: list[ExampleFailure] = []
    for (topic, example), text, entities in zip(cases, texts, annotate(texts), strict=True):
        told = {item.id: item for item in explain_topics(*text[:3], entities.details, rules, text.language)}
        outcome = told.get(topic.id)
        if (outcome is not None and outcome.tagged) != example.positive:
            shown = " / ".join(part for part in text[:3] if part)
            score = outcome.score if outcome is not None else 0.0
            failures.append(ExampleFailure(topic.id, example.positive, example.line, shown, score, topic.threshold))
    return failures


def _score(hits: Iterable[_Hit], exclusions: Iterable[_Hit]) -> float:
    excluded = list(exclusions)
    if any(hit.rule.veto for hit in excluded):
        return 0.0
    return _any_of(hits) * (1 - _any_of(excluded))


def _in_order(hit: _Hit) -> tuple[int, float, str]:
    return hit.piece, -hit.strength, hit.rule.name


def _strongest(hits: Iterable[_Hit]) -> list[_Hit]:
    """The strongest sentences, each with its strongest rule, in the order of the text."""
    by_piece: dict[int, _Hit] = {}
    for hit in sorted(hits, key=_in_order):
        by_piece.setdefault(hit.piece, hit)
    return sorted(sorted(by_piece.values(), key=lambda hit: -hit.strength)[:MAX_EVIDENCE], key=_in_order)


def _any_of(hits: Iterable[_Hit]) -> float:
    strongest: dict[int, float] = {}
    for hit in hits:
        strongest[hit.piece] = max(hit.strength, strongest.get(hit.piece, 0.0))
    return 1 - math.prod(1 - strength for strength in strongest.values())


# --- rules made ready for matching, once in each process ------------------------------------------------------------


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
        numbers: dict[Any, int] = {}  # the same group in several rules is looked for once
        for topic in rules.topics:
            for rule, excludes in [*((r, False) for r in topic.rules), *((r, True) for r in topic.exclude)]:
                wanted = [self._number(group, numbers) for group in rule.all]
                unwanted = [self._number(group, numbers) for group in rule.none]
                for group in set(wanted):
                    self.rules_of.setdefault(group, []).append(len(self.rules))
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


class _Hit(NamedTuple):
    piece: int
    strength: float
    rule: Rule


_Units = dict[int, set[str]]  # group number to the different phrases and entities of it that were found


class _Document:
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

    def topics(self) -> list[tuple[Topic, list[_Hit], list[_Hit]]]:
        """Topics that any rule hit, each with its hits and those of its exclusions."""
        found: dict[str, tuple[Topic, list[_Hit], list[_Hit]]] = {}
        for scope, members in self._scopes():
            self._apply(scope, members, _together(self._units[number] for number in members), found)
        return [item for item in found.values() if item[1]]

    def _scopes(self) -> list[tuple[str, list[int]]]:
        everything = [number for number, units in enumerate(self._units) if units]
        paragraphs: dict[tuple[str, int], list[int]] = {}
        for number in everything:
            paragraphs.setdefault(self._pieces[number].paragraph, []).append(number)
        return [
            *(("sentence", [number]) for number in everything),
            *(("paragraph", members) for members in paragraphs.values()),
            ("document", everything),
        ]

    def _apply(
        self,
        scope: str,
        members: Sequence[int],
        units: _Units,
        found: dict[str, tuple[Topic, list[_Hit], list[_Hit]]],
    ) -> None:
        ready = self._ready
        for number in {number for group in units for number in ready.rules_of.get(group, ())}:
            topic, rule, wanted, unwanted, excludes = ready.rules[number]
            if rule.within != scope:
                continue
            here, within = members, units
            if rule.where != "anywhere":
                least = TITLE if rule.where == "title" else SECOND
                here = [piece for piece in members if self._pieces[piece].factor >= least]
                within = _together(self._units[piece] for piece in here)
            if any(self._has(within, group) for group in unwanted) or not all(self._has(within, g) for g in wanted):
                continue
            piece = max(here, key=lambda n: (len(self._units[n].keys() & set(wanted)), -n))
            hit = _Hit(piece, min(rule.weight * self._pieces[piece].factor, STRONGEST), rule)
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
                evidence = self.evidence(_Hit(piece, 0.0, rule))
                found.setdefault(topic.id, []).append(Nearly(evidence, self._ready.groups[missing[0]]))
        return found

    def scored(self, hits: Iterable[_Hit]) -> list[Scored]:
        """Hits as people see them, in the order of the text."""
        return [Scored(self.evidence(hit), round(hit.strength, 4)) for hit in sorted(hits, key=_in_order)]

    def evidence(self, hit: _Hit) -> Evidence:
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


__all__ = [
    "ExampleFailure", "Explanation", "TopicRules", "explain_topics", "load_topics", "run_examples", "tag_topics",
]  # fmt: skip
