"""DataFrames as sides: beside tables of every engine, and beside each other."""

import random
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import psycopg
import pytest

import reconcile_assets
from reconcile_assets.engine.diff import diff
from reconcile_assets.errors import ConfigurationError, MissingObject, NotComparable, ReconcileAssetsError
from reconcile_assets_tests.integration.options.engines import ALL, EveryEngine

# ruff: noqa: S608 - the SQL of these tests is their own

TYPES = {
    "postgresql": ("bigint", "numeric(30,4)", "float8", "text", "bytea", "boolean", "date", "timestamp"),
    "sqlite": ("BIGINT", "TEXT", "DOUBLE", "TEXT", "BLOB", "BOOLEAN", "DATE", "DATETIME"),
    "duckdb": ("BIGINT", "DECIMAL(30,4)", "DOUBLE", "VARCHAR", "BLOB", "BOOLEAN", "DATE", "TIMESTAMP"),
    "mysql": ("BIGINT", "DECIMAL(30,4)", "DOUBLE", "LONGTEXT", "BLOB", "TINYINT(1)", "DATE", "DATETIME(6)"),
}
ROWS: list[tuple[Any, ...]] = [
    (
        2**53 + 1,
        Decimal("1.1000"),
        0.1 + 0.2,
        "a ",
        b"\x00\xff",
        True,
        date(2024, 2, 29),
        datetime(2024, 1, 1, 0, 0, 0, 1),
    ),
    (
        -(2**63),
        Decimal("-0.0001"),
        1e23,
        "\U0001f600",
        b"",
        False,
        date(1000, 1, 1),
        datetime(9999, 12, 31, 23, 59, 59),
    ),
    (0, None, None, "", None, None, None, None),
    (None, Decimal("12345678901234567890.1234"), -1e-7, "NULL", b"x", True, date(9999, 12, 31), datetime(1000, 1, 1)),
]
PADDED = [(None, None, 0.5, "padding", None, None, None, None)] * 2_500


def literal(value: Any, engine: str) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return ("TRUE" if value else "FALSE") if engine != "mysql" else str(int(value))
    if isinstance(value, bytes):
        shown = {"postgresql": f"'\\x{value.hex()}'", "duckdb": f"from_hex('{value.hex()}')"}
        return shown.get(engine, f"x'{value.hex()}'")
    if isinstance(value, Decimal):
        return f"'{value}'" if engine == "sqlite" else str(value)
    return str(value) if isinstance(value, int) else f"'{value}'" if not isinstance(value, float) else repr(value)


