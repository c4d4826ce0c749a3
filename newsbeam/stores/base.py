"""The protocol of a store: where cursors, polls, entry rows, articles, revisions and leases live.

`stores/sqlite.py` keeps it, Elasticsearch is to follow; one contract suite (tests/contract) runs on every engine.

The order that makes ingestion safe: `commit_poll` makes an entry's row durable before the cursor moves past it;
`write_articles` writes the previous revision, then the article, then the row's outcome. A process that dies between
any two leaves a row that runs again and finds its change contained.

All writes under a lease are compare-and-set on its fence: one taken over by another holder is refused and left out
of what the call returns; it never raises. Times are milliseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Optional, Protocol

from newsbeam.records import Article, Cursor, Draft, EntryRow, Holder, Poll, RowResult
from newsbeam.search import Query, SearchResult


class Claim(NamedTuple):
    """A feed taken for polling: its cursor (a fresh one where there was none) and the lease's fence."""

    cursor: Cursor
    fence: int


class Patch(NamedTuple):
    """Derived fields of a stored article to replace (topics, entities, story_id, copy_of, status ...).

    `fields` has document names and plain values. With `content_hash` the patch holds for that content alone.
    """

    article_id: str
    fields: Mapping[str, Any]
    content_hash: Optional[str] = None


class Ledger(NamedTuple):
    """What became of entries: seen (with those carried over) = unchanged + new + revised + skipped + failed + inbox.

    `inbox` counts all rows without an outcome, `waiting` those of them that are due later, `next_due_at` when.
    `feed_failures`: reason to number of polls that failed.
    """

    feeds: int = 0
    feed_failures: Mapping[str, int] = {}
    seen: int = 0
    new: int = 0
    revised: int = 0
    unchanged: int = 0
    skipped: Mapping[str, int] = {}
    failed: Mapping[str, int] = {}
    labels: Mapping[str, int] = {}
    inbox: int = 0
    waiting: int = 0
    next_due_at: Optional[int] = None

    def balances(self) -> bool:
        """Whether every entry seen has an outcome or is in the inbox."""
        ended = self.new + self.revised + self.unchanged + sum(self.skipped.values()) + sum(self.failed.values())
        return self.seen == ended + self.inbox


class FailedRow(NamedTuple):
    """An entry row that failed, with what is needed to look into it or to try again."""

    row: EntryRow
    reason: str
    detail: str
    at: int


class Pruned(NamedTuple):
    """What a prune took away: articles, their revisions, entry rows (`failed` of them failures) and polls."""

    articles: int = 0
    revisions: int = 0
    rows: int = 0
    failed: int = 0
    polls: int = 0


class Status(NamedTuple):
    """Counts of a store, for `store status`."""

    url: str
    engine: str
    schema: int
    articles: int
    deleted: int
    revisions: int
    feeds: int
    polls: int
    rows: int
    size_bytes: int


