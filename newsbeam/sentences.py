"""Where paragraphs and sentences begin and end in a text.

Own rules rather than a library: pysbd is slow and unkept, ICU needs a compiler, and spaCy's parser costs more than
all the rest of annotation. What they are for (evidence, and words that stand in one sentence) bears an odd mistake.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Piece(NamedTuple):
    """A sentence: code points [start, end) of its text, and the number of its paragraph."""

    start: int
    end: int
    paragraph: int


_PARAGRAPH = re.compile(r"\S(?:.*\S)?(?:\n[ \t]*\S(?:.*\S)?)*")  # lines up to the next empty one
_CLOSERS = "\"'”’»)\\]）」』】"
_OPENERS = "\"'“‘«(\\[—–"
# An end mark with what closes after it, then space; or a CJK end mark, which needs none.
_END = re.compile(rf"[.!?…]+[{_CLOSERS}]*(?=\s)|[。！？｡]+[{_CLOSERS}]*")
_NEXT = re.compile(rf"\s+[{_OPENERS}]*(\S)")
_LAST_WORD = re.compile(r"[^\W_][\w.’'-]*\.$")
_STARTER = re.compile(
    r"\s+[\"'“‘(]*(?:The|This|That|These|Those|It|Its|He|She|They|We|I|You|In|On|At|But|And|A|An|As|For|If|When|While"
    r"|After|Before|However|Meanwhile|His|Her|Their|There|Both|Last|Some|More)\b"
)
# Short forms that a name follows: a full stop after one never ends a sentence.
_NEVER = re.compile(
    r"Mrs?|Ms|Dr|Prof|Gen|Lt|Col|Capt|Sgt|Cmdr|Adm|Maj|Brig|Sen|Rep|Gov|Hon|Rev|Fr|St|Mt|Ft|Dept|Univ|[Vv]s|[Ee]\.g|[Ii]\.e"
    r"|cf|approx"
)
_BEFORE_NUMBER = re.compile(r"[Nn]os?|[Aa]rt|[Vv]ol|pp?|[Ff]ig|[Ss]ec")
# Short forms and initials that may end one too: they do before a word that commonly starts a sentence.
_SOMETIMES = re.compile(
    r"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Inc|Ltd|Corp|Co|Jr|Sr|[pa]\.m|etc|al|(?:[^\W\d_]\.)*[^\W\d_]"
)


def split_paragraphs(text: str) -> list[tuple[int, int]]:
    """Paragraphs as (start, end); they are apart by an empty line, and leave out the white space around them."""
    return [match.span() for match in _PARAGRAPH.finditer(text)]


def split_sentences(text: str) -> list[Piece]:
    """Sentences in order, each with its paragraph; together they hold all of the text but white space."""
    pieces: list[Piece] = []
    for number, (start, end) in enumerate(split_paragraphs(text)):
        paragraph = text[start:end]
        begin = 0
        for match in _END.finditer(paragraph):
            stop = match.end()
            if stop <= begin or not _ends_sentence(paragraph, begin, match.start(), stop):
                continue
            pieces.append(Piece(start + begin, start + stop, number))
            begin = stop + len(paragraph[stop:]) - len(paragraph[stop:].lstrip())
        if begin < len(paragraph):
            pieces.append(Piece(start + begin, end, number))
    return pieces


def _ends_sentence(text: str, begin: int, mark: int, stop: int) -> bool:
    if text[mark] in "。！？｡":
        return True
    follows = _NEXT.match(text, stop)
    if follows is None:
        return True
    first = follows.group(1)
    if first.islower():
        return False
    if text[mark] != "." or text[mark : mark + 2] == "..":
        return True
    word = _LAST_WORD.search(text, max(begin, mark - 30), mark + 1)
    if word is None:
        return True
    short = word.group()[:-1].rsplit("-", 1)[-1]
    if _NEVER.fullmatch(short) or (first.isdigit() and _BEFORE_NUMBER.fullmatch(short)):
        return False
    return not _SOMETIMES.fullmatch(short) or _STARTER.match(text, stop) is not None
