"""Time partitions: half-open windows that cover a range without loss or double count.

A partition's key is the one Dagster gives the same window, so that the two can be
joined by key (a test compares them over years of summer-time changes).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


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
