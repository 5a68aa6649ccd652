"""What `doctor` asks a PostgreSQL server: who we are there, what we may do, and what would get in the way."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from reconcile_assets.core.tables import TableName
from reconcile_assets.databases.base import Session
from reconcile_assets.databases.errors import translated_errors

LEDGER_SCHEMA = "reconcile_assets"

_ROLE = sql.SQL("""
SELECT current_user::text, current_database()::text, rolsuper, pg_catalog.pg_is_in_recovery()
FROM pg_catalog.pg_roles WHERE rolname = current_user
""")

_WRITABLE = sql.SQL("""
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
  AND (pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
       OR pg_catalog.has_any_column_privilege(c.oid, 'INSERT, UPDATE'))
ORDER BY n.nspname, c.relname LIMIT 1
""")

_PRIVILEGES = sql.SQL("""
SELECT privilege FROM unnest({wanted}::text[]) AS w(privilege)
WHERE NOT pg_catalog.has_table_privilege({table}::regclass, privilege)
""")

_LEDGER = sql.SQL("""
SELECT CASE
  WHEN n.oid IS NULL THEN
    CASE WHEN NOT pg_catalog.has_database_privilege(current_database(), 'CREATE') THEN 'create' END
  WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE') THEN 'usage'
  WHEN EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relkind = 'r'
               AND NOT (pg_catalog.has_table_privilege(c.oid, 'SELECT')
                        AND pg_catalog.has_table_privilege(c.oid, 'INSERT'))) THEN 'tables'
END
FROM (SELECT {schema}::text AS name) w LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = w.name
""")

_OBSTACLES = sql.SQL("""
SELECT 'cascade', r.relname::text FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class r ON r.oid = k.conrelid
WHERE k.confrelid = {table}::regclass AND k.contype = 'f' AND k.confdeltype IN ('c', 'n', 'd')
UNION ALL
SELECT 'trigger', t.tgname::text FROM pg_catalog.pg_trigger t
WHERE t.tgrelid = {table}::regclass AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
UNION ALL
SELECT 'row security', {name}::text WHERE pg_catalog.row_security_active({table}::regclass)
ORDER BY 1, 2
""")


@dataclass(frozen=True)
class ServerFacts:
    """Who we are on a server.

    Attributes:
        version: the server's, e.g. ``15.20``.
        remote: it is reached over a network, by neither a socket nor loopback.
        encrypted: the connection is under TLS.
        writable: a table that the role could write to, ``"any table"`` for a superuser; None where it can't write.
    """

    version: str
    user: str
    database: str
    remote: bool
    encrypted: bool
    writable: str | None


def fetch_server_facts(session: Session) -> ServerFacts:
    """Look at the server and at our role there."""
    connection = session.driver_connection
    with translated_errors(session.name):
        user, database, is_superuser, in_recovery = _row(session, _ROLE)
        writable = None
        if not in_recovery:
            found = _row(session, _WRITABLE)
            writable = "any table" if is_superuser else str(TableName(*found)) if found else None
        info = connection.info
        return ServerFacts(
            version=(info.parameter_status("server_version") or "unknown").split(" ", 1)[0],
            user=user,
            database=database,
            remote=is_remote(info.host, info.hostaddr),
            encrypted=bool(connection.pgconn.ssl_in_use),
            writable=writable,
        )


def is_remote(host: str, address: str) -> bool:
    """Whether a server is reached over a network, where others can listen.

    Args:
        host: as the connection names it; a path is a Unix socket.
        address: the numeric address, where the driver knows it.
    """
    if host.startswith(("/", "@")) or not (host or address):
        return False
    try:
        return not ipaddress.ip_address((address or host).split("%", 1)[0]).is_loopback
    except ValueError:
        return host != "localhost"


def fetch_missing_privileges(session: Session, table: TableName, wanted: Sequence[str]) -> tuple[str, ...]:
    """Which of these table privileges our role lacks, e.g. ``("DELETE",)``."""
    query = _PRIVILEGES.format(wanted=list(wanted), table=_text(session, table))
    with translated_errors(session.name):
        return tuple(row[0] for row in session.driver_connection.execute(query).fetchall())


def fetch_ledger_obstacle(session: Session) -> str | None:
    """What keeps our role from keeping batches and audit entries here: ``create``, ``usage``, ``tables`` or None."""
    found: str | None = session.fetch_scalar(_LEDGER.format(schema=LEDGER_SCHEMA))
    return found


def fetch_write_obstacles(session: Session, table: TableName) -> tuple[tuple[str, str], ...]:
    """What would change or hide rows behind our back when a partition is replaced.

    Returns:
        Kind and name: ``("cascade", referencing table)``, ``("trigger", its name)``, ``("row security", the table)``.
    """
    query = _OBSTACLES.format(table=_text(session, table), name=str(table))
    with translated_errors(session.name):
        return tuple((row[0], row[1]) for row in session.driver_connection.execute(query).fetchall())


def _row(session: Session, query: sql.SQL) -> Any:
    return session.driver_connection.execute(query).fetchone()


def _text(session: Session, table: TableName) -> str:
    """The name as ``regclass`` reads it."""
    parts = (table.name,) if table.schema is None else (table.schema, table.name)
    return sql.Identifier(*parts).as_string(session.driver_connection)
