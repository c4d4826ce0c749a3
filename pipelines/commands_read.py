"""Commands that read a store: search, show, export and topics."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated, Optional

import typer

from newsbeam.errors import ConfigError
from newsbeam.records import Article, EntryRow, now_ms, to_document, to_plain
from newsbeam.search import SORTS, Query, parse_query, parse_time
from newsbeam.settings import Settings, default_config_dir, load_settings
from newsbeam.stores import Store, open_store
from pipelines import output
from pipelines.cli import DEFAULT_STORE, Config, Json, StoreUrl, app

Topic = Annotated[Optional[list[str]], typer.Option("--topic", help="With this topic id.")]
Entity = Annotated[Optional[list[str]], typer.Option("--entity", help="Naming this entity, of any kind.")]
Person = Annotated[Optional[list[str]], typer.Option("--person", help="Naming this person.")]
Org = Annotated[Optional[list[str]], typer.Option("--org", help="Naming this organisation.")]
Place = Annotated[Optional[list[str]], typer.Option("--place", help="Naming this place.")]
SourceOption = Annotated[Optional[list[str]], typer.Option("--source", help="Of this publisher (id, name or domain).")]
Lang = Annotated[Optional[list[str]], typer.Option("--lang", help="In this language (ISO 639-1).")]
Story = Annotated[Optional[list[str]], typer.Option("--story", help="Of this story id.")]
Since = Annotated[Optional[str], typer.Option("--since", help="From this time on: 2026-11-24, 24h or 7d ago.")]
Until = Annotated[Optional[str], typer.Option("--until", help="Before this time.")]


@app.command(context_settings={"ignore_unknown_options": True})  # so that a query may begin with -word
def search(
    query: Annotated[str, typer.Argument(help='Words (all of them), "phrases", -not.')] = "",
    topic: Topic = None,
    entity: Entity = None,
    person: Person = None,
    org: Org = None,
    place: Place = None,
    source: SourceOption = None,
    lang: Lang = None,
    story: Story = None,
    since: Since = None,
    until: Until = None,
    sort: Annotated[str, typer.Option("--sort", help=f"One of {', '.join(SORTS)}.")] = "relevance",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000)] = 10,
    config: Config = None,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> None:
    """Find articles, best first. The same filter repeated is OR, different filters are AND."""
    filters = {
        "topic": topic, "entity": entity, "person": person, "org": org,
        "place": place, "source": source, "lang": lang, "story": story,
    }  # fmt: skip
    result = open_store(store).search(_query(query, filters, since, until, sort, limit))
    if not json:
        output.hits(result)
        return
    for hit in result.hits:
        document = to_document(hit.article)
        document["score"] = hit.score
        document["highlights"] = {field: list(texts) for field, texts in hit.highlights.items()}
        output.json_line(document)


@app.command()
def show(
    id_or_url: Annotated[str, typer.Argument(metavar="ID-or-URL")],
    revisions: Annotated[bool, typer.Option("--revisions", help="Also its former contents.")] = False,
    config: Config = None,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> None:
    """One article: its text, entities, topics with evidence, story and history."""
    client = open_store(store)
    item = _article(client, id_or_url)
    history = client.revisions(item.id) if revisions else []
    if not json:
        output.article(item, history)
        return
    for version in [*history, item]:
        output.json_line(to_document(version))


@app.command()
def export(
    query: Annotated[str, typer.Option("--query", help="Only what this search finds.")] = "",
    since: Since = None,
    until: Until = None,
    config: Config = None,
    store: StoreUrl = DEFAULT_STORE,
    json: Annotated[bool, typer.Option("--json", help="The default: documents as JSON Lines.")] = True,
) -> None:
    """All documents as JSON Lines."""
    for item in open_store(store).scan(_query(query, {}, since, until, "oldest", 1)):
        output.json_line(to_document(item))


topics_app = typer.Typer(help="The topics; why a text has one; the rules' own examples.", invoke_without_command=True)
app.add_typer(topics_app, name="topics")


@topics_app.callback()
def topics(context: typer.Context, config: Config = None, json: Json = False) -> None:
    """List the topics."""
    if context.invoked_subcommand:
        return
    from newsbeam.topics import load_topics

    rules = load_topics(config or default_config_dir())
    if json:
        for rule in rules.topics:
            output.json_line(
                {
                    "id": rule.id,
                    "label": rule.label,
                    "iptc": rule.iptc,
                    "threshold": rule.threshold,
                    "version": rules.version,
                }
            )
    else:
        output.table(("id", "label"), ((rule.id, rule.label) for rule in rules.topics))


@topics_app.command()
def explain(
    target: Annotated[str, typer.Argument(metavar="FILE-or-ID", help="A text file, or an article's id or URL.")],
    config: Config = None,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> None:
    """Why a text has a topic, or just misses it."""
    from newsbeam.topics import explain_topics, load_topics

    settings = load_settings(config, with_feeds=False)
    rules = load_topics(Path(settings.config_dir))
    item = _from_file(Path(target), settings) if Path(target).is_file() else _article(open_store(store), target)
    found = explain_topics(item.title, item.summary, item.body, item.entity_details, rules, item.language)
    if json:
        for explanation in found:
            output.json_line(to_plain(explanation))
    else:
        output.explanations(found)


@topics_app.command()
def test(config: Config = None, json: Json = False) -> int:
    """Run each topic's own examples."""
    from newsbeam.topics import load_topics, run_examples

    rules = load_topics(config or default_config_dir())
    failures = run_examples(rules)
    for failure in failures:
        if json:
            output.json_line(to_plain(failure))
        else:
            wanted = "has" if failure.positive else "must not have"
            output.note(
                f"{failure.file}:{failure.line}: {wanted} {failure.topic}, but scores {failure.score:g}"
                f" of {failure.threshold:g}: {failure.text[:80]}"
            )
    if not json:
        count = sum(len(topic.examples) for topic in rules.topics)
        print(f"{count - len(failures)} of {count} examples as expected")
    return 1 if failures else 0


def _from_file(path: Path, settings: Settings) -> Article:
    """A text file as the article that backfill would make of it."""
    from newsbeam import backfill, work
    from newsbeam.articles import Page, make_draft
    from newsbeam.errors import ReadError

    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        content = work.clean(text, "")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except ReadError as error:
        raise ConfigError(f"{path}: {error}") from error
    line = json_module.dumps({"title": content.title, "text": text}).encode()
    row = backfill.read_line(line, now=now_ms())
    draft = make_draft(row, Page("", content), read_at=now_ms()) if isinstance(row, EntryRow) else None
    if draft is None:
        raise ConfigError(f"{path}: no text in it")
    work.prepare(tuple(sorted(settings.models.items())), settings.config_dir)
    article = draft.article
    (annotation,) = work.annotate([(article.title, article.summary, article.body, None)])
    return work.annotated(article, annotation)


def _article(store: Store, id_or_url: str) -> Article:
    item = store.find_article(id_or_url)
    if item is None or item.status == "deleted":
        raise ConfigError(f"no article {id_or_url} in {store.url}")
    return item


def _query(
    text: str,
    filters: dict[str, Optional[list[str]]],
    since: Optional[str],
    until: Optional[str],
    sort: str,
    limit: int,
) -> Query:
    now = now_ms()
    return parse_query(
        text,
        filters={name: values for name, values in filters.items() if values},
        since=parse_time(since, now) if since else None,
        until=parse_time(until, now) if until else None,
        sort=sort,
        limit=limit,
    )
