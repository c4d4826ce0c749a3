"""A job killed in the middle and started again: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.integration.conftest import Newsbeam
from tests.integration.test_bad_input import PAGE, item, rss
from tests.unit.loopback import Answer, Site

ARTICLES = 60


def slowly(handler: BaseHTTPRequestHandler) -> Answer:
    time.sleep(0.05)
    return Answer(PAGE.format(f"Report {handler.path.rsplit('/', 1)[-1]}").encode())


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("kills", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_after_kills_every_article_is_there_once(kills: int, newsbeam: Newsbeam, tmp_path: Path, repo: Path) -> None:
    """Killed with SIGKILL at random moments, the whole process group at once, then run to its end."""
    chance = random.Random(kills)
    names = [f"/a/{number}" for number in range(ARTICLES)]
    with Site(dict.fromkeys(names, slowly)) as site:
        site.routes["/feed"] = rss(*(item(f"Report {name.rsplit('/', 1)[-1]}", site.url(name)) for name in names))
        (tmp_path / "feeds.yaml").write_text(f"feeds:\n  - {{url: '{site.url('/feed')}', id: reports}}\n")
        command = [sys.executable, "-c", "from pipelines.cli import main; main()"]
        for _ in range(kills):
            job = subprocess.Popen(
                [*command, "ingest", "--now", "--feeds", str(tmp_path / "feeds.yaml")],
                cwd=repo, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
            polled = len(site.requests)
            deadline = time.monotonic() + 60
            while len(site.requests) == polled and job.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)  # until it is at work
            time.sleep(chance.uniform(0, 2.5))
            if job.poll() is None:
                os.killpg(job.pid, signal.SIGKILL)
            job.communicate()
        last = newsbeam("ingest", "--now", "--feeds", tmp_path / "feeds.yaml", "--json")
        assert last.code == 0, last.err
    documents = newsbeam("export").documents
    assert sorted(document["title"] for document in documents) == sorted(f"Report {n}" for n in range(ARTICLES))
    assert all(document["revision"] == 1 and document["text_from"] == "page" for document in documents)
    ledger = newsbeam("store", "status", "--json").document["ledger"]
    assert ledger["inbox"] == 0 and ledger["failed"] == {} and ledger["new"] == ARTICLES
    assert ledger["seen"] == ledger["new"] + ledger["unchanged"]
    assert newsbeam("store", "check").code == 0
