"""Settings: read once from the configuration directory, validated whole, and handed on as one picklable value.

`feeds.yaml` says what is watched, `settings.yaml` (optional) changes how; unknown keys are errors. Credentials are in
neither: a feed names an environment variable, and only `credentials_for` looks at it.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from newsbeam import __version__
from newsbeam.configfile import Document, Location, parse_yaml, read_bytes, read_yaml, shown
from newsbeam.errors import ConfigError, FetchError
from newsbeam.opml import looks_like_opml, read_opml_lines
from newsbeam.records import Feed, Source

ALLOW_NETWORKS = "NEWSBEAM_ALLOW_NETWORKS"

# ISO 3166-1 alpha-2, as of 2026.
COUNTRIES = frozenset(
    """ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bl bm bn bo bq br bs bt bv bw by bz
    ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg eh er es et fi fj fk fm fo fr
    ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo
    jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mf mg mh mk ml mm mn mo mp mq mr
    ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro
    rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv
    tw tz ua ug um us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw""".split()  # noqa: SIM905
)

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = 30 * 86400


# --- values -------------------------------------------------------------------------------------------------------


def parse_duration(value: Any) -> int:
    """A duration such as `30s`, `15m`, `2h` or `1d`, in seconds: from one second to 30 days. Raises ValueError."""
    match = re.fullmatch(r"([0-9]{1,9})([smhd])", value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError(f"{shown(value)} is no duration; use a whole number and s, m, h or d, as 15m")
    seconds = int(match[1]) * _UNITS[match[2]]
    if not 1 <= seconds <= _LONGEST:
        raise ValueError(f"{shown(value)} is out of range; use 1s to 30d")
    return seconds


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port  # a bad port raises here
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s\x00-\x1f\x7f]", value):
        raise ValueError(f"{shown(value)} is no address of a feed; use http://... or https://...")
    if "@" in parts.netloc:
        raise ValueError("the address has a user or password; name an environment variable in `credentials` instead")
    return parts._replace(netloc=parts.netloc.lower(), fragment="").geturl()


def _country(value: str) -> str:
    if value.lower() not in COUNTRIES:
        hint = "; the United Kingdom is gb" if value.lower() == "uk" else ", as jp"
        raise ValueError(f"{shown(value)} is no country; use two letters of ISO 3166-1{hint}")
    return value.lower()


def _language(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", value):
        raise ValueError(f"{shown(value)} is no language; use a code as en, ja or pt-BR")
    return value.replace("_", "-").lower()


def _variable(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):  # may be the secret itself: never shown
        raise ValueError("must be the name of an environment variable, not its value")
    return value


def _host(value: str) -> str:
    if not re.fullmatch(r"[^\s/:@?#]+", value):
        raise ValueError(f"{shown(value)} is no domain; use a host name as example.org")
    return value.lower().removeprefix("www.")


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError:
        raise ValueError(f"{shown(value)} is no network; use an address and a prefix as 127.0.0.0/8") from None


def _text(value: str) -> str:
    if not value.strip() or re.search(r"[\x00-\x1f\x7f]", value.strip()):
        raise ValueError(f"{shown(value)} is no name; use some text on one line")
    return value.strip()


def _id(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}", value):
        raise ValueError(f"{shown(value)} is no id; use up to 120 letters, digits, dots, hyphens and underscores")
    return value


def _tag(value: str) -> str:
    if "," in value:
        raise ValueError(f"{shown(value)} is no tag; it has a comma")
    return _text(value)


Text = Annotated[str, AfterValidator(_text)]
Id = Annotated[str, AfterValidator(_id)]
Tag = Annotated[str, AfterValidator(_tag)]


# --- what users of the library see --------------------------------------------------------------------------------


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class FetchSettings(_Strict):
    """How feeds and pages are fetched. Times in seconds, sizes in bytes after decoding.

    `allow_networks`: networks that may be read although they are private, loopback or reserved.
    `per_host` and `concurrency`: requests at once, to one host and in all.
    """

    user_agent: Text = f"newsbeam/{__version__} (news feed reader)"
    timeout: float = Field(20, gt=0, le=600)
    connect_timeout: float = Field(10, gt=0, le=600)
    max_feed_bytes: int = Field(10 * 1024 * 1024, gt=0)
    max_page_bytes: int = Field(5 * 1024 * 1024, gt=0)
    max_redirects: int = Field(5, ge=0, le=20)
    allow_networks: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    per_host: int = Field(2, ge=1, le=64)
    concurrency: int = Field(16, ge=1, le=256)

    @field_validator("user_agent")
    @classmethod
    def _ascii(cls, value: str) -> str:
        if not value.isascii():
            raise ValueError(f"{shown(value)} can't be sent; use ASCII characters")
        return value


class PoolSettings(_Strict):
    """The pool that extracts and annotates. `item_seconds`: after this long an item's process is replaced."""

    processes: int = Field(0, ge=0, le=64)
    item_seconds: float = Field(20, gt=0, le=3600)
    batch: int = Field(16, ge=1, le=1000)

    def count(self) -> int:
        """How many processes: as set, or (0) one for each CPU that this process may use, at most 4."""
        return self.processes or min(len(os.sched_getaffinity(0)), 4)


