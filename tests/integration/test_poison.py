"""Articles that are too much for the process that reads them: each ends as one failure, and the job goes on."""

from __future__ import annotations

from pathlib import Path

from tests.integration.conftest import Newsbeam, balances
from tests.integration.test_bad_input import PAGE, Newsstand, config, item, rss, stand  # noqa: F401  (fixtures)


def test_a_page_that_takes_too_long_is_one_failure(stand: Newsstand, newsbeam: Newsbeam, config: Path) -> None:  # noqa: F811
    (config / "settings.yaml").write_text("fetch: {timeout: 20}\npool: {item_seconds: 1.5, processes: 1}\n")
    site = stand.add("mixed", "")
    heavy = "<p>" + "</p><p>".join(f"<a href='/{n}'>word {n}</a> and <b>more</b> words" for n in range(60_000)) + "</p>"
    site.routes |= {f"/a/{number}": PAGE.format(f"Report {number}") for number in range(5)}
    site.routes["/heavy"] = f"<html><body><article>{heavy}</article></body></html>"
    entries = [item(f"Report {number}", site.url(f"/a/{number}")) for number in range(5)]
    site.routes["/feed"] = rss(item("Heavy", site.url("/heavy")), *entries)

    ran = newsbeam("ingest", "--config", config, "--json")
    line = ran.document
    assert balances(line) and line["inbox"] == 0
    assert line["outcomes"]["failed"] == {"extract_timeout": 1}, line
    assert line["outcomes"]["new"] == 5
    assert len(newsbeam("export").documents) == 5
    assert newsbeam("store", "check").code == 0
    again = newsbeam("ingest", "--config", config, "--now", "--json").document
    assert again["outcomes"]["failed"] == {} and again["outcomes"]["unchanged"] == 6
