"""UUIDs as text or bytes on both sides: one key in whatever spelling, on every pair of engines, small and bucketed."""

import uuid
from typing import Any

import pytest

from reconcile_assets.errors import MissingObject, NotComparable
from reconcile_assets_tests.integration.options.engines import ALL, PAIRS, SERVERS, SIZES, EveryEngine

UUID = uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
OTHER = uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12")
# Source, target, and whether they are one UUID or else one text.
TEXTS: list[tuple[str, str, bool]] = [
    (str(UUID), str(UUID), True),
    (str(UUID), str(UUID).upper(), True),
    (UUID.hex, f"{{{UUID}}}", True),
    (str(UUID), str(OTHER), False),
    (str(UUID), f"{UUID} ", False),
    (str(UUID), f"{UUID}\n", False),
    (str(UUID), f"!{UUID}", False),
    (str(UUID), f"{{{UUID}", False),
    ("no uuid", "no uuid", True),
    ("no uuid", "NO UUID", False),
    ("", str(UUID), False),
]
BYTES = {"postgresql": "bytea", "mysql": "varbinary(40)", "sqlite": "BLOB", "duckdb": "BLOB"}


@pytest.fixture(scope="module")
def spelled(engines: EveryEngine) -> EveryEngine:
    """The target has the UUIDs as text too."""
    for engine in ALL:
        for side in (0, 1):
            rows = [(number, row[side]) for number, row in enumerate(TEXTS)]
            engines.fill(engine, side, {"id": "BIGINT", "v": "VARCHAR(60)"}, rows)
    return engines


@pytest.mark.parametrize("table", SIZES)
def test_columns_compare_as_uuids_only_where_it_is_said(spelled: EveryEngine, table: str) -> None:
    declared: list[tuple[dict[str, str], int]] = [({"v": "uuid"}, sum(not same for _, _, same in TEXTS)), ({}, 9)]
    for source, target in PAIRS:
        for key_types, different in declared[: 1 if SIZES[table] else 2]:
            found = spelled.diff(source, target, table, table, key_types=key_types)
            counted = (found.value_differs, found.missing_in_source, found.columns["v"].comparison)
            assert counted == (different, 0, "exact"), (source, target)


KEYS = [uuid.UUID(int=number * 2**96 + 7) for number in range(1, 40)]


@pytest.fixture(scope="module")
def keyed(engines: EveryEngine) -> EveryEngine:
    """Keys in another spelling on each side; the target lacks the first, has the second twice, and one that is none."""
    for engine in ALL:
        for side in (0, 1):
            rows: list[tuple[Any, ...]] = [(n, str(k) if side == 0 else k.hex.upper()) for n, k in enumerate(KEYS)]
            rows = rows if side == 0 else [(90, str(KEYS[1])), (91, "none"), *rows[1:]]
            engines.fill(engine, side, {"id": "BIGINT", "k": "VARCHAR(60)"}, rows)
    return engines


@pytest.mark.parametrize("table", SIZES)
def test_two_spellings_are_one_key(keyed: EveryEngine, table: str) -> None:
    for source, target in PAIRS:
        options: dict[str, Any] = {"key": ["k"], "where": "k IS NOT NULL", "columns": ["k"]}
        found = keyed.diff(source, target, table, table, key_types={"k": "uuid"}, **options)
        counted = (found.missing_in_target, found.missing_in_source, found.value_differs, found.target.duplicate_keys)
        assert counted == (1, 2, 0, 1), (source, target)
        if not SIZES[table]:
            found = keyed.diff(source, target, table, table, **options)
            assert (found.missing_in_target, found.missing_in_source) == (38, 39), (source, target)
        if source != target:
            turned = keyed.diff(source, target, table, table, turned=True, key_types={"k": "uuid"}, **options)
            assert (turned.missing_in_target, turned.missing_in_source) == (2, 1), (source, target)


def test_text_is_the_uuid_of_16_bytes_and_no_other_bytes(engines: EveryEngine) -> None:
    """Bytes that are no UUID are not the text that shows them."""
    texts = [(1, str(UUID)), (2, str(UUID)), (3, "\\x00ff"), (4, "?\\x00ff"), (5, "!\\x00ff")]
    raw = [(1, UUID.bytes), (2, OTHER.bytes), (3, b"\x00\xff"), (4, b"\x00\xff"), (5, b"\x00\xff")]
    for engine in ALL:
        engines.fill(engine, 0, {"id": "BIGINT", "v": "VARCHAR(60)"}, texts)
        engines.fill(engine, 1, {"id": "BIGINT", "v": BYTES[engine]}, raw)
    for source, target in PAIRS:
        for table in SIZES if {source, target} <= set(SERVERS) else ["small"]:
            found = engines.diff(source, target, table, table, key_types={"v": "uuid"})
            assert (found.verdict, found.value_differs) == ("mismatched", 4), (source, target, table)
            assert [item.key["id"] for item in found.differences] == [2, 3, 4, 5]
        with pytest.raises(NotComparable):
            engines.diff(source, target, "small", "small", key=["v"])


@pytest.mark.parametrize("engine", ALL)
def test_what_can_not_be_declared_is_refused(spelled: EveryEngine, engine: str) -> None:
    for wrong, kind, message in (
        ({"v": "int"}, NotComparable, "only uuid"),
        ({"v": "UUID"}, NotComparable, "only uuid"),
        ({"id": "uuid"}, NotComparable, "only text, bytes and uuid"),
        ({"w": "uuid"}, MissingObject, "no column w"),
    ):
        with pytest.raises(kind, match=message):
            spelled.diff(engine, engine, "small", "small", key_types=wrong)
    with pytest.raises(NotComparable, match="are for text"):
        spelled.diff(engine, engine, "small", "small", key_types={"v": "uuid"}, ignore_case=["v"])
