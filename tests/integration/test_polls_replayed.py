"""A publisher's feed over eight days, 32 states of it, each polled twice by the real command on one store."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.integration.conftest import Newsbeam, balances
from tests.integration.test_real_feeds import local
from tests.unit.loopback import Answer, Site


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_each_state_gives_what_is_new_and_changed_in_it(shared_data: Path, newsbeam: Newsbeam, tmp_path: Path) -> None:
    """Pages are missing, so title and description are the article: where they change, it is revised.

    What is to be expected is read from the documents by a reader and a rule that are not newsbeam's.
    """
    states = sorted((shared_data / "feeds" / "polls" / "wsj_world").glob("*.xml"))
    assert len(states) == 32
    report, total, said = [], Counter[str](), dict[str, list[str]]()
    with Site() as site:
        (tmp_path / "feeds.yaml").write_text(f"feeds: [{{url: '{site.url('/feed')}', id: wsj}}]")
        for state in states:
            expected = Counter(unchanged=0, new=0, revised=0)
            for item in ElementTree.fromstring(state.read_bytes()).iter("item"):
                guid, words = (
                    item.findtext("guid", ""),
                    [_words(item.findtext(name)) for name in ("title", "description")],
                )
                expected["new" if guid not in said else "unchanged" if said[guid] == words else "revised"] += 1
                said[guid] = words

            body = local(state.read_bytes(), site)
            site.routes["/feed"] = Answer(body, headers={"Content-Type": "text/xml"})
            line = newsbeam("ingest", "--feeds", tmp_path / "feeds.yaml", "--now", "--json").document
            outcomes = line["outcomes"]
            assert balances(line) and line["inbox"] == 0 and line["seen"] == expected.total()
            assert {name: outcomes[name] for name in expected} == expected, state.name
            assert outcomes["skipped"] == outcomes["failed"] == {}

            requests = len(site.requests)
            site.routes["/feed"] = Answer(body + b"\n<!-- again -->", headers={"Content-Type": "text/xml"})
            again = newsbeam("ingest", "--feeds", tmp_path / "feeds.yaml", "--now", "--json").document
            assert balances(again) and again["outcomes"]["unchanged"] == again["seen"] == line["seen"]
            assert len(site.requests) == requests + 1  # the feed, and no page

            total.update(expected)
            report.append(f"{state.stem}: {dict(sorted(expected.items()))}")
    documents = newsbeam("export").documents
    assert len(documents) == total["new"] == len(said)
    assert sum(document["revision"] - 1 for document in documents) == total["revised"]
    found = {document["guid"]: [document["title"], _words(document["summary"])] for document in documents}
    assert found == said  # each article once, as its last state has it
    ledger = newsbeam("store", "status", "--json").document["ledger"]
    assert ledger["inbox"] == 0 and ledger["new"] == total["new"] and ledger["revised"] == total["revised"]
    assert newsbeam("store", "check").code == 0
    print(*report, dict(total), sep="\n")


def _words(text: str | None) -> str:
    return " ".join((text or "").split())
