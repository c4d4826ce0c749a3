"""Imports point one way, and importing the command line stays quick.

records, errors <- newsbeam <- newsbeam.stores <- transforms <- pipelines
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGES = ("newsbeam", "transforms", "pipelines")
HEAVY = ("apache_beam", "spacy", "trafilatura", "feedparser", "httpx", "elasticsearch", "lxml", "numpy")
ROOT = Path(__file__).resolve().parents[2]


def layer(module: str) -> int:
    """Which layer a module of ours is in; a module may import its own layer and lower ones."""
    if module in ("newsbeam.records", "newsbeam.errors", "newsbeam"):  # the package itself has the version alone
        return 0
    order = ("newsbeam", "newsbeam.stores", "transforms", "pipelines", "examples", "benchmarks", "tests")
    return 1 + max(place for place, name in enumerate(order) if f"{module}.".startswith(f"{name}."))


def ours(module: str) -> bool:
    return module.split(".")[0] in (*PACKAGES, "examples", "benchmarks", "tests")


def forbidden(module: str) -> tuple[str, ...]:
    """Libraries that a module of ours may not import."""
    if module.startswith("newsbeam"):
        return ("apache_beam",)
    return ("sqlite3", "elasticsearch") if module.startswith("transforms") else ()


def imports_of(source: str) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that a source imports, anywhere in it; `from a import b` is `a` and `a.b`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{'.' * node.level}{node.module or ''}.{alias.name}") for alias in node.names)


def violations(module: str, source: str, modules: frozenset[str]) -> list[str]:
    """What a source imports although its module may not."""
    found = []
    for line, name in imports_of(source):
        if name.startswith("."):
            found.append(f"{line}: relative import {name}")
        elif ours(name) and name in modules and layer(name) > layer(module):
            found.append(f"{line}: {module} is below {name}")
        elif name.split(".")[0] in forbidden(module):
            found.append(f"{line}: {module} may not import {name}")
    return found


def all_modules() -> dict[str, Path]:
    files = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    return {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


MODULES = all_modules()


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module: str) -> None:
    assert violations(module, MODULES[module].read_text(encoding="utf-8"), frozenset(MODULES)) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("newsbeam.records", "from newsbeam import search"),
        ("newsbeam.records", "import newsbeam.settings"),
        ("newsbeam.merge", "from newsbeam.stores import open_store"),
        ("newsbeam.merge", "def f():\n    from newsbeam import stores"),
        ("newsbeam.merge", "import apache_beam as beam"),
        ("newsbeam.merge", "from apache_beam.coders import Coder"),
        ("newsbeam.merge", "from . import records"),
        ("newsbeam.stores.sqlite", "import transforms.fetch"),
        ("transforms.fetch", "from pipelines import graph"),
        ("transforms.fetch", "import sqlite3"),
        ("transforms.fetch", "from elasticsearch import Elasticsearch"),
    ],
)
def test_a_wrong_import_is_seen(module: str, source: str) -> None:
    names = {"newsbeam", "newsbeam.stores", "newsbeam.stores.base", "newsbeam.search", "newsbeam.settings", "pipelines"}
    assert violations(module, source, frozenset({*names, "transforms.fetch", "pipelines.graph"}))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("newsbeam", "from newsbeam import records"),
        ("newsbeam.merge", "from newsbeam import __version__, records"),
        (
            "newsbeam.stores.sqlite",
            "import sqlite3\nfrom newsbeam.stores.base import Store\nfrom newsbeam import merge",
        ),
        ("transforms.fetch", "import apache_beam\nfrom newsbeam.stores.base import Patch"),
        ("pipelines.cli", "import apache_beam, transforms.fetch\nfrom newsbeam.stores import base"),
    ],
)
def test_a_right_import_is_let_pass(module: str, source: str) -> None:
    assert violations(module, source, frozenset({"newsbeam", "newsbeam.records", "newsbeam.stores.base"})) == []


@pytest.mark.parametrize(
    "module",
    [
        "pipelines.cli",
        "newsbeam.records",
        "newsbeam.errors",
        "newsbeam.search",
        "newsbeam.identity",
        "newsbeam.settings",
        "newsbeam.stores",
        "newsbeam.stores.sqlite",
    ],
)
def test_importing_stays_quick(module: str) -> None:
    """None of the heavy libraries is loaded, which is what takes the time."""
    script = f"import sys, {module}; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == []
