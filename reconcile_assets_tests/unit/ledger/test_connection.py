"""URLs of the ledger, and errors that show no value and no secret."""

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from reconcile_assets import errors
from reconcile_assets.ledger import create_ledger_engine, open_ledger
from reconcile_assets.ledger.connection import LedgerDatabase, ledger_errors, lock_transaction
from reconcile_assets.ledger.schema import ledger_tables

CANARY = "pa55w0rd-canary"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"])
def test_postgresql_goes_through_psycopg_3_and_hides_its_parameters(scheme: str) -> None:
    engine = create_ledger_engine(f"{scheme}://user:{CANARY}@db.example/ledger", label="DATABASE_URL")
    assert engine.url.drivername == "postgresql+psycopg"
    assert engine.hide_parameters
    assert CANARY not in repr(engine)


def test_a_secret_is_taken_as_it_is() -> None:
    url = SecretStr("postgresql://user:x@db.example/ledger")
    assert create_ledger_engine(url, label="DATABASE_URL").url.host == "db.example"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        f"postgresql://user:{CANARY}@host:port/db",
        f"//user:{CANARY}@host",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_a_url_that_cannot_be_a_ledger_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=r"^DATABASE_URL: ") as refused:
        open_ledger(url)
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize("url", [f"mysql://user:{CANARY}@host/db", "duckdb:///file.db", "oracle://host"])
def test_another_engine_is_refused_by_what_can_be_used(url: str) -> None:
    with pytest.raises(errors.UnknownEngine, match="PostgreSQL or SQLite") as refused:
        open_ledger(url)
    assert CANARY not in str(refused.value)


def test_tables_of_another_dialect_are_refused() -> None:
    with pytest.raises(errors.UnknownEngine, match="not in oracle"):
        ledger_tables("oracle")


class DriverError(Exception):
    """Stands for psycopg's error: a state, and a text that carries a value."""

    def __init__(self, sqlstate: str | None, text: str = CANARY) -> None:
        super().__init__(text)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("28P01", errors.AuthenticationFailed),
        ("3D000", errors.MissingObject),
        ("40001", errors.SerializationConflict),
        ("40P01", errors.SerializationConflict),
        ("42501", errors.PermissionDenied),
        ("42P01", errors.MissingObject),
        ("23505", errors.ConstraintRefused),
        ("22003", errors.ConstraintRefused),
        ("57014", errors.StatementTimeout),
        ("55P03", errors.StatementTimeout),
        ("57P01", errors.ConnectionLost),
        ("08006", errors.ConnectionLost),
        ("53300", errors.DatabaseUnavailable),
        ("25006", errors.PermissionDenied),
        ("XX000", errors.QueryRefused),
    ],
)
def test_a_state_becomes_an_error_of_ours_without_the_drivers_text(
    state: str, expected: type[errors.ReconcileAssetsError]
) -> None:
    with pytest.raises(expected, match=f"^the target: .*{state}") as raised, ledger_errors("the target"):
        raise sa.exc.DBAPIError("INSERT", {"x": CANARY}, DriverError(state))
    assert CANARY not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('FATAL: password authentication failed for user "u"', errors.AuthenticationFailed),
        ("fe_sendauth: no password supplied", errors.AuthenticationFailed),
        ('FATAL: database "d" does not exist', errors.MissingObject),
        ("could not translate host name", errors.DatabaseUnavailable),
        ("connection refused", errors.DatabaseUnavailable),
    ],
)
def test_a_connection_that_cannot_be_made_is_told_apart(text: str, expected: type[errors.ReconcileAssetsError]) -> None:
    with pytest.raises(expected) as raised, ledger_errors("DATABASE_URL"):
        raise sa.exc.OperationalError("", None, DriverError(None, f"{text} {CANARY}"))
    assert CANARY not in str(raised.value)


def test_a_connection_that_is_cut_is_told_apart() -> None:
    with pytest.raises(errors.ConnectionLost), ledger_errors("DATABASE_URL"):
        raise sa.exc.OperationalError("", None, DriverError(None), connection_invalidated=True)


def test_errors_of_ours_pass_as_they_are() -> None:
    with pytest.raises(errors.LedgerCorrupt, match="as it is"), ledger_errors("DATABASE_URL"):
        raise errors.LedgerCorrupt("as it is")


def test_a_folder_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(errors.PermissionDenied, match="cannot be opened"):
        open_ledger(f"sqlite:///{tmp_path}/missing/ledger.db")


def test_a_file_that_is_no_database_is_kept_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"not a database, but something that somebody may want back" * 40)
    content = path.read_bytes()
    with pytest.raises(errors.LedgerCorrupt, match="damaged"):
        open_ledger(f"sqlite:///{path}")
    assert path.read_bytes() == content


def test_sqlite_files_are_safe_against_power_loss_and_keep_foreign_keys(tmp_path: Path) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    with ledger.database.reading() as connection:
        settings = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("foreign_keys", "synchronous", "busy_timeout")
        ]
    ledger.close()
    assert settings == [1, 2, 30_000]


def test_a_writer_of_a_sqlite_file_holds_its_lock_from_the_start(tmp_path: Path) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    other = sqlite3.connect(tmp_path / "ledger.db", timeout=0, isolation_level=None)
    with ledger.database.writing() as connection:
        lock_transaction(connection, "anything")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.close()
    ledger.close()


def test_reading_writes_nothing(tmp_path: Path) -> None:
    database = LedgerDatabase(create_ledger_engine(f"sqlite:///{tmp_path}/a.db", label="a"), label="a")
    with database.reading() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")
    with database.reading() as connection:
        assert not sa.inspect(connection).has_table("t")
    database.close()
