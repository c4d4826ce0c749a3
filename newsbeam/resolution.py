"""Which mentions of a document are one entity, of which kind, under which name.

The whole document decides, by votes: the model's labels, the words in and around the name (`cues`), the gazetteer
before all. Acronyms join their long form where the text introduces them (Schwartz and Hearst 2003).
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from newsbeam import cues
from newsbeam.gazetteer import Entry, Gazetteer, is_word
from newsbeam.mentions import FIELDS, LEGAL_FORMS, Mention, Texts, is_name, mentions_of, without_guesses_in_title
from newsbeam.names import Names, family_first, other_order
from newsbeam.records import EntityDetail, Span

_KINDS = ("person", "organization", "place", "group", "event")
_MODEL = 1.3  # the weight of the model's labels, all together
_CONTEXT = 2.5  # the most that the words around a name's mentions may weigh
_ACRONYM = re.compile(r"\(([A-Z][A-Za-z&-]{1,9})\)")
_INITIALS = re.compile(r"(?:[A-Z](?:\. ?| ))+(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\s]+")


def find_entities(
    text: Texts, labelled: Mapping[str, Sequence[tuple[int, int, str]]], gazetteer: Gazetteer
) -> list[EntityDetail]:
    """The entities of a document, commonest first, from what a model labelled (field to start, end, kind).

    A label of kind `other` says that something may be a name; it is one where its document says which.
    """
    found: list[Mention] = []
    for field, value in _fields(text):
        known = gazetteer.find(value, text.language)
        found.extend(mentions_of(field, value, labelled.get(field, ()), known, gazetteer.names))
    found = whole_names(without_guesses_in_title(found, text), _fields(text))
    return _Document(text, gazetteer).resolve(found)


def _fields(text: Texts) -> list[tuple[str, str]]:
    return [(field, value) for field in FIELDS if (value := getattr(text, field))]


class Group:
    """The mentions that are taken to be one entity."""

    def __init__(self, mentions: Iterable[Mention] = ()) -> None:
        self.mentions: list[Mention] = list(mentions)
        self.kind = "other"

    @cached_property
    def entry(self) -> Entry | None:
        return next((mention.entry for mention in self.mentions if mention.entry is not None), None)

    @cached_property
    def form(self) -> str:
        """The commonest way to write it; one in capitals only where there is no other."""
        if self.entry is not None:
            return self.entry.name
        forms = Counter(_canonical(mention.form) for mention in self.mentions)
        whole = self.kind == "person"
        return max(forms, key=lambda form: (whole and " " in form, not form.isupper(), forms[form]))

    @cached_property
    def tokens(self) -> frozenset[str]:
        return frozenset(re.findall(r"[^\W_]+", self.form.lower()))


def whole_names(found: Sequence[Mention], fields: Sequence[tuple[str, str]]) -> list[Mention]:
    """The mentions, parts of a longer name that the document has elsewhere replaced by that name."""
    result: list[Mention | None] = list(found)
    owners = {field: array("l", [-1]) * len(text) for field, text in fields}
    for number, mention in enumerate(found):
        for at in range(mention.start, mention.end):
            owners[mention.field][at] = number
    samples = {mention.form: mention for mention in found if " " in mention.form and mention.kind != "group"}
    for form in sorted(samples, key=lambda form: (-len(form), form)):
        for field, text in fields:
            start = text.find(form)
            while start >= 0:
                end = start + len(form)
                numbers = sorted(set(owners[field][start:end]) - {-1})
                touching = [part for number in numbers if (part := result[number]) is not None]
                inside = all(start <= part.start and part.end <= end for part in touching)
                whole = len(touching) == 1 and touching[0].end - touching[0].start == len(form)
                if touching and inside and not whole and is_word(text, start, end):
                    for number in numbers:
                        result[number] = None
                    owners[field][start:end] = array("l", [len(result)]) * len(form)
                    result.append(samples[form]._replace(field=field, start=start, end=end))
                start = text.find(form, end)
    return [mention for mention in result if mention is not None]


def _canonical(form: str) -> str:
    return " ".join(form.replace("’", "'").split())


def _spaced(name: str) -> str:
    """A person's name with its initials as `D. K. Shivakumar`."""
    if initials := _INITIALS.match(name):
        letters = " ".join(f"{letter}." for letter in initials.group() if letter.isalpha())
        return f"{letters} {name[initials.end() :]}"
    return name


