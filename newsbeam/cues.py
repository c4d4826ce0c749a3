"""What the words in and around a name say about its kind: `Mr`, `University`, `Province`, `in`, a given name.

Each cue is a vote with a weight; `resolution` adds them to the model's. The weights were chosen by hand on the
development half of Worldwide (docs/entities.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsbeam.names import Names

TITLES = re.compile(
    r"(?:(?:deputy|vice|prime|foreign|chief|home|finance|defen[cs]e|first|senior|assistant|additional|party|opposition)"
    r"[ -])*"
    r"(?:vice[- ]president|president|premier|chancellor|minister|secretary[- ]general|secretary"
    r"|spokes(?:man|woman|person)|ambassador|senator|sen\.|rep\.|representative|gov\.|governor|mayor|chief|chairman"
    r"|chairwoman|chairperson|chair|director(?:[- ]general)?|lieutenant general|general|lieutenant|admiral|brigadier"
    r"|commander|commissioner|colonel|captain|major|sergeant|constable|inspector|superintendent|judge|justice|lawyer"
    r"|barrister|advocate|attorney|coach|striker|midfielder|goalkeeper|singer|actor|actress|actor-politician|activist"
    r"|journalist|analyst|economist|imam|maulana|bishop|archbishop|cardinal|pastor|father|sister|brother|uncle|aunt"
    r"|lt\.? gen|maj\.? gen|brig|gen|adm|lt|col|capt|maj|sgt|insp|cm|pm|mp|mla|mlc|dgp|igp|ig|dig|ssp|asp|sp|asi|oc|lg"
    r"|uno|dc|mrs?|ms|miss|mx|dr|prof|professor|sir|lord|lady|dame|king|queen|prince|princess|pope|rev|reverend|sheikh"
    r"|sheikha|ayatollah|emir|sultan|hajji|haji|madam|datuk|tan sri|dato|justin|hon|hon[’']ble)\b\.?:?\s+",
    re.IGNORECASE,
)
_TITLE_BEFORE = re.compile(
    r"(?:^|[^\w])(?:president|premier|chancellor|minister|secretary[- ]general|secretary|spokes(?:man|woman|person)"
    r"|ambassador|senator|governor|mayor|chairman|chairwoman|chairperson|director(?:[- ]general)?|general|admiral"
    r"|brigadier|commander|commissioner|colonel|captain|major|sergeant|constable|inspector|judge|justice|lawyer|barrister"
    r"|coach|striker|midfielder|goalkeeper|singer|actor|actress|activist|journalist|analyst|economist|imam|bishop|pastor"
    r"|Gen|Adm|Lt|Col|Capt|Maj|Sgt|CM|PM|Mrs?|Ms|Miss|Dr|Prof|professor|Sir|Lord|Lady|King|Queen|Prince|Princess|Pope|Rev"
    r"|son|daughter|wife|husband|brother|sister|father|mother|named|Datuk|Shri|Smt)\.?,?\s+$",
    re.IGNORECASE,
)
_PLACE_BEFORE = re.compile(
    r"\b(?:[Ii]n|near|outside|across|around|throughout|[Nn]orthern|[Ss]outhern|[Ee]astern|[Ww]estern|central|downtown"
    r"|cit(?:y|ies) of|town of|province of|state of|village of|district of|island of)\s+$"
)
_PLACE_BEFORE_WEAK = re.compile(r"\b(?:from|to|at)\s+$")
_PLACE_AFTER = re.compile(
    r"^(?:[’']s)?\s+(?:[Dd]istricts?|[Pp]rovinces?|[Cc]ity|[Cc]ount(?:y|ies)|[Vv]illages?|[Tt]own(?:ship)?|[Uu]pazila"
    r"|[Aa]irport|[Pp]refecture|[Cc]onstituency|[Hh]ighway|[Rr]iver|[Ii]slands?|[Ss]tate|[Bb]order|region|area"
    r"|[Pp]eninsula|[Dd]ivision|tehsil|suburb)\b"
)
_PERSON_AFTER = re.compile(
    r"^(?:,? (?:who|[1-9]\d),|,? (?:told|tweeted|recalled|wrote|resigned|was born|has died)\b"
    r"|, an? \w+ (?:at|of|from)\b)"
)
_SAID = re.compile(r"^,? (?:said|says|added|explained|believes|thinks|knows|went|himself|herself)\b")
_ORGANIZATION_AFTER = re.compile(
    r"^(?:[’']s)?,? (?:shares|stock|CEO|chief executive|chairman|executives?|officials|spokes|lawmakers|leaders?"
    r"|founder|employees|users|subsidiary|website|newspaper|app|party|government|management|headquarters|announced|reported)\b"
)
_ORGANIZATION_BEFORE = re.compile(
    r"\b(?:members? of|firm|company|giant|newspaper|agency|website|platform|startup|acquired|by)\s+$"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ORGANIZATIONS = _words(
    """University College School Schools Institute Academy Bank Group Party Court Ministry Department Council
    Committee Commission Association Federation Union Corporation Corp Inc Ltd Limited LLC LLP Co Company
    Companies Holdings Industries Agency Authority Board Bureau Office Foundation Fund Trust Society Army Navy
    Force Forces Police Guard Club FC United League News Times Post Daily Herald Tribune Television Radio Media
    Press Studios Records Entertainment Airlines Airways Air Motors Electronics Systems Technologies Technology
    Services Solutions Capital Partners Ventures Securities Insurance Energy Petroleum Oil Pharma
    Pharmaceuticals Networks Network Alliance Coalition Front Movement Congress Parliament Senate Assembly
    Cabinet Organization Organisation Laboratory Laboratories Exchange Futures Life Development Team Command
    Brigade Regiment Ministries Program Programme Initiative Administration Directorate Secretariat Tribunal
    Chamber Consortium Enterprises International Research Studies Sabha Dal Sangha Morcha Communications Telecom
    Broadcasting Airline Magazine Journal Observer Star Gazette Review Prosecutors Unit Taskforce Center Centre
    Service Assets Properties Petronas Semiconductor Chemical Steel Shipyard Logistics AMC BHD Bhd PLC plc Pvt
    SE AG GmbH"""
)
_PLACES = _words(
    """Province District County City Town Township Village State Prefecture Region Island Islands River Lake Sea
    Ocean Bay Gulf Strait Mountain Mountains Valley Desert Peninsula Street Road Avenue Highway Expressway
    Bridge Airport Port Station Park Square Building Tower Towers Stadium Hotel Temple Mosque Palace Prison Jail
    Dam Hill Hills Beach Coast Harbour Harbor Canyon Forest Reef Shoal Hospital Hall Upazila Tehsil Mandal Plaza
    Mall Museum Cemetery Garden Gardens Glacier Falls Volcano Plateau Railway Terminal Depot Border Pass Zone
    Republic Emirate Kingdom Nagar Pradesh Precinct Barracks Cathedral Fort Castle Monument Memorial Lane Creek
    Basin Delta Archipelago Territory Territories"""
)
_PLACES_FIRST = _words("Mount Mt Mt. Lake Cape Port Fort Camp San Santa Bukit Kampung Kuala INS USS HMS HMAS HMNZS BRP")
_ACRONYM = re.compile(r"[A-Z][A-Z&]{1,6}s?\d?")


def of_form(form: str, names: Names) -> Iterator[tuple[str, float]]:
    """The votes of the name itself."""
    words = form.split()
    last = words[-1].strip(".,)")
    if len(words) > 1 or form.istitle() is False:
        if last in _ORGANIZATIONS or (" of " in form and words[0] in _ORGANIZATIONS):
            yield "organization", 2.0
        elif len(words) > 1 and (last in _PLACES or words[0] in _PLACES_FIRST):
            yield "place", 2.0
    if _ACRONYM.fullmatch(form):
        yield "organization", 0.9
        yield "person", -1.0
    if 1 < len(words) <= 4 and last not in _ORGANIZATIONS and last not in _PLACES:
        if words[0] in names.given or words[0] in names.japanese:
            yield "person", 1.5
        elif any(word in names.given or word in names.japanese for word in words[1:]):
            yield "person", 0.4
        elif len(words) <= 3 and names.is_family(words[0]) and (len(words) == 2 or "-" not in form):
            yield "person", 0.8
        if " of " in form or " and " in form or "&" in form or " for " in form:
            yield "person", -1.5
    elif words[0] in names.given:
        yield "person", 0.5


def of_context(before: str, after: str) -> Iterator[tuple[str, float]]:
    """The votes of the words around a mention."""
    if _TITLE_BEFORE.search(before):
        yield "person", 1.5
    elif _PLACE_BEFORE.search(before):
        yield "place", 0.7
    elif _PLACE_BEFORE_WEAK.search(before):
        yield "place", 0.3
    elif _ORGANIZATION_BEFORE.search(before):
        yield "organization", 0.3
    if _PLACE_AFTER.match(after):
        yield "place", 1.0
    elif _PERSON_AFTER.match(after):
        yield "person", 0.8
    elif _SAID.match(after):
        yield "person", 0.3
    elif _ORGANIZATION_AFTER.match(after):
        yield "organization", 0.6
