"""Queued writes reach databases of every engine: exactly, once, in their order."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from reconcile_assets.engine import applying
from reconcile_assets.errors import (
    ConfigurationError,
    ConstraintRefused,
    LossyWrite,
    MissingObject,
    PermanentError,
    RowsCollide,
)
from reconcile_assets.resilience import FlushReport, QueueLimits, WriteQueue, WriteState
from reconcile_assets_tests.integration.queue.conftest import apply_to
from reconcile_assets_tests.write_world import TYPES, Place, ledger_table

INTEGER = {"postgresql": "bigint", "mysql": "bigint", "sqlite": "BIGINT", "duckdb": "BIGINT"}
CANARY = "canary-value"


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[WriteQueue]:
    with WriteQueue(tmp_path / "queue.db", QueueLimits(max_tries=1)) as made:
        yield made


@pytest.fixture
def items(place: Place) -> Place:
    """A database with a table of items."""
    place.run("CREATE TABLE items (id bigint PRIMARY KEY NOT NULL, name varchar(40), n integer NOT NULL)")
    return place


def _rows(place: Place) -> list[tuple[Any, ...]]:
    return place.ask("SELECT id, name, n FROM items ORDER BY id")


def _applied(place: Place) -> int:
    return int(place.ask(f"SELECT count(*) FROM {ledger_table(place.engine, 'applied_writes')}")[0][0])  # noqa: S608


# ---- what each operation does ----


def test_each_operation_does_what_it_says(items: Place, queue: WriteQueue) -> None:
    put = _putter(queue)
    put("insert", id=1, name="one", n=1)
    put("insert", id=2, name="two", n=2)
    put("update", id=1, n=11)
    put("upsert", id=2, name="zwei", n=22)
    put("upsert", id=3, name="drei", n=3)
    put("upsert", id=3, n=33)
    put("insert", id=4, name="four", n=4)
    put("delete", id=4)
    put("delete", id=99)
    put("insert", id=5, name=None, n=5)

    assert queue.flush(apply_to(items.url)) == FlushReport(applied=10)
    assert _rows(items) == [(1, "one", 11), (2, "zwei", 22), (3, "drei", 33), (5, None, 5)]
    assert _applied(items) == 10


def test_many_writes_go_in_few_transactions(items: Place, queue: WriteQueue) -> None:
    put = _putter(queue)
    for number in range(120):
        put("upsert", id=number % 50, name=f"name {number}", n=number)
    for number in range(0, 50, 2):
        put("delete", id=number)

    assert queue.flush(apply_to(items.url)) == FlushReport(applied=145)
    assert _rows(items) == [
        (n, f"name {n + 50 if n >= 20 else n + 100}", n + 50 if n >= 20 else n + 100) for n in range(1, 50, 2)
    ]


def test_a_row_that_is_written_as_it_is_counts_as_written(items: Place, queue: WriteQueue) -> None:
    """MySQL counts rows that it has changed, not those that it has found."""
    put = _putter(queue)
    put("insert", id=1, name="one", n=1)
    put("update", id=1, name="one", n=1)
    put("upsert", id=1, name="one", n=1)
    put("update", id=1)
    put("upsert", id=1)
    put("upsert", id=1, name="uno")

    assert queue.flush(apply_to(items.url)).applied == 6
    assert _rows(items) == [(1, "uno", 1)]


def _putter(queue: WriteQueue, table: str = "items", key: Sequence[str] = ("id",)) -> Any:
    def put(operation: str, **record: Any) -> str:
        return queue.enqueue(table, operation, record, key=key)

    return put


# ---- values ----

RECORD: Mapping[str, Any] = {
    "id": 7,
    "seen": datetime(2024, 1, 1, 14, 30, 0, 250000, tzinfo=timezone(timedelta(hours=2))),
    "small": -32768,
    "big": 2**63 - 1,
    "amount": Decimal("123456789.123456"),
    "single": 0.5,
    "double_": 0.1,
    "words": '\\ \t tab, "quotes", it\'s 100 % \u00e9 \U0001f600 ',
    "code": "a",
    "raw": b"\x00\xff\\'",
    "ok": True,
    "day": date(2024, 2, 29),
    "clock": time(23, 59, 59, 999999),
    "moment": datetime(2024, 3, 10, 2, 30, 0, 1),
    "mark": UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    "document": {"a": [1, Decimal("2.50"), None, "\u00e9"], "b": {"n": 2**53 + 1}},
}
MORE: Mapping[str, Any] = {
    "span": timedelta(days=-3, hours=4),
    "numbers": [1, None, -3],
    "labels": ["a,b", "", "NULL", 'x"y', "\\", None],
}


def test_values_of_every_type_arrive_as_they_are(place: Place, queue: WriteQueue) -> None:
    record = {**RECORD, **(MORE if place.engine in ("postgresql", "duckdb") else {})}
    place.run(f"CREATE TABLE t ({', '.join(f'{name} {TYPES[name][place.engine]}' for name in record)})")
    queue.enqueue("t", "insert", record, key=["id"])
    queue.enqueue("t", "upsert", {**record, "id": 8}, key=["id"])
    queue.enqueue("t", "update", record, key=["id"])

    assert queue.flush(apply_to(place.url)) == FlushReport(applied=3)
    rows = place.ask(f"SELECT {', '.join(name for name in record if name != 'id')} FROM t")  # noqa: S608
    assert rows[0] == rows[1]
    found = dict(zip([name for name in record if name != "id"], rows[0], strict=True))
    assert {name: _plain(value) for name, value in found.items()} == {
        name: _plain(value) for name, value in record.items() if name != "id"
    }


def test_texts_as_a_file_of_json_has_them_arrive_as_values(place: Place, queue: WriteQueue) -> None:
    record = {
        "id": "7",
        "seen": "2024-01-01T12:30:00.25Z",
        "amount": "123456789.123456",
        "raw": "\\x00ff5c27",
        "day": "2024-02-29",
        "clock": "23:59:59.999999",
        "moment": "2024-03-10T02:30:00.000001",
        "mark": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    }
    place.run(f"CREATE TABLE t ({', '.join(f'{name} {TYPES[name][place.engine]}' for name in record)})")
    queue.enqueue("t", "insert", record, key=["id"])

    assert queue.flush(apply_to(place.url)) == FlushReport(applied=1)
    (row,) = place.ask(f"SELECT {', '.join(record)} FROM t")  # noqa: S608
    assert [_plain(value) for value in row] == [_plain(RECORD[name]) for name in record]


def _plain(value: Any) -> Any:
    """A value as every driver may give it."""
    if isinstance(value, bool) or value in (0, 1):
        return int(value)
    if isinstance(value, str) and value.startswith(("{", "[")):
        return _plain(json.loads(value, parse_float=Decimal))
    if isinstance(value, str) and value[:4].isdigit() and "-" in value:
        try:
            return _plain(datetime.fromisoformat(value)) if len(value) > 10 else value
        except ValueError:
            return value
    if isinstance(value, datetime):
        return str((value if value.tzinfo is None else value.astimezone(UTC)).replace(tzinfo=None))
    if isinstance(value, timedelta):
        return str(value) if value >= timedelta(days=1) or value < timedelta() else str((datetime.min + value).time())
    if isinstance(value, int | float | Decimal):
        return float(value)
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, date | time | UUID) else value


def test_names_that_need_quotes(place: Place, queue: WriteQueue) -> None:
    columns = ["select", "100%", "a b", "q:x", "Gr\u00fc\u00dfe", "it's", 'say "hi"', "back`tick"]
    table = 'we "ird%s'
    items = ", ".join(f"{_quoted(place, name)} bigint NOT NULL" for name in columns)
    key = ", ".join(_quoted(place, name) for name in columns[:2])
    place.run(f"CREATE TABLE {_quoted(place, table)} ({items}, PRIMARY KEY ({key}))")
    record = {name: number for number, name in enumerate(columns)}
    for operation in ("insert", "update", "upsert"):
        queue.enqueue(table, operation, record, key=["select", "100%"])

    assert queue.flush(apply_to(place.url)) == FlushReport(applied=3)
    queue.enqueue(table, "delete", record, key=["select", "100%"])
    assert queue.flush(apply_to(place.url)) == FlushReport(applied=1)


def _quoted(place: Place, name: str) -> str:
    quote = "`" if place.engine == "mysql" else '"'
    return f"{quote}{name.replace(quote, quote * 2)}{quote}"


# ---- exactly once ----


def test_writes_that_the_database_has_are_not_applied_again(items: Place, queue: WriteQueue) -> None:
    """As after a kill between COMMIT and settling."""
    put = _putter(queue)
    put("insert", id=1, name="one", n=1)
    put("upsert", id=2, name="two", n=2)
    writes = queue.fetch(WriteState.WAITING)
    apply_to(items.url)(writes)
    items.run("UPDATE items SET n = 22 WHERE id = 2", "DELETE FROM items WHERE id = 1")  # a later life of the rows
    put("insert", id=3, name="three", n=3)

    assert queue.flush(apply_to(items.url)) == FlushReport(applied=3)
    assert _rows(items) == [(2, "two", 22), (3, "three", 3)]
    assert _applied(items) == 3


def test_without_the_note_they_would_be(items: Place, queue: WriteQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    _putter(queue)("upsert", id=2, name="two", n=2)
    apply_to(items.url)(queue.fetch(WriteState.WAITING))
    items.run("UPDATE items SET n = 22 WHERE id = 2")
    monkeypatch.setattr(applying, "claim_writes", lambda *_, **__: frozenset())

    queue.flush(apply_to(items.url))
    assert _rows(items) == [(2, "two", 2)]


def test_a_write_that_fails_leaves_no_trace_and_can_be_tried_again(items: Place, queue: WriteQueue) -> None:
    put = _putter(queue)
    put("insert", id=1, name="one", n=1)
    put("insert", id=1, name="again", n=1)
    put("insert", id=2, name="two", n=None)
    put("insert", id=3, name="three", n=3)

    report = queue.flush(apply_to(items.url))
    assert (report.applied, report.buried) == (2, 2)
    assert _rows(items) == [(1, "one", 1), (3, "three", 3)]
    assert _applied(items) == 2
    items.run("DELETE FROM items WHERE id = 1")
    assert queue.retry([2]) == 1
    assert queue.flush(apply_to(items.url)).applied == 1
    assert _rows(items) == [(1, "again", 1), (3, "three", 3)]


# ---- refusals ----


@pytest.mark.parametrize(
    ("operation", "table", "key", "record", "kind", "said"),
    [
        ("insert", "nowhere", "id", {"id": 1}, MissingObject, "nowhere"),
        ("insert", "items", "id", {"id": 1, "colour": CANARY}, MissingObject, "no column 'colour'; it has id, name"),
        ("update", "items", "id", {"id": 77, "name": CANARY}, MissingObject, "no row to update in .*items;"),
        ("insert", "items", "name", {"name": CANARY, "n": 1}, ConstraintRefused, r"\(name\) is neither the primary"),
        ("insert", "items", "id", {"id": 1, "name": CANARY, "n": None}, ConstraintRefused, "target: "),
        ("insert", "items", "id", {"id": 5, "name": CANARY, "n": 1}, RowsCollide, "target: "),
        ("insert", "items", "id", {"id": 1, "name": CANARY, "n": "x" + CANARY}, PermanentError, "target: "),
        ("insert", "items", "id", {"id": 1, "name": CANARY, "n": b"x"}, LossyWrite, "column n: .* can't hold this"),
        ("insert", "seen", "id", {"id": 1}, MissingObject, "seen is a view; name the table beneath it"),
    ],
)  # fmt: skip
def test_what_a_database_refuses_is_told_without_values(
    items: Place,
    queue: WriteQueue,
    operation: str,
    table: str,
    key: str,
    record: dict[str, Any],
    kind: type[PermanentError],
    said: str,
) -> None:
    items.run("INSERT INTO items VALUES (5, 'five', 5)", "CREATE VIEW seen AS SELECT * FROM items")
    queue.enqueue(table, operation, record, key=[key])

    with pytest.raises(kind, match=said) as refused:
        apply_to(items.url)(queue.fetch(WriteState.WAITING))
    assert CANARY not in str(refused.value)
    assert queue.flush(apply_to(items.url)) == FlushReport(failed=1, buried=1)
    assert CANARY not in queue.fetch(WriteState.DEAD)[0].last_error
    assert _rows(items) == [(5, "five", 5)]


def test_columns_are_found_whatever_their_case(items: Place, queue: WriteQueue) -> None:
    queue.enqueue("items", "insert", {"ID": 1, "Name": "one", "n": 1}, key=["ID"])

    assert queue.flush(apply_to(items.url)).applied == 1


def test_a_database_that_is_not_there_is_no_writes_fault(places: Any, queue: WriteQueue, tmp_path: Path) -> None:
    _putter(queue)("insert", id=1, name="one", n=1)
    missing = f"sqlite:///{tmp_path / 'missing.db'}"

    for _ in range(3):
        report = queue.flush(apply_to(missing))
    assert report.failed == 0
    assert "missing.db" in report.stopped
    with pytest.raises(ConfigurationError):
        apply_to(missing)(queue.fetch(WriteState.WAITING))


def test_a_table_without_transactions_is_refused(places: Any, queue: WriteQueue) -> None:
    from reconcile_assets_tests.conftest import require_service

    require_service("mariadb")
    place = places.make("mysql", "queue")
    place.run(
        "CREATE TABLE items (id bigint PRIMARY KEY, n integer) ENGINE=MyISAM",
        "CREATE TABLE fine (id bigint PRIMARY KEY)",
    )
    _putter(queue)("insert", id=1, n=1)
    _putter(queue, "fine")("insert", id=1)

    assert queue.flush(apply_to(place.url)) == FlushReport(applied=1, failed=1, buried=1)
    assert "has no transactions" in queue.fetch(WriteState.DEAD)[0].last_error
