"""A database that only SQLAlchemy knows, beside PostgreSQL and beside itself."""

import json
import random
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from reconcile_assets.core.compare import Comparison
from reconcile_assets.core.tables import TableName
from reconcile_assets.databases import open_database
from reconcile_assets.databases.base import Relation
from reconcile_assets.engine.diff import diff
from reconcile_assets.errors import MissingObject, QueryRefused, ReconcileAssetsError, StatementTimeout
from reconcile_assets_tests.integration.sides.firebird_world import PADDING, Firebird, require_firebird

UUID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"


@dataclass(frozen=True)
class Beside:
    """A type of PostgreSQL's and one of Firebird's, and values: equal ones, others, and near ones.

    Each is a literal of PostgreSQL's, and the value bound in Firebird.
    """

    postgresql: str
    firebird: str
    same: tuple[tuple[str, Any], ...] = ()
    other: tuple[tuple[str, Any], ...] = ()
    near: tuple[tuple[str, Any], ...] = ()


def same(*values: str) -> tuple[tuple[str, Any], ...]:
    return tuple((f"'{value}'", value) for value in values)


TYPES = {
    "bigint": Beside(
        "bigint", "BIGINT",
        (("9007199254740993", 2**53 + 1), ("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -(2**63)),
         ("NULL", None)),
        (("9007199254740993", 2**53), ("0", None), ("NULL", 0)),
    ),
    "numeric": Beside(
        "numeric", "NUMERIC(18,4)",
        (("1.10", Decimal("1.1000")), ("99999999999999.9999", Decimal("99999999999999.9999")),
         ("-0.0001", Decimal("-0.0001"))),
        (("99999999999999.9998", Decimal("99999999999999.9999")), ("1.20001", Decimal("1.2")), ("0", None)),
    ),
    "double": Beside(
        "float8", "DOUBLE PRECISION",
        (("0.1", 0.1), ("0.30000000000000004", 0.1 + 0.2), ("1e15", 1e15), ("1e-7", 1e-7), ("1e23", 1e23),
         ("1.7976931348623157e308", 1.7976931348623157e308), ("'-0'", 0.0)),
        (("0.3", 0.1 + 0.2), ("123456789.12345678", 123456789.12345679), ("0", None)),
    ),
    "double and decimal": Beside(
        "numeric", "DOUBLE PRECISION", (("0.1", 0.1), ("1", 1.0)), (("0.1000000000000001", 0.1),),
    ),
    "single": Beside(
        "real", "FLOAT", (("0.1", 0.1), ("16777216", 16777216.0), ("NULL", None)), (("0.10000001", 0.1),),
    ),
    "single and double": Beside("float8", "FLOAT", near=(("0.1", 0.1),), other=(("0.1001", 0.1), ("0", None))),
    "varchar": Beside(
        "text", "VARCHAR(30)",
        same("", "a", "NULL", "%s", ":x", "x|y", "a  ", "\u00e9", "\U0001f600", "e\u0301"),
        (("'a'", "A"), ("'a'", "a "), ("''", None), ("NULL", ""), ("'\u00e9'", "e\u0301"),
         ("'\U0001f600'", "\U0001f601"),
         ("NULL", "NULL")),
    ),
    "char": Beside("text", "CHAR(5)", (("'ab'", "ab"), ("''", "")), (("'ab'", "abc"), ("'ab'", " ab"), ("''", None))),
    "text blob": Beside("text", "BLOB SUB_TYPE TEXT", same("\u00e9" * 5000, ""), (("'a'", "a "), ("''", None))),
    "blob": Beside(
        "bytea", "BLOB", ((r"'\x00ff'", b"\x00\xff"), (r"'\x'", b"")), ((r"'\x00fe'", b"\x00\xff"), (r"'\x'", None)),
    ),
    "octets": Beside(
        "bytea", "VARCHAR(4) CHARACTER SET OCTETS", ((r"'\x00ff'", b"\x00\xff"),), ((r"'\x00ff'", b"\x00\xff\x00"),),
    ),
    "uuid and bytes": Beside(
        "uuid", "CHAR(16) CHARACTER SET OCTETS",
        ((f"'{UUID}'", bytes.fromhex(UUID.replace("-", ""))),), ((f"'{UUID}'", b"\x00" * 16), (f"'{UUID}'", None)),
    ),
    "uuid and text": Beside(
        "uuid", "VARCHAR(40)", ((f"'{UUID}'", f"{{{UUID.upper()}}}"),), ((f"'{UUID}'", UUID[:-1]),),
    ),
    "boolean": Beside(
        "boolean", "BOOLEAN", (("true", True), ("false", False)), (("true", False), ("false", None)),
    ),
    "boolean and number": Beside("boolean", "SMALLINT", (("true", 1), ("false", 0)), (("true", 2), ("false", None))),
    "date": Beside(
        "date", "DATE", same("0001-01-01", "2024-02-29", "9999-12-31"), (("'2024-03-01'", "2024-02-29"),
         ("'infinity'", "9999-12-31")),
    ),
    "date and midnight": Beside(
        "date", "TIMESTAMP", (("'2024-01-01'", "2024-01-01 00:00:00"),), (("'2024-01-01'", "2024-01-01 00:00:01"),),
    ),
    "timestamp(4)": Beside(
        "timestamp(4)", "TIMESTAMP", same("2024-01-01 23:59:59.9999"),
        (("'2024-01-01 00:00:00.1234'", "2024-01-01 00:00:00.1235"),),
    ),
    "timestamp": Beside(
        "timestamp", "TIMESTAMP", same("2024-01-01 00:00:00.12"),
        (("'2024-01-01 00:00:00.12351'", "2024-01-01 00:00:00.1234"),),
        (("'2024-01-01 00:00:00.12345'", "2024-01-01 00:00:00.1234"),
         ("'2024-01-01 23:59:59.99996'", "2024-01-02 00:00:00")),
    ),
    "time": Beside("time(4)", "TIME", same("12:00:00.5"), (("'12:00:00.5'", "12:00:00.5001"),)),
}  # fmt: skip


def fill(firebird: Firebird, postgres: str, beside: Beside) -> None:
    """Tables ``small`` and ``padded`` on both sides, of one row for each value."""
    values = [*beside.same, *beside.other, *beside.near]
    tables = ("small", "padded")
    firebird.run(
        0, *(f"RECREATE TABLE {table} (id BIGINT NOT NULL PRIMARY KEY, v {beside.firebird})" for table in tables)
    )
    for table in tables:
        firebird.load(0, table, [(at, value) for at, (_, value) in enumerate(values)])
    firebird.run(0, PADDING)
    written = ", ".join(f"({at}, {literal})" for at, (literal, _) in enumerate(values))
    with psycopg.connect(postgres, autocommit=True) as connection:
        for table in tables:
            made = f"CREATE TABLE {table} (id bigint PRIMARY KEY, v {beside.postgresql})"
            connection.execute(f"DROP TABLE IF EXISTS {table}; {made}".encode())
            connection.execute(f"INSERT INTO {table} VALUES {written}".encode())  # noqa: S608 - the test's own
        connection.execute("INSERT INTO padded SELECT g FROM generate_series(1000, 3499) AS g; ANALYZE padded")


@pytest.mark.parametrize("name", TYPES)
def test_values_are_equal_only_when_they_are(firebird: Firebird, postgres: str, name: str) -> None:
    beside = TYPES[name]
    fill(firebird, postgres, beside)
    others = set(range(len(beside.same), len(beside.same) + len(beside.other)))

    for table in ("small", "padded"):
        sides = [(firebird.url(0), table), (postgres, table)]
        for first, second in (sides, sides[::-1])[: 1 if table == "padded" and name != "varchar" else 2]:
            found = diff(*first, *second)
            assert {item.key["id"] for item in found.differences} == others
            assert found.value_differs == len(others)
            assert found.within_tolerance <= len(beside.near)  # those that are equal when they are cut are not counted
            assert (found.missing_in_target, found.missing_in_source) == (0, 0)
            assert found.verdict == ("mismatched" if others else "matched")


def test_a_table_beside_itself_is_equal_and_says_what_is_not_promised(firebird: Firebird) -> None:
    firebird.run(0, "RECREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, v VARCHAR(9))", "INSERT INTO t VALUES (1, 'x')")

    found = diff(firebird.url(0), "t", firebird.url(0), "T")

    assert found.verdict == "matched"
    assert sum("row by row through SQLAlchemy (firebird)" in note for note in found.notes) == 2
    assert not any("snapshot" in note for note in found.notes)


def test_keys_are_told_apart_by_code_points_and_duplicates_are_counted(firebird: Firebird, postgres: str) -> None:
    firebird.run(0, "RECREATE TABLE k (id VARCHAR(9), v INTEGER)")
    firebird.load(0, "k", [("a", 1), ("A", 2), ("a ", 3), ("\u00e1", 4), (None, 5), ("a", 6)])
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS k; CREATE TABLE k (id text, v int)")
        connection.execute("INSERT INTO k VALUES ('a', 1), ('A', 2), ('a ', 3), ('\u00e1', 9), (NULL, 5)")

    found = diff(firebird.url(0), "k", postgres, "k", key=["id"])

    assert (found.source.null_keys, found.source.duplicate_keys) == (1, 1)
    assert (found.missing_in_target, found.missing_in_source, found.value_differs) == (1, 0, 1)
    keyless = diff(firebird.url(0), "k", postgres, "k", keyless=True)
    assert (keyless.missing_in_target, keyless.missing_in_source) == (2, 1)


def test_a_view_and_a_condition_are_compared(firebird: Firebird, postgres: str) -> None:
    firebird.run(
        0,
        "RECREATE TABLE base (id INTEGER NOT NULL PRIMARY KEY, v VARCHAR(20), c CHAR(6))",
        "RECREATE VIEW seen (id, v, c) AS SELECT id, v, c FROM base WHERE id < 4",
    )
    firebird.load(0, "base", [(1, "100%", "ab"), (2, "it's :x", None), (3, "?", ""), (4, "x", "y")])
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS seen; CREATE TABLE seen (id int, v text, c text)")
        connection.execute("INSERT INTO seen VALUES (1, '100%', 'ab'), (2, 'it''s :x', NULL), (3, '?', '')")

    def compare(**options: Any) -> Comparison:
        return diff(firebird.url(0), "seen", postgres, "seen", key=["id"], **options)

    assert compare().verdict == "matched"
    assert compare(where="v LIKE '%:x' OR v = '100%' -- both").source.rows == 2
    assert compare(where_source="id <> 1").missing_in_source == 1


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "1=1; DELETE FROM t",
        "1=1) OR (1=1",
        "id = ",
        "nothing = 1",
        "v = 'it",
        "1=1 /* ",
        "1=1 UNION SELECT 1 FROM t",
    ],
)
def test_a_condition_that_is_none_is_refused_in_one_line(firebird: Firebird, condition: str) -> None:
    firebird.run(0, "RECREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, v VARCHAR(9))", "INSERT INTO t VALUES (1, 'x')")

    with pytest.raises(QueryRefused) as caught:
        diff(firebird.url(0), "t", firebird.url(0), "t", where=condition)

    assert "\n" not in str(caught.value)
    assert diff(firebird.url(0), "t", firebird.url(0), "t").source.rows == 1


