"""Types, values, conditions, errors and engines of SQLAlchemy's dialects; no database is there."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy import event, types
from sqlalchemy.dialects import mssql, mysql, oracle, postgresql, sqlite

from reconcile_assets import errors
from reconcile_assets.core.tables import Column, ColumnType, TypeKind
from reconcile_assets.databases import open_database
from reconcile_assets.databases.base import Relation
from reconcile_assets.databases.postgresql.session import PostgresDatabase
from reconcile_assets.databases.sqlalchemy_dialect.conditions import check_relation
from reconcile_assets.databases.sqlalchemy_dialect.database import AlchemyDatabase
from reconcile_assets.databases.sqlalchemy_dialect.engines import database_of
from reconcile_assets.databases.sqlalchemy_dialect.errors import translate
from reconcile_assets.databases.sqlalchemy_dialect.traits import isolation_for, name_of
from reconcile_assets.databases.sqlalchemy_dialect.types import resolve_type
from reconcile_assets.databases.sqlalchemy_dialect.values import writer
from reconcile_assets.databases.sqlite.session import SqliteDatabase
from reconcile_assets.errors import NotComparable, QueryRefused, UnknownEngine

DIALECTS: dict[str, sa.Dialect] = {
    "mssql": mssql.dialect(),
    "oracle": oracle.dialect(),
    "mysql": mysql.dialect(),
    "postgresql": postgresql.dialect(),
    "sqlite": sqlite.dialect(),
}
SECRET = "s3cret-canary"


def stranger() -> sa.Dialect:
    """A dialect of which nothing is known."""
    found = postgresql.dialect()
    found.name = "stranger"
    return found


@pytest.mark.parametrize(
    ("dialect", "native", "kind"),
    [
        ("mssql", mssql.BIT(), TypeKind.BOOLEAN),
        ("mssql", mssql.TINYINT(), TypeKind.INTEGER),
        ("mssql", mssql.MONEY(), TypeKind.UNKNOWN),
        ("mssql", mssql.REAL(), TypeKind.FLOAT32),
        ("mssql", types.DATETIME(), TypeKind.TIMESTAMP),
        ("mssql", mssql.DATETIME2(6), TypeKind.TIMESTAMP),
        ("mssql", mssql.DATETIME2(7), TypeKind.UNKNOWN),
        ("mssql", mssql.DATETIME2(), TypeKind.UNKNOWN),
        ("mssql", mssql.DATETIMEOFFSET(3), TypeKind.TIMESTAMPTZ),
        ("mssql", mssql.TIME(0), TypeKind.TIME),
        ("mssql", mssql.UNIQUEIDENTIFIER(), TypeKind.UUID),
        ("mssql", mssql.XML(), TypeKind.TEXT),
        ("mssql", mssql.SQL_VARIANT(), TypeKind.UNKNOWN),
        ("mssql", mssql.ROWVERSION(), TypeKind.BYTES),
        ("mssql", types.NCHAR(5), TypeKind.CHAR),
        ("mssql", types.NVARCHAR(5), TypeKind.TEXT),
        ("oracle", oracle.DATE(), TypeKind.TIMESTAMP),
        ("oracle", oracle.TIMESTAMP(), TypeKind.UNKNOWN),
        ("oracle", oracle.NUMBER(10, 2), TypeKind.DECIMAL),
        ("oracle", oracle.FLOAT(126), TypeKind.DECIMAL),
        ("oracle", oracle.BINARY_FLOAT(), TypeKind.FLOAT32),
        ("oracle", oracle.BINARY_DOUBLE(), TypeKind.FLOAT64),
        ("oracle", oracle.INTERVAL(), TypeKind.UNKNOWN),
        ("oracle", oracle.RAW(16), TypeKind.BYTES),
        ("oracle", oracle.CLOB(), TypeKind.TEXT),
        ("oracle", oracle.ROWID(), TypeKind.UNKNOWN),
        ("mysql", mysql.TIMESTAMP(), TypeKind.UNKNOWN),
        ("mysql", mysql.DATETIME(fsp=6), TypeKind.TIMESTAMP),
        ("mysql", mysql.SET("a", "b"), TypeKind.TEXT),
        ("mysql", mysql.BIT(8), TypeKind.UNKNOWN),
        ("mysql", mysql.YEAR(), TypeKind.UNKNOWN),
        ("postgresql", postgresql.INTERVAL(), TypeKind.UNKNOWN),
        ("postgresql", types.ARRAY(types.Integer()), TypeKind.UNKNOWN),
        ("postgresql", postgresql.JSONB(), TypeKind.JSON),
        ("postgresql", postgresql.INET(), TypeKind.UNKNOWN),
        ("postgresql", postgresql.TIMESTAMP(timezone=True), TypeKind.TIMESTAMPTZ),
        ("postgresql", postgresql.TIME(timezone=True), TypeKind.UNKNOWN),
        ("sqlite", types.CHAR(5), TypeKind.TEXT),
        ("sqlite", types.Interval(), TypeKind.UNKNOWN),
        ("sqlite", types.NullType(), TypeKind.UNKNOWN),
    ],
)
def test_a_type_is_what_its_values_can_be_trusted_to_be(
    dialect: str, native: types.TypeEngine[Any], kind: TypeKind
) -> None:
    assert resolve_type(native, DIALECTS[dialect], exact_floats=True).kind is kind


def test_what_keeps_fewer_digits_says_so() -> None:
    assert resolve_type(mssql.DATETIME2(3), DIALECTS["mssql"], exact_floats=True).precision == 3
    assert resolve_type(mysql.DATETIME(), DIALECTS["mysql"], exact_floats=True).precision == 0
    assert resolve_type(postgresql.TIMESTAMP(), DIALECTS["postgresql"], exact_floats=True).precision is None


def test_of_an_unknown_dialect_nothing_is_taken_for_granted() -> None:
    found = {
        native: resolve_type(native(), stranger(), exact_floats=False).kind
        for native in (
            types.TIMESTAMP,
            types.TIME,
            types.DOUBLE_PRECISION,
            types.REAL,
            types.CHAR,
            types.BIGINT,
            types.DATE,
        )
    }

    assert found == {
        types.TIMESTAMP: TypeKind.UNKNOWN,
        types.TIME: TypeKind.UNKNOWN,
        types.DOUBLE_PRECISION: TypeKind.UNKNOWN,
        types.REAL: TypeKind.UNKNOWN,
        types.CHAR: TypeKind.TEXT,
        types.BIGINT: TypeKind.INTEGER,
        types.DATE: TypeKind.DATE,
    }
    assert resolve_type(types.DOUBLE_PRECISION(), stranger(), exact_floats=True).kind is TypeKind.FLOAT64
    assert resolve_type(postgresql.TIMESTAMP(precision=3), stranger(), exact_floats=True).kind is TypeKind.TIMESTAMP


def test_the_isolation_is_the_best_that_harms_nobody() -> None:
    offered = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]

    assert isolation_for(DIALECTS["postgresql"], offered) == "REPEATABLE READ"
    assert isolation_for(DIALECTS["oracle"], offered) == "SERIALIZABLE"
    assert isolation_for(DIALECTS["mssql"], offered) is None
    assert isolation_for(stranger(), offered) == "SERIALIZABLE"
    assert isolation_for(stranger(), ["AUTOCOMMIT"]) is None
    assert name_of(SimpleNamespace(name="firebird.firebird")) == "firebird"  # type: ignore[arg-type]


def written(kind: TypeKind, value: Any, **options: Any) -> str | None:
    return writer(Column("c", ColumnType(kind, kind.value)), name="source", **options)(value)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (TypeKind.INTEGER, 2**64, "18446744073709551616"),
        (TypeKind.INTEGER, True, "1"),
        (TypeKind.INTEGER, Decimal("1E+2"), "100"),
        (TypeKind.DECIMAL, Decimal("1E-20"), "0.00000000000000000001"),
        (TypeKind.DECIMAL, Decimal("NaN"), "NaN"),
        (TypeKind.DECIMAL, "1.10", "1.10"),
        (TypeKind.FLOAT64, 0.1 + 0.2, "0.30000000000000004"),
        (TypeKind.FLOAT64, float("-inf"), "-Infinity"),
        (TypeKind.FLOAT32, 0.10000000149011612, "0.1"),
        (TypeKind.TEXT, "a ", "a "),
        (TypeKind.CHAR, "a  ", "a"),
        (TypeKind.BYTES, memoryview(b"\x00\xff"), "\\x00ff"),
        (TypeKind.BOOLEAN, 2, "2"),
        (TypeKind.BOOLEAN, True, "true"),
        (TypeKind.DATE, date(1, 1, 1), "0001-01-01"),
        (TypeKind.DATE, "2024-02-29", "2024-02-29"),
        (TypeKind.TIME, time(1, 2, 3, 500_000), "01:02:03.5"),
        (TypeKind.TIMESTAMP, datetime(2024, 1, 1, 0, 0, 0, 120_000), "2024-01-01 00:00:00.12"),
        (TypeKind.TIMESTAMPTZ, datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))), "0001-12-31 23:00:00+00 BC"),
        (TypeKind.UUID, UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (TypeKind.UUID, b"\x00" * 15 + b"\x01", "00000000-0000-0000-0000-000000000001"),
        (TypeKind.JSON, '{"a": 1}', '{"a": 1}'),
        (TypeKind.UNKNOWN, None, None),
    ],
)
def test_a_value_is_written_as_postgresql_would(kind: TypeKind, value: Any, text: str | None) -> None:
    assert written(kind, value) == text
    assert written(kind, None) is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (TypeKind.INTEGER, 1.0),
        (TypeKind.DECIMAL, 1.1),
        (TypeKind.DECIMAL, "one"),
        (TypeKind.FLOAT64, Decimal("0.1")),
        (TypeKind.FLOAT64, 2**53 + 1),
        (TypeKind.FLOAT32, 0.1),
        (TypeKind.FLOAT32, 1e300),
        (TypeKind.TEXT, b"a"),
        (TypeKind.TEXT, "\ud800text:a"),
        (TypeKind.BYTES, "a"),
        (TypeKind.BOOLEAN, "t"),
        (TypeKind.DATE, datetime(2024, 1, 1, tzinfo=UTC)),
        (TypeKind.TIMESTAMP, datetime(2024, 1, 1, tzinfo=UTC)),
        (TypeKind.TIMESTAMPTZ, datetime(2024, 1, 1)),
        (TypeKind.TIME, timedelta(hours=1)),
        (TypeKind.UUID, "no uuid"),
        (TypeKind.JSON, {"a": 1.1}),
        (TypeKind.UNKNOWN, "anything"),
    ],
)
def test_a_value_that_may_have_lost_something_is_refused_without_being_shown(kind: TypeKind, value: Any) -> None:
    with pytest.raises(NotComparable, match=r"source: the column c \(.*--exclude") as caught:
        written(kind, value)

    assert len(str(value)) < 3 or str(value) not in str(caught.value)


def test_a_driver_that_has_no_infinity_is_not_trusted_with_its_last_day() -> None:
    for value in (date.max, datetime.max, datetime.max.replace(tzinfo=UTC), date.min):
        kind = TypeKind.DATE if type(value) is date else TypeKind.TIMESTAMP
        kind = TypeKind.TIMESTAMPTZ if getattr(value, "tzinfo", None) else kind
        assert written(kind, value)
        with pytest.raises(NotComparable):
            written(kind, value, ends_are_infinite=True)


@pytest.mark.parametrize(
    "text",
    ["a = 1", "a = ';' AND (b = '--' OR c = 'it''s')", "a = 1 -- ; and more", "a = 1 /* ) ; */", 'a = ")"', "((a))"],
)
def test_a_condition_is_taken(text: str) -> None:
    check_relation(Relation(query="SELECT 1;", where=text), "source")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("a\x00", "NUL"),
        ("a = 1; DROP TABLE t", "more than one statement"),
        ("a = 1;", "more than one statement"),
        ("a = 1) OR (1 = 1", "parentheses"),
        ("(a = 1", "parentheses"),
        ("a = 'x", "does not end"),
        ('a = "x', "does not end"),
        ("a /* b", "does not end"),
        (r"a = 'x\'; DROP TABLE t --'", "backslash"),
        (r"a = '\''' ; DROP TABLE t --'", "backslash"),
    ],
)
def test_a_condition_that_is_not_surely_one_is_refused(text: str, why: str) -> None:
    with pytest.raises(QueryRefused, match=f"target: the condition .*{why}"):
        check_relation(Relation(query="SELECT 1", where=text), "target")


class DriverError(Exception):
    """As a driver's."""

    def __init__(self, *args: object, sqlstate: str | None = None) -> None:
        super().__init__(*args)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (DriverError(SECRET, sqlstate="28P01"), errors.AuthenticationFailed),
        (DriverError(f"ORA-01017: invalid username/password {SECRET}"), errors.AuthenticationFailed),
        (DriverError("42000", SECRET), errors.QueryRefused),
        (DriverError(f"permission denied for {SECRET}"), errors.PermissionDenied),
        (DriverError(SECRET, sqlstate="40001"), errors.SerializationConflict),
        (DriverError(SECRET, sqlstate="08006"), errors.ConnectionLost),
        (DriverError(f"server has gone away {SECRET}"), errors.ConnectionLost),
        (DriverError(-206, SECRET), errors.QueryRefused),
        (DriverError(SECRET), errors.QueryRefused),
        (ValueError(f"year -43 is out of range {SECRET}"), errors.NotComparable),
        (UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET), errors.QueryRefused),
    ],
)
def test_an_error_keeps_its_code_and_never_its_text(error: Exception, kind: type[errors.ReconcileAssetsError]) -> None:
    wrapped = sa.exc.DBAPIError(f"SELECT '{SECRET}'", {"v": SECRET}, error) if isinstance(error, DriverError) else error

    found = translate(wrapped, "source")

    assert type(found) is kind
    assert str(found).startswith("source: ")
    assert SECRET not in str(found)
    assert "\n" not in str(found)


