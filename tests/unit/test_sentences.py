"""Sentences and paragraphs: where they begin and end."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.sentences import split_paragraphs, split_sentences


def cut(text: str) -> list[str]:
    return [text[piece.start : piece.end] for piece in split_sentences(text)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["The ship left.", "It came back!", "Why?"],
        ["Mr. Ono met Gen. Li on Jan. 31 in St. Petersburg.", "They spoke for an hour."],
        ["The U.S. Navy sent J. R. Smith Jr. to Guam.", "He arrived on Monday."],
        ["It has bases in the U.S.", "The minister denied it."],
        ["“We need friends,” he said.", "“It is important.”", "Nobody answered."],
        ["Growth was 3.5 percent at 5 p.m. local time.", "Prices fell."],
        ["He asked: “Why now?”", "She did not say."],
        ["Talks went on … and on.", "Then they stopped..."],
        ["The firm (Acme Inc.) is in No. 10 Main St. today.", "It sells boats."],
        ["The bill passed by 6 to 5.", "India voted no.", "So did Section 2.", "Nobody cared."],
        ["No mark at the end"],
    ],
)  # fmt: skip
def test_sentences_end_where_a_reader_ends_them(sentences: list[str]) -> None:
    assert cut(" ".join(sentences)) == sentences


def test_scripts_without_spaces() -> None:
    sentences = ["岸田首相は訪米した。", "会談は「長かった。」", "と述べた。"]
    assert cut("".join(sentences)) == sentences


def test_paragraphs_are_apart_by_an_empty_line() -> None:
    text = "  One line\nand the next. Two.\n \n\nThree.\n"
    assert [text[start:end] for start, end in split_paragraphs(text)] == ["One line\nand the next. Two.", "Three."]
    assert [piece.paragraph for piece in split_sentences(text)] == [0, 0, 1]


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet=st.sampled_from('aB. !?\n\t"”’。US…')))
def test_nothing_but_white_space_is_lost(text: str) -> None:
    pieces = split_sentences(text)
    assert all(left.end <= right.start for left, right in pairwise(pieces))
    assert all(text[piece.start : piece.end].strip() == text[piece.start : piece.end] != "" for piece in pieces)
    kept = "".join(text[piece.start : piece.end] for piece in pieces)
    assert "".join(kept.split()) == "".join(text.split())
