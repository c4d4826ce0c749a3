"""The rules of topics, from config/topics.yaml and config/topics/: loading and checking.

`topics` applies them; docs/topics.md explains.

A rule hits where all its groups are found within one sentence (or paragraph, or document) and none of its `none`
groups. A group is found where at least `at_least` different ones of its phrases and entities are.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

from newsbeam.gazetteer import Gazetteer, load_gazetteer, primary
from newsbeam.records import to_plain
from newsbeam.yamlfile import Node, read_node

SCOPES = ("sentence", "paragraph", "document")
PLACES = ("anywhere", "lead", "title")
_GROUP_KEYS = ("phrases", "entities", "at_least")
_RULE_KEYS = ("name", "weight", "all", "none", "within", "where", *_GROUP_KEYS)
_TOPIC_KEYS = ("id", "label", "iptc", "threshold", "rules", "exclude", "examples")
_EXAMPLE_KEYS = ("title", "summary", "text", "language")


class Group(NamedTuple):
    """Any of some phrases (language to phrases) and entities (canonical names, with what belongs to them)."""

    phrases: Mapping[str, Sequence[str]]
    entities: Sequence[str]
    at_least: int = 1


class Rule(NamedTuple):
    """What to find. `weight`: how far one hit in the lead alone shows the topic, in (0, 1]; of an exclusion, how much
    of the score it takes away, and with `veto` all of it."""

    name: str
    weight: float
    all: Sequence[Group]
    none: Sequence[Group] = ()
    within: str = "sentence"
    where: str = "anywhere"
    veto: bool = False


class Example(NamedTuple):
    """A text of which a topic's author says whether it has the topic."""

    title: str
    summary: str
    text: str
    language: str
    positive: bool
    line: int
    file: str = "topics.yaml"


class Topic(NamedTuple):
    """A subject and how to know it. `iptc` is its id among the IPTC Media Topics, where one fits."""

    id: str
    label: str
    threshold: float
    rules: Sequence[Rule]
    exclude: Sequence[Rule] = ()
    examples: Sequence[Example] = ()
    iptc: Optional[str] = None


class TopicRules:
    """All topics. Picklable.

    Args:
        gazetteer: tells what belongs to which entity (`Entry.of`), so that a rule for Japan holds for Tokyo too.
    """

    def __init__(self, topics: Sequence[Topic], gazetteer: Gazetteer) -> None:
        self.topics = tuple(topics)
        self.gazetteer = gazetteer
        self.owners = {entry.name: entry.of for entry in gazetteer.entries if entry.of is not None}
        self.version = _version(self.topics, self.owners)

    def __getstate__(self) -> dict[str, Any]:
        names = ("topics", "gazetteer", "owners", "version")
        return {name: self.__dict__[name] for name in names}

    def get(self, topic_id: str) -> Topic | None:
        """A topic by id."""
        return next((topic for topic in self.topics if topic.id == topic_id), None)