class _Document:
    def __init__(self, text: Texts, gazetteer: Gazetteer) -> None:
        self._fields = _fields(text)
        self._texts = dict(self._fields)
        self._gazetteer = gazetteer
        self._names = gazetteer.names

    def resolve(self, found: Sequence[Mention]) -> list[EntityDetail]:
        groups: dict[str, Group] = {}
        for mention in found:
            key = _canonical(mention.form).lower()
            if mention.entry is not None:
                alone = mention.entry.kind == "person" and " " not in mention.form
                key = f"={mention.entry.name}={key if alone else ''}"
            groups.setdefault(key, Group()).mentions.append(mention)
        for group in groups.values():
            group.kind = self._kind(group)
        make_people(list(groups.values()), self._names)
        entities = join_people(join_firms(list(groups.values())))
        entities = [group for group in entities if group.kind != "other" or group.entry is not None]
        entities = self._join_acronyms(entities)
        find_missed(entities, self._fields, self._names)
        details = [self._detail(group) for group in entities]
        return sorted(details, key=lambda detail: (-detail.mentions, detail.name))

    def _kind(self, group: Group) -> str:
        if group.entry is not None:
            return group.entry.kind
        score = dict.fromkeys(_KINDS, 0.0)
        labels = Counter(mention.kind for mention in group.mentions)
        for kind in _KINDS:
            score[kind] = _MODEL * labels[kind] / len(group.mentions)
        for kind, weight in cues.of_form(group.form, self._names):
            score[kind] += weight
        context = dict.fromkeys(_KINDS, 0.0)
        for mention in group.mentions:
            text = self._texts[mention.field]
            before, after = text[max(mention.start - 40, 0) : mention.start], text[mention.end : mention.end + 30]
            for kind, weight in cues.of_context(before, after):
                context[kind] += weight
        total = sum(context.values())
        if total:
            share = min(_CONTEXT, total) / total
            for kind, weight in context.items():
                score[kind] += weight * share
        best = max(score, key=lambda kind: score[kind])
        return best if score[best] >= 1.0 else "other"

    def _join_acronyms(self, groups: Sequence[Group]) -> list[Group]:
        """Joins `Long Form (LF)`; a long form that nobody saw becomes a mention where its words say what it is."""
        result = list(groups)
        for field, text in self._fields:
            for match in _ACRONYM.finditer(text):
                short = match[1]
                start = long_form_start(text, match.start(), short)
                if start is None:
                    continue
                end = len(text[: match.start()].rstrip())
                ours = next((group for group in result if any(m.form == short for m in group.mentions)), None)
                long = next((group for group in result if _overlaps(group, field, start, end)), None)
                if long is None:
                    form = text[start:end]
                    kind = next((k for k, weight in cues.of_form(form, self._names) if weight >= 2), None)
                    kind = kind or (ours.kind if ours is not None and ours.kind != "person" else None)
                    if kind is None or not is_name(form, kind, self._names):
                        continue
                    long = Group([Mention(field, start, end, form, kind)])
                    long.kind = kind
                    result.append(long)
                if long is ours or long.kind == "person" or _is_two(long.entry, ours.entry if ours else None):
                    continue
                if ours is not None and ours.entry is not None and not _may_be(ours.entry, text[start:end]):
                    long.mentions.extend(
                        mention._replace(entry=None) for mention in ours.mentions if mention.form == short
                    )
                    ours.mentions = [mention for mention in ours.mentions if mention.form != short]
                    if not ours.mentions:
                        result.remove(ours)
                elif ours is not None:
                    result.remove(ours)
                    long.mentions.extend(ours.mentions)
                    if ours.entry is not None:
                        long.kind = ours.kind
                else:
                    long.mentions.append(Mention(field, match.start(1), match.end(1), short, long.kind))
                long.__dict__.pop("entry", None)
                long.__dict__.pop("form", None)
                long.__dict__.pop("tokens", None)
        return result

    def _detail(self, group: Group) -> EntityDetail:
        mentions = sorted(group.mentions, key=lambda mention: (FIELDS.index(mention.field), mention.start))
        name = group.form
        forms = list(dict.fromkeys(mention.form for mention in mentions))
        if group.kind == "person":
            if group.entry is None:
                name = family_first(_spaced(name), self._names)
            if (other := other_order(name, self._names)) and other not in forms:
                forms.append(other)  # so that a search for either order finds it
        return EntityDetail(
            name=name,
            kind=group.kind,
            mentions=len(mentions),
            in_title=any(mention.field == "title" for mention in mentions),
            forms=tuple(forms),
            spans=tuple(Span(mention.field, mention.start, mention.end) for mention in mentions),
            wikidata=group.entry.wikidata if group.entry is not None else None,
        )


def _may_be(entry: Entry, long_form: str) -> bool:
    """Whether a known name may be written so: half of the words of one of its forms of several words are there."""
    words = _tokens(long_form)
    several = [_tokens(form) for forms in entry.forms.values() for form in forms if " " in form]
    return not several or any(2 * len(words & form) >= len(form) for form in several)


def _is_two(one: Entry | None, other: Entry | None) -> bool:
    return one is not None and other is not None and one is not other


def _overlaps(group: Group, field: str, start: int, end: int) -> bool:
    return any(m.field == field and m.start < end and start < m.end and m.end > end - 2 for m in group.mentions)


def make_people(groups: Sequence[Group], names: Names) -> None:
    """Takes a name of two to four words for a person's where its first or last word alone is a person here."""
    alone = {word for group in groups if group.kind == "person" for word in [group.form] if " " not in word}
    for group in groups:
        words = group.form.split()
        if (
            group.entry is None
            and group.kind in ("organization", "place", "other")
            and 2 <= len(words) <= 4
            and (words[-1] in alone or words[0] in alone)
            and all(word[0].isupper() for word in words)
            and all(weight < 2 for _, weight in cues.of_form(group.form, names))
        ):
            group.kind = "person"


def join_firms(groups: Sequence[Group]) -> list[Group]:
    """Joins a firm with its legal form ("Acme Ltd") to the same without it."""
    by_form = {group.form: group for group in groups if group.kind == "organization"}
    result = []
    for group in groups:
        words = group.form.split()
        while len(words) > 1 and words[-1].strip(".,") in LEGAL_FORMS:
            words.pop()
        short = by_form.get(" ".join(words).rstrip(","))
        if group.entry is None and group.kind == "organization" and short is not None and short is not group:
            short.mentions.extend(group.mentions)
        else:
            result.append(group)
    return result


def join_people(groups: Sequence[Group]) -> list[Group]:
    """Joins what names one person: the same words in another order, and part of a name that only one person has.

    A single word joins whatever kind it seems to be: "Stoltenberg" alone is as often called a place.
    """
    people = [group for group in groups if group.kind == "person" and len(group.tokens) > 1]
    people.sort(key=lambda group: (_is_surname(group), -len(group.tokens), group.entry is None, -len(group.mentions)))
    whole: list[Group] = []
    result: list[Group] = []
    joined: set[int] = set()
    for group in people:
        if _is_surname(group):
            tokens = _tokens(group.mentions[0].form)
            holders = [other for other in whole if tokens <= other.tokens]
            holders = [other for other in holders if other.entry is group.entry] or holders
            if len(holders) == 1:
                holders[0].mentions.extend(group.mentions)
                joined.add(id(group))
            continue
        holders = [other for other in whole if group.tokens <= other.tokens]
        if len(holders) == 1 and (group.entry is None or group.entry is holders[0].entry):
            holders[0].mentions.extend(group.mentions)
            joined.add(id(group))
        elif not holders:
            whole.append(group)
    for group in groups:
        if id(group) in joined:
            continue
        if group.entry is None and len(group.tokens) == 1 and group.kind != "group":
            holders = [other for other in whole if group.tokens <= other.tokens]
            if len(holders) == 1 and len(group.form) > 1:
                holders[0].mentions.extend(group.mentions)
                continue
        result.append(group)
    return result


