"""Writing single rows by their keys, in one writing transaction of any engine.

The statements are made once, as tokens; an engine's :class:`RowSql` quotes their names, encodes
their values by the type of each column, and runs them. A key must be a primary or unique key of
its table, so that one write changes one row.
"""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from reconcile_assets.core.queued_writes import Operation, QueuedWrite
from reconcile_assets.core.record_texts import record_text
from reconcile_assets.core.tables import Column, Table, TableName
from reconcile_assets.databases.base import Relation
from reconcile_assets.databases.writing import Writer
from reconcile_assets.errors import ConstraintRefused, LossyWrite, MissingObject, UnknownEngine

_CHARACTERS = 256 * 1024  # of the values of one statement

_ENGINES = {"postgresql": "PostgresRowSql", "mysql": "MysqlRowSql", "sqlite": "SqliteRowSql", "duckdb": "DuckdbRowSql"}


@dataclass(frozen=True)
class Name:
    """An identifier, qualified where it has more than one part."""

    parts: tuple[str, ...]


@dataclass(frozen=True)
class Value:
    """A value for a column, as exact text; None for NULL."""

    column: Column
    text: str | None


Token = str | Name | Value
"""A text is SQL of our own."""


class RowSql(ABC):
    """Runs statements of one engine in a writer's transaction."""

    merges = False
    """Whether ``INSERT ... ON CONFLICT`` serves an upsert, also beside other writers."""

    @abstractmethod
    def run(self, tokens: Sequence[Token]) -> int:
        """Run a statement that changes rows; returns how many it has matched.

        Raises:
            LossyWrite: the engine has no such value.
            ReconcileAssetsError: the database refused it, or failed.
        """

    @abstractmethod
    def exists(self, tokens: Sequence[Token]) -> bool:
        """Whether a SELECT finds a row; where others may write, the row is locked."""

    def check(self, table: Table) -> None:  # noqa: B027 - most engines have one kind of table
        """Refuse a table that can't be written in a transaction.

        Raises:
            ConstraintRefused
        """


def open_row_sql(writer: Writer) -> RowSql:
    """The statements of a writer's engine.

    Raises:
        UnknownEngine: there are none for it.
    """
    engine = writer.session.engine
    if engine not in _ENGINES:
        raise UnknownEngine(f"{writer.session.name}: single rows are not written to a {engine} database")
    module = importlib.import_module(f"reconcile_assets.databases.{engine}.row_sql")
    opened: RowSql = getattr(module, _ENGINES[engine])(writer)
    return opened


class UnfitError(Exception):
    """A value that the engine does not have; :func:`change_rows` tells of it."""


def encoded(value: Value, encode: Any) -> Any:
    """What an engine's encoder makes of a value.

    Raises:
        UnfitError: the engine has no such value.
    """
    if value.text is None or encode is None:
        return value.text
    try:
        return encode(value.text)
    except (ValueError, ArithmeticError):
        raise UnfitError(
            f"column {value.column.name}: {value.column.type.native} can't hold a value as it is"
        ) from None


def change_rows(writer: Writer, writes: Sequence[QueuedWrite]) -> None:
    """Make these changes in their order.

    Neighbours of one shape share a statement where the engine can tell each row's outcome from it; an update tells
    of a missing row only by itself.

    Raises:
        MissingObject: there is no such table or column, or no row to be updated.
        ConstraintRefused: the key is none of the table's, or a constraint refused a row.
        LossyWrite: a column can't hold a value.
        ReconcileAssetsError: the database refused a row, or failed.
    """
    sql = open_row_sql(writer)
    tables: dict[str, Table] = {}
    for group in _groups(writes, merges=sql.merges):
        first = group[0]
        if first.table not in tables:
            tables[first.table] = _describe(writer, first.table)
            sql.check(tables[first.table])
        table = _KeyedTable(tables[first.table], first, writer.session.name)
        try:
            _CHANGES[first.operation](sql, table, [table.values(write) for write in group])
        except UnfitError as error:
            raise LossyWrite(f"{writer.session.name}: {table.label}: {error}") from None


def _describe(writer: Writer, text: str) -> Table:
    try:
        name = TableName.parse(text)
    except ValueError:
        raise MissingObject(f"{writer.session.name}: {text!r} is no table; write NAME or SCHEMA.NAME") from None
    table = writer.session.describe(Relation(table=name))
    if table.is_view:
        raise MissingObject(f"{writer.session.name}: {text} is a view; name the table beneath it")
    return table


def _groups(writes: Sequence[QueuedWrite], *, merges: bool) -> Iterator[list[QueuedWrite]]:
    """Neighbours that one statement can write: of one shape, of different rows, and not too long together."""
    shared = {Operation.INSERT, Operation.DELETE, *([Operation.UPSERT] if merges else [])}
    group: list[QueuedWrite] = []
    rows: set[str] = set()
    size = 0
    for write in writes:
        length = sum(len(value) if isinstance(value, str | bytes) else 20 for value in write.record.values())
        joins = group and write.operation in shared and _shape(write) == _shape(group[0])
        if group and not (joins and write.row not in rows and size + length <= _CHARACTERS):
            yield group
            group, rows, size = [], set(), 0
        group.append(write)
        rows.add(write.row)
        size += length
    if group:
        yield group


def _shape(write: QueuedWrite) -> tuple[object, ...]:
    return write.table, write.operation, write.key_columns, tuple(write.record)