def test_names_that_need_quotes_are_found(firebird: Firebird) -> None:
    for side in (0, 1):
        firebird.run(
            side,
            'RECREATE TABLE "we ird%s" ("Id" INT NOT NULL PRIMARY KEY, "order" INT, "a""b" INT, "%s" INT)',
            'INSERT INTO "we ird%s" VALUES (1, 2, 3, 4)',
        )
    firebird.run(1, 'UPDATE "we ird%s" SET "%s" = 5')

    found = diff(firebird.url(0), "we ird%s", firebird.url(1), '"we ird%s"')

    assert {name: column.differs for name, column in found.columns.items()} == {"order": 0, 'a"b': 0, "%s": 1}
    assert [dict(item.key) for item in found.differences] == [{"Id": 1}]


def test_what_is_not_there_is_said(firebird: Firebird) -> None:
    firebird.run(0, "RECREATE TABLE flights (id INTEGER NOT NULL PRIMARY KEY)")

    with pytest.raises(MissingObject, match=r"source: there is no table flihgts; did you mean flights\?"):
        diff(firebird.url(0), "flihgts", firebird.url(0), "flights")
    with pytest.raises(MissingObject, match="there is no schema ops"):
        diff(firebird.url(0), "ops.flights", firebird.url(0), "flights")
    with pytest.raises(ReconcileAssetsError, match="source: the database can't be connected") as caught:
        diff("firebird+firebird:////nowhere/s3cret.fdb", "flights", firebird.url(0), "flights")
    assert "s3cret" not in str(caught.value)


