"""Commands that change what is stored: delete, prune, retag."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Optional

import typer

from newsbeam.errors import ConfigError
from newsbeam.records import Article, now_ms, to_iso, to_plain
from newsbeam.search import Query, parse_query, parse_time
from newsbeam.settings import load_settings
from newsbeam.stores import Store, open_store
from newsbeam.stores.base import Pruned
from pipelines import output
from pipelines.cli import DEFAULT_STORE, Config, Json, StoreUrl, app
from pipelines.commands_read import SourceOption

BATCH = 200  # articles of one transaction, so that other writers get their turn
SAID_EVERY = 10.0  # seconds between lines of progress

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")]


@app.command()
def delete(
    items: Annotated[Optional[list[str]], typer.Argument(metavar="ID-or-URL...")] = None,
    source: SourceOption = None,
    query: Annotated[str, typer.Option("--query", help="What this search finds; with --source, of these.")] = "",
    dry_run: DryRun = False,
    config: Config = None,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> None:
    """Take articles down for good: their texts, former contents and failures go, and they do not come back."""
    client = open_store(store)
    chosen = _named(client, items or [], source, query)
    if chosen is None:
        wanted = _query(source, query)
        output.note(f"{client.search(wanted).total} articles match")
        found = client.scan(wanted)
    else:
        output.note(f"{len(chosen)} articles, {sum(article.status == 'deleted' for article in chosen)} deleted before")
        found = iter(chosen)
    if dry_run:
        _list_articles((article for article in found if article.status != "deleted"), json)
        return
    deleted = 0
    while batch := [article.id for article in islice(found, BATCH)]:
        deleted += client.delete_articles(batch, now_ms())
    client.compact()
    if json:
        output.json_line({"deleted": deleted})
    else:
        print(f"{deleted} articles deleted")


def _named(store: Store, items: list[str], source: Optional[list[str]], query: str) -> Optional[list[Article]]:
    """The articles that ids and addresses name; None where there are none of these, but a source or query."""
    if items and (source or query):
        raise ConfigError("give ids or addresses, or --source and --query, not both")
    if not items:
        if not (source or query):
            raise ConfigError("name what is to go: ids or addresses, --source, or --query")
        return None
    found = {item: store.find_article(item) for item in items}
    missing = [item for item, article in found.items() if article is None]
    if missing:
        raise ConfigError(f"no article {', '.join(missing)} in {store.url}; nothing was deleted")
    return list({article.id: article for article in found.values() if article}.values())


def _query(source: Optional[list[str]], query: str) -> Query:
    wanted = parse_query(query, filters={"source": source or []}, limit=0)
    if not wanted.terms and not wanted.filters:
        raise ConfigError("--query and --source are empty, which all articles match")
    return wanted


def _list_articles(found: Iterator[Article], json: bool) -> None:
    if json:
        for article in found:
            output.json_line({"id": article.id, "url": article.url, "source": to_plain(article.source),
                              "@timestamp": article.timestamp, "title": article.title})  # fmt: skip
        return
    rows = ((a.id, a.source.name, a.timestamp[:16].replace("T", " "), a.title) for a in found)
    output.table(("id", "source", "time", "title"), rows)


@app.command()
def prune(
    older_than: Annotated[str, typer.Option("--older-than", metavar="AGE", help="90d, 24h, 12w, or a date.")],
    dry_run: DryRun = False,
    config: Config = None,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> None:
    """Take away what is older: articles by their time, with their former contents, and the ledger's rows and polls."""
    now = now_ms()
    before = parse_time(older_than, now)
    if before > now:
        raise ConfigError(f"--older-than {older_than}: that is in the future")
    client = open_store(store)
    pruned = client.would_prune(before)
    if not dry_run:
        output.note(f"from before {output.when(before)}: {_counts(pruned)}")
        pruned = _prune(client, before)
    if json:
        output.json_line({"before": to_iso(before), "dry_run": dry_run, **to_plain(pruned)})
    else:
        print(f"{'would go' if dry_run else 'pruned'}: {_counts(pruned)}")


def _prune(store: Store, before: int) -> Pruned:
    total = Pruned()
    while any(part := store.prune(before, BATCH)):
        total = Pruned(*(one + other for one, other in zip(total, part, strict=True)))
    store.compact()
    return total


def _counts(pruned: Pruned) -> str:
    rows = f"{pruned.rows} entry rows" + (f" ({pruned.failed} of them failures)" if pruned.failed else "")
    return f"{pruned.articles} articles, {pruned.revisions} former contents, {rows}, {pruned.polls} polls"


@app.command()
def retag(
    entities: Annotated[
        bool, typer.Option("--entities", help="Also find entities anew, by the gazetteer and models of now.")
    ] = False,
    config: Config = None,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> None:
    """Apply changed topic rules to the articles that are stored; may run beside an ingest, and be run again."""
    from newsbeam.topics import load_topics
    from pipelines import retag as tagging

    settings = load_settings(config, with_feeds=False)
    rules = load_topics(Path(settings.config_dir))
    client = open_store(store)
    count, said = client.status().articles, time.monotonic()
    output.note(f"{count} articles to go through")

    def tell(done: tagging.Retagged) -> None:
        nonlocal said
        if time.monotonic() - said >= SAID_EVERY:
            said = time.monotonic()
            output.note(f"{done.seen} of {count} articles, {done.changed} changed")

    annotate = tagging.annotate_with(settings) if entities else None
    done = tagging.retag(client, rules, annotate=annotate, progress=tell)
    if json:
        output.json_line({**to_plain(done), "rules_version": rules.version})
        return
    print(f"{done.changed} of {done.seen} articles changed")
    if done.overtaken:
        output.note(f"{done.overtaken} got new content meanwhile; run retag again to be sure of these")
    if done.failed:
        output.note(f"{done.failed} could not be worked on, and stay as they were")
