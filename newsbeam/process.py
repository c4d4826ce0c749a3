"""Processes as holders of leases: who this one is, and whether another of this host still runs (Linux)."""

from __future__ import annotations

import os
import socket
from functools import lru_cache
from pathlib import Path

from newsbeam.records import Holder


def this_holder(job: str, tick: int = 0) -> Holder:
    """This process as a holder of leases for a job."""
    pid = os.getpid()
    return Holder(job, socket.gethostname(), pid, _started(pid), tick)


def is_alive(holder: Holder) -> bool:
    """Whether the process of a holder on this host still runs; its pid may have been given to another since."""
    try:
        return started(holder.pid) == holder.started
    except OSError:
        return False


def started(pid: int) -> int:
    """When a process started, in clock ticks since the system's start: no change of the clock moves it (proc(5)).

    Raises:
        OSError: there is no such process.
    """
    stat = Path(f"/proc/{pid}/stat").read_text()
    state, *fields = stat[stat.rindex(")") + 2 :].split()
    if state in "ZX":  # dead, and not yet collected by its parent
        raise ProcessLookupError(pid)
    return int(fields[18])


@lru_cache(maxsize=4)
def _started(pid: int) -> int:
    return started(pid)
