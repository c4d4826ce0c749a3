"""Topics: which subjects a text is about, by rules that a person can read, each with the sentences that say so.

A topic is a main or clear secondary matter of a text, not a word in passing. So a score grows with where a hit stands
and with how many sentences hit: each sentence counts once, with the strongest of its rules,

    strength = weight * (TITLE in the title, 1 in the lead, REST elsewhere, and less in a long text)   [hits.py]
    score    = (1 - product(1 - strength)) * (1 - the same of the exclusions)

that is the noisy-or of the sentences (Pearl 1988, section 4.3.2). The lead is the summary and the first LEAD sentences
of the body; in a body of more than SHORT sentences those after the first count SECOND of that, so that one of them
alone makes no topic. A sentence that the text repeats (the summary in the body) counts where it stands first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from newsbeam.entities import Annotator, Entities, Texts
from newsbeam.hits import Document, Hit, Nearly
from newsbeam.records import EntityDetail, Evidence, TopicDetail
from newsbeam.rules import TopicRules, load_topics

MAX_EVIDENCE = 10

Annotate = Callable[[Sequence[Texts]], Sequence[Entities]]


class Scored(NamedTuple):
    """A piece of evidence and how much it counted, in [0, 1)."""

    evidence: Evidence
    strength: float


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
    """An example that its own topic's rules get wrong. `file` is relative to the configuration's directory."""

    topic: str
    positive: bool
    line: int
    text: str
    score: float
    threshold: float
    file: str = "topics.yaml"


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
    document = Document(title, summary, body, entities, rules, language)
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
    document = Document(title, summary, body, entities, rules, language)
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
                hits=_scored(document, hits),
                exclusions=_scored(document, exclusions),
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
            failures.append(
                ExampleFailure(topic.id, example.positive, example.line, shown, score, topic.threshold, example.file)
            )
    return failures


def _scored(document: Document, hits: Iterable[Hit]) -> list[Scored]:
    return [Scored(document.evidence(hit), round(hit.strength, 4)) for hit in sorted(hits, key=_in_order)]


def _score(hits: Iterable[Hit], exclusions: Iterable[Hit]) -> float:
    excluded = list(exclusions)
    if any(hit.rule.veto for hit in excluded):
        return 0.0
    return _any_of(hits) * (1 - _any_of(excluded))


def _in_order(hit: Hit) -> tuple[int, float, str]:
    return hit.piece, -hit.strength, hit.rule.name


def _strongest(hits: Iterable[Hit]) -> list[Hit]:
    """The strongest sentences, each with its strongest rule, in the order of the text."""
    by_piece: dict[int, Hit] = {}
    for hit in sorted(hits, key=_in_order):
        by_piece.setdefault(hit.piece, hit)
    return sorted(sorted(by_piece.values(), key=lambda hit: -hit.strength)[:MAX_EVIDENCE], key=_in_order)


def _any_of(hits: Iterable[Hit]) -> float:
    strongest: dict[int, float] = {}
    for hit in hits:
        strongest[hit.piece] = max(hit.strength, strongest.get(hit.piece, 0.0))
    return 1 - math.prod(1 - strength for strength in strongest.values())


__all__ = [
    "ExampleFailure", "Explanation", "Nearly", "Scored", "TopicRules", "explain_topics", "load_topics", "run_examples",
    "tag_topics",
]  # fmt: skip
