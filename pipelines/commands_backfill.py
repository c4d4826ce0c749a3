"""The command backfill: the graph from the entry rows on, over files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsbeam.errors import StoreError
from newsbeam.records import Cursor, EntryRow, Poll, RowResult, now_ms
from newsbeam.settings import load_settings
from newsbeam.stores import open_store
from pipelines.cli import DEFAULT_STORE, Config, Json, StoreUrl, app
from pipelines.commands_run import MaxFailed, exit_code, print_report, start_rounds
from pipelines.progress import Progress

if TYPE_CHECKING:
    from newsbeam.stores.base import Store
    from pipelines.rounds import Rounds

BATCH = 1_000


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
    with Progress(json) as progress:
        rounds = start_rounds(settings, client, progress, ())
        report = rounds.backfill(_batches(files, client, rounds))
    print_report(report, json)
    return exit_code(report, settings.max_failed if max_failed is None else max_failed)


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
