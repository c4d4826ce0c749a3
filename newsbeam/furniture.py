"""The furniture of a news page: what stands around an article's text and is not part of it.

Pure functions over a list of paragraphs. A rule may take a paragraph only where its form says what it is (a credit
line, a share prompt), where the page's markup says so (`hints`), or where its place among repeated titles does; what
could be a sentence of the article stays. tests/quality/test_extraction.py counts what the rules take.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

RULES_VERSION = "2"  # grows with every change of a rule: it is part of extract.EXTRACTOR_VERSION

# What the markup says a paragraph is, in `hints`.
CAPTION, LABEL, STANDFIRST, BYLINE, PROMO = "caption", "label", "standfirst", "byline", "promo"

MAX_SUMMARY = 20_000  # characters; a longer paragraph is text, and no standfirst
_HEAD = 14  # a title, breadcrumb or standfirst further down is not the top of the page
_QUOTES = str.maketrans({c: "'" for c in "‘’‚‛`´ʼ′"} | {c: '"' for c in "“”„‟«»″"} | {c: "-" for c in "‐‑‒–—―−"})
_SPACE = re.compile(r"\s+")
_EDGES = " .:;,!-|'\"…"

_SENTENCE_END = re.compile(r"[.!?。！？…؟।]['\"”’»」』)\]]*$")
_STOPS = (".", "。", "।", ".”", '."', ".’", "。”", "。」")  # a headline may ask or shout, it does not stop
_SEPARATOR = re.compile(r"\s*[|›»❯→⟩]\s*|\s+[>/·•]\s+")

_CREDIT = re.compile(
    r"""^[(\[]?\s*(?:
        (?:(?:photo|image|picture|video|graphic|illustration|map|file|cover)s?\s*)?(?:credits?|courtesy)
        (?:\s*:(?!\s*(?-i:(?!by|via|the|photo|courtesy)[a-z]))  # "Credit: that is what ..." is a sentence
          |\s+of\b|\s+by\b|\s*[/|-]\s)
      | (?:photo|image|picture|photograph|graphic|illustration|photo\ illustration|screenshot|pic|fotos?|bild|imagen)s?
        (?:\s*:|\s+by\s+(?=[A-Z])|\s*[/|]\s|\s*©)
      | (?:photo|image)\s+(?:credit|source|courtesy)\b
      | (?:photo|image)\s*\((?:ap|afp|reuters)\)
      | crédits?\s*(?:photos?)?\s*: | foto\s*: | bildquelle\s*: | quelle\s*: | 写真[:：] | 图片来源[:：] | 사진[:=]
      | ©\s*\S | \(c\)\s+\S
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_AGENCY = re.compile(
    r"^[(\[]?(?:(?:AP|AFP|EPA|Reuters|Getty(?: Images)?|Xinhua|Yonhap|Kyodo|TASS|Shutterstock|iStock|Alamy|PA)\b"
    r"[\s/,|-]*)+(?:(?<=/)[A-Z][\w.' -]{2,40}|(?:photo|image|picture)s?)?[)\]]?$",
    re.IGNORECASE,
)
_CAPTION_CUE = re.compile(
    r"""\((?:left|right|cent(?:er|re)|l|r|c|top|bottom|front|back|pictured|file(?:\ photo)?|above|below)\)
      | \b(?:from|at|far)\ (?:left|right)\b | ,\ (?:left|right|cent(?:er|re)),
      | \b(?:file\ photo|pictured|seen\ here|in\ this\ (?:\w+\ )?(?:photo|image|picture)|handout)\b
      | \b(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|January|February|March|April|May|June|July|August|September
          |October|November|December)\.?\ \d{1,2},\ \d{4}\.?$
      | \b\d{1,2}\ (?:January|February|March|April|May|June|July|August|September|October|November|December)\ \d{4}\.?$
    """,
    re.IGNORECASE | re.VERBOSE,
)
_BYLINE = re.compile(
    r"^(?:Written |Reported |Text |Story )?(?:By|BY):?\s+[A-ZÀ-Þ][\w’'.-]*"
    r"(?:[\s,|&]+(?:[A-ZÀ-Þ][\w’'.-]*|[a-z]{1,3})){0,9}(?<!\.)$"
)
_DATED = re.compile(
    r"^(?=.*(?:\d{4}|\d[:.]\d\d|\bago\b))(?:first |last )?"
    r"(?:published|updated|posted|modified|published on|updated at|date)\b[^.]{0,20}\d[^.]{0,40}"
    r"(?:[ap]\.?m\.?[^.]{0,20})?$",
    re.IGNORECASE,
)
_READING_TIME = re.compile(r"^\d{1,2}[ -]?min(?:ute)?s?(?: read| de lecture| lesezeit)?$", re.IGNORECASE)

# Whole short paragraphs that carry nothing, compared by `key`.
_LABELS = frozenset(
    """
    advertisement|advertisements|advertising|sponsored|sponsored content|advertisement - scroll to continue
    |anzeige|werbung|publicité|publicidad|pubblicità|publicidade|reklama|广告|廣告|広告|광고
    |story continues below advertisement|article continues below advertisement|continue reading below
    |article continues after advertisement|continue reading|continue reading the main story|read more|read more here
    |read the full story|read full article|see more|show more|load more|view more|more|more on this|more on this story
    |more on this topic|more stories|learn more
    |read also|also read|see also|lire aussi|à lire aussi|leggi anche|lesen sie auch|lee también|leia também
    |mehr zum thema|weiterlesen|相关阅读|延伸阅读|関連記事|related|related articles|related stories|related news
    |related topics|related content|related coverage|related posts|related links|recommended|recommended for you
    |recommended stories|recent features|recent posts|recent articles|latest news|latest stories|most read|most popular
    |popular|popular now|trending|trending now|top stories|editor's picks|editors' picks|don't miss|you may also like
    |you might also like|more from this section|what to read next|up next|next article|previous article
    |share|share this|share this article|share this story|share this post|share on facebook|share on twitter
    |share on x|share on whatsapp|share on linkedin|share via email|tweet|pin it|email|email this|e-mail|print
    |print this|print article|print this article|order reprints|copy link|copy url|link copied|save article
    |bookmark|listen|listen to this article|follow us|follow us on|facebook|twitter|whatsapp|linkedin|telegram|reddit
    |flipboard|pinterest|instagram|teilen|drucken|partager|compartir|condividi
    |subscribe|subscribe now|sign up|sign up now|log in|sign in|register|newsletter|newsletters|our newsletters
    |thank you for subscribing|thanks for signing up|thank you for signing up
    |comments|leave a comment|leave a reply|add a comment|post a comment|view comments|show comments
    |no comments|join the conversation|tags|tagged|filed under|categories|home|menu|skip to content
    |skip to main content|back to top|loading|watch live
    |an error has occurred, please try again later|image caption|image source|media caption|getty images
    """.strip()
    .replace("\n", "")
    .split("|")
)
_LABELS = frozenset(label.strip() for label in _LABELS)

# Openings of prompts. They take a paragraph only up to the given number of words.
_PROMPTS = tuple(
    (re.compile(pattern, re.IGNORECASE), words)
    for pattern, words in (
        (r"^(?:read|see|find out|learn|discover) more\s*(?:[:|»>–-]|on this|about this|here\b|at\b)", 28),
        (
            r"^(?:related|recommended|read next|up next|read also|also read|see also|see more|don[’']t miss|must read"
            r"|more on this|further reading|related (?:stor(?:y|ies)|articles?|news|coverage))\s*[:|»>–]",
            28,
        ),
        (
            r"^(?:lire aussi|à lire aussi|leggi anche|lesen sie auch|lee también|leia também|lea también|lees ook"
            r"|mehr zum thema|zum thema|läs också|les også|czytaj także|читайте также|相关阅读|延伸閱讀|関連記事)"
            r"\s*[:：|»>–]",
            28,
        ),
        (r"^(?:also on|more from|more on) [\w.-]+\.(?:com|org|net|co\.uk)\b", 28),
        (
            r"^(?:sign up|subscribe|register|click here|tap here)\b.{0,60}\b(?:newsletters?|inbox|alerts|briefing"
            r"|by e-?mail|unlimited access)\b",
            32,
        ),
        (r"^get (?:the|our|all|more|your|breaking|daily)\b.{0,80}\b(?:inbox|newsletters?|(?:our|the|free) app)\b", 32),
        (r"^(?:like|enjoy(?:ed|ing)?|love) (?:this|what you)[\w’' ]{1,30}\?\s+\S", 20),
        (
            r"^(?:share (?:this|on|it)|tweet this|(?:follow|like|join|find) us|follow) .{0,60}\b(?:on|via|with)\b"
            r".{0,40}\b(?:facebook|twitter|instagram|whatsapp|linkedin|telegram|youtube|tiktok|threads|bluesky|x)\b",
            28,
        ),
        (r"^(?:copyright\b\s*(?:©|\(c\)|\d{4})|©\s*(?:copyright\b|\d{4})|\(c\)\s*\d{4}|all rights reserved)", 45),
        (r"^this (?:material|article|story) may not be (?:published|reproduced)\b", 30),
        (r"^this copy is for your personal, non-commercial use only\b", 70),
        (r"^this article (?:has been sent to|was originally published (?:by|on|in)\b)", 30),
        (r"^\(?\d[\d,.]* (?:comments?|shares?|views?|likes?|kommentare|commentaires|comentarios)\)?$", 3),
        (r"^(?:tags?|topics?|filed under|categories|keywords|labels|posted in)\s*:\s*\S", 30),
        (r"^(?:advertisement|anzeige|publicité|publicidad)\s*[:|–-]", 12),
        (r"^(?:story|article) continues (?:below|after)\b", 8),
        (r"^(?:\[|\()?(?:click|tap) here (?:to|for)\b", 20),
        (r"^if you (?:buy|purchase|click)\b.{0,60}\b(?:commission|share of the sale)\b", 40),
        (r"^(?:we may earn|this (?:page|article|post) (?:may )?contains? affiliate)\b", 40),
        (r"^(?:have|got) (?:a )?(?:news )?(?:tip|story)\b.{0,80}\?", 40),
    )
)


class Cleaned(NamedTuple):
    """The text without its furniture. `title` and `summary` are those given, or found among the paragraphs."""

    title: str
    summary: str
    paragraphs: tuple[str, ...]


def key(text: str) -> str:
    """A form in which two prints of one line are equal: case, quotes, dashes, spacing and closing marks put aside."""
    folded = unicodedata.normalize("NFKC", text).translate(_QUOTES).casefold()
    return _SPACE.sub(" ", folded).strip(_EDGES)


def clean(
    paragraphs: Sequence[str],
    *,
    title: str = "",
    summary: str = "",
    titles: Iterable[str] = (),
    authors: Iterable[str] = (),
    hints: Mapping[str, str] | None = None,
) -> Cleaned:
    """Takes the furniture out of the paragraphs of one page.

    Args:
        paragraphs: in page order, without markup.
        title, summary: as known from metadata; found among the paragraphs where they are empty.
        titles: other prints of the title (of the browser's title bar, of social cards).
        authors: names, which may stand alone as a byline.
        hints: what the page's markup says of a paragraph: `key(paragraph)` to CAPTION, LABEL, STANDFIRST ...
    """
    hints = hints or {}
    lines = [line for line in (_SPACE.sub(" ", p).strip() for p in paragraphs) if line]
    title = title.strip() or find_title(lines)
    own_titles = {key(t) for t in (title, *titles) if t} - {""}
    names = {key(name) for name in authors} - {""}
    keys = [key(line) for line in lines]

    is_title = [_is_title(k, own_titles) for k in keys]
    furniture = [
        is_title[i] or _is_furniture(line, keys[i], hints) or (i < _HEAD and keys[i] in names)
        for i, line in enumerate(lines)
    ]
    titles_at = _titles_on_top(lines, is_title)
    for i in range(titles_at[-1] if titles_at else 0):
        furniture[i] = furniture[i] or _is_label(lines[i])
    _mark_captions(lines, is_title, furniture)
    summary = _mark_standfirst(keys, lines, titles_at, furniture, summary.strip(), hints)
    kept = tuple(line for line, out in zip(lines, furniture, strict=True) if not out)
    return Cleaned(title, summary, kept)


def find_title(paragraphs: Sequence[str]) -> str:
    """The title of a text copied off a page, or '': a line that the top of the page repeats, else a headline on top."""
    top = [(line, key(line)) for line in paragraphs[:_HEAD]]
    keys = [k for _, k in top]
    for line, k in top:
        if 1 < keys.count(k) < len(keys) and _size(line) >= 3 and len(line) <= 250 and not line.endswith(_STOPS):
            return line
    for line, k in top:
        if _is_furniture(line, k, {}):
            continue
        if len(line) > 200 or line.endswith(_STOPS):
            return ""  # the text has begun
        if _size(line) >= 4:
            return line if len(paragraphs) > 1 else ""
    return ""


def _size(line: str) -> int:
    """Words; in scripts without spaces, two characters count as one."""
    return max(len(line.split()), sum("\u2e80" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7a3" for c in line) // 2)


def _is_label(line: str) -> bool:
    """A short line that is no sentence: a section, a rubric, a button."""
    return len(line) <= 60 and _size(line) <= 7 and not _SENTENCE_END.search(line)


def _is_title(k: str, titles: set[str]) -> bool:
    if k in titles:
        return True
    # "Title | Publisher"
    return any(k.startswith(t) and len(t) > 20 and re.match(r" ?[|:·>-] ?\S.{0,40}$", k[len(t) :]) for t in titles)


def _is_crumbs(line: str) -> bool:
    """A line of sections: 'Asia Defense | Security | East Asia', 'Home > World'."""
    parts = [part for part in _SEPARATOR.split(line) if part]
    if len(parts) < 2 or len(line) > 100 or _SENTENCE_END.search(line) or any(char.isdigit() for char in line):
        return False
    if any(_size(part) > 4 or len(part) > 30 or (not part[0].isupper() and part[0].isascii()) for part in parts):
        return False
    return len(parts) > 2 or bool(re.search(r"[|›»❯→⟩]|\s>\s", line))


def is_credit(line: str) -> bool:
    """Whether a line says who made a picture, and nothing else."""
    if len(line) > 160 or _size(line) > 22 or (_size(line) > 12 and line.endswith(_STOPS)):
        return False
    return bool(_CREDIT.match(line) or _AGENCY.match(line))


def _is_furniture(line: str, k: str, hints: Mapping[str, str]) -> bool:
    if not k or hints.get(k) in (CAPTION, LABEL, BYLINE, PROMO):
        return True
    if k in _LABELS or is_credit(line) or _is_crumbs(line):
        return True
    if len(line) <= 90 and (_BYLINE.match(line) or _DATED.match(line) or _READING_TIME.match(line)):
        return True
    words = _size(line)
    return any(words <= limit and pattern.search(line) for pattern, limit in _PROMPTS)


def _titles_on_top(lines: Sequence[str], is_title: Sequence[bool]) -> list[int]:
    """Where the title stands in the page's top: each print at most one paragraph of text below the one before."""
    places: list[int] = []
    text = 0
    for i, line in enumerate(lines[:_HEAD]):
        if is_title[i] and (not places or text <= 1) and i + 1 < len(lines):
            places.append(i)
            text = 0
        elif not is_title[i] and not _is_label(line):
            text += 1
    return places


def _mark_captions(lines: Sequence[str], is_title: Sequence[bool], furniture: list[bool]) -> None:
    """A caption stands before its credit line, and speaks like one or follows a picture's text (the title again)."""
    seen = 0
    for i, line in enumerate(lines[:-1]):
        seen += is_title[i]
        if furniture[i] or not is_credit(lines[i + 1]) or _size(line) > 60:
            continue
        if _CAPTION_CUE.search(line) or (i and is_title[i - 1] and seen > 1):
            furniture[i] = True


def _mark_standfirst(
    keys: Sequence[str],
    lines: Sequence[str],
    titles_at: Sequence[int],
    furniture: list[bool],
    summary: str,
    hints: Mapping[str, str],
) -> str:
    """Moves the standfirst out of the body; returns it, else the summary given.

    A page's description is often just its first paragraph. It is a standfirst only where markup says so, where it
    stands between two prints of the title, where more of the page's top (caption, byline) follows it, or where it is
    printed again below.
    """
    text = [i for i in range(len(lines)) if not furniture[i]]
    if len(text) < 2:
        return summary
    given = key(summary)
    for i in text[:3]:
        if len(lines[i]) > MAX_SUMMARY:
            continue
        same = bool(given) and (keys[i] == given or (len(given) > 60 and keys[i].startswith(given)))
        on_top = i == text[0] and i < _HEAD
        between = on_top and any(i < place for place in titles_at[1:]) and titles_at[0] < i
        followed = on_top and furniture[i + 1]
        if hints.get(keys[i]) == STANDFIRST or between or (same and (followed or keys[i] in keys[i + 1 :])):
            furniture[i] = True
            return lines[i]
    return summary
