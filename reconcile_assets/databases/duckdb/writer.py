"""The writing transaction of a DuckDB file."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

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
from reconcile_assets.databases.quoting import quote_name, select_from
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

    def commit(self, seconds: float) -> None:
        """See :meth:`Writer.commit`."""
        try:
            self._connection.execute("COMMIT")
        except (duckdb.FatalException, duckdb.IOException, duckdb.InternalException):
            raise UnknownOutcome(f"{self.session.name}: the file could not be written at COMMIT") from None

    def count_windows(self, transfer: Transfer) -> Mapping[str, int]:
        """See :meth:`Writer.count_windows`."""
        found: Counter[str | None] = Counter()
        for batch in self.session.read_windows(Relation(table=transfer.table.name), [], transfer.writing):
            found.update(window for window, _ in batch)
        return {key: count for key, count in found.items() if key is not None}

    def delete_windows(self, transfer: Transfer) -> Mapping[str, int]:
        """See :meth:`Writer.delete_windows`."""
        deleted = self.count_windows(transfer)
        column = transfer.table.column(transfer.writing.column)
        delete = ("DELETE FROM", _table(transfer.table), "WHERE", window_condition(column, transfer.writing))
        gone = self._connection.execute(" ".join(delete)).fetchone()
        if gone is None or gone[0] != sum(deleted.values()):
            raise SerializationConflict(f"{self.session.name}: {transfer.table.name} changed meanwhile; try again")
        return deleted

    def insert_rows(self, transfer: Transfer, source: Session) -> None:
        """See :meth:`Writer.insert_rows`."""
        makers = [transfer_value(pair, encoder(pair.target.type)) for pair in transfer.written]
        pending: list[tuple[str | None, ...]] = []
        for batch in source.read_rows(transfer.relation, transfer.source_columns, transfer.reading):
            pending.extend(batch)
            if len(pending) >= _BATCH:
                self._insert(transfer, makers, pending)
                pending = []
        if pending:
            self._insert(transfer, makers, pending)

    def _insert(
        self, transfer: Transfer, makers: Sequence[Callable[[str | None], Any]], rows: Sequence[tuple[str | None, ...]]
    ) -> None:
        columns = zip(*rows, strict=True)
        values = [[make(text) for text in column] for make, column in zip(makers, columns, strict=True)]
        try:
            if transfer.mode is WriteMode.UPSERT:  # DuckDB's own upsert changes no column that has an index
                names = list(transfer.target_names)
                self._connection.execute(
                    _delete_sql(transfer), [values[names.index(key)] for key in transfer.key_names]
                )
            self._connection.execute(_insert_sql(transfer), values)
        except (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.InvalidInputException):
            raise LossyWrite(f"{self.session.name}: {self._name_culprit(transfer, values)}") from None

    def _name_culprit(self, transfer: Transfer, values: Sequence[Sequence[Any]]) -> str:
        """Which column a refused value is of; asked beside the transaction, which takes no more statements."""
        with self._connection.cursor() as beside:
            for pair, column in zip(transfer.written, values, strict=True):
                tried = "".join(("TRY(", value_sql(pair.target.type, "c"), ")"))
                texts = "(SELECT unnest($1::VARCHAR[]) AS c) AS r WHERE c IS NOT NULL"
                query = " ".join((select_from(("count(*)",), texts), "AND", tried, "IS NULL"))
                found = beside.execute(query, [column]).fetchone()
                if found and found[0]:
                    return f"column {pair.source.name}: the {pair.target.type.native} of the target can't hold a value"
        return f"a value does not fit the type of its column in {transfer.table.name}"


def _delete_sql(transfer: Transfer) -> str:
    """Delete the rows of these keys."""
    table, texts = _table(transfer.table), _texts(len(transfer.key))
    tests = [
        "".join(("t.", quote_name(pair.target.name), " = ", value_sql(pair.target.type, f"r.c{at}")))
        for at, pair in enumerate(transfer.key, start=1)
    ]
    return " ".join(("DELETE FROM", table, "AS t USING (SELECT", texts, ") AS r WHERE", " AND ".join(tests)))


def _insert_sql(transfer: Transfer) -> str:
    names = ", ".join(quote_name(name) for name in transfer.target_names)
    values = ", ".join(value_sql(pair.target.type, f"c{at}") for at, pair in enumerate(transfer.written, start=1))
    parts = ["INSERT INTO", _table(transfer.table), "(", names, ") SELECT", values]
    parts += ["FROM (SELECT", _texts(len(transfer.written)), ") AS r"]
    if transfer.mode is WriteMode.APPEND and transfer.key:
        key = ", ".join(quote_name(name) for name in transfer.key_names)
        parts += ["ON CONFLICT (", key, ") DO NOTHING"]
    return " ".join(parts)


def _texts(count: int) -> str:
    """Lists of texts, one for each column, side by side as rows."""
    return ", ".join(f"unnest(${number}::VARCHAR[]) AS c{number}" for number in range(1, count + 1))


def _table(table: Table) -> str:
    return ".".join(quote_name(part) for part in (table.name.schema or "main", table.name.name))