class _SettingsFile(_Strict):
    """What settings.yaml may have. `models`: language code to the name of a spaCy model.

    `round_seconds`: what a round has not done by then waits for the next. `max_failed`: share of failed entries
    above which `ingest` ends with exit code 1.
    """

    fetch: FetchSettings = FetchSettings()
    pool: PoolSettings = PoolSettings()
    models: Mapping[Annotated[str, AfterValidator(_language)], Text] = {"en": "en_core_web_sm"}
    round_seconds: int = Field(60, ge=1, le=86400)
    max_failed: float = Field(0.2, ge=0, le=1)


class Settings(_SettingsFile):
    """Everything that is configured. `config_dir` is an absolute path; topics and entities are read from there."""

    feeds: tuple[Feed, ...] = ()
    config_dir: str


class Credentials:
    """What to send with a feed's requests, and never to another host: the value of an Authorization header."""

    def __init__(self, header: str) -> None:
        self.header = header

    def __repr__(self) -> str:
        return "Credentials(***)"


# --- reading ------------------------------------------------------------------------------------------------------


def default_config_dir() -> Path:
    """Where the configuration is: `config/` here if it has feeds or topics, else the one that came with newsbeam."""
    here = Path("config")
    if any((here / name).is_file() for name in ("feeds.yaml", "topics.yaml")):
        return here
    package = Path(__file__).parent
    installed = package / "_config"
    return installed if installed.is_dir() else package.parent / "config"  # the latter where installed as editable


def load_settings(
    config_dir: Path | None = None, feeds_file: Path | None = None, *, with_feeds: bool = True
) -> Settings:
    """The settings of a directory (none: the default one), with the feeds of its feeds.yaml or of another file.

    Args:
        feeds_file: YAML or OPML, told apart by its content.
        with_feeds: read feeds; commands that poll nothing do without.

    Raises:
        ConfigError: with one line for the first problem.
    """
    directory = default_config_dir() if config_dir is None else config_dir
    if not directory.is_dir():
        raise ConfigError(f"{directory}: no such directory")
    path = directory / "settings.yaml"
    values = read_yaml(path).validate(_SettingsFile) if path.is_file() else _SettingsFile()
    allowed = [*values.fetch.allow_networks, *_networks_from_environment()]
    fetch = values.fetch.model_copy(update={"allow_networks": tuple(dict.fromkeys(allowed))})
    feeds = read_feeds(feeds_file or directory / "feeds.yaml") if with_feeds or feeds_file else ()
    fields = {name: getattr(values, name) for name in _SettingsFile.model_fields}
    return Settings(**{**fields, "fetch": fetch, "feeds": feeds, "config_dir": str(directory.absolute())})


def credentials_for(feed: Feed) -> Credentials | None:
    """What to authorise a feed's requests with: `user:password` (Basic, RFC 7617), else a token (Bearer, RFC 6750).

    Raises:
        FetchError: the environment variable that the feed names is not set, or can't be sent.
    """
    if feed.credentials is None:
        return None
    value = os.environ.get(feed.credentials, "").strip()
    if not value:
        raise FetchError("no_credentials", f"the environment variable {feed.credentials} is not set")
    if ":" in value:
        return Credentials("Basic " + base64.b64encode(value.encode()).decode("ascii"))
    if not re.fullmatch(r"[\x21-\x7e]+", value):
        raise FetchError("no_credentials", f"the environment variable {feed.credentials} is no token")
    return Credentials(f"Bearer {value}")


