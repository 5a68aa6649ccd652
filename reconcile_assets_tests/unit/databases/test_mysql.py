"""MySQL without a server: URLs, the words of errors, quoting, types."""

import builtins
import sys
from typing import Any

import pymysql
import pytest

from reconcile_assets import errors
from reconcile_assets.core.tables import TypeKind
from reconcile_assets.databases import open_database
from reconcile_assets.databases.mysql.connection import parse_url
from reconcile_assets.databases.mysql.errors import translated_errors
from reconcile_assets.databases.mysql.statements import (
    bits_literal,
    clock_literal,
    identifier,
    number_literal,
    text_literal,
)
from reconcile_assets.databases.mysql.types import resolve_type

SECRET = "s3cret-canary"


def raised(error: Exception) -> errors.ReconcileAssetsError:
    with pytest.raises(errors.ReconcileAssetsError) as caught, translated_errors("source"):
        raise error
    assert str(caught.value).startswith("source: ")
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__
    return caught.value


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (1044, errors.PermissionDenied),
        (1045, errors.AuthenticationFailed),
        (1049, errors.MissingObject),
        (1054, errors.MissingObject),
        (1064, errors.QueryRefused),
        (1142, errors.PermissionDenied),
        (1146, errors.MissingObject),
        (1205, errors.StatementTimeout),
        (1213, errors.SerializationConflict),
        (1317, errors.StatementTimeout),
        (1792, errors.PermissionDenied),
        (1969, errors.StatementTimeout),
        (2003, errors.DatabaseUnavailable),
        (2005, errors.DatabaseUnavailable),
        (2006, errors.ConnectionLost),
        (2013, errors.ConnectionLost),
        (2099, errors.ConnectionLost),
        (3024, errors.StatementTimeout),
        (4999, errors.QueryRefused),
    ],
)
def test_an_error_number_has_its_kind(number: int, kind: type[errors.ReconcileAssetsError]) -> None:
    assert type(raised(pymysql.OperationalError(number, f"value {SECRET}\nmore"))) is kind


def test_errors_without_a_number_are_a_lost_connection() -> None:
    assert type(raised(pymysql.InterfaceError(0, ""))) is errors.ConnectionLost
    assert type(raised(pymysql.InternalError("Packet sequence number wrong"))) is errors.ConnectionLost
    assert type(raised(pymysql.IntegrityError(1062, f"Duplicate entry '{SECRET}'"))) is errors.RowsCollide
    assert type(raised(pymysql.DataError(1406, f"Data too long {SECRET}"))) is errors.LossyWrite


def test_a_syntax_error_shows_one_token_and_no_value() -> None:
    text = "You have an error in your SQL syntax; check the manual near '{}' at line 2"
    assert "near =" in str(raised(pymysql.ProgrammingError(1064, text.format(f"= '{SECRET}'"))))
    assert "near" not in str(raised(pymysql.ProgrammingError(1064, text.format(f"'{SECRET}'"))))


def test_a_driver_error_wrapped_by_sqlalchemy_is_told_alike() -> None:
    import sqlalchemy.exc

    wrapped = sqlalchemy.exc.OperationalError(f"SELECT {SECRET}", {}, pymysql.OperationalError(2013, "Lost"))
    assert type(raised(wrapped)) is errors.ConnectionLost


@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "mysql+pymysql", "mariadb+mysqldb"])
def test_a_url_names_a_database_and_never_shows_its_password(scheme: str) -> None:
    database = open_database(f"{scheme}://u:{SECRET}@db.example:3307/shop", name="source")
    assert database.engine == "mysql"
    assert SECRET not in repr(database)


def test_a_url_is_decoded() -> None:
    found = parse_url("mysql://us%40er:p%2Fw%3A@[::1]:3307/my%20db?unix_socket=/run/s&charset=utf8mb4", name="x")
    assert {name: found[name] for name in ("host", "port", "user", "password", "database", "unix_socket")} == {
        "host": "::1",
        "port": 3307,
        "user": "us@er",
        "password": "p/w:",
        "database": "my db",
        "unix_socket": "/run/s",
    }
    assert parse_url("mysql://h", name="x")["database"] is None


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://u:{SECRET}@h:99999/d",
        f"mysql://u:{SECRET}@h:port/d",
        f"mysql://u:{SECRET}@h:0/d",
        f"mysql://u:{SECRET}@h/d%00",
        f"mysql://u:{SECRET}@[h/d",
        f"mysql://u:{SECRET}@h/d#x",
        f"mysql://u:{SECRET}@h/d?ssl_mode=MAYBE",
        f"mysql://u:{SECRET}@h/d?password={SECRET}",
        f"mysql://u:{SECRET}@h/d?ssl_ca=/no/such/{SECRET}",
    ],
)
def test_a_url_that_can_not_be_read_is_refused_unseen(url: str) -> None:
    with pytest.raises(errors.ConfigurationError) as caught:
        open_database(url, name="source")
    assert SECRET not in str(caught.value)


