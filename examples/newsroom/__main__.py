"""Serves the sample newsroom until Ctrl-C: `python -m examples.newsroom --port 8800`."""

from __future__ import annotations

import argparse
import contextlib
import threading
from pathlib import Path

from examples.newsroom.newsroom import Newsroom


def main() -> None:
    """Starts the newsroom, writes its feeds.yaml, waits; each Enter publishes the next step."""
    parser = argparse.ArgumentParser(prog="python -m examples.newsroom", description=__doc__)
    parser.add_argument("--port", type=int, default=8800, help="one port for all publishers (default 8800)")
    parser.add_argument("--feeds", type=Path, default=Path("newsroom-feeds.yaml"), help="where to write feeds.yaml")
    parser.add_argument("--publisher", action="append", help="only this publisher (may be repeated)")
    args = parser.parse_args()
    with Newsroom(publishers=args.publisher, port=args.port) as newsroom:
        args.feeds.write_text(newsroom.feeds_yaml(), encoding="utf-8")
        for publisher in newsroom.publishers.values():
            print(f"{publisher.name:20} http://{publisher.host}:{newsroom.port}/")
        print(f"{len(newsroom.articles)} articles. Feeds: {args.feeds.resolve()}")
        print(f"Try: NEWSBEAM_ALLOW_NETWORKS=127.0.0.0/8 newsbeam ingest --feeds {args.feeds}")
        print("Enter publishes the next step (corrections, new articles); Ctrl-C ends.")
        try:
            for step in range(1, newsroom.steps + 1):
                input()
                newsroom.publish(step)
                print(f"Step {step} of {newsroom.steps} is published.")
            threading.Event().wait()
        except EOFError:  # no terminal: just serve
            threading.Event().wait()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
