"""Delete, prune and retag by the real commands, on articles that came by the real path."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from newsbeam.pool import stop_shared_pool
from tests.integration.conftest import Newsbeam, balances
from tests.unit.loopback import Site

PAGE = """<!doctype html><html lang="en"><head><title>{0}</title>{2}</head><body><article><h1>{0}</h1>
<p>{1} The ministers of three countries met on Monday, officials said, and agreed to meet again in spring.</p>
<p>They spoke for two hours about {0}, and about what is to be done before the agreement is reviewed.</p>
</article></body></html>"""
SUBJECTS = {
    "whales": "Whales were counted off the coast of Norway.",
    "bridges": "Bridges are to be repaired in Oslo.",
    "orchards": "Orchards in the valley had a good year.",
}
RULES = """
topics:
  - {id: whaling, label: Whaling, rules: [{name: whales, weight: 0.9, all: [{phrases: [whale*]}]}]}
  - {id: building, label: Building, rules: [{name: bridges, weight: 0.9, all: [{phrases: [bridge*]}]}]}
"""


class Press:
    """Two publishers with one feed each at /feed; the pages of the second name canonical addresses."""

    def __init__(self, directory: Path) -> None:
        self.sites = {"fjord": Site(), "harbour": Site()}
        self.ages = dict.fromkeys(SUBJECTS, 1)  # in days
        self.words, self.at = dict(SUBJECTS), datetime.now(UTC)
        self.config = directory
        feeds = [
            {"url": site.url("/feed"), "id": name, "source": {"name": name.title(), "domain": f"{name}.example"}}
            for name, site in self.sites.items()
        ]
        (directory / "feeds.yaml").write_text(yaml.safe_dump({"feeds": feeds}))
        self.publish()

    def publish(self) -> None:
        """Puts feeds and pages up; entries whose words are others have changed."""
        for name, site in self.sites.items():
            items = ""
            for subject, words in self.words.items():
                url, title = site.url(f"/a/{subject}"), f"{subject.title()} of the {name}"
                date = format_datetime(self.at - timedelta(days=self.ages[subject]))
                head = f"<link rel='canonical' href='{site.url(f'/story/{subject}')}'>" if name == "harbour" else ""
                site.routes[f"/a/{subject}"] = PAGE.format(title, words, head)
                items += f"<item><title>{title}</title><link>{url}</link><pubDate>{date}</pubDate>"
                items += f"<description>{words}</description></item>"
            site.routes["/feed"] = f"<rss version='2.0'><channel><title>{name}</title>{items}</channel></rss>"

    def url(self, name: str, subject: str) -> str:
        return self.sites[name].url(f"/a/{subject}")


@pytest.fixture
def config(tmp_path: Path, repo: Path) -> Path:
    directory = tmp_path / "config"
    directory.mkdir()
    shutil.copytree(repo / "config" / "entities", directory / "entities")
    (directory / "topics.yaml").write_text(RULES)
    (directory / "settings.yaml").write_text("models: {}\n")  # quick to load; known names are enough here
    return directory


@pytest.fixture
def press(config: Path) -> Iterator[Press]:
    press = Press(config)
    yield press
    for site in press.sites.values():
        site.close()


def ingest(newsbeam: Newsbeam, press: Press) -> dict[str, Any]:
    ran = newsbeam("ingest", "--config", press.config, "--now", "--json")
    assert ran.code == 0, ran.err
    assert balances(ran.document), ran.document
    return ran.document["outcomes"]


def documents(newsbeam: Newsbeam) -> dict[str, dict[str, Any]]:
    return {document["title"]: document for document in newsbeam("export").documents}


def done(ran: Any) -> dict[str, Any]:
    assert ran.code == 0, ran.err
    return ran.document


def is_well(newsbeam: Newsbeam) -> bool:
    return newsbeam("store", "check").code == 0


# --- delete


@pytest.mark.parametrize("by", ["id", "url"])
def test_delete_one(press: Press, newsbeam: Newsbeam, by: str) -> None:
    ingest(newsbeam, press)
    url = press.url("harbour", "whales")
    name = newsbeam("show", url, "--json").document["id"] if by == "id" else url

    dry = newsbeam("delete", name, "--dry-run", "--json")
    assert done(dry)["url"] == url and len(documents(newsbeam)) == 6

    ran = newsbeam("delete", name, "--json")
    assert done(ran) == {"deleted": 1} and ran.err.startswith("1 articles")
    assert "Whales of the harbour" not in documents(newsbeam) and len(documents(newsbeam)) == 5
    assert newsbeam("show", url).code == 2
    assert len(newsbeam("search", "whales", "--json").documents) == 1
    assert done(newsbeam("delete", name, "--json")) == {"deleted": 0}
    assert is_well(newsbeam)


def test_delete_by_source_and_query(press: Press, newsbeam: Newsbeam) -> None:
    ingest(newsbeam, press)
    assert done(newsbeam("delete", "--source", "fjord.example", "--query", "whales", "--json")) == {"deleted": 1}
    assert done(newsbeam("delete", "--query", "bridges -orchards", "--json")) == {"deleted": 2}
    dry = newsbeam("delete", "--source", "Harbour", "--dry-run")
    assert dry.code == 0 and "Orchards of the harbour" in dry.out and "2 articles match" in dry.err
    ran = newsbeam("delete", "--source", "Harbour")
    assert ran.code == 0 and ran.out == "2 articles deleted\n"
    assert set(documents(newsbeam)) == {"Orchards of the fjord"}
    assert is_well(newsbeam)


def test_wrong_use_of_delete_is_one_clear_line(press: Press, newsbeam: Newsbeam) -> None:
    ingest(newsbeam, press)
    url = press.url("fjord", "whales")
    for arguments in (
        (),
        (url, "https://nowhere.example/x"),
        (url, "--query", "x"),
        ("--query", " "),
        ("--source", ""),
    ):
        ran = newsbeam("delete", *arguments)
        assert ran.code == 2 and ran.err.startswith("newsbeam: ") and ran.err.count("\n") == 1, ran
    assert len(documents(newsbeam)) == 6


def test_what_was_deleted_does_not_come_back(press: Press, newsbeam: Newsbeam, tmp_path: Path) -> None:
    ingest(newsbeam, press)
    assert done(newsbeam("delete", "--query", "whales", "--json")) == {"deleted": 2}

    assert ingest(newsbeam, press)["unchanged"] == 6
    press.words["whales"] += " More came in the evening."
    press.publish()  # the entries change, and so do the pages
    outcomes = ingest(newsbeam, press)
    assert outcomes["skipped"] == {"deleted": 2} and outcomes["new"] == 0, outcomes
    for name, site in press.sites.items():  # the pages are gone, and the entries change once more
        site.routes["/a/whales"] = 410
        site.routes["/feed"] = str(site.routes["/feed"]).replace("in the evening", f"at night, the {name} says")
    outcomes = ingest(newsbeam, press)
    assert outcomes["skipped"] == {"deleted": 2} and outcomes["new"] == 0, outcomes

    lines = [
        {"url": press.url(name, "whales"), "title": f"Whales of the {name}", "text": SUBJECTS["whales"] * 5}
        for name in press.sites
    ]
    (tmp_path / "archive.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    line = done(newsbeam("backfill", tmp_path / "archive.jsonl", "--config", press.config, "--json"))
    assert balances(line) and line["outcomes"]["skipped"] == {"deleted": 2}, line

    assert newsbeam("search", "whales", "--json").documents == []
    assert len(documents(newsbeam)) == 4 and is_well(newsbeam)


def test_nothing_of_a_deleted_text_is_left_in_the_file(press: Press, newsbeam: Newsbeam, tmp_path: Path) -> None:
    """Neither in the articles, nor in former contents, rows, the words of the index, freed pages or the journal."""
    secrets = [b"quokkaphone", b"zebrafinchly"]
    press.words["whales"] = f"{SUBJECTS['whales']} The {secrets[0].decode()} was heard. " * 40
    press.publish()
    ingest(newsbeam, press)
    press.words["whales"] = f"{SUBJECTS['whales']} The {secrets[1].decode()} was seen. " * 40
    press.publish()
    assert ingest(newsbeam, press)["revised"] == 2
    kept = "wombats"
    press.words = {"whales": press.words["whales"], "bridges": f"Bridges for {kept}.", "orchards": ""}
    press.publish()
    ingest(newsbeam, press)

    def left() -> list[bytes]:
        data = b"".join(file.read_bytes() for file in tmp_path.glob("newsbeam.db*"))
        return [word for word in (*secrets, kept.encode()) if word[:8] in data]

    assert left() == [*secrets, kept.encode()]
    assert done(newsbeam("delete", "--query", "whales", "--json")) == {"deleted": 2}
    assert left() == [kept.encode()]
    assert is_well(newsbeam)


# --- prune


def test_prune_keeps_the_books_and_what_is_in_feeds_stays_known(press: Press, newsbeam: Newsbeam) -> None:
    press.ages |= {"whales": 100, "bridges": 30}
    press.publish()
    ingest(newsbeam, press)

    dry = done(newsbeam("prune", "--older-than", "90d", "--dry-run", "--json"))
    assert (dry["articles"], dry["rows"], dry["polls"], dry["dry_run"]) == (2, 0, 0, True)
    assert len(documents(newsbeam)) == 6

    line = done(newsbeam("prune", "--older-than", "90d", "--json"))
    assert {**line, "before": ""} == {**dry, "dry_run": False, "before": ""}
    assert len(documents(newsbeam)) == 4 and is_well(newsbeam)
    assert newsbeam("search", "whales", "--json").documents == []
    assert ingest(newsbeam, press) == {"new": 0, "revised": 0, "unchanged": 6, "skipped": {}, "failed": {}}

    ran = newsbeam("prune", "--older-than", "0d")
    assert ran.code == 0 and ran.out.startswith("pruned: 4 articles") and "6 entry rows, 4 polls" in ran.out, ran
    assert documents(newsbeam) == {} and is_well(newsbeam)
    assert ingest(newsbeam, press)["unchanged"] == 6
    assert done(newsbeam("store", "status", "--json"))["rows"] == 0
    press.words["whales"] += " More came in the evening."
    press.publish()
    assert ingest(newsbeam, press)["new"] == 2, "what its feed changes is news"
    assert is_well(newsbeam)


def test_wrong_use_of_prune_is_one_clear_line(press: Press, newsbeam: Newsbeam) -> None:
    ingest(newsbeam, press)
    for arguments in ((), ("--older-than", "soon"), ("--older-than", "2999-01-01")):
        ran = newsbeam("prune", *arguments)
        assert ran.code == 2 and ran.err.startswith("newsbeam: ") and ran.err.count("\n") == 1, ran
    assert len(documents(newsbeam)) == 6


# --- retag


def in_place(document: dict[str, Any]) -> bool:
    """Whether evidence and entities say where they are."""
    found = [(evidence, [evidence["text"]]) for topic in document["topic_details"] for evidence in topic["evidence"]]
    found += [(span, detail["forms"]) for detail in document["entity_details"] for span in detail["spans"]]
    return all(document[place["field"]][place["start"] : place["end"]] in texts for place, texts in found)


def test_retag_changes_what_the_rules_touch(press: Press, newsbeam: Newsbeam) -> None:
    ingest(newsbeam, press)
    before = documents(newsbeam)
    assert before["Whales of the fjord"]["topics"] == ["whaling"]
    assert done(newsbeam("retag", "--config", press.config, "--json"))["changed"] == 0

    rules = RULES + "  - {id: fruit, label: Fruit, rules: [{name: o, weight: 0.9, all: [{phrases: [orchard*]}]}]}\n"
    (press.config / "topics.yaml").write_text(rules.replace("bridge*", "nothing like it"))
    line = done(newsbeam("retag", "--config", press.config, "--json"))
    assert (line["seen"], line["changed"], line["overtaken"], line["failed"]) == (6, 4, 0, 0)

    after = documents(newsbeam)
    for title, document in after.items():
        subject = title.split()[0].lower()
        assert document["topics"] == {"whales": ["whaling"], "bridges": [], "orchards": ["fruit"]}[subject]
        assert in_place(document)
        if subject == "whales":
            assert document == before[title], "its topic says the same"
        else:
            changed = {name for name in document if document[name] != before[title][name]}
            assert changed == {"topics", "topic_details", "version", "indexed_at"}
    assert len(after["Orchards of the fjord"]["topic_details"][0]["evidence"]) > 1
    assert len(newsbeam("search", "--topic", "fruit", "--json").documents) == 2

    again = newsbeam("retag", "--config", press.config)
    assert again.code == 0 and again.out == "0 of 6 articles changed\n"
    assert documents(newsbeam) == after and is_well(newsbeam)


def test_retag_finds_entities_anew(press: Press, newsbeam: Newsbeam) -> None:
    (press.config / "settings.yaml").unlink()  # with the model
    ingest(newsbeam, press)
    before = documents(newsbeam)
    assert done(newsbeam("retag", "--entities", "--config", press.config, "--json"))["changed"] == 0
    (press.config / "entities" / "own.yaml").write_text(
        "- {name: The Orchard Society, kind: organization, aliases: [Orchards]}\n"
    )
    topics = (
        RULES
        + "  - {id: fruit, label: Fruit, rules: [{name: o, weight: 0.9, all: [{entities: [The Orchard Society]}]}]}\n"
    )
    (press.config / "topics.yaml").write_text(topics)
    assert done(newsbeam("retag", "--config", press.config, "--json"))["changed"] == 0, "its entities are the old ones"

    stop_shared_pool()  # as a new command has a new one, which reads the gazetteer of now
    line = done(newsbeam("retag", "--entities", "--config", press.config, "--json"))
    assert (line["changed"], line["failed"]) == (2, 0)
    after = documents(newsbeam)
    for title, document in after.items():
        if title.startswith("Orchards"):
            assert "The Orchard Society" in document["organizations"] and document["topics"] == ["fruit"]
            assert in_place(document)
        else:
            assert document == before[title]
    assert done(newsbeam("retag", "--entities", "--config", press.config, "--json"))["changed"] == 0
    assert is_well(newsbeam)


def test_retag_beside_an_ingest_never_brings_back_older_content(
    press: Press, newsbeam: Newsbeam, tmp_path: Path
) -> None:
    """Content that is written between its reading and its writing stays, with the tags that ingest gave it."""
    from newsbeam.stores import open_store
    from newsbeam.topics import load_topics
    from pipelines import retag as tagging

    ingest(newsbeam, press)
    store = open_store(f"sqlite:///{tmp_path / 'newsbeam.db'}")
    press.words["bridges"] = "Bridges and whales, nothing else, and all of it new."
    press.publish()
    rules = RULES.replace("id: whaling", "id: cetaceans").replace("id: building", "id: works")
    (press.config / "topics.yaml").write_text(rules)

    ingested: list[Any] = []

    def annotate(articles: Any) -> Any:
        ingested.append(ingest(newsbeam, press))  # between this batch's reading and its writing
        return articles

    done = tagging.retag(store, load_topics(press.config), annotate=annotate)
    assert [outcomes["revised"] for outcomes in ingested] == [2]
    assert (done.seen, done.changed, done.overtaken) == (6, 2, 2), done
    for title, document in documents(newsbeam).items():
        if title.startswith("Bridges"):
            assert (document["revision"], "all of it new" in document["body"]) == (2, True)
            assert set(document["topics"]) == {"cetaceans", "works"}
        assert in_place(document)
    assert tagging.retag(store, load_topics(press.config)).changed == 0
    store.close()
    assert is_well(newsbeam)
