"""The SQLite store's own matters: the file, its errors, its schema, and what its check finds."""

from __future__ import annotations

import gc
import os
import pickle
import re
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from newsbeam.errors import ConfigError, StoreDamagedError, StoreError
from newsbeam.records import to_iso
from newsbeam.stores import open_store, sqlite_database, sqlite_schema, sqlite_search
from newsbeam.stores.base import Patch
from newsbeam.stores.sqlite import SqliteStore
from tests.contract.samples import ALICE, NOW, UNTIL, draft, feed, poll, row, titles, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(f"sqlite:///{path}", create=True)
    yield made
    made.close()


def raw(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, timeout=0)


# --- the address


def test_a_relative_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///sub.db", create=True)
    assert store.url == f"sqlite:///{tmp_path}/sub.db" == f"sqlite:////{str(tmp_path)[1:]}/sub.db"
    monkeypatch.chdir("/")
    assert store.status().articles == 0
    store.close()
    assert open_store(store.url).url == store.url


@pytest.mark.parametrize("name", ["a b.db", "a?b#c.db", "100%25.db", "ümläut.db", "a&mode=memory.db"])
def test_any_file_name_is_taken_as_it_is(tmp_path: Path, name: str) -> None:
    store = SqliteStore(f"sqlite:///{tmp_path / name}", create=True)
    write(store, {"title": "A"})
    store.close()
    assert (tmp_path / name).stat().st_size > 0
    assert SqliteStore(f"sqlite:///{tmp_path / name}", create=False).status().articles == 1


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite:///:memory:", "sqlite:///a\0b", "sqlite://a", "sqlite:a"])
def test_an_address_without_a_file_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        SqliteStore(url, create=True)


def test_a_missing_file_is_not_made(path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        SqliteStore(f"sqlite:///{path}", create=False)
    assert str(caught.value) == f'no store at {path}; "newsbeam ingest" or "newsbeam store init" makes one'
    assert not path.exists()


def test_a_client_does_not_make_the_file_again_after_it_is_gone(store: SqliteStore, path: Path) -> None:
    store.close()
    path.unlink()
    with pytest.raises(StoreError, match="no store at"):
        store.status()
    assert not path.exists()


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"there is no directory {tmp_path}/no"):
        SqliteStore(f"sqlite:///{tmp_path}/no/store.db", create=True)


def test_a_store_travels_by_its_address(store: SqliteStore, path: Path) -> None:
    write(store, {"title": "A"})
    copy = pickle.loads(pickle.dumps(store))
    assert copy.url == store.url
    assert titles(copy) == ["A"]
    copy.close()
    data = pickle.dumps(store)
    store.close()
    path.unlink()
    with pytest.raises(StoreError, match="no store at"):
        pickle.loads(data)


def test_a_closed_store_opens_again_at_its_next_use(store: SqliteStore) -> None:
    write(store, {"title": "A"})
    store.close()
    store.close()
    assert titles(store) == ["A"]


def test_connections_of_ended_threads_are_let_go(store: SqliteStore) -> None:
    def use() -> None:
        store.status()

    for _ in range(5):
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
    store.status()
    gc.collect()  # a connection and its cache of statements refer to each other
    assert len(store._database._opened) == 1


# --- the schema


def test_what_the_file_says_of_itself(store: SqliteStore, path: Path) -> None:
    db = raw(path)
    assert db.execute("PRAGMA user_version").fetchone() == (sqlite_schema.VERSION,)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()
    with store._database.read() as mine:
        assert mine.execute("PRAGMA synchronous").fetchone() == (2,), "FULL"
        assert mine.execute("PRAGMA foreign_keys").fetchone() == (1,)
    assert store.status().schema == sqlite_schema.VERSION


def test_initializing_again_changes_nothing(store: SqliteStore) -> None:
    write(store, {"title": "A"})
    store.initialize()
    SqliteStore(store.url, create=True).close()
    assert titles(store) == ["A"]
    assert store.check() == []


@pytest.mark.parametrize("create", [True, False])
def test_a_newer_schema_is_refused(store: SqliteStore, path: Path, create: bool) -> None:
    store.close()
    db = raw(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="newer newsbeam"):
        SqliteStore(store.url, create=create)