def _version(topics: Sequence[Topic], owners: Mapping[str, str]) -> str:
    """A hash of all that decides (examples do not): 12 hex digits."""
    deciding = [to_plain(topic._replace(examples=())) for topic in topics]
    text = json.dumps([deciding, owners], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def load_topics(config_dir: Path) -> TopicRules:
    """The rules of config/topics.yaml, and after it those of config/topics/*.yaml by name, where there are any.

    The sets of topics.yaml hold in every file, those of another file in it alone. Raises ConfigError that names file,
    line, topic and key.
    """
    gazetteer = load_gazetteer(config_dir)
    shared: dict[str, Node] = {}
    topics: list[Topic] = []
    for path in [config_dir / "topics.yaml", *sorted((config_dir / "topics").glob("*.yaml"))]:
        top = read_node(path).mapping(("sets", "topics"), required=("topics",))
        own = top["sets"].mapping() if "sets" in top else {}
        for name in own.keys() & shared.keys():
            raise own[name].error(f"topics.yaml has a set {name!r} already")
        reader = _Reader({**shared, **own}, gazetteer, path.relative_to(config_dir).as_posix())
        for node in top["topics"].items():
            topic = reader.topic(node)
            if any(topic.id == other.id for other in topics):
                raise node.error(f"the topic {topic.id!r} is defined twice")
            topics.append(topic)
        if path.parent == config_dir:
            shared = own
    return TopicRules(topics, gazetteer)


class _Reader:
    def __init__(self, sets: Mapping[str, Node], gazetteer: Gazetteer, file: str) -> None:
        self._sets = sets
        self._known = gazetteer.by_name
        self._file = file

    def topic(self, node: Node) -> Topic:
        keys = node.mapping(required=("id",))
        name = keys["id"].text()
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
            raise keys["id"].error(f"{name!r}: an id has small letters, digits and single hyphens")
        keys = node.within(f"topic {name}").mapping(_TOPIC_KEYS, required=("label", "rules"))
        rules = [self.rule(item, excludes=False) for item in keys["rules"].items()]
        if not rules:
            raise keys["rules"].error("there is no rule")
        iptc = keys["iptc"].text() if "iptc" in keys else None
        if iptc is not None and not re.fullmatch(r"medtop:\d{8}", iptc):
            raise keys["iptc"].error(f"{iptc!r} is no id such as medtop:20000587")
        return Topic(
            id=name,
            label=keys["label"].text(),
            threshold=keys["threshold"].number(0.01, 1) if "threshold" in keys else 0.6,
            rules=tuple(rules),
            exclude=tuple(self.rule(item, excludes=True) for item in keys["exclude"].items())
            if "exclude" in keys
            else (),
            examples=tuple(_examples(keys["examples"], self._file)) if "examples" in keys else (),
            iptc=iptc,
        )

    def rule(self, node: Node, *, excludes: bool) -> Rule:
        allowed = (*_RULE_KEYS, "veto") if excludes else _RULE_KEYS
        name = node.mapping(required=("name",))["name"].text()
        node = node.within(f"rule {name!r}")
        keys = node.mapping(allowed)
        veto = keys["veto"].flag() if "veto" in keys else False
        if veto == ("weight" in keys):
            raise node.error("one of weight and veto is wanted" if excludes else "the key 'weight' is missing")
        own = [key for key in _GROUP_KEYS if key in keys]
        if bool(own) == ("all" in keys):
            raise node.error("either 'all' (a list of groups) or 'phrases' and 'entities' are wanted")
        groups = [self.group(item) for item in keys["all"].items()] if "all" in keys else [self.group_of(node, keys)]
        if not groups:
            raise keys["all"].error("the list is empty")
        return Rule(
            name=name,
            weight=1.0 if veto else keys["weight"].number(0.01, 1),
            all=tuple(groups),
            none=tuple(self.group(item) for item in keys["none"].items()) if "none" in keys else (),
            within=keys["within"].one_of(SCOPES) if "within" in keys else "sentence",
            where=keys["where"].one_of(PLACES) if "where" in keys else "anywhere",
            veto=veto,
        )

    def group(self, node: Node) -> Group:
        return self.group_of(node, node.mapping(_GROUP_KEYS))

    def group_of(self, node: Node, keys: Mapping[str, Node]) -> Group:
        phrases = self.phrases(keys["phrases"]) if "phrases" in keys else {}
        entities = self.entities(keys["entities"]) if "entities" in keys else ()
        if not phrases and not entities:
            raise node.error("a group needs phrases or entities")
        at_least = keys["at_least"].number(1, 20) if "at_least" in keys else 1
        if at_least != int(at_least):
            raise keys["at_least"].error("a whole number is wanted")
        return Group(phrases, entities, int(at_least))

    def phrases(self, node: Node, depth: int = 0) -> dict[str, Sequence[str]]:
        if node.is_mapping:
            by_language = {str(primary(language)): item for language, item in node.mapping().items()}
        else:
            by_language = {"en": node}
        found: dict[str, list[str]] = {}
        for language, items in by_language.items():
            for item in items.items():
                phrase = item.text()
                if phrase.startswith("$"):
                    for of_language, more in self.phrases(self.named_set(item, phrase, depth), depth + 1).items():
                        if not node.is_mapping or of_language == language:
                            found.setdefault(of_language, []).extend(more)
                    continue
                if "*" in phrase[:-1] or not re.search(r"\w", phrase):
                    raise item.error(f"{phrase!r}: a phrase has words, and * only as its last character")
                found.setdefault(language, []).append(" ".join(phrase.split()))
        return {language: tuple(dict.fromkeys(items)) for language, items in found.items()}

    def entities(self, node: Node, depth: int = 0) -> Sequence[str]:
        found: list[str] = []
        for item in node.items():
            name = item.text()
            if name.startswith("$"):
                found.extend(self.entities(self.named_set(item, name, depth), depth + 1))
            elif name not in self._known:
                raise item.error(f"{name!r} is no canonical name in config/entities")
            else:
                found.append(name)
        return tuple(dict.fromkeys(found))

    def named_set(self, item: Node, name: str, depth: int) -> Node:
        if name[1:] not in self._sets:
            raise item.error(f"there is no set {name[1:]!r} under 'sets'")
        if depth > 8:
            raise item.error(f"the set {name[1:]!r} contains itself")
        return self._sets[name[1:]]


def _examples(node: Node, file: str) -> list[Example]:
    found: list[Example] = []
    for kind, items in node.mapping(("positive", "negative")).items():
        for item in items.items():
            keys = item.mapping(_EXAMPLE_KEYS) if item.is_mapping else {"text": item}
            if not keys.keys() & {"title", "summary", "text"}:
                raise item.error("an example needs a text")
            texts = {key: value.text() for key, value in keys.items()}
            found.append(
                Example(
                    title=texts.get("title", ""),
                    summary=texts.get("summary", ""),
                    text=texts.get("text", ""),
                    language=texts.get("language", "en"),
                    positive=kind == "positive",
                    line=item.line,
                    file=file,
                )
            )
    return found
