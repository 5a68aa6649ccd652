"""Sessions of engines whose rows are hashed here, as they pass, with flat memory.

An engine package says how rows are read, and how each value is written exactly
(:meth:`StreamingSession.exact`); buckets, checksums and shipped rows follow from these in the
portable form, so that they agree with what other engines compute in SQL.
"""

import threading
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from reconcile_assets.core.canonical import ColumnForm
from reconcile_assets.core.compare import NO_ROWS, Checksum
from reconcile_assets.core.tables import Column, Table
from reconcile_assets.databases.base import (
    Bucket,
    BucketSums,
    CostMeter,
    PartitionFilter,
    Relation,
    RowsetQuery,
    Session,
    ShippedRow,
    TextRows,
)
from reconcile_assets.databases.streaming_digest import Hashed, Quick, RowHasher
from reconcile_assets.databases.streaming_rows import (
    Exact,
    KeyCounter,
    OrderedRows,
    RowWindows,
    apply,
    digest_text,
    exact_in_zone,
    natural_column,
)
from reconcile_assets.errors import StatementTimeout, UnknownEngine

if TYPE_CHECKING:
    import sqlalchemy

Rows = Iterator[Sequence[tuple[Any, ...]]]


class StreamingSession(Session):
    """See :class:`~reconcile_assets.databases.base.Session`.

    Args:
        statement_timeout: seconds for each statement, the time that its rows take to pass included.
    """

    looks_up_keys = False

    def __init__(self, *, name: str, statement_timeout: float | None) -> None:
        self.name = name
        self.cost = CostMeter()
        self._timeout = statement_timeout
        self._described: dict[Relation, Table] = {}
        self._cancelled = threading.Event()

    @abstractmethod
    def exact(self, column: Column) -> Exact | None:
        """What writes a driver's value exactly; None where the driver's value is that text (or None) already."""

    def quick(self, form: ColumnForm) -> Quick | None:
        """A quicker way to what stands for a column's values in the digest; None where the engine has none."""
        return None

    @abstractmethod
    def read(self, relation: Relation, columns: Sequence[Column], condition: str | None = None) -> Rows:
        """The relation's rows, these columns of them, some at a time.

        Args:
            condition: of :meth:`condition_of`.
        """

    def condition_of(self, column: Column, partitions: PartitionFilter) -> str | None:
        """SQL that is true for every row of the windows, and for few others; None where the engine has no such."""
        return None

    def bucket_condition(self, query: RowsetQuery, buckets: int, wanted: Sequence[Bucket]) -> str | None:
        """SQL that is true for every row of the buckets; None where the engine has no such.

        Args:
            buckets: of each window.
        """
        return None

    @abstractmethod
    def interrupt(self) -> None:
        """End the statement that runs, from another thread."""

    @abstractmethod
    def describe_anew(self, relation: Relation) -> Table:
        """As :meth:`describe`, which keeps the answer."""

    @contextmanager
    @abstractmethod
    def translated(self) -> Iterator[None]:
        """Turn the driver's errors into ours."""

    @property
    def hash_family(self) -> str:
        """The portable digest serves for all of them."""
        return "portable"

    @property
    def driver_connection(self) -> Any:
        """There is none."""
        self._refuse()

    def sqlalchemy(self) -> "sqlalchemy.Connection":
        """There is none."""
        self._refuse()

    def export_snapshot(self) -> str:
        """There is none."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise UnknownEngine(
            f"{self.name}: a {self.engine} database has no tables of ours; PostgreSQL, MariaDB, MySQL,"
            " SQLite and DuckDB do"
        )

    def cancel(self) -> None:
        """See :meth:`Session.cancel`."""
        self._cancelled.set()
        self.interrupt()

    def describe(self, relation: Relation) -> Table:
        """See :meth:`Session.describe`."""
        if relation not in self._described:
            with self.limited():
                self._described[relation] = self.describe_anew(relation)
        return self._described[relation]

    @contextmanager
    def limited(self) -> Iterator[None]:
        """Errors translated; interrupted when the time limit has passed."""
        timer = None if self._timeout is None else threading.Timer(self._timeout, self.cancel)
        if timer is not None:
            timer.daemon = True
            timer.start()
        try:
            with self.translated():
                yield
        finally:
            if timer is not None:
                timer.cancel()

    def timed_out(self) -> StatementTimeout:
        """The error for a statement that was interrupted."""
        return StatementTimeout(f"{self.name}: the statement ran into its time limit or was cancelled; raise the limit")

    def fetch_checksums(
        self,
        relation: Relation,
        columns: Sequence[Column | ColumnForm],
        partitions: PartitionFilter | None = None,
        *,
        fast: bool = False,
    ) -> dict[str | None, Checksum]:
        """See :meth:`Session.fetch_checksums`."""
        forms = tuple(column if isinstance(column, ColumnForm) else natural_column(column) for column in columns)
        query = RowsetQuery(relation, key=(), columns=forms, partitions=partitions, unique=True)
        keys: list[str | None] = [None] if partitions is None else [found.key for found in partitions.partitions]
        checksums: dict[str | None, Checksum] = dict.fromkeys(keys, NO_ROWS)
        for (window, _), found in self.fetch_buckets(query, 1).items():
            checksums[window] = Checksum.of_sums(found.rows, found.first, found.second)
        return checksums

    def fetch_buckets(self, query: RowsetQuery, buckets: int) -> dict[Bucket, BucketSums]:
        """See :meth:`Session.fetch_buckets`."""
        return self.sum_rows(query, buckets)

    def sum_rows(self, query: RowsetQuery, buckets: int, condition: str | None = None) -> dict[Bucket, BucketSums]:
        """The sums of the rows, each of them hashed here.

        Args:
            condition: SQL that is true for the rows that are summed up; None takes all.
        """
        counter = KeyCounter(buckets)
        sums: dict[Bucket, list[int]] = {}
        for windows, _, hashed in self._hashed(query, buckets, condition=condition):
            for at, digest in zip(zip(windows, hashed.buckets, strict=True), hashed.digests, strict=True):
                found = sums.get(at)
                if found is None:
                    found = sums[at] = [0, 0, 0]
                found[0] += 1
                found[1] += digest
            for window, bucket, key, has_null in zip(
                windows, hashed.buckets, hashed.keys, hashed.nulls, strict=False
            ):  # only where keys are counted
                sums[window, bucket][2] += has_null
                counter.add(window, bucket, key)
        twice = counter.duplicates()
        return {at: BucketSums(rows, total, 0, nulls, twice.get(at, 0)) for at, (rows, total, nulls) in sums.items()}

    def stream_rows(
        self,
        query: RowsetQuery,
        buckets: int,
        wanted: Sequence[Bucket],
        *,
        values: bool,
        per_window: int | None = None,
    ) -> Iterator[ShippedRow]:
        """See :meth:`Session.stream_rows`."""
        order = self._window_order(query)
        names = {number: window for window, number in order.items()}
        chosen, taken = frozenset(wanted), dict.fromkeys(order, 0)
        width = len(query.key)
        exacts = self._exacts(query)
        ordered = OrderedRows()
        condition = self.bucket_condition(query, buckets, wanted)
        for windows, rows, hashed in self._hashed(query, buckets, digests=not values, condition=condition):
            for index, at in enumerate(zip(windows, hashed.buckets, strict=True)):
                window, bucket = at
                if at not in chosen or taken[window] == per_window:
                    continue
                taken[window] += 1
                exact = apply(exacts, rows[index])
                content = exact[width:] if values else [hashed.digests[index]]
                ordered.add(order[window], bucket, (tuple(exact[:width]), tuple(content)))
        for number, bucket, (key, content) in ordered:
            yield ShippedRow(names[number], bucket, key, content)

    def fetch_rows_by_key(self, query: RowsetQuery, keys: Sequence[tuple[str | None, ...]]) -> list[ShippedRow]:
        """See :meth:`Session.fetch_rows_by_key`; by a scan, as no index serves the exact texts."""
        asked, width = frozenset(keys), len(query.key)
        exacts = self._exacts(query)
        found: list[ShippedRow] = []
        for windows, rows in self._window_batches(query):
            for window, row in zip(windows, rows, strict=True):
                key = tuple(apply(exacts[:width], row[:width]))
                if key in asked:
                    found.append(ShippedRow(window, 0, key, tuple(apply(exacts[width:], row[width:]))))
        return found

    def _window_order(self, query: RowsetQuery) -> dict[str | None, int]:
        if query.partitions is None:
            return {None: 0}
        return {item.key: index for index, item in enumerate(query.partitions.partitions)}

    def _hashed(
        self, query: RowsetQuery, buckets: int, *, digests: bool = True, condition: str | None = None
    ) -> Iterator[tuple[Sequence[str | None], Sequence[tuple[Any, ...]], Hashed]]:
        """One scan: the windows of rows, the rows, and their hashes, some at a time."""
        forms = (*query.key, *query.columns)
        slow = [digest_text(self.exact(form.column), form) for form in forms]
        hasher = RowHasher(query, buckets, slow, [self.quick(form) for form in forms])
        for windows, rows in self._window_batches(query, condition):
            yield windows, rows, hasher.hash(rows, digests=digests)

    def _exacts(self, query: RowsetQuery) -> list[Exact | None]:
        return [exact_in_zone(self.exact(form.column), form) for form in (*query.key, *query.columns)]

    def _window_batches(
        self, query: RowsetQuery, condition: str | None = None
    ) -> Iterator[tuple[Sequence[str | None], Sequence[tuple[Any, ...]]]]:
        if query.partitions is not None and not query.partitions.partitions:
            return
        columns = [form.column for form in (*query.key, *query.columns)]
        yield from self._read_windows(query.relation, columns, query.partitions, condition)

    def read_windows(
        self, relation: Relation, columns: Sequence[Column], partitions: PartitionFilter | None
    ) -> Iterator[list[tuple[str | None, tuple[Any, ...]]]]:
        """One scan: the rows that stand in some window, each with its window and the driver's values."""
        for windows, rows in self._read_windows(relation, columns, partitions):
            yield list(zip(windows, rows, strict=True))

    def _read_windows(
        self,
        relation: Relation,
        columns: Sequence[Column],
        partitions: PartitionFilter | None,
        condition: str | None = None,
    ) -> Iterator[tuple[Sequence[str | None], Sequence[tuple[Any, ...]]]]:
        """One scan: of the rows that stand in some window, their windows, and the driver's values, some at a time."""
        self.cost.scans += 1
        with self.limited():
            if partitions is None:
                for rows in self.read(relation, columns, condition):
                    self._count(rows)
                    yield [None] * len(rows), rows if columns else [()] * len(rows)  # a NULL stands for no column
                return
            found = self.describe(relation).column(partitions.column)
            windows, exact, width = RowWindows(partitions), self.exact(found) or _as_it_is, len(columns)
            condition = condition or self.condition_of(found, partitions)
            for rows in self.read(relation, [*columns, found], condition):
                self._count(rows)
                keys = [windows.key_of(exact(row[width])) for row in rows]
                if None in keys:
                    rows = [row for row, key in zip(rows, keys, strict=True) if key is not None]
                    keys = [key for key in keys if key is not None]
                yield keys, [row[:width] for row in rows]

    def read_rows(
        self, relation: Relation, columns: Sequence[Column], partitions: PartitionFilter | None = None
    ) -> TextRows:
        """See :meth:`Session.read_rows`."""
        functions = [self.exact(column) for column in columns]
        for _, rows in self._read_windows(relation, columns, partitions):
            yield [tuple(apply(functions, row)) for row in rows]

    def _count(self, rows: Sequence[tuple[Any, ...]]) -> None:
        if self._cancelled.is_set():
            raise self.timed_out()
        self.cost.rows_read += len(rows)


def _as_it_is(value: Any) -> str | None:
    text: str | None = value
    return text
