"""Keys that differ, kept until they are looked up: in memory while they are few, then in a temporary file."""

import json
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self, TextIO

from reconcile_assets.core.compare_rows import Texts

Keys = tuple[list[Texts], list[Texts]]
"""One key as the source's and the target's rows write it."""


class KeySpool:
    """Takes keys in one by one and gives them back in batches, in order.

    Args:
        batch: keys in each batch, the last one excepted.
        kept: batches held in memory; of more, all but the last go to the file.
    """

    def __init__(self, batch: int, *, kept: int = 40) -> None:
        self._batch = batch
        self._most = kept
        self._full: list[list[Keys]] = []
        self._open: list[Keys] = []
        self._file: TextIO | None = None
        self._length = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def __len__(self) -> int:
        return self._length

    def add(self, source: Sequence[Texts], target: Sequence[Texts]) -> None:
        """Take a key in."""
        self._open.append((list(source), list(target)))
        self._length += 1
        if len(self._open) == self._batch:
            self._full.append(self._open)
            self._open = []
            if len(self._full) > self._most:
                self._spill()

    def batches(self) -> Iterator[list[Keys]]:
        """All keys that were taken in."""
        if self._file is not None:
            self._file.seek(0)
            for line in self._file:
                yield [(_texts(source), _texts(target)) for source, target in json.loads(line)]
        yield from self._full
        if self._open:
            yield self._open

    def _spill(self) -> None:
        if self._file is None:
            from tempfile import TemporaryFile  # hardly ever needed, and slow to import

            self._file = TemporaryFile("w+", encoding="ascii")  # noqa: SIM115 - closed in __exit__
        for batch in self._full:
            self._file.write(json.dumps(batch) + "\n")
        self._full = []


def _texts(keys: Sequence[Sequence[str | None]]) -> list[Texts]:
    return [tuple(key) for key in keys]
