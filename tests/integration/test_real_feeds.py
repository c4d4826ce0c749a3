"""Captured feeds of real publishers over loopback, their pages missing."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tests.integration.conftest import Newsbeam, balances
from tests.unit.loopback import Answer, Site

_ADDRESS = re.compile(rb"(xmlns[\w:]*\s*=\s*[\"'])?https?://([\w.-]+)")


def local(body: bytes, site: Site) -> bytes:
    """A captured feed whose addresses lead to the test's own site: no test asks a real publisher."""
    base = site.url("/").encode()
    return _ADDRESS.sub(lambda found: found[0] if found[1] else base + found[2], body)


def test_every_entry_of_the_captured_feeds_is_in_the_ledger(
    shared_data: Path, newsbeam: Newsbeam, tmp_path: Path
) -> None:
    files = sorted((shared_data / "feeds" / "codehollow").glob("*.xml"))
    sites = [Site() for _ in files]
    try:
        for file, site in zip(files, sites, strict=True):
            site.routes["/feed"] = Answer(local(file.read_bytes(), site), headers={"Content-Type": "text/xml"})
        feeds = [{"url": site.url("/feed"), "id": file.stem} for file, site in zip(files, sites, strict=True)]
        (tmp_path / "feeds.yaml").write_text(yaml.safe_dump({"feeds": feeds}))

        first = newsbeam("ingest", "--feeds", tmp_path / "feeds.yaml", "--json")
        assert first.code == 0, first.err
        line = first.document
        print(line)
        assert balances(line) and line["inbox"] == 0 and line["feeds"] == len(files)
        assert line["feed_failures"] == {}
        assert line["seen"] >= 650
        assert line["labels"]["feed text only"] >= line["outcomes"]["new"] * 0.9

        asked = sum(len(site.requests) for site in sites)
        again = newsbeam("ingest", "--feeds", tmp_path / "feeds.yaml", "--now", "--json").document
        assert again["outcomes"] == {
            "new": 0, "revised": 0, "unchanged": again["seen"] - sum(again["outcomes"]["skipped"].values()),
            "skipped": again["outcomes"]["skipped"], "failed": {},
        }  # fmt: skip
        assert sum(len(site.requests) for site in sites) == asked + len(files)  # the feeds, and no page
        assert newsbeam("store", "check").code == 0
    finally:
        for site in sites:
            site.close()
