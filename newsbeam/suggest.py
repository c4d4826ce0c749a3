"""What the gazetteer might lack: names that many articles have, each with the entry that it may belong to.

Only a person takes a suggestion up: what a document's entities are must never depend on what the store has seen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple, Optional

from newsbeam.gazetteer import Entry, Gazetteer
from newsbeam.records import Article


class Suggestion(NamedTuple):
    """A form that `articles` articles have, and the entry whose alias it may be (None: an entry of its own)."""

    form: str
    kind: str
    of: Optional[str]
    articles: int
    why: str


def suggest_aliases(articles: Iterable[Article], gazetteer: Gazetteer, *, least: int = 3) -> list[Suggestion]:
    """Suggestions, those with an entry first, then by the number of articles.

    Args:
        articles: each counts once for a name; copies of another are left out.
        least: in at least so many articles.
    """
    known = {form for entry in gazetteer.entries for forms in entry.forms.values() for form in forms}
    counts: Counter[tuple[str, str]] = Counter()
    for article in articles:
        if article.copy_of is None:
            counts.update({(detail.name, detail.kind) for detail in article.entity_details if detail.wikidata is None})
    by_words: dict[frozenset[str], list[Entry]] = {}
    by_initials: dict[str, list[Entry]] = {}
    for entry in gazetteer.entries:
        for written in (written for forms in entry.forms.values() for written in forms):
            by_words.setdefault(_words(written), []).append(entry)
            letters = "".join(word[0] for word in written.split() if word[0].isupper())
            by_initials.setdefault(letters, []).append(entry)
    found = []
    for (form, kind), count in counts.items():
        if count < least or form in known or form in gazetteer.by_name:
            continue
        same = _only(by_words.get(_words(form), ()), kind)
        initials = _only(by_initials.get(form, ()), kind) if len(form) > 2 else None
        spelt = same or initials or _only(_near(form, kind, gazetteer), kind)
        why = "the same words" if same else "its initials" if initials else "spelt alike" if spelt else "no such entry"
        found.append(Suggestion(form, kind, spelt.name if spelt else None, count, why))
    return sorted(found, key=lambda item: (item.of is None, -item.articles, item.form))


def _words(form: str) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W_]+", form.lower())) - {"the", "of", "and", "for"}


def _only(entries: Iterable[Entry], kind: str) -> Entry | None:
    names = {entry.name: entry for entry in entries if entry.kind == kind}
    return next(iter(names.values())) if len(names) == 1 else None


def _near(form: str, kind: str, gazetteer: Gazetteer) -> list[Entry]:
    """Entries of one form of several words that is spelt nearly so (Ratcliff and Obershelp's measure over 0.9)."""
    from difflib import get_close_matches

    if " " not in form:
        return []
    forms = {
        written: entry
        for entry in gazetteer.entries
        if entry.kind == kind
        for written in entry.forms.get("", ())
        if " " in written and written[0] == form[0]
    }
    return [forms[match] for match in get_close_matches(form, forms, 2, 0.9)]
