"""The writing transaction of a DuckDB file."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb

from reconcile_assets.core.recast import transfer_value
from reconcile_assets.core.tables import Table
from reconcile_assets.core.write_modes import WriteMode
from reconcile_assets.databases.base import Relation, Session
from reconcile_assets.databases.duckdb.connection import connect_for_writing
from reconcile_assets.databases.duckdb.encoding import encoder, value_sql
from reconcile_assets.databases.duckdb.session import DuckdbSession
from reconcile_assets.databases.duckdb.windows import window_condition
from reconcile_assets.databases.file_locks import writer_lock
from reconcile_assets.databases.quoting import quote_name
from reconcile_assets.databases.writing import Transfer, Writer
from reconcile_assets.errors import LossyWrite, SerializationConflict, UnknownOutcome

_BATCH = 5_000  # rows of one INSERT; a column of them is one list


@contextmanager
def opened_writer(path: str, *, name: str, lock_wait: float) -> Iterator["DuckdbWriter"]:
    """See :meth:`Database.writing`."""
    with writer_lock(path, name=name, wait=lock_wait):
        connection = connect_for_writing(path, name=name, wait=lock_wait)
        session = DuckdbSession(connection, name=name, statement_timeout=None)
        try:
            with session.translated():
                connection.execute("BEGIN TRANSACTION")
                yield DuckdbWriter(session)
        finally:
            session.close()


class DuckdbWriter(Writer):
    """See :class:`~reconcile_assets.databases.writing.Writer`. The file has one writing process, which is ours."""

    session: DuckdbSession

    def __init__(self, session: DuckdbSession) -> None:
        self.session = session
        self._connection = session.driver_connection

    def lock_partitions(self, table: Table, partitions: Sequence[str]) -> None:
        """See :meth:`Writer.lock_partitions`: nobody else writes to the file."""

    def write(self, transfer: Transfer, source: Session) -> Mapping[str, int]:
        """See :meth:`Writer.write`."""
        deleted = self._delete(transfer) if transfer.mode is WriteMode.REPLACE else {}
        self._insert(transfer, source)
        return deleted

    def commit(self, seconds: float) -> None:
        """See :meth:`Writer.commit`."""
        try:
            self._connection.execute("COMMIT")
        except (duckdb.FatalException, duckdb.IOException, duckdb.InternalException):
            raise UnknownOutcome(f"{self.session.name}: the file could not be written at COMMIT") from None

    def _delete(self, transfer: Transfer) -> Mapping[str, int]:
        column = transfer.table.column(transfer.writing.column)
        found: Counter[str | None] = Counter()
        relation = Relation(table=transfer.table.name)
        for batch in self.session.read_windows(relation, [], transfer.writing):
            found.update(window for window, _ in batch)
        condition = window_condition(column, transfer.writing)
        gone = self._connection.execute(
            " ".join(("DELETE FROM", _table(transfer.table), "WHERE", condition))
        ).fetchone()
        if gone is None or gone[0] != found.total():
            raise SerializationConflict(
                f"{self.session.name}: rows of {transfer.table.name} changed meanwhile; try again"
            )
        return {key: count for key, count in found.items() if key is not None}

    def _insert(self, transfer: Transfer, source: Session) -> None:
        statement = _insert_sql(transfer)
        makers = [transfer_value(pair, encoder(pair.target.type)) for pair in transfer.written]
        pending: list[tuple[str | None, ...]] = []

        def flush() -> None:
            if not pending:
                return
            columns = zip(*pending, strict=True)
            values = [[make(text) for text in column] for make, column in zip(makers, columns, strict=True)]
            try:
                self._connection.execute(statement, values)
            except (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.InvalidInputException):
                raise LossyWrite(
                    f"{self.session.name}: a value does not fit the type of its column in {transfer.table.name}"
                ) from None
            pending.clear()

        for batch in source.read_rows(transfer.relation, transfer.source_columns, transfer.reading):
            pending.extend(batch)
            if len(pending) >= _BATCH:
                flush()
        flush()


def _insert_sql(transfer: Transfer) -> str:
    names = ", ".join(quote_name(name) for name in transfer.target_names)
    texts = ", ".join(f"unnest(${number}::VARCHAR[]) AS c{number}" for number in range(1, len(transfer.written) + 1))
    values = ", ".join(value_sql(pair.target.type, f"c{at}") for at, pair in enumerate(transfer.written, start=1))
    parts = ("INSERT INTO", _table(transfer.table), "(", names, ") SELECT", values, "FROM (SELECT", texts, ") AS r")
    return " ".join(parts)


def _table(table: Table) -> str:
    return ".".join(quote_name(part) for part in (table.name.schema or "main", table.name.name))