def test_an_older_schema_is_migrated_whole_or_not_at_all(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    write(store, {"title": "A"})
    monkeypatch.setattr(sqlite_schema, "VERSION", 3)
    broken = (*sqlite_schema.MIGRATIONS, ("CREATE TABLE two (a)",), ("CREATE TABLE three (a)", "no such statement"))
    monkeypatch.setattr(sqlite_schema, "MIGRATIONS", broken)
    with pytest.raises(StoreError, match='older schema 1; run "newsbeam store init"'):
        SqliteStore(store.url, create=False)
    with pytest.raises(StoreError, match="no"):
        SqliteStore(store.url, create=True)
    db = raw(path)
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    monkeypatch.setattr(sqlite_schema, "MIGRATIONS", (*broken[:-1], ("CREATE TABLE three (a)",)))
    migrated = SqliteStore(store.url, create=True)
    assert db.execute("PRAGMA user_version").fetchone() == (3,)
    assert db.execute("SELECT count(*) FROM sqlite_master WHERE name IN ('two', 'three')").fetchone() == (2,)
    assert titles(migrated) == ["A"]
    db.close()
    migrated.close()


@pytest.mark.parametrize("create", [True, False])
def test_a_database_of_another_program_is_refused_and_left_alone(path: Path, create: bool) -> None:
    db = raw(path)
    db.execute("CREATE TABLE theirs (a)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        SqliteStore(f"sqlite:///{path}", create=create)
    assert path.read_bytes() == before


def test_an_empty_file_is_no_store_but_can_become_one(path: Path) -> None:
    path.touch()
    with pytest.raises(StoreError, match='run "newsbeam store init"'):
        SqliteStore(f"sqlite:///{path}", create=False)
    SqliteStore(f"sqlite:///{path}", create=True).close()
    SqliteStore(f"sqlite:///{path}", create=False).close()


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("content", [b"feeds:\n- url: x\n" * 100, b"\0" * 5000, os.urandom(5000)])
def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path, content: bytes, create: bool) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreError, match=f"{path} is no SQLite database"):
        SqliteStore(f"sqlite:///{path}", create=create)
    assert path.read_bytes() == content


def test_a_directory_is_no_store(tmp_path: Path) -> None:
    for create in (True, False):
        with pytest.raises(StoreError, match="can't open"):
            SqliteStore(f"sqlite:///{tmp_path}", create=create)


