"""MariaDB beside SQLite and DuckDB files: one value of each kind, small and padded, in both directions."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from reconcile_assets_tests.integration.mysql.conftest import PADDED, MariadbSide, compare, make_column


class FileSide:
    """A SQLite or DuckDB file."""

    def __init__(self, engine: str, file: Path) -> None:
        self.engine = engine
        self.file = file
        self.url = f"{engine}:///{file}"

    def make(self, column_type: str, value: str | None, *, padded: bool) -> None:
        """As ``make_column``."""
        rows = [(number, f"p{number}") for number in range(2, PADDED + 1 if padded else 2)]
        self.run(
            "DROP TABLE IF EXISTS t",
            f"CREATE TABLE t (id BIGINT PRIMARY KEY, v {column_type}, w VARCHAR)",
            f"INSERT INTO t VALUES (1, {value or 'NULL'}, 'w')",  # noqa: S608 - the test's own SQL
        )
        self.many("INSERT INTO t VALUES (?, NULL, ?)", rows)

    def run(self, *statements: str) -> None:
        with self._open() as connection:
            for statement in statements:
                connection.execute(statement)

    def many(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        with self._open() as connection:
            if self.engine == "duckdb":
                connection.execute("BEGIN")
            for start in range(0, len(rows), 500):
                connection.executemany(statement, rows[start : start + 500])
            if self.engine == "duckdb":
                connection.execute("COMMIT")

    def _open(self) -> Any:
        if self.engine == "duckdb":
            return duckdb.connect(str(self.file))
        return _Closing(self.file)


class _Closing:
    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file)

    def __enter__(self) -> sqlite3.Connection:
        return self._connection

    def __exit__(self, *error: object) -> None:
        self._connection.commit()
        self._connection.close()


UUID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
BARE = UUID.replace("-", "")

# SQLite's type and value, DuckDB's, MariaDB's, and whether they are equal; None: the engine has no such type.
VALUES: list[tuple[str, tuple[str, str | None] | None, tuple[str, str | None] | None, tuple[str, str | None], bool]] = [
    ("integers", ("INTEGER", "9007199254740993"), ("BIGINT", "9007199254740993"), ("bigint", "9007199254740993"), True),
    ("2^53", ("INTEGER", "9007199254740993"), ("BIGINT", "9007199254740993"), ("bigint", "9007199254740992"), False),
    ("unsigned", None, ("UBIGINT", "18446744073709551615"), ("bigint unsigned", "18446744073709551615"), True),
    ("booleans", ("BOOLEAN", "1"), ("BOOLEAN", "true"), ("tinyint(1)", "1"), True),
    ("true and 2", ("BOOLEAN", "1"), ("BOOLEAN", "true"), ("tinyint(1)", "2"), False),
    ("decimals", None, ("DECIMAL(10,2)", "1.10"), ("decimal(10,4)", "1.1"), True),
    ("decimals by one", None, ("DECIMAL(10,2)", "1.20"), ("decimal(10,4)", "1.2049"), False),
    ("doubles", ("REAL", "1.005"), ("DOUBLE", "1.005"), ("double", "1.005"), True),
    ("1e15", ("REAL", "1e15"), ("DOUBLE", "1e15"), ("double", "1e15"), True),
    ("1e-7", ("REAL", "1e-7"), ("DOUBLE", "1e-7"), ("double", "1e-7"), True),
    ("the last bit", ("REAL", "0.1 + 0.2"), ("DOUBLE", "0.1::DOUBLE + 0.2::DOUBLE"), ("double", "0.3"), False),
    ("zero and NULL", ("REAL", None), ("DOUBLE", None), ("double", "0"), False),
    ("floats", None, ("FLOAT", "0.123456789"), ("float", "0.123456789"), True),
    ("floats by one", None, ("FLOAT", "0.1234567"), ("float", "0.1234568"), False),
    ("texts", ("TEXT", "'é😀'"), ("VARCHAR", "'é😀'"), ("varchar(9)", "'é😀'"), True),
    ("latin1", ("TEXT", "'é'"), ("VARCHAR", "'é'"), ("varchar(9) CHARACTER SET latin1", "'é'"), True),
    ("case", ("TEXT", "'a'"), ("VARCHAR", "'a'"), ("varchar(9)", "'A'"), False),
    ("a trailing space", ("TEXT", "'a'"), ("VARCHAR", "'a'"), ("varchar(9)", "'a '"), False),
    ("NUL", ("TEXT", "'a' || char(0) || 'b'"), ("VARCHAR", "'a' || chr(0) || 'b'"), ("varchar(9)", "'a'"), False),
    ("NUL on both", ("TEXT", "'a' || char(0) || 'b'"), ("VARCHAR", "'a' || chr(0) || 'b'"), ("text", "'a\\0b'"), True),
    ("bytes", ("BLOB", "x'00ff'"), ("BLOB", "'\\x00\\xFF'::BLOB"), ("varbinary(9)", "x'00ff'"), True),
    ("bytes by one", ("BLOB", "x'00ff'"), ("BLOB", "'\\x00\\xFF'::BLOB"), ("binary(3)", "x'00ff'"), False),
    ("uuids", None, ("UUID", f"'{UUID}'"), ("binary(16)", f"x'{BARE}'"), True),
    ("uuids as text", None, ("UUID", f"'{UUID}'"), ("varchar(40)", f"'{{{UUID.upper()}}}'"), True),
    ("dates", ("DATE", "'2024-02-29'"), ("DATE", "'2024-02-29'"), ("date", "'2024-02-29'"), True),
    ("the zero date", ("DATE", None), ("DATE", None), ("date", "'0000-00-00'"), False),
    (
        "moments",
        ("TIMESTAMP", "'2024-01-01 00:00:00.25'"),
        ("TIMESTAMP", "'2024-01-01 00:00:00.25'"),
        ("datetime(6)", "'2024-01-01 00:00:00.25'"),
        True,
    ),
    (
        "a microsecond",
        ("TIMESTAMP", "'2024-01-01 00:00:00.25'"),
        ("TIMESTAMP", "'2024-01-01 00:00:00.25'"),
        ("datetime(6)", "'2024-01-01 00:00:00.250001'"),
        False,
    ),
    ("instants", None, ("TIMESTAMPTZ", "'2024-01-01 02:00:00+02'"), ("timestamp(6)", "'2024-01-01 00:00:00'"), True),
    ("times", None, ("TIME", "'10:00:00.5'"), ("time(6)", "'10:00:00.5'"), True),
    ("enums", None, ("ENUM('one', 'two')", "'one'"), ("enum('two','one')", "'one'"), True),
    ("json", None, ("JSON", """'{"a": 1.0, "b": 2}'"""), ("json", """'{"b":2,"a":1}'"""), True),
    ("json by one", None, ("JSON", "'9007199254740993'"), ("json", "'9007199254740992'"), False),
    ("bits", ("INTEGER", "5"), ("INTEGER", "5"), ("bit(8)", "b'101'"), True),
]


def _cases() -> list[Any]:
    cases = []
    for name, in_sqlite, in_duckdb, in_mariadb, equal in VALUES:
        for engine, own in (("sqlite", in_sqlite), ("duckdb", in_duckdb)):
            if own is not None:
                cases.append(pytest.param(engine, own, in_mariadb, equal, id=f"{engine} {name}"))
    return cases


@pytest.mark.parametrize("padded", [False, True], ids=["small", "padded"])
@pytest.mark.parametrize(("engine", "own", "in_mariadb", "equal"), _cases())
def test_a_value_equals_what_is_equal_and_nothing_else(
    mariadb: MariadbSide,
    tmp_path: Path,
    engine: str,
    own: tuple[str, str | None],
    in_mariadb: tuple[str, str | None],
    equal: bool,
    padded: bool,
) -> None:
    file = FileSide(engine, tmp_path / "t.db")
    file.make(*own, padded=padded)
    make_column(mariadb, *in_mariadb, padded=padded)
    mariadb.run("UPDATE t SET w = concat('p', id) WHERE id > 1")
    for source, target in ((file, mariadb), (mariadb, file)):
        found = compare(source, target)  # type: ignore[arg-type]
        assert found.verdict == ("matched" if equal else "mismatched")
        assert found.value_differs == (0 if equal else 1)


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
def test_keys_that_a_collation_folds_are_missing(mariadb: MariadbSide, tmp_path: Path, engine: str) -> None:
    file = FileSide(engine, tmp_path / "t.db")
    file.run(
        "CREATE TABLE t (k VARCHAR PRIMARY KEY, v VARCHAR)", "INSERT INTO t VALUES ('a', 'v'), ('A', 'v'), ('a ', 'v')"
    )
    mariadb.run(
        "DROP TABLE IF EXISTS t",
        "CREATE TABLE t (k varchar(20) COLLATE utf8mb4_general_ci PRIMARY KEY, v text)",
        "INSERT INTO t VALUES ('a', 'v')",
    )
    found = compare(file, mariadb)  # type: ignore[arg-type]
    assert (found.missing_in_target, found.missing_in_source) == (2, 0)
    found = compare(mariadb, file)  # type: ignore[arg-type]
    assert (found.missing_in_target, found.missing_in_source) == (0, 2)
