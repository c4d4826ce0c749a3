"""Known names: loading, and finding them in a text."""

from __future__ import annotations

import pickle
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.errors import ConfigError
from newsbeam.gazetteer import Entry, Gazetteer, load_gazetteer, lower, plain

NAMES = """\
- {name: United States, kind: place, aliases: {en: [US, U.S., America]}, demonyms: [American, Americans], wikidata: Q30}
- {name: Korea, kind: place}
- {name: South Korea, kind: place, aliases: {ko: [한국]}}
- {name: Japan, kind: place, aliases: {ja: [日本]}}
- {name: Tokyo, kind: place, of: Japan}
- {name: Chad, kind: place}
- {name: Japan Sea, kind: place}
- {name: "Côte d'Ivoire", kind: place}
"""


@pytest.fixture
def gazetteer(tmp_path: Path) -> Gazetteer:
    return load(tmp_path, NAMES)


def load(tmp_path: Path, text: str) -> Gazetteer:
    (tmp_path / "entities").mkdir(exist_ok=True)
    (tmp_path / "entities" / "names.yaml").write_text(text, encoding="utf-8")
    return load_gazetteer(tmp_path)


def found(gazetteer: Gazetteer, text: str, language: str | None = "en") -> list[tuple[str, str]]:
    return [(text[match.start : match.end], match.entry.name) for match in gazetteer.find(text, language)]


def test_the_longest_name_from_the_left(gazetteer: Gazetteer) -> None:
    text = "South Korea’s ships, Korean ones and Korea on the Japan Sea"
    assert [name for _, name in found(gazetteer, text)] == ["South Korea", "Korea", "Japan Sea"]


def test_short_names_are_found_as_written_only(gazetteer: Gazetteer) -> None:
    assert found(gazetteer, "It tells us that the US and the U.S. agree; JAPAN TOO, CHAD NOT") == [
        ("US", "United States"), ("U.S.", "United States"), ("JAPAN", "Japan"),
    ]  # fmt: skip


def test_typographic_quotes_and_spaces_are_plain_ones(gazetteer: Gazetteer) -> None:
    assert found(gazetteer, "Côte d’Ivoire and South\u00a0Korea") == [
        ("Côte d’Ivoire", "Côte d'Ivoire"), ("South\u00a0Korea", "South Korea"),
    ]  # fmt: skip


def test_no_name_inside_a_word_but_in_scripts_without_spaces(gazetteer: Gazetteer) -> None:
    assert found(gazetteer, "Japanology, préJapan, USA") == []
    assert found(gazetteer, "在日本的韓国人", None) == [("日本", "Japan")]
    assert found(gazetteer, "한국은", "ko") == [("한국", "South Korea")]


def test_forms_of_one_language_stay_out_of_texts_in_another(gazetteer: Gazetteer) -> None:
    assert found(gazetteer, "LE US OPEN, Japan", "fr") == [("Japan", "Japan")]
    assert found(gazetteer, "Le US Open", "en-GB") == [("US", "United States")]
    assert found(gazetteer, "the US and 日本", None) == [("US", "United States"), ("日本", "Japan")]


def test_demonyms_are_a_group_that_belongs_to_its_country(gazetteer: Gazetteer) -> None:
    american = gazetteer.by_name["American"]
    assert (american.kind, american.of) == ("group", "United States")
    assert found(gazetteer, "Americans") == [("Americans", "American")]


