"""One PostgreSQL connection and one transaction, as the dialect contract asks."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from reconcile_assets.core.canonical import ColumnForm, natural_form
from reconcile_assets.core.compare import NO_ROWS, Checksum
from reconcile_assets.core.tables import Column, Table
from reconcile_assets.core.windows import Partition
from reconcile_assets.databases.base import (
    Bucket,
    BucketSums,
    CostMeter,
    Database,
    PartitionFilter,
    Relation,
    RowsetQuery,
    Session,
    ShippedRow,
    TextRows,
)
from reconcile_assets.databases.errors import translated_errors
from reconcile_assets.databases.figures import Aggregate, FigureQuery, Value
from reconcile_assets.databases.postgresql import fast_hash, figures
from reconcile_assets.databases.postgresql.catalog import (
    check_relation,
    describe_query,
    describe_table,
    fetch_identity,
    source_of,
)
from reconcile_assets.databases.postgresql.connection import SessionConnection, connect, parse_url
from reconcile_assets.databases.postgresql.digest import DigestQueries
from reconcile_assets.databases.postgresql.windows import Windows
from reconcile_assets.databases.wire import received_bytes
from reconcile_assets.errors import ConnectionLost, DatabaseUnavailable, NotComparable

if TYPE_CHECKING:
    import sqlalchemy

    from reconcile_assets.databases.postgresql.diagnosis import PostgresDiagnosis
    from reconcile_assets.databases.postgresql.writer import PostgresWriter

_BATCH = 2000  # rows fetched at a time while streaming

# The planner takes each computed group for a single row, and would sort the table rather than hash it; and
# the sums of all buckets that a comparison asks for must not go to disk.
_SUMMING = {"enable_sort": "off", "work_mem": "'64MB'", "max_parallel_workers_per_gather": "0"}
# A scan is one scan, also where the planner would divide it among workers: both sides work at once already.
_SHIPPING = {"max_parallel_workers_per_gather": "0"}


class PostgresDatabase(Database):
    """A PostgreSQL database by URL."""

    engine = "postgresql"

    def __init__(self, url: str, *, name: str) -> None:
        self.name = name
        self._parameters = parse_url(url, name=name)

    def __repr__(self) -> str:
        return f"PostgresDatabase(name={self.name!r})"

    @property
    def place(self) -> str:
        """See :meth:`Database.place`."""
        host = self._parameters.get("host", "")
        names = (self._parameters.get("dbname", ""), "" if host.startswith("/") else host)
        return " on ".join(name for name in names if name)

    @contextmanager
    def session(
        self,
        *,
        read_only: bool = True,
        statement_timeout: float | None = None,
        snapshot: str | None = None,
        repeatable: bool = True,
    ) -> Iterator["PostgresSession"]:
        """See :meth:`Database.session`."""
        try:
            with translated_errors(self.name):
                connection = connect(
                    self._parameters,
                    read_only=read_only,
                    statement_timeout=statement_timeout,
                    repeatable=repeatable,
                )
        except ConnectionLost:  # a pooler or proxy whose server is away takes connections and closes them again
            raise DatabaseUnavailable(
                f"{self.name}: the connection was closed while it was made; is the server behind it running?"
            ) from None
        session = PostgresSession(connection, name=self.name)
        try:
            with translated_errors(self.name):
                if snapshot is not None:
                    connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
                yield session
        finally:
            session.close()

    @contextmanager
    def writing(self, *, lock_wait: float) -> Iterator["PostgresWriter"]:
        """See :meth:`Database.writing`."""
        from reconcile_assets.databases.postgresql.writer import PostgresWriter  # not needed to compare

        with self.session(read_only=False) as session:
            yield PostgresWriter(session, lock_wait=lock_wait)


class PostgresSession(Session):
    """See :class:`~reconcile_assets.databases.base.Session`."""

    engine = "postgresql"

    def __init__(self, connection: SessionConnection, *, name: str) -> None:
        self.name = name
        self.cost = CostMeter(received_bytes(lambda: _socket_of(connection)))
        self._connection = connection
        self._sqlalchemy: sqlalchemy.Connection | None = None
        self._described: dict[Relation, Table] = {}
        self._hash_family: str | None = None

    @property
    def hash_family(self) -> str:
        """Servers that answer alike how they hash some values, and write text in one encoding.

        The encoding counts as the hash is of stored bytes: those of one text differ from encoding to encoding.
        """
        if self._hash_family is None:
            answers = str(self.fetch_scalar(fast_hash.probe()))
            encoding = self._connection.info.parameter_status("server_encoding")
            told = hashlib.md5(answers.encode(), usedforsecurity=False).hexdigest()[:8]
            self._hash_family = f"postgresql-{told}-{encoding}"
        return self._hash_family

    @property
    def _recodes(self) -> bool:
        return self._connection.info.parameter_status("server_encoding") not in ("UTF8", "SQL_ASCII")

    @property
    def driver_connection(self) -> "psycopg.Connection[Any]":
        """The psycopg connection, in this session's transaction."""
        return self._connection

    def close(self) -> None:
        """Roll back what was not committed, and disconnect."""
        self._connection.close()

    def cancel(self) -> None:
        """End the statement that another thread runs on this session."""
        self._connection.cancel_safe(timeout=5.0)

    def sqlalchemy(self) -> "sqlalchemy.Connection":
        """See :meth:`Session.sqlalchemy`."""
        if self._sqlalchemy is None:
            from reconcile_assets.databases.postgresql.alchemy import wrap_connection

            self._sqlalchemy = wrap_connection(self._connection)
        return self._sqlalchemy

    def export_snapshot(self) -> str:
        """See :meth:`Session.export_snapshot`."""
        return str(self.fetch_scalar(sql.SQL("SELECT pg_export_snapshot()")))

    def fetch_scalar(self, statement: Any, parameters: Sequence[object] | Mapping[str, object] = ()) -> Any:
        """See :meth:`Session.fetch_scalar`; without parameters a percent sign in the statement is itself."""
        with translated_errors(self.name):
            row = self._connection.execute(statement, parameters or None).fetchone()
        return None if row is None else row[0]

    def describe(self, relation: Relation) -> Table:
        """See :meth:`Session.describe`."""
        if relation not in self._described:
            with translated_errors(self.name):
                if relation.table is not None:
                    table = describe_table(self._connection, relation.table, self.name)
                    check_relation(self._connection, relation, self.name)
                else:
                    check_relation(self._connection, relation, self.name)
                    table = describe_query(self._connection, relation, self.name)
            self._described[relation] = table
        return self._described[relation]

    def fetch_identity(self, relation: Relation) -> str | None:
        """See :meth:`Session.fetch_identity`."""
        table = self.describe(relation)
        if relation.table is None or table.is_view:
            return None
        with translated_errors(self.name):
            return fetch_identity(self._connection, table.name)

    def estimate_rows(self, relation: Relation) -> int:
        """See :meth:`Session.estimate_rows`."""
        return self._expected_rows(relation, sql.SQL("true"))

    def estimate_window_rows(self, relation: Relation, partitions: PartitionFilter) -> int:
        """See :meth:`Session.estimate_window_rows`."""
        return self._expected_rows(relation, Windows.of(partitions).condition)

    def _expected_rows(self, relation: Relation, inside: sql.Composable) -> int:
        table = self.describe(relation)
        source = source_of(relation, table.name if relation.table is not None else None)
        plan = self.fetch_scalar(sql.SQL("EXPLAIN (FORMAT JSON) SELECT * FROM {} WHERE {}").format(source, inside))
        return int(plan[0]["Plan"]["Plan Rows"])

    def fetch_checksums(
        self,
        relation: Relation,
        columns: Sequence[Column | ColumnForm],
        partitions: PartitionFilter | None = None,
        *,
        fast: bool = False,
    ) -> dict[str | None, Checksum]:
        """See :meth:`Session.fetch_checksums`."""
        forms = tuple(column if isinstance(column, ColumnForm) else _natural(column) for column in columns)
        query = RowsetQuery(relation, key=(), columns=forms, partitions=partitions, fast=fast, unique=True)
        sums = self.fetch_buckets(query, 1)
        keys: list[str | None] = [None] if partitions is None else [found.key for found in partitions.partitions]
        checksums: dict[str | None, Checksum] = dict.fromkeys(keys, NO_ROWS)
        for (window, _), found in sums.items():
            checksums[window] = Checksum.of_sums(found.rows, found.first, found.second)
        return checksums

    def fetch_buckets(self, query: RowsetQuery, buckets: int) -> dict[Bucket, BucketSums]:
        """See :meth:`Session.fetch_buckets`."""
        queries = self._queries(query)
        if query.partitions is not None and not query.partitions.partitions:
            return {}
        with translated_errors(self.name), self._set(_SUMMING):
            rows = self._connection.execute(queries.sums(buckets)).fetchall()
        self.cost.scans += 1
        self._count(rows)
        return dict(queries.read_sums(row) for row in rows)

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
        queries = self._queries(query)
        width = 2 + len(query.key)
        self.cost.scans += 1
        size = _BATCH if psycopg.capabilities.has_stream_chunked() else 1
        statement = queries.shipped(buckets, wanted, values=values, per_window=per_window)
        binary = query.fast and not values  # a digest is half as long then; exact texts are the same in both
        keys, cost, counts = queries.window_keys, self.cost, not self.cost.is_told_bytes
        with translated_errors(self.name), self._set(_SHIPPING), self._connection.cursor() as cursor:
            for row in cursor.stream(statement, size=size, binary=binary):
                cost.rows_read += 1
                if counts:
                    self._count_bytes((row,))
                yield ShippedRow(keys[row[0]], row[1], row[2:width], row[width:])

    def fetch_rows_by_key(self, query: RowsetQuery, keys: Sequence[tuple[str | None, ...]]) -> list[ShippedRow]:
        """See :meth:`Session.fetch_rows_by_key`."""
        queries = self._queries(query)
        width = 1 + len(query.key)
        with translated_errors(self.name):
            rows = self._connection.execute(queries.by_key(keys)).fetchall()
        self._count(rows)
        return [ShippedRow(queries.window_keys[row[0]], 0, row[1:width], row[width:]) for row in rows]

    def read_rows(
        self, relation: Relation, columns: Sequence[Column], partitions: PartitionFilter | None = None
    ) -> TextRows:
        """See :meth:`Session.read_rows`."""
        table = None if relation.table is None else self.describe(relation).name
        items = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(column.name)) for column in columns)
        inside = sql.SQL("true") if partitions is None else Windows.of(partitions).condition
        statement = sql.SQL("SELECT {} FROM {} WHERE {}").format(items, source_of(relation, table), inside)
        self.cost.scans += 1
        size = _BATCH if psycopg.capabilities.has_stream_chunked() else 1
        with translated_errors(self.name), self._connection.cursor() as cursor:
            batch: list[tuple[str | None, ...]] = []
            for row in cursor.stream(statement, size=size):
                batch.append(row)
                if len(batch) == _BATCH:
                    self.cost.rows_read += len(batch)
                    yield batch
                    batch = []
            self.cost.rows_read += len(batch)
            yield batch

    def fetch_aggregates(
        self, relation: Relation, partitions: PartitionFilter, aggregates: Sequence[Aggregate]
    ) -> Mapping[str, tuple[str | None, ...]]:
        """See :meth:`Session.fetch_aggregates`."""
        return figures.fetch_aggregates(self, relation, partitions, aggregates)

    def count_unpartitioned(self, relation: Relation, first: PartitionFilter, last: Partition | None) -> int:
        """See :meth:`Session.count_unpartitioned`."""
        return figures.count_unpartitioned(self, relation, first, last)

    def fetch_figure(self, query: FigureQuery) -> Value:
        """See :meth:`Session.fetch_figure`."""
        return figures.fetch_figure(self, query)

    def diagnosis(self) -> "PostgresDiagnosis":
        """See :meth:`Session.diagnosis`."""
        from reconcile_assets.databases.postgresql.diagnosis import PostgresDiagnosis

        return PostgresDiagnosis(self)

    def explain_figure(self, query: FigureQuery) -> None:
        """See :meth:`Session.explain_figure`."""
        figures.explain_figure(self, query)

    def _queries(self, query: RowsetQuery) -> DigestQueries:
        table = None if query.relation.table is None else self.describe(query.relation)
        return DigestQueries(query, table, recode=self._recodes)

    @contextmanager
    def _set(self, settings: Mapping[str, str]) -> Iterator[None]:
        """These settings for one statement; where it fails, the transaction's end takes them back."""
        scope = "SESSION" if self._connection.autocommit else "LOCAL"
        for values in (settings, dict.fromkeys(settings, "DEFAULT")):
            if values is not settings:
                yield
            self._connection.execute("; ".join(f"SET {scope} {name} = {value}" for name, value in values.items()))

    def _count(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self.cost.rows_read += len(rows)
        if not self.cost.is_told_bytes:
            self._count_bytes(rows)

    def _count_bytes(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """As the protocol writes rows; what stands between them is left out."""
        self.cost.count_bytes(
            sum(7 + 4 * len(row) + sum(len(str(item)) for item in row if item is not None) for row in rows)
        )


def _socket_of(connection: SessionConnection) -> int:
    try:
        return connection.fileno()
    except psycopg.Error:
        return -1


def _natural(column: Column) -> ColumnForm:
    canonical = natural_form(column.type)
    if canonical is None:
        raise NotComparable(f"column {column.name}: {column.type.native} has no exact form to compare by")
    return ColumnForm(column, canonical)
