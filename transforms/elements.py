"""The elements that flow between the transforms, and their coders.

Without a registered RowCoder, Beam would pickle NamedTuples.
"""

from typing import NamedTuple

from apache_beam import coders

from newsbeam.records import Draft, EntryRow, Failure, Feed, Poll, RowResult


class Tick(NamedTuple):
    """A moment at which due feeds and rows are looked for. `force`: every enabled feed is due, once."""

    number: int
    at: int
    force: bool = False


class DueFeed(NamedTuple):
    """A feed to poll, and the tick that found it due."""

    feed: Feed
    tick: Tick


for element in (Tick, DueFeed, Feed, EntryRow, Draft, Failure, Poll, RowResult):
    coders.registry.register_coder(element, coders.RowCoder)

__all__ = ["Draft", "DueFeed", "EntryRow", "Failure", "Feed", "Poll", "RowResult", "Tick"]
