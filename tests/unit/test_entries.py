"""Items as entries: their keys, and how much of them is kept."""

from __future__ import annotations

import pytest

from newsbeam.entries import Item, make_entries
from newsbeam.records import Entry, from_iso

NOW = from_iso("2026-11-24T12:00:00Z")


def made(item: Item) -> Entry:
    (entry,) = make_entries([item], base="", now=NOW)
    return entry


NOTHING = Item("", [], "", "", "")


@pytest.mark.parametrize("item", [NOTHING._replace(title="T"), NOTHING._replace(text="T")])
def test_a_key_has_no_characters_that_stores_refuse(item: Item) -> None:
    keys = [made(item._replace(published=date)).key for date in ("1 \x00\ud800 May\u202e", " 1 May ")]
    assert keys[0] == keys[1] and keys[0].endswith(":1 May")


def test_long_guids_end_in_a_digest() -> None:
    guids = [made(NOTHING._replace(guid="x" * 5_000 + end)) for end in "ab"]
    assert guids[0].guid != guids[1].guid and guids[0].key != guids[1].key
    assert all((len(entry.guid), len(entry.key)) == (2_048, 512) for entry in guids)
    assert made(NOTHING._replace(guid="x" * 2_048)).guid == "x" * 2_048


@pytest.mark.parametrize(("field", "limit"), [("title", 1_000), ("summary", 20_000), ("text", 200_000)])
def test_long_texts_are_cut_at_a_word(field: str, limit: int) -> None:
    words = ("word " * limit).strip()
    entry = made(NOTHING._replace(**{field: words}))
    kept = getattr(entry, field)
    assert limit - 5 < len(kept) <= limit and words.startswith(kept + " ") and entry.labels == (f"{field} cut",)
    whole = made(NOTHING._replace(**{field: "x" * limit}))
    assert len(getattr(whole, field)) == limit and whole.labels == ()
    assert len(getattr(made(NOTHING._replace(**{field: "字" * (limit + 1)})), field)) == limit


def test_long_texts_are_cut_at_a_paragraph_that_is_not_too_far() -> None:
    assert made(NOTHING._replace(summary="a " * 6_000 + "b\n\n" + "c " * 9_000)).summary.endswith("a b")
    assert made(NOTHING._replace(summary="b\n\n" + "c " * 20_000)).summary.endswith("c")


@pytest.mark.timeout(20)
def test_a_language_is_short() -> None:
    assert made(NOTHING._replace(language="en" + "-abcd" * 100_000)).language is None
    assert made(NOTHING._replace(language="zh-Hans-CN")).language == "zh-hans-cn"
