"""Damage as life does it, in fixed places, so that the story knows exactly what must turn red."""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

ROWS, COUNT, SUM = "rows", "row_count", "aggregate_sum_distance"


@dataclass(frozen=True)
class Damage:
    """One change that nobody announced.

    Attributes:
        what: for people.
        database: the connection's name.
        partition: where it is, or should be, seen.
        statement: what does it; it changes rows of this partition only.
        rows: how many rows it changes; None where all of the day's.
        checks: those that must turn red; none for a change within its tolerance.
    """

    what: str
    database: str
    table: str
    partition: str
    statement: str
    rows: int | None
    checks: tuple[str, ...]


DAMAGES = (
    Damage(
        what="a day was deleted in the target",
        database="target",
        table="flights",
        partition="2013-02-14",
        statement="""
            DELETE FROM warehouse.flights
            WHERE time_hour >= timestamptz '2013-02-14 00:00 America/New_York'
              AND time_hour < timestamptz '2013-02-15 00:00 America/New_York'
        """,
        rows=None,
        checks=(COUNT, ROWS, SUM),
    ),
    Damage(
        what="three values were changed in the target",
        database="target",
        table="flights",
        partition="2013-05-20",
        statement="""
            UPDATE warehouse.flights SET dep_delay = coalesce(dep_delay, 0) + 1
            WHERE (time_hour, carrier, flight) IN (
              SELECT time_hour, carrier, flight FROM warehouse.flights
              WHERE time_hour = timestamptz '2013-05-20 12:00 America/New_York'
              ORDER BY carrier, flight LIMIT 3)
        """,
        rows=3,
        checks=(ROWS,),
    ),
    Damage(
        what="two rows were inserted twice in the target",
        database="target",
        table="flights",
        partition="2013-07-04",
        statement="""
            INSERT INTO warehouse.flights
            SELECT * FROM warehouse.flights
            WHERE time_hour = timestamptz '2013-07-04 09:00 America/New_York'
            ORDER BY carrier, flight LIMIT 2
        """,
        rows=2,
        checks=(COUNT, ROWS, SUM),
    ),
    Damage(
        what="three late rows were added to an old day in the source",
        database="source",
        table="weather",
        partition="2013-03-08",
        statement="""
            INSERT INTO ops.weather
            SELECT origin, year, month, day, hour, temp, dewp, humid, wind_dir, wind_speed, wind_gust, precip,
                   pressure, visib, time_hour + interval '30 minutes'
            FROM ops.weather WHERE time_hour = timestamptz '2013-03-08 12:00 America/New_York'
        """,
        rows=3,
        checks=(COUNT, ROWS),
    ),
    Damage(
        what="a temperature was changed within its tolerance in the target",
        database="target",
        table="weather",
        partition="2013-08-15",
        statement="""
            UPDATE warehouse.weather SET temp = temp + 0.004
            WHERE origin = 'JFK' AND time_hour = timestamptz '2013-08-15 12:00 America/New_York'
        """,
        rows=1,
        checks=(),
    ),
)


def inflict(urls: Mapping[str, str]) -> dict[str, int]:
    """Do all of it, one transaction a database; return the rows changed by what was done."""
    changed: dict[str, int] = {}
    for name in dict.fromkeys(damage.database for damage in DAMAGES):
        with psycopg.connect(urls[name]) as connection:
            for damage in DAMAGES:
                if damage.database == name:
                    statement = damage.statement.encode()  # a constant of this module
                    changed[damage.what] = connection.execute(statement).rowcount
    return changed


def expected_red() -> dict[tuple[str, str], frozenset[str]]:
    """Partitions that must turn red, by table and check."""
    found: dict[tuple[str, str], set[str]] = {}
    for damage in DAMAGES:
        for check in damage.checks:
            found.setdefault((damage.table, check), set()).add(damage.partition)
    return {place: frozenset(keys) for place, keys in found.items()}


def red_partitions() -> dict[str, list[str]]:
    """Partitions that must be filled again, by table."""
    found: dict[str, set[str]] = {}
    for (table, _), keys in expected_red().items():
        found.setdefault(table, set()).update(keys)
    return {table: sorted(keys) for table, keys in found.items()}


def tolerated() -> tuple[Damage, ...]:
    """What must stay green."""
    return tuple(damage for damage in DAMAGES if not damage.checks)
