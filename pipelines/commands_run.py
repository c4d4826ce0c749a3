"""Commands that run the graph: ingest, and what backfill shares with it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from newsbeam.settings import load_settings
from newsbeam.stores import open_store
from pipelines import output
from pipelines.cli import DEFAULT_STORE, Config, Feeds, Json, StoreUrl, app
from pipelines.options import LOCAL, check_runner, quiet_beam
from pipelines.progress import Progress

if TYPE_CHECKING:
    from newsbeam.stores.base import Store
    from pipelines.rounds import Report, Rounds

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
    with Progress(json) as progress:
        rounds = start_rounds(settings, client, progress, ("--runner", runner, *context.args))
        report = rounds.ingest(force=now)
    print_report(report, json)
    if not json:
        _say_next(client, [feed.id for feed in settings.feeds if feed.enabled])
    return exit_code(report, settings.max_failed if max_failed is None else max_failed)


def start_rounds(settings: Any, store: Store, progress: Progress, options: tuple[str, ...]) -> Rounds:
    """The job, with SIGINT and SIGTERM ending it after the pipeline that runs."""
    from newsbeam.entities import check_models
    from transforms.job import start_pool

    quiet_beam()
    check_models(settings.models)
    pool = start_pool(settings)
    from pipelines.rounds import Rounds  # Beam is imported here, while the pool's processes load their models

    pool.warm_up()

    rounds = Rounds(settings, store, progress=progress, runner_options=options)

    def stop(*_: object) -> None:
        output.note("stopping after what runs now; the rest stays in the inbox (again: at once)")
        rounds.stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return rounds


def print_report(report: Report, json: bool) -> None:
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


def exit_code(report: Report, max_failed: float) -> int:
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
