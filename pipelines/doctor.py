"""What `newsbeam doctor` looks at: versions, models, configuration, store and network."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple, Optional
from urllib.parse import urlsplit

from newsbeam.errors import NewsbeamError
from newsbeam.settings import Settings, load_settings

PACKAGES = ("apache-beam", "feedparser", "spacy", "elasticsearch", "trafilatura", "httpx")
EXPAT_FLOOR = (2, 7, 2)  # the Python documentation names older ones as open to XML bombs


class Finding(NamedTuple):
    """One thing looked at. `level`: ok, warning (it works, with a limit) or problem; `mend`: the next step."""

    what: str
    level: str
    found: str
    mend: str = ""


def examine(config: Optional[Path], store_url: str) -> list[Finding]:
    """All findings, in the order in which to mend them."""
    findings = list(_versions())
    try:
        settings = load_settings(config)
        findings.append(Finding("configuration", "ok", f"{settings.config_dir}, {len(settings.feeds)} feeds"))
    except NewsbeamError as error:
        return [*findings, Finding("configuration", "problem", str(error), "mend the file named")]
    findings += [_model(language, name) for language, name in sorted(settings.models.items())]
    findings.append(_try("topics and entities", lambda: _rules(settings), "mend the file named"))
    findings.append(_store(store_url))
    findings.append(_network(settings))
    return findings


def _versions() -> Iterator[Finding]:
    yield Finding(
        "python", "ok" if sys.version_info >= (3, 11) else "problem", sys.version.split()[0], "use 3.11 or later"
    )
    for package in PACKAGES:
        try:
            yield Finding(package, "ok", version(package))
        except PackageNotFoundError:
            yield Finding(package, "problem", "not installed", f"pip install {package}")
    options = {row[0] for row in sqlite3.connect(":memory:").execute("PRAGMA compile_options")}
    fts5 = "ENABLE_FTS5" in options
    yield Finding(
        "sqlite",
        "ok" if fts5 else "problem",
        sqlite3.sqlite_version + ("" if fts5 else " without FTS5"),
        "use a Python whose SQLite has FTS5, or an Elasticsearch store",
    )
    from xml.parsers import expat

    old = expat.version_info < EXPAT_FLOOR
    yield Finding(
        "expat",
        "warning" if old else "ok",
        ".".join(map(str, expat.version_info)),
        "newsbeam refuses feeds that declare entities, but take a Python with expat 2.7.2 or later when you can",
    )


def _model(language: str, name: str) -> Finding:
    from newsbeam.entities import load_model

    return _try(f"model for {language}", lambda: load_model(name).meta["name"], "make setup, or pip install the model")


def _rules(settings: Settings) -> str:
    from newsbeam.gazetteer import load_gazetteer
    from newsbeam.topics import load_topics

    load_gazetteer(Path(settings.config_dir))
    return f"{len(load_topics(Path(settings.config_dir)).topics)} topics"


def _store(url: str) -> Finding:
    from newsbeam.stores import open_store

    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return Finding("store", "ok", f"{url} does not exist yet; ingest makes it")
    return _try("store", lambda: f"{url}, {open_store(url).status().articles} articles", "newsbeam store check")


def _network(settings: Settings) -> Finding:
    import socket

    hosts = [urlsplit(feed.url).hostname or "" for feed in settings.feeds if feed.enabled][:3]
    for host in hosts:
        try:
            socket.getaddrinfo(host, 443)
            return Finding("network", "ok", f"{host} is found")
        except OSError as error:
            failed = str(error)
    if not hosts:
        return Finding("network", "ok", "no feeds to reach")
    return Finding("network", "warning", f"{hosts[0]}: {failed}", "check DNS and the way out; feeds can't be reached")


def _try(what: str, look: Callable[[], object], mend: str) -> Finding:
    try:
        return Finding(what, "ok", str(look()))
    except (NewsbeamError, OSError, ImportError, ValueError) as error:
        return Finding(what, "problem", str(error), mend)
