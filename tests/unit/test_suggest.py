"""Suggestions for the gazetteer, and the command that prints them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from newsbeam.gazetteer import Entry, Gazetteer
from newsbeam.records import Article, EntityDetail, Source
from newsbeam.suggest import Suggestion, suggest_aliases

ENTRIES = [
    Entry("Kishida Fumio", "person", {"": ("Kishida Fumio",)}),
    Entry("World Health Organization", "organization", {"": ("World Health Organization",)}),
    Entry("Volodymyr Zelensky", "person", {"": ("Volodymyr Zelensky",)}),
]


def article(number: int, *names: tuple[str, str], copy_of: str | None = None) -> Article:
    details = [EntityDetail(name, kind, 2, False, (name,), ()) for name, kind in names]
    base = Article(f"a{number}", 1, 1, "", "", Source("s"), "", "", "", "page", "", "")
    return base._replace(entity_details=details, copy_of=copy_of)


def test_suggestions_are_counted_by_article_and_sorted() -> None:
    names = [
        ("Fumio Kishida", "person"), ("WHO", "organization"), ("Volodymyr Zelenskyi", "person"),
        ("Acme", "organization"),
        ("Kishida Fumio", "person"),
    ]  # fmt: skip
    articles = [article(number, *names) for number in range(3)] + [article(9, ("Rare Name", "person"))]
    articles.append(article(10, ("Acme", "organization"), copy_of="a1"))
    assert suggest_aliases(articles, Gazetteer(ENTRIES)) == [
        Suggestion("Fumio Kishida", "person", "Kishida Fumio", 3, "the same words"),
        Suggestion("Volodymyr Zelenskyi", "person", "Volodymyr Zelensky", 3, "spelt alike"),
        Suggestion("WHO", "organization", "World Health Organization", 3, "its initials"),
        Suggestion("Acme", "organization", None, 3, "no such entry"),
    ]


def test_another_kind_is_another_entity() -> None:
    found = suggest_aliases([article(1, ("Fumio Kishida", "place"))], Gazetteer(ENTRIES), least=1)
    assert [item.of for item in found] == [None]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], repo: Path) -> None:
    from pipelines.cli import run

    store = f"sqlite:///{tmp_path / 'a.db'}"
    assert run(["store", "init", "--store", store]) == 0
    capsys.readouterr()
    assert run(["entities", "suggest", "--store", store, "--config", str(repo / "config")]) == 0
    assert capsys.readouterr().out == "nothing to suggest\n"
    assert run(["entities", "suggest", "--json", "--store", store, "--config", str(repo / "config")]) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == []
