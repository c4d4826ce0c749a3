"""The annotated documents that entity recognition is measured on, and the measures.

Texts are put together again from their tokens, with spaces as in print, one sentence a line: what is measured is the
whole way from a text to spans. The kinds of Worldwide are mapped so: Person; Organization; Location and Facility to
place. NORP, Misc, Product, Date and Money are left out, on both sides. WikiGold: PER, ORG, LOC; MISC left out.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

KINDS = {
    "Person": "person", "Organization": "organization", "Location": "place", "Facility": "place",
    "PER": "person", "ORG": "organization", "LOC": "place",
}  # fmt: skip
REGIONS = {
    "Africa": "af_ afs_ alg_ eg_ ghana_ et_ kenya_ mauritius_ nm_ panaf_ sa_",
    "Asia": "asia_ bangladesh_ cn_ in_ jp_ kr_ mong_ my_ th_ pk_ tw_",
    "Indigenous": "aus_ canada_ nz_",
    "Middle East": "iran_ israel_ jr_ kw_ oman_ qt_ saud_ uae_",
}

_NO_SPACE_BEFORE = frozenset([*",.;:!?)]}%'’”-/–", "'s", "’s", "n't", "n’t", "...", "'re", "'ve", "'ll", "'d", "'m"])
_NO_SPACE_AFTER = frozenset("([{$“‘#-/–")
_SPLIT = re.compile(r"(?:\w['’] s|\bU\. [SKN]|\bG \d+|\. com)$")
_EDGES = re.compile(r"^(?:the|a|an)\s+|(?:\s?['’]s|['’])$", re.IGNORECASE)


class Document(NamedTuple):
    """A text and its names, as (start, end, kind)."""

    name: str
    region: str
    text: str
    gold: tuple[tuple[int, int, str], ...]

    @property
    def development(self) -> bool:
        """Whether it belongs to the half that rules are chosen on: those whose SHA-256 of the name begins even."""
        return hashlib.sha256(self.name.encode()).digest()[0] % 2 == 0


class Score(NamedTuple):
    right: int = 0
    guessed: int = 0
    gold: int = 0

    def plus(self, gold: Counter[object], guessed: Counter[object]) -> Score:
        return Score(self.right + (gold & guessed).total(), self.guessed + guessed.total(), self.gold + gold.total())

    @property
    def f1(self) -> float:
        return 2 * self.right / max(self.guessed + self.gold, 1)

    def __str__(self) -> str:
        precision, recall = self.right / max(self.guessed, 1), self.right / max(self.gold, 1)
        return f"{self.f1:.3f} (P {precision:.3f}, R {recall:.3f}, n {self.gold})"


def read_worldwide(root: Path) -> list[Document]:
    documents = []
    for path in sorted(root.glob("*.tsv")):
        region = next((name for name, starts in REGIONS.items() if path.name.startswith(tuple(starts.split()))), "")
        sentences = _sentences(path.read_text(encoding="utf-8"), "\t")
        documents.append(_put_together(path.name, region or "Latin America", sentences))
    return documents


def read_wikigold(path: Path) -> list[Document]:
    """WikiGold, a document for every ten sentences, since it does not say where its articles begin."""
    sentences = list(_sentences(path.read_text(encoding="utf-8"), " "))
    return [
        _put_together(f"wikigold-{start // 10}", "WikiGold", sentences[start : start + 10])
        for start in range(0, len(sentences), 10)
    ]


def _sentences(text: str, separator: str) -> Iterator[list[tuple[str, str]]]:
    for part in re.split(r"\n\s*\n", text):
        rows = [line.split(separator) for line in part.splitlines() if separator in line]
        tokens = [(row[0].strip(), row[1].strip()) for row in rows if row[0].strip()]
        if tokens and not tokens[0][0].startswith(("http", "-DOCSTART-")):
            yield tokens


def _put_together(name: str, region: str, sentences: Iterable[Sequence[tuple[str, str]]]) -> Document:
    text, gold = "", []
    for tokens in sentences:
        text += "\n" if text else ""
        opened, previous, before = False, "", "O"
        for token, tag in tokens:
            closing = token == '"' and opened
            joined = token in _NO_SPACE_BEFORE or closing or previous in _NO_SPACE_AFTER
            split = _SPLIT.search(f"{text[-4:]} {token}")  # "China ’ s", "U. S", "G 7", "JD . com"
            if previous and not joined and not split:
                text += " "
            start = len(text)
            text += token
            opened = opened != (token == '"')
            previous = "(" if token == '"' and opened else token
            kind = KINDS.get(tag[2:])
            if kind and tag[0] in "IE" and before[2:] == tag[2:] and gold:
                gold[-1] = (gold[-1][0], len(text), kind)
            elif kind:
                gold.append((start, len(text), kind))
            elif token == "." and gold and gold[-1][1] == start and text.endswith("U.S."):
                gold[-1] = (gold[-1][0], len(text), gold[-1][2])
            before = tag
    return Document(name, region, text, tuple(gold))


def strip(text: str, start: int, end: int) -> tuple[int, int]:
    """A span without a leading article and a possessive at the end."""
    form = text[start:end]
    if (match := _EDGES.match(form)) and match.end() < len(form):
        start += match.end()
    if (match := re.search(r"\s?(?:['’]s|['’])$", text[start:end])) and match.start() > 0:
        end = start + match.start()
    return start, end


def spans(document: Document, found: Iterable[tuple[int, int, str]]) -> Counter[object]:
    """Spans with kind, as strictly counted."""
    return Counter((*strip(document.text, start, end), kind) for start, end, kind in found if kind in KINDS.values())


def forms(document: Document, found: Iterable[tuple[int, int, str]]) -> Counter[object]:
    """The distinct forms with kind of a document."""
    counted = spans(document, found)
    return Counter({(document.text[start:end], kind): 1 for start, end, kind in counted})  # type: ignore[misc]
