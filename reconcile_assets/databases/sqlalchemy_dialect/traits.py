"""What is known of single dialects, where SQLAlchemy's own description of a type does not say enough.

Of a dialect that is not here nothing is taken for granted: what might be lost on the way makes a column uncomparable.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa


@dataclass(frozen=True)
class Traits:
    """A dialect's ways.

    Attributes:
        clock_digits: the most digits of a second that any of its times keeps; None where that is not known.
        pads_char: CHAR is padded with spaces that carry no meaning.
        singles: names of types that hold single-precision floats, which the driver hands over exactly.
        snapshot: the isolation level at which one transaction sees one state; empty where that is the default.
    """

    clock_digits: int | None = None
    pads_char: bool = False
    singles: frozenset[str] = frozenset()
    snapshot: str | None = None


UNKNOWN = Traits()

TRAITS: dict[str, Traits] = {
    "firebird": Traits(4, pads_char=True, singles=frozenset({"FLOAT", "REAL"}), snapshot=""),
    "oracle": Traits(pads_char=True, singles=frozenset({"BINARY_FLOAT"}), snapshot="SERIALIZABLE"),
    "mssql": Traits(pads_char=True, singles=frozenset({"REAL"})),
    "cockroachdb": Traits(6, pads_char=True, snapshot="SERIALIZABLE"),
    "redshift": Traits(6, pads_char=True, snapshot="SERIALIZABLE"),
    "postgresql": Traits(6, pads_char=True, snapshot="REPEATABLE READ"),
    "mysql": Traits(6, pads_char=True, snapshot="REPEATABLE READ"),
    "mariadb": Traits(6, pads_char=True, snapshot="REPEATABLE READ"),
    "sqlite": Traits(6, snapshot="SERIALIZABLE"),
    "databricks": Traits(6),
    "vertica": Traits(6, snapshot="SERIALIZABLE"),
}
_NO_BETTER = frozenset({"mssql"})  # its SERIALIZABLE keeps writers out while a table is read


def name_of(dialect: sa.Dialect) -> str:
    """The database's name; some dialects add their driver's (``firebird.firebird``)."""
    return dialect.name.partition(".")[0]


def traits_of(dialect: sa.Dialect) -> Traits:
    """What is known of a dialect."""
    return TRAITS.get(name_of(dialect), UNKNOWN)


def isolation_for(dialect: sa.Dialect, offered: Sequence[str]) -> str | None:
    """The isolation level to ask for: None leaves the dialect's own."""
    wanted = traits_of(dialect).snapshot
    if wanted is not None:
        return wanted if wanted in offered else None
    return "SERIALIZABLE" if "SERIALIZABLE" in offered and name_of(dialect) not in _NO_BETTER else None