def test_it_survives_pickling_after_use(gazetteer: Gazetteer) -> None:
    gazetteer.find("Japan")
    again = pickle.loads(pickle.dumps(gazetteer))
    assert again.__dict__.keys() == {"entries", "names"}, "the index is not sent"
    assert found(again, "Tokyo") == [("Tokyo", "Tokyo")]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("- {name: A, kind: place}\n- {name: B}", 2, "kind"),
        ("- {name: A, kind: city}", 1, "'city'"),
        ("- {name: A, kind: place, alias: [B]}", 1, "alias"),
        ("- {name: A, kind: place}\n- {name: A, kind: organization}", 2, "twice"),
        ("- {name: A, kind: place, aliases: [C]}\n- {name: B, kind: place, aliases: [C]}", 2, "'C'"),
        ("- {name: A, kind: place, of: Z}", 1, "'Z'"),
        ("- {name: A, kind: place, wikidata: 17}", 1, "wikidata"),
        ("- {name: A, kind: place, wikidata: L17}", 1, "Q17"),
        ("- name: A\n  kind: place\n  aliases: [B, 7]", 3, "7"),
        ("name: A", 1, "list"),
        ("- {name: ]}", 1, "YAML"),
        ("", 1, "empty"),
    ],
)
def test_a_wrong_file_says_where(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    message = str(caught.value)
    assert "names.yaml" in message and words in message and "\n" not in message
    assert words == "empty" or re.search(rf"names\.yaml:{line}\b", message), message


def test_the_shipped_names_load_and_each_has_one_kind(repo: Path) -> None:
    gazetteer = load_gazetteer(repo / "config")
    assert len(gazetteer.entries) > 500
    names = {entry.name: (entry.kind, entry.wikidata) for entry in gazetteer.entries}
    assert names["Japan"] == ("place", "Q17") and names["NATO"] == ("organization", "Q7184")
    assert names["South Korea"] == ("place", "Q884") and names["Chinese"][0] == "group"
    text = "Tokyo, Seoul, DPRK, Filipinos, the Association of Southeast Asian Nations, the Indo-Pacific"
    assert [match.entry.name for match in gazetteer.find(text, "en")] == [
        "Tokyo", "Seoul", "North Korea", "Philippine", "ASEAN", "Indo-Pacific",
    ]  # fmt: skip


def test_many_names_and_more_aliases(tmp_path: Path) -> None:
    text = "- {name: Japan, kind: place}\n- {kind: place, of: Japan, names: [Ota, Kure]}\n"
    text += "- {also: Japan, aliases: {fr: [Japon]}}\n"
    gazetteer = load(tmp_path, text)
    assert {entry.name: entry.of for entry in gazetteer.entries} == {"Japan": None, "Ota": "Japan", "Kure": "Japan"}
    assert found(gazetteer, "Japon, Kure", "fr") == [("Japon", "Japan"), ("Kure", "Kure")]
    assert found(gazetteer, "Japon, Kure", None) == [("Kure", "Kure")]
    for wrong, words in (
        ("- {also: B, aliases: [C]}", "'B'"),
        ("- {kind: place, names: [A], wikidata: Q1}", "wikidata"),
    ):
        with pytest.raises(ConfigError, match=words):
            load(tmp_path, wrong)


@pytest.mark.parametrize(
    ("language", "text", "names"),
    [
        (
            "ja",
            "岸田首相は北京で習近平氏と会い、北朝鮮と南シナ海について話した",
            "Kishida Fumio|Beijing|Xi Jinping|North Korea|South China Sea",
        ),
        ("zh", "北约秘书长与日本首相讨论台海和乌克兰", "NATO|Japan|Taiwan Strait|Ukraine"),
        ("ko", "윤석열 대통령은 도쿄에서 북한과 나토를", "Yoon Suk Yeol|Tokyo|North Korea|NATO"),
        ("fr", "L’OTAN et la Corée du Sud à Pékin", "NATO|South Korea|Beijing"),
        ("de", "Die Vereinigten Staaten und Südkorea in Brüssel", "United States|South Korea|Brussels"),
        ("es", "Japón y Estados Unidos en la ONU", "Japan|United States|United Nations"),
        ("pt", "Coreia do Norte e Rússia em Moscou", "North Korea|Russia|Moscow"),
        ("id", "Jepang dan Amerika Serikat di Laut Cina Selatan", "Japan|United States|South China Sea"),
        ("vi", "Nhật Bản và Trung Quốc ở Biển Đông", "Japan|China|South China Sea"),
        ("ru", "Глава НАТО в Киеве о Китае и Японии", "NATO|Kyiv|China|Japan"),
        ("ar", "اليابان وروسيا في الأمم المتحدة", "Japan|Russia|United Nations"),
        ("th", "ญี่ปุ่นและอาเซียน", "Japan|ASEAN"),
        ("hi", "जापान और भारत", "Japan|India"),
    ],
)
def test_names_in_other_languages(repo: Path, language: str, text: str, names: str) -> None:
    assert [match.entry.name for match in load_gazetteer(repo / "config").find(text, language)] == names.split("|")


@settings(deadline=None, max_examples=100)
@given(st.text(), st.lists(st.text(min_size=1, max_size=4), max_size=6))
def test_matches_are_in_order_and_read_as_a_form(text: str, forms: list[str]) -> None:
    entries = [Entry(form, "other", {"": (form,)}) for form in forms]
    matches = Gazetteer(entries).find(text)
    assert all(left.end <= right.start for left, right in pairwise(matches))
    assert all(plain(text[m.start : m.end]) == plain(m.entry.name) for m in matches)


@settings(deadline=None, max_examples=200)
@given(st.text())
def test_plain_and_lower_keep_offsets(text: str) -> None:
    assert len(plain(text)) == len(text) == len(lower(text))


def test_lower_keeps_offsets_of_the_dotted_capital_i() -> None:
    assert lower("İSTANBUL and Ab") == "İstanbul and ab"
