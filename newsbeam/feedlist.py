"""feeds.yaml as a file that people keep: feeds are added at the end of its list, and every other byte stays."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from newsbeam import identity
from newsbeam.configfile import Document, parse_yaml, read_bytes
from newsbeam.errors import ConfigError
from newsbeam.opml import looks_like_opml, read_opml_lines
from newsbeam.records import Feed
from newsbeam.settings import _feed, _FeedsFile, feed_id, read_feeds

Keys = Mapping[str, Any]
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_DEFAULTS = Feed._field_defaults


class Refused(NamedTuple):
    """A feed of a list that was not taken, or not whole: where it stands there, and why."""

    line: int
    url: str
    reason: str


class Imported(NamedTuple):
    """What came of a list: the keys to add, how many were there already, and what was refused or taken in part."""

    added: Sequence[dict[str, Any]]
    duplicates: int
    refused: Sequence[Refused]
    partly: Sequence[Refused]


def import_opml(data: bytes, name: str, known: Iterable[Feed]) -> Imported:
    """The feeds of an OPML file that a list does not have yet. Raises ConfigError where the file is no OPML.

    A feed whose address is none is refused; one with another bad value is taken without what OPML says beside its
    name and tags.
    """
    feeds = list(known)
    addresses, ids = {address_key(feed.url) for feed in feeds}, {feed.id for feed in feeds}
    added: list[dict[str, Any]] = []
    refused, partly, duplicates = [], [], 0
    for line, keys in read_opml_lines(data, name):
        try:
            feed = to_feed(keys)
        except ConfigError as error:
            plain = {name: keys[name] for name in ("url", "name", "tags") if keys.get(name)}
            reason = str(error).partition(": ")[2]
            try:
                feed, keys = to_feed(plain), plain
                partly.append(Refused(line, feed.url, reason))
            except ConfigError:
                refused.append(Refused(line, keys["url"], reason))
                continue
        if address_key(feed.url) in addresses:
            duplicates += 1
        elif feed.id in ids:
            refused.append(Refused(line, feed.url, f"another feed has the id {feed.id}"))
        else:
            addresses.add(address_key(feed.url))
            ids.add(feed.id)
            added.append(to_keys(feed))
    return Imported(added, duplicates, refused, partly)


def to_feed(keys: Keys) -> Feed:
    """A feed from its keys as feeds.yaml has them. Raises ConfigError."""
    file = Document("feed", {"feeds": [dict(keys)]}, {}).validate(_FeedsFile)
    return _feed(file.feeds[0], file.defaults)


def to_keys(feed: Feed) -> dict[str, Any]:
    """The keys of a feed as feeds.yaml would have them: what goes without saying is left out."""
    source = {"name": feed.source.name, "domain": feed.source.domain, "country": feed.source.country}
    keys: dict[str, Any] = {
        "url": feed.url,
        "id": None if feed.id == feed_id(feed.url) else feed.id,
        "name": feed.name,
        "source": {name: value for name, value in source.items() if value},
        "language": feed.language,
        "every": None if feed.every == _DEFAULTS["every"] else duration(feed.every),
        "full_text": None if feed.full_text else False,
        "enabled": None if feed.enabled else False,
        "credentials": feed.credentials,
        "tags": list(feed.tags) or None,
    }
    keys = {name: value for name, value in keys.items() if value is not None}
    if to_feed(keys).source.id != feed.source.id:
        keys["source"] = {"id": feed.source.id, **keys["source"]}
    if keys["source"] == {"name": feed.source.domain, "domain": feed.source.domain}:
        slim = {name: value for name, value in keys.items() if name != "source"}
        keys = slim if to_feed(slim) == to_feed(keys) else keys
    return keys


def duration(seconds: int) -> str:
    """Seconds as feeds.yaml has them: 30s, 15m, 2h, 1d."""
    return next(f"{seconds // size}{unit}" for size, unit in _UNITS if seconds % size == 0)


def address_key(url: str) -> str:
    """What tells feeds apart: http and https, and a slash at the end, make no other feed."""
    return (identity.canonicalize_url(url) or url).partition(":")[2].rstrip("/")


# --- the file -----------------------------------------------------------------------------------------------------


def read_list(path: Path) -> tuple[str, tuple[Feed, ...]]:
    """The text of a feeds.yaml and its feeds; nothing where there is no file yet. Raises ConfigError."""
    if not path.exists():
        return "", ()
    data = read_bytes(path)
    if looks_like_opml(data):
        raise ConfigError(f"{path}: feeds are added to YAML files, and this is OPML; `feeds import` makes one of it")
    document = parse_yaml(data, str(path))
    return data.decode("utf-8"), read_feeds(path) if document.data is not None else ()


def write_list(path: Path, text: str) -> None:
    """Replaces a feeds.yaml, whole or not at all, if it is one. Raises ConfigError."""
    target = path.resolve()  # a link stays one
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
        handle, name = tempfile.mkstemp(prefix=".", suffix=target.name, dir=target.parent)
        try:
            with open(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            read_feeds(Path(name))
            os.chmod(name, mode)
            os.replace(name, target)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None


def add_feeds(text: str, feeds: Sequence[Keys]) -> str:
    """The text of a feeds.yaml with feeds added at the end of its list; comments, order and layout stay.

    Raises ConfigError for a list that is written in a way that nothing can be added to.
    """
    if not feeds:
        return text
    bom, text = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    newline = "\r\n" if "\r\n" in text else "\n"
    root: Any = yaml.compose(text, yaml.SafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    found = next(((key, value) for key, value in pairs if key.value == "feeds"), None)
    if found is None:
        changed = _whole(text, newline) + newline * bool(text.strip()) + "feeds:" + newline + _block(feeds, 2, newline)
    elif isinstance(found[1], yaml.SequenceNode) and found[1].value:
        changed = _append(text, found[1], feeds, newline)
    else:
        begin, end = found[0].start_mark.index, _line_end(text, found[0].end_mark.index)
        start = text[:begin] + re.sub(r"^(feeds\s*:)\s*(?:\[\s*\]|~|null)", r"\1", text[begin:end])
        changed = _whole(start, newline) + _block(feeds, 2, newline) + text[end:]
    before, after = (parse_yaml(part.encode(), "").data for part in (text, changed))
    wanted = {**(before or {}), "feeds": [*((before or {}).get("feeds") or []), *map(dict, feeds)]}
    if after != wanted:
        raise ConfigError("the list of feeds is written in a way that newsbeam can't add to; write it with dashes")
    return bom + changed


def _append(text: str, node: Any, feeds: Sequence[Keys], newline: str) -> str:
    if node.flow_style:
        at = node.end_mark.index - 1
        return text[:at].rstrip(" ") + "".join(f", {_flow(dict(feed))}" for feed in feeds) + text[at:]
    at = _line_end(text, _last_index(node))
    line_at = text.rfind("\n", 0, node.value[-1].start_mark.index) + 1
    apart = len(node.value) > 1 and text[:line_at].endswith(2 * newline)
    blocks = [_block([feed], node.start_mark.column, newline) for feed in feeds]
    return _whole(text[:at], newline) + "".join(newline * apart + block for block in blocks) + text[at:]


def _last_index(node: Any) -> int:
    """Where a node ends; of a block, where its last value does, comments behind it left aside."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    mark = node.end_mark
    return int(mark.index - (mark.column == 0 and mark.index > node.start_mark.index))


def _line_end(text: str, index: int) -> int:
    """Where the next line begins."""
    return text.find("\n", index) + 1 or len(text)


def _whole(text: str, newline: str) -> str:
    """A text that ends with the end of a line."""
    return text if not text or text.endswith("\n") else text + newline


def _block(feeds: Sequence[Keys], indent: int, newline: str) -> str:
    lines = []
    for feed in feeds:
        for number, (key, value) in enumerate(feed.items()):
            lines.append(" " * indent + ("  " if number else "- ") + f"{key}: {_flow(value)}" + newline)
    return "".join(lines)


def _flow(value: Any) -> str:
    """A value on one line, quoted where it must be."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=float("inf"), sort_keys=False)
    text = text.removesuffix("...\n").removesuffix("\n")
    if parse_yaml(f"value: {text}\n".encode(), "").data == {"value": value}:
        return text
    return json.dumps(value, ensure_ascii=False)  # PyYAML writes YAML 1.1, where a text as 0E0 needs no quotes