# --- when writing fails


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits 0.2 s for other writers instead of 30."""
    monkeypatch.setattr(sqlite_database, "BUSY_SECONDS", 0.2)


WRITES: dict[str, Callable[[SqliteStore], Any]] = {
    "claim_feeds": lambda store: store.claim_feeds(["x"], ALICE, NOW, UNTIL),
    "take_rows": lambda store: store.take_rows(ALICE, NOW, UNTIL, 9),
    "finish_rows": lambda store: store.finish_rows([]),
    "write_articles": lambda store: store.write_articles([], NOW),
    "patch_articles": lambda store: store.patch_articles([], NOW),
    "take_lease": lambda store: store.take_lease("x", ALICE, NOW, UNTIL),
    "release_lease": lambda store: store.release_lease("x", ALICE, 1),
    "drop_dead": lambda store: store.drop_dead("host-1", lambda holder: False),
    "initialize": lambda store: store.initialize(),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_writer_that_holds_the_store_too_long_is_a_clear_error(impatient: None, path: Path, name: str) -> None:
    store = SqliteStore(f"sqlite:///{path}", create=True)
    write(store, {"title": "A"})
    poll(store, [row("b", of=feed("feed-b"))], of=feed("feed-b"))
    other = raw(path)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=f"another process held the store {path} for 0.2 s"):
        WRITES[name](store)
    assert titles(store) == ["A"], "readers don't wait"
    other.execute("ROLLBACK")
    WRITES[name](store)
    other.close()
    store.close()


def test_a_short_wait_for_another_writer_is_no_error(store: SqliteStore, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    timer.start()
    assert set(store.claim_feeds(["x"], ALICE, NOW, UNTIL)) == {"x"}
    timer.join()
    other.close()


def test_a_full_disk_is_a_clear_error_and_the_store_stays_readable(store: SqliteStore) -> None:
    write(store, {"title": "Before", "key": "before"})
    made = poll(store, [row(f"{number}") for number in range(20)], number=2)
    with store._database.read() as db:
        (pages,) = db.execute("PRAGMA page_count").fetchone()
    limit = store._database._connection()
    limit.execute(f"PRAGMA max_page_count = {pages + 3}")
    drafts = [draft(item, body="long " * 5000) for item in made]
    with pytest.raises(StoreError, match="no space left for the store"):
        store.write_articles(drafts, NOW)
    assert titles(store) == ["Before"]
    assert (store.ledger().new, store.ledger().inbox) == (1, 20), "nothing of the batch"
    assert store.check() == []
    limit.execute("PRAGMA max_page_count = 1000000")
    assert len(store.write_articles(drafts, NOW)) == 20
    assert store.check() == []


def test_a_store_that_can_not_be_written_is_a_clear_error(store: SqliteStore) -> None:
    write(store, {"title": "A"})
    store._database._connection().execute("PRAGMA query_only = 1")
    with pytest.raises(StoreError, match="can't be written"):
        store.claim_feeds(["x"], ALICE, NOW, UNTIL)
    assert titles(store) == ["A"]


def test_an_error_within_a_batch_writes_nothing_of_it(store: SqliteStore) -> None:
    good, bad = poll(store, [row("a"), row("b")])
    with pytest.raises(ValueError, match="not a time"):
        store.write_articles([draft(good), draft(bad, timestamp="not a time")], NOW)
    assert store.status().articles == 0
    assert len(store.write_articles([draft(good)], NOW)) == 1
    assert store.check() == []


def test_an_error_after_sqlite_has_rolled_back_by_itself_is_told(store: SqliteStore) -> None:
    with pytest.raises(ValueError, match="the reason"), store._database.write() as db:
        db.execute("ROLLBACK")  # as SQLite does by itself on some errors
        raise ValueError("the reason")


# --- what the check finds


def spoil(store: SqliteStore, *statements: str) -> list[str]:
    with store._database.write() as db:
        for statement in statements:
            db.execute(statement)
    problems = store.check()
    assert all("\n" not in problem for problem in problems)
    return problems


DAMAGES = {
    "facet missing": ("DELETE FROM facets WHERE field = 'source'", "its facets do not agree"),
    "facet too many": ("INSERT INTO facets VALUES ('topic', 'x', 1, 'x')", "its facets do not agree"),
    "text not indexed": ("DROP TRIGGER texts_update; UPDATE articles SET title = 'changed'", "search index"),
    "deleted but indexed": (
        "DROP TRIGGER texts_update; UPDATE articles SET status = 'deleted'",
        "search index|its document says otherwise|facets",
    ),
    "columns": ("UPDATE articles SET version = 7", "its document says otherwise than its columns"),
    "article gone": ("DELETE FROM articles", "new, but its article .* is not there"),
    "revision of nothing": ("INSERT INTO revisions VALUES ('x', 1, '{}')", "revision 1 of x: the article is not there"),
    "future revision": (
        "INSERT INTO revisions SELECT id, 4, '{}' FROM articles",
        "revision 4 of .*: the article is only at 1",
    ),
    "row gone": (
        "DELETE FROM entries",
        "poll 1 of feed-a: .* 1 new, 0 rows|ledger: 1 entries seen, but 0 with an outcome and 0 in the inbox",
    ),
    "poll changed": ("UPDATE polls SET seen = 2, unchanged = 0", "poll 1 of feed-a: 2 entries seen, 1 acc|ledger: 2"),
    "feed gone": ("PRAGMA foreign_keys = 0; DELETE FROM feeds", "refers to a row of feeds that is not there"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_the_check_finds(store: SqliteStore, name: str) -> None:
    write(store, {"title": "A", "topics": ("t",)})
    assert store.check() == []
    statements, expected = DAMAGES[name]
    if statements.startswith("PRAGMA"):
        store._database._connection().execute("PRAGMA foreign_keys = 0")
        statements = statements.partition("; ")[2]
    problems = spoil(store, *statements.split("; "))
    assert problems
    assert all(re.search(expected, problem) for problem in problems), problems


def test_a_damaged_file_is_found_and_told(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    write(store, *({"title": f"T{number}", "key": f"k{number}", "body": "word " * 2000} for number in range(20)))
    store.close()
    damaged = tmp_path / "damaged.db"
    shutil.copy(path, damaged)
    data = bytearray(damaged.read_bytes())
    page = 4096
    for number in range(len(data) // page // 3, len(data) // page):
        data[number * page : number * page + 64] = b"\xff" * 64
    damaged.write_bytes(data)
    broken = SqliteStore(f"sqlite:///{damaged}", create=False)
    problems = broken.check()
    assert problems and all(problem.startswith("file: ") and "\n" not in problem for problem in problems)
    with pytest.raises(StoreDamagedError, match=f"{damaged} is damaged"):
        list(broken.scan())
    broken.close()


# --- what the file keeps


def test_a_deleted_article_is_in_no_index(store: SqliteStore) -> None:
    (article_id,) = write(store, {"title": "A", "topics": ("t",)})
    store.patch_articles([Patch(article_id, {"status": "deleted"})], NOW)
    with store._database.read() as db:
        assert db.execute("SELECT count(*) FROM facets").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM texts WHERE texts MATCH 'a'").fetchone() == (0,)


def test_a_completed_row_is_small_and_feeds_are_kept_once(store: SqliteStore, path: Path) -> None:
    made = poll(store, [row(f"{number}", html="x" * 10_000) for number in range(5)])
    store.write_articles([draft(item) for item in made], NOW)
    with store._database.read() as db:
        assert db.execute("SELECT count(*) FROM entries WHERE entry IS NOT NULL").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM feeds").fetchone() == (1,)


def test_the_index_is_not_written_where_the_texts_did_not_change(store: SqliteStore) -> None:
    (article_id,) = write(store, {"title": "A", "body": "word " * 100})
    with store._database.read() as db:
        before = db.execute("SELECT id, block FROM texts_data ORDER BY id").fetchall()
    assert store.patch_articles([Patch(article_id, {"story_id": "s"})], NOW) == 1
    with store._database.read() as db:
        assert db.execute("SELECT id, block FROM texts_data ORDER BY id").fetchall() == before


def test_what_is_deleted_during_a_scan_is_left_out(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_search, "_PAGE", 2)
    ids = write(store, *({"title": f"T{number}", "timestamp": to_iso(NOW + number)} for number in range(5)))
    scan = store.scan()
    assert next(scan).id == ids[0]
    store.patch_articles([Patch(ids[3], {"status": "deleted"})], NOW)
    assert [article.id for article in scan] == [ids[1], ids[2], ids[4]]
