"""Entities: two finders, one canonical name for each, exact offsets."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from newsbeam.entities import Annotator, Entities, Texts, find_model, load_model
from newsbeam.errors import ConfigError
from newsbeam.gazetteer import Gazetteer, load_gazetteer
from newsbeam.mentions import Mention, mentions_of
from newsbeam.records import ENTITY_KINDS, EntityDetail, facets
from newsbeam.resolution import Group, find_missed

MODELS = {"en": "en_core_web_sm"}


@pytest.fixture(scope="module")
def gazetteer(repo: Path) -> Gazetteer:
    return load_gazetteer(repo / "config")


@pytest.fixture(scope="module")
def annotator(gazetteer: Gazetteer) -> Annotator:
    return Annotator(MODELS, gazetteer)


def annotate(annotator: Annotator, body: str, title: str = "", language: str | None = "en") -> dict[str, EntityDetail]:
    (entities,) = annotator.annotate([Texts(title, "", body, language)])
    return {detail.name: detail for detail in entities.details}


def test_kinds_and_canonical_names(annotator: Annotator) -> None:
    found = annotate(
        annotator,
        "The Philippines' President Ferdinand Marcos Jr. met U.S. officials and the European Union's envoys in Manila. "
        "DPRK soldiers, Muslims and Americans watched. The Bank of Japan did not comment on the Cold War.",
    )
    kinds = {name: detail.kind for name, detail in found.items()}
    assert kinds == {
        "Philippines": "place", "Ferdinand Marcos Jr.": "person", "United States": "place", "Manila": "place",
        "European Union": "organization", "North Korea": "place", "Muslim": "group", "American": "group",
        "Bank of Japan": "organization", "Cold War": "event",
    }  # fmt: skip
    assert found["United States"].wikidata == "Q30" and found["Bank of Japan"].wikidata is None


def test_one_word_joins_the_one_person_who_has_it(annotator: Annotator) -> None:
    body = (
        "NATO Secretary-General Jens Stoltenberg met Prime Minister Kishida Fumio in Tokyo. Stoltenberg thanked "
        "Kishida. Fumio Kishida said that Stoltenberg’s visit came at the right time."
    )
    found = annotate(annotator, body)
    people = {name: detail for name, detail in found.items() if detail.kind == "person"}
    assert sorted(people) == ["Jens Stoltenberg", "Kishida Fumio"]
    assert people["Jens Stoltenberg"].mentions == 3 and people["Kishida Fumio"].mentions == 3
    assert set(people["Kishida Fumio"].forms) == {"Kishida Fumio", "Kishida", "Fumio Kishida"}


def test_a_word_that_is_also_a_name_is_not_counted_as_one(annotator: Annotator) -> None:
    body = "Will Ferrell came to Boston. His brother Will slept. Will it rain in Boston, he asked. It will."
    assert [span.start for span in annotate(annotator, body)["Will Ferrell"].spans] == [0, 41]
    body = body.replace("Will it rain", "Will, it rains").replace("It will", "It may")
    assert [span.start for span in annotate(annotator, body)["Will Ferrell"].spans] == [0, 41, 53]


def test_a_missed_mention_is_a_whole_word_that_no_other_name_has(gazetteer: Gazetteer) -> None:
    body = "Rutte spoke. Trutte, Ruttes and the Rutte Foundation wait for Rutte."
    person, foundation = Group([Mention("body", 0, 5, "Rutte", "person")]), Group()
    foundation.mentions.append(Mention("body", 36, 52, "Rutte Foundation", "organization"))
    person.kind, foundation.kind = "person", "organization"
    find_missed([person, foundation], [("title", "Rutte wins"), ("body", body)], gazetteer.names)
    assert {(mention.field, mention.start) for mention in person.mentions} == {("title", 0), ("body", 0), ("body", 62)}
    assert len(foundation.mentions) == 1


@pytest.mark.parametrize(
    ("text", "kind", "names"),
    [
        ("the Keio University’s", "organization", ["Keio University"]),
        ("“Prime Minister Mark Rutte,”", "person", ["Mark Rutte"]),
        ("former US President Bill Clinton's", "person", ["US", "Bill Clinton"]),
        ("Mao Ning\n\nRecent Features", "person", ["Mao Ning"]),
        ("Ann Lee/Getty Images", "person", ["Ann Lee"]),
        ("Japan’s Kishida Fumio", "person", ["Japan", "Kishida Fumio"]),
        ("Bank of Japan", "organization", ["Bank of Japan"]),
        ("Jordan Peterson", "person", ["Jordan Peterson"]),
        ("Japan, South Korea", "place", ["Japan", "South Korea"]),
        ("northern Japan", "place", ["Japan"]),
        ("Indo", "place", ["Indo-Pacific"]),
        ("AP4", "person", ["AP4"]),
        ("B2B", "person", []),
        ("the house", "place", []),
    ],
)
def test_a_span_of_the_model_and_the_known_names_in_it(
    gazetteer: Gazetteer, text: str, kind: str, names: list[str]
) -> None:
    whole = f"{text}-Pacific" if text == "Indo" else text
    found = mentions_of("body", whole, [(0, len(text), kind)], gazetteer.find(whole, "en"), gazetteer.names)
    assert [whole[mention.start : mention.end] for mention in found] == [mention.form for mention in found] == names


def test_two_people_of_one_name_stay_two(annotator: Annotator) -> None:
    found = annotate(annotator, "Hillary Clinton and Bill Clinton spoke in Boston. Clinton was applauded in Chicago.")
    assert {"Hillary Clinton", "Bill Clinton"} <= found.keys()
    assert found["Hillary Clinton"].mentions == found["Bill Clinton"].mentions == 1


def test_a_headline_in_title_case_invents_nobody(annotator: Annotator) -> None:
    body = (
        "NATO Secretary-General Jens Stoltenberg said on Monday that China and Russia are moving closer together. "
        "The alliance needs more friends, Stoltenberg told students in Tokyo, and should look for them in Asia."
    )
    found = annotate(annotator, body, title="Stoltenberg Wants More Friends as Russia, China Move Closer")
    assert [name for name, detail in found.items() if detail.kind == "person"] == ["Jens Stoltenberg"]
    assert {name for name, detail in found.items() if detail.in_title} == {"Jens Stoltenberg", "Russia", "China"}


def test_offsets_are_code_points_of_the_field(annotator: Annotator) -> None:
    body = "Ōsaka 🇯🇵 hosts Jens  Stoltenberg.\n\nJapan won."
    texts = Texts("🚢 U.S. ships in Japan", "Japan’s navy — 𝒜 ally", body, "en")
    (entities,) = annotator.annotate([texts])
    names = {detail.name for detail in entities.details}
    assert {"United States", "Japan"} <= names
    for detail in entities.details:
        assert detail.kind in ENTITY_KINDS and detail.mentions == len(detail.spans) > 0
        assert "  " not in detail.name
        for span in detail.spans:
            form = getattr(texts, span.field)[span.start : span.end]
            assert form in detail.forms and form == form.strip() and not form.endswith("’s")


def test_a_language_without_a_model_gets_known_names_alone(annotator: Annotator) -> None:
    assert annotate(annotator, "Le président Gaston Dupond a quitté le Japan.", language="fr").keys() == {"Japan"}
    assert annotate(annotator, "岸田首相は中国と話す。", language="ja").keys() == {"Kishida Fumio", "China"}
    assert annotate(annotator, "Gaston Dupond left Japan.", language=None).keys() == {"Japan"}


def test_a_long_text_is_cut_and_says_so(gazetteer: Gazetteer) -> None:
    annotator = Annotator({}, gazetteer, max_chars=60)
    long = Texts("Japan acts", "India waits", "France sent ships to the Pacific near Vietnam and Fiji", "en")
    short = long._replace(body="France sent ships")
    cut, whole = annotator.annotate([long, short])
    assert cut.cut and not whole.cut
    assert {detail.name for detail in cut.details} == {"Japan", "India", "France", "Pacific Ocean"}
    for detail in cut.details:
        assert all(getattr(long, span.field)[span.start : span.end] in detail.forms for span in detail.spans)


def test_texts_keep_their_order_and_do_not_touch_one_another(annotator: Annotator) -> None:
    texts = [Texts("", "", body, "en") for body in ("Jens Stoltenberg spoke.", "", "Stoltenberg is a town in Saxony.")]
    together = annotator.annotate(texts)
    assert together == [annotator.annotate([text])[0] for text in texts]
    assert together[1] == Entities([], False) and annotator.annotate([]) == []


def test_only_what_recognition_needs_is_loaded() -> None:
    assert load_model("en_core_web_sm").pipe_names == ["ner"]
    assert find_model("xx_no_such_model") is None
    with pytest.raises(ConfigError, match="xx_no_such_model"):
        load_model("xx_no_such_model")


def test_the_model_is_loaded_when_first_needed(gazetteer: Gazetteer) -> None:
    annotator = Annotator({"en": "xx_no_such_model"}, gazetteer)
    assert annotate(annotator, "Japan", language="fr").keys() == {"Japan"}
    with pytest.raises(ConfigError):
        annotate(annotator, "Japan", language="en")


def test_importing_it_loads_no_spacy(repo: Path) -> None:
    code = "import sys, newsbeam.topics, newsbeam.entities; print('spacy' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], cwd=repo, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_facets_are_by_mentions_then_name(annotator: Annotator) -> None:
    body = "Japan and France. Japan and China. NATO, Chinese, Japanese."
    (entities,) = annotator.annotate([Texts("", "", body, "en")])
    assert facets(entities.details) == {
        "entities": ("Japan", "China", "Chinese", "France", "Japanese", "NATO"),
        "people": (),
        "organizations": ("NATO",),
        "places": ("Japan", "China", "France"),
        "groups": ("Chinese", "Japanese"),
        "events": (),
    }
    assert facets(list(reversed(entities.details))) == facets(entities.details)
    assert facets(()).keys() == {"entities", "people", "organizations", "places", "groups", "events"}


def test_details_survive_pickling(annotator: Annotator) -> None:
    found = annotator.annotate([Texts("NATO", "", "Jens Stoltenberg", "en")])
    assert pickle.loads(pickle.dumps(found)) == found
