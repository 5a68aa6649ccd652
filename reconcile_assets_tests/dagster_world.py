"""A source and a target with a hundred days of orders, and Dagster definitions over them."""

import datetime
from collections.abc import Sequence
from typing import Any

import dagster as dg
import psycopg

from reconcile_assets.components import ReconciledTables
from reconcile_assets.configuration.models import Config
from reconcile_assets.core.verdicts import CheckVerdict
from reconcile_assets.ledger import open_ledger
from reconcile_assets.translator import partitions_definition

ORDERS = dg.AssetKey("orders")
FIRST = datetime.date(2024, 1, 1)
DAYS = 100
ROWS_A_DAY = 3

TABLE: dict[str, Any] = {
    "name": "orders",
    "source_table": "orders",
    "target_table": "orders",
    "key": ["id"],
    "partition": {"column": "placed_at", "by": "day", "start": "2024-01-01", "end": "2024-04-10"},
    "checks": [{"type": "row_count"}, {"type": "rows", "tolerances": {"amount": {"abs_tol": 0.01}}}],
}


def day(number: int) -> str:
    """The key of the partition that begins so many days after the first."""
    return str(FIRST + datetime.timedelta(days=number))


class World:
    """Two databases, a ledger, an instance, and what a person does with them."""

    def __init__(self, instance: dg.DagsterInstance, urls: dict[str, str]) -> None:
        self.instance = instance
        self.urls = urls
        self.config = self.configure()

    def configure(self, **table: Any) -> Config:
        """A configuration of the table with some of its fields replaced."""
        self.config = Config.model_validate({"tables": [TABLE | table]})
        return self.config

    @property
    def partitions_def(self) -> dg.PartitionsDefinition:
        return partitions_definition(self.config.tables[0].partition.scheme())

    def definitions(self, *more: dg.Definitions) -> dg.Definitions:
        quiet = dg.Definitions(executor=dg.in_process_executor)
        return dg.Definitions.merge(ReconciledTables(config=self.config).build_definitions(), quiet, *more)

    def execute(self, sql: str, *, side: str = "target") -> None:
        with psycopg.connect(self.urls[side], autocommit=True) as connection:
            connection.execute(sql)

    def count(self, *, side: str = "target") -> int:
        with psycopg.connect(self.urls[side]) as connection:
            row = connection.execute("SELECT count(*) FROM orders").fetchone()
        return int(row[0]) if row else 0

    def backfill(self, first: int, last: int, *more: dg.Definitions, **options: Any) -> dg.ExecuteInProcessResult:
        """A ranged run of the asset and its checks, as the backfill daemon launches it; both ends inside."""
        tags = {"dagster/asset_partition_range_start": day(first), "dagster/asset_partition_range_end": day(last)}
        job = self.definitions(*more).resolve_implicit_global_asset_job_def()
        if options:
            job = job.get_subset(**options)
        return job.execute_in_process(instance=self.instance, tags=tags, raise_on_error=False)

    def recheck(self, key: str | None, *names: str) -> dg.ExecuteInProcessResult:
        """Checks of one partition again; without one, as "Execute all" of the checks' page launches them."""
        job = self.definitions().resolve_implicit_global_asset_job_def()
        chosen = job.get_subset(
            asset_selection=set(), asset_check_selection={dg.AssetCheckKey(ORDERS, name) for name in names}
        )
        return chosen.execute_in_process(instance=self.instance, partition_key=key, raise_on_error=False)

    def reconcile(self, partitions: Sequence[str] = ()) -> dg.ExecuteInProcessResult:
        """A run of the scheduled job."""
        job = self.definitions().resolve_job_def("orders_reconciliation")
        return job.execute_in_process(
            instance=self.instance,
            run_config=dg.RunConfig(ops={"orders_reconcile": {"config": {"partitions": list(partitions)}}}),
            raise_on_error=False,
        )

    def materialized(self) -> dict[str, str]:
        """The status of each partition that has one."""
        keys = self.partitions_def.get_partition_keys()
        found = self.instance.get_status_by_partition(ORDERS, keys, self.partitions_def) or {}
        return {key: status.name for key, status in found.items() if status is not None}

    def checked(self, name: str) -> dict[str, set[str]]:
        """Partitions by the status that the check's page shows."""
        key = dg.AssetCheckKey(ORDERS, name)
        state = self.instance.event_log_storage.get_asset_check_state([(key, self.partitions_def)])[key]
        found = {status.name: set(subset.subset_value.get_partition_keys()) for status, subset in state.subsets.items()}
        return {status: keys for status, keys in found.items() if keys}

    def evaluations(self, run_id: str) -> list[dg.AssetCheckEvaluation]:
        """What a run logged."""
        return [
            entry.dagster_event.event_specific_data
            for entry in self.instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
            if entry.dagster_event is not None
        ]

    def verdicts(self) -> dict[tuple[str, str], CheckVerdict]:
        """The latest verdicts in the ledger."""
        ledger = open_ledger(self.urls["project"])
        try:
            return {
                (each.verdict.check, each.verdict.partition): each.verdict for each in ledger.iterate_latest_verdicts()
            }
        finally:
            ledger.close()


def create_orders(url: str, *, filled: bool) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE orders (id bigint PRIMARY KEY, placed_at timestamptz NOT NULL,"
            " amount numeric(12, 4) NOT NULL, note text)"
        )
        connection.execute("CREATE INDEX ON orders (placed_at)")
        if not filled:
            connection.execute("ALTER TABLE orders ADD CONSTRAINT affordable CHECK (amount < 1000000)")
        else:
            connection.execute(
                "INSERT INTO orders SELECT n, timestamptz '2024-01-01 00:00+00' + (n / %s) * interval '1 day'"
                " + (n %% %s) * interval '5 hours', n * 1.25, 'order ' || n FROM generate_series(0, %s) AS n",
                (ROWS_A_DAY, ROWS_A_DAY, DAYS * ROWS_A_DAY - 1),
                prepare=False,
            )
