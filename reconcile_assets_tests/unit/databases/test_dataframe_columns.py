"""Every dtype of pandas as a canonical type, and its values as exact texts."""

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from reconcile_assets.core.tables import Table, TableName, TypeKind
from reconcile_assets.databases.base import Relation
from reconcile_assets.databases.dataframe.columns import read_column
from reconcile_assets.databases.dataframe.session import FrameDatabase
from reconcile_assets.errors import NotComparable

NY = "America/New_York"
BIG = 2**53 + 1


def arrow(values: list[Any], kind: Any) -> "pd.Series[Any]":
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.array(values, kind)))


SERIES: list[tuple[str, Any, TypeKind, list[str | None]]] = [
    *(
        (name, pd.Series([0, 100], dtype=name), TypeKind.INTEGER, ["0", "100"])
        for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "UInt8", "Int16")
    ),
    ("uint64", pd.Series([2**64 - 1], dtype="uint64"), TypeKind.INTEGER, ["18446744073709551615"]),
    ("Int64", pd.Series([BIG, None], dtype="Int64"), TypeKind.INTEGER, ["9007199254740993", None]),
    ("UInt64", pd.Series([2**64 - 1, None], dtype="UInt64"), TypeKind.INTEGER, ["18446744073709551615", None]),
    ("bool", pd.Series([True, False]), TypeKind.BOOLEAN, ["true", "false"]),
    ("boolean", pd.Series([True, None], dtype="boolean"), TypeKind.BOOLEAN, ["true", None]),
    ("float64", pd.Series([0.1 + 0.2, np.nan, -0.0, np.inf]), TypeKind.FLOAT64,
     ["0.30000000000000004", None, "0.0", "Infinity"]),
    ("float32", pd.Series([0.1, np.nan], dtype="float32"), TypeKind.FLOAT32, ["0.1", None]),
    ("float16", pd.Series([0.5], dtype="float16"), TypeKind.FLOAT32, ["0.5"]),
    ("Float64", pd.Series([1e23, None], dtype="Float64"), TypeKind.FLOAT64, ["9.999999999999999e+22", None]),
    ("Float32", pd.Series([0.1, None], dtype="Float32"), TypeKind.FLOAT32, ["0.1", None]),
    ("str", pd.Series(["a ", None, "", "NULL"], dtype="str"), TypeKind.TEXT, ["a ", None, "", "NULL"]),
    ("string", pd.Series(["\U0001f600", pd.NA], dtype="string"), TypeKind.TEXT, ["\U0001f600", None]),
    ("object of str", pd.Series(["a", None, np.nan, pd.NA, pd.NaT], dtype=object), TypeKind.TEXT,
     ["a", None, None, None, None]),
    ("object of int", pd.Series([2**70, None], dtype=object), TypeKind.INTEGER, ["1180591620717411303424", None]),
    ("object of np.int64", pd.Series([np.int64(BIG)], dtype=object), TypeKind.INTEGER, ["9007199254740993"]),
    ("object of bool", pd.Series([True, None], dtype=object), TypeKind.BOOLEAN, ["true", None]),
    ("object of Decimal", pd.Series([Decimal("1.10"), 3, Decimal("1E-3"), None], dtype=object), TypeKind.DECIMAL,
     ["1.10", "3", "0.001", None]),
    ("object of bytes", pd.Series([b"\x00\xff", bytearray(b"")], dtype=object), TypeKind.BYTES, ["\\x00ff", "\\x"]),
    ("object of date", pd.Series([dt.date(1, 1, 1), None], dtype=object), TypeKind.DATE, ["0001-01-01", None]),
    ("object of time", pd.Series([dt.time(1, 2, 3, 400)], dtype=object), TypeKind.TIME, ["01:02:03.0004"]),
    ("object of datetime", pd.Series([dt.datetime(1, 1, 1, 2), None], dtype=object), TypeKind.TIMESTAMP,
     ["0001-01-01 02:00:00", None]),
    ("object of instants", pd.Series([pd.Timestamp("2024-07-03 01:30", tz=NY),
     dt.datetime(2024, 11, 3, 5, 30, tzinfo=dt.UTC)], dtype=object), TypeKind.TIMESTAMPTZ,
     ["2024-07-03 05:30:00+00", "2024-11-03 05:30:00+00"]),
    ("object of timedelta", pd.Series([dt.timedelta(hours=-1), dt.timedelta(days=1, hours=12)], dtype=object),
     TypeKind.INTERVAL, ["-01:00:00", "1 day 12:00:00"]),
    ("object of UUID", pd.Series([UUID(int=255)], dtype=object), TypeKind.UUID,
     ["00000000-0000-0000-0000-0000000000ff"]),
    ("object of JSON", pd.Series([{"a": [1, None, True, BIG, Decimal("1.10"), 0.1, "\u00e9"]}, [], None], dtype=object),
     TypeKind.JSON, ['{"a": [1, null, true, 9007199254740993, 1.10, 0.1, "\u00e9"]}', "[]", None]),
    ("datetime64[us]", pd.Series(np.array(["2024-01-01T00:00:00.12", "NaT"], "datetime64[us]")),
     TypeKind.TIMESTAMP, ["2024-01-01 00:00:00.12", None]),
    ("datetime64[ns]", pd.Series(np.array(["2024-01-01T00:00:00.123456789"], "datetime64[ns]")), TypeKind.TIMESTAMP,
     ["2024-01-01 00:00:00.123456789"]),
    ("datetime64[s] far away", pd.Series(np.array([-62198755200, 253402300800], "datetime64[s]")), TypeKind.TIMESTAMP,
     ["0002-01-01 00:00:00 BC", "10000-01-01 00:00:00"]),
    ("datetime64[us, NY]", pd.Series(pd.to_datetime(["2024-11-03 05:30", None]).tz_localize("UTC").tz_convert(NY)),
     TypeKind.TIMESTAMPTZ, ["2024-11-03 05:30:00+00", None]),
    ("timedelta64", pd.Series(pd.to_timedelta(["25h", "-1us", None])), TypeKind.INTERVAL,
     ["1 day 01:00:00", "-00:00:00.000001", None]),
    ("category", pd.Series(["b", None, "a"], dtype="category"), TypeKind.TEXT, ["b", None, "a"]),
    ("category of int", pd.Series([BIG, None], dtype=pd.CategoricalDtype(pd.Index([BIG, 7], dtype="int64"))),
     TypeKind.INTEGER, ["9007199254740993", None]),
    ("arrow int", arrow([BIG, None], pa.int64()), TypeKind.INTEGER, ["9007199254740993", None]),
    ("arrow double", arrow([0.1, None], pa.float64()), TypeKind.FLOAT64, ["0.1", None]),
    ("arrow float", arrow([0.1], pa.float32()), TypeKind.FLOAT32, ["0.1"]),
    ("arrow bool", arrow([True, None], pa.bool_()), TypeKind.BOOLEAN, ["true", None]),
    ("arrow string", arrow(["a", None, ""], pa.string()), TypeKind.TEXT, ["a", None, ""]),
    ("arrow large string", arrow(["a"], pa.large_string()), TypeKind.TEXT, ["a"]),
    ("arrow binary", arrow([b"\x00"], pa.binary()), TypeKind.BYTES, ["\\x00"]),
    ("arrow decimal", arrow([Decimal("1.10"), None], pa.decimal128(38, 2)), TypeKind.DECIMAL, ["1.10", None]),
    ("arrow date", arrow([dt.date(2024, 2, 29), None], pa.date32()), TypeKind.DATE, ["2024-02-29", None]),
    ("arrow date64", arrow([dt.date(1969, 12, 31)], pa.date64()), TypeKind.DATE, ["1969-12-31"]),
    ("arrow time", arrow([dt.time(1, 2, 3, 5)], pa.time64("us")), TypeKind.TIME, ["01:02:03.000005"]),
    ("arrow timestamp", arrow([dt.datetime(2024, 1, 1), None], pa.timestamp("us")), TypeKind.TIMESTAMP,
     ["2024-01-01 00:00:00", None]),
    ("arrow instant", arrow([pd.Timestamp("2024-11-03 05:30", tz="UTC")], pa.timestamp("us", tz=NY)),
     TypeKind.TIMESTAMPTZ, ["2024-11-03 05:30:00+00"]),
    ("arrow duration", arrow([dt.timedelta(days=-2, hours=-1)], pa.duration("us")), TypeKind.INTERVAL,
     ["-2 days -01:00:00"]),
    ("arrow dictionary", arrow(["a", None], pa.dictionary(pa.int32(), pa.string())), TypeKind.TEXT, ["a", None]),
    ("arrow list", arrow([[1, None], None], pa.list_(pa.int64())), TypeKind.JSON, ["[1, null]", None]),
    ("arrow struct", arrow([{"a": 1}], pa.struct([("a", pa.int64())])), TypeKind.JSON, ['{"a": 1}']),
    ("arrow null", arrow([None], pa.null()), TypeKind.TEXT, [None]),
]  # fmt: skip


