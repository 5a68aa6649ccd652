"""Tables, columns and types as every engine describes them."""

from dataclasses import dataclass, replace
from enum import StrEnum


class TypeKind(StrEnum):
    """The canonical type that a column's own type maps to."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    TEXT = "text"
    CHAR = "char"  # blank-padded: trailing spaces carry no meaning in the engine
    BYTES = "bytes"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    TIMETZ = "timetz"
    TIMESTAMP = "timestamp"  # zoneless
    TIMESTAMPTZ = "timestamptz"  # an instant
    INTERVAL = "interval"
    UUID = "uuid"
    JSON = "json"
    ARRAY = "array"
    ENUM = "enum"
    BIT = "bit"
    OPAQUE = "opaque"  # inet, ranges and the like: compared by the engine's exact text, with the same type only
    UNKNOWN = "unknown"  # never compared, never called equal


@dataclass(frozen=True)
class ColumnType:
    """A type: its canonical kind, the engine's own spelling, and what limits it.

    Attributes:
        kind: the canonical type.
        native: the engine's own spelling, as it can stand in a cast, e.g. ``numeric(10,2)``.
        precision: decimal digits in all, or fractional digits of seconds for times; None when unlimited.
        scale: decimal digits after the point; None when unlimited.
        length: characters, bytes or bits; None when unlimited.
        element: the element's type, for arrays.
        enforced: the engine refuses what is beyond these limits; SQLite only writes them down.
    """

    kind: TypeKind
    native: str
    precision: int | None = None
    scale: int | None = None
    length: int | None = None
    element: "ColumnType | None" = None
    enforced: bool = True


@dataclass(frozen=True)
class Column:
    """A column as the catalog describes it."""

    name: str
    type: ColumnType
    nullable: bool = True
    generated: bool = False  # computed by the database: never written
    identity: bool = False


@dataclass(frozen=True, order=True)
class TableName:
    """A table's name; ``schema`` is None where the engine's default applies."""

    schema: str | None
    name: str

    @classmethod
    def parse(cls, text: str) -> "TableName":
        """Read ``name`` or ``schema.name``, literal after the first dot.

        A part that begins and ends with a double quote is unquoted first (``""`` inside
        stands for one quote), so that any name can be written.

        Raises:
            ValueError: when a part is empty.
        """
        parts = _split_once(text)
        names = [_unquote(part) for part in parts]
        if any(not name for name in names):
            raise ValueError(f"a table is NAME or SCHEMA.NAME, not {text!r}")
        return cls(None, names[0]) if len(names) == 1 else cls(names[0], names[1])

    def __str__(self) -> str:
        return self.name if self.schema is None else f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Table:
    """A table or view as the catalog describes it.

    Attributes:
        indexed: columns that stand first in some index.
    """

    name: TableName
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    unique_keys: tuple[tuple[str, ...], ...] = ()  # over columns without NULLs only
    indexed: frozenset[str] = frozenset()
    is_view: bool = False

    def column(self, name: str) -> Column:
        """The column of exactly this name.

        Raises:
            KeyError: when there is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def with_columns(self, names: tuple[str, ...]) -> "Table":
        """The same table, seen through these columns only, in this order."""
        return replace(self, columns=tuple(self.column(name) for name in names))


def _split_once(text: str) -> list[str]:
    if not text.startswith('"'):
        return text.split(".", 1)
    end = 1
    while end < len(text):
        if text[end] != '"':
            end += 1
        elif text[end : end + 2] == '""':
            end += 2
        else:
            break
    rest = text[end + 1 :]
    if rest.startswith("."):
        return [text[: end + 1], rest[1:]]
    return [text] if not rest else text.split(".", 1)


def _unquote(part: str) -> str:
    if len(part) >= 2 and part[0] == part[-1] == '"':
        return part[1:-1].replace('""', '"')
    return part
