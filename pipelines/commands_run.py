"""Commands that run the graph: ingest and backfill."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from newsbeam.errors import StoreError
from newsbeam.records import Cursor, EntryRow, Poll, RowResult, now_ms
from newsbeam.settings import load_settings
from newsbeam.stores import open_store
from pipelines import output
from pipelines.cli import DEFAULT_STORE, Config, Feeds, Json, StoreUrl, app
from pipelines.options import LOCAL, check_runner, quiet_beam

if TYPE_CHECKING:
    from newsbeam.stores.base import Ledger, Store
    from pipelines.rounds import Report, Rounds

BATCH = 1_000
MaxFailed = Annotated[
    Optional[float],
    typer.Option("--max-failed", min=0, max=1, help="Share of failed entries above which the exit code is 1."),
]


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def ingest(
    context: typer.Context,
    config: Config = None,
    store: StoreUrl = DEFAULT_STORE,
    feeds: Feeds = None,
    now: Annotated[bool, typer.Option("--now", help="Poll every enabled feed, whatever its schedule.")] = False,
    max_failed: MaxFailed = None,
    runner: Annotated[str, typer.Option("--runner", help="The Beam runner; further options go to it.")] = LOCAL,
    json: Json = False,
) -> int:
    """Poll the feeds that are due, read what is new, and print the ledger."""
    _check_extra(context, runner)
    check_runner(runner, store)
    settings = load_settings(config, feeds)
    client = open_store(store, create=True)
    with _Progress(json) as progress:
        rounds = _rounds(settings, client, progress, ("--runner", runner, *context.args))
        report = rounds.ingest(force=now)
    _print(report, json)
    if not json:
        _say_next(client, [feed.id for feed in settings.feeds if feed.enabled])
    return _exit_code(report, settings.max_failed if max_failed is None else max_failed)


@app.command()
def backfill(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="JSON Lines; - is standard input.")],
    config: Config = None,
    store: StoreUrl = DEFAULT_STORE,
    max_failed: MaxFailed = None,
    json: Json = False,
) -> int:
    """Take in articles from files, through the same graph."""
    from newsbeam.errors import ConfigError

    settings = load_settings(config, with_feeds=False)
    for file in files:
        if str(file) != "-" and not file.is_file():
            raise ConfigError(f"{file}: no such file")
    client = open_store(store, create=True)
    with _Progress(json) as progress:
        rounds = _rounds(settings, client, progress, ())
        report = rounds.backfill(_batches(files, client, rounds))
    _print(report, json)
    return _exit_code(report, settings.max_failed if max_failed is None else max_failed)


def _batches(files: list[Path], store: Store, rounds: Rounds) -> Iterator[list[EntryRow]]:
    """Rows of the files' lines, made durable a thousand at a time; broken lines end as failures at once."""
    from itertools import islice

    from newsbeam import backfill as reader
    from transforms.job import LEASE_MS

    for file in files:
        path = Path("/dev/stdin") if str(file) == "-" else file
        lines = reader.read_lines(path, poll=0, now=now_ms())
        while batch := list(islice(lines, BATCH)):
            now, holder = now_ms(), rounds.holder
            claim = store.claim_feeds([reader.FEED_ID], holder, now, now + LEASE_MS).get(reader.FEED_ID)
            if claim is None:
                raise StoreError("another backfill into this store is running; wait for it to end")
            number = claim.cursor.poll + 1
            broken = {line.row.id: line for line in batch if isinstance(line, reader.Broken)}
            unique: dict[str, EntryRow] = {}
            for line in batch:
                row = line.row if isinstance(line, reader.Broken) else line
                unique.setdefault(row.id, row._replace(poll=number))
            skipped = {"duplicate": len(batch) - len(unique)} if len(unique) < len(batch) else {}
            poll = Poll(
                reader.FEED_ID, number, now, "ok", seen=len(batch), skipped=skipped, new=len(unique),
                job=holder.job, tick=holder.tick,
            )  # fmt: skip
            cursor = Cursor(reader.FEED_ID, poll=number, polled_at=now)
            made = store.commit_poll(poll, cursor, list(unique.values()), holder, claim.fence, now + LEASE_MS)
            store.finish_rows(
                [
                    RowResult(row.id, row.fence, "failed", broken[row.id].reason, broken[row.id].detail,
                              job=holder.job, tick=holder.tick)
                    for row in made if row.id in broken
                ]
            )  # fmt: skip
            good = [row for row in made if row.id not in broken]
            if good:
                yield good


def _rounds(settings: Any, store: Store, progress: _Progress, options: tuple[str, ...]) -> Rounds:
    """The job, with SIGINT and SIGTERM ending it after the pipeline that runs."""
    quiet_beam()
    from pipelines.rounds import Rounds

    rounds = Rounds(settings, store, progress=progress, runner_options=options)

    def stop(*_: object) -> None:
        output.note("stopping after what runs now; the rest stays in the inbox (again: at once)")
        rounds.stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return rounds


class _Progress:
    """A progress bar on stderr, where that is a terminal."""

    def __init__(self, quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=Console(stderr=True), transient=True, disable=quiet or not sys.stderr.isatty(),
        )  # fmt: skip
        self._task = self._bar.add_task("reading", total=None)

    def __enter__(self) -> _Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, ledger: Ledger) -> None:
        self._bar.update(
            self._task,
            description=f"{ledger.feeds} feeds",
            total=ledger.seen,
            completed=max(ledger.seen - ledger.inbox, 0),
        )


def _print(report: Report, json: bool) -> None:
    if json:
        output.json_line(report.to_json())
    else:
        output.ledger(report)


def _say_next(store: Store, feed_ids: list[str]) -> None:
    cursors = store.cursors(feed_ids)
    if cursors:
        soonest = min(cursors.values(), key=lambda cursor: cursor.next_poll_at)
        output.note(f"next: {soonest.feed_id} is due at {output.when(soonest.next_poll_at)}")
    waiting = store.ledger()
    if waiting.inbox:
        output.note(f"{waiting.inbox} entries wait in the inbox, the next until {output.when(waiting.next_due_at)}")


def _exit_code(report: Report, max_failed: float) -> int:
    ledger = report.ledger
    unread, failed = sum(ledger.feed_failures.values()), sum(ledger.failed.values())
    if ledger.feeds and unread == ledger.feeds:
        output.note("no feed could be read")
        return 1
    if failed > max_failed * ledger.seen:
        output.note(f"{failed} of {ledger.seen} entries failed, more than --max-failed {max_failed:g}")
        return 1
    return 0


def _check_extra(context: typer.Context, runner: str) -> None:
    if context.args and runner == LOCAL:
        raise typer.BadParameter(f"no such option or argument: {context.args[0]}", ctx=context)
