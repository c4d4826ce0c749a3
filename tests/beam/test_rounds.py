"""How what jobs died with is tried again."""

from __future__ import annotations

from pipelines.rounds import _groups
from tests.contract.samples import row


def test_two_deaths_go_together_and_more_one_by_one_the_worst_last() -> None:
    rows = [row(key)._replace(deaths=deaths) for key, deaths in zip("abcd", (5, 2, 3, 2), strict=True)]
    assert [[made.entry.key for made in group] for group in _groups(rows)] == [["b", "d"], ["c"], ["a"]]
    assert _groups([]) == []
