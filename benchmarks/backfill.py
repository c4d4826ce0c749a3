"""Backfill at scale: the real command over 10,000 articles, its rate and its memory; then killed and resumed.

    python benchmarks/backfill.py [--articles 10000] [--data DIR]

The articles are recombined, paragraph by paragraph, from the 295 Wikinews articles of the shared data (the same ones
each time), each with an address and a text of its own. The peer is plain `nlp.pipe` with spaCy's named entities alone
over the same texts, with as many processes: what cannot be left out of the work.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

ROOT = Path(__file__).resolve().parent.parent
SEED = 4
COMMAND = [sys.executable, "-c", "from pipelines.cli import main; main()"]


class Mark(NamedTuple):
    """How things stood when so many articles were written; memory in MiB, the most since the mark before."""

    articles: int
    seconds: float
    job: float
    pool: float


def recombine(sources: list[dict[str, str]], count: int) -> Iterator[dict[str, str]]:
    """Articles of two or three articles' paragraphs each, as long as real ones."""
    chance = random.Random(SEED)
    paragraphs = [[part for part in re.split(r"\n\s*\n", source["text"]) if len(part) > 80] for source in sources]
    usable = [index for index, parts in enumerate(paragraphs) if parts]
    for number in range(count):
        chosen = chance.sample(usable, chance.choice((2, 3)))
        parts = [part for index in chosen for part in chance.sample(paragraphs[index], min(3, len(paragraphs[index])))]
        yield {
            "url": f"https://pub{number % 40}.example/news/{number}",
            "title": f"{sources[chosen[0]]['title']} ({number})",
            "text": "\n\n".join([f"This is report {number} of the day.", *parts]),
            "published": f"{sources[chosen[0]]['date']}T{number % 24:02d}:00:00Z",
        }


def run(file: Path, store: Path, marks: list[int], stop_at: int = 0) -> tuple[list[Mark], int]:
    """Runs the command, watching it; with `stop_at`, kills it there. Returns marks and the exit code."""
    arguments = ["backfill", str(file), "--store", f"sqlite:///{store}", "--config", str(ROOT / "config"), "--json"]
    began = time.monotonic()
    job = subprocess.Popen([*COMMAND, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)
    found: list[Mark] = []
    most_job = most_pool = 0.0
    while True:
        ended = job.poll() is not None
        if not ended:
            own, pool = memory(job.pid)
            most_job, most_pool = max(most_job, own), max(most_pool, pool)
        done = written(store)
        while len(found) < len(marks) and (done >= marks[len(found)] or ended):
            found.append(Mark(done, time.monotonic() - began, most_job, most_pool))
            most_job = most_pool = 0.0
        if ended:
            return found, job.returncode
        if stop_at and done >= stop_at:
            os.killpg(job.pid, signal.SIGKILL)
            return found, job.wait()
        time.sleep(0.25)


def memory(pid: int) -> tuple[float, float]:
    """Resident memory of a process and of all its children, in MiB."""
    sizes = []
    try:
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            sizes.append(one.memory_info().rss / 2**20)
    except psutil.NoSuchProcess:
        pass
    return (sizes[0], sum(sizes[1:])) if sizes else (0.0, 0.0)


def written(store: Path) -> int:
    """The articles in a store."""
    return int(query(store, "SELECT count(*) FROM articles") or 0)


def query(store: Path, statement: str) -> int | None:
    if not store.exists():
        return None
    db = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    try:
        return int(db.execute(statement).fetchone()[0])
    except sqlite3.OperationalError:  # it is being made
        return None
    finally:
        db.close()


def peer(texts: list[str], processes: int) -> float:
    """Seconds that spaCy's named entities alone take for the texts, loading left aside."""
    from newsbeam.entities import load_model

    nlp = load_model("en_core_web_sm")
    keep = {"tok2vec", "ner"}
    nlp.select_pipes(disable=[name for name in nlp.pipe_names if name not in keep])
    began = time.monotonic()
    for _ in nlp.pipe(texts, batch_size=16, n_process=processes):
        pass
    return time.monotonic() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--data", type=Path, default=os.environ.get("NEWSBEAM_DATA") or ROOT.parent / "shared" / "data")
    options = parser.parse_args()
    files = sorted((Path(options.data) / "articles" / "wikinews").glob("*.csv"))
    if not files:
        print(f"skipped: no Wikinews articles in {options.data}; name the shared data with --data or NEWSBEAM_DATA")
        return 0
    sources = [row for file in files for row in csv.DictReader(file.open(encoding="utf-8", newline=""))]
    count = options.articles
    processes = min(len(os.sched_getaffinity(0)), 4)
    articles = list(recombine(sources, count))
    with tempfile.TemporaryDirectory(prefix="newsbeam-bench-") as directory:
        here = Path(directory)
        whole, part = here / "whole.jsonl", here / "part.jsonl"
        whole.write_text("".join(json.dumps(article) + "\n" for article in articles), encoding="utf-8")
        middle = articles[: max(count // 5, 100)]
        part.write_text("".join(json.dumps(article) + "\n" for article in middle), encoding="utf-8")
        words = sum(len(article["text"].split()) for article in articles) // count
        print(f"{count:,} articles of {words} words, {whole.stat().st_size / 2**20:.1f} MiB; {processes} CPUs")

        marks, code = run(whole, here / "a.db", [count // 10, count // 2, count])
        report(marks)
        if code or written(here / "a.db") != count:
            print(f"FAILED: exit code {code}, {written(here / 'a.db'):,} articles of {count:,}")
            return 1

        print()
        _, code = run(part, here / "b.db", [], stop_at=len(middle) // 2)
        print(f"killed (exit code {code}) at {written(here / 'b.db'):,} of {len(middle):,} articles")
        _, code = run(part, here / "b.db", [])
        done = written(here / "b.db")
        waiting = query(here / "b.db", "SELECT count(*) FROM entries WHERE outcome IS NULL")
        revisions = query(here / "b.db", "SELECT count(*) FROM articles WHERE revision > 1")
        whole_again = done == len(middle) and not waiting
        print(
            f"resumed (exit code {code}): {done:,} articles, {waiting} in the inbox, {revisions} with a revision: ",
            end="",
        )
        print("nothing lost, nothing doubled" if whole_again and not revisions else "NOT WHOLE")

        print()
        seconds = peer([article["text"] for article in articles], processes)
        print(f"peer, nlp.pipe with named entities alone: {seconds:.1f} s, {count / seconds:.1f} articles/s")
    return 0 if whole_again else 1


def report(marks: list[Mark]) -> None:
    """The table."""
    print(f"{'articles':>9} {'seconds':>9} {'articles/s':>11} {'job, MiB':>9} {'pool, MiB':>10}")
    for mark in marks:
        rate = mark.articles / mark.seconds
        print(f"{mark.articles:>9,} {mark.seconds:>9.1f} {rate:>11.1f} {mark.job:>9.0f} {mark.pool:>10.0f}")


if __name__ == "__main__":
    sys.exit(main())
