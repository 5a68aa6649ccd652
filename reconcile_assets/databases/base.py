"""The dialect contract: what the comparison asks of every engine.

An engine is one package here with a :class:`Database` and a :class:`Session`. It must

* describe a relation from the catalog (:meth:`Session.describe`), mapping each type to a
  canonical :class:`~reconcile_assets.core.tables.TypeKind`; a type that it cannot render
  exactly is ``UNKNOWN``, which is never called equal;
* render a column into a canonical form so that different values never look alike;
  equal values should look alike: where they don't, the rows are shipped and decided in Python;
* give checksums of many windows and buckets from one scan (:meth:`Session.fetch_buckets`),
  and stream the rows of the buckets asked for, in their order;
* keep one snapshot per session, read in UTC, under a statement time-out.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from reconcile_assets.core.canonical import Canonical, ColumnForm, Form, natural_form
from reconcile_assets.core.compare import Checksum, SideCost
from reconcile_assets.core.tables import Column, Table, TableName, TypeKind
from reconcile_assets.core.windows import Partition
from reconcile_assets.errors import UnknownEngine

if TYPE_CHECKING:
    import sqlalchemy

    from reconcile_assets.databases.diagnosis import Diagnosis
    from reconcile_assets.databases.figures import Aggregate, FigureQuery, Value
    from reconcile_assets.databases.writing import Writer


@dataclass(frozen=True)
class Relation:
    """What is read: a table or view, or a query; and a condition on it.

    Attributes:
        table: exactly one of ``table`` and ``query`` is set.
        query: SQL text of one SELECT.
        where: SQL text of a condition that a person wrote; None takes all rows.
    """

    table: TableName | None = None
    query: str | None = None
    where: str | None = None

    def __post_init__(self) -> None:
        if (self.table is None) == (self.query is None):
            raise ValueError("a relation is either a table or a query")

    def __str__(self) -> str:
        return "the query" if self.table is None else str(self.table)


@dataclass(frozen=True)
class PartitionFilter:
    """The windows of a comparison, by the column that puts a row into one of them.

    Attributes:
        column: the source's or target's own name of the partition column.
        kind: of that column: TIMESTAMPTZ compares with the instants, TIMESTAMP and DATE with the local bounds.
        partitions: not overlapping, ordered by start.
    """

    column: str
    kind: TypeKind
    partitions: Sequence[Partition]


@dataclass(frozen=True)
class RowsetQuery:
    """The rows and columns of one side that a comparison reads.

    Attributes:
        key: identifies a row; bucketed by it. For a keyless table: the columns that stand in for a key.
        columns: what is compared, the key's columns not among them.
        fast: hash in the engine's own way; only when both sides hash alike (:attr:`Session.hash_family`).
        unique: the key is known to be unique and without NULLs, so neither is counted.
        integer_key: the key is one column of whole numbers on both sides, from which buckets can be cut without a hash.
    """

    relation: Relation
    key: tuple[ColumnForm, ...]
    columns: tuple[ColumnForm, ...]
    partitions: PartitionFilter | None = None
    fast: bool = False
    unique: bool = False
    integer_key: bool = False


@dataclass(frozen=True)
class BucketSums:
    """The rows of one bucket of one window: counts, and their digests added up in each of two lanes."""

    rows: int
    first: int
    second: int
    null_keys: int = 0
    duplicate_keys: int = 0


Bucket = tuple[str | None, int]
TextRows = Iterator[Sequence[tuple[str | None, ...]]]
_BATCH = 1000  # rows


class CostMeter:
    """Counts what a session's answers cost.

    Args:
        received: the bytes that the connection has received so far, None once it is closed; without it the
            session adds up what it reads.
    """

    def __init__(self, received: Callable[[], int | None] | None = None) -> None:
        self.scans = 0
        self.rows_read = 0
        self._bytes = 0
        self._received = received
        self._charged = SideCost()

    @property
    def is_told_bytes(self) -> bool:
        """Whether the system counts the bytes, so that the session need not."""
        return self._received is not None

    @property
    def bytes(self) -> int:
        """Received so far."""
        if self._received is not None:
            self._bytes = self._received() or self._bytes
        return self._bytes

    def count_bytes(self, count: int) -> None:
        """Add what the session has read."""
        self._bytes += count

    def snapshot(self) -> SideCost:
        """The cost so far."""
        return SideCost(self.scans, self.rows_read, self.bytes)

    def charge(self) -> SideCost:
        """The cost since this was last asked, at first since the connection was made."""
        before, self._charged = self._charged, self.snapshot()
        return self._charged - before


class Session(ABC):
    """One connection and one transaction."""

    name: str
    engine: str
    cost: CostMeter
    looks_up_keys: bool = True
    """Whether :meth:`fetch_rows_by_key` is served by an index, not by a scan."""
    notes: tuple[str, ...] = ()
    """Sentences about what this session could not promise, for those who read the comparison."""

    @property
    @abstractmethod
    def hash_family(self) -> str:
        """Two sessions of the same family compute the same fast hash of the same value."""

    @property
    @abstractmethod
    def driver_connection(self) -> Any:
        """The driver's own connection: psycopg's for PostgreSQL, PyMySQL's for MySQL."""

    @abstractmethod
    def sqlalchemy(self) -> "sqlalchemy.Connection":
        """The same connection and transaction through SQLAlchemy, bind values hidden from its errors."""

    @abstractmethod
    def export_snapshot(self) -> str:
        """An id by which other sessions of this database see the same snapshot."""

    @abstractmethod
    def cancel(self) -> None:
        """End the statement that another thread runs on this session."""

    @abstractmethod
    def describe(self, relation: Relation) -> Table:
        """Columns, types, keys and indexes of a table, view or query.

        Raises:
            MissingObject: there is no such table; near names are offered.
            QueryRefused: the query or condition is not one valid SELECT or condition.
        """

    def fetch_identity(self, relation: Relation) -> str | None:
        """The same text for the same stored table, by whatever URL it is reached; None for queries and views."""
        return None

    @abstractmethod
    def estimate_rows(self, relation: Relation) -> int:
        """How many rows the planner expects."""

    def estimate_window_rows(self, relation: Relation, partitions: PartitionFilter) -> int:
        """How many of them stand in these windows; 0 where only a scan could tell."""
        return self.estimate_rows(relation) if len(partitions.partitions) == 1 else 0

    @abstractmethod
    def fetch_scalar(self, statement: Any, parameters: Sequence[object] | Mapping[str, object] = ()) -> Any:
        """The first value of the first row, None without rows."""

    @abstractmethod
    def fetch_checksums(
        self,
        relation: Relation,
        columns: Sequence[Column | ColumnForm],
        partitions: PartitionFilter | None = None,
        *,
        fast: bool = False,
    ) -> dict[str | None, Checksum]:
        """The checksum of every partition, from one scan.

        Args:
            columns: in the same order on both sides; a bare column takes the natural form of its type.
            partitions: None for the whole relation, then the only key is None.
            fast: the engine's own hash; pass ``source.hash_family == target.hash_family``.

        Returns:
            By partition key; partitions without rows too.

        Raises:
            NotComparable: a column's type has no canonical form.
        """

    @abstractmethod
    def fetch_buckets(self, query: RowsetQuery, buckets: int) -> dict[Bucket, BucketSums]:
        """The sums of every non-empty bucket of every window, from one scan; ``buckets`` per window, a power of 2."""

    @abstractmethod
    def stream_rows(
        self,
        query: RowsetQuery,
        buckets: int,
        wanted: Sequence[Bucket],
        *,
        values: bool,
        per_window: int | None = None,
    ) -> Iterator["ShippedRow"]:
        """The rows of the wanted buckets, ordered by window and bucket, memory flat.

        Args:
            values: ship the columns' exact texts; else the row's digest.
            per_window: at most so many of each window; None ships all.
        """

    @abstractmethod
    def fetch_rows_by_key(self, query: RowsetQuery, keys: Sequence[tuple[str | None, ...]]) -> list["ShippedRow"]:
        """The rows of these keys (the side's own text of them), with values, by one indexed query."""

    def read_rows(
        self, relation: Relation, columns: Sequence[Column], partitions: PartitionFilter | None = None
    ) -> TextRows:
        """The exact texts of these columns, some rows at a time, memory flat.

        Args:
            partitions: only the rows that stand in these windows; None for all.
        """
        forms = tuple(ColumnForm(column, natural_form(column.type) or Canonical(Form.TEXT)) for column in columns)
        query = RowsetQuery(relation, key=(), columns=forms, partitions=partitions, unique=True)
        keys: list[str | None] = [None] if partitions is None else [found.key for found in partitions.partitions]
        wanted = [(key, 0) for key in keys]
        batch: list[tuple[str | None, ...]] = []
        for row in self.stream_rows(query, 1, wanted, values=True):
            batch.append(row.content)
            if len(batch) == _BATCH:
                yield batch
                batch = []
        yield batch

    def fetch_aggregates(
        self, relation: Relation, partitions: PartitionFilter, aggregates: "Sequence[Aggregate]"
    ) -> Mapping[str, tuple[str | None, ...]]:
        """The exact texts of the figures of each partition that has rows, from one scan.

        Raises:
            NotComparable: a function that the column's type doesn't have.
        """
        from reconcile_assets.databases.figures import aggregate_rows

        return aggregate_rows(self, relation, partitions, aggregates)

    def count_unpartitioned(self, relation: Relation, first: PartitionFilter, last: Partition | None) -> int:
        """Rows whose partition column is NULL, before the first window, or at or after the last one's end.

        Args:
            first: of the table's first partition only.
            last: the table's last partition; None where time goes on.
        """
        from reconcile_assets.databases.figures import count_outside

        return count_outside(self, relation, first, last)

    def fetch_figure(self, query: "FigureQuery") -> "Value":
        """The one value that a person's query gives; what it leaves behind is rolled back.

        Raises:
            CouldNotVerify: the query gives another number of rows or columns.
            QueryRefused: the engine refuses it, or it is more than one statement.
        """
        raise UnknownEngine(f"{self.name}: {query.what} can't be run in a {self.engine} database by this version")

    def diagnosis(self) -> "Diagnosis":
        """What `doctor` asks this database."""
        from reconcile_assets.databases.diagnosis import PlainDiagnosis

        return PlainDiagnosis(self)

    def explain_figure(self, query: "FigureQuery") -> None:
        """Let the engine parse and plan a person's query; an engine that can't do so without running it, runs it.

        Raises:
            QueryRefused: it can't be planned, or is more than one statement.
            MissingObject: it names a table or column that is not there.
        """
        self.fetch_figure(query)


