"""Seeded random tables and edits across engines, against an oracle that compares the Python rows that were written.

60 seeds in the suite; ``make fuzz-diff`` runs as many as ``FUZZ_SEEDS`` says (1,000).
"""

import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from reconcile_assets_tests.integration.comparison.engines import ENGINES, Engines

SEEDS = int(os.environ.get("FUZZ_SEEDS", "60"))


@dataclass(frozen=True)
class Kind:
    """A kind of value: its type by engine, how one is made, and how it is written for each engine."""

    types: dict[str, str]
    make: Callable[[random.Random], Any]
    write: Callable[[Any, str], Any] = lambda value, engine: value


def kind(pg: str, sqlite: str, duckdb: str, make: Callable[[random.Random], Any], **more: Any) -> Kind:
    return Kind({"postgresql": pg, "sqlite": sqlite, "duckdb": duckdb}, make, **more)


def decimal(random_: random.Random) -> Decimal:
    return Decimal(random_.randint(-(10**9), 10**9)).scaleb(-random_.randint(0, 4))


def double(random_: random.Random) -> float:
    return random_.choice([0.1, 0.1 + 0.2, 1e300, -1e-300, 1e23, random_.random(), random_.uniform(-1e9, 1e9)])


def some_text(random_: random.Random) -> str:
    return "".join(random_.choice("aA é|,\\'\"!~\U0001f600\n 0") for _ in range(random_.randint(0, 6)))


def moment(random_: random.Random) -> str:
    fraction = random_.choice(["", ".5", f".{random_.randint(1, 999_999):06}"])
    return f"2024-0{random_.randint(1, 9)}-{random_.randint(1, 28):02} 23:59:{random_.randint(0, 59):02}{fraction}"


def day(random_: random.Random) -> str:
    return f"{random_.choice([1900, 1970, 2024])}-{random_.randint(1, 12):02}-{random_.randint(1, 28):02}"


def uuid(random_: random.Random) -> str:
    digits = f"{random_.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def as_sqlite_decimal(value: Decimal, engine: str) -> Any:
    return str(value) if engine == "sqlite" else value


def uuid_in(value: str, engine: str) -> str:
    return value.upper().replace("-", "") if engine == "sqlite" else value


KINDS = {
    "integer": kind("bigint", "INTEGER", "HUGEINT", lambda r: r.choice([0, -1, 2**53, 2**53 + 1, r.getrandbits(62)])),
    "small": kind("smallint", "INT", "TINYINT", lambda r: r.randint(-128, 127)),
    "decimal": kind("numeric", "DECIMAL(30,8)", "DECIMAL(30,8)", decimal, write=as_sqlite_decimal),
    "double": kind("float8", "REAL", "DOUBLE", double),
    "text": kind("text", "TEXT", "VARCHAR", some_text),
    "boolean": kind("boolean", "BOOLEAN", "BOOLEAN", lambda r: r.random() < 0.5),
    "bytes": kind("bytea", "BLOB", "BLOB", lambda r: r.randbytes(r.randint(0, 4))),
    "moment": kind("timestamp", "DATETIME", "TIMESTAMP", moment),
    "day": kind("date", "DATE", "DATE", day),
    "uuid": kind("uuid", "UUID", "UUID", uuid, write=uuid_in),
}
Rows = dict[int, tuple[Any, ...]]


def rows_of(random_: random.Random, kinds: list[str], count: int) -> Rows:
    return {
        key: tuple(None if random_.random() < 0.1 else KINDS[name].make(random_) for name in kinds)
        for key in random_.sample(range(count * 3), count)
    }


def edit(random_: random.Random, kinds: list[str], rows: Rows) -> Rows:
    """A copy with rows dropped, added and changed, and values exchanged between two rows."""
    copy = dict(rows)
    for _ in range(random_.choice([0, 1, 3, 6])):
        if len(copy) < 2:
            break
        keys = random_.sample(sorted(copy), 2)
        column = random_.randrange(len(kinds))
        first, second = (list(copy[key]) for key in keys)
        action = random_.choice(["drop", "add", "change", "exchange"])
        if action == "drop":
            del copy[keys[0]]
        elif action == "add":
            copy[random_.randint(10**6, 10**9)] = next(iter(rows_of(random_, kinds, 1).values()))
        elif action == "change":
            first[column] = None if random_.random() < 0.3 else KINDS[kinds[column]].make(random_)
            copy[keys[0]] = tuple(first)
        else:
            first[column], second[column] = second[column], first[column]
            copy[keys[0]], copy[keys[1]] = tuple(first), tuple(second)
    return copy


def write(engines: Engines, engine: str, side: int, kinds: list[str], rows: Rows, *, keyed: bool) -> None:
    columns = ", ".join(f"c{index} {KINDS[name].types[engine]}" for index, name in enumerate(kinds))
    primary = " NOT NULL PRIMARY KEY" if keyed else ""
    engines.run(engine, side, "DROP TABLE IF EXISTS t", f"CREATE TABLE t (id BIGINT{primary}, {columns})")
    written = [
        (key, *(None if v is None else KINDS[n].write(v, engine) for v, n in zip(values, kinds, strict=True)))
        for key, values in rows.items()
    ]
    engines.load(engine, side, "t", written)


def choose(seed: int) -> tuple[random.Random, str, str]:
    pairs = [(a, b) for a in ENGINES for b in ENGINES if (a, b) != ("postgresql", "postgresql")]
    source, target = pairs[seed % len(pairs)]
    return random.Random(seed), source, target  # noqa: S311 - a seeded sequence, no secret


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_comparison_agrees_with_the_oracle(engines: Engines, seed: int) -> None:
    random_, source, target = choose(seed)
    kinds = random_.choices(list(KINDS), k=random_.randint(1, 5))
    rows = rows_of(random_, kinds, random_.choice([5, 50, 50, 2_200]))
    edited = edit(random_, kinds, rows)
    write(engines, source, 0, kinds, rows, keyed=True)
    write(engines, target, 1, kinds, edited, keyed=True)
    both = rows.keys() & edited.keys()
    expected = (
        len(rows.keys() - edited.keys()),
        len(edited.keys() - rows.keys()),
        sum(rows[key] != edited[key] for key in both),
    )
    found = engines.diff(source, target)
    assert (found.missing_in_target, found.missing_in_source, found.value_differs) == expected
    assert found.verdict == ("mismatched" if any(expected) else "matched")
    differs = Counter(f"c{at}" for key in both for at in range(len(kinds)) if rows[key][at] != edited[key][at])
    assert {name: column.differs for name, column in found.columns.items() if column.differs} == dict(differs)


@pytest.mark.parametrize("seed", range(SEEDS // 6))
def test_the_comparison_without_a_key_agrees_with_the_oracle(engines: Engines, seed: int) -> None:
    random_, source, target = choose(seed)
    kinds = random_.choices(["boolean", "small", "text", "day"], k=2)
    rows = rows_of(random_, kinds, random_.choice([30, 2_200]))
    edited = edit(random_, kinds, rows)
    write(engines, source, 0, kinds, rows, keyed=False)
    write(engines, target, 1, kinds, edited, keyed=False)
    left, right = Counter(rows.values()), Counter(edited.values())
    found = engines.diff(source, target, keyless=True, exclude=["id"])
    assert (found.missing_in_target, found.missing_in_source) == ((left - right).total(), (right - left).total())
