"""Statements in little memory: what does not fit goes to a folder for temporary files, never beside the user's file."""

import atexit
import shutil
import tempfile
from functools import cache
from typing import TYPE_CHECKING, Any

from reconcile_assets.databases.quoting import quote_text

if TYPE_CHECKING:
    import duckdb

_MEMORY = "128MB"
_ALONE = (
    "SELECT readonly OR path IS NULL, current_setting('temp_directory')"
    " FROM duckdb_databases() WHERE database_name = current_database()"
)


@cache
def _folder() -> str:
    """One for the process: DuckDB can't change it once it was used."""
    folder = tempfile.mkdtemp(prefix="reconcile-assets-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class BoundedStatement:
    """Runs on a connection of its own, as running out of memory ends a transaction.

    Args:
        connection: of a database that nobody writes meanwhile, so that the other connection sees the same.
    """

    def __init__(self, connection: "duckdb.DuckDBPyConnection") -> None:
        self._cursor = connection.cursor()

    def interrupt(self) -> None:
        """End the statement, from another thread."""
        self._cursor.interrupt()

    def fetch(self, statement: str) -> list[tuple[Any, ...]] | None:
        """All rows; None where there is not enough memory for them, and more must be allowed."""
        import duckdb

        with self._cursor as cursor:
            try:
                cursor.execute("SET TimeZone = 'UTC'")
                cursor.execute(" ".join(("SET memory_limit =", quote_text(_MEMORY))))
                return cursor.execute(statement).fetchall()
            except duckdb.OutOfMemoryException:
                return None
            finally:
                cursor.execute("RESET memory_limit")


def can_be_bounded(connection: "duckdb.DuckDBPyConnection") -> bool:
    """Whether nobody writes the database meanwhile; then its temporary files go to the folder for them."""
    found = connection.execute(_ALONE).fetchone()
    if not found or not found[0]:
        return False
    if found[1] != _folder():
        connection.execute(" ".join(("SET temp_directory =", quote_text(_folder()))))
    return True
