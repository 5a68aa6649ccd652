"""Seeded random tables and edits against an independent oracle that knows every value that was written.

The oracle never reads a database: it compares the Python rows that both tables were made
of, row by row, with its own rules.
"""

import random
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from reconcile_assets_tests.integration.comparison.conftest import Pair

SEEDS = 60
Maker = Callable[[random.Random], Any]

TYPES: dict[str, tuple[str, str, Maker]] = {
    "integer": ("bigint", "numeric", lambda r: r.choice([0, 1, -1, 2**53, 2**53 + 1, r.randint(-(2**63), 2**63 - 1)])),
    "decimal": ("numeric", "numeric(40,12)", lambda r: Decimal(r.randint(-(10**20), 10**20)).scaleb(-r.randint(0, 12))),
    "float": (
        "float8",
        "float8",
        lambda r: r.choice([0.1, 0.1 + 0.2, 1e300, -1e-300, r.random(), r.uniform(-1e9, 1e9)]),
    ),
    "text": (
        "text",
        "varchar",
        lambda r: "".join(r.choice("aA é|,\\'\"\U0001f600\n 0") for _ in range(r.randint(0, 6))),
    ),
    "boolean": ("boolean", "int", lambda r: r.random() < 0.5),
    "bytes": ("bytea", "bytea", lambda r: r.randbytes(r.randint(0, 4))),
    "times": (
        "timestamp",
        "timestamp",
        lambda r: f"2024-01-{r.randint(1, 28):02} 00:00:{r.randint(0, 59):02}.{r.randint(0, 999999):06}",
    ),
}


def rows_of(random_: random.Random, kinds: list[str], count: int) -> dict[int, tuple[Any, ...]]:
    return {
        key: tuple(None if random_.random() < 0.1 else TYPES[kind][2](random_) for kind in kinds)
        for key in random_.sample(range(count * 3), count)
    }


def edit(random_: random.Random, kinds: list[str], rows: dict[int, tuple[Any, ...]]) -> dict[int, tuple[Any, ...]]:
    """A copy with rows dropped, added, changed, and values exchanged between rows."""
    copy = dict(rows)
    for _ in range(random_.randint(0, 6)):
        action = random_.choice(["drop", "add", "change", "exchange", "exchange columns", "nothing"])
        if action == "add":
            copy[random_.randint(10**6, 10**9)] = next(iter(rows_of(random_, kinds, 1).values()))
            continue
        keys = random_.sample(sorted(copy), 2)
        column = random_.randrange(len(kinds))
        first, second = (list(copy[key]) for key in keys)
        if action == "drop":
            del copy[keys[0]]
        elif action == "change":
            first[column] = None if random_.random() < 0.3 else TYPES[kinds[column]][2](random_)
            copy[keys[0]] = tuple(first)
        elif action == "exchange":
            first[column], second[column] = second[column], first[column]
            copy[keys[0]], copy[keys[1]] = tuple(first), tuple(second)
        elif action == "exchange columns" and len(kinds) > 1 and kinds[0] == kinds[-1]:
            first[0], first[-1] = first[-1], first[0]
            copy[keys[0]] = tuple(first)
    return copy


def oracle(source: dict[int, tuple[Any, ...]], target: dict[int, tuple[Any, ...]]) -> tuple[int, int, int]:
    both = source.keys() & target.keys()
    return (
        len(source.keys() - target.keys()),
        len(target.keys() - source.keys()),
        sum(source[key] != target[key] for key in both),
    )


def write(pair: Pair, side: int, kinds: list[str], rows: dict[int, tuple[Any, ...]], *, keyed: bool) -> None:
    columns = ", ".join(f"c{index} {TYPES[kind][side]}" for index, kind in enumerate(kinds))
    primary = ", PRIMARY KEY (id)" if keyed else ""
    connection = pair.connections[side]
    connection.execute(f"DROP TABLE IF EXISTS t; CREATE TABLE t (id bigint, {columns}{primary})".encode())
    numbers = [index for index, kind in enumerate(kinds) if TYPES[kind][side] == "int"]
    with connection.cursor().copy("COPY t FROM STDIN") as copy:
        for key, values in rows.items():
            written = [int(v) if index in numbers and v is not None else v for index, v in enumerate(values)]
            copy.write_row((key, *written))
    connection.execute("ANALYZE t")


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_comparison_agrees_with_the_oracle(pair: Pair, seed: int) -> None:
    random_ = random.Random(seed)  # noqa: S311 - a seeded sequence, no secret
    kinds = random_.choices(list(TYPES), k=random_.randint(1, 5))
    source = rows_of(random_, kinds, random_.choice([5, 50, 2_600]))
    target = edit(random_, kinds, source)
    for side, rows in enumerate((source, target)):
        write(pair, side, kinds, rows, keyed=True)
    missing, extra, changed = oracle(source, target)
    found = pair.diff(turned=bool(seed % 2))
    counted = (found.missing_in_target, found.missing_in_source, found.value_differs)
    assert counted == ((extra, missing, changed) if seed % 2 else (missing, extra, changed))
    assert found.verdict == ("mismatched" if any(counted) else "matched")
    listed = Counter(item.kind.value for item in found.differences)
    assert sum(listed.values()) == min(100, sum(counted))


@pytest.mark.parametrize("seed", range(10))
def test_the_comparison_without_a_key_agrees_with_the_oracle(pair: Pair, seed: int) -> None:
    random_ = random.Random(1_000 + seed)  # noqa: S311 - a seeded sequence, no secret
    kinds = random_.choices(["boolean", "integer", "text"], k=2)
    source = rows_of(random_, kinds, random_.choice([30, 2_600]))
    target = edit(random_, kinds, source)
    for side, rows in enumerate((source, target)):
        write(pair, side, kinds, rows, keyed=False)
    left, right = Counter(source.values()), Counter(target.values())
    found = pair.diff(keyless=True, exclude=["id"])
    assert (found.missing_in_target, found.missing_in_source) == ((left - right).total(), (right - left).total())
