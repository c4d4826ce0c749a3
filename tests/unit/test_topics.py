"""Topics: rules are read with care, and a hit needs what its rule says, where it says it."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.entities import Annotator, Texts
from newsbeam.errors import ConfigError
from newsbeam.records import TopicDetail
from newsbeam.rules import TopicRules, load_topics
from newsbeam.topics import Explanation, explain_topics, run_examples, tag_topics

NAMES = """\
- {name: Japan, kind: place, demonyms: [Japanese]}
- {name: Tokyo, kind: place, of: Japan}
- {name: India, kind: place, aliases: {en: [], fr: [Inde]}}
- {name: NATO, kind: organization}
"""
RULES = """\
sets:
  friends: [Japan, India]
  ties: [joint drill*, pact]
topics:
  - id: ties
    label: Ties
    iptc: medtop:20000638
    threshold: 0.6
    rules:
      - name: two friends and a tie
        weight: 0.65
        all:
          - {entities: [$friends], at_least: 2}
          - phrases: {en: [$ties], fr: [exercice*]}
        none:
          - phrases: [cricket]
      - name: NATO
        weight: 0.4
        entities: [NATO]
    exclude:
      - name: tariffs
        weight: 0.5
        phrases: [tariff*]
      - name: a quiz
        veto: true
        where: title
        phrases: [quiz]