class ShippedRow(NamedTuple):  # quicker made than a dataclass, and there may be millions
    """A row that was read.

    Attributes:
        window: the partition's key.
        bucket: see :class:`RowsetQuery`; 0 where rows were asked for by key.
        key: exact texts, NULL is None.
        content: the row's digest lanes, or with values the exact texts of the columns.
    """

    window: str | None
    bucket: int
    key: tuple[str | None, ...]
    content: tuple[Any, ...]


class Database(ABC):
    """A database by name; connected only inside :meth:`session`."""

    name: str
    engine: str

    @property
    def place(self) -> str:
        """Where the database is, for people: its name and host, or its file; never a user or a password."""
        return ""

    def file_query(self, text: str) -> str | None:
        """The query that a text in a table's place stands for: a file, or a query itself; None for a table's name."""
        return None

    def writing(self, *, lock_wait: float) -> AbstractContextManager["Writer"]:
        """One connection with one writing transaction; rolled back at the end where it was not committed.

        Args:
            lock_wait: the most seconds to wait for a lock that another run holds.

        Raises:
            UnknownEngine: nothing can be written to this engine.
            AlreadyRunning: another process writes to the whole database, and did so for longer than that.
            DatabaseUnavailable, AuthenticationFailed, MissingObject: it can't be connected.
        """
        raise UnknownEngine(f"{self.name}: nothing is written to a {self.engine} database by this version")

    @abstractmethod
    def session(
        self,
        *,
        read_only: bool = True,
        statement_timeout: float | None = None,
        snapshot: str | None = None,
        repeatable: bool = True,
    ) -> AbstractContextManager[Session]:
        """One connection with one transaction: a repeatable-read snapshot in UTC.

        A read-only session is rolled back at the end; a writing one is committed by its
        user, and rolled back where it was not.

        Args:
            statement_timeout: seconds for each statement; None leaves the server's own.
            snapshot: an id of :meth:`Session.export_snapshot`.
            repeatable: False holds no transaction: each statement sees what is committed when it begins. Only for
                reading.

        Raises:
            DatabaseUnavailable, AuthenticationFailed, MissingObject: it can't be connected.
        """
