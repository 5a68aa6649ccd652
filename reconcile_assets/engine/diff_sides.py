"""The two sides of a ``diff``: tables behind URLs, engines or connections of SQLAlchemy's, and DataFrames."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from reconcile_assets.core.tables import Table, TableName
from reconcile_assets.databases import open_database
from reconcile_assets.databases.base import Database, Relation, Session
from reconcile_assets.errors import ConfigurationError

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa

Side: TypeAlias = "str | sa.Engine | sa.Connection | pd.DataFrame"
_FRAME = TableName(None, "DataFrame")


@dataclass(frozen=True)
class DiffSide:
    """One side: where its rows are, which of them are compared, and the person's name for them."""

    database: Database
    relation: Relation
    table: str

    @property
    def shown(self) -> str:
        """What its rows are: a table or file (a query is not repeated), where it is, and the condition on it."""
        name = self.table if self.relation.query != self.table else str(self.relation)
        where = ", ".join(part for part in (self.database.engine, self.database.place) if part)
        return f"{name} ({where})" + (f" where {self.relation.where}" if self.relation.where else "")


def resolve_sides(given: Sequence[object], wheres: tuple[str | None, str | None]) -> tuple[DiffSide, DiffSide]:
    """The source and the target.

    Args:
        given: source, its table, target, its table; a DataFrame has no table, and None or nothing stands for it.
        wheres: the conditions on each.

    Raises:
        ConfigurationError: a side or a table is missing, or is nothing that can be compared.
    """
    source, source_table, target, target_table = given
    is_short = target_table is None and (target is None or isinstance(target, str))
    if _is_frame(source) and source_table is not None and is_short:  # diff(frame, url, "table"), diff(frame, frame)
        source_table, target, target_table = None, source_table, target
    sides = (
        _resolve("source", source, source_table, wheres[0]),
        _resolve("target", target, target_table, wheres[1]),
    )
    if source is target and getattr(sides[0].database, "reads_one_at_a_time", False):
        raise ConfigurationError(
            "source and target are one connection, which can't read both at once; give its engine for one of them"
        )
    return sides


def describe_sides(sessions: tuple[Session, Session], relations: tuple[Relation, Relation]) -> tuple[Table, Table]:
    """Both tables; a DataFrame's column without values has the type of the other side's."""
    tables = sessions[0].describe(relations[0]), sessions[1].describe(relations[1])
    if "reconcile_assets.databases.dataframe.session" not in sys.modules:
        return tables
    from reconcile_assets.databases.dataframe.session import FrameSession

    source, target = tables
    if isinstance(sessions[0], FrameSession):
        source = sessions[0].adopt_types(relations[0], target)
    if isinstance(sessions[1], FrameSession):
        target = sessions[1].adopt_types(relations[1], source)
    return source, target


def _resolve(name: str, side: object, table: object, where: str | None) -> DiffSide:
    if _is_frame(side):
        from reconcile_assets.databases.dataframe.session import FrameDatabase

        if table is not None:
            raise ConfigurationError(f"{name}: a DataFrame has no table; leave it out, or give None")
        if where is not None:
            raise ConfigurationError(
                f"{name}: a DataFrame takes no condition in SQL; choose its rows in pandas, and give the other side's"
                " condition alone"
            )
        return DiffSide(FrameDatabase(side, name=name), Relation(_FRAME), "DataFrame")  # type: ignore[arg-type]
    database = _database(name, side)
    if not isinstance(table, str):
        raise ConfigurationError(f"{name}: which table? write NAME or SCHEMA.NAME after the URL or engine")
    for what, text in (("table", table), ("condition", where)):
        if text is not None and any("\ud800" <= character <= "\udfff" for character in text):
            raise ConfigurationError(f"{name}: the {what} holds bytes that are no text; write it in UTF-8")
    return DiffSide(database, _relation(database, table, where), table)


def _database(name: str, side: object) -> Database:
    if isinstance(side, str):
        return open_database(side, name=name)
    alchemy = sys.modules.get("sqlalchemy")  # whoever has one of its objects has loaded it
    if alchemy is not None and isinstance(side, alchemy.Engine | alchemy.Connection):
        from reconcile_assets.databases.sqlalchemy_dialect.engines import database_of

        return database_of(side, name=name)
    given = "nothing was given" if side is None else f"{type(side).__name__} is none of these"
    raise ConfigurationError(
        f"{name}: a side is a database URL, a sqlalchemy Engine or Connection, or a pandas DataFrame; {given}"
    )


def _is_frame(side: object) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(side, pandas.DataFrame)


def _relation(database: Database, table: str, where: str | None) -> Relation:
    query = database.file_query(table)
    if query is not None:
        return Relation(query=query, where=where)
    try:
        return Relation(TableName.parse(table), where=where)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
