"""A backfill in a process of its own, to be killed: ``python -m ... URLS_AS_JSON``; a line for each outcome."""

import json
import sys
from typing import Any

import psycopg

from reconcile_assets.databases.postgresql import write
from reconcile_assets.engine.backfill import PartitionWrite, WriteRules, backfill_partitions
from reconcile_assets_tests.engine_world import World


def main(arguments: dict[str, Any]) -> None:
    """Backfill every partition of the world that the arguments describe."""
    world = World(arguments["source"], arguments["target"], arguments["project"], arguments["table"])
    if arguments["unprotected"]:
        _commit_every_statement()
    with world.connections() as connections:
        for outcome in backfill_partitions(
            world.orders,
            world.partitions(),
            connections=connections,
            run_id=arguments["run_id"],
            actor="tester",
            rules=WriteRules(group_partitions=10),
        ):
            print(outcome.partition.key, isinstance(outcome, PartitionWrite), flush=True)


def _commit_every_statement() -> None:
    """Take the transaction away: the control that must fail."""

    def begin_write(connection: psycopg.Connection[Any], *, lock_wait: float) -> write.Backend:
        connection.autocommit = True
        connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{lock_wait}s",))
        row = connection.execute(
            "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        ).fetchone()
        assert row is not None
        return write.Backend(*row)

    write.begin_write = begin_write
    write.lock_partitions = lambda *_: None  # its savepoint needs a transaction


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
