"""A DuckDB file, read only, in one transaction."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconcile_assets.core.canonical import ColumnForm
from reconcile_assets.core.tables import Column, Table
from reconcile_assets.databases.base import Bucket, BucketSums, Database, PartitionFilter, Relation, RowsetQuery
from reconcile_assets.databases.diagnosis import Diagnosis, FileDiagnosis
from reconcile_assets.databases.duckdb.catalog import check_relation, describe_query, describe_table
from reconcile_assets.databases.duckdb.connection import connect
from reconcile_assets.databases.duckdb.digest import SURE, DigestQueries
from reconcile_assets.databases.duckdb.files import file_query
from reconcile_assets.databases.duckdb.memory import BoundedStatement, can_be_bounded
from reconcile_assets.databases.duckdb.types import resolve_type
from reconcile_assets.databases.duckdb.values import Exact, exact_of, exact_sql, quick_column
from reconcile_assets.databases.duckdb.windows import moment_literal, window_condition
from reconcile_assets.databases.figures import FigureQuery, Value, read_value
from reconcile_assets.databases.file_urls import MEMORY, file_of, require_file
from reconcile_assets.databases.quoting import quote_name, select_from, source_of
from reconcile_assets.databases.streaming import Rows, StreamingSession
from reconcile_assets.databases.streaming_digest import Quick
from reconcile_assets.errors import QueryRefused, UnknownEngine

if TYPE_CHECKING:
    import duckdb
    import sqlalchemy

    from reconcile_assets.databases.duckdb.writer import DuckdbWriter

_BATCH = 2000


class DuckdbDatabase(Database):
    """A DuckDB file by URL, or ``duckdb:///:memory:`` to read other files through."""

    engine = "duckdb"

    def __init__(self, url: str, *, name: str) -> None:
        self.name = name
        self._path = file_of(url, name=name)

    def __repr__(self) -> str:
        return f"DuckdbDatabase(name={self.name!r})"

    @property
    def place(self) -> str:
        """See :meth:`Database.place`."""
        return "" if self._path == MEMORY else self._path

    def file_query(self, text: str) -> str | None:
        """See :meth:`Database.file_query`."""
        return file_query(text)

    @contextmanager
    def session(
        self,
        *,
        read_only: bool = True,
        statement_timeout: float | None = None,
        snapshot: str | None = None,
        repeatable: bool = True,
    ) -> Iterator["DuckdbSession"]:
        """See :meth:`Database.session`.

        Raises:
            MissingObject: there is no such file.
            ConfigurationError: the file is no database.
            UnknownEngine: the driver is not installed, or writing was asked for.
        """
        if not read_only or snapshot is not None:
            raise UnknownEngine(f"{self.name}: a DuckDB file has no snapshot to share, and is written by a writer only")
        if self._path != MEMORY:
            require_file(self._path, name=self.name)
        connection = connect(self._path, name=self.name, read_only=self._path != MEMORY)
        session = DuckdbSession(connection, name=self.name, statement_timeout=statement_timeout, bounds_memory=True)
        try:
            with session.translated():
                session.begin(repeatable=repeatable)
            yield session
        finally:
            session.close()

    @contextmanager
    def writing(self, *, lock_wait: float) -> Iterator["DuckdbWriter"]:
        """See :meth:`Database.writing`."""
        if self._path == MEMORY:
            raise UnknownEngine(f"{self.name}: what is written to a database in memory is lost; name a file")
        require_file(self._path, name=self.name)
        try:
            from reconcile_assets.databases.duckdb.writer import opened_writer  # not needed to compare
        except ImportError:
            connect(self._path, name=self.name, read_only=True).close()  # says what is not installed
            raise
        with opened_writer(self._path, name=self.name, lock_wait=lock_wait) as writer:
            yield writer