"""


def load(tmp_path: Path, rules: str = RULES) -> TopicRules:
    (tmp_path / "entities").mkdir(exist_ok=True)
    (tmp_path / "entities" / "names.yaml").write_text(NAMES, encoding="utf-8")
    (tmp_path / "topics.yaml").write_text(rules, encoding="utf-8")
    return load_topics(tmp_path)


@pytest.fixture
def rules(tmp_path: Path) -> TopicRules:
    return load(tmp_path)


def tag(
    rules: TopicRules, body: str, title: str = "", summary: str = "", language: str | None = "en"
) -> list[TopicDetail]:
    texts = Texts(title, summary, body, language)
    (entities,) = Annotator({}, rules.gazetteer).annotate([texts])
    return tag_topics(title, summary, body, entities.details, rules, language)


def explain(rules: TopicRules, body: str, title: str = "") -> list[Explanation]:
    (entities,) = Annotator({}, rules.gazetteer).annotate([Texts(title, "", body, "en")])
    return explain_topics(title, "", body, entities.details, rules, "en")


def one_rule(rule: str, rest: str = "") -> str:
    return f"topics:\n  - id: t\n    label: T\n    rules:\n      - {{name: r, weight: 0.65, {rule}}}\n{rest}"


# --- what hits ------------------------------------------------------------------------------------------------------


def test_a_hit_needs_all_groups_in_one_sentence(rules: TopicRules) -> None:
    body = "Talks went well. India and Japan signed a pact. All are glad."
    (topic,) = tag(rules, body)
    assert (topic.id, topic.label, topic.score, topic.rules_version) == ("ties", "Ties", 0.65, rules.version)
    (evidence,) = topic.evidence
    assert evidence.rule == "two friends and a tie" and evidence.field == "body"
    assert evidence.text == "India and Japan signed a pact." == body[evidence.start : evidence.end]
    assert tag(rules, "India and Japan met. They signed a pact.") == []
    assert tag(rules, "India signed a pact with India.") == []


def test_what_belongs_to_an_entity_stands_for_it_once(rules: TopicRules) -> None:
    assert tag(rules, "India and Tokyo signed a pact.")
    assert tag(rules, "Indian and Japanese ships", title="India, Japanese navy in joint drills")
    assert tag(rules, "Tokyo and the Japanese signed a pact.") == []


def test_a_star_stands_for_any_ending_and_nothing_else_does(rules: TopicRules) -> None:
    assert tag(rules, "India and Japan hold joint drills.") and tag(rules, "India and Japan hold Joint Drilling.")
    assert tag(rules, "India and Japan made an impact.") == []
    assert tag(rules, "India and Japan made pacts.") == []


def test_what_a_rule_must_not_have(rules: TopicRules) -> None:
    assert tag(rules, "India and Japan signed a pact on cricket.") == []
    assert tag(rules, "India and Japan signed a pact. They like cricket.")


def test_a_phrase_with_capitals_is_matched_as_written(tmp_path: Path) -> None:
    rules = load(tmp_path, one_rule("phrases: [Quad]"))
    assert tag(rules, "The Quad met.") and tag(rules, "THE QUAD MET.") and tag(rules, "He rode a quad.") == []


@pytest.mark.parametrize(
    ("within", "body", "hits"),
    [
        ("sentence", "India came. A pact was made.", False),
        ("paragraph", "India came. A pact was made.", True),
        ("paragraph", "India came.\n\nA pact was made.", False),
        ("document", "India came.\n\nA pact was made.", True),
        ("document", "India came.\n\nNothing was made.", False),
    ],
)
def test_where_groups_are_looked_for_together(tmp_path: Path, within: str, body: str, hits: bool) -> None:
    rules = load(tmp_path, one_rule(f"within: {within}, all: [{{entities: [India]}}, {{phrases: [pact]}}]"))
    assert bool(tag(rules, body)) == hits


def test_where_in_the_text_a_rule_holds(tmp_path: Path) -> None:
    body = "Rain fell. " * 20 + "A pact was made."
    title = load(tmp_path, one_rule("where: title, phrases: [pact]"))
    assert tag(title, body, title="A pact") and tag(title, "A pact") == []
    lead = load(tmp_path, one_rule("where: lead, phrases: [pact]"))
    assert tag(lead, "A pact was made. " + body) and explain(lead, body) == []
    whole = load(tmp_path, one_rule("where: title, within: document, phrases: [pact]"))
    assert tag(whole, "A pact", title="A pact") and tag(whole, "A pact", title="Rain") == []


# --- how much a hit counts --------------------------------------------------------------------------------------------


def test_the_title_counts_most_and_the_rest_least(rules: TopicRules) -> None:
    rain = "It rained in {}. "
    body = "".join(rain.format(number) for number in range(10))
    hit = "India and Japan signed a pact."
    in_title = explain(rules, body, title="India and Japan sign a pact")[0].score
    first = explain(rules, f"{hit} {body}")[0].score
    third = explain(rules, f"{rain.format(98)}{rain.format(99)}{hit} {body}")[0].score
    last = explain(rules, f"{body}{hit}")[0].score
    late = explain(rules, "".join(rain.format(number) for number in range(90)) + hit)[0].score
    assert in_title == 0.95 and first == 0.65
    assert in_title > first > third > last > late > 0


def test_a_word_in_passing_is_no_topic_and_many_sentences_are(rules: TopicRules) -> None:
    rain = [f"It rained in {number}." for number in range(20)]
    assert tag(rules, " ".join([*rain, "India and Japan signed a pact."])) == []
    many = [f"India and Japan signed a pact in {number}." for number in range(3)]
    (topic,) = tag(rules, " ".join([*rain, *many]))
    assert 0.6 <= topic.score < 0.95 and len(topic.evidence) == 3


def test_a_sentence_counts_once(rules: TopicRules) -> None:
    hit = "India and Japan signed a pact with NATO."
    (topic,) = tag(rules, f"{hit} {hit}", summary=hit)
    assert topic.score == 0.65 and [item.field for item in topic.evidence] == ["summary"]
    (explanation,) = explain(rules, "India slept. NATO ate. India woke. NATO ate.")
    assert [item.evidence.text for item in explanation.hits] == ["NATO ate."]


def test_exclusions_take_away_or_veto(rules: TopicRules) -> None:
    hit = "India and Japan signed a pact."
    (explanation,) = explain(rules, f"{hit} It is about tariffs.")
    assert explanation.score == pytest.approx(0.65 * 0.5) and not explanation.tagged and not explanation.vetoed_by
    assert [item.evidence.text for item in explanation.exclusions] == ["It is about tariffs."]
    assert tag(rules, hit, title="A quiz on India, Japan and their pact") == []
    (explanation,) = explain(rules, hit, title="A quiz")
    assert explanation.score == 0 and explanation.vetoed_by == ["a quiz"]


def test_a_near_miss_is_explained(rules: TopicRules) -> None:
    (low,) = explain(rules, "NATO met in Rome.")
    assert not low.tagged and low.score == 0.4 and low.threshold == 0.6 and low.hits[0].evidence.rule == "NATO"
    (missing,) = explain(rules, "India and Japan met in Rome.")
    assert not missing.tagged and missing.score == 0 and missing.hits == []
    assert missing.nearly[0].evidence.text == "India and Japan met in Rome."
    assert "pact" in missing.nearly[0].missing.phrases["en"]
    assert explain(rules, "Nothing of all this.") == []


# --- languages ------------------------------------------------------------------------------------------------------


def test_phrases_of_one_language_are_not_looked_for_in_another(rules: TopicRules) -> None:
    assert tag(rules, "Inde et Japan: un pact.", language="fr") == []
    assert tag(rules, "Inde et Japan: exercices.", language="fr-CA")
    assert tag(rules, "India and Japan: exercices.", language="en") == []
    assert tag(rules, "India and Japan: a pact.", language=None)
    assert tag(rules, "NATO, NATO.", title="NATO", language="de"), "a rule of entities alone holds in any language"


def test_sets_keep_their_languages(tmp_path: Path) -> None:
    rules = load(tmp_path, "sets:\n  p: {en: [pact], ja: [条約]}\n" + one_rule("phrases: [$p]"))
    assert tag(rules, "新しい条約を結ぶ。", language="ja") and tag(rules, "A pact.")
    assert tag(rules, "A pact.", language="ja") == []
    rules = load(tmp_path, "sets:\n  p: {en: [pact], ja: [条約]}\n" + one_rule("phrases: {en: [$p]}"))
    assert tag(rules, "A pact.") and tag(rules, "新しい条約を結ぶ。", language="ja") == []


# --- loading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("  - id: ties", "  - id: Ties!", 5, "small letters"),
        ("    threshold: 0.6", "    treshold: 0.6", 8, "topic ties: unknown key"),
        ("    threshold: 0.6", "    threshold: 7", 8, "between"),
        ("        weight: 0.65", "        weight: much", 11, "must be a number"),
        ("        weight: 0.65\n", "", 10, "'weight' is missing"),
        ("$friends", "$fiends", 13, "no set 'fiends'"),
        ("entities: [NATO]", "entities: [Nato]", 19, "'Nato' is no canonical name"),
        ("phrases: [cricket]", "phrases: [cri*ket]", 16, "'cri*ket'"),
        ("phrases: [cricket]", "phrase: [cricket]", 16, "rule 'two friends and a tie': unknown key"),
        ("at_least: 2", "at_least: 1.5", 13, "whole number"),
        ("        veto: true", "        veto: true\n        weight: 0.5", 24, "one of weight and veto"),
        ("        where: title", "        where: head", 26, "anywhere, lead, title"),
        ("medtop:20000638", "20000638x", 7, "medtop"),
        ("joint drill*, pact", "$ties", 3, "contains itself"),
        ("    rules:\n", "    rules: []\n    examples:\n", 9, "no rule"),
        ("topics:\n", "subjects:\n", 4, "unknown key"),
    ],
)
def test_a_wrong_rule_names_itself_and_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in RULES
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, RULES.replace(old, new, 1))
    message = str(caught.value)
    assert words in message and "\n" not in message
    assert re.search(rf"topics\.yaml:{line}\b", message), message


def test_a_topic_defined_twice(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"topics\.yaml:7.*'t' is defined twice"):
        load(tmp_path, one_rule("phrases: [a]", "  - {id: t, label: T, rules: [{name: r, weight: 1, phrases: [a]}]}\n")
             .replace("    label: T\n", "    label: T\n\n"))  # fmt: skip


def test_more_files_beside_topics_yaml(tmp_path: Path) -> None:
    more = tmp_path / "topics"
    more.mkdir()
    text = """\
