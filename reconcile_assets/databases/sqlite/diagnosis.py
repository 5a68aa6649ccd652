"""What `doctor` asks a SQLite file."""

import sqlite3

from reconcile_assets.core.tables import TableName
from reconcile_assets.databases.base import Session
from reconcile_assets.databases.diagnosis import FileDiagnosis

_OBSTACLES = """
SELECT 'trigger', name FROM sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) = lower(:name)
UNION ALL
SELECT 'cascade', t.name FROM sqlite_schema AS t JOIN pragma_foreign_key_list(t.name) AS f
 WHERE t.type = 'table' AND lower(f."table") = lower(:name) AND f.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT')
ORDER BY 1, 2
"""


class SqliteDiagnosis(FileDiagnosis):
    """See :class:`~reconcile_assets.databases.diagnosis.Diagnosis`."""

    def __init__(self, session: Session, path: str) -> None:
        super().__init__(session, path, engine="SQLite", version=sqlite3.sqlite_version, keeps_schemas=False)

    def write_obstacles(self, table: TableName) -> tuple[tuple[str, str], ...]:
        """See :meth:`Diagnosis.write_obstacles`."""
        rows = self.session.driver_connection.execute(_OBSTACLES, {"name": table.name}).fetchall()
        return tuple((row[0], row[1]) for row in rows)
