"""Failures by the real commands: listed, shown, replayed through the same graph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.conftest import Newsbeam, balances
from tests.unit.loopback import Site

PAGE = """<!doctype html><html><head><title>{0}</title></head><body><article><h1>{0}</h1>
<p>The ministers of three countries met on Monday and agreed to keep the shipping lanes open, officials said.</p>
<p>They will meet again in spring, when the agreement on {0} is to be reviewed by all sides together.</p>
</article></body></html>"""
FEED = """<?xml version='1.0'?><rss version='2.0'><channel><title>T</title>
<item><link>{0}/a/1</link><guid isPermaLink='false'>one</guid></item>
<item><link>{0}/a/2</link><guid isPermaLink='false'>two</guid></item>
<item><link>{0}/a/3</link><guid isPermaLink='false'>three</guid><title>Shipping lanes</title></item>
</channel></rss>"""


@pytest.fixture
def site() -> Iterator[Site]:
    """Two entries without title, whose pages are not there, and a good one."""
    with Site({"/a/3": PAGE.format("Shipping lanes")}) as site:
        site.routes["/feed"] = FEED.format(site.url("/").rstrip("/"))
        yield site


@pytest.fixture
def feeds(site: Site, tmp_path: Path) -> Path:
    path = tmp_path / "feeds.yaml"
    path.write_text(yaml.safe_dump({"feeds": [{"url": site.url("/feed"), "id": "stand"}]}))
    return path


def ingest(newsbeam: Newsbeam, feeds: Path) -> dict[str, Any]:
    ran = newsbeam("ingest", "--feeds", feeds, "--now", "--json")
    assert "Traceback" not in ran.err, ran.err
    assert balances(ran.document), ran.document
    return ran.document


def listed(newsbeam: Newsbeam, *arguments: object) -> dict[str, dict[str, Any]]:
    ran = newsbeam("failures", "list", *arguments, "--json")
    assert ran.code == 0, ran.err
    return {failure["key"]: failure for failure in ran.documents}


def test_failures_are_listed_shown_and_replayed(site: Site, feeds: Path, newsbeam: Newsbeam) -> None:
    line = ingest(newsbeam, feeds)
    assert (line["outcomes"]["new"], line["outcomes"]["failed"]) == (1, {"http_404": 2})

    failures = listed(newsbeam)
    assert set(failures) == {"one", "two"}
    assert failures["one"]["reason"] == "http_404" and failures["one"]["link"] == site.url("/a/1")
    assert set(listed(newsbeam, "--reason", "http_404", "--feed", "stand")) == {"one", "two"}
    assert listed(newsbeam, "--reason", "timeout") == listed(newsbeam, "--feed", "other") == {}
    assert len(listed(newsbeam, "--limit", "1")) == 1
    table = newsbeam("failures", "list")
    assert failures["one"]["row"] in table.out and "http_404" in table.out and site.url("/a/1") in table.out

    row_id = failures["one"]["row"]
    shown = newsbeam("failures", "show", row_id, "--json").document
    assert shown["entry"]["link"] == site.url("/a/1") and shown["detail"].startswith("fetch:")
    text = newsbeam("failures", "show", row_id).out
    assert "http_404" in text and site.url("/a/1") in text

    still = newsbeam("failures", "replay", row_id, "--json")  # nothing has changed there
    assert still.document["outcomes"]["failed"] == {"http_404": 1} and still.code == 1
    assert balances(still.document) and set(listed(newsbeam)) == {"one", "two"}

    site.routes["/a/1"] = PAGE.format("A late page")
    ran = newsbeam("failures", "replay", row_id, "--json")
    assert ran.code == 0, ran.err
    line = ran.document
    assert balances(line) and (line["reopened"], line["outcomes"]["new"], line["outcomes"]["failed"]) == (1, 1, {})
    assert set(listed(newsbeam)) == {"two"}
    (found,) = newsbeam("search", "late", "--json").documents
    assert found["title"] == "A late page"

    again = newsbeam("failures", "replay", row_id, "--json")
    assert again.code == 0 and balances(again.document)
    assert (again.document["reopened"], again.document["seen"], again.document["outcomes"]["new"]) == (0, 0, 0)
    assert len(newsbeam("export").documents) == 2
    assert newsbeam("store", "check").code == 0
    assert ingest(newsbeam, feeds)["outcomes"]["unchanged"] == 3


@pytest.mark.parametrize("chosen", [["--all"], ["--reason", "http_404"], ["--feed", "stand"]])
def test_many_are_replayed_at_once(site: Site, feeds: Path, newsbeam: Newsbeam, chosen: list[str]) -> None:
    ingest(newsbeam, feeds)
    site.routes |= {"/a/1": PAGE.format("A late page"), "/a/2": PAGE.format("A later page")}
    ran = newsbeam("failures", "replay", *chosen)
    assert ran.code == 0 and "the ledger balances" in ran.out, ran
    assert listed(newsbeam) == {}
    assert len(newsbeam("export").documents) == 3
    assert newsbeam("store", "check").code == 0


def test_a_replay_that_was_cut_short_goes_on(site: Site, feeds: Path, newsbeam: Newsbeam, tmp_path: Path) -> None:
    """It died between putting the rows back and carrying them: they are in the inbox, and the next one takes them."""
    from newsbeam.records import now_ms
    from newsbeam.stores import open_store

    ingest(newsbeam, feeds)
    store = open_store(f"sqlite:///{tmp_path / 'newsbeam.db'}")
    store.reopen_rows([failed.row.id for failed in store.failures()], now_ms())
    store.close()
    site.routes |= {"/a/1": PAGE.format("A late page"), "/a/2": PAGE.format("A later page")}
    line = newsbeam("failures", "replay", "--all", "--json").document
    assert balances(line) and (line["reopened"], line["carried"], line["outcomes"]["new"]) == (0, 2, 2)


def test_wrong_use_is_one_clear_line(feeds: Path, newsbeam: Newsbeam) -> None:
    ingest(newsbeam, feeds)
    for arguments in (
        ("show", "nothing"),
        ("replay",),
        ("replay", "nothing"),
        ("replay", "--all", "--reason", "http_404"),
        ("list", "--limit", "0"),
    ):
        ran = newsbeam("failures", *arguments)
        assert ran.code == 2 and ran.err.startswith("newsbeam: ") and ran.err.count("\n") == 1, ran
        assert ran.out == ""
    assert len(listed(newsbeam)) == 2
