"""Which columns and which key a person means."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconcile_assets.core.compare_pairs import ColumnPair, pair_columns
from reconcile_assets.core.tables import Table
from reconcile_assets.core.tolerance import NO_TOLERANCE, Tolerance
from reconcile_assets.errors import MissingObject, NotComparable

Pairs = tuple[ColumnPair, ...]
_NOTHING_IN_COMMON = "the two sides have no column in common; name pairs with -c SOURCE:TARGET"


def choose_pairs(
    source: Table, target: Table, *, columns: Sequence[str] = (), exclude: Sequence[str] = (), key: Sequence[str] = ()
) -> tuple[Pairs, tuple[str, ...]]:
    """The pairs of columns that are compared, and notes about those that only one side has.

    Args:
        columns: these only, and the key; ``name`` or ``source:target``; empty takes all.
        exclude: names of either side.
        key: names that are kept whatever ``columns`` says.

    Raises:
        MissingObject: a column is not there; near names are offered.
        NotComparable: a column is both asked for and excluded.
    """
    rename = dict(_split_pair(text, source, target) for text in columns)
    for name in rename:
        if name in exclude:
            raise NotComparable(f"the column {name} is both asked for and excluded; drop one of the two")
    changed = {here: there for here, there in rename.items() if here != there}
    for name in exclude:
        if name not in _names(source) and name not in _names(target):
            known = tuple(dict.fromkeys((*_names(source), *_names(target))))
            raise MissingObject(_no_column(name, "either side", known))
    pairs, notes = pair_columns(source, target, rename=changed, exclude=exclude)
    if not columns:
        return pairs, notes
    kept = {*rename, *key, *source.primary_key, *(name for names in source.unique_keys for name in names)}
    chosen = tuple(pair for pair in pairs if pair.source.name in kept or pair.target.name in key)
    return chosen, ()


def choose_key(
    source: Table, target: Table, pairs: Pairs, key: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The key by the source's names, and a note where it was not given.

    Raises:
        NotComparable: none was given and the tables have none.
        MissingObject: a column of the key is not there.
    """
    if key:
        return resolve_names(key, pairs), ()
    if not pairs:
        raise NotComparable(_NOTHING_IN_COMMON)
    by_source = {pair.source.name: pair.source.name for pair in pairs}
    by_target = {pair.target.name: pair.source.name for pair in pairs}
    for table, names in ((source, by_source), (target, by_target)):
        for kind, columns in (("primary key", table.primary_key), *(("unique key", key) for key in table.unique_keys)):
            if columns and all(name in names for name in columns):
                chosen = tuple(names[name] for name in columns)
                side = "source" if table is source else "target"
                return chosen, (f"the key is the {kind} of the {side}: {', '.join(chosen)}",)
    left_out = next((table.primary_key for table in (source, target) if table.primary_key), ())
    if left_out:
        raise NotComparable(
            f"the primary key {', '.join(left_out)} is not among the compared columns; name another with -k COLUMN,"
            " or use --keyless"
        )
    raise NotComparable("neither table has a primary or unique key; name the key with -k COLUMN, or use --keyless")


def resolve_names(names: Iterable[str], pairs: Pairs) -> tuple[str, ...]:
    """The source's names of columns that are named by either side.

    Raises:
        MissingObject: one is not among the pairs.
        NotComparable: there are no pairs at all.
    """
    by_source = {pair.source.name: pair.source.name for pair in pairs}
    by_target = {pair.target.name: pair.source.name for pair in pairs}
    found: list[str] = []
    for name in names:
        resolved = by_source.get(name) or by_target.get(name)
        if not pairs:
            raise NotComparable(_NOTHING_IN_COMMON)
        if resolved is None:
            raise MissingObject(_no_column(name, "the compared columns", tuple(by_source)))
        found.append(resolved)
    return tuple(found)


def merge_tolerances(
    pairs: Pairs,
    abs_tol: Mapping[str, float],
    rel_tol: Mapping[str, float],
    seconds: Mapping[str, float],
    *,
    ignore_case: Sequence[str] = (),
    ignore_trailing_space: Sequence[str] = (),
) -> dict[str, Tolerance]:
    """One tolerance for each column that any of them names."""
    given: dict[str, Tolerance] = {}

    def add(name: str, **kinds: Any) -> None:
        column = resolve_names((name,), pairs)[0]
        try:
            given[column] = replace(given.get(column, NO_TOLERANCE), **kinds)
        except NotComparable as error:
            raise NotComparable(f"column {name}: {error}") from None

    for kind, values in (("abs_tol", abs_tol), ("rel_tol", rel_tol), ("seconds", seconds)):
        for name, value in values.items():
            add(name, **{kind: value})
    for kind, names in (("ignore_case", ignore_case), ("ignore_trailing_space", ignore_trailing_space)):
        for name in names:
            add(name, **{kind: True})
    return given


KEY_TYPES = ("uuid",)


def choose_uuids(pairs: Pairs, key_types: Mapping[str, str]) -> tuple[str, ...]:
    """The source's names of the columns that are declared to hold UUIDs.

    Args:
        key_types: type by column name, of either side.

    Raises:
        NotComparable: a type is none of :data:`KEY_TYPES`.
        MissingObject: a column is not there.
    """
    for name, declared in key_types.items():
        if declared not in KEY_TYPES:
            raise NotComparable(
                f"the key type of {name} is {declared!r}; only {', '.join(KEY_TYPES)} can be declared,"
                " every other type is the column's own"
            )
    return resolve_names(key_types, pairs)


def _split_pair(text: str, source: Table, target: Table) -> tuple[str, str]:
    """``name`` or ``source:target``; a column that has the whole text as its name comes first."""
    if text in _names(source):
        return text, text if text in _names(target) else _without_case(text, target)
    for at, character in enumerate(text):
        if character == ":" and text[:at] in _names(source):
            if text[at + 1 :] not in _names(target):
                raise MissingObject(_no_column(text[at + 1 :], "the target", _names(target)))
            return text[:at], text[at + 1 :]
    raise MissingObject(_no_column(text.split(":", 1)[0], "the source", _names(source)))


def _without_case(name: str, target: Table) -> str:
    found = [other for other in _names(target) if other.lower() == name.lower()]
    if len(found) != 1:
        raise MissingObject(_no_column(name, "the target", _names(target)))
    return found[0]


def _names(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)


def _no_column(name: str, where: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names[:20])}"
    return f"there is no column {name or repr(name)} in {where}; {hint}"
