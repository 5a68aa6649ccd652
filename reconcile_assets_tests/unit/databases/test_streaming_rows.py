"""Rows in order, windows and distinct keys, as the streaming sessions need them."""

from datetime import datetime

import pytest

from reconcile_assets.core.canonical import FOREIGN, Canonical, ColumnForm, Form
from reconcile_assets.core.tables import Column, ColumnType, TypeKind
from reconcile_assets.core.windows import PartitionScheme
from reconcile_assets.databases import streaming_rows
from reconcile_assets.databases.base import PartitionFilter
from reconcile_assets.databases.streaming_rows import KeyCounter, OrderedRows, RowWindows, digest_text, natural_column
from reconcile_assets.errors import NotComparable


@pytest.mark.parametrize("kept", [1, 300, 10**9])
def test_rows_come_in_the_order_of_windows_and_buckets_also_through_a_file(
    monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    monkeypatch.setattr(streaming_rows, "_KEPT", kept)
    rows = OrderedRows()
    added = [(window, bucket, (f"{window}\ud800", None, bucket)) for bucket in (3, 1, 2) for window in (1, 0)]
    for row in added:
        rows.add(*row)
    assert list(rows) == sorted(added, key=lambda row: row[:2])


def test_no_rows_are_no_rows() -> None:
    assert list(OrderedRows()) == []
    assert KeyCounter(1).duplicates() == {}


@pytest.mark.parametrize("buckets", [2, 1024])
def test_keys_are_counted_apart_for_each_bucket(buckets: int) -> None:
    counter = KeyCounter(buckets)
    for bucket, digest in [(0, b"a" * 16), (0, b"a" * 16), (0, b"b" * 16), (1, b"a" * 16), (0, b"a" * 16)]:
        counter.add(None, bucket, digest)
    assert counter.duplicates() == {(None, 0): 2, (None, 1): 0}


def windows(kind: TypeKind, zone: str) -> RowWindows:
    scheme = PartitionScheme("at", "day", datetime(2024, 3, 10), datetime(2024, 3, 12), zone, 3)
    now = datetime.fromisoformat("2024-04-01T00:00:00+00:00")
    return RowWindows(PartitionFilter("at", kind, scheme.partitions(now)))


def test_a_row_at_the_end_belongs_to_the_next_window() -> None:
    found = windows(TypeKind.TIMESTAMP, "UTC")
    assert found.key_of("2024-03-10 23:59:59.999999") == "2024-03-10"
    assert found.key_of("2024-03-11 00:00:00") == "2024-03-11"
    assert found.key_of("2024-03-11") == "2024-03-11"
    for outside in ("2024-03-12 00:00:00", "2024-03-09 23:59:59", "infinity", None, f"{FOREIGN}integer:5"):
        assert found.key_of(outside) is None


def test_a_day_of_23_hours_ends_an_hour_earlier() -> None:
    found = windows(TypeKind.TIMESTAMPTZ, "America/New_York")
    assert found.key_of("2024-03-10 05:00:00+00") == "2024-03-10"
    assert found.key_of("2024-03-11 03:59:59+00") == "2024-03-10"
    assert found.key_of("2024-03-11 04:00:00+00") == "2024-03-11"


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_a_day_that_was_met_before_changes_no_window(zone: str) -> None:
    texts = [
        f"2024-03-{day:02d} {hour:02d}:59:59{end}" for day in range(8, 14) for hour in range(24) for end in ("", ".9")
    ]
    texts += ["2024-03-10", "2024-03-11x", "2024-03-32", "2024-03-10 00:00:00 BC", "2024-03-1", "12024-03-10 00:00:00"]
    for kind, end in ((TypeKind.TIMESTAMP, ""), (TypeKind.TIMESTAMPTZ, "+00")):
        met = windows(kind, zone)
        asked = [f"{text}{end}" if ":" in text and "BC" not in text else text for text in texts]
        assert [met.key_of(text) for text in asked] == [windows(kind, zone).key_of(text) for text in asked]
        assert [met.key_of(text) for text in asked] == [met.key_of(text) for text in reversed(asked)][::-1]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-07-01 00:00:00", "2024-07-01 04:00:00+00"),
        ("2024-11-03 01:30:00", "2024-11-03 06:30:00+00"),
        ("2024-03-10 02:30:00", "2024-03-10 07:30:00+00"),
        ("12024-07-01 00:00:00", "12024-07-01 04:00:00+00"),
        ("infinity", "infinity"),
        (None, None),
        (f"{FOREIGN}real:1.5", f"{FOREIGN}real:1.5"),
    ],
)
def test_a_zoneless_time_is_an_instant_in_its_declared_zone(text: str | None, instant: str | None) -> None:
    column = Column("at", ColumnType(TypeKind.TIMESTAMP, "DATETIME"))
    make = digest_text(None, ColumnForm(column, Canonical(Form.TIMESTAMPTZ), zone="America/New_York"))
    assert make is not None
    assert make(text) == instant


def test_a_type_without_a_form_is_refused() -> None:
    with pytest.raises(NotComparable, match="STRUCT"):
        natural_column(Column("v", ColumnType(TypeKind.UNKNOWN, "STRUCT(a INTEGER)")))
