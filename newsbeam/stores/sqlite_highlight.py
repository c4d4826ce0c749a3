"""Fragments of a text around what was found in it, as HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

SIZE, COUNT = 180, 3
"""Characters of a fragment, about; fragments of a field at most."""

Places = Sequence[tuple[int, int]]


def unmark(marked: str, start: str, end: str) -> tuple[str, list[tuple[int, int]]]:
    """A text without its marks, and the places [start, end) that they were around."""
    plain, places, length = [], [], 0
    for number, piece in enumerate(re.split(f"{re.escape(start)}|{re.escape(end)}", marked)):
        if number % 2:
            places.append((length, length + len(piece)))
        plain.append(piece)
        length += len(piece)
    return "".join(plain), places


def places_of(text: str, runs: Sequence[str]) -> list[tuple[int, int]]:
    """Where any of these occur in a text."""
    if not runs:
        return []
    longest_first = sorted(runs, key=len, reverse=True)
    return [match.span() for match in re.finditer("|".join(map(re.escape, longest_first)), text)]


def merge_places(places: Places) -> list[tuple[int, int]]:
    """Places in order, those that touch as one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return merged


def emphasize(text: str, places: Places) -> str:
    """A text as HTML on one line, the places between <em> and </em>; everything else is escaped."""
    parts, last = [], 0
    for start, end in places:
        parts += [html.escape(text[last:start]), "<em>", html.escape(text[start:end]), "</em>"]
        last = end
    return " ".join("".join([*parts, html.escape(text[last:])]).split())


def fragments(text: str, places: Places) -> list[str]:
    """Up to COUNT pieces of a text that have the places, in their order; [] where there are none."""
    windows: list[list[int]] = []
    for start, end in places:
        if windows and end <= windows[-1][1]:
            continue
        if len(windows) == COUNT:
            break
        first = min(start, max(windows[-1][1] if windows else 0, start - SIZE // 3))
        windows.append([_word_start(text, first, start), _word_end(text, first + SIZE, end)])
    return [
        emphasize(text[low:high], [(start - low, end - low) for start, end in places if low <= start and end <= high])
        for low, high in windows
    ]


def _word_start(text: str, at: int, limit: int) -> int:
    """The first start of a word from `at` on, `at` itself where there is none near."""
    if at == 0 or text[at - 1].isspace():
        return at
    space = re.search(r"\s", text[at : min(limit, at + 25)])
    return at + space.end() if space else at


def _word_end(text: str, at: int, least: int) -> int:
    """The last end of a word up to `at`, but not before `least`."""
    if at >= len(text) or at <= least:
        return min(max(at, least), len(text))
    spaces = [match.start() for match in re.finditer(r"\s", text[max(least, at - 25) : at + 1])]
    return max(least, at - 25) + spaces[-1] if spaces else at
