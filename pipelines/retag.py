"""Retag: changed topic rules, and a changed gazetteer or model, applied to the articles that are stored."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from newsbeam.errors import NewsbeamError
from newsbeam.records import Article, TopicDetail, now_ms, to_document
from newsbeam.stores.base import Patch, Store
from newsbeam.topics import tag_topics

if TYPE_CHECKING:
    from newsbeam.rules import TopicRules
    from newsbeam.settings import Settings

BATCH = 128  # articles in memory, and in one write
_TOPICS = ("topics", "topic_details")
_ENTITIES = (
    "language", "extraction", "entities", "people", "organizations", "places", "groups", "events", "entity_details",
)  # fmt: skip

_log = logging.getLogger(__name__)

Annotate = Callable[[Sequence[Article]], Sequence[Optional[Article]]]


class Retagged(NamedTuple):
    """What came of it. `overtaken`: their content changed meanwhile, so that ingest has tagged them; `failed`: they
    could not be worked on, and stay as they were."""

    seen: int = 0
    changed: int = 0
    overtaken: int = 0
    failed: int = 0


def retag(
    store: Store,
    rules: TopicRules,
    *,
    annotate: Optional[Annotate] = None,
    progress: Callable[[Retagged], None] = lambda done: None,
) -> Retagged:
    """Tags all active articles again, a batch at a time; where nothing changes, nothing is written.

    May run beside an ingest, since a patch holds for the content that it was made from, and may be stopped and run
    again at any time.

    Args:
        annotate: finds the entities of articles anew (None for one that can't be done); without it they stay.
        progress: called after each batch.
    """
    done = Retagged()
    for batch in _batches(store.scan(), BATCH):
        renewed = annotate(batch) if annotate else batch
        changes = [_try_change(old, new, rules) for old, new in zip(batch, renewed, strict=True)]
        patches = [
            Patch(old.id, fields, old.content_hash) for old, fields in zip(batch, changes, strict=True) if fields
        ]
        written = store.patch_articles(patches, now_ms())
        done = Retagged(
            done.seen + len(batch),
            done.changed + written,
            done.overtaken + len(patches) - written,
            done.failed + changes.count(None),
        )
        progress(done)
    return done


def _try_change(old: Article, new: Optional[Article], rules: TopicRules) -> Optional[dict[str, Any]]:
    try:
        return change_of(old, new, rules) if new else None
    except Exception:  # a defect of ours must cost one article, on record, not the run
        _log.exception("tagging %s", old.id)
        return None


def change_of(old: Article, new: Article, rules: TopicRules) -> dict[str, Any]:
    """Those fields of a stored article that tagging makes different, as document names and plain values.

    Args:
        new: the same article, its entities found anew or not.
    """
    details = tag_topics(new.title, new.summary, new.body, new.entity_details, rules, new.language)
    kept = tuple(_known_or_new(detail, old.topic_details) for detail in details)
    new = new._replace(topics=tuple(detail.id for detail in kept), topic_details=kept)
    before, after = to_document(old), to_document(new)
    return {name: after[name] for name in (*_TOPICS, *_ENTITIES) if after[name] != before[name]}


def _known_or_new(detail: TopicDetail, stored: Iterable[TopicDetail]) -> TopicDetail:
    """The stored topic where it says the same but for the version of the rules: a change elsewhere is none here."""
    for known in stored:
        if known.id == detail.id and known._replace(rules_version=detail.rules_version) == detail:
            return known
    return detail


def annotate_with(settings: Settings) -> Annotate:
    """Finds entities in the process pool; where a process dies or overruns, its articles run one by one."""
    from concurrent.futures import ThreadPoolExecutor

    from newsbeam import work
    from newsbeam.pool import PoolError
    from transforms.job import start_pool

    pool, (seconds, size) = start_pool(settings), (settings.pool.item_seconds, settings.pool.batch)
    pool.warm_up()

    def one(article: Article) -> Optional[Article]:
        try:
            (annotation,) = pool.call_alone(work.annotate, [_texts(article)], seconds=seconds)
        except PoolError as death:
            _log.warning("entities of %s: %s", article.id, death)
            return None
        except NewsbeamError:  # as a model that is not installed
            raise
        except Exception:
            _log.exception("entities of %s", article.id)
            return None
        return work.annotated(article, annotation)

    def several(articles: list[Article]) -> list[Optional[Article]]:
        try:
            found = pool.call(work.annotate, [_texts(article) for article in articles], seconds=seconds)
        except Exception:  # a death, or a defect that one of them meets: find out which
            return [one(article) for article in articles]
        return [work.annotated(article, annotation) for article, annotation in zip(articles, found, strict=True)]

    def annotate(articles: Sequence[Article]) -> list[Optional[Article]]:
        with ThreadPoolExecutor(pool.processes) as threads:
            parts = threads.map(several, _batches(iter(articles), size))
            return [article for part in parts for article in part]

    return annotate


def _texts(article: Article) -> tuple[str, str, str, Optional[str]]:
    return article.title, article.summary, article.body, article.language


def _batches(articles: Iterator[Article], size: int) -> Iterator[list[Article]]:
    while batch := list(islice(articles, size)):
        yield batch
