"""A difference between two rows, and the list of those that a comparison names."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class Masked(str):
    """What stands in a masked value's place; no value of a database is one, though it may read the same."""

    __slots__ = ()


MASKED = Masked("***")

Value = bool | int | float | str | None


class DifferenceKind(StrEnum):
    """In what way a row differs."""

    MISSING_IN_TARGET = "missing_in_target"
    MISSING_IN_SOURCE = "missing_in_source"
    VALUE_DIFFERS = "value_differs"


@dataclass(frozen=True)
class Difference:
    """One row that differs.

    Attributes:
        key: the key's columns by the source's names; empty for a keyless table.
        source, target: the values of each side by the source's column names: those that differ where the row
            is on both sides, all of them where it is on one side; None where the side has no such row.
    """

    kind: DifferenceKind
    key: Mapping[str, Value]
    source: Mapping[str, Value] | None = None
    target: Mapping[str, Value] | None = None

    def to_dict(self) -> dict[str, object]:
        """The difference as JSON."""
        return {
            "kind": self.kind.value,
            "key": dict(self.key),
            "source": None if self.source is None else dict(self.source),
            "target": None if self.target is None else dict(self.target),
        }


def by_key(difference: Difference) -> tuple[tuple[int, float, str], ...]:
    """Where a difference stands among others: numbers by value, before text; NULL first."""
    parts: list[tuple[int, float, str]] = []
    for value in difference.key.values():
        if isinstance(value, int | float):
            parts.append((1, value, ""))
        else:
            parts.append((0 if value is None else 2, 0, value or ""))
    return tuple(parts)


class Differences(tuple[Difference, ...]):
    """The differences that were listed; calling it gives them as a pandas DataFrame."""

    __slots__ = ()

    def __call__(self) -> "pd.DataFrame":
        """One line per difference: ``kind``, the key's columns, and ``NAME_source`` and ``NAME_target`` of each column.

        Values are as in :class:`Difference`: None is NULL, and ``pandas.NA`` stands where a column does not differ in
        this row, or the side has no such row. A key's column whose name is taken is called ``NAME_key``.
        """
        import pandas as pd

        names = dict.fromkeys(name for item in self for side in (item.source, item.target) for name in side or ())
        pairs = [(name, side) for name in names for side in ("source", "target")]
        labels = [f"{name}_{side}" for name, side in pairs]
        keys = list(dict.fromkeys(name for item in self for name in item.key))
        lines = [
            [
                item.kind.value,
                *(item.key.get(name) for name in keys),
                *((getattr(item, side) or {}).get(name, pd.NA) for name, side in pairs),
            ]
            for item in self
        ]
        taken = {"kind", *labels}
        shown = [f"{name}_key" if name in taken else name for name in keys]
        return pd.DataFrame(lines, columns=["kind", *shown, *labels], dtype=object)
