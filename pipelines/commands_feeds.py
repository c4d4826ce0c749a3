"""The commands on feeds: list."""

from __future__ import annotations

import typer

from newsbeam.records import to_plain
from newsbeam.settings import load_settings
from pipelines import output
from pipelines.cli import Config, Feeds, Json, app

feeds_app = typer.Typer(help="The configured feeds.", no_args_is_help=True)
app.add_typer(feeds_app, name="feeds")


@feeds_app.command("list")
def list_feeds(config: Config = None, feeds: Feeds = None, json: Json = False) -> None:
    """The feeds of the configuration."""
    found = load_settings(config, feeds).feeds
    if json:
        for feed in found:
            output.json_line(to_plain(feed))
        return
    rows = ((f.id, f.name, f.source.country or "", f.language or "", duration(f.every),
             "yes" if f.enabled else "no", f.url) for f in found)  # fmt: skip
    output.table(("id", "name", "country", "language", "every", "enabled", "url"), rows)


def duration(seconds: int) -> str:
    """Seconds as feeds.yaml has them: 30s, 15m, 2h, 1d."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
