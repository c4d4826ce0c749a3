"""The command line: `newsbeam COMMAND`.

Exit codes: 0 done; 1 no feed could be read, or too much failed; 2 wrong use or configuration; 3 store unreachable.
Heavy libraries load in the commands that use them, so that `newsbeam --help` stays quick.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Optional

import typer
from typer.exceptions import TyperException

from newsbeam import __version__
from newsbeam.errors import ConfigError, NewsbeamError, StoreError

DEFAULT_STORE = "sqlite:///newsbeam.db"

app = typer.Typer(
    name="newsbeam",
    help="Watches news feeds, reads the articles, finds who and what they are about, and makes it all searchable.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Config = Annotated[
    Optional[Path], typer.Option("--config", metavar="DIR", help="Configuration directory (default: config/ here).")
]
StoreUrl = Annotated[
    str,
    typer.Option(
        "--store", envvar="NEWSBEAM_STORE", metavar="URL", help="sqlite:///PATH (default: sqlite:///newsbeam.db)."
    ),
]
Feeds = Annotated[
    Optional[Path], typer.Option("--feeds", metavar="FILE", help="Feeds from this YAML or OPML file instead.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document a line, and nothing else, on stdout.")]


@app.callback(invoke_without_command=True)
def _top(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        print(f"newsbeam {__version__}")
        raise typer.Exit


def main(arguments: Optional[list[str]] = None) -> None:
    """The entry point of the `newsbeam` command; ends the process with its exit code."""
    code = run(arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(code)


def run(arguments: Optional[list[str]] = None) -> int:
    """Runs one command and returns its exit code; what is wrong with its use is one line on stderr."""
    from pipelines import (  # noqa: F401  (they register their commands)
        commands_articles,
        commands_backfill,
        commands_entities,
        commands_failures,
        commands_feeds,
        commands_manage,
        commands_read,
        commands_run,
    )

    try:
        result: Any = typer.main.get_command(app).main(arguments, prog_name="newsbeam", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except TyperException as error:
        context = getattr(error, "ctx", None)
        where = f" (see {context.command_path} --help)" if context else ""
        return _complain(2, f"{error.format_message()}{where}")
    except typer.Exit as stop:
        return stop.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return _complain(130, "stopped")
    except ConfigError as error:
        return _complain(2, str(error))
    except StoreError as error:
        return _complain(3, str(error))
    except NewsbeamError as error:
        return _complain(2, str(error))
    except BrokenPipeError:
        return 0


def _complain(code: int, text: str) -> int:
    from pipelines.output import safe

    print("newsbeam: " + " ".join(safe(text).split()), file=sys.stderr)
    return code
