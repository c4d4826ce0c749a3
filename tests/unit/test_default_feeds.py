"""The list of feeds that newsbeam comes with: config/feeds.yaml."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from newsbeam.records import Feed
from newsbeam.settings import COUNTRIES, load_settings

HTTP_ONLY = {"xinhua-world"}
PROXIED = {"focus-taiwan"}  # its agency publishes through FeedBurner only

# ISO 639-1, those that the list has: another one is to be looked up first.
LANGUAGES = {"de", "en", "es", "fr", "id", "ja", "ko", "pt", "zh"}


@pytest.fixture(scope="module")
def feeds(repo: Path) -> tuple[Feed, ...]:
    return load_settings(repo / "config").feeds


@pytest.fixture(scope="module")
def vocabulary(repo: Path) -> dict[str, set[str]]:
    """The tags that the head of the file documents, by their sort."""
    head = (repo / "config" / "feeds.yaml").read_text(encoding="utf-8").partition("\ndefaults:")[0]
    text = re.sub(r"\n# *", " ", head)
    found = re.search(r"regions: (?P<regions>[a-z, -]+?) kinds: (?P<kinds>[a-z, -]+)", text)
    assert found
    return {sort: {tag.strip() for tag in tags.split(",")} for sort, tags in found.groupdict().items()}


@pytest.fixture(scope="module")
def listed(shared_data: Path) -> list[dict[str, str]]:
    """The rows of the shared list of Asia-Pacific and defence feeds."""
    with (shared_data / "feedlists" / "defence-apac" / "feeds.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def address(url: str) -> str:
    """An address without what makes no other feed of it: scheme, www and a closing slash."""
    return re.sub(r"^https?://(www\.)?", "", url).rstrip("/").lower()


def reported_dead(row: dict[str, str]) -> set[str]:
    """The addresses that a row of the shared list says to be dead: its own, or others named in its note."""
    dead = {urljoin(row["url"], found) for found in re.findall(r"(\S*/\S+) reported dead", row["note"])}
    if row["note"].startswith("reported dead") or "RSS ended" in row["note"]:
        dead.add(row["url"])
    return {address(url) for url in dead}


def test_it_is_long_enough(feeds: tuple[Feed, ...]) -> None:
    assert sum(feed.enabled for feed in feeds) >= 60


def test_no_feed_is_there_twice(feeds: tuple[Feed, ...]) -> None:
    assert len({feed.id for feed in feeds}) == len(feeds)
    assert len({address(feed.url) for feed in feeds}) == len(feeds)


def test_ids_are_short_and_do_not_hang_on_the_address(feeds: tuple[Feed, ...]) -> None:
    short = re.compile(r"(?!.{26})[a-z0-9]+(-[a-z0-9]+)*")
    assert [feed.id for feed in feeds if not short.fullmatch(feed.id)] == []


def test_each_says_where_it_comes_from_and_its_language(feeds: tuple[Feed, ...]) -> None:
    assert [feed.id for feed in feeds if feed.source.country not in COUNTRIES] == []
    assert [feed.id for feed in feeds if feed.language not in LANGUAGES] == []
    assert {feed.language for feed in feeds if feed.enabled} == LANGUAGES


def test_a_publisher_is_one_source(feeds: tuple[Feed, ...]) -> None:
    by_id = {feed.source.id: feed.source for feed in feeds}
    assert [feed.id for feed in feeds if feed.source != by_id[feed.source.id]] == []
    assert len({source.name for source in by_id.values()}) == len(by_id)
    assert sum(feed.source.id == "scmp.com" for feed in feeds) > 1


def test_tags_are_those_documented_a_region_and_a_kind_at_least(
    feeds: tuple[Feed, ...], vocabulary: dict[str, set[str]]
) -> None:
    regions, kinds = vocabulary["regions"], vocabulary["kinds"]
    assert not regions & kinds
    for feed in feeds:
        assert len(set(feed.tags)) == len(feed.tags) and set(feed.tags) <= regions | kinds, feed.id
        assert set(feed.tags) & regions and set(feed.tags) & kinds, feed.id


def test_enabled_feeds_cover_every_region_and_kind(feeds: tuple[Feed, ...], vocabulary: dict[str, set[str]]) -> None:
    used = {tag for feed in feeds if feed.enabled for tag in feed.tags}
    assert used == vocabulary["regions"] | vocabulary["kinds"]
    assert {"asia-pacific", "japan", "korea", "china", "taiwan", "southeast-asia", "world"} <= vocabulary["regions"]
    assert {"news", "wire", "official", "defence"} <= vocabulary["kinds"]


def test_wires_are_polled_often_and_official_sources_hourly(feeds: tuple[Feed, ...]) -> None:
    assert [feed.id for feed in feeds if "wire" in feed.tags and not 300 <= feed.every <= 600] == []
    assert [feed.id for feed in feeds if {"official", "think-tank"} & set(feed.tags) and feed.every != 3600] == []
    assert min(feed.every for feed in feeds) >= 300


def test_addresses_are_https_and_the_publishers_own(feeds: tuple[Feed, ...]) -> None:
    assert {feed.id for feed in feeds if not feed.url.startswith("https://")} == HTTP_ONLY
    proxies = ("feedburner.com", "rsshub.app", "news.google.com", "openrss.org", "rss.app")
    assert {feed.id for feed in feeds if (urlsplit(feed.url).hostname or "").endswith(proxies)} == PROXIED


def test_none_needs_a_key(feeds: tuple[Feed, ...]) -> None:
    assert [feed.id for feed in feeds if feed.credentials] == []
    assert [feed.id for feed in feeds if re.search(r"(?i)api_?key|token|auth", feed.url)] == []


def test_a_feed_that_is_off_says_why(feeds: tuple[Feed, ...], repo: Path) -> None:
    lines = (repo / "config" / "feeds.yaml").read_text(encoding="utf-8").splitlines()
    off = [line for line in lines if "enabled: false" in line]
    assert len(off) == sum(not feed.enabled for feed in feeds)
    assert [line for line in off if not re.search(r"false # \w+", line)] == []


def test_the_page_about_it_has_its_figures(feeds: tuple[Feed, ...], repo: Path) -> None:
    text = " ".join((repo / "docs" / "feeds.md").read_text(encoding="utf-8").split())
    enabled = [feed for feed in feeds if feed.enabled]
    assert f"{len(feeds)} feeds of {len({feed.source.id for feed in feeds})} publishers" in text
    english = sum(feed.language == "en" for feed in enabled)
    assert f"{english} of the {len(enabled)} are in English" in text
    assert [
        name
        for name in re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", text)
        if name not in {feed.id for feed in feeds} | {tag for feed in feeds for tag in feed.tags}
    ] == []


def test_none_is_one_that_the_shared_list_reports_dead(feeds: tuple[Feed, ...], listed: list[dict[str, str]]) -> None:
    dead = set[str]().union(*map(reported_dead, listed))
    assert {"english.kyodonews.net/rss/news.xml", "taipeitimes.com/xml/pda.rss", "asia.nikkei.com/rss"} <= dead
    assert [feed.id for feed in feeds if address(feed.url) in dead] == []


def test_what_the_shared_list_has_as_unverified_is_off(feeds: tuple[Feed, ...], listed: list[dict[str, str]]) -> None:
    unverified = {address(row["url"]) for row in listed if row["note"].startswith("unverified")}
    assert unverified
    assert [feed.id for feed in feeds if feed.enabled and address(feed.url) in unverified] == []


def test_most_of_the_shared_list_is_in(feeds: tuple[Feed, ...], listed: list[dict[str, str]]) -> None:
    have = {address(feed.url) for feed in feeds}
    assert sum(address(row["url"]) in have for row in listed) >= 0.75 * len(listed)
