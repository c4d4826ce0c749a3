"""Language, entities and topics of articles, beside plain `nlp.pipe` with spaCy's named entities alone.

    python benchmarks/language.py [--data DIR] [--articles 295]

The same texts (title and body of the Wikinews articles of the shared data) in the same order, 16 at a time, one process
for each of the two; loading and a first batch are left aside. CPU time decides, since the machine may be busy; each
is run `--times` times in turn and the least counts. Issue 6 asks for at least 0.80 of the peer's rate.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BATCH = 16


def articles(data: Path, count: int) -> list[tuple[str, str]]:
    """(title, text) of each."""
    files = sorted((data / "articles" / "wikinews").glob("*.csv"))
    rows = [row for file in files for row in csv.DictReader(file.open(encoding="utf-8", newline=""))]
    return [(row["title"], row["text"]) for row in rows[:count]]


def run_peer(texts: list[tuple[str, str]]) -> tuple[float, float]:
    """CPU and wall seconds of spaCy's named entities alone."""
    from newsbeam.entities import load_model

    nlp = load_model("en_core_web_sm")
    whole = [f"{title}\n\n{text}" for title, text in texts]
    list(nlp.pipe(whole[:BATCH], batch_size=BATCH))
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in nlp.pipe(whole, batch_size=BATCH):
        pass
    return time.process_time() - cpu, time.perf_counter() - wall


def run_ours(texts: list[tuple[str, str]]) -> tuple[float, float]:
    """CPU and wall seconds of all language work of newsbeam."""
    from newsbeam import work
    from newsbeam.rules import load_topics
    from newsbeam.topics import tag_topics

    work.prepare((("en", "en_core_web_sm"),), str(ROOT / "config"))
    rules = load_topics(ROOT / "config")

    def do(batch: list[tuple[str, str]]) -> None:
        for (title, text), found in zip(
            batch, work.annotate([(title, "", text, "en") for title, text in batch]), strict=True
        ):
            tag_topics(title, "", text, found.details, rules, found.language)

    do(texts[:BATCH])
    cpu, wall = time.process_time(), time.perf_counter()
    for start in range(0, len(texts), BATCH):
        do(texts[start : start + BATCH])
    return time.process_time() - cpu, time.perf_counter() - wall


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=295)
    parser.add_argument("--times", type=int, default=2)
    parser.add_argument("--data", type=Path, default=os.environ.get("NEWSBEAM_DATA") or ROOT.parent / "shared" / "data")
    parser.add_argument("--only", choices=("peer", "ours"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    texts = articles(options.data, options.articles)
    if not texts:
        print(f"skipped: no Wikinews articles in {options.data}; name the shared data with --data or NEWSBEAM_DATA")
        return 0
    if options.only:
        print(json.dumps((run_peer if options.only == "peer" else run_ours)(texts)))
        return 0
    words = sum(len(text.split()) for _, text in texts)
    print(f"{len(texts)} articles, {words:,} words, one process each, the least of {options.times}")
    best: dict[str, tuple[float, float]] = {}
    for _ in range(options.times):
        for which in ("peer", "ours"):
            command = [sys.executable, __file__, "--only", which, "--articles", str(len(texts))]
            command += ["--data", str(options.data)]
            done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, env=environment())
            cpu, wall = json.loads(done.stdout)
            best[which] = min(best.get(which, (cpu, wall)), (cpu, wall))
    print(f"{'':38}{'CPU s':>8}{'wall s':>8}{'articles/CPU s':>16}{'words/CPU s':>13}")
    for which, name in (("peer", "nlp.pipe, named entities alone"), ("ours", "language, entities and topics")):
        cpu, wall = best[which]
        print(f"{name:38}{cpu:8.2f}{wall:8.2f}{len(texts) / cpu:16.1f}{words / cpu:13,.0f}")
    share = best["peer"][0] / best["ours"][0]
    print(f"rate beside the peer: {share:.2f} (at least 0.80 is asked for)")
    return 0 if share >= 0.80 else 1


def environment() -> dict[str, str]:
    """One thread in every library, so that CPU time is the work's own; the repository is on the path."""
    return os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


if __name__ == "__main__":
    sys.exit(main())