def frame_of(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """The rows in the dtypes that hold them exactly."""
    columns = {f"c{at}": pd.Series([row[at] for row in rows], dtype=object) for at in range(8)}
    columns["c0"] = columns["c0"].astype("Int64")
    columns["c2"] = pd.Series([row[2] for row in rows], dtype="Float64")
    columns["c5"] = columns["c5"].astype("boolean")
    columns["c7"] = pd.Series(np.array([row[7] or "NaT" for row in rows], dtype="datetime64[us]"))
    return pd.DataFrame({"id": range(len(rows)), **columns})


@pytest.fixture(scope="module")
def filled(engines: EveryEngine) -> EveryEngine:
    """Tables ``small`` and ``padded`` of these rows in every engine."""
    for engine in ALL:
        named = ", ".join(f"c{at} {kind}" for at, kind in enumerate(TYPES[engine]))
        for table, rows in (("small", ROWS), ("padded", ROWS + PADDED)):
            values = ", ".join(
                f"({at}, {', '.join(literal(value, engine) for value in row)})" for at, row in enumerate(rows)
            )
            engines.run(
                engine, 0, f"CREATE TABLE {table} (id BIGINT NOT NULL PRIMARY KEY, {named})",
                f"INSERT INTO {table} VALUES {values}",
            )  # fmt: skip
    return engines


@pytest.mark.parametrize("engine", ALL)
def test_a_frame_beside_a_table_finds_every_change_and_no_other(filled: EveryEngine, engine: str) -> None:
    url = filled.url(engine, 0)
    left_out = ["c1"] if engine == "sqlite" else []  # kept as text there, so that SQLite does not round it
    for table, rows in (("small", ROWS), ("padded", ROWS + PADDED)):
        frame = frame_of(rows)
        assert diff(url, table, frame, exclude=left_out).verdict == "matched"
        assert diff(frame, url, table, exclude=left_out).verdict == "matched"
        changed = frame.drop(index=[2]).reset_index(drop=True)
        others = {"c0": 2**53, "c2": 0.3, "c3": "a", "c4": b"\x00\xfe", "c5": False, "c6": date(2024, 2, 28)}
        others["c7"] = pd.Timestamp("2024-01-01 00:00:00.000002")
        if engine != "sqlite":
            others["c1"] = Decimal("1.1001")
        for name, value in others.items():
            changed[name] = changed[name].astype(object) if name not in ("c0", "c2", "c5", "c7") else changed[name]
            changed.at[0, name] = value
        found = diff(url, table, changed, exclude=left_out)
        assert (found.missing_in_target, found.missing_in_source, found.value_differs) == (1, 0, 1)
        assert {name for name, column in found.columns.items() if column.differs} == set(others)
        assert diff(changed, None, url, table, exclude=left_out).missing_in_source == 1


def test_frames_are_compared_with_each_other() -> None:
    frame = frame_of(ROWS + PADDED)
    changed = frame.copy()
    changed.loc[[7, 2_000], "c3"] = ["other", None]
    shuffled = changed.sample(frac=1, random_state=1)

    assert diff(frame, frame.copy(), key=["id"]).verdict == "matched"
    assert diff(frame, None, frame, key=["id"]).verdict == "matched"
    found = diff(source=frame, target=shuffled, key=["id"])
    assert [dict(item.key) for item in found.differences] == [{"id": 7}, {"id": 2_000}]
    assert (found.source_name, found.target_name) == ("DataFrame (dataframe)", "DataFrame (dataframe)")
    keyless = diff(frame, shuffled.drop(columns="id"), keyless=True)
    assert (keyless.missing_in_target, keyless.missing_in_source) == (2, 2)


def test_duplicates_and_missing_keys_are_counted() -> None:
    frame = pd.DataFrame({"k": pd.array([1, 1, None, 3], dtype="Int64"), "v": ["a", "b", "c", "d"]})

    found = diff(frame, frame.iloc[::-1], key=["k"])

    assert (found.verdict, found.source.null_keys, found.target.duplicate_keys) == ("matched", 1, 1)
    assert diff(frame, frame.iloc[:3], key=["k"]).missing_in_target == 1


def test_a_named_index_is_the_key(filled: EveryEngine) -> None:
    frame = frame_of(ROWS).set_index("id")

    found = diff(frame, frame.rename(index={3: 9}))

    assert (found.missing_in_target, found.missing_in_source) == (1, 1)
    assert any("the key is the primary key of the source: id" in note for note in found.notes)
    assert diff(filled.url("postgresql", 0), "small", frame).verdict == "matched"
    with pytest.raises(NotComparable, match="name the key"):
        diff(frame.reset_index(drop=True), frame.reset_index(drop=True))


def test_nan_is_null_and_says_so_unless_the_dtype_can_tell_them_apart(postgres: str) -> None:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS n; CREATE TABLE n (id int PRIMARY KEY, v float8)")
        connection.execute("INSERT INTO n VALUES (1, NULL), (2, 'NaN'), (3, 1)")
    plain = pd.DataFrame({"id": [1, 2, 3], "v": [np.nan, np.nan, 1.0]})

    found = diff(postgres, "n", plain)

    assert [dict(item.key) for item in found.differences] == [{"id": 2}]
    assert any("column v: 2 NaN of the target's DataFrame are taken as NULL" in note for note in found.notes)
    without = diff(postgres, "n", plain.assign(v=[1.0, 1.0, 1.0]))
    assert not any("NaN" in note for note in without.notes)


def test_a_mixed_column_is_never_equal_and_hides_no_difference(postgres: str) -> None:
    frame = pd.DataFrame({"id": [1, 2], "mixed": pd.Series([1, "1"], dtype=object), "v": ["a", "b"]})

    found = diff(frame, frame.copy(), key=["id"])

    assert found.verdict == "inconclusive"
    assert found.columns["mixed"].comparison.startswith("uncomparable:object of int and str")
    assert any("mixed could not be verified" in note for note in found.notes)
    assert diff(frame, frame.assign(v=["a", "x"]), key=["id"]).verdict == "mismatched"
    assert diff(frame, frame.copy(), key=["id"], exclude=["mixed"]).verdict == "matched"


def test_a_column_without_values_meets_every_type(postgres: str) -> None:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(
            "DROP TABLE IF EXISTS e; CREATE TABLE e (id int PRIMARY KEY, a inet, b json, c real, d bytea)"
        )
        connection.execute("INSERT INTO e VALUES (1)")
    frame = pd.DataFrame({"id": [1], "a": [None], "b": [np.nan], "c": [None], "d": [pd.NA]})

    assert diff(postgres, "e", frame).verdict == "matched"
    assert diff(frame, postgres, "e", key=["id"]).verdict == "matched"
    assert diff(frame, frame.copy(), key=["id"]).verdict == "matched"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("UPDATE e SET a = '1.2.3.4', d = ''")
    found = diff(postgres, "e", frame)
    assert {name: column.differs for name, column in found.columns.items()} == {"a": 1, "b": 0, "c": 0, "d": 1}
    assert diff(frame.iloc[:0], frame.iloc[:0], key=["id"]).verdict == "matched"


def test_times_uuids_intervals_and_json_meet_those_of_a_database(postgres: str) -> None:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(
            "DROP TABLE IF EXISTS m; CREATE TABLE m"
            " (id int PRIMARY KEY, at timestamptz, u uuid, i interval, j json, t time)"
        )
        connection.execute(
            "INSERT INTO m VALUES (1, '2024-11-03 01:30:00-05', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '1 day 02:00',"
            " '{\"a\": 1.10, \"b\": [9007199254740993]}', '12:00:00.5')"
        )
        connection.execute("INSERT INTO m (id) VALUES (2)")
    frame = pd.DataFrame(
        {
            "id": [1, 2],
            "at": pd.to_datetime(["2024-11-03 06:30", None]).tz_localize("UTC").tz_convert("America/New_York"),
            "u": [UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), None],
            "i": pd.to_timedelta(["26h", None]),
            "j": [{"b": [2**53 + 1], "a": Decimal("1.1")}, None],
            "t": [datetime(1, 1, 1, 12, 0, 0, 500_000).time(), None],
        }
    )

    assert diff(postgres, "m", frame).verdict == "matched"
    zoneless = frame.assign(at=frame["at"].dt.tz_convert("America/New_York").dt.tz_localize(None))
    assert diff(postgres, "m", zoneless).verdict == "inconclusive"
    assert diff(postgres, "m", zoneless, zones={"at": "America/New_York"}).verdict == "matched"
    changed = frame.assign(i=pd.to_timedelta(["27h", None]), j=[{"b": [2**53], "a": Decimal("1.1")}, None])
    assert {name for name, column in diff(postgres, "m", changed).columns.items() if column.differs} == {"i", "j"}


