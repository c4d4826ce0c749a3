"""Reading a configuration file value by value, where its shape is looser than a model's (rules, gazetteer).

`configfile` reads the file and knows its lines; here each value can say what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from newsbeam.configfile import Document, Location, read_yaml, shown
from newsbeam.errors import ConfigError


class Node:
    """A value that knows where it stands. Each reader raises ConfigError for a value of another kind.

    Args:
        context: what errors say before their text, such as the topic that the value belongs to.
    """

    def __init__(self, document: Document, where: Location, value: Any, context: str = "") -> None:
        self._document, self._where, self._value, self._context = document, where, value, context

    @property
    def line(self) -> int:
        """The line it begins on, from 1."""
        return self._document.line(self._where)

    @property
    def is_mapping(self) -> bool:
        """Whether the value is a mapping."""
        return isinstance(self._value, dict)

    def error(self, message: str) -> ConfigError:
        """A ConfigError that names file, line, key and context, to be raised by the caller."""
        text = f"{self._context}: {message}" if self._context else message
        return self._document.error(self._document.problem(self._where, text))

    def within(self, context: str) -> Node:
        """The same value, whose errors say what it belongs to."""
        longer = f"{self._context}, {context}" if self._context else context
        return Node(self._document, self._where, self._value, longer)

    def items(self) -> list[Node]:
        """The elements of a list."""
        if not isinstance(self._value, list):
            raise self.error(f"must be a list, not {shown(self._value)}")
        return [self._child(index, value) for index, value in enumerate(self._value)]

    def mapping(self, keys: Collection[str] | None = None, required: Collection[str] = ()) -> dict[str, Node]:
        """The values of a mapping by key; with `keys`, any other key is an error."""
        if not isinstance(self._value, dict):
            raise self.error(f"must be keys and values, not {shown(self._value)}")
        found = {name: self._child(name, value) for name, value in self._value.items()}
        for name, node in found.items():
            if keys is not None and name not in keys:
                raise node.error(f"unknown key; known: {', '.join(keys)}")
        for name in required:
            if name not in found:
                raise self.error(f"the key {name!r} is missing")
        return found

    def text(self) -> str:
        """A string that is not empty."""
        if not isinstance(self._value, str) or not self._value.strip():
            raise self.error(f"must be text, not {shown(self._value)}")
        return self._value

    def texts(self) -> list[str]:
        """A list of strings."""
        return [item.text() for item in self.items()]

    def number(self, low: float, high: float) -> float:
        """A number in [low, high]."""
        if isinstance(self._value, bool) or not isinstance(self._value, (int, float)):
            raise self.error(f"must be a number, not {shown(self._value)}")
        if not low <= self._value <= high:
            raise self.error(f"must be between {low} and {high}, not {self._value}")
        return float(self._value)

    def flag(self) -> bool:
        """true or false."""
        if not isinstance(self._value, bool):
            raise self.error(f"must be true or false, not {shown(self._value)}")
        return self._value

    def one_of(self, choices: Collection[str]) -> str:
        """One of some words."""
        value = self.text()
        if value not in choices:
            raise self.error(f"must be one of {', '.join(choices)}, not {shown(value)}")
        return value

    def _child(self, part: str | int, value: Any) -> Node:
        return Node(self._document, (*self._where, part), value, self._context)


def read_node(path: Path) -> Node:
    """The top of a YAML file. Raises ConfigError where it can't be read, is no YAML or is empty."""
    document = read_yaml(path)
    if document.data is None:
        raise ConfigError(f"{path}: the file is empty")
    return Node(document, (), document.data)
