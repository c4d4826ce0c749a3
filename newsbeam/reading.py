"""Reading the article behind an entry: its page where it can be had, else what its feed said.

A page that fails never costs the entry: with a title or text from the feed there is an article, labelled
`feed text only`, and the reason stands in its `extraction`. The effects are handed in as `Tools`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Optional, Union

from newsbeam import identity
from newsbeam.articles import Page, make_draft
from newsbeam.errors import ExtractError, FetchError, ReadError
from newsbeam.pool import PoolError
from newsbeam.records import Draft, EntryRow, Failure

if TYPE_CHECKING:
    from newsbeam.extract import Content
    from newsbeam.fetch import Fetched

MAX_BUSY = 3  # times that a host may say "not now" before the feed's text is taken
MAX_TRIES = 5  # times that an entry without any text of its own is tried again


class Tools(NamedTuple):
    """The effects that reading needs; all may raise ReadError, the last two PoolError too."""

    fetch_page: Callable[[str], Fetched]
    extract: Callable[[Union[bytes, str], str, str, str], Content]
    clean: Callable[[str, str], Content]


def read_article(row: EntryRow, tools: Tools, *, read_at: int) -> Union[Draft, Failure]:
    """The draft of a row's article, or why there is none.

    Args:
        read_at: in ms; later than anything the store had of the article when reading began.
    """
    from newsbeam.fetch import route_of

    page, reason = None, None
    try:
        page = _read_page(row, tools)
    except PoolError as death:
        return Failure(row, "extract", "never", "extract_timeout" if death.overran else "extract_died", death.detail)
    except FetchError as error:
        route = route_of(error)
        has_text = row.entry.title or row.entry.summary or row.entry.text
        if route == "busy" and row.busy < MAX_BUSY:
            return Failure(row, "fetch", "busy", error.reason, error.detail, error.retry_after)
        if not has_text:
            route = "later" if route != "never" and row.tries < MAX_TRIES else "never"
            return Failure(row, "fetch", route, error.reason, error.detail, error.retry_after)
        reason = error.reason
    except ReadError as error:
        reason = error.reason
    draft = make_draft(row, page, read_at=read_at, reason=reason)
    return draft or Failure(row, "extract", "never", reason or "no_content")


def _read_page(row: EntryRow, tools: Tools) -> Optional[Page]:
    from newsbeam.extract import matches

    entry = row.entry
    if entry.html:
        return Page(entry.link, tools.extract(entry.html, entry.link, "", entry.title))
    if row.kind == "backfill" and entry.text:
        return Page(entry.link, tools.clean(entry.text, entry.title))
    if row.kind == "backfill" and not entry.title:
        raise ExtractError("no_content")
    if not row.feed.full_text:
        raise ExtractError("not_wanted", "full_text is off")
    if not identity.canonicalize_url(entry.link):
        raise ExtractError("no_link")
    answer = tools.fetch_page(entry.link)
    content = tools.extract(answer.body, answer.url, answer.headers.get("content-type", ""), entry.title)
    if not matches(entry.title, content):
        raise ExtractError("other_page", f"{answer.url} has nothing to do with the entry's title")
    return Page(answer.url, content)