def test_masked_values_are_shown_nowhere() -> None:
    frame = pd.DataFrame({"id": [1, 2], "secret": ["s3cret-canary", "same"]})

    found = diff(frame, frame.assign(secret=["s3cret-other", "same"]), key=["id"], mask=["secret"])

    assert found.columns["secret"].differs == 1
    shown = [repr(found), str(found.to_dict()), found.to_html(), found.differences().to_string()]
    assert not any("s3cret" in text for text in shown)
    assert found.differences()["secret_source"].tolist() == ["***"]


def test_the_differences_are_a_frame_of_both_sides() -> None:
    frame = pd.DataFrame({"id": [1, 2, 3], "a": pd.array([1, None, 3], dtype="Int64"), "b": ["x", "y", "z"]})
    other = frame.iloc[:2].assign(a=pd.array([2, None], dtype="Int64"), b=["x", None])

    found = diff(frame, other, key=["id"])

    assert isinstance(found, reconcile_assets.Comparison)
    told = found.differences()
    assert list(told.columns) == ["kind", "id", "a_source", "a_target", "b_source", "b_target"]
    assert told["kind"].tolist() == ["value_differs", "value_differs", "missing_in_target"]
    assert told["id"].tolist() == [1, 2, 3]
    assert told["a_source"].tolist() == [1, pd.NA, 3]
    assert told["b_target"].tolist() == [pd.NA, None, pd.NA]
    assert list(diff(frame, frame, key=["id"]).differences().columns) == ["kind"]
    named = frame.rename(columns={"id": "kind"})
    assert "kind_key" in diff(named, named.iloc[:1], key=["kind"]).differences().columns


