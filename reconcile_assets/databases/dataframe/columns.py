"""A DataFrame's columns, by dtype: the canonical type of each, and its values as exact texts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from reconcile_assets.core.canonical_times import moment_text
from reconcile_assets.core.tables import ColumnType, TypeKind
from reconcile_assets.databases.dataframe.objects import survey_objects
from reconcile_assets.databases.dataframe.texts import TEXTS, duration_text, is_null

Texts = Sequence[str | None]
_BATCH = 20_000  # values looked at in one go
_NAT = np.iinfo(np.int64).min
_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}


@dataclass(frozen=True)
class FrameColumn:
    """A column of a DataFrame.

    Attributes:
        texts: the exact texts of the values in ``[start, stop)``, None for NULL.
        has_values: not all are NULL.
        nans: values of a float column that are NaN, taken as NULL.
    """

    type: ColumnType
    texts: Callable[[int, int], Texts]
    has_values: bool = True
    nans: int = 0


def read_column(series: "pd.Series[Any]") -> FrameColumn:
    """How a column is read.

    Args:
        series: its index does not matter.
    """
    dtype: Any = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _categories(series)
    if isinstance(dtype, pd.ArrowDtype):
        from reconcile_assets.databases.dataframe.arrow import read_arrow

        return read_arrow(series, dtype)
    if isinstance(dtype, pd.DatetimeTZDtype):
        return _moments(series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(), str(dtype), zoned=True)
    if isinstance(dtype, pd.SparseDtype | pd.PeriodDtype | pd.IntervalDtype):
        return unreadable(str(dtype))
    if isinstance(dtype, pd.StringDtype):
        return _objects(series, ColumnType(TypeKind.TEXT, str(dtype)))
    if dtype == np.dtype(object):
        return _objects(series, None)
    if isinstance(dtype, np.dtype):
        return _numpy(series.to_numpy(), str(dtype))
    numpy_dtype = getattr(dtype, "numpy_dtype", None)  # pandas' own nullable types
    kind = _kind_of(numpy_dtype) if isinstance(numpy_dtype, np.dtype) else TypeKind.UNKNOWN
    return _nullable(series, ColumnType(kind, str(dtype))) if kind is not TypeKind.UNKNOWN else unreadable(str(dtype))


def unreadable(native: str) -> FrameColumn:
    """A column of a type that is never compared."""
    return FrameColumn(ColumnType(TypeKind.UNKNOWN, native), lambda start, stop: [None] * (stop - start))


def _kind_of(dtype: "np.dtype[Any]") -> TypeKind:
    if dtype.kind == "f":
        return {2: TypeKind.FLOAT32, 4: TypeKind.FLOAT32, 8: TypeKind.FLOAT64}.get(dtype.itemsize, TypeKind.UNKNOWN)
    return {"i": TypeKind.INTEGER, "u": TypeKind.INTEGER, "b": TypeKind.BOOLEAN}.get(dtype.kind, TypeKind.UNKNOWN)


def _numpy(values: Any, native: str) -> FrameColumn:
    if values.dtype.kind == "M":
        return _moments(values, native, zoned=False)
    if values.dtype.kind == "m":
        return _durations(values, native)
    kind = _kind_of(values.dtype)
    if kind is TypeKind.UNKNOWN:
        return unreadable(native)
    write = TEXTS[kind]
    if values.dtype.kind != "f":
        return FrameColumn(
            ColumnType(kind, native), lambda start, stop: [write(v) for v in values[start:stop].tolist()]
        )
    nans = int(np.isnan(values).sum())
    return FrameColumn(
        ColumnType(kind, native),
        lambda start, stop: [None if v != v else write(v) for v in values[start:stop].tolist()],
        has_values=nans < len(values),
        nans=nans,
    )


def _nullable(series: "pd.Series[Any]", column_type: ColumnType) -> FrameColumn:
    """pandas' own nullable types, in which NA is NULL and a NaN beside it is a value."""
    write = TEXTS[column_type.kind]

    def texts(start: int, stop: int) -> Texts:
        values = series.array[start:stop].to_numpy(dtype=object)
        return [None if value is pd.NA else write(value) for value in values]

    return FrameColumn(column_type, texts)


