"""What is one entity in a document, of which kind and under which name; labels are given, so no model is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsbeam.gazetteer import Gazetteer, load_gazetteer
from newsbeam.mentions import Texts
from newsbeam.records import EntityDetail
from newsbeam.resolution import find_entities, long_form_start


@pytest.fixture(scope="module")
def gazetteer(repo: Path) -> Gazetteer:
    return load_gazetteer(repo / "config")


def find(gazetteer: Gazetteer, body: str, labels: dict[str, str], title: str = "") -> dict[str, EntityDetail]:
    """Entities by name, where the model labels the first place of each form in the body."""
    spans = [(body.index(form), body.index(form) + len(form), kind) for form, kind in labels.items()]
    details = find_entities(Texts(title, "", body, "en"), {"body": sorted(spans)}, gazetteer)
    return {detail.name: detail for detail in details}


def test_a_title_says_that_a_name_is_a_persons(gazetteer: Gazetteer) -> None:
    found = find(gazetteer, "Mr Odhikari spoke. Later Odhikari left.", {"Odhikari": "place"})
    assert (found["Odhikari"].kind, found["Odhikari"].mentions) == ("person", 2)
    found = find(gazetteer, "The villages in Odhikari district, and near Odhikari.", {"Odhikari": "person"})
    assert found["Odhikari"].kind == "place"


@pytest.mark.parametrize(
    ("form", "said", "kind"),
    [
        ("Zumba Polytechnic University", "person", "organization"),
        ("Zumba Holdings Ltd", "place", "organization"),
        ("Camp Zumba", "person", "place"),
        ("Zumba Province", "person", "place"),
        ("Mohammed Zumba", "organization", "person"),
    ],
)
def test_the_words_of_a_name_tell_its_kind(gazetteer: Gazetteer, form: str, said: str, kind: str) -> None:
    (detail,) = find(gazetteer, f"They said that {form} was there.", {form: said}).values()
    assert (detail.name, detail.kind) == (form, kind)


def test_a_work_of_art_that_is_a_person_elsewhere_is_that_person(gazetteer: Gazetteer) -> None:
    body = "President Gaston Dupond arrived. Much later, Gaston Dupond said so."
    assert find(gazetteer, body, {"Gaston Dupond": "other"})["Gaston Dupond"].kind == "person"
    assert find(gazetteer, "The Blue Vase was sold.", {"Blue Vase": "other"}) == {}


def test_east_asian_names_have_both_orders(gazetteer: Gazetteer) -> None:
    found = find(gazetteer, "Mr Kenta Izumi was asked. Izumi did not answer.", {"Kenta Izumi": "person"})
    assert found["Izumi Kenta"].kind == "person" and found["Izumi Kenta"].mentions == 2
    assert set(found["Izumi Kenta"].forms) == {"Kenta Izumi", "Izumi", "Izumi Kenta"} - {"Izumi Kenta"}
    found = find(gazetteer, "Kishida Fumio spoke.", {})
    assert found["Kishida Fumio"].forms == ("Kishida Fumio", "Fumio Kishida")


def test_a_known_surname_is_another_where_the_document_has_another(gazetteer: Gazetteer) -> None:
    assert find(gazetteer, "Trump spoke.", {}).keys() == {"Donald Trump"}
    found = find(gazetteer, "Ivanka Trump spoke. Trump smiled.", {"Ivanka Trump": "person"})
    assert found.keys() == {"Ivanka Trump"} and found["Ivanka Trump"].mentions == 2


def test_acronyms_join_their_long_form(gazetteer: Gazetteer) -> None:
    body = "The Zumba Coastal Research Institute (ZCRI) opened. ZCRI is small."
    found = find(gazetteer, body, {"Zumba Coastal Research Institute": "organization", "ZCRI": "person"})
    assert found.keys() == {"Zumba Coastal Research Institute"}
    assert found["Zumba Coastal Research Institute"].mentions == 3
    found = find(gazetteer, "The Association of Southeast Asian Nations (ASEAN) met. ASEAN agreed.", {})
    assert found.keys() == {"ASEAN"} and found["ASEAN"].mentions == 3


def test_an_acronym_is_what_the_document_says_it_is(gazetteer: Gazetteer) -> None:
    body = "The Dutch Parrot Party (DPP) lost. The DPP had one seat."
    found = find(gazetteer, body, {"Dutch Parrot Party": "organization"})
    assert "Democratic Progressive Party" not in found
    assert found["Dutch Parrot Party"].mentions == 3


@pytest.mark.parametrize(
    ("text", "short", "long"),
    [
        ("the World Health Organization ", "WHO", "World Health Organization"),
        ("in Rights and Risks Analysis Group ", "RRAG", "Rights and Risks Analysis Group"),
        ("he said so ", "HSS", None),
        ("Gross things ", "GDP", None),
        ("", "AB", None),
    ],
)
def test_long_forms(text: str, short: str, long: str | None) -> None:
    start = long_form_start(text, len(text.rstrip()), short)
    assert (text[start:].strip() if start is not None else None) == long


def test_firms_with_and_without_their_legal_form(gazetteer: Gazetteer) -> None:
    body = "Zumba Foods Inc. grew. Zumba Foods sells tea. Lockheed Martin Corp. does not."
    found = find(gazetteer, body, {"Zumba Foods Inc.": "organization", "Lockheed Martin Corp.": "organization"})
    assert {"Lockheed Martin"} <= found.keys()
    found = find(
        gazetteer, "Zumba Foods said. " + body, {"Zumba Foods": "organization", "Zumba Foods Inc.": "organization"}
    )
    assert found.keys() == {"Zumba Foods", "Lockheed Martin"} and found["Zumba Foods"].mentions == 3


def test_parts_of_a_name_that_stands_whole_elsewhere(gazetteer: Gazetteer) -> None:
    body = "Gaston Dupond came. Then Gaston Dupond went."
    second = body.rindex("Gaston")
    labels = {"body": [(0, 13, "person"), (second, second + 6, "place"), (second + 7, second + 13, "organization")]}
    details = find_entities(Texts("", "", body, "en"), labels, gazetteer)
    assert [(detail.name, detail.mentions, detail.forms) for detail in details] == [
        ("Gaston Dupond", 2, ("Gaston Dupond",))
    ]


@pytest.mark.parametrize("form", ["Read Full Article", "Move Closer", "COVID-19", "Minister of Health", "Company"])
def test_what_is_never_a_name(gazetteer: Gazetteer, form: str) -> None:
    assert find(gazetteer, f"Here: {form} and more.", {form: "person"}) == {}


def test_a_place_known_by_its_name_is_no_person(gazetteer: Gazetteer) -> None:
    found = find(gazetteer, "Marines are training in Darwin this year.", {"Darwin": "person"})
    assert found["Darwin"].kind == "place"


def test_initials_are_written_one_way(gazetteer: Gazetteer) -> None:
    for written in ("D K Zumbakumar", "D.K. Zumbakumar", "D. K. Zumbakumar"):
        assert find(gazetteer, f"Mr {written} spoke.", {written: "person"}).keys() == {"D. K. Zumbakumar"}


def test_two_people_of_one_family_stay_two(gazetteer: Gazetteer) -> None:
    body = "Anna Zumba and Berta Zumba met. Zumba laughed. Berta cried."
    found = find(gazetteer, body, {"Anna Zumba": "person", "Berta Zumba": "person"})
    assert {name: detail.mentions for name, detail in found.items()} == {"Anna Zumba": 1, "Berta Zumba": 2}
