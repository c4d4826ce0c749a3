"""Concurrency inside a bundle: FnApiRunner runs one bundle in one thread, and most work here is waiting.

A `ThreadMapFn` submits in `process`, emits what is done, and the rest in `finish_bundle`. The idea of a thread map is
xarray-beam's; limits per host and a deadline are added.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import lru_cache
from typing import Any

import apache_beam as beam

from transforms.batches import at


class HostThreads:
    """Threads with a limit in all and a limit per host; a slow host keeps its own work waiting, nobody else's.

    Used from one thread. Results come in the order of completion.
    """

    def __init__(self, executor: ThreadPoolExecutor, concurrency: int, per_host: int) -> None:
        self._executor, self._concurrency, self._per_host = executor, concurrency, per_host
        self._waiting: dict[str, deque[tuple[Callable[..., Any], Any]]] = defaultdict(deque)
        self._busy: dict[str, int] = defaultdict(int)
        self._running: dict[Future[Any], str] = {}

    def submit(self, host: str, function: Callable[[Any], Any], item: Any) -> None:
        """Queues `function(item)` behind the host's other work."""
        self._waiting[host].append((function, item))
        self._start()

    def done(self) -> Iterator[Any]:
        """The results that are there now."""
        yield from self._collect(timeout=0)

    def rest(self, deadline: float) -> Iterator[Any]:
        """All results to come of what starts before the deadline (by time.monotonic); `not_started` has the others."""
        while self._running:
            if time.monotonic() > deadline:
                self._concurrency = 0
            yield from self._collect(timeout=None)

    def not_started(self) -> list[Any]:
        """The items left over after `rest`."""
        return [item for queue in self._waiting.values() for _, item in queue]

    def _start(self) -> None:
        for host in list(self._waiting):
            queue = self._waiting[host]
            while queue and len(self._running) < self._concurrency and self._busy[host] < self._per_host:
                function, item = queue.popleft()
                self._running[self._executor.submit(function, item)] = host
                self._busy[host] += 1
            if not queue:
                del self._waiting[host]

    def _collect(self, timeout: float | None) -> Iterator[Any]:
        finished, _ = wait(self._running, timeout=timeout, return_when=FIRST_COMPLETED)
        for future in finished:
            self._busy[self._running.pop(future)] -= 1
        self._start()
        for future in finished:
            yield future.result()


class ThreadMapFn(beam.DoFn):
    """Base of DoFns that map elements in threads.

    A subclass says the host of an element, how to `work` on it (in a thread, returning a list of outputs, never
    raising for what is expected), and what becomes of one that the deadline left over (`give_back`). Outputs are
    plain elements or `beam.pvalue.TaggedOutput`s, and keep their element's timestamp and window.

    Args:
        seconds: of a bundle in which work is started; what has not started by then is given back.
    """

    def __init__(self, concurrency: int, per_host: int, seconds: float) -> None:
        self._concurrency, self._per_host, self._seconds = concurrency, per_host, seconds

    def host(self, element: Any) -> str:
        raise NotImplementedError

    def work(self, element: Any) -> list[Any]:
        raise NotImplementedError

    def give_back(self, element: Any) -> list[Any]:
        raise NotImplementedError

    def start_bundle(self) -> None:
        self._deadline = time.monotonic() + self._seconds
        executor = shared_executor(type(self).__name__, self._concurrency)
        self._threads = HostThreads(executor, self._concurrency, self._per_host)

    def process(
        self, element: Any, timestamp: Any = beam.DoFn.TimestampParam, window: Any = beam.DoFn.WindowParam
    ) -> Iterable[Any]:
        self._threads.submit(self.host(element), self._work_at, (element, timestamp, window))
        for outputs in self._threads.done():
            yield from outputs

    def finish_bundle(self) -> Iterable[Any]:
        for outputs in self._threads.rest(self._deadline):
            yield from outputs
        for element, timestamp, window in self._threads.not_started():
            for output in self.give_back(element):
                yield at(output, timestamp, window)

    def _work_at(self, item: tuple[Any, Any, Any]) -> list[Any]:
        element, timestamp, window = item
        return [at(output, timestamp, window) for output in self.work(element)]


@lru_cache(maxsize=16)
def shared_executor(name: str, threads: int) -> ThreadPoolExecutor:
    """This process's threads of a name: kept across bundles, since clients keep things by thread."""
    return ThreadPoolExecutor(threads, thread_name_prefix=name)


__all__ = ["HostThreads", "ThreadMapFn"]