def _objects(series: "pd.Series[Any]", column_type: ColumnType | None) -> FrameColumn:
    def values(start: int, stop: int) -> Any:
        return series.array[start:stop].to_numpy(dtype=object)

    found = column_type or survey_objects(
        (value for at in range(0, len(series), _BATCH) for value in values(at, at + _BATCH)), str(series.dtype)
    )
    if found.kind is TypeKind.UNKNOWN:
        return unreadable(found.native)
    write = TEXTS[found.kind]
    return FrameColumn(
        found,
        lambda start, stop: [None if is_null(value) else write(value) for value in values(start, stop)],
        has_values=not bool(series.isna().all()),
    )


def _categories(series: "pd.Series[Any]") -> FrameColumn:
    used = series.cat.remove_unused_categories()
    inner = read_column(pd.Series(used.cat.categories))
    texts = inner.texts(0, len(used.cat.categories))
    codes = used.cat.codes.to_numpy()
    native = f"category of {inner.type.native}"
    return FrameColumn(
        ColumnType(inner.type.kind, native, inner.type.precision, inner.type.scale),
        lambda start, stop: [None if code < 0 else texts[code] for code in codes[start:stop].tolist()],
        has_values=inner.has_values and len(texts) > 0,
    )


def _moments(values: Any, native: str, *, zoned: bool) -> FrameColumn:
    unit = np.datetime_data(values.dtype)[0]
    ticks = values.astype("int64")
    return moments_of_ticks(lambda start, stop: ticks[start:stop], unit, native, zoned=zoned, size=len(ticks))


def moments_of_ticks(
    ticks: Callable[[int, int], Any], unit: str, native: str, *, zoned: bool, size: int
) -> FrameColumn:
    """Times that are kept as whole numbers since 1970, so that no calendar of Python's bounds them.

    Args:
        ticks: an array of int64, the least of them being NULL.
        unit: ``s``, ``ms``, ``us`` or ``ns``.
    """
    kind, zone = (TypeKind.TIMESTAMPTZ, "+00") if zoned else (TypeKind.TIMESTAMP, "")
    digits = _DIGITS.get(unit)
    if digits is None:
        return unreadable(native)
    if digits == 9 and not _has_finer(ticks, size, 1_000):
        digits = 6  # it could hold nanoseconds, and holds none
    to_microseconds = scaled(unit)

    def texts(start: int, stop: int) -> Texts:
        return [
            None if tick == _NAT else moment_text(to_microseconds(tick), zone=zone)
            for tick in ticks(start, stop).tolist()
        ]

    return FrameColumn(ColumnType(kind, native, None if digits == 6 else digits), texts)


def _durations(values: Any, native: str) -> FrameColumn:
    unit = np.datetime_data(values.dtype)[0]
    ticks = values.astype("int64")
    return durations_of_ticks(lambda start, stop: ticks[start:stop], unit, native, size=len(ticks))


def durations_of_ticks(ticks: Callable[[int, int], Any], unit: str, native: str, *, size: int) -> FrameColumn:
    """As :func:`moments_of_ticks`, for durations."""
    if unit not in _DIGITS or (unit == "ns" and _has_finer(ticks, size, 1_000)):
        return unreadable(f"{native} with nanoseconds")
    to_microseconds = scaled(unit)

    def texts(start: int, stop: int) -> Texts:
        return [
            None if tick == _NAT else duration_text(int(to_microseconds(tick))) for tick in ticks(start, stop).tolist()
        ]

    return FrameColumn(ColumnType(TypeKind.INTERVAL, native), texts)


def scaled(unit: str) -> Callable[[int], int | Fraction]:
    """From so many of a unit of numpy's or Arrow's to microseconds; whole ones stay whole numbers."""
    if unit == "ns":
        return lambda tick: Fraction(tick, 1_000) if tick % 1_000 else tick // 1_000
    factor: int = 10 ** (6 - _DIGITS[unit])
    return lambda tick: tick * factor


def _has_finer(ticks: Callable[[int, int], Any], size: int, unit: int) -> bool:
    for start in range(0, size, _BATCH):
        found = ticks(start, min(start + _BATCH, size))
        if bool(((found % unit != 0) & (found != _NAT)).any()):
            return True
    return False