@pytest.mark.parametrize(("series", "kind", "texts"), [one[1:] for one in SERIES], ids=[one[0] for one in SERIES])
def test_a_dtype_has_its_kind_and_exact_texts(series: Any, kind: TypeKind, texts: list[str | None]) -> None:
    found = read_column(series)

    assert (found.type.kind, list(found.texts(0, len(series)))) == (kind, texts)
    assert list(found.texts(len(series) - 1, len(series))) == texts[-1:]


@pytest.mark.parametrize(
    ("series", "held"),
    [
        (pd.Series([1, "1"], dtype=object), "int and str"),
        (pd.Series([1, 1.5], dtype=object), "float and int"),
        (pd.Series([True, 1], dtype=object), "bool and int"),
        (pd.Series([dt.date(2024, 1, 1), pd.Timestamp("2024-01-01")], dtype=object), "date and datetime"),
        (pd.Series([pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-01", tz=NY)], dtype=object), "with a zone"),
        (pd.Series([dt.time(1, tzinfo=dt.UTC)], dtype=object), "time with a zone"),
        (pd.Series([{1: "a"}], dtype=object), "no JSON"),
        (pd.Series([[float("nan")]], dtype=object), "no JSON"),
        (pd.Series([{"a": dt.date(2024, 1, 1)}], dtype=object), "no JSON"),
        (pd.Series([(1, 2)], dtype=object), "tuple"),
        (pd.Series([object()], dtype=object), "object"),
        (pd.Series([1 + 2j]), "complex128"),
        (pd.Series(np.array([1], dtype=np.longdouble)), "float128"),
        (pd.Series(pd.period_range("2024-01", periods=1, freq="M")), "period"),
        (pd.Series(pd.interval_range(0, 1)), "interval"),
        (pd.Series(pd.arrays.SparseArray([0, 1])), "Sparse"),
        (pd.Series(np.array([1], "timedelta64[ns]")), "nanoseconds"),
        (pd.Series([pd.Timedelta(1, unit="ns")], dtype=object), "nanoseconds"),
        (arrow([[("a", 1)]], pa.map_(pa.string(), pa.int64())), "map"),
    ],
)
def test_what_has_no_one_exact_type_is_uncomparable_and_says_what_it_holds(series: Any, held: str) -> None:
    found = read_column(series)

    assert found.type.kind is TypeKind.UNKNOWN
    assert held in found.type.native


def test_times_are_as_fine_as_what_they_hold() -> None:
    whole = pd.Series(np.array(["2024-01-01T00:00:00.123456"], "datetime64[ns]"))
    fine = pd.Series(np.array(["2024-01-01T00:00:00.123456789"], "datetime64[ns]"))

    assert read_column(whole).type.precision is None
    assert read_column(fine).type.precision == 9
    assert read_column(whole.astype("datetime64[ms]")).type.precision == 3
    assert read_column(whole.astype("datetime64[s]")).type.precision == 0


def test_nan_beside_na_is_a_value_where_the_type_can_tell_them_apart() -> None:
    values = arrow([1.0, None], pa.float64())
    with_nan = pd.Series(pd.arrays.ArrowExtensionArray(pa.array([float("nan"), None], pa.float64())))

    assert list(read_column(values).texts(0, 2)) == ["1.0", None]
    assert list(read_column(with_nan).texts(0, 2)) == ["NaN", None]
    assert read_column(pd.Series([1.0, np.nan, np.nan])).nans == 2


def describe(frame: pd.DataFrame) -> Table:
    with FrameDatabase(frame, name="source").session() as session:
        return session.describe(Relation(TableName(None, "DataFrame")))


def test_an_index_counts_only_where_it_is_named() -> None:
    frame = pd.DataFrame({"id": [1, 2], "v": ["a", "b"]})

    assert [column.name for column in describe(frame).columns] == ["id", "v"]
    indexed = describe(frame.set_index("id"))
    assert ([column.name for column in indexed.columns], indexed.primary_key) == (["id", "v"], ("id",))
    two = describe(frame.set_index(["id", "v"]).assign(w=1))
    assert ([column.name for column in two.columns], two.primary_key) == (["id", "v", "w"], ("id", "v"))
    doubled = describe(pd.DataFrame({"v": [1, 2]}, index=pd.Index([7, 7], name="id")))
    assert doubled.primary_key == ()
    shadowed = describe(pd.DataFrame({"id": [1, 2]}, index=pd.Index([7, 8], name="id")))
    assert [column.name for column in shadowed.columns] == ["id"]


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (pd.DataFrame([[1, 2]]), "label of column 0"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "two columns named a"),
        (pd.DataFrame([[1]], columns=[""]), "label of column 0"),
        (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "several levels"),
    ],
)
def test_columns_that_have_no_names_are_refused(frame: pd.DataFrame, why: str) -> None:
    with pytest.raises(NotComparable, match=f"source: .*{why}"):
        FrameDatabase(frame, name="source")


def test_a_column_without_values_takes_the_other_sides_type() -> None:
    frame = pd.DataFrame({"ID": [1], "none": [None], "nan": [np.nan]})
    relation = Relation(TableName(None, "DataFrame"))
    with FrameDatabase(frame, name="source").session() as session:
        other = describe(pd.DataFrame({"id": ["a"], "NONE": [b"x"], "nan": ["a"]}))
        adopted = session.adopt_types(relation, other)

    assert [column.type.kind for column in adopted.columns] == [TypeKind.INTEGER, TypeKind.BYTES, TypeKind.TEXT]


def test_a_lone_surrogate_is_no_text_of_a_database() -> None:
    with pytest.raises(NotComparable, match="surrogate"):
        read_column(pd.Series(["\ud800x"], dtype=object)).texts(0, 1)
