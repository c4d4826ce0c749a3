"""What commands print: JSON lines, tables and the ledger. Text from publishers never reaches the terminal raw."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from newsbeam.records import Article, to_iso
from newsbeam.search import Hit, SearchResult

if TYPE_CHECKING:
    from rich.console import Console

    from newsbeam.rules import Group
    from newsbeam.topics import Explanation
    from pipelines.rounds import Report

# C0 and C1 controls (escape sequences start with one) and the bidirectional overrides
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff]")


def json_line(document: Any) -> None:
    """Prints one JSON document on one line of stdout."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")


def safe(text: object) -> str:
    """A text without what a terminal would act on."""
    return _UNSAFE.sub("", str(text))


def console() -> Console:
    """The console on stdout; no markup or emoji codes are read from what it prints."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else 1_000  # nothing is cut for a file or a pipe
    return Console(markup=False, emoji=False, highlight=False, soft_wrap=width is not None, width=width)


def note(text: str) -> None:
    """A line on stderr."""
    print(safe(text), file=sys.stderr)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A plain table on stdout."""
    from rich.table import Table

    grid = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        grid.add_row(*(safe(cell) for cell in row))
    console().print(grid)


def ledger(report: Report) -> None:
    """A round's account as a table."""
    account = report.ledger
    rows: list[tuple[str, object]] = [("seen", account.seen), ("new", account.new), ("revised", account.revised)]
    rows.append(("unchanged", account.unchanged))
    rows += [(f"skipped: {reason}", count) for reason, count in sorted(account.skipped.items())]
    rows += [(f"failed: {reason}", count) for reason, count in sorted(account.failed.items())]
    rows.append(("in the inbox", account.inbox))
    table(("entries", ""), rows)
    if account.labels:
        console().print("of them: " + ", ".join(f"{safe(k)} {n}" for k, n in sorted(account.labels.items())))
    failures = sum(account.feed_failures.values())
    reasons = ", ".join(f"{safe(reason)} {count}" for reason, count in sorted(account.feed_failures.items()))
    polled = f"{account.feeds} feeds polled" + (f", {failures} of them not read ({reasons})" if failures else "")
    balance = "the ledger balances" if report.balanced else "THE LEDGER DOES NOT BALANCE: please report this"
    console().print(f"{polled}; {report.seconds:.1f} s; {balance}")


def hits(result: SearchResult) -> None:
    """A search's hits, a few lines each, and its facets."""
    out = console()
    out.print(f"{result.total} articles")
    for hit in result.hits:
        article = hit.article
        out.print()
        out.print(safe(article.title), style="bold")
        out.print(f"{safe(article.source.name)}  {article.timestamp[:16].replace('T', ' ')}  {article.id}")
        for fragment in _fragments(hit):
            out.print("  " + fragment)
        if article.topics:
            out.print("  topics: " + safe(", ".join(article.topics)))
    for name, values in result.facets.items():
        if values:
            out.print()
            out.print(f"{name}: " + safe(", ".join(f"{facet.value} ({facet.count})" for facet in values)))


def _fragments(hit: Hit) -> list[str]:
    import html

    found = [text for field in ("summary", "body") for text in hit.highlights.get(field, ())]
    return [safe(html.unescape(text.replace("<em>", "[").replace("</em>", "]"))) for text in found[:2]]


def article(item: Article, revisions: Sequence[Article] = ()) -> None:
    """One article with its entities, topics with evidence, story and history."""
    out = console()
    out.print(safe(item.title), style="bold")
    out.print(safe(f"{item.source.name}  {item.timestamp}  {item.url}"))
    out.print(safe(f"id {item.id}  revision {item.revision}  text from the {item.text_from}  language {item.language}"))
    for text in filter(None, (item.summary, item.body)):
        out.print()
        out.print(safe(text))
    for kind in ("people", "organizations", "places", "groups", "events"):
        names = getattr(item, kind)
        if names:
            out.print()
            out.print(f"{kind}: " + safe(", ".join(names)))
    for topic in item.topic_details:
        out.print()
        out.print(safe(f"topic {topic.id} ({topic.label}), score {topic.score:g}:"))
        for evidence in topic.evidence:
            out.print(safe(f"  [{evidence.rule}] {evidence.text}"))
    out.print()
    out.print(safe(f"story {item.story_id}" + (f", a copy of {item.copy_of}" if item.copy_of else "")))
    out.print("feeds: " + safe(", ".join(f"{ref.id} ({ref.outcome})" for ref in item.feeds)))
    for old in revisions:
        out.print(safe(f"revision {old.revision} of {old.observed_at}: {old.title}"))
    if revisions:
        out.print(safe(f"revision {item.revision} of {item.observed_at}: {item.title} (now)"))


def explanations(found: Sequence[Explanation]) -> None:
    """Why a text has its topics, and just misses others."""
    out = console()
    for topic in found:
        verdict = "HAS" if topic.tagged else "misses"
        out.print(safe(f"{verdict} {topic.id}: score {topic.score:g}, threshold {topic.threshold:g}"), style="bold")
        for sign, pieces in (("+", topic.hits), ("-", topic.exclusions)):
            for evidence, strength in pieces:
                out.print(safe(f"  {sign}{strength:.2f} [{evidence.rule}] {evidence.field}: {evidence.text}"))
        if topic.vetoed_by:
            out.print(safe(f"  vetoed by {', '.join(topic.vetoed_by)}"))
        for evidence, missing in topic.nearly:
            out.print(safe(f"  nearly [{evidence.rule}] {evidence.text}"))
            out.print(safe(f"         it lacks any of {_named(missing)}"))
    if not found:
        out.print("no topic, and no rule comes near")


def _named(group: Group) -> str:
    phrases = [phrase for values in group.phrases.values() for phrase in values]
    names = [*phrases, *group.entities]
    return ", ".join(names[:8]) + (" ..." if len(names) > 8 else "")


def when(ms: int | None) -> str:
    """A time for a person, UTC."""
    return to_iso(ms)[:16].replace("T", " ") + " UTC" if ms is not None else "-"