class _KeyedTable:
    """A table, and the columns of one shape of writes to it."""

    def __init__(self, table: Table, write: QueuedWrite, database: str) -> None:
        self._database = database
        self.name = Name(tuple(part for part in (table.name.schema, table.name.name) if part is not None))
        self.label = str(table.name)
        self._columns = {name: self._find(table, name) for name in write.record}
        self.key = [self._columns[name] for name in write.key_columns]
        self.others = [column for name, column in self._columns.items() if name not in write.key_columns]
        written = {column.name for column in self._columns.values()}
        self.is_covered = all(
            column.name in written for column in table.columns if not (column.nullable or column.generated)
        )
        keys = {frozenset(found) for found in (table.primary_key, *table.unique_keys) if found}
        if frozenset(column.name for column in self.key) not in keys:
            names = ", ".join(column.name for column in self.key)
            raise ConstraintRefused(
                f"{database}: ({names}) is neither the primary key of {self.label} nor a unique key of columns that"
                " take no NULL: make it one, or name one that is"
            )

    @property
    def columns(self) -> list[Column]:
        """All of them."""
        return list(self._columns.values())

    def missing_row(self) -> MissingObject:
        """The refusal of an update that finds no row."""
        return MissingObject(
            f"{self._database}: there is no row to update in {self.label}; insert it first, or write by upsert"
        )

    def values(self, write: QueuedWrite) -> dict[str, Value]:
        """The values of a write, by the table's own names."""
        found = {}
        for name, value in write.record.items():
            column = self._columns[name]
            try:
                found[column.name] = Value(column, record_text(value, column))
            except LossyWrite as error:
                raise UnfitError(str(error)) from None
        return found

    def _find(self, table: Table, name: str) -> Column:
        near = [column for column in table.columns if column.name.casefold() == name.casefold()]
        exact = [column for column in near if column.name == name]
        if not exact and len(near) != 1:
            known = ", ".join(column.name for column in table.columns[:20])
            raise MissingObject(f"{self._database}: {self.label} has no column {name!r}; it has {known}")
        column = (exact or near)[0]
        if column.generated:
            raise ConstraintRefused(f"{self._database}: {self.label}.{name} is computed by the database; leave it out")
        return column


Row = dict[str, Value]


def _insert(sql: RowSql, table: _KeyedTable, rows: Sequence[Row]) -> None:
    sql.run(_insert_tokens(table, rows))


def _upsert(sql: RowSql, table: _KeyedTable, rows: Sequence[Row]) -> None:
    # Where a column that takes no NULL is left out, an INSERT would fail before it meets the row that is there.
    if sql.merges and table.others and table.is_covered:
        updates = _joined(", ", [[_name(column), "=", Name(("excluded", column.name))] for column in table.others])
        keys = _joined(", ", [[_name(column)] for column in table.key])
        sql.run([*_insert_tokens(table, rows), "ON CONFLICT (", *keys, ") DO UPDATE SET", *updates])
        return
    for row in rows:
        if _exists(sql, table, row):
            _set(sql, table, row)
        else:
            sql.run(_insert_tokens(table, [row]))


def _update(sql: RowSql, table: _KeyedTable, rows: Sequence[Row]) -> None:
    for row in rows:
        if sql.merges and table.others:  # it counts the rows that it has matched
            found = _set(sql, table, row) > 0
        else:
            found = _exists(sql, table, row)
            if found:
                _set(sql, table, row)
        if not found:
            raise table.missing_row()


def _delete(sql: RowSql, table: _KeyedTable, rows: Sequence[Row]) -> None:
    """A row that is gone already is what was asked for."""
    conditions = _joined(" OR ", [["(", *_condition(table, row), ")"] for row in rows])
    sql.run(["DELETE FROM", table.name, "WHERE", *conditions])


_CHANGES = {
    Operation.INSERT: _insert,
    Operation.UPSERT: _upsert,
    Operation.UPDATE: _update,
    Operation.DELETE: _delete,
}


def _insert_tokens(table: _KeyedTable, rows: Sequence[Row]) -> list[Token]:
    names = _joined(", ", [[_name(column)] for column in table.columns])
    values = [["(", *_joined(", ", [[row[column.name]] for column in table.columns]), ")"] for row in rows]
    return ["INSERT INTO", table.name, "(", *names, ") VALUES", *_joined(", ", values)]


def _exists(sql: RowSql, table: _KeyedTable, row: Row) -> bool:
    return sql.exists(["SELECT 1 FROM", table.name, "WHERE", *_condition(table, row)])


def _set(sql: RowSql, table: _KeyedTable, row: Row) -> int:
    if not table.others:
        return 0
    changes = _joined(", ", [[_name(column), "=", row[column.name]] for column in table.others])
    return sql.run(["UPDATE", table.name, "SET", *changes, "WHERE", *_condition(table, row)])


def _condition(table: _KeyedTable, row: Row) -> list[Token]:
    return _joined(" AND ", [[_name(column), "=", row[column.name]] for column in table.key])


def _name(column: Column) -> Name:
    return Name((column.name,))


def _joined(separator: str, parts: Sequence[Sequence[Token]]) -> list[Token]:
    joined: list[Token] = []
    for part in parts:
        if joined:
            joined.append(separator)
        joined.extend(part)
    return joined
