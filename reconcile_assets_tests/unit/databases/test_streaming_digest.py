"""Rows hashed a batch at a time and column by column have the digests that each row's text gives by itself."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile_assets.core.canonical import FOREIGN, Canonical, ColumnForm, Form
from reconcile_assets.core.canonical_numbers import at_scale, plain_decimal, plain_double, plain_of_double
from reconcile_assets.core.row_digest import bucket_of, bucket_of_integer, digest_of, is_long, md5_of, record_text
from reconcile_assets.core.tables import Column, ColumnType, TypeKind
from reconcile_assets.databases.base import Relation, RowsetQuery
from reconcile_assets.databases.sqlite.columns import quick_column
from reconcile_assets.databases.sqlite.values import EXACT
from reconcile_assets.databases.streaming_digest import RowHasher
from reconcile_assets.databases.streaming_rows import digest_text

K = TypeKind
TEXTS = (
    st.none() | st.text(st.characters(codec="utf-8", min_codepoint=0), max_size=12) | st.sampled_from(["*", ",", ""])
)
ANYTHING = TEXTS | st.text(max_size=5).map(lambda text: f"{FOREIGN}text:{text}") | st.sampled_from(["a\udcff,", "5"])


def form(name: str, kind: TypeKind, canonical: Form, **more: Any) -> ColumnForm:
    return ColumnForm(Column(name, ColumnType(kind, "type"), **more), Canonical(canonical))


FORMS = (form("id", K.INTEGER, Form.NUMBER), form("a", K.TEXT, Form.TEXT), form("b", K.DATE, Form.DATE))


@given(st.lists(st.tuples(ANYTHING, ANYTHING, ANYTHING), max_size=8), st.booleans(), st.booleans())
def test_a_batch_hashes_as_its_rows_do(rows: list[tuple[str | None, ...]], integer_key: bool, unique: bool) -> None:
    query = RowsetQuery(Relation(query="q"), key=FORMS[:1], columns=FORMS[1:], unique=unique, integer_key=integer_key)
    found = RowHasher(query, 64, [None] * 3, [None] * 3).hash(rows)
    long = [is_long(each.canonical.form) for each in FORMS]
    keys = [md5_of(record_text(row[:1], long[:1])) for row in rows]
    assert list(found.digests) == [digest_of(md5_of(record_text(row, long))) for row in rows]
    assert list(found.buckets) == [
        bucket_of_integer(row[0], 64) if integer_key else bucket_of(key, 64)
        for row, key in zip(rows, keys, strict=True)
    ]
    if not unique:
        assert list(found.keys) == keys
        assert list(found.nulls) == [row[0] is None for row in rows]


def test_rows_without_columns_are_rows_all_the_same() -> None:
    found = RowHasher(RowsetQuery(Relation(query="q"), (), (), unique=True), 1, [], []).hash([(), ()])
    assert list(found.digests) == [digest_of(md5_of(""))] * 2
    assert list(found.buckets) == [0, 0]


def test_what_is_asked_for_keys_alone_is_hashed_alone() -> None:
    query = RowsetQuery(Relation(query="q"), key=FORMS[:1], columns=FORMS[1:], unique=True)
    called: list[Any] = []
    slow: Sequence[Callable[[Any], str | None] | None] = [None, called.append, called.append]  # type: ignore[list-item]
    found = RowHasher(query, 64, slow, [None] * 3).hash([("1", "x", "y")], digests=False)
    assert list(found.digests) == [] == called
    assert list(found.buckets) == [bucket_of(md5_of("1"), 64)]


FLOATS = [0.0, -0.0, 1.0, -2.5, 1e-4, 9.9e-5, 1e15, 1e16, 1e22, 1e23, 2.0**53, 2.0**53 - 1, 5e-324, 0.1 + 0.2, 1e-7]
FLOATS += [float("nan"), float("inf"), -float("inf"), 1.7976931348623157e308, 123456789012345.6]


@given(st.floats() | st.sampled_from(FLOATS))
def test_a_double_is_written_plainly_at_once(value: float) -> None:
    assert plain_of_double(value) == plain_double(repr(value) if value - value == 0 else str(value))


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
def test_decimals_of_one_scale_show_all_of_it(value: Any) -> None:
    assert at_scale(plain_decimal(str(value)), 3) == f"{value:.3f}".replace("-0.000", "0.000")
    assert at_scale("NaN", 3) == "NaN"
    assert at_scale("5", 0) == "5"
    assert at_scale("1.2345", 3) == "1.2345"


STORED: list[Any] = [
    None, 0, 1, -1, 2, 2**53 + 1, -(2**63), 1.0, -0.0, 0.1, 1e-7, 1e300, float("inf"), 1.5, "", "a", "1.50",
    "0x", "NaN", "a\x00b", "é", "a\udcff", b"", b"\x00\xff", "2024-02-29", "2023-02-29", "0000-01-01", "12345-01-01",
    "2024-01-01 10:00", "2024-01-01 10:00:00", "2024-01-01T10:00:00.1200", "2024-01-01 10:00:00.000",
    "2024-01-01 10:00:00+00", "2024-01-01 10:00:00.5Z", "2024-01-01 10:00:00+00:00", "2024-01-01 10:00:00-00:00",
    "2024-01-01 10:00:00+02:00", "2024-01-01 24:00:00", "2024-13-01 10:00:00", "2024-02-30 10:00:00+00",
    "0044-03-15 01:02:03 BC", "infinity", "2024-01-01 10:00:00.1234567", "2024-01-01 10:00:00.123456789+00",
    " 2024-01-01", "2024-01-01\n", "٢٠٢٤-01-01",
]  # fmt: skip
PAIRS = [
    (K.INTEGER, Canonical(Form.NUMBER)), (K.BOOLEAN, Canonical(Form.NUMBER)), (K.BOOLEAN, Canonical(Form.BOOLEAN)),
    (K.FLOAT64, Canonical(Form.NUMBER)), (K.DECIMAL, Canonical(Form.NUMBER)),
    (K.DECIMAL, Canonical(Form.NUMBER, scale=2)), (K.TEXT, Canonical(Form.TEXT)),
    (K.DATE, Canonical(Form.DATE)), (K.TIMESTAMP, Canonical(Form.TIMESTAMP)),
    (K.TIMESTAMPTZ, Canonical(Form.TIMESTAMPTZ)), (K.TIMESTAMP, Canonical(Form.TIMESTAMP, digits=3)),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "canonical"), PAIRS, ids=str)
def test_a_whole_column_of_sqlite_is_written_as_value_by_value(kind: TypeKind, canonical: Canonical) -> None:
    column = ColumnForm(Column("v", ColumnType(kind, kind.name)), canonical)
    quick, slow = quick_column(column), digest_text(EXACT[kind], column)
    assert slow is not None
    taken = 0
    for value in STORED:
        found = quick([None, value]) if quick else None
        assert found is None or list(found) == [None, slow(value)], value
        taken += found is not None
    assert taken > 1 or quick is None
    together = quick(STORED) if quick else None
    assert together is None
