"""Keys, multisets, coarser types, tolerances, zones and whole tables between PostgreSQL and MariaDB."""

import random
import struct
from collections.abc import Sequence
from typing import Any

import pytest

from reconcile_assets.errors import CouldNotVerify, NotComparable
from reconcile_assets_tests.integration.mysql.conftest import (
    PADDED,
    MariadbSide,
    PostgresSide,
    Side,
    compare,
    make_column,
)

BOTH = pytest.mark.parametrize("turned", [False, True], ids=["from PostgreSQL", "from MariaDB"])
SIZES = pytest.mark.parametrize("padded", [False, True], ids=["small", "padded"])


def make_rows(side: Side, columns: str, rows: Sequence[tuple[Any, ...]], *, padded: bool = False) -> None:
    """A table of these rows; padded, thousands of rows with other integer keys stand around them."""
    side.run("DROP TABLE IF EXISTS t", f"CREATE TABLE t ({columns})")
    more = [(f"p{number}", *("" for _ in rows[0][1:])) for number in range(PADDED)] if padded else []
    marks = ", ".join(["%s"] * len(rows[0]))
    side.many(f"INSERT INTO t VALUES ({marks})", [*rows, *more])  # noqa: S608 - the test's own SQL
    side.run("ANALYZE t" if side.engine == "postgresql" else "ANALYZE TABLE t")


def ordered(postgres: Side, mariadb: Side, turned: bool) -> tuple[Side, Side]:
    return (mariadb, postgres) if turned else (postgres, mariadb)


@BOTH
@SIZES
@pytest.mark.parametrize(
    ("keys", "collation", "lost"),
    [
        (["a", "A"], "utf8mb4_general_ci", "A"),
        (["a", "a "], "utf8mb4_bin", "a "),
        (["e", "é"], "utf8mb4_unicode_ci", "é"),
        (["ss", "ß"], "utf8mb4_unicode_ci", "ß"),
    ],
    ids=["case", "trailing space", "accent", "expansion"],
)
def test_a_key_that_the_collation_would_fold_is_missing(
    postgres: PostgresSide, mariadb: MariadbSide, turned: bool, padded: bool, keys: list[str], collation: str, lost: str
) -> None:
    make_rows(postgres, "k text PRIMARY KEY, v text", [(key, "v") for key in keys], padded=padded)
    make_rows(mariadb, f"k varchar(20) COLLATE {collation} PRIMARY KEY, v text", [(keys[0], "v")], padded=padded)
    found = compare(*ordered(postgres, mariadb, turned))
    assert (found.missing_in_target, found.missing_in_source) == ((0, 1) if turned else (1, 0))
    assert [item.key for item in found.differences] == [{"k": lost}]
    assert found.value_differs == 0


@BOTH
@SIZES
def test_a_changed_row_is_found_again_beside_keys_that_the_collation_folds(
    postgres: PostgresSide, mariadb: MariadbSide, turned: bool, padded: bool
) -> None:
    make_rows(postgres, "k text PRIMARY KEY, v text", [("a", "1"), ("A", "2"), ("b", "3")], padded=padded)
    make_rows(
        mariadb,
        "k varchar(20) COLLATE utf8mb4_bin PRIMARY KEY, v text",
        [("a", "1"), ("A", "x"), ("b", "3")],
        padded=padded,
    )
    found = compare(*ordered(postgres, mariadb, turned))
    assert (found.value_differs, found.missing_in_target, found.missing_in_source) == (1, 0, 0)
    assert found.differences[0].key == {"k": "A"}


@BOTH
@SIZES
def test_rows_with_separators_in_their_values_are_told_apart(
    postgres: PostgresSide, mariadb: MariadbSide, turned: bool, padded: bool
) -> None:
    for mark in ("|", ",", "#", "-", "\x1f", "1:"):
        columns = "k varchar(20) PRIMARY KEY, v varchar(20), w varchar(20)"
        make_rows(postgres, columns, [("1", f"x{mark}y", "z")], padded=padded)
        make_rows(mariadb, columns, [("1", "x", f"y{mark}z")], padded=padded)
        found = compare(*ordered(postgres, mariadb, turned))
        assert found.value_differs == 1
        assert {name: column.differs for name, column in found.columns.items()} == {"v": 1, "w": 1}


@BOTH
@SIZES
def test_values_exchanged_between_rows_are_two_changes(
    postgres: PostgresSide, mariadb: MariadbSide, turned: bool, padded: bool
) -> None:
    columns = "k varchar(20) PRIMARY KEY, v varchar(20)"
    make_rows(postgres, columns, [("1", "a"), ("2", "b")], padded=padded)
    make_rows(mariadb, columns, [("1", "b"), ("2", "a")], padded=padded)
    assert compare(*ordered(postgres, mariadb, turned)).value_differs == 2


@BOTH
@SIZES
def test_rows_without_a_key_are_a_multiset(
    postgres: PostgresSide, mariadb: MariadbSide, turned: bool, padded: bool
) -> None:
    for left, right, missing, extra in (
        ("AA", "BB", 2, 2),
        ("AA", "A", 1, 0),
        ("AAB", "ABB", 1, 1),
        ("AAA", "A", 2, 0),
    ):
        make_rows(postgres, "v varchar(20)", [(letter,) for letter in left], padded=padded)
        make_rows(mariadb, "v varchar(20)", [(letter,) for letter in right], padded=padded)
        found = compare(*ordered(postgres, mariadb, turned), keyless=True)
        wanted = (extra, missing) if turned else (missing, extra)
        assert (found.missing_in_target, found.missing_in_source) == wanted


@BOTH
@SIZES
def test_a_null_key_is_counted_and_missing(
    postgres: PostgresSide, mariadb: MariadbSide, turned: bool, padded: bool
) -> None:
    make_rows(postgres, "k varchar(20), v varchar(20)", [("1", "1"), ("2", "2"), (None, "3")], padded=padded)
    make_rows(mariadb, "k varchar(20), v varchar(20)", [("1", "1"), ("2", "2")], padded=padded)
    found = compare(*ordered(postgres, mariadb, turned), key=["k"])
    assert found.missing_in_target + found.missing_in_source == 1
    assert (found.source.null_keys, found.target.null_keys) == ((0, 1) if turned else (1, 0))


@BOTH
def test_duplicate_keys_are_counted_and_compared_as_a_multiset(
    postgres: PostgresSide, mariadb: MariadbSide, turned: bool
) -> None:
    make_rows(postgres, "k varchar(20), v varchar(20)", [("1", "a"), ("1", "b"), ("2", "c")], padded=True)
    make_rows(mariadb, "k varchar(20), v varchar(20)", [("1", "b"), ("1", "a"), ("2", "c"), ("2", "c")], padded=True)
    found = compare(*ordered(postgres, mariadb, turned), key=["k"])
    assert (found.missing_in_target, found.missing_in_source) == ((1, 0) if turned else (0, 1))
    assert (found.source.duplicate_keys, found.target.duplicate_keys) == ((2, 1) if turned else (1, 2))


