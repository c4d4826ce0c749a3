"""The project's example article: who is in it, and what it is about."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsbeam.entities import Annotator, Entities, Texts
from newsbeam.extract import clean_text
from newsbeam.records import EntityDetail
from newsbeam.rules import TopicRules, load_topics
from newsbeam.topics import tag_topics

WANTED = {
    "NATO": "organization", "Japan": "place", "South Korea": "place", "China": "place", "Russia": "place",
    "Jens Stoltenberg": "person", "Kishida Fumio": "person", "Mao Ning": "person", "Keio University": "organization",
    "Taiwan": "place", "Ukraine": "place", "North Korea": "place", "Australia": "place", "New Zealand": "place",
    "Indo-Pacific": "place", "United States": "place",
}  # fmt: skip


@pytest.fixture(scope="module")
def rules(repo: Path) -> TopicRules:
    return load_topics(repo / "config")


@pytest.fixture(scope="module")
def texts(shared_data: Path) -> Texts:
    text = (shared_data / "articles" / "000_03b1580d72243570.txt").read_text(encoding="utf-8")
    content = clean_text(text)
    return Texts(content.title, content.summary, content.body, "en")


@pytest.fixture(scope="module")
def found(rules: TopicRules, texts: Texts) -> Entities:
    return Annotator({"en": "en_core_web_sm"}, rules.gazetteer).annotate([texts])[0]


def test_who_is_in_it(found: Entities) -> None:
    details = {detail.name: detail for detail in found.details}
    assert {name: details[name].kind for name in WANTED if name in details} == WANTED
    assert len(details) == len(found.details), "one entity under one name"
    assert not found.cut


def test_stoltenberg_is_one_person_and_nobody_is_invented(found: Entities) -> None:
    people = {detail.name for detail in found.details if detail.kind == "person"}
    assert people == {"Jens Stoltenberg", "Kishida Fumio", "Mao Ning"}
    assert "Fumio Kishida" in next(detail.forms for detail in found.details if detail.name == "Kishida Fumio")
    assert [detail.name for detail in found.details if "Stoltenberg" in " ".join(detail.forms)] == ["Jens Stoltenberg"]
    assert {detail.name for detail in found.details if detail.in_title} == {"NATO", "Indo-Pacific", "Russia", "China"}


def test_spans_are_exact(found: Entities, texts: Texts) -> None:
    def read(detail: EntityDetail) -> set[str]:
        return {getattr(texts, span.field)[span.start : span.end] for span in detail.spans}

    for detail in found.details:
        assert set(detail.forms) - read(detail) <= {f"{b} {a}" for a, _, b in [detail.name.partition(" ")]}
        assert read(detail) <= set(detail.forms)


def test_what_it_is_about(found: Entities, texts: Texts, rules: TopicRules) -> None:
    topics = {topic.id: topic for topic in tag_topics(*texts[:3], found.details, rules, "en")}
    assert {"indo-pacific-partnership", "nato"} <= topics.keys()
    assert not topics.keys() & {"taiwan-strait", "sport", "health", "elections"}, "Taiwan is mentioned in passing"
    topic = topics["indo-pacific-partnership"]
    assert topic.score > 0.95 and topic.rules_version == rules.version
    for item in topic.evidence:
        assert getattr(texts, item.field)[item.start : item.end] == item.text
    said = [item.text for item in topic.evidence if item.field == "body"]
    assert any("stronger cooperation" in text and text.endswith("Indo-Pacific region.") for text in said)
    assert any("expanded its military ties" in text for text in said)
