"""Configuration files: YAML whose values know their lines, so that every problem is one line naming file, line and key.

The scalars are those of YAML 1.2's core schema (https://yaml.org/spec/1.2.2/#103-core-schema): `no` and `on` are
words, so Norway stays a country. What invites surprises is refused: duplicate keys, keys that are no text, tags, and
aliases (which also make small files unbounded when read).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.reader import ReaderError

from newsbeam.errors import ConfigError

M = TypeVar("M", bound=BaseModel)
Location = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_TAGS = frozenset(_TAG + name for name in ("map", "seq", "str", "null", "bool", "int", "float"))
_USERINFO = re.compile(r"//[^/@\s]*@")


class Problem(NamedTuple):
    """One thing that is wrong with a file: at which line, at which key, and what."""

    line: int
    where: Location
    text: str


class Document(NamedTuple):
    """A file that was read: its name as the user gave it, its plain data, and the line of each key and item.

    The data of a file without any content, comments apart, is None.
    """

    name: str
    data: Any
    lines: Mapping[Location, int]

    def line(self, where: Location) -> int:
        """The line of a key or item, or of the nearest one around it."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)

    def problem(self, where: Location, text: str) -> Problem:
        """A problem at a key or item."""
        return Problem(self.line(where), where, text)

    def error(self, *problems: Problem) -> ConfigError:
        """The first problem in the order of lines, and how many more there are, as one line."""
        first, *more = sorted(problems, key=lambda problem: problem.line)
        key = f"{dotted(first.where)}: " if first.where else ""
        rest = f" (and {len(more)} more)" if more else ""
        return ConfigError(f"{self.name}:{first.line}: {key}{first.text}{rest}")

    def validate(self, model: type[M]) -> M:
        """The data as `model`; an empty file as its defaults, where all keys have one. Raises ConfigError."""
        if self.data is None and any(field.is_required() for field in model.model_fields.values()):
            raise ConfigError(f"{self.name}: the file is empty")
        try:
            return model.model_validate({} if self.data is None else self.data)
        except ValidationError as error:
            problems = [self._problem(model, item) for item in error.errors(include_url=False)]
        raise self.error(*problems)

    def _problem(self, model: type[BaseModel], error: Any) -> Problem:
        where = tuple(part for part in error["loc"] if part != "[key]")  # pydantic's word for a mapping's key
        return self.problem(where, _explain(model, where, error))


def read_bytes(path: Path) -> bytes:
    """What is in a file of the user's. Raises ConfigError when it can't be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None


def read_yaml(path: Path) -> Document:
    """The YAML file at `path`. Raises ConfigError."""
    return parse_yaml(read_bytes(path), str(path))


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """PyYAML's loader with the implicit types of YAML 1.2 in place of those of 1.1."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


for _name, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", [*"~nN", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    ("int", r"[-+]?[0-9]+", [*"-+0123456789"]),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        [*"-+.0123456789"],
    ),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(f"^(?:{_pattern})$"), _first)


def parse_yaml(data: bytes, name: str) -> Document:
    """YAML as a document; `name` is what errors call it. Raises ConfigError."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{name}:{line}: not UTF-8 text") from None
    try:
        root = yaml.compose(text, _Loader)
        lines: dict[Location, int] = {(): 1}
        return Document(name, _Builder(name, lines).build(root, ()) if root else None, lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        what = ", ".join(_one_line(part) for part in (error.context, error.problem) if part)
        raise ConfigError(f"{name}:{line}: not valid YAML: {what}") from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"{name}:{line}: not valid YAML: a control character") from None
    except RecursionError:
        raise ConfigError(f"{name}: nested too deeply") from None


class _Builder:
    """Turns nodes into plain values and notes their lines."""

    def __init__(self, name: str, lines: dict[Location, int]) -> None:
        self._name = name
        self._lines = lines
        self._seen: set[int] = set()

    def build(self, node: Node, where: Location) -> Any:
        if id(node) in self._seen:
            raise self._error(node, where, "an alias (*name) is not allowed; write the value out")
        self._seen.add(id(node))
        if node.tag not in _TAGS:
            raise self._error(node, where, f"the tag {_one_line(node.tag)} is not allowed")
        if isinstance(node, MappingNode):
            return self._mapping(node, where)
        if isinstance(node, SequenceNode):
            items = []
            for index, item in enumerate(node.value):
                self._lines[(*where, index)] = item.start_mark.line + 1
                items.append(self.build(item, (*where, index)))
            return items
        return self._scalar(node, where)

    def _mapping(self, node: MappingNode, where: Location) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode) or key.tag != f"{_TAG}str":
                raise self._error(key, where, "a key must be text" + _quoted_hint(key))
            name = str(key.value)
            here = (*where, name)
            if name in values:
                raise self._error(key, here, f"given twice, first at line {self._lines[here]}")
            self._lines[here] = key.start_mark.line + 1
            values[name] = self.build(value, here)
        return values

    def _scalar(self, node: Node, where: Location) -> Any:
        kind, text = node.tag.removeprefix(_TAG), str(node.value)
        try:
            match kind:
                case "null":
                    return None
                case "bool":
                    return {"true": True, "false": False}[text.lower()]
                case "int":
                    return int(text)
                case "float":
                    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        except (ValueError, KeyError):  # a tag of its own, as !!int soon, or thousands of digits
            raise self._error(node, where, f"{shown(text)} is no {kind}") from None
        return text

    def _error(self, node: Node, where: Location, text: str) -> ConfigError:
        line = node.start_mark.line + 1
        return Document(self._name, None, {}).error(Problem(line, where, text))


def dotted(where: Location) -> str:
    """A location as people write it: `feeds[3].source.country`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{_one_line(part)}" for part in where).lstrip(".")


def shown(value: Any) -> str:
    """A value as an error may show it: short, on one line, and without the user and password of an address."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = _USERINFO.sub("//***@", str(value))
    return repr(text if len(text) <= 60 else text[:57] + "...") if isinstance(value, str) else text


_EXPECTED = {
    "string": "text",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "finite": "a number",
    "tuple": "a list",
    "model": "keys and values",
    "mapping": "keys and values",
}


def _explain(model: type[BaseModel], where: Location, error: Any) -> str:
    """One problem that pydantic found, as a person would say it."""
    kind, value = error["type"], error["input"]
    if kind == "extra_forbidden":
        known = list(_model_at(model, where[:-1]).model_fields)
        close = difflib.get_close_matches(str(where[-1]), known, n=1)
        return "unknown key; " + (f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}")
    if kind == "missing":
        return "missing"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    what, _, how = kind.partition("_")
    if what in _EXPECTED and how in ("type", "parsing", "number", "from_float"):
        secret = where[-1:] == ("credentials",)
        return f"must be {_EXPECTED[what]}" + ("" if secret else f", not {shown(value)}")
    return f"{str(error['msg']).removeprefix('Input ')}, not {shown(value)}"


def _model_at(model: type[BaseModel], where: Location) -> type[BaseModel]:
    for part in where:
        if isinstance(part, str) and part in model.model_fields:
            kind = model.model_fields[part].annotation
            inner = [item for item in (kind, *get_args(kind)) if isinstance(item, type) and issubclass(item, BaseModel)]
            model = inner[0] if inner else model
    return model


def _quoted_hint(node: Node) -> str:
    return f"; put {node.value} in quotes" if isinstance(node, ScalarNode) and node.value else ""


def _one_line(text: str | None) -> str:
    return " ".join((text or "unreadable").split())
