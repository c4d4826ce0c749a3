"""The pool with real processes: results, errors, overruns and deaths."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from newsbeam.errors import FeedError
from newsbeam.pool import ATTEMPTS, PoolError, WorkPool

_loaded: list[str] = []


def load(name: str) -> None:
    _loaded.append(name)


def loaded() -> tuple[int, list[str]]:
    return os.getpid(), list(_loaded)


def refuse(reason: str) -> None:
    raise FeedError(reason, "détail", 7.5)


def die(note: str) -> None:
    with open(note, "a") as file:
        file.write("x")
    os._exit(9)


def hang() -> None:
    time.sleep(600)


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkPool]:
    pool = WorkPool(1, load, ("model",))
    yield pool
    pool.stop()


def test_initializer_runs_once_a_process(pool: WorkPool) -> None:
    first, second = pool.call(loaded, seconds=30), pool.call(loaded, seconds=30)
    assert first == second and first[1] == ["model"] and first[0] != os.getpid()


def test_errors_come_back_whole(pool: WorkPool) -> None:
    with pytest.raises(FeedError) as caught:
        pool.call(refuse, "empty", seconds=30)
    assert (caught.value.reason, caught.value.detail, caught.value.retry_after) == ("empty", "détail", 7.5)


def test_an_overrun_is_a_death_and_the_process_is_replaced(pool: WorkPool) -> None:
    before, _ = pool.call(loaded, seconds=30)
    with pytest.raises(PoolError) as caught:
        pool.call(hang, seconds=0.5)
    assert caught.value.overran
    after, names = pool.call(loaded, seconds=30)
    assert after != before and names == ["model"]


def test_a_death_alone_counts_three_times(pool: WorkPool, tmp_path: Path) -> None:
    note = tmp_path / "deaths"
    with pytest.raises(PoolError) as caught:
        pool.call_alone(die, str(note), seconds=30)
    assert not caught.value.overran
    assert note.read_text() == "x" * ATTEMPTS
    assert pool.call(loaded, seconds=30)[1] == ["model"]


def test_processes_end_when_their_job_is_killed() -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_pool import load, loaded\n"
        "from newsbeam.pool import WorkPool\n"
        "import time\n"
        "if __name__ == '__main__':\n"
        "    pool = WorkPool(2, load, ('m',)); print(pool.call(loaded, seconds=60)[0], flush=True); time.sleep(600)\n"
    )
    here = Path(__file__).parent
    path = here.parent.parent
    job = subprocess.Popen(
        [sys.executable, "-c", script, str(here)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": f"{path}:{here}"},
    )
    assert job.stdout is not None
    worker = int(job.stdout.readline())
    job.kill()
    job.wait()
    job.stdout.close()
    _, alive = psutil.wait_procs([psutil.Process(worker)] if psutil.pid_exists(worker) else [], timeout=15)
    assert not alive