sets: {own: [harvest]}
topics:
  - id: farms
    label: Farms
    rules: [{name: r, weight: 0.65, all: [{entities: [$friends]}, {phrases: [$own]}]}]
    examples: {negative: [A harvest in Japan.]}
"""
    (more / "farms.yaml").write_text(text)
    rules = load(tmp_path)
    assert [topic.id for topic in rules.topics] == ["ties", "farms"], "the files of topics/ come after topics.yaml"
    assert [topic.id for topic in tag(rules, "A harvest in India.")] == ["farms"], "sets of topics.yaml hold there too"
    (failure,) = run_examples(rules)
    assert (failure.file, failure.line) == ("topics/farms.yaml", 6)
    for name, wrong, words in [
        ("farms.yaml:3", text.replace("id: farms", "id: ties"), "'ties' is defined twice"),
        ("farms.yaml:1", text.replace("own: [", "friends: ["), "topics.yaml has a set 'friends' already"),
        ("farms.yaml:5", text.replace("$own", "$other"), "no set 'other'"),
    ]:
        (more / "farms.yaml").write_text(wrong)
        with pytest.raises(ConfigError, match=re.escape(words)) as caught:
            load(tmp_path)
        assert name in str(caught.value)
    (more / "farms.yaml").write_text(text)
    (more / "more.yaml").write_text(text.replace("id: farms", "id: more").replace("own: [harvest]", ""))
    with pytest.raises(ConfigError, match="no set 'own'"):
        load(tmp_path)


def test_all_iptc_ids_exist(repo: Path, shared_data: Path) -> None:
    lines = (shared_data / "topics" / "mediatopics_flat.tsv").read_text("utf-8").splitlines()
    known = {f"medtop:{line.split(chr(9))[0]}" for line in lines[1:]}
    rules = load_topics(repo / "config")
    assert {topic.iptc for topic in rules.topics if topic.iptc} <= known
    assert len(rules.topics) == 30


def test_the_version_follows_the_rules_and_not_the_examples(tmp_path: Path) -> None:
    version = load(tmp_path).version
    assert re.fullmatch(r"[0-9a-f]{12}", version)
    assert load(tmp_path, RULES + "    examples: {positive: [A pact.]}\n").version == version
    assert load(tmp_path, RULES.replace("pact", "treaty", 1)).version != version
    assert load(tmp_path, RULES.replace("0.4", "0.41")).version != version


def test_rules_survive_pickling_after_use(rules: TopicRules) -> None:
    before = tag(rules, "India and Japan signed a pact.")
    again = pickle.loads(pickle.dumps(rules))
    assert tag(again, "India and Japan signed a pact.") == before != []


def test_examples_that_come_out_wrong_are_told(tmp_path: Path) -> None:
    examples = """\
    examples:
      positive:
        - India and Japan signed a pact.
        - {title: A pact, text: India slept., language: en}
      negative:
        - India slept.
        - NATO met. NATO ate. NATO left.
