"""Time partitions: half-open windows that cover a range without loss or double count.

A partition's key is the one Dagster gives the same window, so that the two can be
joined by key (a test compares them over years of summer-time changes).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from reconcile_assets.errors import ConfigurationError

DAY_KEY = "%Y-%m-%d"
HOUR_KEY = "%Y-%m-%d-%H:%M"
_HOUR = timedelta(hours=1)
_FAR = datetime(2038, 1, 1)  # a zone that changes its clock now does so before this


class Every(StrEnum):
    """How long a partition is."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"  # begins on Sunday, as Dagster's weekly partitions do
    MONTH = "month"


@dataclass(frozen=True, order=True)
class Partition:
    """One window, half-open: ``start`` is inside, ``end`` is not.

    Attributes:
        start, end: aware, UTC.
        local_start, local_end: the same bounds on the wall clock of the scheme's zone, naive:
            what a column without a zone is compared with.
        key: as Dagster names it.
    """

    start: datetime
    end: datetime
    local_start: datetime
    local_end: datetime
    key: str


class _Boundary(NamedTuple):
    """Where a window begins: the instant, the wall clock's reading, and whether it reads so for the second time."""

    instant: datetime
    wall: datetime
    second_time: bool


@dataclass(frozen=True)
class PartitionScheme:
    """How a table is cut into partitions.

    The set is the one of Dagster's time window partitions: the first window begins at the
    first boundary at or after ``start``, the last one ends at or before ``end`` and has ended
    by now. Each window begins where the one before it ends.

    Attributes:
        column: the source's column that decides a row's partition.
        by: the length of a window; days, weeks and months begin at midnight of the zone.
        start: the first moment, on the zone's wall clock, naive; inside.
        end: the last moment, on the zone's wall clock, naive; outside. None: up to now.
        timezone: an IANA name.
        lookback: how many of the latest partitions a regular reconciliation looks at.
    """

    column: str
    by: Every
    start: datetime
    end: datetime | None = None
    timezone: str = "UTC"
    lookback: int = 3

    @cached_property
    def zone(self) -> ZoneInfo:
        """The scheme's time zone."""
        return ZoneInfo(self.timezone)

    @cached_property
    def repeats_an_hour(self) -> bool:
        """Whether the clock is put back within the range, so that two hours read the same.

        Hourly windows of a column without a zone are then undefined: their local bounds do
        not tell the two hours apart. Such a table must be refused; days, weeks and months
        are safe, and so is a column with a zone.
        """
        return any(later < earlier for earlier, later in pairwise(self._offsets()))

    @cached_property
    def shifts_within_hours(self) -> bool:
        """Whether the zone's clock moves by part of an hour within the range.

        Hourly windows then begin at different minutes, which Dagster and a person count
        differently: refused (so far only Australia/Lord_Howe and historical dates do this).
        """
        return len({offset % _HOUR for offset in self._offsets()}) > 1

    @property
    def is_empty(self) -> bool:
        """Whether no window fits between ``start`` and ``end``, however late it gets."""
        first = self._first()
        return self.end is not None and self._next(first).instant > _instant(self.end, self.zone)

    def partitions(self, now: datetime) -> tuple[Partition, ...]:
        """Every window that has ended by ``now`` (aware), oldest first."""
        latest = self._latest(now)
        found: list[Partition] = []
        for start, end in pairwise(self._boundaries()):
            if end.instant > latest:
                break
            found.append(self._partition(start, end))
        return tuple(found)

    def lookback_partitions(self, now: datetime) -> tuple[Partition, ...]:
        """The last ``lookback`` windows that have ended by ``now`` (aware), oldest first."""
        return self.partitions(now)[-self.lookback :]

    def partition(self, key: str) -> Partition:
        """The window of this key, whether it has ended or not.

        Raises:
            ConfigurationError: when the range has no window of this key.
        """
        start = self._boundary_of(key)
        if start is not None:
            end = self._next(start)
            found = self._partition(start, end)
            inside = start.wall >= self.start and (self.end is None or end.instant <= _instant(self.end, self.zone))
            if found.key == key and inside:
                return found
        raise ConfigurationError(f"partition: {key!r} is no {self.by} of {self}; a key looks like {self._sample_key()}")

    def select(
        self,
        now: datetime,
        *,
        keys: Collection[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> tuple[Partition, ...]:
        """Windows that have ended by ``now``, narrowed down; oldest first.

        Args:
            now: aware.
            keys: only these.
            start, end: only windows that have an instant in ``[start, end)``; naive times are on
                the zone's wall clock.

        Raises:
            ConfigurationError: when a key is not one of these windows, or ``end`` is not after ``start``.
        """
        first = None if start is None else _instant(start, self.zone)
        last = None if end is None else _instant(end, self.zone)
        if first is not None and last is not None and last <= first:
            raise ConfigurationError(f"the end {end} is not after the start {start}; the range is half-open")
        found = self.partitions(now)
        if keys is not None:
            found = self._with_keys(found, keys)
        return tuple(
            window
            for window in found
            if (first is None or window.end > first) and (last is None or window.start < last)
        )

    def __str__(self) -> str:
        end = "now" if self.end is None else self.end.isoformat(sep=" ", timespec="minutes")
        return f"[{self.start.isoformat(sep=' ', timespec='minutes')}, {end}) {self.timezone} by {self.by}"

    def _with_keys(self, found: tuple[Partition, ...], keys: Collection[str]) -> tuple[Partition, ...]:
        wanted = set(keys)
        kept = tuple(window for window in found if window.key in wanted)
        unknown = sorted(wanted - {window.key for window in kept})
        if unknown:
            self.partition(unknown[0])  # names a key that is no window at all
            raise ConfigurationError(f"partition: {unknown[0]!r} has not ended yet; the latest is {_last_key(found)}")
        return kept

    def _latest(self, now: datetime) -> datetime:
        return now if self.end is None else min(now, _instant(self.end, self.zone))

    def _partition(self, start: _Boundary, end: _Boundary) -> Partition:
        if self.by is not Every.HOUR:
            key = start.wall.strftime(DAY_KEY)
        elif start.second_time:
            key = start.instant.astimezone(self.zone).strftime(HOUR_KEY + "%z")
        else:
            key = start.wall.strftime(HOUR_KEY)
        return Partition(start.instant, end.instant, start.wall, end.wall, key)

    def _boundaries(self) -> Iterator[_Boundary]:
        boundary = self._first()
        while True:
            yield boundary
            try:
                boundary = self._next(boundary)
            except OverflowError:  # the calendar ends
                return

    def _first(self) -> _Boundary:
        if self.by is Every.HOUR:
            wall = self.start.replace(minute=0, second=0, microsecond=0)
            first = _at_instant(_instant(wall, self.zone), self.zone)
            return first if wall == self.start else self._next(first)
        midnight = self.start.replace(hour=0, minute=0, second=0, microsecond=0)
        day = midnight if midnight == self.start else midnight + timedelta(days=1)
        if self.by is Every.WEEK:
            day += timedelta(days=-day.isoweekday() % 7)
        elif self.by is Every.MONTH and day.day != 1:
            day = _next_month(day)
        return _at_wall(day, self.zone)

    def _next(self, boundary: _Boundary) -> _Boundary:
        if self.by is Every.HOUR:
            return _at_instant(boundary.instant + _HOUR, self.zone)
        if self.by is Every.MONTH:
            return _at_wall(_next_month(boundary.wall), self.zone)
        return _at_wall(boundary.wall + timedelta(days=7 if self.by is Every.WEEK else 1), self.zone)

    def _boundary_of(self, key: str) -> _Boundary | None:
        """Where the window of this key would begin; None when the text is no key or no boundary."""
        if self.by is Every.HOUR:
            wall = _parsed(key, HOUR_KEY) or _parsed(key, HOUR_KEY + "%z")
            if wall is None or wall.minute != self._first().wall.minute:
                return None
            return _at_instant(_instant(wall, self.zone), self.zone)
        wall = _parsed(key, DAY_KEY)
        if wall is None or (self.by is Every.WEEK and wall.isoweekday() != 7):
            return None
        return None if self.by is Every.MONTH and wall.day != 1 else _at_wall(wall, self.zone)

    def _sample_key(self) -> str:
        first = self._first()
        return self._partition(first, self._next(first)).key

    def _offsets(self) -> Iterator[timedelta]:
        """The zone's offsets from UTC in the order of time, one a day over the range."""
        end = max(self.start, self.end or _FAR)
        moment = self.start
        while moment < end:
            yield _offset(moment, self.zone)
            moment += timedelta(days=1)
        yield _offset(end, self.zone)


def contiguous_ranges(keys: Iterable[str], all_keys: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Group keys into runs that stand side by side in ``all_keys``, in its order.

    Raises:
        ConfigurationError: when a key is not among ``all_keys``.
    """
    wanted = set(keys)
    missing = sorted(wanted - set(all_keys))
    if missing:
        raise ConfigurationError(f"partition: {missing[0]!r} is not among the {len(all_keys)} known partitions")
    ranges: list[list[str]] = []
    previous_wanted = False
    for key in all_keys:
        if key in wanted:
            if not previous_wanted:
                ranges.append([])
            ranges[-1].append(key)
        previous_wanted = key in wanted
    return tuple(tuple(each) for each in ranges)


def _instant(moment: datetime, zone: ZoneInfo) -> datetime:
    """The instant in UTC; a naive moment is on the zone's wall clock, the first of two equal readings.

    A reading that the clock jumps over is the moment of the jump when it is midnight.
    """
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _at_wall(wall: datetime, zone: ZoneInfo) -> _Boundary:
    return _Boundary(_instant(wall, zone), wall, False)


def _at_instant(instant: datetime, zone: ZoneInfo) -> _Boundary:
    local = instant.astimezone(zone)
    return _Boundary(instant, local.replace(tzinfo=None, fold=0), local.fold == 1)


def _next_month(day: datetime) -> datetime:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _parsed(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)
    except ValueError:
        return None


def _offset(wall: datetime, zone: ZoneInfo) -> timedelta:
    return zone.utcoffset(wall.replace(tzinfo=zone)) or timedelta()


def _last_key(found: tuple[Partition, ...]) -> str:
    return found[-1].key if found else "none"
