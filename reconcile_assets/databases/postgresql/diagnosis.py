"""What `doctor` asks a PostgreSQL server: who we are there, what we may do, and what would get in the way."""

from collections.abc import Sequence
from typing import Any

from psycopg import sql

from reconcile_assets.core.tables import TableName
from reconcile_assets.databases.diagnosis import LEDGER_SCHEMA, Diagnosis, ServerFacts, is_remote
from reconcile_assets.databases.errors import translated_errors

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


class PostgresDiagnosis(Diagnosis):
    """See :class:`~reconcile_assets.databases.diagnosis.Diagnosis`."""

    def facts(self) -> ServerFacts:
        """See :meth:`Diagnosis.facts`."""
        connection = self.session.driver_connection
        with translated_errors(self.session.name):
            user, database, is_superuser, in_recovery = self._row(_ROLE)
            writable = None
            if not in_recovery:
                found = self._row(_WRITABLE)
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

    def missing_privileges(self, table: TableName, wanted: Sequence[str]) -> tuple[str, ...]:
        """See :meth:`Diagnosis.missing_privileges`."""
        query = _PRIVILEGES.format(wanted=list(wanted), table=self._text(table))
        with translated_errors(self.session.name):
            return tuple(row[0] for row in self.session.driver_connection.execute(query).fetchall())

    def ledger_obstacle(self) -> str | None:
        """See :meth:`Diagnosis.ledger_obstacle`."""
        found: str | None = self.session.fetch_scalar(_LEDGER.format(schema=LEDGER_SCHEMA))
        return found

    def write_obstacles(self, table: TableName) -> tuple[tuple[str, str], ...]:
        """See :meth:`Diagnosis.write_obstacles`."""
        query = _OBSTACLES.format(table=self._text(table), name=str(table))
        with translated_errors(self.session.name):
            return tuple((row[0], row[1]) for row in self.session.driver_connection.execute(query).fetchall())

    def _row(self, query: sql.SQL) -> Any:
        return self.session.driver_connection.execute(query).fetchone()

    def _text(self, table: TableName) -> str:
        """The name as ``regclass`` reads it."""
        parts = (table.name,) if table.schema is None else (table.schema, table.name)
        return sql.Identifier(*parts).as_string(self.session.driver_connection)