KEYS = [
    ("bigint", "bigint unsigned", "9007199254740992", "9007199254740993"),
    ("numeric(30,10)", "decimal(30,10)", "1.5", "1.5000000001"),
    ("uuid", "binary(16)", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12'"),
    ("bytea", "varbinary(20)", "'\\x00ff'", "'\\x00ff00'"),
    ("date", "date", "'2024-01-01'", "'2024-01-02'"),
    ("timestamp", "datetime(6)", "'2024-01-01 00:00:00.000001'", "'2024-01-01 00:00:00.000002'"),
    ("timestamptz", "timestamp(6)", "'2024-01-01 00:00:00.1+00'", "'2024-01-01 00:00:00.2+00'"),
    ("time", "time(6)", "'10:00:00.5'", "'10:00:00.6'"),
    ("float8", "double", "0.1", "0.30000000000000004"),
    ("real", "float", "0.1", "0.123456789"),
    ("bit(8)", "bit(8)", "B'00000101'", "B'00000111'"),
    ("integer", "year", "2024", "0"),
    ("text", "enum('one','two')", "'one'", "'two'"),
    ("text", "varchar(20) CHARACTER SET latin1", "'é'", "'É'"),
]


def _in_mysql(column_type: str, literal: str) -> str:
    if column_type.startswith("binary"):
        return f"x{literal.replace('-', '')}"
    if column_type.startswith("varbinary"):
        return "x'" + literal[3:]
    if column_type == "year":
        return f"'{literal:0>4}'"
    return literal.removesuffix("+00'") + "'" if literal.endswith("+00'") else literal.replace("B'", "b'")


@BOTH
@pytest.mark.parametrize(("left", "right", "first", "second"), KEYS, ids=lambda text: str(text)[:24])
def test_a_row_is_found_again_by_a_key_of_any_type(
    postgres: PostgresSide, mariadb: MariadbSide, turned: bool, left: str, right: str, first: str, second: str
) -> None:
    for side, column_type in ((postgres, left), (mariadb, right)):
        values = [text if side is postgres else _in_mysql(right, text) for text in (first, second)]
        collation = " COLLATE latin1_bin" if "latin1" in column_type else ""
        side.run(
            "DROP TABLE IF EXISTS t",
            f"CREATE TABLE t (k {column_type}{collation}, n bigint, v text, PRIMARY KEY (n, k))",
            f"INSERT INTO t VALUES ({values[0]}, 1, 'a')",  # noqa: S608 - the test's own SQL
            f"INSERT INTO t VALUES ({values[1]}, 1, '{side.engine}')",  # noqa: S608 - the test's own SQL
        )
        rows = ("generate_series(2, 2500) AS g", "g") if side is postgres else ("seq_2_to_2500", "seq")
        side.run(f"INSERT INTO t SELECT {values[0]}, {rows[1]}, 'p' FROM {rows[0]}")  # noqa: S608 - the test's own SQL
        side.run("ANALYZE t" if side is postgres else "ANALYZE TABLE t")
    found = compare(*ordered(postgres, mariadb, turned))
    assert (found.value_differs, found.missing_in_target, found.missing_in_source) == (1, 0, 0)
    assert found.source_cost.rows_read < 1_000
    mariadb.run("DELETE FROM t WHERE v = 'a'")
    found = compare(*ordered(postgres, mariadb, turned))
    assert (found.value_differs, found.missing_in_target + found.missing_in_source) == (1, 1)


@BOTH
@SIZES
def test_a_coarser_time_matches_within_one_unit_and_says_so(
    postgres: PostgresSide, mariadb: MariadbSide, turned: bool, padded: bool
) -> None:
    make_column(postgres, "timestamp(6)", "'2024-01-01 10:00:00.1236'", padded=padded)
    for text, verdict in ((".123", "matched"), (".124", "matched"), (".125", "mismatched"), (".122", "mismatched")):
        make_column(mariadb, "datetime(3)", f"'2024-01-01 10:00:00{text}'", padded=padded)
        found = compare(*ordered(postgres, mariadb, turned))
        assert found.verdict == verdict
        assert found.columns["v"].comparison.startswith("coarser:")
        assert compare(*ordered(postgres, mariadb, turned), strict=True).verdict == "mismatched"


@BOTH
@pytest.mark.parametrize(
    ("left", "right"),
    [
        (("timestamp", "'2024-12-31 23:59:59.9996'"), ("datetime", "'2025-01-01'")),
        (("timestamptz(3)", "'2024-12-31 23:59:59.999+00'"), ("timestamp(6)", "'2024-12-31 23:59:59.999900'")),
        (("time", "'10:00:00.75'"), ("time(1)", "'10:00:00.7'")),
        (("time(0)", "'10:00:01'"), ("time(6)", "'10:00:00.7'")),
        (("real", "0.1"), ("double", "0.1")),
        (("float8", "0.1"), ("float", "0.1")),
        (("float8", "1.5"), ("float", "1.5")),
    ],
    ids=str,
)
def test_a_coarser_copy_matches_on_either_side(
    postgres: PostgresSide, mariadb: MariadbSide, turned: bool, left: tuple[str, str], right: tuple[str, str]
) -> None:
    make_column(postgres, *left, padded=True)
    make_column(mariadb, *right, padded=True)
    found = compare(*ordered(postgres, mariadb, turned))
    assert found.verdict == "matched"
    assert found.columns["v"].comparison.startswith("coarser:")


@BOTH
def test_a_double_beyond_single_precision_equals_no_float(
    postgres: PostgresSide, mariadb: MariadbSide, turned: bool
) -> None:
    make_column(postgres, "real", "'Infinity'")
    make_column(mariadb, "double", "1e300")
    assert compare(*ordered(postgres, mariadb, turned)).verdict == "mismatched"
    make_column(postgres, "float8", "1e300")
    make_column(mariadb, "float", "3.4028234663852886e38")
    assert compare(*ordered(postgres, mariadb, turned)).verdict == "mismatched"


@BOTH
@SIZES
def test_tolerances_forgive_what_they_name(
    postgres: PostgresSide, mariadb: MariadbSide, turned: bool, padded: bool
) -> None:
    make_column(postgres, "float8", "0.3", padded=padded)
    make_column(mariadb, "double", "0.1e0 + 0.2e0", padded=padded)
    sides = ordered(postgres, mariadb, turned)
    assert compare(*sides).verdict == "mismatched"
    assert compare(*sides, rel_tol={"v": 1e-9}).verdict == "matched"
    make_column(postgres, "real", "0.3", padded=padded)
    make_column(mariadb, "float", "0.4", padded=padded)
    assert compare(*sides, abs_tol={"v": 0.05}).verdict == "mismatched"
    assert compare(*sides, abs_tol={"v": 0.11}).verdict == "matched"
    make_column(postgres, "timestamp", "'2024-01-01'", padded=padded)
    make_column(mariadb, "datetime", "'2024-01-01 00:00:05'", padded=padded)
    assert compare(*sides, seconds={"v": 4}).verdict == "mismatched"
    assert compare(*sides, seconds={"v": 5}).verdict == "matched"
    make_column(mariadb, "datetime", "'0000-00-00 00:00:00'", padded=padded)
    assert compare(*sides, seconds={"v": 1e12}).verdict == "mismatched"
    with pytest.raises(NotComparable, match="for numbers, not"):
        compare(*sides, abs_tol={"v": 1})


@BOTH
@SIZES
def test_a_zoneless_time_beside_an_instant_needs_its_zone(
    postgres: PostgresSide, mariadb: MariadbSide, turned: bool, padded: bool
) -> None:
    sides = ordered(postgres, mariadb, turned)
    make_column(postgres, "timestamptz", "'2024-07-01 12:00:00+00'", padded=padded)
    make_column(mariadb, "datetime(6)", "'2024-07-01 08:00:00'", padded=padded)
    assert compare(*sides).verdict == "inconclusive"
    assert compare(*sides, zones={"v": "America/New_York"}).verdict == "matched"
    assert compare(*sides, zones={"v": "Europe/Berlin"}).verdict == "mismatched"
    make_column(
        postgres, "timestamptz", "'2024-11-03 06:30:00+00'", padded=padded
    )  # the repeated hour, the second time
    make_column(mariadb, "datetime(6)", "'2024-11-03 01:30:00'", padded=padded)
    assert compare(*sides, zones={"v": "America/New_York"}).verdict == "matched"
    make_column(postgres, "timestamptz", "'2024-03-10 07:30:00+00'", padded=padded)  # the skipped hour
    make_column(mariadb, "datetime(6)", "'2024-03-10 02:30:00'", padded=padded)
    assert compare(*sides, zones={"v": "America/New_York"}).verdict == "matched"


@BOTH
def test_what_has_no_exact_form_is_never_green(postgres: PostgresSide, mariadb: MariadbSide, turned: bool) -> None:
    for left, right in (
        ("point", "geometry"),
        ("text", "geometry"),
        ("text", "int"),
        ("inet", "inet6"),
        ("boolean", "varchar(5)"),
        ("interval", "time"),
        ("timetz", "time"),
        ("numeric", "bit(64)"),
    ):
        make_column(postgres, left, None)
        make_column(mariadb, right, None)
        found = compare(*ordered(postgres, mariadb, turned))
        assert found.verdict == "inconclusive", (left, right)
        assert found.columns["v"].comparison.startswith("uncomparable:")


@BOTH
def test_a_difference_in_the_last_of_150_columns_is_found(
    postgres: PostgresSide, mariadb: MariadbSide, turned: bool
) -> None:
    names = [f"c{number}" for number in range(150)]
    for side in (postgres, mariadb):
        columns = ", ".join(f"{name} int" for name in (names if side is postgres else reversed(names)))
        make_rows(side, columns, [tuple(7 for _ in names)])
    sides = ordered(postgres, mariadb, turned)
    assert compare(*sides, key=["c0"]).verdict == "matched"
    mariadb.run("UPDATE t SET c149 = 8")
    found = compare(*sides, key=["c0"])
    assert [name for name, column in found.columns.items() if column.differs] == ["c149"]


@BOTH
def test_an_empty_table_matches_an_empty_one_and_no_other(
    postgres: PostgresSide, mariadb: MariadbSide, turned: bool
) -> None:
    for side in (postgres, mariadb):
        make_column(side, "int", "1")
        side.run("DELETE FROM t")
    sides = ordered(postgres, mariadb, turned)
    assert compare(*sides).verdict == "matched"
    postgres.run("INSERT INTO t SELECT g, 1, 'w' FROM generate_series(1, 5) AS g")
    found = compare(*sides)
    assert found.missing_in_target + found.missing_in_source == 5
    assert len(found.differences) == 5


def test_doubles_and_floats_of_every_size_are_equal_to_themselves(postgres: PostgresSide, mariadb: MariadbSide) -> None:
    random_ = random.Random(5)  # noqa: S311 - a seeded sequence, no secret
    doubles = [struct.unpack("<d", random_.randbytes(8))[0] for _ in range(3_000)]
    doubles += [sign * 2.0**power for power in range(-1074, 1024) for sign in (1, -1)]
    doubles += [random_.uniform(-1e6, 1e6) for _ in range(1_000)] + [1e22, 1e23, 9007199254740993.0, 5e-324]
    doubles = [value for value in doubles if value - value == 0]
    floats = [struct.unpack("<f", random_.randbytes(4))[0] for _ in range(len(doubles))]
    rows = [
        (number, repr(double), repr(single) if single - single == 0 else None)
        for number, (double, single) in enumerate(zip(doubles, floats, strict=True))
    ]
    for side, types in ((postgres, "a float8, b real"), (mariadb, "a double, b float")):
        side.run("DROP TABLE IF EXISTS t", f"CREATE TABLE t (id bigint PRIMARY KEY, {types})")
        side.many("INSERT INTO t VALUES (%s, %s, %s)", rows)
    for sides in ((postgres, mariadb), (mariadb, postgres)):
        assert compare(*sides).verdict == "matched"
        with pytest.raises(CouldNotVerify, match="beyond 2\\^53"):
            compare(*sides, keyless=True)
    for side in (postgres, mariadb):
        side.run("DELETE FROM t WHERE abs(a) >= 9007199254740992 OR abs(b) >= 9007199254740992")
    for sides in ((postgres, mariadb), (mariadb, postgres)):
        found = compare(*sides, keyless=True)
        assert (found.verdict, found.source_checksum) == ("matched", found.target_checksum)