class DuckdbSession(StreamingSession):
    """See :class:`~reconcile_assets.databases.base.Session`.

    Args:
        bounds_memory: the connection's settings are ours to change for as long as rows are summed up.
    """

    engine = "duckdb"

    def __init__(
        self,
        connection: "duckdb.DuckDBPyConnection",
        *,
        name: str,
        statement_timeout: float | None,
        bounds_memory: bool = False,
    ) -> None:
        super().__init__(name=name, statement_timeout=statement_timeout)
        self._connection = connection
        self._bounds_memory = bounds_memory
        self._bounded: BoundedStatement | None = None
        self._sqlalchemy: sqlalchemy.Connection | None = None

    @property
    def driver_connection(self) -> "duckdb.DuckDBPyConnection":
        """DuckDB's connection, in this session's transaction."""
        return self._connection

    def sqlalchemy(self) -> "sqlalchemy.Connection":
        """See :meth:`Session.sqlalchemy`."""
        if self._sqlalchemy is None:
            from reconcile_assets.databases.duckdb.alchemy import wrap_connection

            self._sqlalchemy = wrap_connection(self._connection)
        return self._sqlalchemy

    def begin(self, *, repeatable: bool = True) -> None:
        """Start the snapshot."""
        if repeatable:
            self._connection.execute("BEGIN TRANSACTION")

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()

    def interrupt(self) -> None:
        """See :meth:`StreamingSession.interrupt`."""
        for running in (self._connection, self._bounded):
            if running is not None:
                running.interrupt()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """See :meth:`StreamingSession.translated`."""
        import duckdb

        from reconcile_assets.databases.duckdb.errors import translate

        try:
            yield
        except duckdb.Error as error:
            raise translate(error, self.name) from None

    def exact(self, column: Column) -> Exact | None:
        """See :meth:`StreamingSession.exact`."""
        return exact_of(column.type)

    def read(self, relation: Relation, columns: Sequence[Column], condition: str | None = None) -> Rows:
        """See :meth:`StreamingSession.read`."""
        table = None if relation.table is None else self.describe(relation).name
        items = [exact_sql(column.type, quote_name(column.name)) for column in columns] or ["NULL"]
        where = "" if condition is None else f" WHERE {condition}"
        self._connection.execute(select_from(items, source_of(relation, table)) + where)
        while batch := self._connection.fetchmany(_BATCH):
            yield batch

    def quick(self, form: ColumnForm) -> Quick | None:
        """See :meth:`StreamingSession.quick`."""
        return quick_column(form)

    def fetch_buckets(self, query: RowsetQuery, buckets: int) -> dict[Bucket, BucketSums]:
        """See :meth:`Session.fetch_buckets`: summed up by DuckDB, where it can compute the digests."""
        queries = self._queries(query)
        if not queries.can_sum or (query.partitions is not None and not query.partitions.partitions):
            return self.sum_rows(query, buckets)
        self.cost.scans += 1
        with self.limited():
            rows = self._sum(queries.sums(buckets))
        self.cost.rows_read += len(rows)
        sums = dict(queries.read_sums(row) for row in rows if row[-1])
        if len(sums) == len(rows):
            return sums
        if not query.unique and query.key:  # a key may stand on both a sure and an unsure row
            return self.sum_rows(query, buckets)
        for at, more in self.sum_rows(query, buckets, queries.unsure()).items():
            found = sums.get(at, BucketSums(0, 0, 0))
            sums[at] = BucketSums(found.rows + more.rows, found.first + more.first, 0)
        return sums

    def _sum(self, statement: str) -> list[tuple[Any, ...]]:
        rows = None
        if self._bounds_memory and can_be_bounded(self._connection):
            self._bounded = BoundedStatement(self._connection)
            rows = self._bounded.fetch(statement)
            self._bounded = None
        return self._connection.execute(statement).fetchall() if rows is None else rows

    def bucket_condition(self, query: RowsetQuery, buckets: int, wanted: Sequence[Bucket]) -> str | None:
        """See :meth:`StreamingSession.bucket_condition`."""
        condition = self._queries(query).wanted(buckets, wanted)
        return None if condition == SURE else condition

    def _queries(self, query: RowsetQuery) -> DigestQueries:
        table = None if query.relation.table is None else self.describe(query.relation).name
        condition = SURE
        if query.partitions is not None:
            column = self.describe(query.relation).column(query.partitions.column)
            condition = window_condition(column, query.partitions)
        return DigestQueries(query, source_of(query.relation, table), condition)

    def condition_of(self, column: Column, partitions: PartitionFilter) -> str | None:
        """See :meth:`StreamingSession.condition_of`."""
        return window_condition(column, partitions)

    def fetch_identity(self, relation: Relation) -> str | None:
        """See :meth:`Session.fetch_identity`."""
        table = self.describe(relation)
        if relation.table is None or table.is_view:
            return None
        path = self._fetch_path()
        found = Path(path).stat() if path else None
        return None if found is None else f"{found.st_dev} {found.st_ino} {table.name}"

    def diagnosis(self) -> Diagnosis:
        """See :meth:`Session.diagnosis`."""
        import duckdb

        return FileDiagnosis(
            self, str(self._fetch_path() or MEMORY), engine="DuckDB", version=duckdb.__version__, keeps_schemas=True
        )

    def _fetch_path(self) -> str | None:
        path = self.fetch_scalar("SELECT path FROM duckdb_databases() WHERE database_name = current_database()")
        return str(path) if path else None

    def fetch_figure(self, query: FigureQuery) -> Value:
        """See :meth:`Session.fetch_figure`; fetched as exact text, as Python's own types would lose something."""
        source = query.wrapped(moment_literal)
        with self.limited():
            described = self._connection.execute(" ".join(("DESCRIBE SELECT * FROM", source, "AS q"))).fetchall()
            if len(described) != 1:
                query.refuse_shape(self.name, columns=len(described), rows=1)
            column_type = resolve_type(described[0][1])
            item = exact_sql(column_type, "x")
            self._connection.execute(" ".join((select_from((item,), source), "AS q(x)")))
            rows = self._connection.fetchmany(2)
        query.refuse_shape(self.name, columns=1, rows=len(rows))
        write, value = exact_of(column_type), rows[0][0]
        text = value if write is None else write(value)
        return None if text is None else read_value(text, column_type.kind)

    def describe_anew(self, relation: Relation) -> Table:
        """See :meth:`Session.describe`."""
        check_relation(self._connection, relation, self.name)
        describe = describe_query if relation.table is None else describe_table
        return describe(self._connection, relation, self.name)

    def estimate_rows(self, relation: Relation) -> int:
        """See :meth:`Session.estimate_rows`; counted."""
        table = None if relation.table is None else self.describe(relation).name
        return int(self.fetch_scalar(select_from(("count(*)",), source_of(relation, table))))

    def fetch_scalar(self, statement: Any, parameters: Sequence[object] | Mapping[str, object] = ()) -> Any:
        """See :meth:`Session.fetch_scalar`."""
        if not isinstance(statement, str):
            raise QueryRefused(f"{self.name}: this statement is written for PostgreSQL, not for DuckDB")
        with self.limited():
            row = self._connection.execute(statement, parameters or None).fetchone()
        return None if row is None else row[0]
