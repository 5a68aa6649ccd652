"""docs/types.md, out of the code: every engine's types and their kinds, and how every pair of kinds is compared.

``make types`` writes it; a unit test fails when the page and the code differ.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations_with_replacement
from pathlib import Path

from psycopg import postgres

from reconcile_assets.core.compare_pairs import ColumnPair, judge_pair
from reconcile_assets.core.compare_plan import plan_comparison
from reconcile_assets.core.tables import Column, ColumnType, TypeKind
from reconcile_assets.databases.duckdb import types as duckdb_types
from reconcile_assets.databases.mysql import types as mysql_types
from reconcile_assets.databases.postgresql import types as postgresql_types
from reconcile_assets.databases.sqlite import types as sqlite_types
from reconcile_assets.errors import NotComparable

PAGE = Path(__file__).parents[2] / "docs" / "types.md"

HEAD = """\
# Types

Written by `make types` from the code: a change here is undone by the next run, and a test fails when the two differ.
What each form means stands in [comparison.md](comparison.md).

## Kinds
Each engine's types, by the kind that they are compared as. A type that is not here is `unknown`: its column is
`uncomparable` until it is left out.

| kind | PostgreSQL | MariaDB, MySQL | SQLite (as declared) | DuckDB |
|---|---|---|---|---|
"""

RULES = """
Beyond these names: PostgreSQL's domains are what they are made of, its enums `enum`, its arrays `array`, citext `text`.
MariaDB keeps JSON as text with a `json_valid` check, which is `json`. SQLite's names of integers are all that have
`INT` in the usual places (`BIGINT`, `INT8`, ...), of texts all with `CHAR`, `CLOB` or `TEXT`; a column of another name
or none is what all its values are. DuckDB's `DECIMAL(p,s)` is `decimal`, `ENUM(...)` is `enum`, lists are `array`.
`opaque` is compared by the engine's own exact text, and only beside the same type.
"""

PAIRS = """
## Pairs
`exact`: equal only when the values are the same. `coarser`: equal within less than one unit of the coarser type, with a
note; `--strict` makes it a difference. `uncomparable`: never equal, the verdict is `inconclusive`. A pair is the same
in both directions. `time(3)` stands for a type that keeps fewer digits of a second than the other. In a key: whether
two engines can find rows by the pair; one and the same engine always can where the pair is exact.

| kind | beside | comparison | in a key |
|---|---|---|---|
"""


def _array(kind: TypeKind) -> ColumnType:
    return ColumnType(TypeKind.ARRAY, f"array of {kind}", element=ColumnType(kind, kind.value))


def _variants() -> Iterator[ColumnType]:
    """A type of each kind, and of what divides a kind."""
    for kind in TypeKind:
        match kind:
            case TypeKind.ARRAY:
                yield from (_array(element) for element in (TypeKind.INTEGER, TypeKind.DECIMAL, TypeKind.TEXT))
            case TypeKind.BIT:
                yield ColumnType(kind, "bit, 1 to 63", length=8)
                yield ColumnType(kind, "bit, longer or of any length", length=70)
            case TypeKind.TIME | TypeKind.TIMESTAMP | TypeKind.TIMESTAMPTZ:
                yield ColumnType(kind, kind.value)
                yield ColumnType(kind, f"{kind}(3)", precision=3)
            case TypeKind.OPAQUE:
                yield ColumnType(kind, "opaque")
                yield ColumnType(kind, "another opaque")
            case _:
                yield ColumnType(kind, kind.value)


def _pair_lines() -> Iterator[str]:
    for a, b in combinations_with_replacement(list(_variants()), 2):
        pair = ColumnPair(Column("column", a), Column("column", b))
        if "another" in a.native and "another" in b.native:
            continue
        yield f"| {a.native} | {b.native} | {judge_pair(pair).comparison.replace(':', ': ', 1)} | {_in_key(pair)} |"


def _in_key(pair: ColumnPair) -> str:
    try:
        plan_comparison([pair], ["column"])
    except NotComparable:
        return "no"
    return "yes"


def _names(kinds: Mapping[str, TypeKind], kind: TypeKind) -> str:
    return ", ".join(f"`{name}`" for name, found in kinds.items() if found is kind)


def _engines() -> Iterable[Mapping[str, TypeKind]]:
    names = {oid: postgres.types[oid].name if postgres.types.get(oid) else _OTHER_NAMES[oid] for oid in _oids()}
    yield {names[oid]: kind for oid, kind in postgresql_types.KIND_BY_OID.items()}
    yield mysql_types.KINDS
    yield sqlite_types.DECLARED
    yield duckdb_types.KINDS


def _oids() -> Iterable[int]:
    return postgresql_types.KIND_BY_OID


# Those that the driver's own table leaves out.
_OTHER_NAMES = {774: "macaddr8", 829: "macaddr", 3220: "pg_lsn", 3614: "tsvector"}


def _kind_lines() -> Iterator[str]:
    engines = list(_engines())
    for kind in TypeKind:
        names = [_names(kinds, kind) for kinds in engines]
        if any(names):
            yield f"| {kind} | " + " | ".join(names) + " |"


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD.rstrip("\n"), *_kind_lines(), RULES.rstrip("\n"), PAIRS.rstrip("\n"), *_pair_lines(), ""])


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    print(f"types: wrote {PAGE.name}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
