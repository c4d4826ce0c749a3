"""The process pool for work that may hang or crash: extraction, parsing and annotation.

One pool lives in a process, across rounds; its processes are spawned and load their models before the first
pipeline. A process that overruns its deadline or dies is replaced, and what it worked on comes back as `PoolError`.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any, Optional, TypeVar

from newsbeam.errors import NewsbeamError

T = TypeVar("T")
ATTEMPTS = 3  # deaths of an item that runs alone before it counts as the cause


class PoolError(NewsbeamError):
    """The process that worked on an item overran its deadline (`overran`) or died."""

    def __init__(self, overran: bool, detail: str = "") -> None:
        super().__init__(detail)
        self.overran = overran
        self.detail = detail

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.overran, self.detail)


class PoolStoppedError(NewsbeamError):
    """The pool was stopped; what was given to it may be given to another."""


class WorkPool:
    """Runs functions in other processes, each with a deadline. Safe to use from any thread; they start at once.

    Args:
        processes: how many.
        initializer, initargs: called once in each process, for loading models.
    """

    def __init__(self, processes: int, initializer: Callable[..., None], initargs: tuple[Any, ...]) -> None:
        from pebble import ProcessPool

        self.processes = processes
        self._pool = ProcessPool(
            max_workers=processes,
            context=multiprocessing.get_context("spawn"),
            initializer=_start_process,
            initargs=(os.getpid(), initializer, initargs),
        )
        self._pool.schedule(_nothing)

    def warm_up(self) -> None:
        """Waits until a process has loaded what it needs.

        Raises:
            PoolError: none could.
        """
        self.call(_nothing, seconds=120)

    def call(self, function: Callable[..., T], *args: Any, seconds: float) -> T:
        """Runs `function(*args)` in a process, for `seconds` at most, and returns (or raises) what it does.

        Raises:
            PoolError: the process overran or died.
            PoolStoppedError: there is no pool any more.
        """
        from concurrent.futures import BrokenExecutor, CancelledError
        from concurrent.futures import TimeoutError as PoolTimeout

        from pebble import ProcessExpired

        if not self._pool.active:
            raise PoolStoppedError("the pool was stopped")
        try:
            future = self._pool.schedule(function, args=args, timeout=seconds)
            result: T = future.result()
            return result
        except PoolTimeout as error:
            raise PoolError(True, f"over {seconds:g} s") from error
        except ProcessExpired as error:
            raise PoolError(False, f"process ended with {error.exitcode}") from error
        except (BrokenExecutor, CancelledError) as error:
            raise PoolStoppedError(f"the pool is gone: {error}") from error

    def call_alone(self, function: Callable[..., T], *args: Any, seconds: float) -> T:
        """As `call`, but a death gets up to three attempts, since it may be the machine's; an overrun is the item's."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self.call(function, *args, seconds=seconds)
            except PoolError as death:
                if death.overran or attempt == ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    def stop(self) -> None:
        """Ends the processes."""
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join(10)


def _nothing() -> None:
    pass


def _start_process(parent: int, initializer: Callable[..., None], initargs: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the job decides when to end
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    initializer(*initargs)


def _end_with(parent: int) -> None:
    """Ends this process when its parent is gone: a job that was killed leaves no processes behind."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


_lock = threading.Lock()
_shared: Optional[tuple[Any, WorkPool]] = None


def shared_pool(processes: int, initializer: Callable[..., None], initargs: tuple[Any, ...]) -> WorkPool:
    """This process's pool, made at the first call and again where the arguments have changed."""
    global _shared
    key = (processes, initializer, initargs)
    with _lock:
        if _shared and _shared[0] == key:
            return _shared[1]
        if _shared:
            _shared[1].stop()
        _shared = (key, WorkPool(processes, initializer, initargs))
        return _shared[1]


@atexit.register
def stop_shared_pool() -> None:
    """Ends this process's pool, if there is one."""
    global _shared
    with _lock:
        if _shared:
            _shared[1].stop()
        _shared = None