def test_the_command_line_takes_its_url(firebird: Firebird, postgres: str) -> None:
    require_firebird()
    firebird.run(0, "RECREATE TABLE c (id INTEGER NOT NULL PRIMARY KEY, v VARCHAR(9))", "INSERT INTO c VALUES (1, 'x')")
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS c; CREATE TABLE c (id int PRIMARY KEY, v text)")
        connection.execute("INSERT INTO c VALUES (1, 'y')")
    start = f"import sys; sys.path += {sys.path!r}; from reconcile_assets.cli import run; sys.exit(run())"
    command = [sys.executable, "-c", start, "diff", firebird.url(0), "c", postgres, "c", "--json", "--mask", "v"]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    told = json.loads(done.stdout)
    assert (done.returncode, told["verdict"], told["columns"]["v"]["differs"]) == (1, "mismatched", 1)
    assert told["differences"][0]["source"] == {"v": "***"}


@pytest.mark.parametrize("seed", range(8))
def test_the_comparison_agrees_with_the_oracle(firebird: Firebird, postgres: str, seed: int) -> None:
    random_ = random.Random(seed)  # noqa: S311 - a seeded sequence, no secret
    columns = {
        "a": (
            "BIGINT",
            "bigint",
            lambda: random_.choice([0, 1, -1, 2**53, 2**53 + 1, random_.randint(-(2**63), 2**63 - 1)]),
        ),
        "b": ("NUMERIC(18,3)", "numeric", lambda: Decimal(random_.randint(-(10**9), 10**9)).scaleb(-3)),
        "c": ("DOUBLE PRECISION", "float8", lambda: random_.choice([0.1, 0.1 + 0.2, 1e300, random_.random()])),
        "d": ("VARCHAR(9)", "text", lambda: "".join(random_.choice("aA \u00e9|'%\U0001f600") for _ in range(3))),
        "e": ("BLOB", "bytea", lambda: random_.randbytes(random_.randint(0, 3))),
        "f": ("BOOLEAN", "boolean", lambda: random_.random() < 0.5),
    }

    def row() -> tuple[Any, ...]:
        return tuple(None if random_.random() < 0.1 else make() for _, _, make in columns.values())

    source = {key: row() for key in random_.sample(range(10**6), random_.choice([5, 60, 1500]))}
    target = dict(source)
    for key in random_.sample(sorted(source), 3):
        values = list(source[key])
        at = random_.randrange(len(values))
        values[at] = row()[at]
        target[key] = tuple(values)
    target.pop(random_.choice(sorted(target)))
    target[random_.randint(10**7, 10**8)] = row()
    named = ", ".join(f"{name} {kind}" for name, (kind, _, _) in columns.items())
    firebird.run(0, f"RECREATE TABLE fuzz (id BIGINT NOT NULL PRIMARY KEY, {named})")
    firebird.load(0, "fuzz", [(key, *values) for key, values in source.items()])
    with psycopg.connect(postgres, autocommit=True) as connection:
        named = ", ".join(f"{name} {kind}" for name, (_, kind, _) in columns.items())
        connection.execute(f"DROP TABLE IF EXISTS fuzz; CREATE TABLE fuzz (id bigint PRIMARY KEY, {named})".encode())
        rows = [(key, *values) for key, values in target.items()]
        connection.cursor().executemany("INSERT INTO fuzz VALUES (%s, %s, %s, %s, %s, %s, %s)", rows)
    both = source.keys() & target.keys()

    found = diff(firebird.url(0), "fuzz", postgres, "fuzz")

    assert (found.missing_in_target, found.missing_in_source) == (len(source.keys() - both), len(target.keys() - both))
    assert found.value_differs == sum(source[key] != target[key] for key in both)
    assert found.verdict == "mismatched"
    turned = diff(postgres, "fuzz", firebird.url(0), "fuzz")
    assert (turned.missing_in_source, turned.value_differs) == (found.missing_in_target, found.value_differs)


def test_what_is_cancelled_ends_with_the_next_batch(firebird: Firebird) -> None:
    firebird.run(0, "RECREATE TABLE padded (id INTEGER NOT NULL PRIMARY KEY)", PADDING)
    relation = Relation(TableName(None, "padded"))

    with open_database(firebird.url(0), name="source").session() as session:
        assert session.fetch_checksums(relation, [])[None].rows == 2_500
        session.cancel()
        with pytest.raises(StatementTimeout, match="time limit"):
            session.fetch_checksums(relation, [])
