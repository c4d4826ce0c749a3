"""The commands on failures: list, show, replay."""

from __future__ import annotations

from typing import Annotated, Any, Optional

import typer

from newsbeam.errors import ConfigError
from newsbeam.records import now_ms, to_iso, to_plain
from newsbeam.settings import load_settings
from newsbeam.stores import open_store
from newsbeam.stores.base import FailedRow, Store
from pipelines import output
from pipelines.cli import DEFAULT_STORE, Config, Json, StoreUrl, app
from pipelines.commands_run import MaxFailed, exit_code, start_rounds
from pipelines.progress import Progress

BATCH = 500  # rows reopened at once
_SHOWN = 60  # characters of a title in the table

failures_app = typer.Typer(help="What failed for good: look into it, try it again.", no_args_is_help=True)
app.add_typer(failures_app, name="failures")

Reason = Annotated[Optional[str], typer.Option("--reason", help="Only what failed for this reason.")]
FeedId = Annotated[Optional[str], typer.Option("--feed", metavar="ID", help="Only what this feed brought.")]


@failures_app.command("list")
def list_failures(
    reason: Reason = None,
    feed: FeedId = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000)] = 50,
    store: StoreUrl = DEFAULT_STORE,
    config: Config = None,
    json: Json = False,
) -> None:
    """The entries that failed, newest first."""
    client = open_store(store)
    found = client.failures(limit, reason=reason, feed=feed)
    if json:
        for failed in found:
            output.json_line(_summary(failed))
        return
    rows = ((f.row.id, output.when(f.at), f.row.feed.id, f.reason, _title(f)) for f in found)
    output.table(("row", "failed at", "feed", "reason", "entry"), rows)
    if len(found) == limit:
        counts = client.ledger().failed
        output.note(f"the newest {limit} of {sum(counts.values())} failures; --limit shows more")


@failures_app.command("show")
def show_failure(
    row_id: Annotated[str, typer.Argument(metavar="ROW-ID")],
    store: StoreUrl = DEFAULT_STORE,
    config: Config = None,
    json: Json = False,
) -> None:
    """One entry that failed: what its feed said, and why it failed."""
    client = open_store(store)
    found = client.failures(1, row_ids=[row_id])
    if not found:
        raise ConfigError(_why_not(client, row_id))
    failed = found[0]
    if json:
        output.json_line(_summary(failed) | {"entry": to_plain(failed.row.entry)})
        return
    row, entry, out = failed.row, failed.row.entry, output.console()
    out.print(output.safe(f"{failed.reason}: {failed.detail}"), style="bold")
    out.print(output.safe(f"row {row.id}  failed at {output.when(failed.at)}  seen at {output.when(row.seen_at)}"))
    out.print(output.safe(f"feed {row.feed.id} ({row.feed.source.name}), poll {row.poll}, {row.kind}"))
    for name, value in to_plain(entry).items():
        if value:
            text = ", ".join(value) if isinstance(value, list) else str(value)
            out.print(output.safe(f"{name}: {text}"))


@failures_app.command("replay")
def replay(
    row_ids: Annotated[Optional[list[str]], typer.Argument(metavar="ROW-ID...")] = None,
    reason: Reason = None,
    feed: FeedId = None,
    everything: Annotated[bool, typer.Option("--all", help="All that failed.")] = False,
    config: Config = None,
    store: StoreUrl = DEFAULT_STORE,
    max_failed: MaxFailed = None,
    json: Json = False,
) -> int:
    """Put failed entries back into the inbox and carry them through the graph now; may be repeated."""
    if not (row_ids or reason or feed or everything):
        raise ConfigError("name rows (failures list shows their ids), a --reason, a --feed, or --all")
    if everything and (row_ids or reason or feed):
        raise ConfigError("--all goes with nothing else")
    settings = load_settings(config, with_feeds=False)
    client = open_store(store)
    missing = set(row_ids or ()) - set(client.get_rows(row_ids or []))
    if missing:
        raise ConfigError(_why_not(client, min(missing)))
    with Progress(json) as progress:
        rounds = start_rounds(settings, client, progress, ())
        reopened = _reopen(client, reason, feed, row_ids)
        output.note(f"{reopened} entries go back into the inbox")
        report = rounds.replay()
    if json:
        output.json_line(report.to_json() | {"reopened": reopened})
    else:
        output.ledger(report)
    return exit_code(report, settings.max_failed if max_failed is None else max_failed)


def _reopen(store: Store, reason: Optional[str], feed: Optional[str], row_ids: Optional[list[str]]) -> int:
    """Reopens what has failed up to now; what fails while this runs, in another job, is not taken up again."""
    until, reopened = now_ms(), 0
    while True:
        found = store.failures(BATCH, reason=reason, feed=feed, row_ids=row_ids or None, until=until)
        count = store.reopen_rows([failed.row.id for failed in found], now_ms())
        reopened += count
        if not count:
            return reopened


def _summary(failed: FailedRow) -> dict[str, Any]:
    row = failed.row
    return {
        "row": row.id,
        "feed": row.feed.id,
        "source": row.feed.source.id,
        "kind": row.kind,
        "key": row.entry.key,
        "title": row.entry.title,
        "link": row.entry.link,
        "reason": failed.reason,
        "detail": failed.detail,
        "failed_at": to_iso(failed.at),
        "seen_at": to_iso(row.seen_at),
        "tries": row.tries,
        "article_id": row.article_id,
    }


def _title(failed: FailedRow) -> str:
    entry = failed.row.entry
    text = " ".join((entry.title or entry.link or entry.key).split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _why_not(store: Store, row_id: str) -> str:
    known = store.get_rows([row_id])
    return f"row {row_id} is not among the failures (any more)" if known else f"no row {row_id} in {store.url}"
