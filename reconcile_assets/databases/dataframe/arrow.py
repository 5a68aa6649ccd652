"""Arrow-backed columns, whose types say exactly what they hold; NULL and NaN are two things."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import types

from reconcile_assets.core.canonical_times import civil_from_days
from reconcile_assets.core.tables import ColumnType, TypeKind
from reconcile_assets.databases.dataframe.columns import (
    FrameColumn,
    Texts,
    durations_of_ticks,
    moments_of_ticks,
    scaled,
    unreadable,
)
from reconcile_assets.databases.dataframe.objects import survey_objects
from reconcile_assets.databases.dataframe.texts import TEXTS, clock_text
from reconcile_assets.errors import NotComparable

_NAT = np.iinfo(np.int64).min
_DAYS: dict[str, int] = {"date32[day]": 1, "date64[ms]": 86_400_000}

_PLAIN: tuple[tuple[Callable[[Any], bool], TypeKind], ...] = (
    (types.is_boolean, TypeKind.BOOLEAN),
    (types.is_integer, TypeKind.INTEGER),
    (types.is_float16, TypeKind.FLOAT32),
    (types.is_float32, TypeKind.FLOAT32),
    (types.is_float64, TypeKind.FLOAT64),
    (types.is_decimal, TypeKind.DECIMAL),
    (types.is_string, TypeKind.TEXT),
    (types.is_large_string, TypeKind.TEXT),
    (types.is_string_view, TypeKind.TEXT),
    (types.is_binary, TypeKind.BYTES),
    (types.is_large_binary, TypeKind.BYTES),
    (types.is_binary_view, TypeKind.BYTES),
    (types.is_fixed_size_binary, TypeKind.BYTES),
)


def read_arrow(series: "pd.Series[Any]", dtype: pd.ArrowDtype) -> FrameColumn:
    """How an Arrow-backed column is read."""
    arrow, native = dtype.pyarrow_dtype, str(dtype)
    held: Any = series.array.__arrow_array__()
    values: Any = held if isinstance(held, pa.ChunkedArray) else pa.chunked_array([held])
    if types.is_dictionary(arrow):
        values, arrow = values.cast(arrow.value_type), arrow.value_type
    has_values = bool(values.null_count < len(values))
    for fits, kind in _PLAIN:
        if fits(arrow):
            return FrameColumn(ColumnType(kind, native), _plain(values, TEXTS[kind]), has_values)
    if types.is_null(arrow):
        return FrameColumn(ColumnType(TypeKind.TEXT, native), _plain(values, str), has_values=False)
    return _timed(values, arrow, native) or _nested(values, native)


def _plain(values: Any, write: Callable[[Any], str]) -> Callable[[int, int], Texts]:
    return lambda start, stop: [
        None if value is None else write(value) for value in values.slice(start, stop - start).to_pylist()
    ]


def _timed(values: Any, arrow: Any, native: str) -> FrameColumn | None:
    ticks = _ticks(values)
    if types.is_timestamp(arrow):
        return moments_of_ticks(ticks, arrow.unit, native, zoned=arrow.tz is not None, size=len(values))
    if types.is_duration(arrow):
        return durations_of_ticks(ticks, arrow.unit, native, size=len(values))
    if types.is_date(arrow):
        return _dates(ticks, _DAYS[str(arrow)], native)
    if types.is_time(arrow):
        to_microseconds = scaled(arrow.unit)
        digits = {"s": 0, "ms": 3, "us": None, "ns": 9}[arrow.unit]
        return FrameColumn(
            ColumnType(TypeKind.TIME, native, digits),
            lambda start, stop: [
                None if tick == _NAT else clock_text(to_microseconds(tick)) for tick in ticks(start, stop).tolist()
            ],
        )
    return None


def _ticks(values: Any) -> Callable[[int, int], Any]:
    def ticks(start: int, stop: int) -> Any:
        part = values.slice(start, stop - start)
        narrow = part.type.bit_width == 32
        numbers = part.cast(pa.int32()).cast(pa.int64()) if narrow else part.cast(pa.int64())
        return np.array([_NAT if tick is None else tick for tick in numbers.to_pylist()], dtype="int64")

    return ticks


def _dates(ticks: Callable[[int, int], Any], per_day: int, native: str) -> FrameColumn:
    def date(tick: int) -> str:
        days, rest = divmod(tick, per_day)
        if rest:
            raise NotComparable(f"a date of a DataFrame ({native}) has a time of day")
        year, month, day = civil_from_days(days)
        shown, end = (year, "") if year > 0 else (1 - year, " BC")
        return f"{shown:04d}-{month:02d}-{day:02d}{end}"

    return FrameColumn(
        ColumnType(TypeKind.DATE, native),
        lambda start, stop: [None if tick == _NAT else date(tick) for tick in ticks(start, stop).tolist()],
    )


def _nested(values: Any, native: str) -> FrameColumn:
    """Lists and structs are JSON, where all they hold is."""
    if not (types.is_nested(values.type) and not types.is_map(values.type)):
        return unreadable(native)
    found = survey_objects((value for chunk in values.chunks for value in chunk.to_pylist()), native)
    if found.kind is not TypeKind.JSON:
        return unreadable(found.native)
    return FrameColumn(ColumnType(TypeKind.JSON, native), _plain(values, TEXTS[TypeKind.JSON]))