def test_a_missing_driver_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("pymysql", "reconcile_assets.databases.mysql"))]:
        monkeypatch.delitem(sys.modules, name)
    real = builtins.__import__

    def refuse(name: str, *args: Any, **options: Any) -> Any:
        if name.split(".")[0] == "pymysql":
            raise ModuleNotFoundError("No module named 'pymysql'", name="pymysql")
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(errors.UnknownEngine, match=r'pip install "reconcile-assets\[mysql\]"'):
        open_database("mysql://h/d", name="source")


def test_names_and_values_enter_only_quoted() -> None:
    assert identifier("a`b", "%s") == "`a``b`.`%s`"
    assert text_literal("a'b\\") == "_utf8mb4 x'6127625c'"
    assert number_literal("-1.5e-300") == "-1.5e-300"
    for literal, text in ((number_literal, "1 OR 1"), (clock_literal, "2024' OR '1"), (bits_literal, "01' --")):
        with pytest.raises(ValueError, match="own type"):
            literal(text)


@pytest.mark.parametrize(
    ("name", "native", "kind"),
    [
        ("tinyint", "tinyint(1)", TypeKind.INTEGER),
        ("bigint", "bigint(20) unsigned", TypeKind.INTEGER),
        ("float", "float", TypeKind.FLOAT32),
        ("double", "double", TypeKind.FLOAT64),
        ("timestamp", "timestamp(3)", TypeKind.TIMESTAMPTZ),
        ("datetime", "datetime", TypeKind.TIMESTAMP),
        ("set", "set('a')", TypeKind.ENUM),
        ("uuid", "uuid", TypeKind.UUID),
        ("point", "point", TypeKind.UNKNOWN),
        ("vector", "vector(3)", TypeKind.UNKNOWN),
    ],
)
def test_a_type_has_its_kind(name: str, native: str, kind: TypeKind) -> None:
    assert resolve_type(name, native).kind is kind


def test_a_type_has_its_limits() -> None:
    assert resolve_type("datetime", "datetime(3)", seconds=3).precision == 3
    assert resolve_type("datetime", "datetime(6)", seconds=6).precision is None
    assert resolve_type("bit", "bit(8)", precision=8).length == 8
    assert resolve_type("decimal", "decimal(10,2)", precision=10, scale=2).scale == 2
    assert resolve_type("longtext", "longtext", charset="utf8mb4", is_json=True).kind is TypeKind.JSON


@pytest.mark.parametrize(
    ("number", "text", "kind", "named"),
    [
        (1062, f"Duplicate entry '{SECRET}' for key 'PRIMARY'", errors.RowsCollide, "the key PRIMARY"),
        (1062, f"Duplicate entry 'x' for key 'y' {SECRET}' for key 'by_name'", errors.RowsCollide, "the key by_name"),
        (1406, "Data too long for column 'v' at row 1", errors.LossyWrite, "the column v"),
        (1264, "Out of range value for column 'v' at row 12", errors.LossyWrite, "the column v"),
        (1366, f"Incorrect string value: '{SECRET}' for column `d`.`t`.`v` at row 1", errors.LossyWrite, "column v"),
        (1292, f"Incorrect datetime value: '{SECRET}' for column `d`.`t`.`v` at row 1", errors.LossyWrite, "column v"),
        (1048, "Column 'v' cannot be null", errors.ConstraintRefused, "the column v takes no NULL"),
        (4025, "CONSTRAINT `positive` failed for `d`.`t`", errors.ConstraintRefused, "the constraint positive"),
        (
            1452,
            "Cannot add or update a child row: a foreign key constraint fails (`d`.`t`, CONSTRAINT `f` FOREIGN ...)",
            errors.RowsCollide,
            "the constraint f",
        ),
        (1213, "Deadlock found", errors.SerializationConflict, "deadlock"),
    ],
)
def test_what_a_write_was_refused_for_is_named_without_values(
    number: int, text: str, kind: type[Exception], named: str
) -> None:
    found = raised(pymysql.OperationalError(number, text))
    assert type(found) is kind
    assert named in str(found)
    assert SECRET not in str(found)
