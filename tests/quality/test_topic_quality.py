"""How well the topics' rules do on labelled texts that are not their own examples.

tests/quality/labels was labelled by someone who had not seen the rules (its README says how); indo_pacific.yaml was
written by the rules' author. docs/topics.md says which figures were measured before anyone looked at the errors.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from newsbeam.entities import Annotator, Texts
from newsbeam.rules import Topic, TopicRules, load_topics
from newsbeam.topics import tag_topics
from newsbeam.yamlfile import read_node
from tests.quality.labels.load import load_indo_pacific_items, load_indo_pacific_paragraphs, load_topic_items

TOPIC = "indo-pacific-partnership"
SMALL_WORDS = {"and", "in", "the", "of"}

Tag = Callable[[Sequence[Texts]], list[set[str]]]


class Count(NamedTuple):
    """Pairs of item and topic that were found rightly, wrongly, and not at all."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / max(self.right + self.wrong, 1)

    @property
    def recall(self) -> float:
        return self.right / max(self.right + self.missed, 1)

    @property
    def f1(self) -> float:
        return 2 * self.right / max(2 * self.right + self.wrong + self.missed, 1)


def count(told: Iterable[set[str]], found: Iterable[set[str]]) -> Count:
    pairs = list(zip(told, found, strict=True))
    return Count(
        sum(len(want & got) for want, got in pairs),
        sum(len(got - want) for want, got in pairs),
        sum(len(want - got) for want, got in pairs),
    )


def wilson_lower(right: int, n: int) -> float:
    """The lower end of Wilson's interval at 95 % (Wilson 1927)."""
    if n == 0:
        return 0.0
    z, share = 1.96, right / n
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (share + z * z / (2 * n) - spread) / (1 + z * z / n)


def test_wilson_lower() -> None:
    assert wilson_lower(81, 263) == pytest.approx(0.255, abs=0.0005)  # Newcombe 1998, table I
    assert wilson_lower(0, 20) == pytest.approx(0.0) and wilson_lower(0, 0) == 0.0
    assert wilson_lower(60, 60) == pytest.approx(0.940, abs=0.0005)


@pytest.fixture(scope="module")
def rules(repo: Path) -> TopicRules:
    return load_topics(repo / "config")


@pytest.fixture(scope="module")
def by_rules(rules: TopicRules) -> Tag:
    annotator = Annotator({"en": "en_core_web_sm"}, rules.gazetteer)

    def tag(texts: Sequence[Texts]) -> list[set[str]]:
        return [
            {topic.id for topic in tag_topics(*text[:3], found.details, rules, text.language)}
            for text, found in zip(texts, annotator.annotate(texts), strict=True)
        ]

    return tag


def by_label(topics: Sequence[Topic], texts: Sequence[Texts], *, every: bool) -> list[set[str]]:
    """The naive peer: a topic where one of its label's words stands in the text, or `every` one of them does."""
    words = {topic.id: set(re.findall(r"\w+", topic.label.lower())) - SMALL_WORDS for topic in topics}
    found = []
    for text in texts:
        have = set(re.findall(r"\w+", " ".join(text[:3]).lower()))
        found.append({name for name, want in words.items() if (want <= have if every else want & have)})
    return found


def row(what: str, n: int, result: Count) -> str:
    wilson = [wilson_lower(result.right, result.right + other) for other in (result.wrong, result.missed)]
    return (
        f"{what}, n = {n}: precision {result.precision:.3f} (Wilson's lower bound {wilson[0]:.3f}), "
        f"recall {result.recall:.3f} ({wilson[1]:.3f}), F1 {result.f1:.3f}"
    )


def test_all_topics_on_real_items(
    shared_data: Path, rules: TopicRules, by_rules: Tag, capsys: pytest.CaptureFixture[str]
) -> None:
    items = load_topic_items(shared_data)
    texts = [Texts(item.title, item.summary, item.text, item.language) for item in items]
    told = [set(item.topics) for item in items]
    found = by_rules(texts)
    result = count(told, found)
    peers = [count(told, by_label(rules.topics, texts, every=every)) for every in (False, True)]
    lines = [
        row("all topics, the rules", len(items), result),
        row("all topics, any word of the topic's label", len(items), peers[0]),
        row("all topics, every word of the topic's label", len(items), peers[1]),
    ]
    for how in sorted({item.how for item in items}):
        chosen = [number for number, item in enumerate(items) if item.how == how]
        part = count([told[number] for number in chosen], [found[number] for number in chosen])
        lines.append(row(f"  of these, {how}", len(chosen), part))
    tally = [Counter(name for names in sets for name in names) for sets in (told, found)]
    right = Counter(name for want, got in zip(told, found, strict=True) for name in want & got)
    parts = [f"{topic.id} {right[topic.id]}/{tally[1][topic.id]}/{tally[0][topic.id]}" for topic in rules.topics]
    with capsys.disabled():
        print("", *lines, "  right/found/labelled: " + ", ".join(parts), sep="\n")
    assert len(items) >= 200
    assert result.f1 >= 0.75 and result.f1 > max(peer.f1 for peer in peers)


def paragraphs_by_author() -> list[tuple[Texts, bool]]:
    found = []
    for kind, items in read_node(Path(__file__).parent / "indo_pacific.yaml").mapping(("positive", "negative")).items():
        for item in items.items():
            keys = item.mapping(("title", "text")) if item.is_mapping else {"text": item}
            title = keys["title"].text() if "title" in keys else ""
            found.append((Texts(title, "", keys["text"].text(), "en"), kind == "positive"))
    return found


def paragraphs_by_another() -> list[tuple[Texts, bool]]:
    return [(Texts(item.title, "", item.text, "en"), item.positive) for item in load_indo_pacific_paragraphs()]


@pytest.mark.parametrize(
    ("what", "cases", "n"),
    [("by the rules' author", paragraphs_by_author, 40), ("by another", paragraphs_by_another, 120)],
)
def test_indo_pacific_paragraphs(
    what: str,
    cases: Callable[[], list[tuple[Texts, bool]]],
    n: int,
    by_rules: Tag,
    capsys: pytest.CaptureFixture[str],
) -> None:
    texts = [text for text, _ in cases()]
    told = [{TOPIC} if positive else set() for _, positive in cases()]
    result = count(told, [names & {TOPIC} for names in by_rules(texts)])
    named = [any(word in " ".join(text[:3]) for word in ("Indo-Pacific", "Asia-Pacific")) for text in texts]
    peer = count(told, [{TOPIC} if name else set() for name in named])
    with capsys.disabled():
        print("", row(f"{TOPIC}, paragraphs {what}", n, result), sep="\n")
        print(row(f"{TOPIC}, the words Indo-Pacific, Asia-Pacific alone", n, peer))
    assert len(texts) == n and sum(map(len, told)) == n // 2
    assert result.f1 > peer.f1
    if n > 100:
        assert wilson_lower(result.right, result.right + result.wrong) >= 0.75
        assert wilson_lower(result.right, result.right + result.missed) >= 0.75


def test_indo_pacific_real_items(shared_data: Path, by_rules: Tag, capsys: pytest.CaptureFixture[str]) -> None:
    items = load_indo_pacific_items(shared_data)
    found = by_rules([Texts(item.title, item.summary, item.text, item.language) for item in items])
    result = count([set(item.topics) for item in items], [names & {TOPIC} for names in found])
    with capsys.disabled():
        print("", row(f"{TOPIC}, real items", len(items), result), sep="\n")
    assert result.f1 >= 0.75
