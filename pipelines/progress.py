"""How far a round is, on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from newsbeam.stores.base import Ledger


class Progress:
    """A progress bar on stderr, where that is a terminal; called with the round's ledger so far."""

    def __init__(self, quiet: bool) -> None:
        from rich import progress
        from rich.console import Console

        self._bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=quiet or not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("reading", total=None)

    def __enter__(self) -> Progress:
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
