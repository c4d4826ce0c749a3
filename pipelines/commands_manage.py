"""Commands for those who run newsbeam: store and doctor."""

from __future__ import annotations

import typer

from newsbeam.records import to_plain
from newsbeam.stores import open_store
from pipelines import output
from pipelines.cli import DEFAULT_STORE, Config, Json, StoreUrl, app

store_app = typer.Typer(help="The store: make it, count, check.", no_args_is_help=True)
app.add_typer(store_app, name="store")


@store_app.command()
def init(store: StoreUrl = DEFAULT_STORE, json: Json = False) -> None:
    """Make the store, or bring it up to date; may be called again."""
    client = open_store(store, create=True)
    output.json_line({"store": client.url, "ok": True}) if json else print(f"{client.url} is ready")


@store_app.command()
def status(store: StoreUrl = DEFAULT_STORE, json: Json = False) -> None:
    """Counts, and the ledger of everything."""
    client = open_store(store)
    counts, ledger = to_plain(client.status()), to_plain(client.ledger())
    if json:
        output.json_line(counts | {"ledger": ledger})
        return
    output.table(("", ""), counts.items())
    ledger["next_due_at"] = output.when(ledger["next_due_at"]) if ledger["next_due_at"] else None
    rows = ((key, _counts(value)) for key, value in ledger.items() if value not in (None, {}))
    output.table(("ledger", ""), rows)


def _counts(value: object) -> object:
    return ", ".join(f"{name} {count}" for name, count in value.items()) if isinstance(value, dict) else value


@store_app.command()
def check(store: StoreUrl = DEFAULT_STORE, json: Json = False) -> int:
    """Whether the store is consistent; exit code 1 where it is not."""
    problems = open_store(store).check()
    if json:
        output.json_line({"ok": not problems, "problems": problems})
    else:
        for problem in problems:
            output.note(problem)
        print("the store is consistent" if not problems else f"{len(problems)} problems")
    return 1 if problems else 0


@app.command()
def doctor(config: Config = None, store: StoreUrl = DEFAULT_STORE, json: Json = False) -> int:
    """Versions, model, configuration, store: what is wrong and how to mend it."""
    from pipelines.doctor import examine

    findings = examine(config, store)
    for finding in findings:
        if json:
            output.json_line(to_plain(finding))
            continue
        print(output.safe(f"{finding.level:8} {finding.what}: {finding.found}"))
        if finding.level != "ok":
            print(output.safe(f"{'':8} -> {finding.mend}"))
    return 1 if any(finding.level == "problem" for finding in findings) else 0
