"""Seeded random tables and edits between PostgreSQL and MariaDB, against an oracle that never reads a database."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from reconcile_assets_tests.integration.mysql.conftest import MariadbSide, PostgresSide, Side, compare

SEEDS = 60
Row = tuple[Any, ...]
Rows = dict[int, Row]
Maker = Callable[[random.Random], Any]
EPOCH = datetime(2024, 1, 1)
LETTERS = "aAbB ée|,\\'\"\U0001f600\n0ß\u017f"

# PostgreSQL's type, MariaDB's type, a value that both hold exactly.
TYPES: dict[str, tuple[str, str, Maker]] = {
    "integer": ("bigint", "bigint", lambda r: r.choice([0, 1, -1, 2**53, 2**53 + 1, r.randint(-(2**63), 2**63 - 1)])),
    "unsigned": ("numeric", "bigint unsigned", lambda r: r.choice([0, 2**64 - 1, r.randint(0, 2**64 - 1)])),
    "decimal": ("numeric", "decimal(40,12)", lambda r: Decimal(r.randint(-(10**20), 10**20)).scaleb(-r.randint(0, 12))),
    "double": (
        "float8",
        "double",
        lambda r: r.choice([0.1, 0.1 + 0.2, 1e300, -1e-300, 1e15, 1e16, r.random(), r.uniform(-1e9, 1e9)]),
    ),
    "text": ("text", "varchar(20)", lambda r: "".join(r.choice(LETTERS) for _ in range(r.randint(0, 6)))),
    "latin": (
        "varchar",
        "varchar(20) CHARACTER SET latin1",
        lambda r: "".join(r.choice("aAé |€") for _ in range(r.randint(0, 4))),
    ),
    "boolean": ("boolean", "tinyint(1)", lambda r: r.random() < 0.5),
    "bytes": ("bytea", "varbinary(9)", lambda r: r.randbytes(r.randint(0, 4))),
    "moment": (
        "timestamp",
        "datetime(6)",
        lambda r: EPOCH + timedelta(microseconds=r.choice([0, 1, r.randint(0, 10**13)])),
    ),
    "day": ("date", "date", lambda r: (EPOCH + timedelta(days=r.randint(0, 400))).date()),
    "bits": ("integer", "bit(12)", lambda r: r.randint(0, 4095)),
}


def make_rows(random_: random.Random, kinds: list[str], count: int) -> Rows:
    return {
        key: tuple(None if random_.random() < 0.1 else TYPES[kind][2](random_) for kind in kinds)
        for key in random_.sample(range(count * 3), count)
    }


def edit(random_: random.Random, kinds: list[str], rows: Rows) -> Rows:
    """A copy with rows dropped, added, changed, and values exchanged between rows and columns."""
    copy = dict(rows)
    for _ in range(random_.randint(0, 6)):
        action = random_.choice(["drop", "add", "change", "exchange", "shift"])
        if action == "add":
            copy[random_.randint(10**6, 10**9)] = next(iter(make_rows(random_, kinds, 1).values()))
            continue
        keys = random_.sample(sorted(copy), 2)
        at = random_.randrange(len(kinds))
        first, second = (list(copy[key]) for key in keys)
        if action == "drop":
            del copy[keys[0]]
        elif action == "change":
            first[at] = None if random_.random() < 0.3 else TYPES[kinds[at]][2](random_)
            copy[keys[0]] = tuple(first)
        elif action == "exchange":
            first[at], second[at] = second[at], first[at]
            copy[keys[0]], copy[keys[1]] = tuple(first), tuple(second)
        elif kinds.count(kinds[at]) > 1:
            other = next(index for index, kind in enumerate(kinds) if kind == kinds[at] and index != at)
            first[at], first[other] = first[other], first[at]
            copy[keys[0]] = tuple(first)
    return copy


def write(side: Side, kinds: list[str], rows: Rows, *, keyed: bool) -> None:
    own = 0 if side.engine == "postgresql" else 1
    columns = ", ".join(f"c{index} {TYPES[kind][own]}" for index, kind in enumerate(kinds))
    primary = ", PRIMARY KEY (id)" if keyed else ""
    side.run("DROP TABLE IF EXISTS t", f"CREATE TABLE t (id bigint, {columns}{primary})")
    marks = ", ".join(["%s"] * (len(kinds) + 1))
    written = [(key, *(repr(v) if isinstance(v, float) else v for v in values)) for key, values in rows.items()]
    side.many(f"INSERT INTO t VALUES ({marks})", written)  # noqa: S608 - the test's own SQL
    side.run("ANALYZE t" if own == 0 else "ANALYZE TABLE t")


def _same(left: Row, right: Row) -> bool:
    return all(type(a) is type(b) and a == b for a, b in zip(left, right, strict=True))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_comparison_agrees_with_the_oracle(postgres: PostgresSide, mariadb: MariadbSide, seed: int) -> None:
    random_ = random.Random(seed)  # noqa: S311 - a seeded sequence, no secret
    kinds = random_.choices(list(TYPES), k=random_.randint(1, 6))
    source = make_rows(random_, kinds, random_.choice([5, 50, 2_600]))
    target = edit(random_, kinds, source)
    sides: tuple[Side, Side] = (mariadb, postgres) if seed % 2 else (postgres, mariadb)
    for side, rows in zip(sides, (source, target), strict=True):
        write(side, kinds, rows, keyed=True)
    found = compare(*sides)
    both = source.keys() & target.keys()
    wanted = (
        len(source.keys() - target.keys()),
        len(target.keys() - source.keys()),
        sum(not _same(source[key], target[key]) for key in both),
    )
    assert (found.missing_in_target, found.missing_in_source, found.value_differs) == wanted
    assert found.verdict == ("mismatched" if any(wanted) else "matched")
    listed = Counter(item.kind.value for item in found.differences)
    assert sum(listed.values()) == min(100, sum(wanted))
    if not any(wanted):
        assert found.source_checksum == found.target_checksum


@pytest.mark.parametrize("seed", range(10))
def test_the_comparison_without_a_key_agrees_with_the_oracle(
    postgres: PostgresSide, mariadb: MariadbSide, seed: int
) -> None:
    random_ = random.Random(1_000 + seed)  # noqa: S311 - a seeded sequence, no secret
    kinds = random_.choices(["boolean", "bits", "text", "latin"], k=2)
    source = make_rows(random_, kinds, random_.choice([30, 2_600]))
    target = edit(random_, kinds, source)
    sides: tuple[Side, Side] = (mariadb, postgres) if seed % 2 else (postgres, mariadb)
    for side, rows in zip(sides, (source, target), strict=True):
        write(side, kinds, rows, keyed=False)
    left, right = Counter(source.values()), Counter(target.values())
    found = compare(*sides, keyless=True, exclude=["id"])
    assert (found.missing_in_target, found.missing_in_source) == ((left - right).total(), (right - left).total())
