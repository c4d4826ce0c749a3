"""The runner and Beam's own options. One machine's runner is FnApiRunner, named explicitly: "DirectRunner" would choose
another engine by what a pipeline contains."""

from __future__ import annotations

import logging
from typing import Any

from newsbeam.errors import ConfigError

LOCAL = "FnApiRunner"


def check_runner(runner: str, store_url: str) -> None:
    """Raises ConfigError where a runner and a store do not go together."""
    if runner == "DirectRunner":
        raise ConfigError(f"--runner DirectRunner: it may drop elements in silence; use {LOCAL} (the default)")
    if runner != LOCAL and store_url.startswith("sqlite:"):
        raise ConfigError(f"--runner {runner} runs on other machines, which can't reach {store_url}; use Elasticsearch")


def runner_and_options(arguments: tuple[str, ...]) -> tuple[Any, Any]:
    """A runner and its PipelineOptions from `--runner NAME` and Beam's own arguments."""
    from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

    options = PipelineOptions(list(arguments))
    name = options.view_as(StandardOptions).runner or LOCAL
    if name != LOCAL:
        return name, options
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    return FnApiRunner(), options


def quiet_beam() -> None:
    """Keeps Beam's notes about its own optional parts from a user's terminal."""
    for name in ("apache_beam", "root"):
        logging.getLogger(None if name == "root" else name).setLevel(logging.ERROR)
