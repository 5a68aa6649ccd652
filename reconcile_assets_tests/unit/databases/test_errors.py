import psycopg
import pytest
import sqlalchemy.exc

from reconcile_assets import errors
from reconcile_assets.databases import open_database
from reconcile_assets.databases.errors import translated_errors

SECRET = "s3cret-canary"


def raised(error: Exception) -> errors.ReconcileAssetsError:
    with pytest.raises(errors.ReconcileAssetsError) as caught, translated_errors("source"):
        raise error
    assert str(caught.value).startswith("source: ")
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    return caught.value


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (psycopg.errors.UndefinedTable, errors.MissingObject),
        (psycopg.errors.UndefinedColumn, errors.MissingObject),
        (psycopg.errors.InvalidCatalogName, errors.MissingObject),
        (psycopg.errors.InsufficientPrivilege, errors.PermissionDenied),
        (psycopg.errors.ReadOnlySqlTransaction, errors.PermissionDenied),
        (psycopg.errors.InvalidPassword, errors.AuthenticationFailed),
        (psycopg.errors.SerializationFailure, errors.SerializationConflict),
        (psycopg.errors.DeadlockDetected, errors.SerializationConflict),
        (psycopg.errors.QueryCanceled, errors.StatementTimeout),
        (psycopg.errors.AdminShutdown, errors.ConnectionLost),
        (psycopg.errors.CannotConnectNow, errors.DatabaseUnavailable),
        (psycopg.errors.TooManyConnections, errors.DatabaseUnavailable),
        (psycopg.errors.UniqueViolation, errors.RowsCollide),
        (psycopg.errors.NotNullViolation, errors.ConstraintRefused),
        (psycopg.errors.NumericValueOutOfRange, errors.LossyWrite),
        (psycopg.errors.SyntaxError, errors.QueryRefused),
        (psycopg.errors.InternalError_, errors.QueryRefused),
    ],
)
def test_sqlstates_become_our_errors(error: type[psycopg.Error], kind: type[errors.ReconcileAssetsError]) -> None:
    assert type(raised(error(f"Key (email)=({SECRET}) already exists"))) is kind
    assert SECRET not in str(raised(error(f"value '{SECRET}' of a row")))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"failed to resolve host '{SECRET}': Name or service not known", errors.DatabaseUnavailable),
        ("connection to server failed: Connection refused", errors.DatabaseUnavailable),
        ("connection timeout expired", errors.DatabaseUnavailable),
        (f'FATAL: password authentication failed for user "{SECRET}"', errors.AuthenticationFailed),
        ("fe_sendauth: no password supplied", errors.AuthenticationFailed),
        ("no pg_hba.conf entry for host", errors.AuthenticationFailed),
        ('FATAL: database "nope" does not exist', errors.MissingObject),
        ('FATAL: role "nope" does not exist', errors.AuthenticationFailed),
        ('permission denied for database "db"', errors.PermissionDenied),
        ("FATAL: sorry, too many clients already", errors.DatabaseUnavailable),
        ("the database system is starting up", errors.DatabaseUnavailable),
        ("Network is unreachable", errors.DatabaseUnavailable),
        ("server does not support SSL, but SSL was required", errors.DatabaseUnavailable),
        ("SSL error: unexpected eof while reading", errors.ConnectionLost),
        ("SSL error: certificate verify failed", errors.DatabaseUnavailable),
        (f"consuming input failed: server closed the connection unexpectedly {SECRET}", errors.ConnectionLost),
    ],
)
def test_errors_of_the_connection_become_ours(text: str, kind: type[errors.ReconcileAssetsError]) -> None:
    found = raised(psycopg.OperationalError(text))
    assert type(found) is kind
    assert SECRET not in str(found)


def test_other_errors_of_the_driver_are_told_without_their_text() -> None:
    assert type(raised(psycopg.NotSupportedError(SECRET))) is errors.UnknownEngine
    assert SECRET not in str(raised(psycopg.DataError(SECRET)))
    assert "encoding" in str(raised(UnicodeDecodeError("utf-8", b"\xff", 0, 1, SECRET)))
    assert "NUL" in str(raised(ValueError("PostgreSQL text fields cannot contain NUL (0x00) bytes")))


def test_sqlalchemys_wrapping_is_taken_off() -> None:
    wrapped = sqlalchemy.exc.OperationalError(SECRET, {"p": SECRET}, psycopg.errors.DeadlockDetected("x"))
    assert type(raised(wrapped)) is errors.SerializationConflict
    foreign = sqlalchemy.exc.OperationalError("x", {}, OSError("disk"))
    with pytest.raises(sqlalchemy.exc.OperationalError), translated_errors("source"):
        raise foreign


def test_errors_that_are_not_the_drivers_pass_as_they_are() -> None:
    for error in (KeyError("x"), ValueError("other"), errors.NotComparable("ours")):
        with pytest.raises(type(error)), translated_errors("source"):
            raise error


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        (SECRET, errors.ConfigurationError),
        ("", errors.ConfigurationError),
        (f"postgresql://u:{SECRET}@h:99999/db", errors.ConfigurationError),
        (f"postgresql://u:{SECRET}@[::1/db", errors.ConfigurationError),
        (f"postgresql://u:{SECRET}@h/db?nope=1", errors.ConfigurationError),
        (f"oracle://u:{SECRET}@h/db", errors.UnknownEngine),
        (f"{SECRET}@x:y", errors.UnknownEngine),
    ],
)
def test_a_url_that_can_not_be_used_is_refused_without_being_shown(
    url: str, kind: type[errors.ReconcileAssetsError]
) -> None:
    with pytest.raises(kind) as caught:
        open_database(url, name="source")
    assert SECRET not in str(caught.value)


def test_opening_connects_to_nothing_and_hides_the_url() -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2", "PostgreSQL"):
        database = open_database(f"{scheme}://u:{SECRET}@127.0.0.1/db", name="target")
        assert (database.name, database.engine) == ("target", "postgresql")
        assert SECRET not in repr(database)


def fail_while_handling(first: BaseException, second: Exception) -> None:
    try:
        raise first
    except BaseException:  # noqa: BLE001  # whatever was given; something else is raised
        raise second  # noqa: B904  # as psycopg does it: the first stays behind the second as its context


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_error_of_ending_a_statement_after_ctrl_c_is_the_interrupt_still(interrupt: type[BaseException]) -> None:
    cancelling = psycopg.OperationalError("sending the cancel request failed")
    with pytest.raises(interrupt), translated_errors("target"):
        fail_while_handling(interrupt(), cancelling)


def test_an_error_met_while_another_was_handled_is_an_error() -> None:
    lost = psycopg.OperationalError("server closed the connection unexpectedly")
    with pytest.raises(errors.ReconcileAssetsError), translated_errors("target"):
        fail_while_handling(ValueError(), lost)
