"""A DataFrame as a side of a comparison: its rows are hashed here, as those of a file are."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pandas as pd

from reconcile_assets.core.tables import Column, Table, TableName
from reconcile_assets.databases.base import Database, Relation
from reconcile_assets.databases.dataframe.columns import FrameColumn, read_column
from reconcile_assets.databases.streaming import Rows, StreamingSession
from reconcile_assets.databases.streaming_rows import Exact
from reconcile_assets.errors import NotComparable, UnknownEngine

_BATCH = 2_000
FRAME = TableName(None, "DataFrame")


class FrameDatabase(Database):
    """A DataFrame, which stands for a database of one table.

    Args:
        frame: not to be changed while it is compared. The levels of its index that have a name are columns too,
            unless a column has that name; where such an index is unique it is the key that is taken when none is given.

    Raises:
        NotComparable: its columns can't be told apart by names that are texts.
    """

    engine = "dataframe"

    def __init__(self, frame: pd.DataFrame, *, name: str) -> None:
        self.name = name
        self._columns = _columns_of(frame, name)
        self._key = _key_of(frame, self._columns)
        self._size = len(frame)

    def __repr__(self) -> str:
        return f"FrameDatabase(name={self.name!r})"

    @contextmanager
    def session(
        self,
        *,
        read_only: bool = True,
        statement_timeout: float | None = None,
        snapshot: str | None = None,
        repeatable: bool = True,
    ) -> Iterator["FrameSession"]:
        """See :meth:`Database.session`.

        Raises:
            UnknownEngine: writing was asked for.
        """
        if not read_only or snapshot is not None:
            raise UnknownEngine(f"{self.name}: a DataFrame can be compared by diff, not written to")
        yield FrameSession(self._columns, self._key, self._size, name=self.name, statement_timeout=statement_timeout)


def _columns_of(frame: pd.DataFrame, name: str) -> dict[str, "pd.Series[Any]"]:
    if isinstance(frame.columns, pd.MultiIndex):
        raise NotComparable(f"{name}: the DataFrame's columns have several levels; give each column one name")
    columns: dict[str, pd.Series[Any]] = {}
    for place, label in enumerate(frame.columns):
        if not isinstance(label, str) or not label:
            raise NotComparable(
                f"{name}: the label of column {place} of the DataFrame is no name but {type(label).__name__}; rename it"
            )
        if label in columns:
            raise NotComparable(f"{name}: the DataFrame has two columns named {label}; rename one of them")
        columns[label] = frame.iloc[:, place]
    levels = {
        str(level): pd.Series(frame.index.get_level_values(place).array)
        for place, level in enumerate(frame.index.names)
        if isinstance(level, str) and level and level not in columns
    }
    return {**levels, **columns}


def _key_of(frame: pd.DataFrame, columns: Mapping[str, "pd.Series[Any]"]) -> tuple[str, ...]:
    names = [level for level in frame.index.names if isinstance(level, str) and level not in frame.columns]
    is_key = len(names) == len(frame.index.names) and len(set(names)) == len(names) and frame.index.is_unique
    return tuple(names) if is_key and not any(columns[level].isna().any() for level in names) else ()


class FrameSession(StreamingSession):
    """See :class:`~reconcile_assets.databases.base.Session`."""

    engine = "dataframe"

    def __init__(
        self,
        columns: Mapping[str, "pd.Series[Any]"],
        key: tuple[str, ...],
        size: int,
        *,
        name: str,
        statement_timeout: float | None,
    ) -> None:
        super().__init__(name=name, statement_timeout=statement_timeout)
        self._read: dict[str, FrameColumn] = {label: read_column(series) for label, series in columns.items()}
        self._key = key
        self._size = size
        self.notes = tuple(
            f"column {label}: {found.nans} NaN of the {name}'s DataFrame are taken as NULL, which"
            f" {found.type.native} can't tell from NaN (Float64 can)"
            for label, found in self._read.items()
            if found.nans
        )

    def interrupt(self) -> None:
        """See :meth:`StreamingSession.interrupt`: the next batch ends it."""

    @contextmanager
    def translated(self) -> Iterator[None]:
        """See :meth:`StreamingSession.translated`: there is no driver."""
        yield

    def exact(self, column: Column) -> Exact | None:
        """See :meth:`StreamingSession.exact`: read as exact texts."""
        return None

    def read(self, relation: Relation, columns: Sequence[Column], condition: str | None = None) -> Rows:
        """See :meth:`StreamingSession.read`."""
        chosen = [self._read[column.name] for column in columns]
        for start in range(0, self._size, _BATCH):
            stop = min(start + _BATCH, self._size)
            if chosen:
                yield list(zip(*(column.texts(start, stop) for column in chosen), strict=True))
            else:
                yield [()] * (stop - start)

    def describe_anew(self, relation: Relation) -> Table:
        """See :meth:`Session.describe`.

        Raises:
            NotComparable: a condition or query was given.
        """
        if relation.query is not None or relation.where is not None:
            raise NotComparable(f"{self.name}: a DataFrame takes no condition in SQL; choose its rows in pandas")
        columns = tuple(Column(label, found.type) for label, found in self._read.items())
        return Table(FRAME, columns, primary_key=self._key)

    def adopt_types(self, relation: Relation, other: Table) -> Table:
        """A column without any value takes the type that its namesake on the other side has: NULL is of every type."""
        table = self.describe(relation)
        known = {column.name.casefold(): column.type for column in other.columns}
        columns = tuple(
            column
            if self._read[column.name].has_values
            else replace(column, type=known.get(column.name.casefold(), column.type))
            for column in table.columns
        )
        self._described[relation] = replace(table, columns=columns)
        return self._described[relation]

    def estimate_rows(self, relation: Relation) -> int:
        """See :meth:`Session.estimate_rows`."""
        return self._size

    def fetch_scalar(self, statement: Any, parameters: Sequence[object] | Mapping[str, object] = ()) -> Any:
        """See :meth:`Session.fetch_scalar`: a DataFrame runs no statements."""
        raise UnknownEngine(f"{self.name}: a DataFrame runs no statements")