def test_what_fails_while_connecting_is_unavailable() -> None:
    for error in (DriverError("nothing", sqlstate="08001"), OSError("refused"), DriverError(SECRET)):
        assert type(translate(error, "source", connecting=True)) is errors.DatabaseUnavailable


def test_an_unknown_scheme_names_what_is_read_and_what_to_install() -> None:
    with pytest.raises(
        UnknownEngine, match=r"source: no engine for nosuch:// URLs; .*postgresql://.*its SQLAlchemy dialect"
    ):
        open_database(f"nosuch://me:{SECRET}@host/db", name="source")
    with pytest.raises(UnknownEngine, match="no engine for this:// URLs"):
        open_database(f"me@{SECRET}://host/db", name="source")


@pytest.mark.parametrize("url", ["mssql+pyodbc://me:s3cret-canary@host/db", "oracle://me:s3cret-canary@host/db"])
def test_a_dialect_without_its_driver_names_the_module(url: str) -> None:
    with pytest.raises(UnknownEngine, match=r"needs the Python module (pyodbc|oracledb|cx_Oracle)") as caught:
        open_database(url, name="source")

    assert SECRET not in str(caught.value)


def test_an_engine_that_only_connects_by_its_url_is_read_as_that_url() -> None:
    engine = sa.create_engine("postgresql+psycopg2://me:pw@host:1/db?sslmode=disable")

    found = database_of(engine, name="source")

    assert isinstance(found, PostgresDatabase)
    assert found.place == "db on host"
    odd = sa.URL.create("postgresql+psycopg", "m e", "p+w:/@ %41?", "::1", 5, "a/b c")
    parameters = database_of(sa.create_engine(odd), name="source")._parameters  # type: ignore[attr-defined]
    shown = [parameters[key] for key in ("user", "password", "host", "port", "dbname")]
    assert shown == ["m e", "p+w:/@ %41?", "::1", "5", "a/b c"]
    with_arguments = sa.create_engine(
        engine.url, connect_args={"options": "-c search_path=x", "cursor_factory": object}
    )
    assert database_of(with_arguments, name="source")._parameters["options"] == "-c search_path=x"  # type: ignore[attr-defined]
    assert isinstance(database_of(sa.create_engine("sqlite:///some.db"), name="source"), SqliteDatabase)


def test_an_engine_that_does_more_when_it_connects_is_read_through_itself() -> None:
    def made(**options: Any) -> sa.Engine:
        return sa.create_engine("postgresql+psycopg2://me:pw@host:1/db", **options)

    listening, moved, changed = made(), made(), made()
    event.listen(listening, "connect", lambda connection, record: None)
    event.listen(moved, "do_connect", lambda dialect, record, args, parameters: None)
    event.listen(changed, "begin", lambda connection: None)
    others = [
        listening,
        moved,
        changed,
        made(creator=lambda: None),
        made(connect_args={"password": object()}),
        made(connect_args={"host": "elsewhere"}),
    ]

    assert [type(database_of(engine, name="source")) for engine in others] == [AlchemyDatabase] * len(others)


def test_an_engine_that_renames_schemas_or_is_asynchronous_is_refused() -> None:
    engine = sa.create_engine("postgresql+psycopg2://me:pw@host:1/db")

    with pytest.raises(NotComparable, match="translates schema names"):
        database_of(engine.execution_options(schema_translate_map={None: "tenant"}), name="source")
    engine.dialect.is_async = True  # type: ignore[misc]
    with pytest.raises(UnknownEngine, match="asynchronous"):
        database_of(engine, name="source")
