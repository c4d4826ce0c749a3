"""Threads with limits per host and in all, and what a deadline leaves over."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.threadmap import HostThreads, ThreadMapFn

FAR = float("inf")


class Gauge:
    """Counts how many run at once, per host and in all."""

    def __init__(self) -> None:
        self._lock, self._now, self.most = threading.Lock(), Counter[str](), Counter[str]()

    def work(self, item: tuple[str, int]) -> tuple[str, int]:
        for name in (item[0], "all"):
            with self._lock:
                self._now[name] += 1
                self.most[name] = max(self.most[name], self._now[name])
        threading.Event().wait(0.002)
        with self._lock:
            self._now[item[0]] -= 1
            self._now["all"] -= 1
        return item


@settings(deadline=None, max_examples=40)
@given(
    hosts=st.lists(st.sampled_from("abc"), max_size=30),
    concurrency=st.integers(1, 5),
    per_host=st.integers(1, 3),
)
def test_every_item_comes_back_once_within_the_limits(hosts: list[str], concurrency: int, per_host: int) -> None:
    gauge, items = Gauge(), list(zip(hosts, range(len(hosts)), strict=True))
    with ThreadPoolExecutor(concurrency) as executor:
        threads = HostThreads(executor, concurrency, per_host)
        found = []
        for item in items:
            threads.submit(item[0], gauge.work, item)
            found += threads.done()
        found += threads.rest(FAR)
    assert sorted(found) == sorted(items)
    assert threads.not_started() == []
    assert gauge.most["all"] <= concurrency
    assert all(gauge.most[host] <= per_host for host in "abc")


def test_a_slow_host_holds_nobody() -> None:
    released = threading.Event()

    def work(item: str) -> str:
        if item == "slow":
            released.wait(30)
        return item

    with ThreadPoolExecutor(4) as executor:
        threads = HostThreads(executor, concurrency=4, per_host=1)
        for host in ("slow", "slow", "quick", "other"):
            threads.submit(host, work, host)
        rest = threads.rest(FAR)
        assert sorted((next(rest), next(rest))) == ["other", "quick"]  # while "slow" still runs
        released.set()
        assert list(rest) == ["slow", "slow"]


def test_past_the_deadline_nothing_starts_and_the_rest_is_given_back() -> None:
    with ThreadPoolExecutor(1) as executor:
        threads = HostThreads(executor, concurrency=1, per_host=1)
        for number in range(3):
            threads.submit("a", lambda item: item, number)
        assert list(threads.rest(time.monotonic() - 1)) == [0]  # it ran already
        assert threads.not_started() == [1, 2]


class _Double(ThreadMapFn):
    def host(self, element: int) -> str:
        return str(element % 3)

    def work(self, element: int) -> list[Any]:
        return [2 * element, beam.pvalue.TaggedOutput("odd", element)] if element % 2 else [2 * element]

    def give_back(self, element: int) -> list[Any]:
        return [beam.pvalue.TaggedOutput("late", element)]


@pytest.mark.parametrize(("seconds", "late"), [(60, 0), (-1, 18)])
def test_in_a_pipeline_outputs_are_tagged_and_none_is_lost(seconds: float, late: int) -> None:
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        numbers = pipeline | beam.Create(list(range(20)), reshuffle=False)
        out = numbers | beam.ParDo(_Double(2, 1, seconds)).with_outputs("odd", "late", main="doubled")
        counted = (out["doubled"], out["late"]) | beam.Flatten() | beam.combiners.Count.Globally()
        assert_that(counted, equal_to([20]))
        if not late:
            assert_that(out["odd"], equal_to(list(range(1, 20, 2))), label="odd")
        else:
            assert_that(out["late"] | "Some" >> beam.combiners.Count.Globally(), _at_least(1), label="late")


def _at_least(count: int) -> Any:
    def check(actual: list[int]) -> None:
        assert actual[0] >= count, actual

    return check
