"""The language of a text, as ISO 639-1 codes ('zh' for Chinese of either script, 'no' for Norwegian of either kind).

The detector is py3langid, held to languages with such a code: docs/decisions/language-detection.md has the figures.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

_CODES = frozenset(
    code
    for row in (
        "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee",
        "el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is",
        "it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms",
        "mt my na nd ne ng nl no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm",
        "sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za",
        "zh zu",
    )
    for code in row.split()
)
_SAME = {
    **{"nb": "no", "nn": "no", "iw": "he", "in": "id", "ji": "yi", "sh": "sr", "mo": "ro", "fil": "tl"},
    **{"zho": "zh", "chi": "zh", "cmn": "zh", "yue": "zh", "wuu": "zh", "eng": "en", "deu": "de", "ger": "de"},
    **{"fra": "fr", "fre": "fr", "spa": "es", "por": "pt", "ita": "it", "nld": "nl", "dut": "nl", "rus": "ru"},
    **{"ukr": "uk", "jpn": "ja", "kor": "ko", "ara": "ar", "hin": "hi", "ind": "id", "msa": "ms", "vie": "vi"},
    **{"tha": "th", "tur": "tr", "fas": "fa", "per": "fa", "heb": "he", "pol": "pl", "swe": "sv", "nor": "no"},
}
_CONSTRUCTED = ("eo", "vo")  # the detector finds them in headlines; no feed seen is written in them

_TAG = re.compile(r"\s*([A-Za-z]{2,3})(?:[-_][A-Za-z0-9_@.-]*)?\s*")
_LETTER = re.compile(r"[^\W\d_]")
_WIDE = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_MIN_LETTERS = 10  # a character of a script without spaces counts as three
_UNSURE = 0.7  # below this probability the hint is believed
_MAX_CHARS = 2_000


def normalize_language(tag: str | None) -> str | None:
    """A language tag (RFC 5646, also as `en_GB`) as its ISO 639-1 code, or None: `en-GB` and `eng` are `en`."""
    match = _TAG.fullmatch(tag or "")
    if not match:
        return None
    code = _SAME.get(match[1].lower(), match[1].lower())
    return code if code in _CODES else None


def detect(text: str, *, hint: str | None = None) -> str | None:
    """The language of a text; give title and text, not the title alone.

    Args:
        text: plain; its first 2,000 characters are looked at.
        hint: the tag that the page or feed claims. It is the answer where the text is too short, has no letters, or
            leaves the detector unsure.
    """
    claimed = normalize_language(hint)
    text = text[:_MAX_CHARS]
    if len(_LETTER.findall(text)) + 2 * len(_WIDE.findall(text)) < _MIN_LETTERS:
        return claimed
    label, probability = _model().classify(text)
    if claimed and probability < _UNSURE:
        return claimed
    return normalize_language(label)


@cache
def _model() -> Any:
    """One identifier a process: about 1 s and 100 MB to load."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]

    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    model.set_languages([code for code in model.labels if normalize_language(code) and code not in _CONSTRUCTED])
    return model
