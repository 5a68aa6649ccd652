"""Columns of Python objects: what they hold is what their values are."""

import datetime
from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd

from reconcile_assets.core.tables import ColumnType, TypeKind
from reconcile_assets.databases.dataframe.texts import is_null, json_text
from reconcile_assets.errors import NotComparable

NO_VALUES = "no values"

# The first that fits holds: bool is an int, datetime a date, Timedelta a timedelta.
_CLASSES: tuple[tuple[Any, str], ...] = (
    ((bool, np.bool_), "bool"),
    ((int, np.integer), "int"),
    ((float, np.float16, np.float32, np.float64), "float"),
    (Decimal, "Decimal"),
    (str, "str"),
    ((bytes, bytearray, memoryview), "bytes"),
    (datetime.date, "date"),
    (datetime.time, "time"),
    ((datetime.timedelta, np.timedelta64), "timedelta"),
    (UUID, "UUID"),
    ((dict, list, np.ndarray), "json"),
)
_KINDS: dict[frozenset[str], TypeKind] = {
    frozenset({"bool"}): TypeKind.BOOLEAN,
    frozenset({"int"}): TypeKind.INTEGER,
    frozenset({"float"}): TypeKind.FLOAT64,
    frozenset({"Decimal"}): TypeKind.DECIMAL,
    frozenset({"Decimal", "int"}): TypeKind.DECIMAL,
    frozenset({"str"}): TypeKind.TEXT,
    frozenset({"bytes"}): TypeKind.BYTES,
    frozenset({"date"}): TypeKind.DATE,
    frozenset({"time"}): TypeKind.TIME,
    frozenset({"timedelta"}): TypeKind.INTERVAL,
    frozenset({"datetime"}): TypeKind.TIMESTAMP,
    frozenset({"datetime with a zone"}): TypeKind.TIMESTAMPTZ,
    frozenset({"UUID"}): TypeKind.UUID,
    frozenset({"json"}): TypeKind.JSON,
}


def survey_objects(values: Iterable[Any], native: str) -> ColumnType:
    """The type of a column of objects; ``UNKNOWN`` with what it holds, where that has no one type.

    Args:
        native: the dtype's name.
    """
    classes: set[str] = set()
    fine = False
    for value in values:
        if is_null(value):
            continue
        found = _class_of(value)
        classes.add(found)
        fine = fine or (found not in ("json", "str") and _has_nanoseconds(value))
    held = " and ".join(sorted(classes)) or NO_VALUES
    kind = TypeKind.TEXT if not classes else _KINDS.get(frozenset(classes), TypeKind.UNKNOWN)
    if kind is TypeKind.INTERVAL and fine:
        return ColumnType(TypeKind.UNKNOWN, f"{native} of timedelta with nanoseconds")
    return ColumnType(kind, f"{native} of {held}", 9 if fine else None)


def _class_of(value: Any) -> str:
    if isinstance(value, datetime.datetime):
        return "datetime" if value.tzinfo is None else "datetime with a zone"
    if isinstance(value, datetime.time) and value.tzinfo is not None:
        return "time with a zone"
    for types, name in _CLASSES:
        if isinstance(value, types):
            return _json_class(value) if name == "json" else name
    return type(value).__name__


def _json_class(value: Any) -> str:
    try:
        json_text(value)
    except (NotComparable, RecursionError):
        return f"{type(value).__name__} that is no JSON"
    return "json"


def _has_nanoseconds(value: Any) -> bool:
    if isinstance(value, pd.Timestamp):
        return value.nanosecond != 0
    if isinstance(value, pd.Timedelta):
        return value.nanoseconds != 0
    return isinstance(value, np.timedelta64) and pd.Timedelta(value).nanoseconds != 0
