"""The real commands, run in this process (the pool's models load once for all tests), on real files and loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipelines.cli import run


class Ran(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def documents(self) -> list[dict[str, Any]]:
        """Its JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def document(self) -> dict[str, Any]:
        """Its only JSON line."""
        (document,) = self.documents
        return document


Newsbeam = Callable[..., Ran]


@pytest.fixture
def newsbeam(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Newsbeam:
    """Runs `newsbeam ARGUMENTS` on a store of the test's own; loopback is allowed."""
    monkeypatch.setenv("NEWSBEAM_STORE", f"sqlite:///{tmp_path / 'newsbeam.db'}")
    monkeypatch.setenv("NEWSBEAM_ALLOW_NETWORKS", "127.0.0.0/8")

    def newsbeam(*arguments: object) -> Ran:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        return Ran(code, *capfd.readouterr())

    return newsbeam


@pytest.fixture(scope="session", autouse=True)
def _stop_pool() -> Iterator[None]:
    yield
    from newsbeam.pool import stop_shared_pool
    from transforms.job import close_clients

    close_clients()
    stop_shared_pool()


def balances(line: dict[str, Any]) -> bool:
    """Whether a ledger line accounts for every entry: seen = outcomes + inbox."""
    outcomes = line["outcomes"]
    ended = sum(outcomes[name] for name in ("new", "revised", "unchanged"))
    ended += sum(outcomes["skipped"].values()) + sum(outcomes["failed"].values())
    return bool(line["seen"] == ended + line["inbox"])
