"""feeds.yaml as a file that people keep, and OPML both ways."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsbeam.configfile import parse_yaml
from newsbeam.errors import ConfigError
from newsbeam.feedlist import add_feeds, address_key, duration, import_opml, read_list, to_feed, to_keys, write_list
from newsbeam.opml import write_opml
from newsbeam.records import Feed
from newsbeam.settings import read_feeds

A, B = {"url": "https://a.example/feed", "name": "A"}, {"url": "https://b.example/feed", "tags": ["x", "y: z"]}
ADDED = "- url: https://b.example/feed\n{0}  tags: [x, 'y: z']\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "feeds:\n  " + ADDED.format("  ")),
        ("# mine\n", "# mine\n\nfeeds:\n  " + ADDED.format("  ")),
        ("defaults: {language: en}", "defaults: {language: en}\n\nfeeds:\n  " + ADDED.format("  ")),
        ("feeds:\n", "feeds:\n  " + ADDED.format("  ")),
        ("feeds: []  # none yet\nx: 1\n", "feeds:  # none yet\n  " + ADDED.format("  ") + "x: 1\n"),
        ("feeds: # none yet\n", "feeds: # none yet\n  " + ADDED.format("  ")),
        (
            "feeds:\n  - url: https://a.example/feed # good\n    name: A\n\n# the end\ndefaults: {}\n",
            "feeds:\n  - url: https://a.example/feed # good\n    name: A\n  "
            + ADDED.format("  ") + "\n# the end\ndefaults: {}\n",
        ),
        ("feeds:\n- url: https://a.example/feed", "feeds:\n- url: https://a.example/feed\n" + ADDED.format("")),
        (
            "feeds:\n  - url: a\n\n  # two\n  - url: b\n\n  - url: c\n    tags: [1,\n      2] # x\n  # last\n",
            "feeds:\n  - url: a\n\n  # two\n  - url: b\n\n  - url: c\n    tags: [1,\n      2] # x\n\n  "
            + ADDED.format("  ") + "  # last\n",
        ),
        ("feeds: [{url: a}]\n", "feeds: [{url: a}, {url: 'https://b.example/feed', tags: [x, 'y: z']}]\n"),
        (
            "feeds:\n  - url: a\n    source:\n      name: |\n        A\n        B\nx: 1\n",
            "feeds:\n  - url: a\n    source:\n      name: |\n        A\n        B\n  " + ADDED.format("  ") + "x: 1\n",
        ),
    ],
)  # fmt: skip
def test_feeds_are_added_and_every_other_byte_stays(before: str, after: str) -> None:
    assert add_feeds(before, [B]) == after
    windows = add_feeds(before.replace("\n", "\r\n"), [B])
    assert windows.replace("\r\n", "\n") == after and (windows == after.replace("\n", "\r\n") or "\n" not in before)


@pytest.mark.parametrize("before", ["feeds: [{url: a},]\n", "feeds: yes\n", "feeds: {a: b}\n", "- a\n"])
def test_a_list_that_nothing_can_be_added_to_is_an_error(before: str) -> None:
    with pytest.raises(ConfigError):
        add_feeds(before, [B])


values = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12)


@example([{"a": "0E0"}, {"a": ["1.", "0o7", "on", "~", "a: b", "#"], "b": "12:30:00"}, {"c": "\xa0"}])
@given(st.lists(st.dictionaries(st.sampled_from("abc"), values | st.lists(values, max_size=2), min_size=1), max_size=3))
@settings(deadline=None, max_examples=100)
def test_any_values_are_read_as_they_were_written(feeds: list[dict[str, Any]]) -> None:
    text = add_feeds(add_feeds("# x\n", feeds[:1]), feeds[1:])
    assert ((parse_yaml(text.encode(), "").data or {}).get("feeds") or []) == feeds


def test_the_projects_own_list_can_be_added_to(repo: Path) -> None:
    before = (repo / "config" / "feeds.yaml").read_text(encoding="utf-8")
    after = add_feeds(before, [A])
    assert (
        after.startswith(before)
        and after[len(before) :].lstrip("\n") == "  - url: https://a.example/feed\n    name: A\n"
    )


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "feeds.yaml"
    write_list(path, add_feeds("", [A]))
    os.chmod(path, 0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(path)
    text, known = read_list(link)
    assert [feed.url for feed in known] == [A["url"]]
    write_list(link, add_feeds(text, [B]))
    assert link.is_symlink() and path.stat().st_mode & 0o777 == 0o640
    assert [feed.url for feed in read_feeds(path)] == [A["url"], B["url"]]
    with pytest.raises(ConfigError):
        write_list(path, add_feeds(path.read_text(), [{"url": "ftp://c.example/"}]))
    assert [feed.url for feed in read_feeds(path)] == [A["url"], B["url"]]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["feeds.yaml", "link.yaml"]


def test_what_is_no_list_to_add_to(tmp_path: Path) -> None:
    assert read_list(tmp_path / "none.yaml") == ("", ())
    path = tmp_path / "feeds.yaml"
    path.write_text("# only a comment\n")
    assert read_list(path) == ("# only a comment\n", ())
    path.write_bytes(write_opml([to_feed(A)]))
    with pytest.raises(ConfigError, match="OPML"):
        read_list(path)


# --- keys and OPML ------------------------------------------------------------------------------------------------

FULL: dict[str, Any] = {
    "url": "http://a.example/feed?a=1&b=2", "id": "my-a", "name": "A & B <c>", "language": "ko", "every": "5m",
    "source": {"id": "pub", "name": "The Publisher", "domain": "pub.example", "country": "kr"},
    "full_text": False, "enabled": False, "tags": ["asia", "b c"],
}  # fmt: skip


@pytest.mark.parametrize(
    "keys",
    [
        A, B, FULL, {"url": "https://a.example/feed"}, {**A, "every": "90s"}, {**A, "source": {"name": "The A"}},
        {**A, "source": {"domain": "z.example"}}, {**A, "source": {"name": "The A", "domain": "z.example"}},
        {**A, "source": {"id": "x"}}, {**A, "source": {"country": "jp"}}, {**A, "credentials": "A_TOKEN"},
    ],
)  # fmt: skip
def test_keys_and_opml_keep_a_feed(keys: dict[str, Any]) -> None:
    feed = to_feed(keys)
    assert to_feed(to_keys(feed)) == feed
    (again,) = import_opml(write_opml([feed]), "F", []).added
    assert to_feed(again) == feed._replace(credentials=None), "credentials do not go into lists that are passed on"
    assert to_feed(parse_yaml(add_feeds("", [to_keys(feed)]).encode(), "").data["feeds"][0]) == feed


def test_the_projects_own_feeds_are_kept(repo: Path) -> None:
    feeds = read_feeds(repo / "config" / "feeds.yaml")
    found = import_opml(write_opml(feeds), "F", [])
    assert not found.refused and not found.partly and found.duplicates == 0
    assert sorted(map(to_feed, found.added)) == sorted(feeds)


def outlines(*outlines: str) -> bytes:
    return ("<opml version='2.0'><body>\n" + "\n".join(outlines) + "\n</body></opml>").encode()


def test_what_is_not_taken_is_told() -> None:
    known = to_feed({"url": "https://a.example/feed/", "id": "b.example-feed"})
    found = import_opml(
        outlines(
            "<outline text='A' xmlUrl='http://a.example/feed'/>",
            "<outline text='B' xmlUrl='https://b.example/feed'/>",
            "<outline text='C' xmlUrl='ftp://c.example/feed'/>",
            "<outline text='D' xmlUrl='https://u:secret@d.example/feed'/>",
            "<outline text='E' xmlUrl='https://e.example/feed' language='English'/>",
            "<outline text='F' xmlUrl='https://f.example/feed'/>",
            "<outline text='F2' xmlUrl='https://f.example/feed/'/>",
        ),
        "F", [known],
    )  # fmt: skip
    assert [keys["url"] for keys in found.added] == ["https://e.example/feed", "https://f.example/feed"]
    assert found.duplicates == 2
    assert [item.line for item in found.refused] == [3, 4, 5] and [item.line for item in found.partly] == [6]
    assert "id" in found.refused[0].reason and "http" in found.refused[1].reason
    assert "secret" not in found.refused[2].reason and "language" in found.partly[0].reason


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://a.example/f", "https://A.example/f/", True),
        ("https://a.example/f", "https://a.example/f?utm_source=x", True),
        ("https://a.example/f", "https://a.example/F", False),
        ("https://a.example/f?a=1", "https://a.example/f?a=2", False),
    ],
)
def test_which_addresses_are_one_feed(one: str, other: str, same: bool) -> None:
    assert (address_key(one) == address_key(other)) is same


@given(st.integers(1, 2_592_000))
@settings(deadline=None, max_examples=100)
def test_durations(seconds: int) -> None:
    assert to_feed({**A, "every": duration(seconds)}).every == seconds


def test_lists_found_in_the_wild(shared_data: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Every list is taken in or refused with one line, every feed added, there already or refused."""
    files = sorted((shared_data / "feedlists" / "opml").rglob("*.opml"))
    counts = dict.fromkeys(("files", "not OPML", "added", "duplicates", "refused", "partly"), 0)
    text, known = "", list[Feed]()
    for file in files:
        counts["files"] += 1
        try:
            found = import_opml(file.read_bytes(), file.name, known)
        except ConfigError as error:
            assert len(str(error).splitlines()) == 1 and str(error).startswith(file.name)
            counts["not OPML"] += 1
            continue
        text = add_feeds(text, found.added)
        known += map(to_feed, found.added)
        assert found.added or found.duplicates or found.refused
        for name in ("added", "refused", "partly"):
            counts[name] += len(getattr(found, name))
        counts["duplicates"] += found.duplicates
    write_list(tmp_path / "feeds.yaml", text)
    assert sorted(read_feeds(tmp_path / "feeds.yaml")) == sorted(known)
    with capsys.disabled():
        print(f"\nOPML in the wild: {counts}")
    assert counts["files"] > 100 and counts["not OPML"] <= 0.25 * counts["files"]
    assert counts["refused"] + counts["partly"] <= 0.02 * counts["added"]
