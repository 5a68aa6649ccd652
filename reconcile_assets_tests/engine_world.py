"""A source and a target in a real server, one table in each, and what tests ask of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, LiteralString, cast

import psycopg

from reconcile_assets.configuration.models import Config, TableConfig
from reconcile_assets.core.windows import Partition
from reconcile_assets.engine.backfill import PartitionFailure, PartitionWrite, WriteRules, backfill_partitions
from reconcile_assets.engine.connections import Connections

DAYS = 10
ROWS_A_DAY = 12
COLUMNS = "id bigint PRIMARY KEY, at timestamptz, amount numeric(10,2), note text"
FILL = """
INSERT INTO orders
SELECT day * 1000 + n, timestamptz '2024-01-01 00:00+00' + day * interval '1 day' + n * interval '2 hours',
       day + n / 100.0, 'note ' || n
FROM generate_series(0, {days} - 1) AS day, generate_series(0, {rows} - 1) AS n
"""

Outcome = PartitionWrite | PartitionFailure


@dataclass
class World:
    """Both databases; close it by the fixture."""

    source: str
    target: str
    project: str | None = None
    table: dict[str, Any] = field(default_factory=dict)
    pauses: list[float] = field(default_factory=list)
    target_through: str | None = None
    extra_environ: dict[str, str] = field(default_factory=dict)

    @property
    def attributes(self) -> dict[str, Any]:
        """The configuration of one table, `orders`, by day, as the YAML has it."""
        table = {
            "name": "orders",
            "source_table": "orders",
            "target_table": "orders",
            "key": ["id"],
            "partition": {"column": "at", "by": "day", "start": "2024-01-01", "end": "2024-01-11"},
            **self.table,
        }
        if "source_query" in table:
            table.pop("source_table")
        return {"tables": [table]}

    @property
    def config(self) -> Config:
        return Config.model_validate(self.attributes)

    @property
    def orders(self) -> TableConfig:
        return self.config.tables[0]

    @property
    def environ(self) -> dict[str, str]:
        """The variables of a process that works on this world."""
        found = {
            "SOURCE_DATABASE_URL": self.source,
            "TARGET_DATABASE_URL": self.target_through or self.target,
            **self.extra_environ,
        }
        return found if self.project is None else {**found, "DATABASE_URL": self.project}

    def connections(self) -> Connections:
        return Connections(self.config, self.environ)

    def partitions(self, *keys: str) -> tuple[Partition, ...]:
        """These partitions, or all."""
        return self.orders.partition.scheme().select(datetime(2030, 1, 1, tzinfo=UTC), keys=keys or None)

    def backfill(self, *keys: str, run_id: str = "run", **rules: Any) -> dict[str, Outcome]:
        """The outcome of each partition by its key; pauses are noted, not slept."""
        chosen = WriteRules(sleep=self.pauses.append, **rules)
        with self.connections() as connections:
            return {
                outcome.partition.key: outcome
                for outcome in backfill_partitions(
                    self.orders,
                    self.partitions(*keys),
                    connections=connections,
                    run_id=run_id,
                    actor="tester",
                    rules=chosen,
                )
            }

    def run_source(self, *statements: str) -> None:
        """Run statements in the source, each committed."""
        _run(self.source, statements)

    def run_target(self, *statements: str) -> None:
        """Run statements in the target, each committed."""
        _run(self.target, statements)

    def ask_source(self, query: str) -> list[tuple[Any, ...]]:
        return _ask(self.source, query)

    def ask_target(self, query: str) -> list[tuple[Any, ...]]:
        return _ask(self.target, query)

    def source_rows(self) -> list[tuple[Any, ...]]:
        return self.ask_source("SELECT * FROM orders ORDER BY id")

    def target_rows(self) -> list[tuple[Any, ...]]:
        return self.ask_target("SELECT * FROM orders ORDER BY id")

    def batches(self) -> list[tuple[str, str]]:
        """Partition and id of every committed batch, in the order of their audit entries."""
        return cast(
            list[tuple[str, str]],
            self.ask_target(
                "SELECT b.partition, b.batch_id::text FROM reconcile_assets.batches b"
                " JOIN reconcile_assets.audit_entries e ON e.batch_id::text = b.batch_id::text ORDER BY e.seq"
            ),
        )

    def count_batches(self) -> tuple[int, int]:
        """Batches and audit entries."""
        found = self.ask_target(
            "SELECT (SELECT count(*) FROM reconcile_assets.batches),"
            " (SELECT count(*) FROM reconcile_assets.audit_entries)"
        )
        return found[0][0], found[0][1]


def build_world(
    urls: Callable[[str], str],
    *,
    indexed: bool = True,
    days: int = DAYS,
    rows: int = ROWS_A_DAY,
    project: bool = False,
    target_columns: str = COLUMNS,
    **table: Any,
) -> World:
    """Fresh databases, the source filled, the target's table empty."""
    world = World(urls("source"), urls("target"), urls("project") if project else None, table)
    world.run_source(f"CREATE TABLE orders ({COLUMNS})", FILL.format(days=days, rows=rows))
    world.run_target(f"CREATE TABLE orders ({target_columns})")
    if indexed:
        world.run_source("CREATE INDEX ON orders (at)")
        world.run_target("CREATE INDEX ON orders (at)")
    return world


def written(outcomes: dict[str, Outcome]) -> list[str]:
    return [key for key, outcome in outcomes.items() if isinstance(outcome, PartitionWrite)]


def failed(outcomes: dict[str, Outcome]) -> dict[str, Exception]:
    return {key: outcome.error for key, outcome in outcomes.items() if isinstance(outcome, PartitionFailure)}


def _run(url: str, statements: Sequence[str]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(cast(LiteralString, statement))


def _ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(cast(LiteralString, query)).fetchall()