"""
    failures = run_examples(load(tmp_path, RULES + examples))
    assert [(item.topic, item.positive, item.line) for item in failures] == [("ties", True, 31), ("ties", False, 34)]
    assert failures[0].text == "A pact / India slept." and failures[0].score == 0 and failures[1].score > 0.6


def test_the_shipped_rules_agree_with_their_examples(repo: Path) -> None:
    rules = load_topics(repo / "config")
    assert run_examples(rules) == []
    assert run_examples(rules, Annotator({"en": "en_core_web_sm"}, rules.gazetteer).annotate) == []
    for topic in rules.topics:
        least = 8 if topic.id == "indo-pacific-partnership" else 3
        kinds = [example.positive for example in topic.examples]
        assert kinds.count(True) >= least and kinds.count(False) >= least, topic.id


@settings(deadline=None, max_examples=100)
@given(parts=st.lists(st.sampled_from(["India", "Japan", " pact", ". ", "\n\n", "NATO", "İ", "tariffs ", "日本。"])))
def test_evidence_is_always_the_text_it_names(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    rules = load(tmp_path_factory.getbasetemp())
    texts = {"title": "".join(parts[::2]), "summary": "".join(parts[1::2]), "body": "".join(parts)}
    for topic in tag(rules, texts["body"], texts["title"], texts["summary"]):
        assert topic.evidence and topic.score <= 1
        for item in topic.evidence:
            assert texts[item.field][item.start : item.end] == item.text != ""
