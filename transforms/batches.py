"""Batches inside a bundle, for work that is cheaper done together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import apache_beam as beam
from apache_beam.utils.windowed_value import WindowedValue


class BatchFn(beam.DoFn):
    """Base of DoFns that work on batches of up to `size` elements; what a batch gives goes on with its last element's
    timestamp and window."""

    def __init__(self, size: int) -> None:
        self._size = size

    def work(self, batch: list[Any]) -> list[Any]:
        """The outputs of a batch, plain elements or `beam.pvalue.TaggedOutput`s."""
        raise NotImplementedError

    def start_bundle(self) -> None:
        self._batch: list[Any] = []
        self._place: Any = None

    def process(
        self, element: Any, timestamp: Any = beam.DoFn.TimestampParam, window: Any = beam.DoFn.WindowParam
    ) -> Iterable[Any]:
        self._batch.append(element)
        self._place = (timestamp, window)
        if len(self._batch) >= self._size:
            yield from self._flush()

    def finish_bundle(self) -> Iterable[Any]:
        if self._batch:
            yield from self._flush()

    def _flush(self) -> Iterable[Any]:
        batch, self._batch = self._batch, []
        for output in self.work(batch):
            yield at(output, *self._place)


def at(output: Any, timestamp: Any, window: Any) -> Any:
    """An output (tagged or not) with a timestamp and window, as `process` and `finish_bundle` may both give it."""
    if isinstance(output, beam.pvalue.TaggedOutput):
        return beam.pvalue.TaggedOutput(output.tag, WindowedValue(output.value, timestamp, (window,)))
    return WindowedValue(output, timestamp, (window,))
