"""Rows that are hashed here: what is made of each value, which window a row stands in, and rows put in order."""

import bisect
import marshal
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from reconcile_assets.core.canonical import FOREIGN, ColumnForm, natural_form
from reconcile_assets.core.canonical_render import Render, renderer
from reconcile_assets.core.canonical_times import in_zone, microseconds_of
from reconcile_assets.core.tables import Column, TypeKind
from reconcile_assets.core.windows import Partition
from reconcile_assets.databases.base import PartitionFilter
from reconcile_assets.errors import NotComparable

Exact = Callable[[Any], str | None]


def natural_column(column: Column) -> ColumnForm:
    """A column in the natural form of its type.

    Raises:
        NotComparable: the type has none.
    """
    canonical = natural_form(column.type)
    if canonical is None:
        raise NotComparable(f"column {column.name}: {column.type.native} has no exact form to compare by")
    return ColumnForm(column, canonical)


def exact_in_zone(exact: Exact | None, form: ColumnForm) -> Exact | None:
    """The exact text of a column's values, as an instant where a zone was declared for a zoneless time."""
    if form.zone is None or form.column.type.kind not in (TypeKind.TIMESTAMP, TypeKind.DATE):
        return exact
    zone = ZoneInfo(form.zone)

    def convert(value: Any) -> str | None:
        text = exact(value) if exact else value
        return text if text is None or text.startswith(FOREIGN) else in_zone(text, zone)

    return convert


def digest_text(exact: Exact | None, form: ColumnForm) -> Exact | None:
    """What stands for a value in the row's digest; None where the driver's value is that already."""
    exact = exact_in_zone(exact, form)
    render = renderer(form.column.type, form.canonical)
    if render is None:
        return exact
    if exact is None:
        return _unless_null(render)

    def both(value: Any) -> str | None:
        text = exact(value)
        return None if text is None else render(text)

    return both


def _unless_null(render: Render) -> Exact:
    return lambda value: None if value is None else render(value)


def apply(functions: Sequence[Exact | None], values: Sequence[Any]) -> list[str | None]:
    """Each function's text of its value."""
    return [value if make is None else make(value) for make, value in zip(functions, values, strict=True)]


_MOST_DAYS = 100_000
_DAY = 86_400_000_000  # microseconds
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_LOCAL = datetime(1970, 1, 1)  # noqa: DTZ001, RUF100 - a wall clock's reading has no zone


class RowWindows:
    """Which partition a row stands in, by the exact text of its partition column."""

    def __init__(self, partitions: PartitionFilter) -> None:
        bounds = [bounds_of(item, partitions.kind) for item in partitions.partitions]
        self._starts = [start for start, _ in bounds]
        self._ends = [end for _, end in bounds]
        self._keys = [item.key for item in partitions.partitions]
        self._days: dict[str, str | None] = {}

    def key_of(self, text: str | None) -> str | None:
        """The partition's key; None for a row that stands in none."""
        if text is None:
            return None
        if text[10:11] in ("", " ") and text[-1:].isdigit():  # a day without an era, and perhaps a clock
            day = text[:10]
            if day in self._days:
                return self._days[day]
            self._learn(day)
        moment = microseconds_of(text)
        return None if isinstance(moment, str) else self._find(moment)[1]

    def _find(self, moment: int | Fraction) -> tuple[int, str | None]:
        at = bisect.bisect_right(self._starts, moment) - 1
        return at, self._keys[at] if at >= 0 and moment < self._ends[at] else None

    def _learn(self, day: str) -> None:
        """Keep the partition of a whole day, where all of it stands in one, or all of it in none."""
        first = microseconds_of(day)
        if isinstance(first, str) or len(self._days) >= _MOST_DAYS:
            return
        found = self._find(first)
        if found == self._find(first + _DAY - 1):
            self._days[day] = found[1]


def bounds_of(partition: Partition, kind: TypeKind) -> tuple[int, int]:
    """A window's bounds in microseconds since 1970: its instants for TIMESTAMPTZ, else the wall clock's reading."""
    if kind is TypeKind.TIMESTAMPTZ:
        return _microseconds(partition.start - _EPOCH), _microseconds(partition.end - _EPOCH)
    return _microseconds(partition.local_start - _EPOCH_LOCAL), _microseconds(partition.local_end - _EPOCH_LOCAL)


def _microseconds(delta: timedelta) -> int:
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


_KEPT = 32 * 1024 * 1024  # bytes of rows held in memory before they go to a temporary file


class OrderedRows:
    """Rows put in order by window and bucket: in memory while they are few, then in a temporary file."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, int, bytes]] = []
        self._size = 0
        self._file: sqlite3.Connection | None = None

    def add(self, window: int, bucket: int, row: tuple[Any, ...]) -> None:
        """Take a row in."""
        packed = marshal.dumps(row)
        self._rows.append((window, bucket, packed))
        self._size += len(packed) + 120
        if self._size > _KEPT:
            self._spill()

    def __iter__(self) -> Iterator[tuple[int, int, tuple[Any, ...]]]:
        if self._file is None:
            self._rows.sort(key=_window_and_bucket)
            for window, bucket, packed in self._rows:
                yield window, bucket, marshal.loads(packed)  # noqa: S302  # nosec B302  # what add() has packed itself
            return
        self._spill()
        with closing(self._file) as file:
            for window, bucket, packed in file.execute("SELECT w, b, r FROM kept ORDER BY w, b"):
                yield window, bucket, marshal.loads(packed)  # noqa: S302  # nosec B302  # as above

    def _spill(self) -> None:
        if self._file is None:
            # A database without a name is a file that SQLite deletes when it is closed.
            self._file = sqlite3.connect("", check_same_thread=False, isolation_level=None)
            self._file.execute("CREATE TABLE kept (w INTEGER, b INTEGER, r BLOB)")
            self._file.execute("BEGIN")
        self._file.executemany("INSERT INTO kept VALUES (?, ?, ?)", self._rows)
        self._rows.clear()
        self._size = 0


def _window_and_bucket(row: tuple[int, int, bytes]) -> tuple[int, int]:
    return row[0], row[1]


_MANY_BUCKETS = 256


class KeyCounter:
    """Counts the distinct keys of each bucket by their digests, 16 bytes a row.

    Args:
        buckets: of each window; where they are few, each is counted in parts, so that no set of keys grows large.
    """

    def __init__(self, buckets: int) -> None:
        self._in_parts = buckets < _MANY_BUCKETS
        self._digests: dict[tuple[str | None, int, int], bytearray] = {}

    def add(self, window: str | None, bucket: int, digest: bytes) -> None:
        """Take a key in."""
        part = digest[-1] if self._in_parts else 0
        self._digests.setdefault((window, bucket, part), bytearray()).extend(digest)

    def duplicates(self) -> dict[tuple[str | None, int], int]:
        """Rows minus distinct keys, by window and bucket."""
        found: dict[tuple[str | None, int], int] = {}
        for (window, bucket, _), digests in self._digests.items():
            rows = len(digests) // 16
            distinct = len({bytes(digests[at : at + 16]) for at in range(0, len(digests), 16)}) if rows > 1 else rows
            found[window, bucket] = found.get((window, bucket), 0) + rows - distinct
        return found
