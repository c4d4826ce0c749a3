"""The demo: a sample newsroom on loopback, taken in by the real commands, then searched.

    python examples/demo.py [--store URL]

It runs `newsbeam` as its user would, and prints each command before its output. What it makes is in .demo/; the
next run begins anew.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from examples.newsroom import Newsroom  # noqa: E402

PUBLISHERS = ("ledger", "courier", "dispatch")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", help="a store address; by default a new SQLite file in .demo/")
    arguments = parser.parse_args()
    folder = ROOT / ".demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    demo = Demo(folder, arguments.store or f"sqlite:///{folder / 'newsbeam.db'}")
    with Newsroom(publishers=PUBLISHERS) as newsroom:
        (folder / "feeds.yaml").write_text(newsroom.feeds_yaml(), encoding="utf-8")
        demo.say("Three publishers are on the air. What they have is polled, read, enriched and stored:")
        demo.run("ingest", "--now")
        demo.say("Every entry has an outcome. Again, and nothing is new:")
        demo.run("ingest", "--now")
        demo.say("A publisher corrects an article; its revision is kept beside the one before:")
        newsroom.publish(1)
        demo.run("ingest", "--now")
    demo.say("Words are stemmed ('visiting' finds 'visits'), phrases and -not work, filters narrow:")
    demo.run("search", "ministers pact", "--topic", "indo-pacific-partnership", "--limit", "3")
    demo.say("One article, with its entities, its topics and the sentences that say so:")
    demo.run("show", demo.first("ministers pact", "--topic", "indo-pacific-partnership"))
    demo.say("The one that was corrected:")
    demo.run("show", demo.revised(), "--revisions")
    demo.run("store", "check")
    print(f"\nGo on by hand, as: NEWSBEAM_STORE={demo.store} {demo.command[0]} search Manila")
    return 0


class Demo:
    """Runs commands as a user would, with one store and one list of feeds."""

    def __init__(self, folder: Path, store: str) -> None:
        self.command = [str(Path(sys.executable).parent / "newsbeam")]
        self.store = store
        self._feeds = str(folder / "feeds.yaml")
        self._environment = os.environ | {
            "NEWSBEAM_STORE": store,
            "NEWSBEAM_ALLOW_NETWORKS": "127.0.0.0/8",
        }

    def say(self, text: str) -> None:
        print(f"\n# {text}", flush=True)

    def run(self, *arguments: str) -> None:
        if arguments[0] == "ingest":
            arguments = (*arguments, "--feeds", self._feeds)
        print("$ newsbeam " + shlex.join(arguments), flush=True)
        subprocess.run([*self.command, *arguments], env=self._environment, cwd=ROOT, check=True)

    def first(self, *arguments: str) -> str:
        """The id of the first article that a search finds."""
        return str(self._documents("search", *arguments)[0]["id"])

    def revised(self) -> str:
        """The id of the newest article that has a revision."""
        documents = self._documents("export")
        return str(next(document["id"] for document in reversed(documents) if document["revision"] > 1))

    def _documents(self, *arguments: str) -> list[dict[str, object]]:
        done = subprocess.run(
            [*self.command, *arguments, "--json"], env=self._environment, cwd=ROOT, check=True, capture_output=True
        )
        return [json.loads(line) for line in done.stdout.splitlines()]


if __name__ == "__main__":
    sys.exit(main())