def test_what_is_no_side_is_refused_in_one_line(postgres: str) -> None:
    frame = pd.DataFrame({"id": [1]})
    wrong: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
        ((frame,), {}, "target: .*nothing was given"),
        ((frame, "table", frame), {}, "source: a DataFrame has no table"),
        ((postgres, "t", frame, "t"), {}, "target: a DataFrame has no table"),
        ((postgres, None, frame), {}, "source: which table"),
        ((frame, postgres), {}, "target: which table"),
        ((frame, 7), {}, "target: .*int is none of these"),
        ((frame, {"id": [1]}), {}, "dict is none of these"),
        ((frame, None, frame), {"where": "id = 1"}, "source: a DataFrame takes no condition"),
        ((postgres, "t", frame), {"where_target": "id = 1"}, "target: a DataFrame takes no condition"),
    ]
    for given, options, why in wrong:
        with pytest.raises(ConfigurationError, match=why) as caught:
            diff(*given, key=["id"], **options)
        assert "\n" not in str(caught.value)
    with pytest.raises(MissingObject, match="there is no table t"):
        diff(postgres, "t", frame)
    with pytest.raises(ReconcileAssetsError, match="there is no column nothing"):
        diff(frame, frame, key=["nothing"])


def some_value(random_: random.Random, kind: str) -> Any:
    if random_.random() < 0.15:
        return None
    if kind == "int":
        return random_.choice([0, 1, 2**53, 2**53 + 1, -(2**63)])
    if kind == "text":
        return "".join(random_.choice("aA |'\u00e9") for _ in range(2))
    if kind == "decimal":
        return Decimal(random_.randint(-999, 999)).scaleb(-random_.randint(0, 3))
    return random_.choice([b"", b"\x00", b"ab"]) if kind == "bytes" else date(2024, 1, random_.randint(1, 4))


@pytest.mark.parametrize("seed", range(40))
def test_frames_agree_with_an_oracle_of_python_rows(seed: int) -> None:
    random_ = random.Random(seed)  # noqa: S311 - a seeded sequence, no secret
    kinds = random_.choices(["int", "text", "decimal", "bytes", "date"], k=3)
    size = random_.choice([0, 1, 30, 2_300])
    source = {key: tuple(some_value(random_, kind) for kind in kinds) for key in random_.sample(range(10**6), size)}
    target = dict(source)
    for key in random_.sample(sorted(source), min(size, 3)):
        target[key] = tuple(some_value(random_, kind) for kind in kinds)
    for key in random_.sample(sorted(source), min(size, 2)):
        target.pop(key, None)
    target[2_000_000 + seed] = tuple(some_value(random_, kind) for kind in kinds)

    def frame(rows: dict[int, tuple[Any, ...]]) -> pd.DataFrame:
        order = random_.sample(list(rows), len(rows))
        columns = {f"c{at}": pd.Series([rows[key][at] for key in order], dtype=object) for at in range(len(kinds))}
        return pd.DataFrame({"id": pd.Series(order, dtype="int64"), **columns})

    both = source.keys() & target.keys()
    left, right = frame(source), frame(target)

    found = diff(left, right, key=["id"])

    assert (found.missing_in_target, found.missing_in_source) == (len(source.keys() - both), len(target.keys() - both))
    assert found.value_differs == sum(source[key] != target[key] for key in both)
    keyless = diff(left.drop(columns="id"), right.drop(columns="id"), keyless=True)
    one, other = Counter(source.values()), Counter(target.values())
    assert (keyless.missing_in_target, keyless.missing_in_source) == ((one - other).total(), (other - one).total())
