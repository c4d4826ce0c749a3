"""`newsbeam backfill`: files of every kind, broken ones, kills in the middle."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Newsbeam, balances
from tests.unit.test_backfill import FEEDS
from tests.unit.test_warc import Archive

PAGE = """<!doctype html><html><head><title>{0}</title></head><body><article><h1>{0}</h1>
<p>The ministers of three countries met on Monday and agreed to keep the shipping lanes open, officials said.</p>
<p>They will meet again in spring, when the agreement on {0} is to be reviewed by all sides together.</p>
</article></body></html>"""
TEXT = (
    "Ministers of {0} and Japan met in Manila on Monday and signed a radar pact, officials said.\n\n"
    "The pact, number {1}, is to be reviewed in spring, and {0} will host the next meeting of the group."
)


def line(number: int, **fields: Any) -> str:
    country = ("Australia", "South Korea", "the Philippines", "Vietnam")[number % 4]
    document = {
        "url": f"https://pub{number % 7}.example/news/{number}",
        "title": f"Radar pact {number} signed with {country}",
        "text": TEXT.format(country, number),
        "published": f"2026-01-{number % 28 + 1:02d}T10:00:00Z",
    }
    return json.dumps({**document, **fields}, ensure_ascii=False)


def backfill(newsbeam: Newsbeam, *arguments: object) -> dict[str, Any]:
    ran = newsbeam("backfill", *arguments, "--json")
    assert ran.code in (0, 1) and "Traceback" not in ran.err, ran.err
    document = ran.document
    assert balances(document), document
    assert newsbeam("store", "check").code == 0
    return document


def test_every_kind_of_file_and_every_kind_of_damage(newsbeam: Newsbeam, tmp_path: Path) -> None:
    files: dict[str, bytes] = {
        "lines.jsonl": "\n".join([line(1), "{broken", line(2), line(1), "", '{"url": "https://a.example/x"}']).encode(),
        "packed.bin": gzip.compress((line(3) + "\n" + line(4)).encode()),
        "damaged.gz": gzip.compress((line(5) + "\n" + line(6)).encode())[:-9],
        "large.jsonl": (line(7) + "\n" + line(8, text="x" * 50_000_000) + "\n" + line(9)).encode(),
        "feed.txt": FEEDS["rss"],
        "page.html": b"<!doctype html><html><body>x</body></html>",
        "other.zip": b"PK\x03\x04" + bytes(100),
    }
    archive = Archive()
    archive.add("https://pub.example/w/1", PAGE.format("Radar pact").encode())
    archive.add("https://pub.example/w/2", status="404 Not Found")
    archive.add("https://pub.example/w/3", b"\x89PNG", content_type="image/png")
    archive.add("https://pub.example/w/4", PAGE.format("Strait talks").encode())
    archive.add("https://pub.example/w/5", kind="revisit")
    cut = archive.records[0][:150]
    files["pages.warc.gz"] = archive.bytes() + cut + archive.records[3]
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    paths = [tmp_path / name for name in files]

    first = backfill(newsbeam, *paths)
    outcomes = first["outcomes"]
    assert outcomes["failed"] == {
        "bad_json": 1, "bad_document": 1, "truncated": 2, "too_large": 1, "html": 1, "unknown_format": 1,
    }  # fmt: skip
    assert outcomes["skipped"] == {"duplicate": 2, "http 404": 1, "not html": 1, "revisit": 1}
    documents = {document["url"]: document for document in newsbeam("export").documents}
    numbers = {1, 2, 3, 4, 5, 6, 7, 9}
    assert set(documents) == {
        *(f"https://pub{number % 7}.example/news/{number}" for number in numbers),
        "https://www.a.example/1", "https://a.example/2", "https://pub.example/w/1", "https://pub.example/w/4",
    }  # fmt: skip
    assert outcomes["new"] == len(documents) == 12 and first["seen"] == 24
    assert first["labels"]["feed text only"] == 1

    page = documents["https://pub.example/w/1"]
    assert page["title"] == "Radar pact" and page["text_from"] == "page" and page["source"]["id"] == "pub.example"
    assert page["published_at"] is None and page["first_seen_at"] == "2024-05-06T07:08:09.000Z"
    summary = documents["https://www.a.example/1"]
    assert (summary["body"], summary["summary"], summary["text_from"]) == ("", "It was signed.", "feed")
    assert documents["https://a.example/2"]["body"].startswith("All of the text stands here")
    assert documents["https://pub1.example/news/1"]["published_at"] == "2026-01-02T10:00:00.000Z"

    again = backfill(newsbeam, *paths)
    outcomes = again["outcomes"]
    assert (outcomes["new"], outcomes["revised"], outcomes["failed"]) == (0, 0, {})
    assert again["seen"] == 24 and outcomes["unchanged"] == 19
    assert newsbeam("export").documents == list(documents.values())


def test_of_several_states_of_an_article_the_last_in_the_file_is_current(newsbeam: Newsbeam, tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text("\n".join(line(1, text=TEXT.format("Japan", state)) for state in ("one", "two", "three")))
    outcomes = backfill(newsbeam, path)["outcomes"]
    assert (outcomes["new"], outcomes["revised"]) == (1, 2)
    document = newsbeam("export").document
    assert document["revision"] == 3 and "number three" in document["body"]


def test_standard_input_and_source(newsbeam: Newsbeam, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").write_text(line(1, url=""))
    with (tmp_path / "in").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert backfill(newsbeam, "-", "--source", "The Wire")["outcomes"]["new"] == 1
    assert newsbeam("export").document["source"]["name"] == "The Wire"


def test_what_is_no_file_is_told_before_anything_is_read(newsbeam: Newsbeam, tmp_path: Path) -> None:
    (tmp_path / "good").write_text(line(1))
    for wrong in (tmp_path / "none", tmp_path):
        ran = newsbeam("backfill", tmp_path / "good", wrong)
        assert ran.code == 2 and len(ran.err.splitlines()) == 1 and str(wrong) in ran.err
    assert not (tmp_path / "newsbeam.db").exists()


def test_the_rate_is_told(newsbeam: Newsbeam, tmp_path: Path) -> None:
    (tmp_path / "lines").write_text(line(1))
    ran = newsbeam("backfill", tmp_path / "lines")
    assert ran.code == 0 and "1 entries, " in ran.err and "/s" in ran.err and "the ledger balances" in ran.out


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kills", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_killed_and_started_again_nothing_is_lost_or_doubled(
    kills: int, newsbeam: Newsbeam, tmp_path: Path, repo: Path
) -> None:
    """Killed with SIGKILL in the middle, the whole process group at once; broken lines stay failures."""
    count, broken = 400, range(0, 400, 50)
    path, store = tmp_path / "lines.jsonl", tmp_path / "newsbeam.db"
    path.write_text("\n".join(f"{{broken {n}" if n in broken else line(n) for n in range(count)))
    chance = random.Random(kills)
    for kill in range(kills):
        job = subprocess.Popen(
            [sys.executable, "-c", "from pipelines.cli import main; main()", "backfill", str(path)],
            cwd=repo, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + 120
        while job.poll() is None and time.monotonic() < deadline and _articles(store) <= kill * 50:
            time.sleep(0.02)  # until it has written some more
        time.sleep(chance.uniform(0, 0.5))
        if job.poll() is None:
            os.killpg(job.pid, signal.SIGKILL)
        job.communicate()
        if kill == 0:
            assert 0 < _articles(store) < count - len(broken), "not in the middle"
    last = backfill(newsbeam, path)
    assert last["inbox"] == 0
    documents = newsbeam("export").documents
    wanted = sorted(json.loads(line(n))["url"] for n in range(count) if n not in broken)
    assert sorted(document["url"] for document in documents) == wanted
    assert all(document["revision"] == 1 and len(document["feeds"]) == 1 for document in documents)
    ledger = newsbeam("store", "status", "--json").document["ledger"]
    assert ledger["new"] == len(wanted) and ledger["failed"] == {"bad_json": len(broken)} and ledger["inbox"] == 0
    again = backfill(newsbeam, path)
    assert again["seen"] == again["outcomes"]["unchanged"] == count


def _articles(store: Path) -> int:
    if not store.exists():
        return 0
    db = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    try:
        return int(db.execute("SELECT count(*) FROM articles").fetchone()[0])
    except sqlite3.OperationalError:  # it is being made
        return 0
    finally:
        db.close()


def test_a_broken_line_whose_job_died_before_it_was_put_on_record_is_no_article(
    newsbeam: Newsbeam, tmp_path: Path
) -> None:
    (tmp_path / "lines").write_text("{broken")
    assert backfill(newsbeam, tmp_path / "lines")["outcomes"]["failed"] == {"bad_json": 1}
    with sqlite3.connect(tmp_path / "newsbeam.db") as db:
        db.execute("UPDATE entries SET outcome = NULL, due_at = 0")
    db.close()
    last = backfill(newsbeam, tmp_path / "lines")
    assert sum(last["outcomes"]["failed"].values()) == 1 and last["inbox"] == 0
    assert newsbeam("export").documents == []


@pytest.mark.parametrize("titled", [True, False])
def test_the_example_article(titled: bool, newsbeam: Newsbeam, shared_data: Path, tmp_path: Path) -> None:
    text = (shared_data / "articles" / "000_03b1580d72243570.txt").read_text(encoding="utf-8")
    title = "NATO Chief Wants More Indo-Pacific ‘Friends’ as Russia, China Move Closer"
    document = {"url": "https://thediplomat.com/2023/02/nato-chief/", "text": text, "published": "2023-02-01"}
    (tmp_path / "lines").write_text(json.dumps({**document, "title": title} if titled else document))
    assert backfill(newsbeam, tmp_path / "lines")["outcomes"]["new"] == 1
    article = newsbeam("export").document
    assert article["title"] == title and title not in article["body"] and title not in article["summary"]
    assert article["body"].startswith("China’s growing assertiveness and collaboration with Russia poses a threat")
    assert "NATO" in article["organizations"]
    assert {"Japan", "South Korea", "China", "Russia"} <= set(article["places"])
    topics = {topic["id"]: topic for topic in article["topic_details"]}
    assert "indo-pacific-partnership" in article["topics"]
    evidence = topics["indo-pacific-partnership"]["evidence"]
    assert evidence
    for item in evidence:
        assert article[item["field"]][item["start"] : item["end"]] == item["text"]
    assert any("stronger cooperation" in item["text"] for item in evidence)


@pytest.mark.slow
def test_wikinews(newsbeam: Newsbeam, shared_data: Path, tmp_path: Path) -> None:
    articles: list[dict[str, str]] = []
    for file in sorted((shared_data / "articles" / "wikinews").glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as opened:
            articles += csv.DictReader(opened)
    assert len(articles) == 295
    path = tmp_path / "wikinews.jsonl"
    with path.open("w", encoding="utf-8") as out:
        for found in articles:
            out.write(json.dumps({**found, "published": found["date"], "source": "Wikinews"}) + "\n")
    first = backfill(newsbeam, path)
    assert first["seen"] == first["outcomes"]["new"] == 295
    again = backfill(newsbeam, path)
    assert again["seen"] == again["outcomes"]["unchanged"] == 295
    documents = newsbeam("export").documents
    assert sum(document["language"] == "en" for document in documents) == 295
    dates = sorted(document["published_at"][:10] for document in documents)
    assert dates == sorted(found["date"] for found in articles)
    assert all(document["@timestamp"] == document["published_at"] for document in documents)
    texts = [document for document in documents if "TEST_PAGE" not in document["url"]]
    assert len(texts) == 293
    assert all(document["title"] and document["words"] > 60 and document["entities"] for document in texts)
