"""How well the rules of indo-pacific-partnership do on paragraphs that are not their own examples."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from newsbeam.entities import Annotator, Texts
from newsbeam.rules import load_topics
from newsbeam.topics import tag_topics
from newsbeam.yamlfile import read_node

TOPIC = "indo-pacific-partnership"


class Case(NamedTuple):
    texts: Texts
    positive: bool


def cases() -> list[Case]:
    found = []
    for kind, items in read_node(Path(__file__).parent / "indo_pacific.yaml").mapping(("positive", "negative")).items():
        for item in items.items():
            keys = item.mapping(("title", "text")) if item.is_mapping else {"text": item}
            title = keys["title"].text() if "title" in keys else ""
            found.append(Case(Texts(title, "", keys["text"].text(), "en"), kind == "positive"))
    return found


def test_precision_and_recall(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = load_topics(repo / "config")
    told = cases()
    assert sum(case.positive for case in told) == 20 and len(told) == 40
    annotated = Annotator({"en": "en_core_web_sm"}, rules.gazetteer).annotate([case.texts for case in told])
    tagged = [
        any(topic.id == TOPIC for topic in tag_topics(*case.texts[:3], found.details, rules, "en"))
        for case, found in zip(told, annotated, strict=True)
    ]
    named = [any(word in " ".join(case.texts[:3]) for word in ("Indo-Pacific", "Asia-Pacific")) for case in told]
    lines = []
    for label, guesses in (("rules", tagged), ("the words Indo-Pacific, Asia-Pacific", named)):
        right = sum(guess and case.positive for guess, case in zip(guesses, told, strict=True))
        precision, recall = right / max(sum(guesses), 1), right / 20
        lines.append(f"{TOPIC}, n = 40 (20 + 20), {label}: precision {precision:.2f}, recall {recall:.2f}")
    wrong = [case for case, guess in zip(told, tagged, strict=True) if guess != case.positive]
    with capsys.disabled():
        print("", *lines, sep="\n")
        for case in wrong:
            print(f"  {'missed' if case.positive else 'wrong'}: {case.texts.body[:100]}")
    assert sum(not case.positive for case in wrong) <= 2, wrong
    assert sum(case.positive for case in wrong) <= 2, wrong
