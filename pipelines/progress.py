"""How far a round is, on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from newsbeam.stores.base import Ledger

LINE_EVERY = 10  # seconds between lines, where stderr is no terminal


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


class FileProgress:
    """How far a backfill is: what is done, the rate, and the time left by the share of the files that is read.

    A line that is replaced where stderr is a terminal, else a line every ten seconds; one more at the end.

    Args:
        share: what is read of the files, from 0 to 1; None where nobody knows.
    """

    def __init__(self, share: Callable[[], float | None]) -> None:
        self._share = share
        self._terminal = sys.stderr.isatty()
        self._began = self._said = time.monotonic()

    def __enter__(self) -> FileProgress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._terminal:
            self._write("\r\x1b[K")

    def __call__(self, ledger: Ledger) -> None:
        now = time.monotonic()
        if not ledger.seen:  # the models are loading
            self._began = now
            return
        share = self._share()
        done = share and share * _done(ledger) / ledger.seen  # what was read last is still at work
        line = progress_line(_done(ledger), now - self._began, done)
        if self._terminal:
            self._write("\r\x1b[K" + line)
        elif now - self._said >= LINE_EVERY:
            self._said = now
            self._write(line + "\n")

    def end(self, ledger: Ledger) -> None:
        """Says what the whole came to."""
        start = "\r\x1b[K" if self._terminal else ""
        self._write(f"{start}{progress_line(_done(ledger), time.monotonic() - self._began)}\n")

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def _done(ledger: Ledger) -> int:
    return max(ledger.seen - ledger.inbox, 0)


def progress_line(done: int, seconds: float, share: float | None = None) -> str:
    """`12,000 entries, 41.3/s, 60 % done, 3 min left`; without a share, the time that it took."""
    text = f"{done:,} entries, {done / max(seconds, 0.001):.1f}/s"
    if share is None:
        return f"{text}, {_span(seconds)}"
    text += f", {share:.0%} done".replace("%", " %")
    return text if share <= 0 else f"{text}, {_span(seconds * (1 - share) / share)} left"


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
