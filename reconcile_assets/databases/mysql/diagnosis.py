"""What `doctor` asks a MySQL or MariaDB server."""

from collections.abc import Sequence

from reconcile_assets.core.tables import TableName
from reconcile_assets.databases.diagnosis import Diagnosis, ServerFacts, is_remote
from reconcile_assets.databases.mysql.connection import execute, is_mariadb
from reconcile_assets.databases.mysql.errors import translated_errors
from reconcile_assets.databases.mysql.session import MysqlSession
from reconcile_assets.databases.mysql.statements import fill, text_literal

_WHO = "SELECT CURRENT_USER(), COALESCE(DATABASE(), ''), VERSION()"
_GRANTS = """
SELECT p.PRIVILEGE_TYPE, p.WHERE_TO FROM (
  SELECT GRANTEE, PRIVILEGE_TYPE, '' AS WHERE_TO FROM information_schema.USER_PRIVILEGES
  UNION ALL SELECT GRANTEE, PRIVILEGE_TYPE, CONCAT(TABLE_SCHEMA, '.*') FROM information_schema.SCHEMA_PRIVILEGES
  UNION ALL SELECT GRANTEE, PRIVILEGE_TYPE, CONCAT(TABLE_SCHEMA, '.', TABLE_NAME)
    FROM information_schema.TABLE_PRIVILEGES
) AS p WHERE p.GRANTEE = {grantee}
"""
_LEDGER = """
SELECT COUNT(*) FROM information_schema.TABLES
WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'reconcile_assets_audit_entries'
"""
_OBSTACLES = """
SELECT 'trigger', TRIGGER_NAME FROM information_schema.TRIGGERS
 WHERE EVENT_OBJECT_SCHEMA = {schema} AND EVENT_OBJECT_TABLE = {name}
UNION ALL
SELECT IF(DELETE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT'), 'cascade', 'reference'), TABLE_NAME
  FROM information_schema.REFERENTIAL_CONSTRAINTS
 WHERE UNIQUE_CONSTRAINT_SCHEMA = {schema} AND REFERENCED_TABLE_NAME = {name} AND TABLE_NAME <> {name}
UNION ALL
SELECT 'engine', t.TABLE_NAME FROM information_schema.TABLES t
  JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
 WHERE t.TABLE_SCHEMA = {schema} AND t.TABLE_NAME = {name} AND e.TRANSACTIONS <> 'YES'
"""
_WRITING = frozenset({"INSERT", "UPDATE", "DELETE"})


class MysqlDiagnosis(Diagnosis):
    """See :class:`~reconcile_assets.databases.diagnosis.Diagnosis`.

    Privileges that a role gives are not listed by the server: where one is in use, none is called missing.
    """

    session: MysqlSession

    def facts(self) -> ServerFacts:
        """See :meth:`Diagnosis.facts`."""
        connection = self.session.driver_connection
        with translated_errors(self.session.name):
            user, database, version = (str(value) for value in execute(connection, _WHO)[0])
            ciphers = execute(connection, "SHOW SESSION STATUS LIKE 'Ssl_cipher'")
            writable = next((where or "any table" for kind, where in self._grants() if kind in _WRITING), None)
        return ServerFacts(
            version=version.split("-", 1)[0],
            user=user,
            database=database,
            remote=connection.unix_socket is None and is_remote(str(connection.host), ""),
            encrypted=bool(ciphers and ciphers[0][1]),
            writable=writable,
            engine="MariaDB" if is_mariadb(connection) else "MySQL",
            keeps_schemas=False,
        )

    def missing_privileges(self, table: TableName, wanted: Sequence[str]) -> tuple[str, ...]:
        """See :meth:`Diagnosis.missing_privileges`."""
        with translated_errors(self.session.name):
            if self._has_role():
                return ()
            schema, name = table.schema or "", str(table)
            held = {kind for kind, where in self._grants() if where == name or _covers(where, schema)}
        return tuple(kind for kind in wanted if kind not in held)

    def ledger_obstacle(self) -> str | None:
        """See :meth:`Diagnosis.ledger_obstacle`."""
        with translated_errors(self.session.name):
            database = str(execute(self.session.driver_connection, _WHO)[0][1])
            if not database:
                return "database"
            if self._has_role():
                return None
            held = {kind for kind, where in self._grants() if _covers(where, database)}
            is_there = str(execute(self.session.driver_connection, _LEDGER)[0][0]) != "0"
        wanted = {"SELECT", "INSERT", "UPDATE"} if is_there else {"SELECT", "INSERT", "UPDATE", "CREATE", "REFERENCES"}
        return None if wanted <= held or is_there else "create"

    def write_obstacles(self, table: TableName) -> tuple[tuple[str, str], ...]:
        """See :meth:`Diagnosis.write_obstacles`."""
        names = {"schema": text_literal(table.schema or ""), "name": text_literal(table.name)}
        with translated_errors(self.session.name):
            rows = execute(self.session.driver_connection, fill(_OBSTACLES, **names))
        return tuple(sorted((str(row[0]), str(row[1])) for row in rows))

    def _grants(self) -> list[tuple[str, str]]:
        user, _, host = str(execute(self.session.driver_connection, _WHO)[0][0]).rpartition("@")
        query = fill(_GRANTS, grantee=text_literal(f"'{user}'@'{host}'"))
        return [(str(kind).upper(), str(where)) for kind, where in execute(self.session.driver_connection, query)]

    def _has_role(self) -> bool:
        role = execute(self.session.driver_connection, "SELECT CURRENT_ROLE()")[0][0]
        return role is not None and str(role).upper() != "NONE"


def _covers(where: str, schema: str) -> bool:
    """Whether a grant on everything or on a database (``_`` and ``%`` are wildcards in its name) covers a database."""
    if not where:
        return True
    pattern = where.removesuffix(".*")
    if pattern == where:
        return False
    return pattern.replace("\\_", "_").replace("\\%", "%") == schema or pattern == "%"
