"""Python's and numpy's single values as exact texts."""

import datetime
import json
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd

from reconcile_assets.core.canonical import FOREIGN
from reconcile_assets.core.canonical_floats import double_text, single_text
from reconcile_assets.core.canonical_intervals import interval_text
from reconcile_assets.core.canonical_times import microseconds_of, moment_text
from reconcile_assets.core.tables import TypeKind
from reconcile_assets.errors import NotComparable

_DAY = 86_400_000_000
_MICROSECOND = datetime.timedelta(microseconds=1)
_NAT = np.datetime64("NaT"), np.timedelta64("NaT")


def is_null(value: Any) -> bool:
    """Whether a Python object stands for NULL: None, pd.NA, NaT and a float that is NaN."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    if isinstance(value, float | np.floating):
        return bool(value != value)
    return isinstance(value, np.datetime64 | np.timedelta64) and bool(np.isnat(value))


def duration_text(microseconds: int) -> str:
    """A duration: whole days, and the rest of a day, both with its sign."""
    sign = -1 if microseconds < 0 else 1
    days, clock = divmod(abs(microseconds), _DAY)
    return interval_text(0, sign * days, sign * clock)


def clock_text(microseconds: int | Fraction) -> str:
    """A time of day."""
    return moment_text(microseconds)[11:]


def json_text(value: Any) -> str:
    """A JSON document, its numbers exact.

    Raises:
        NotComparable: it holds what JSON does not have.
    """
    if value is None or isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        return str(int(value))
    if (isinstance(value, float) and value - value == 0) or (isinstance(value, Decimal) and value.is_finite()):
        return str(value) if isinstance(value, Decimal) else repr(float(value))
    if isinstance(value, list | np.ndarray):
        return "[" + ", ".join(json_text(item) for item in value) + "]"
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        pairs = (f"{json.dumps(name, ensure_ascii=False)}: {json_text(item)}" for name, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, np.generic):
        return json_text(value.item())
    raise NotComparable(f"JSON has no {type(value).__name__}")


def text_of(value: Any) -> str:
    """A text, as a plain ``str``."""
    if value.startswith(FOREIGN):
        raise NotComparable("a text of a DataFrame begins with a lone surrogate, which no database holds")
    return str(value)


def _moment(value: Any) -> str:
    written = value.replace(tzinfo=None).isoformat(sep=" ")
    return written.rstrip("0") if "." in written else str(written)


def _instant(value: Any) -> str:
    local = microseconds_of(value.replace(tzinfo=None).isoformat(sep=" "))
    if isinstance(local, str):
        raise NotComparable("a time of a DataFrame is in no calendar")
    return moment_text(local - value.utcoffset() // _MICROSECOND, zone="+00")


def _clock(value: Any) -> str:
    written = value.isoformat()
    return written.rstrip("0") if "." in written else str(written)


TEXTS: dict[TypeKind, Callable[[Any], str]] = {
    TypeKind.INTEGER: lambda value: str(int(value)),
    TypeKind.DECIMAL: lambda value: f"{value:f}" if isinstance(value, Decimal) else str(int(value)),
    TypeKind.FLOAT32: lambda value: single_text(float(value)),
    TypeKind.FLOAT64: lambda value: double_text(float(value)),
    TypeKind.BOOLEAN: lambda value: "true" if value else "false",
    TypeKind.TEXT: text_of,
    TypeKind.BYTES: lambda value: f"\\x{bytes(value).hex()}",
    TypeKind.DATE: lambda value: str(value.isoformat()),
    TypeKind.TIME: _clock,
    TypeKind.TIMESTAMP: _moment,
    TypeKind.TIMESTAMPTZ: _instant,
    TypeKind.INTERVAL: lambda value: duration_text(pd.Timedelta(value) // _MICROSECOND),
    TypeKind.UUID: lambda value: str(UUID(int=value.int)),
    TypeKind.JSON: json_text,
}