def _networks_from_environment() -> list[str]:
    given = [part.strip() for part in os.environ.get(ALLOW_NETWORKS, "").split(",")]
    try:
        return [_network(part) for part in given if part]
    except ValueError as error:
        raise ConfigError(f"{ALLOW_NETWORKS}: {error}") from None


# --- feeds --------------------------------------------------------------------------------------------------------


class _SourceKeys(_Strict):
    id: Id | None = None
    name: Text | None = None
    domain: Annotated[str, AfterValidator(_host)] | None = None
    country: Annotated[str, AfterValidator(_country)] | None = None


class _DefaultKeys(_Strict):
    source: _SourceKeys = _SourceKeys()
    language: Annotated[str, AfterValidator(_language)] | None = None
    every: Annotated[int, BeforeValidator(parse_duration)] = 900
    full_text: bool = True
    enabled: bool = True
    credentials: Annotated[str, AfterValidator(_variable)] | None = None
    tags: tuple[Tag, ...] = ()


class _FeedKeys(_DefaultKeys):
    url: Annotated[str, AfterValidator(_url)]
    id: Id | None = None
    name: Text | None = None


class _FeedsFile(_Strict):
    defaults: _DefaultKeys = _DefaultKeys()
    feeds: tuple[_FeedKeys, ...]


def read_feeds(path: Path) -> tuple[Feed, ...]:
    """The feeds of a YAML or OPML file, in its order. Raises ConfigError."""
    data = read_bytes(path)
    document = _opml_document(data, str(path)) if looks_like_opml(data) else parse_yaml(data, str(path))
    file = document.validate(_FeedsFile)
    feeds = tuple(_feed(keys, file.defaults) for keys in file.feeds)
    _check_unique(document, feeds)
    return feeds


def _opml_document(data: bytes, name: str) -> Document:
    found = read_opml_lines(data, name)
    if not found:
        raise ConfigError(f"{name}: no feeds in it; an outline with an xmlUrl is one")
    lines: dict[Location, int] = {("feeds", index): line for index, (line, _) in enumerate(found)}
    return Document(name, {"feeds": [feed for _, feed in found]}, lines)


def _feed(keys: _FeedKeys, defaults: _DefaultKeys) -> Feed:
    own, common = keys.source.model_dump(exclude_unset=True), defaults.source.model_dump(exclude_unset=True)
    values = {**dict(defaults), **{name: getattr(keys, name) for name in keys.model_fields_set}}
    host = (urlsplit(keys.url).hostname or "").removeprefix("www.")
    source = {**common, **own}
    domain = source.get("domain") or host
    name = source.get("name")
    values["source"] = Source(
        id=source.get("id") or _slug(domain if source.get("domain") or not name else name),
        name=name or domain,
        domain=domain,
        country=source.get("country"),
    )
    values["id"] = keys.id or feed_id(keys.url)
    values["name"] = keys.name or name or host
    return Feed(**values)


def feed_id(url: str) -> str:
    """The id of a feed that has none of its own: readable, made of its address alone, so the same for ever.

    `https://example.org/news/rss.xml` gives `example.org-news-rss.xml`. Where that would lose something (http, a port,
    a query, capitals, odd characters, great length), a hash of the address follows.
    """
    parts = urlsplit(url)
    slug = _slug(f"{parts.hostname}-{unquote(parts.path).strip('/')}")  # a query may hold a secret, and ids are public
    if re.fullmatch(r"https://[a-z0-9.-]+[a-z0-9./-]*", url) and len(slug) <= 80:
        return slug
    return f"{slug[:72].rstrip('-.')}-{hashlib.sha256(url.encode()).hexdigest()[:7]}"


def _slug(text: str) -> str:
    """Lower-case ASCII letters, digits, dots and single hyphens; a hash where nothing is left."""
    slug = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")
    return slug or hashlib.sha256(text.encode()).hexdigest()[:12]


def _check_unique(document: Document, feeds: tuple[Feed, ...]) -> None:
    problems = []
    for key in ("url", "id"):
        first: dict[str, int] = {}
        for index, feed in enumerate(feeds):
            value = getattr(feed, key)
            before = first.setdefault(value, index)
            if before == index or (key == "id" and feeds[before].url == feed.url):
                continue
            text = f"{shown(value)} is the {key} of the feed at line {document.line(('feeds', before, key))} too"
            hint = "; give one of them an id of its own" if key == "id" else ""
            problems.append(document.problem(("feeds", index, key), text + hint))
    if problems:
        raise document.error(*problems)
