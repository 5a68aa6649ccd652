"""Firebird, a database of which the product knows nothing but SQLAlchemy's dialect: embedded, one file a side."""

import glob
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from reconcile_assets_tests.conftest import required_services

_PACKAGES = Path(__file__).parents[3] / ".state" / "firebird"
PADDING = """
EXECUTE BLOCK AS DECLARE i INTEGER = 1000; BEGIN
  WHILE (i < 3500) DO BEGIN INSERT INTO padded (id) VALUES (:i); i = i + 1; END
END
"""


def require_firebird() -> None:
    """Go on only where Firebird's library and its dialect are: else skip with the reason, or fail where required."""
    if _PACKAGES.is_dir() and str(_PACKAGES) not in sys.path:
        sys.path.append(str(_PACKAGES))
    has_engine = bool(glob.glob("/usr/lib/*/firebird/*/plugins/libEngine*.so"))
    if has_engine and importlib.util.find_spec("sqlalchemy_firebird"):
        return
    reason = "Firebird's embedded library or its SQLAlchemy dialect is not there; .ci/firebird installs both"
    if "firebird" in required_services():
        pytest.fail(f"{reason} (required by RECONCILE_REQUIRE_SERVICES)")
    pytest.skip(reason)


class Firebird:
    """A file for each side; closed after each use, as the embedded library locks it for its process."""

    def __init__(self, folder: Path) -> None:
        from firebird.driver import create_database

        self._files = [folder / "source.fdb", folder / "target.fdb"]
        for file in self._files:
            create_database(str(file), user="SYSDBA", charset="UTF8").close()

    def url(self, side: int) -> str:
        """The URL of one side's file."""
        return f"firebird+firebird:///{self._files[side]}?charset=UTF8"

    def run(self, side: int, *statements: str) -> None:
        """Run statements, each committed: Firebird sees a new table in the next transaction."""
        engine = sa.create_engine(self.url(side), poolclass=sa.NullPool)
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
                connection.commit()

    def load(self, side: int, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows with their values bound."""
        engine = sa.create_engine(self.url(side), poolclass=sa.NullPool)
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            with engine.begin() as connection:
                connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({marks})", list(rows))  # noqa: S608 - the test's own