class Store(Protocol):
    """One store. A client belongs to one process; use it from any of its threads."""

    url: str

    # --- the store itself
    def initialize(self) -> None:
        """Creates what is missing and brings older schemas up to date; may be called again. Raises StoreError."""

    def close(self) -> None:
        """Lets go of files and connections."""

    def status(self) -> Status:
        """Counts."""

    def check(self) -> list[str]:
        """Problems found by the consistency check, one line each; empty when all is well.

        Checked: the engine's own integrity; that search index, facets and articles agree; that rows with an outcome
        of new or revised have their article (but those labelled `pruned`); that seen = outcomes + inbox.
        """

    # --- polling
    def cursors(self, feed_ids: Sequence[str]) -> dict[str, Cursor]:
        """The cursors of those feeds that have one."""

    def claim_feeds(self, feed_ids: Sequence[str], holder: Holder, now: int, until: int) -> dict[str, Claim]:
        """Takes each feed that nobody else holds, until a time; those held by others are left out."""

    def release_feed(self, feed_id: str, holder: Holder, fence: int) -> bool:
        """Lets go of a feed that was claimed and is not polled; False when it was lost before."""

    def commit_poll(
        self, poll: Poll, cursor: Cursor, rows: Sequence[EntryRow], holder: Holder, fence: int, until: int
    ) -> list[EntryRow]:
        """Makes a poll durable: the rows (create only), the poll, the cursor, in this order; lets go of the feed.

        Rows are created as held by `holder` until `until`, with fence 1 (free, with fence 0, where `until` is not after
        `poll.at`). Returns the rows that this call created.
        A row that exists already is left as it is. A lost lease writes nothing and returns [].
        `poll.new` counts all rows given: those that exist came from a first try of the same poll, which this one
        overwrites. With kind `backfill`, rows that exist from an earlier poll count as unchanged instead.
        """

    # --- the inbox
    def take_rows(self, holder: Holder, now: int, until: int, limit: int, *, alone: bool = False) -> list[EntryRow]:
        """Takes due rows without an outcome and without a living lease, oldest due first, until a time.

        A row whose lease ran out or was dropped while held counts one death more. Rows with two deaths or more are
        taken only with `alone`, and then no others. [] means that nothing is due.
        """

    def get_rows(self, row_ids: Sequence[str]) -> dict[str, EntryRow]:
        """Rows by id, with or without an outcome (a completed row's entry has its key alone). Reads are real-time."""

    def finish_rows(self, results: Sequence[RowResult]) -> list[RowResult]:
        """Ends takings: sets outcomes (payload dropped unless failed) or puts off; returns those that took effect.

        A put-off row keeps its payload, is let go, and is due at `due_at`; route `later` counts a try, `busy` a busy.
        """

    def ledger(self, job: Optional[str] = None, tick: Optional[int] = None) -> Ledger:
        """Accounts of everything, or of one job, or of one tick of it.

        With a job, `seen` counts entries of its polls; the caller adds what the inbox held before it.
        """

    def failures(
        self,
        limit: int = 100,
        *,
        reason: Optional[str] = None,
        feed: Optional[str] = None,
        row_ids: Optional[Sequence[str]] = None,
        until: Optional[int] = None,
    ) -> list[FailedRow]:
        """The newest failed rows, with their payload.

        Only those with a reason, of a feed (its id), among some rows, or that failed at a time (ms) or before, where
        one is given.
        """

    def reopen_rows(self, row_ids: Sequence[str], now: int) -> int:
        """Puts failed rows back into the inbox, as if just seen, and returns how many; others are left as they are.

        Outcome, reason, detail and labels are cleared, tries, busy and deaths are 0, due is now. The fence stays, and
        grows with the next taking. Until it ends again, such a row counts for no job. What is newer than it wins:
        where a later change of its entry was written, it ends as `skipped: superseded`.
        """

    # --- articles
    def get_articles(self, ids: Sequence[str]) -> dict[str, Article]:
        """Articles by id, deleted ones too. Reads are real-time."""

    def find_article(self, id_or_url: str) -> Optional[Article]:
        """An article by id, or by an address: its key's id, its url, its canonical_url."""

    def write_articles(self, drafts: Sequence[Draft], now: int) -> list[RowResult]:
        """Merges each draft (`merge.merge_draft`) and completes its row; returns what took effect.

        A draft whose row's lease was lost before the call is left out, and nothing of it written. One that the engine
        refuses ends its row as failed, and the others are written.
        """

    def patch_articles(self, patches: Sequence[Patch], now: int) -> int:
        """Replaces derived fields; a patch already contained is no write. Returns the number of articles written."""

    def delete_articles(self, ids: Sequence[str], now: int) -> int:
        """Takes articles down, for good, and returns how many were (ids of none, and deleted ones, count as 0).

        Of each is removed, wherever it is kept:
        - from the article all that it says and what was made of that (`tombstone.entomb`), so that searches, scans
          and facets leave it out. The tombstone keeps what is needed to know it again: id, addresses, source,
          feeds[], first_seen_at, versions. One more stands under the id that its address alone gives, where there is
          no article, so that it does not return when its page declares no canonical address any more;
        - its former contents (revisions), all of them;
        - the payload of rows that belong to it: those with its id, or the id of their entry's change before, or whose
          own link names it. Failed ones and those in the inbox, held or not, end as `skipped: deleted`; so their
          holders can't write any more.
        Rows, polls and cursors keep what the ledger counts: ids, hashes and entry keys.

        What comes later for its id is `skipped: deleted`. Other articles that name it (`story_id`, `copy_of`) keep
        the id until they are grouped again. Order: tombstone, revisions, rows; after a crash in between, deleting
        again removes the rest. Deleting twice is no write. What engines keep of old bytes goes with `compact`.
        """

    def would_prune(self, before: int) -> Pruned:
        """What repeated calls of `prune` would take away now."""

    def prune(self, before: int, limit: int) -> Pruned:
        """Retention: takes away what is from before a time (ms), a part at a time; all zeros when nothing is left.

        - Active articles whose @timestamp is before it, with their revisions, `limit` at most. Tombstones stay.
        - Polls from before it, each whole with all its rows, polls and rows `limit` at most (or one poll), where every
          row has an outcome from before it and none belongs to an article that the store still has. So for what
          remains seen = outcomes + inbox, and `poll.new` is the number of its rows. Failed rows go as others do: who
          wants them back replays them before.

        Rows without an outcome always stay. A row that stays though its article goes (of a page that was old when it
        was first seen) gets the label `pruned`, which the check knows. Cursors stay, so that an entry that is still in
        its feed does not come back; one that its feed changes does, as a new article. Backfill has no cursor but its
        rows: a file that is read again when they are gone is new again.
        Order: labels, revisions, articles, rows, polls; what a crash leaves goes with the next call, but a poll and
        its rows must go together.
        """

    def compact(self) -> None:
        """Takes what was deleted or replaced out of the engine's files, as far as it can; slow on a large store."""

    def revisions(self, article_id: str) -> list[Article]:
        """The former contents of an article, oldest first."""

    def search(self, query: Query) -> SearchResult:
        """Active articles that match, best first (or by time), with highlights and facets."""

    def scan(self, query: Optional[Query] = None) -> Iterator[Article]:
        """All active articles that match, by (timestamp, id); limit and sort of the query are not used."""

    # --- leases
    def take_lease(self, name: str, holder: Holder, now: int, until: int) -> Optional[int]:
        """Takes (or, when held by the same holder, renews) a named lease; its fence, or None when another has it."""

    def release_lease(self, name: str, holder: Holder, fence: int) -> bool:
        """Lets go of a lease; False when it was lost before."""

    def release_all(self, holder: Holder) -> int:
        """Lets go of all that a holder's process still has for its job, counting no death; returns how many.

        For a job that goes on after a pipeline of its own failed.
        """

    def drop_dead(self, host: str, alive: Callable[[Holder], bool]) -> int:
        """Drops the leases of this host's processes that are gone, rows, feeds and named ones; returns how many.

        A dropped row counts one death more.
        """


PRUNED = "pruned"
"""The label of a row whose article went with its age."""

__all__ = ["PRUNED", "Claim", "FailedRow", "Ledger", "Patch", "Pruned", "Status", "Store"]
