"""Commands for the gazetteer: what a person might add to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from newsbeam.gazetteer import load_gazetteer
from newsbeam.settings import load_settings
from newsbeam.stores import open_store
from newsbeam.suggest import suggest_aliases
from pipelines import output
from pipelines.cli import DEFAULT_STORE, Config, Json, StoreUrl, app

entities_app = typer.Typer(help="Who and what articles name.", no_args_is_help=True)
app.add_typer(entities_app, name="entities")


@entities_app.command()
def suggest(
    config: Config = None,
    store: StoreUrl = DEFAULT_STORE,
    least: Annotated[int, typer.Option("--min", help="In at least so many articles.")] = 3,
    limit: Annotated[int, typer.Option("--limit", help="At most so many suggestions.")] = 50,
    json: Json = False,
) -> None:
    """Propose aliases and entries for config/entities, from what the store has; nothing is changed.

    Take what is right into a file of config/entities, then run `newsbeam retag --entities`.
    """
    gazetteer = load_gazetteer(Path(load_settings(config, with_feeds=False).config_dir))
    found = suggest_aliases(open_store(store).scan(), gazetteer, least=least)[:limit]
    if json:
        for item in found:
            output.json_line(item._asdict())
        return
    if not found:
        print("nothing to suggest")
        return
    output.table(
        ("form", "kind", "of", "articles", "why"),
        ((item.form, item.kind, item.of or "(new entry)", item.articles, item.why) for item in found),
    )
