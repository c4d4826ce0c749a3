"""How personal names are read: which part is the family's, in which order they are written, what is no name at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from newsbeam.yamlfile import read_node

# Romanized syllables: Hepburn; pinyin (also Wade-Giles without its marks); Revised Romanization as newspapers use it.
_JAPANESE = re.compile(r"(?:(?:[kstnhmrgzdbpfjw]|[kgnhbpmr]y|sh|ch|ts|y|ss?h?|tt?s?|kk|pp)?[aeiou]|n(?![aeiou])|oh)+")
_PINYIN = re.compile(
    r"(?:(?:[bpmfdtnlgkhjqxrzcsyw]|zh|ch|sh)?"
    r"(?:iang|iong|uang|ang|eng|ing|ong|uai|iao|ian|uan|ai|ei|ao|ou|an|en|in|un|ia|ie|iu|ua|uo|ui|ue|er|a|e|i|o|u)){1,2}"
)
_HYPHENATED = re.compile(r"[A-Z][a-z]+-[A-Za-z][a-z]+")


class Names(NamedTuple):
    """What config/names.yaml says.

    Args:
        given: given names; `japanese` those of Japan.
        family: language to the family names that stand first in it.
        never: what is never a name, in lower case.
    """

    given: frozenset[str] = frozenset()
    japanese: frozenset[str] = frozenset()
    family: Mapping[str, frozenset[str]] = {}
    never: frozenset[str] = frozenset()

    def is_family(self, word: str) -> bool:
        """Whether a word is an East Asian family name."""
        return any(word in words for words in self.family.values())


def load_names(config_dir: Path) -> Names:
    """The names of config/names.yaml; none where there is no such file. Raises ConfigError."""
    path = config_dir / "names.yaml"
    if not path.exists():
        return Names()
    values = read_node(path).mapping(("given", "given_japanese", "family_first", "never"))
    family = values["family_first"].mapping() if "family_first" in values else {}
    return Names(
        frozenset(values["given"].text().split()) if "given" in values else frozenset(),
        frozenset(values["given_japanese"].text().split()) if "given_japanese" in values else frozenset(),
        {language: frozenset(node.text().split()) for language, node in family.items()},
        frozenset(word.lower() for word in values["never"].texts()) if "never" in values else frozenset(),
    )


def family_first(name: str, names: Names) -> str:
    """A person's name with the family name first where that is known to be East Asian, else as it is.

    Two words are turned round where the last is a family name of a language and the first reads as a given name of
    that language and is none of another: `Fumio Kishida`, `Jae-in Moon`, never `Jack Ma`.
    """
    words = name.split()
    if len(words) != 2:
        return name
    given, family = words
    if names.is_family(given) and not (given in names.japanese and family not in names.japanese):
        return name
    family_of = names.family
    hyphenated = _HYPHENATED.fullmatch(given) is not None
    foreign = given in names.given
    turned = (
        (hyphenated and (family in family_of.get("ko", ()) or family in family_of.get("zh", ())))
        or (given in names.japanese and family in family_of.get("ja", ()))
        or (not foreign and len(given) > 2 and family in family_of.get("ja", ()) and _reads(_JAPANESE, given))
        or (not foreign and family in family_of.get("zh", ()) and _reads(_PINYIN, given))
    )  # fmt: skip
    return f"{family} {given}" if turned else name


def other_order(name: str, names: Names) -> str | None:
    """The same name in the other order, where it is one of two words with an East Asian family name first."""
    words = name.split()
    if len(words) != 2 or not names.is_family(words[0]):
        return None
    turned = f"{words[1]} {words[0]}"
    hyphenated = _HYPHENATED.fullmatch(words[1]) is not None
    return turned if hyphenated or family_first(turned, names) == name else None


def _reads(pattern: re.Pattern[str], word: str) -> bool:
    return pattern.fullmatch(word.lower()) is not None
