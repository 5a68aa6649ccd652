"""One MySQL or MariaDB connection and one transaction, as the dialect contract asks."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import SSCursor

from reconcile_assets.core.canonical import Canonical, ColumnForm, Form, natural_form
from reconcile_assets.core.compare import NO_ROWS, Checksum
from reconcile_assets.core.row_digest import digest_of
from reconcile_assets.core.tables import Column, Table
from reconcile_assets.core.windows import Partition
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
from reconcile_assets.databases.figures import Aggregate, FigureQuery, Value
from reconcile_assets.databases.mysql import figures
from reconcile_assets.databases.mysql.catalog import check_relation, describe_query, describe_table, source_of
from reconcile_assets.databases.mysql.connection import execute
from reconcile_assets.databases.mysql.digest import DigestQueries
from reconcile_assets.databases.mysql.errors import TOO_LONG, translated_errors
from reconcile_assets.databases.mysql.statements import Sql, fill, identifier, integer_literal, join, sql
from reconcile_assets.databases.mysql.values import reader, value_sql
from reconcile_assets.databases.mysql.windows import Windows
from reconcile_assets.databases.wire import received_bytes
from reconcile_assets.errors import ConfigurationError, CouldNotVerify, NotComparable

if TYPE_CHECKING:
    import sqlalchemy

    from reconcile_assets.databases.mysql.diagnosis import MysqlDiagnosis

_BATCH = 1000  # rows read at a time


class MysqlSession(Session):
    """See :class:`~reconcile_assets.databases.base.Session`."""

    engine = "mysql"

    def __init__(self, connection: Any, parameters: Mapping[str, Any], *, name: str) -> None:
        self.name = name
        self.cost = CostMeter(
            received_bytes(lambda: -1 if connection._sock is None else int(connection._sock.fileno()))
        )
        self._connection = connection
        self._parameters = dict(parameters)
        self._thread = connection.thread_id()
        self._streams: list[SSCursor] = []
        self._described: dict[Relation, Table] = {}
        self._sqlalchemy: sqlalchemy.Connection | None = None

    @property
    def hash_family(self) -> str:
        """All servers hash alike: by the portable digest."""
        return "mysql"

    @property
    def driver_connection(self) -> Any:
        """The PyMySQL connection, in this session's transaction."""
        return self._connection

    def close(self) -> None:
        """Disconnect, which rolls back; a stream that was left in the middle is cut, not read to its end."""
        for cursor in self._streams:
            _abandon(cursor)
        with suppress(pymysql.Error):
            self._connection.close()

    def cancel(self) -> None:
        """End the statement that another thread runs on this session."""
        with translated_errors(self.name):
            helper: Any = Connection(**self._parameters, connect_timeout=5, read_timeout=5)
            try:
                execute(helper, fill("KILL QUERY {thread}", thread=integer_literal(self._thread)))
            finally:
                helper.close()

    def sqlalchemy(self) -> "sqlalchemy.Connection":
        """See :meth:`Session.sqlalchemy`.

        Raises:
            ConfigurationError: the URL names no database: there is no place for the ledger.
        """
        if self._parameters.get("database") is None:
            raise ConfigurationError(
                f"{self.name}: the URL names no database; add the one that is to hold the audit log"
            )
        if self._sqlalchemy is None:
            from reconcile_assets.databases.mysql.alchemy import wrap_connection

            with translated_errors(self.name):
                self._sqlalchemy = wrap_connection(self._connection)
        return self._sqlalchemy

    def export_snapshot(self) -> str:
        """See :meth:`Session.export_snapshot`.

        Raises:
            NotComparable: always.
        """
        raise NotComparable(f"{self.name}: MySQL has no snapshot that two sessions share")

    def fetch_scalar(self, statement: Any, parameters: Sequence[object] | Mapping[str, object] = ()) -> Any:
        """See :meth:`Session.fetch_scalar`; every value comes as its text."""
        with translated_errors(self.name), self._connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            row = cursor.fetchone()
        return None if row is None else row[0]

    def describe(self, relation: Relation) -> Table:
        """See :meth:`Session.describe`."""
        if relation not in self._described:
            with translated_errors(self.name):
                table = None
                if relation.table is not None:
                    table = describe_table(self._connection, relation.table, self.name)
                check_relation(self._connection, relation, table, self.name)
                self._described[relation] = table or describe_query(self._connection, relation, self.name)
        return self._described[relation]

    def estimate_rows(self, relation: Relation) -> int:
        """See :meth:`Session.estimate_rows`."""
        statement = fill("EXPLAIN FORMAT=TRADITIONAL SELECT * FROM {source}", source=self.source_of(relation))
        with translated_errors(self.name), self._connection.cursor() as cursor:
            cursor.execute(statement)
            at = [column[0].lower() for column in cursor.description].index("rows")
            plan = cursor.fetchall()
        return max((int(row[at]) for row in plan if row[at] is not None), default=0)

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
        keys: list[str | None] = [None] if partitions is None else [found.key for found in partitions.partitions]
        checksums: dict[str | None, Checksum] = dict.fromkeys(keys, NO_ROWS)
        for (window, _), found in self.fetch_buckets(query, 1).items():
            checksums[window] = Checksum.of_sums(found.rows, found.first, found.second)
        return checksums

    def fetch_buckets(self, query: RowsetQuery, buckets: int) -> dict[Bucket, BucketSums]:
        """See :meth:`Session.fetch_buckets`."""
        if query.partitions is not None and not query.partitions.partitions:
            return {}
        queries = self._queries(query)
        doubtful = queries.large_floats()
        with translated_errors(self.name):
            if doubtful is not None and execute(self._connection, doubtful):
                raise CouldNotVerify(
                    f"{self.name}: a float in the key is beyond 2^53, where engines write floats differently;"
                    " choose another key"
                )
            rows = execute(self._connection, queries.sums(buckets))
        self.cost.scans += 1
        self._count(rows)
        keys = queries.window_keys
        found: dict[Bucket, BucketSums] = {}
        for row in rows:
            window, bucket, count, total, nulls, duplicates = (int(value) for value in row)
            found[keys[window], bucket] = BucketSums(count, total, 0, nulls, duplicates)
        return found

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
        keys = queries.window_keys
        width = 2 + len(query.key)
        readers = _readers(query, values=values)
        self.cost.scans += 1
        with translated_errors(self.name):
            cursor = SSCursor(self._connection)
            self._streams.append(cursor)
            cursor.execute(queries.shipped(buckets, wanted, values=values, per_window=per_window))
            while (row := cursor.fetchone()) is not None:
                self._count((row,))
                texts = _read(readers, row[2:])
                content = texts[len(query.key) :] if values else (self._digest(row[width]),)
                yield ShippedRow(keys[int(row[0])], int(row[1]), texts[: len(query.key)], content)
            self._streams.remove(cursor)
            cursor.close()

    def fetch_rows_by_key(self, query: RowsetQuery, keys: Sequence[tuple[str | None, ...]]) -> list[ShippedRow]:
        """See :meth:`Session.fetch_rows_by_key`."""
        if not keys:
            return []
        queries = self._queries(query)
        names = queries.window_keys
        readers = _readers(query, values=True)
        with translated_errors(self.name):
            rows = execute(self._connection, queries.by_key(keys))
        self._count(rows)
        width = len(query.key)
        read = [(row[0], _read(readers, row[1:])) for row in rows]
        return [ShippedRow(names[int(window)], 0, texts[:width], texts[width:]) for window, texts in read]

    def read_rows(
        self, relation: Relation, columns: Sequence[Column], partitions: PartitionFilter | None = None
    ) -> TextRows:
        """See :meth:`Session.read_rows`."""
        forms = [ColumnForm(column, natural_form(column.type) or Canonical(Form.TEXT)) for column in columns]
        inside = sql("TRUE")
        if partitions is not None:
            inside = Windows(partitions.column, partitions.kind, partitions.partitions).condition
        statement = fill(
            "SELECT {items} FROM {source} WHERE {inside}",
            items=join(", ", [value_sql(form, identifier(form.column.name)) for form in forms]),
            source=self.source_of(relation),
            inside=inside,
        )
        readers = [reader(form) for form in forms]
        self.cost.scans += 1
        with translated_errors(self.name):
            cursor = SSCursor(self._connection)
            self._streams.append(cursor)
            cursor.execute(statement)
            while rows := cursor.fetchmany(_BATCH):
                self._count(rows)
                yield [_read(readers, row) for row in rows]
            self._streams.remove(cursor)
            cursor.close()

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

    def diagnosis(self) -> "MysqlDiagnosis":
        """See :meth:`Session.diagnosis`."""
        from reconcile_assets.databases.mysql.diagnosis import MysqlDiagnosis

        return MysqlDiagnosis(self)

    def fetch_identity(self, relation: Relation) -> str | None:
        """See :meth:`Session.fetch_identity`."""
        table = self.describe(relation)
        if relation.table is None or table.is_view:
            return None
        server = self.fetch_scalar("SELECT CONCAT_WS(' ', @@hostname, @@port, @@datadir, @@pid_file)")
        return f"{server} {table.name}"

    def source_of(self, relation: Relation) -> Sql:
        """The relation as it stands after FROM."""
        table = self.describe(relation)
        return source_of(relation, None if relation.table is None else table)

    def _queries(self, query: RowsetQuery) -> DigestQueries:
        return DigestQueries(query, self.source_of(query.relation))

    def _digest(self, md5: str | bytes | None) -> int:
        if md5 is None:
            raise CouldNotVerify(f"{self.name}: {TOO_LONG}")
        return digest_of(bytes.fromhex(md5 if isinstance(md5, str) else md5.decode()))

    def _count(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self.cost.rows_read += len(rows)
        if not self.cost.is_told_bytes:
            self.cost.count_bytes(sum(4 + sum(1 + len(item) for item in row if item is not None) for row in rows))


def _readers(query: RowsetQuery, *, values: bool) -> list[Any]:
    return [reader(form) for form in (*query.key, *(query.columns if values else ()))]


def _read(readers: Sequence[Any], row: Sequence[Any]) -> tuple[str | None, ...]:
    return tuple(
        None if value is None else read(value if isinstance(value, bytes) else value.encode())
        for read, value in zip(readers, row, strict=False)
    )


def _abandon(cursor: Any) -> None:
    """Let the driver forget a result without reading the rest of it: the connection is closed next."""
    result = cursor._result
    if result is not None:
        result.unbuffered_active = False
        result.connection = None
    cursor._result = None
    cursor.connection = None


def _natural(column: Column) -> ColumnForm:
    canonical = natural_form(column.type)
    if canonical is None:
        raise NotComparable(f"column {column.name}: {column.type.native} has no exact form to compare by")
    return ColumnForm(column, canonical)
