"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repo() -> Path:
    """The root of the repository."""
    return REPO


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The captured feeds, pages and labelled sets that are not in the repository.

    Found by NEWSBEAM_DATA, else beside the clone; a machine without them skips, except in CI, where they must be.
    """
    path = Path(os.environ.get("NEWSBEAM_DATA") or REPO.parent / "shared" / "data")
    if path.is_dir():
        return path
    reason = f"no shared data at {path}; set NEWSBEAM_DATA"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
