"""What runs in the pool's processes: each function is called there by name, with plain values both ways."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from newsbeam.records import Article, EntityDetail, facets

if TYPE_CHECKING:
    from newsbeam.entities import Annotator
    from newsbeam.extract import Content
    from newsbeam.feeds import ParsedFeed

_annotator: Optional[Annotator] = None


class Annotation(NamedTuple):
    """What language work found in an article. `cut`: the text was longer than the model may see."""

    language: Optional[str]
    details: Sequence[EntityDetail]
    cut: bool


def prepare(models: tuple[tuple[str, str], ...], config_dir: str) -> None:
    """Loads the models and the gazetteer, once in each process."""
    global _annotator
    from newsbeam.entities import Annotator
    from newsbeam.gazetteer import load_gazetteer

    _annotator = Annotator(dict(models), load_gazetteer(Path(config_dir)))
    annotate([("warm", "", "Jens Stoltenberg visited Tokyo.", "en")])


def parse(body: bytes, url: str, content_type: str, now: int) -> ParsedFeed:
    """`feeds.parse_feed`. Raises FeedError."""
    from newsbeam.feeds import parse_feed

    return parse_feed(body, url=url, content_type=content_type, now=now)


def extract(body: bytes | str, url: str, content_type: str, title: str) -> Content:
    """`extract.extract_page`. Raises ExtractError."""
    from newsbeam.extract import extract_page

    return extract_page(body, url=url, content_type=content_type, title_hint=title)


def clean(text: str, title: str) -> Content:
    """`extract.clean_text`."""
    from newsbeam.extract import clean_text

    return clean_text(text, title=title)


def annotate(texts: Sequence[tuple[str, str, str, Optional[str]]]) -> list[Annotation]:
    """Language and entities of texts (title, summary, body, language as declared)."""
    from newsbeam.entities import Texts
    from newsbeam.language import detect

    if _annotator is None:
        raise RuntimeError("prepare() has not run in this process")
    detected = [
        Texts(title, summary, body, detect(f"{title}\n{summary}\n{body}"[:5000], hint=hint))
        for title, summary, body, hint in texts
    ]
    found = _annotator.annotate(detected)
    return [
        Annotation(text.language, entities.details, entities.cut)
        for text, entities in zip(detected, found, strict=True)
    ]


def annotated(article: Article, annotation: Annotation) -> Article:
    """An article with its language and entities."""
    fields: dict[str, Any] = dict(facets(annotation.details))
    return article._replace(
        language=annotation.language,
        entity_details=annotation.details,
        extraction=article.extraction._replace(cut=article.extraction.cut or annotation.cut),
        **fields,
    )
