"""What a case is: two tables as each engine can hold them, and what a comparison has to say of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

PG, MY, SL, DU = ENGINES = ("postgresql", "mariadb", "sqlite", "duckdb")

MATCHED, MISMATCHED, INCONCLUSIVE, REFUSED = "matched", "mismatched", "inconclusive", "refused"

ByEngine = Mapping[str, str]
Literal = str | ByEngine


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        types: engine -> its type; engines without one can't hold the table.
        pad: the SQL of its value in the rows around the case; ``{g}`` is the row's number, from 1000 on.
    """

    name: str
    types: ByEngine
    pad: Literal = "NULL"


@dataclass(frozen=True)
class Content:
    """A table.

    Attributes:
        rows: SQL literals, one for all engines or one for each.
        key: columns of the primary key; empty makes none.
        series: rows made by the engine itself: SQL of each column over ``{g}``, first, last.
        missing: there is no such table.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Literal, ...], ...] = ()
    key: tuple[str, ...] = ("id",)
    series: tuple[tuple[str, ...], int, int] | None = None
    missing: bool = False

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines that can hold it."""
        return tuple(
            engine
            for engine in ENGINES
            if all(
                engine in column.types and (isinstance(column.pad, str) or engine in column.pad)
                for column in self.columns
            )
            and all(isinstance(value, str) or engine in value for row in self.rows for value in row)
        )


@dataclass(frozen=True)
class Expected:
    """What has to be found, from source to target.

    Attributes:
        differs: by column, where it is told.
        null_keys, duplicate_keys: of the source and of the target, where they are told.
    """

    verdict: str
    missing_in_target: int = 0
    missing_in_source: int = 0
    value_differs: int = 0
    differs: Mapping[str, int] | None = None
    null_keys: tuple[int, int] | None = None
    duplicate_keys: tuple[int, int] | None = None

    def turned(self) -> "Expected":
        """As seen from target to source."""
        return replace(
            self,
            missing_in_target=self.missing_in_source,
            missing_in_source=self.missing_in_target,
            null_keys=self.null_keys and self.null_keys[::-1],
            duplicate_keys=self.duplicate_keys and self.duplicate_keys[::-1],
        )


@dataclass(frozen=True)
class Case:
    """A case.

    Attributes:
        number: of the list that a release must get right; 31 for those found beyond it.
        options: of ``diff``.
        sizes: whether it is run small (False) and among thousands of rows (True).
        asks: says what is wrong with our answer, of the URLs of source and target; None asks ``diff`` for ``expected``.
            The peers are not asked then.
    """

    number: int
    name: str
    source: Content
    target: Content
    expected: Expected
    options: Mapping[str, Any] = field(default_factory=dict)
    sizes: Sequence[bool] = (False, True)
    asks: Callable[[str, str], str | None] | None = None


@dataclass(frozen=True)
class Held:
    """A value: by engine its column's type and literal, and the literal of the rows around it."""

    types: ByEngine
    literal: Literal
    pad: Literal = "NULL"

    def on(self, *engines: str) -> "Held":
        """As only these engines hold it."""
        return replace(self, types={name: found for name, found in self.types.items() if name in engines})

    def padded(self, pad: Literal) -> "Held":
        """With this literal around it."""
        return replace(self, pad=pad)


def held(
    pg: str = "", my: str = "", sl: str = "", du: str = "", literal: Literal = "NULL", pad: Literal = "NULL"
) -> Held:
    """A value in the engines whose type is given; a literal by engine leaves out those that it does not have."""
    types = {engine: name for engine, name in zip(ENGINES, (pg, my, sl, du), strict=True) if name}
    if not isinstance(literal, str):
        types = {engine: name for engine, name in types.items() if engine in literal}
    return Held(types, literal, pad)


def by(pg: str = "", my: str = "", sl: str = "", du: str = "") -> ByEngine:
    """One literal for each engine."""
    return {engine: text for engine, text in zip(ENGINES, (pg, my, sl, du), strict=True) if text}


BIGINT = by("bigint", "bigint", "BIGINT", "BIGINT")
TEXT = by("text", "varchar(200)", "TEXT", "VARCHAR")
ID = Column("id", BIGINT, "{g}")
W = Column("w", TEXT, by("'w' || {g}", "concat('w', {g})", "'w' || {g}", "'w' || {g}"))


def value_table(value: Held) -> Content:
    """t(id, v, w) with the value in row 1; row 2 has none."""
    return Content(
        (ID, Column("v", value.types, value.pad), W), (("1", value.literal, "'one'"), ("2", "NULL", "'two'"))
    )


def value_case(number: int, name: str, source: Held, target: Held, verdict: str, **options: Any) -> Case:
    """One value beside another: equal, or one row that differs in v alone."""
    changed = Expected(MISMATCHED, value_differs=1, differs={"v": 1})
    expected = changed if verdict == MISMATCHED else Expected(verdict)
    return Case(number, name, value_table(source), value_table(target), expected, options)


def same(number: int, name: str, source: Held, target: Held | None = None, **options: Any) -> Case:
    """Two values that are equal."""
    return value_case(number, name, source, target or source, MATCHED, **options)


def differ(number: int, name: str, source: Held, target: Held, **options: Any) -> Case:
    """Two values that differ."""
    return value_case(number, name, source, target, MISMATCHED, **options)


def unsure(number: int, name: str, source: Held, target: Held | None = None, **options: Any) -> Case:
    """Two values of which nothing may be said."""
    return value_case(number, name, source, target or source, INCONCLUSIVE, **options)