def _tokens(form: str) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W_]+", form.lower()))


def _is_surname(group: Group) -> bool:
    """Whether a known person is named by one word alone: that may be another of the name, if the document has one."""
    return (
        group.kind == "person" and group.entry is not None
        and all(len(mention.form.split()) == 1 for mention in group.mentions)
    )  # fmt: skip


def find_missed(groups: Sequence[Group], fields: Sequence[tuple[str, str]], names: Names) -> None:
    """Adds the mentions that the model missed, where it saw the same form, or the whole of a person's name, elsewhere.

    A single word that the text also has in small letters ("may", "will") counts inside a sentence only.
    """
    taken = {field: bytearray(len(value)) for field, value in fields}
    for group in groups:
        for mention in group.mentions:
            taken[mention.field][mention.start : mention.end] = b"\1" * (mention.end - mention.start)
    forms: dict[str, Group | None] = {}
    for group in groups:
        if group.kind in ("person", "organization", "place"):
            for form in {mention.form for mention in group.mentions}:
                if len(form) > 1:
                    forms[form] = group
    for part, holder in _parts_of_people(groups).items():
        forms.setdefault(part, holder)
    text = "\n".join(value for _, value in fields)
    small = {form for form in forms if " " not in form and _has_word(text, form.lower())}
    for form in sorted(forms, key=lambda form: (-len(form), form)):
        found = forms[form]
        if found is None:
            continue
        for field, value in fields:
            start = value.find(form)
            while start >= 0:
                end = start + len(form)
                if (
                    is_word(value, start, end)
                    and 1 not in taken[field][start:end]
                    and not (form in small and _starts_sentence(value, start))
                ):
                    found.mentions.append(Mention(field, start, end, form, found.kind))
                    taken[field][start:end] = b"\1" * len(form)
                start = value.find(form, end)


def _parts_of_people(groups: Sequence[Group]) -> dict[str, Group | None]:
    """The words of people's names of two words or more, those that two people share without a holder."""
    parts: dict[str, Group | None] = {}
    for group in groups:
        if group.kind == "person":
            for word in {word for mention in group.mentions for word in mention.form.split() if " " in mention.form}:
                if len(word) > 1 and word[0].isupper() and word[-1].isalpha() and not word.isupper():
                    parts[word] = group if parts.get(word, group) is group else None
    return parts


def _starts_sentence(text: str, start: int) -> bool:
    before = text[max(start - 3, 0) : start].rstrip(" \"'“‘(")
    return not before or before[-1] in ".!?:\n•-–—"


def _has_word(text: str, word: str) -> bool:
    start = text.find(word)
    while start >= 0 and not is_word(text, start, start + len(word)):
        start = text.find(word, start + 1)
    return start >= 0


def long_form_start(text: str, end: int, short: str) -> int | None:
    """Where the long form of an acronym begins, which ends at `end`; None where there is none.

    Schwartz and Hearst, A simple algorithm for identifying abbreviation definitions in biomedical text (PSB 2003);
    beside it, the long form must begin with a capital and have two.
    """
    line = max(text.rfind("\n", 0, end), text.rfind("(", 0, end)) + 1
    words = list(_WORD.finditer(text, line, end))[-min(len(short) + 5, 2 * len(short)) :]
    if not words:
        return None
    first, at = words[0].start(), end - 1
    letters = [char.lower() for char in short if char.isalnum()]
    for number in range(len(letters) - 1, -1, -1):
        while at >= first and (
            text[at].lower() != letters[number] or (number == 0 and at > first and text[at - 1].isalnum())
        ):
            at -= 1
        if at < first:
            return None
        at -= 1
    start = at + 1
    form = text[start:end]
    capitals = sum(word[0].isupper() for word in form.split())
    return start if form[0].isupper() and capitals >= 2 and len(form) > len(short) + 2 else None
