"""The commands on feeds: list, add, import, export, check."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from newsbeam.errors import ConfigError, ReadError, StoreError
from newsbeam.feedlist import duration
from newsbeam.records import Cursor, Feed, now_ms, to_plain
from newsbeam.settings import credentials_for, load_settings
from pipelines import output
from pipelines.cli import DEFAULT_STORE, Config, Feeds, Json, StoreUrl, app

if TYPE_CHECKING:
    from newsbeam.checking import Checked
    from newsbeam.feedlist import Refused
    from newsbeam.settings import Settings

feeds_app = typer.Typer(help="The configured feeds.", no_args_is_help=True)
app.add_typer(feeds_app, name="feeds")

Target = Annotated[
    Optional[Path], typer.Option("--feeds", metavar="FILE", help="The YAML file to add to (default: feeds.yaml).")
]


@feeds_app.command("list")
def list_feeds(config: Config = None, feeds: Feeds = None, json: Json = False) -> None:
    """The feeds of the configuration."""
    found = load_settings(config, feeds).feeds
    if json:
        for feed in found:
            output.json_line(to_plain(feed))
        return
    rows = ((f.id, f.name, f.source.country or "", f.language or "", duration(f.every),
             "yes" if f.enabled else "no", f.url) for f in found)  # fmt: skip
    output.table(("id", "name", "country", "language", "every", "enabled", "url"), rows)


@feeds_app.command("add")
def add(
    address: Annotated[str, typer.Argument(metavar="URL", help="A feed, or a site whose feed is looked for.")],
    config: Config = None,
    feeds: Target = None,
    name: Annotated[str, typer.Option("--name", help="For people (default: what the feed calls itself).")] = "",
    tag: Annotated[Optional[list[str]], typer.Option("--tag", help="A word of your own; may be repeated.")] = None,
    json: Json = False,
) -> int:
    """Add a feed to feeds.yaml, by its address or that of its site."""
    from newsbeam import feedlist
    from newsbeam.backfill import feed_home
    from newsbeam.discovery import find_feed
    from newsbeam.entries import first_address
    from newsbeam.feeds import parse_feed
    from newsbeam.fetch import Fetcher
    from newsbeam.identity import host_of

    path, settings = _target(config, feeds), load_settings(config, with_feeds=False)
    text, known = feedlist.read_list(path)
    _refuse_known(address if "://" in address else f"https://{address}", known, path)
    fetcher = Fetcher(settings.fetch)
    try:
        found = find_feed(
            address,
            fetch=lambda url: fetcher.fetch(url, kind="feed"),
            parse=lambda body, url, kind: parse_feed(body, url=url, content_type=kind, now=now_ms()),
        )
    except ReadError as error:
        output.note(f"newsbeam: {address}: {error}")
        return 1
    finally:
        fetcher.close()
    _refuse_known(found.url, known, path)
    title = name or found.parsed.title[:200]
    home = host_of(first_address([feed_home(found.body)], found.url)).removeprefix("www.")
    source = {key: value for key, value in (("name", title), ("domain", home)) if value}
    keys: dict[str, Any] = {"url": found.url, "name": title, "source": source}
    keys |= {"language": found.parsed.language, "tags": tag}
    feed = feedlist.to_feed({key: value for key, value in keys.items() if value})
    entry = feedlist.to_keys(feed)
    feedlist.write_list(path, feedlist.add_feeds(text, [entry]))
    if json:
        output.json_line(to_plain(feed))
    else:
        entries = len(found.parsed.entries)
        output.console().print(
            output.safe(f"added {feed.id} ({feed.name}, {entries} entries now) to {path}: {feed.url}")
        )
    return 0


def _refuse_known(url: str, known: tuple[Feed, ...], path: Path) -> None:
    from newsbeam.feedlist import address_key

    for feed in known:
        if address_key(feed.url) == address_key(url):
            raise ConfigError(f"{path} has it already: {feed.id}, {feed.url}")


def _target(config: Optional[Path], feeds: Optional[Path]) -> Path:
    """The file that feeds are added to; never the one that came with newsbeam, which an upgrade replaces."""
    if feeds:
        return feeds
    if config is None and not Path("config", "feeds.yaml").is_file():
        raise ConfigError("no config/feeds.yaml here; name the file with --feeds FILE (it is made) or --config DIR")
    directory = config or Path("config")
    if not directory.is_dir():
        raise ConfigError(f"{directory}: no such directory")
    return directory / "feeds.yaml"


@feeds_app.command("import")
def import_feeds(
    file: Annotated[Path, typer.Argument(metavar="FILE.opml", help="A list as feed readers export it.")],
    config: Config = None,
    feeds: Target = None,
    json: Json = False,
) -> int:
    """Add the feeds of an OPML file to feeds.yaml, its folders as tags."""
    from newsbeam import feedlist
    from newsbeam.configfile import read_bytes

    path = _target(config, feeds)
    text, known = feedlist.read_list(path)
    found = feedlist.import_opml(read_bytes(file), str(file), known)
    if found.added:
        feedlist.write_list(path, feedlist.add_feeds(text, found.added))
    if json:
        output.json_line(to_plain(found))
    else:
        said = f"{len(found.added)} added to {path}, {found.duplicates} there already, {len(found.refused)} refused"
        output.console().print(output.safe(said))
        _list_refused(file, found.refused, "refused")
        _list_refused(file, found.partly, "taken with name and tags alone")
    return 1 if found.refused and not (found.added or found.duplicates) else 0


def _list_refused(file: Path, refused: Any, what: str) -> None:
    item: Refused
    for item in refused:
        output.note(f"{file}:{item.line}: {what}: {item.url}: {item.reason}")


@feeds_app.command("export")
def export_feeds(
    file: Annotated[Optional[Path], typer.Argument(metavar="FILE", help="Default: standard output.")] = None,
    config: Config = None,
    feeds: Feeds = None,
    format: Annotated[
        str, typer.Option("--format", help="opml or yaml (default: by the name of FILE, else opml).")
    ] = "",
) -> None:
    """Write the feeds as OPML, for feed readers, or as a feeds.yaml."""
    from newsbeam import feedlist
    from newsbeam.opml import write_opml

    kind = format or ("yaml" if file and file.suffix in (".yaml", ".yml") else "opml")
    if kind not in ("opml", "yaml"):
        raise ConfigError(f"--format {kind}: use opml or yaml")
    found = load_settings(config, feeds).feeds
    yaml = feedlist.add_feeds("", [feedlist.to_keys(feed) for feed in found]) or "feeds: []\n"
    data = write_opml(found) if kind == "opml" else yaml.encode()
    if file is None:
        sys.stdout.write(data.decode())
        return
    if feeds and file.exists() and file.samefile(feeds):
        raise ConfigError(f"{file}: the feeds are read from there")
    try:
        file.write_bytes(data)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror or error}") from None
    output.note(f"{len(found)} feeds written to {file}")


@feeds_app.command("check")
def check_feeds(
    ids: Annotated[Optional[list[str]], typer.Argument(metavar="ID...", help="Default: all that are enabled.")] = None,
    config: Config = None,
    store: StoreUrl = DEFAULT_STORE,
    feeds: Feeds = None,
    json: Json = False,
) -> int:
    """Read feeds and say what a poll would do, and what is wrong with them; nothing is written."""
    settings = load_settings(config, feeds)
    chosen = _chosen(settings, ids or [])
    cursors = _cursors(store, [feed.id for feed in chosen])
    checked = _check_all(settings, chosen, cursors)
    if json:
        for item in checked:
            output.json_line(to_plain(item))
    else:
        rows = ((item.id, item.status if item.status == "ok" else item.reason, item.format or "", item.entries,
                 (item.newest or "")[:16].replace("T", " "), item.new, item.changed,
                 "; ".join(item.problems)) for item in checked)  # fmt: skip
        output.table(("id", "status", "format", "entries", "newest", "new", "changed", "problems"), rows)
    working = sum(item.status == "ok" for item in checked)
    if not json:
        output.note(f"{working} of {len(checked)} feeds can be read")
    return 1 if checked and not working else 0


def _chosen(settings: Settings, ids: list[str]) -> list[Feed]:
    known = {feed.id: feed for feed in settings.feeds}
    for name in ids:
        if name not in known:
            import difflib

            close = difflib.get_close_matches(name, known, n=1)
            raise ConfigError(f"no feed has the id {name!r}" + (f"; did you mean {close[0]!r}?" if close else ""))
    return [known[name] for name in dict.fromkeys(ids)] or [feed for feed in settings.feeds if feed.enabled]


def _cursors(store: str, ids: list[str]) -> dict[str, Cursor]:
    """What the store remembers of feeds; nothing where there is no store yet."""
    from newsbeam.stores import open_store

    try:
        client = open_store(store)
    except StoreError:
        output.note(f"no store at {store}: all entries count as new")
        return {}
    try:
        return client.cursors(ids)
    finally:
        client.close()


def _check_all(settings: Settings, feeds: list[Feed], cursors: dict[str, Cursor]) -> list[Checked]:
    from concurrent.futures import ThreadPoolExecutor

    from newsbeam import work
    from newsbeam.checking import check_feed
    from newsbeam.fetch import Fetcher
    from newsbeam.pool import WorkPool

    fetcher = Fetcher(settings.fetch)
    pool = WorkPool(settings.pool.count(), int, ())  # a document may hang its parser; no model is needed

    def check(feed: Feed) -> Checked:
        def fetch() -> Any:
            credentials = credentials_for(feed)
            return fetcher.fetch(feed.url, kind="feed", auth=credentials.header if credentials else None)

        def parse(body: bytes, url: str, kind: str) -> Any:
            return pool.call_alone(work.parse, body, url, kind, now_ms(), seconds=settings.pool.item_seconds)

        return check_feed(feed, cursors.get(feed.id), fetch=fetch, parse=parse, now=now_ms())

    try:
        with ThreadPoolExecutor(settings.fetch.concurrency) as threads:
            return list(threads.map(check, feeds))
    finally:
        pool.stop()
        fetcher.close()
