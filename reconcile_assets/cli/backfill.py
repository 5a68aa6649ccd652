"""``backfill``: fill partitions from the source, each proved equal before it is committed."""

import argparse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reconcile_assets.cli.output import Progress, print_json, print_table, say, say_notes, untold
from reconcile_assets.errors import ReconcileAssetsError

if TYPE_CHECKING:
    from reconcile_assets.configuration.models import TableConfig
    from reconcile_assets.core.windows import Partition
    from reconcile_assets.engine.backfill import PartitionFailure, PartitionWrite
    from reconcile_assets.engine.connections import Connections

_EXAMPLES = """\
examples:
  reconcile-assets backfill flights --from 2013-01-01 --to 2013-02-01
  reconcile-assets backfill flights --partition 2013-01-15 --reason "late rows"
  reconcile-assets backfill --json

exit codes: 0 all partitions written; 1 some were not; 2 none was; 130 interrupted (what was
committed stays, nothing is half written)
"""
_SHOWN_FAILURES = 20


def add_parser(subparsers: Any) -> None:
    """Add the command's parser."""
    from reconcile_assets.cli.arguments import add_selection  # not needed by --help of other commands

    parser = subparsers.add_parser(
        "backfill", help="fill partitions from the source and prove each equal", epilog=_EXAMPLES
    )
    add_selection(parser)
    parser.add_argument("--reason", metavar="TEXT", help="why, for the audit log")
    parser.add_argument("--actor", metavar="NAME", help="who, for the audit log (default: the user of this machine)")


@dataclass
class _Tally:
    """What became of one table."""

    table: str
    written: "list[PartitionWrite]" = field(default_factory=list)
    failed: "list[PartitionFailure]" = field(default_factory=list)
    unbegun: int = 0
    error: str | None = None
    seconds: float = 0.0

    @property
    def rows(self) -> int:
        return sum(write.rows_inserted for write in self.written)


def run(args: argparse.Namespace) -> int:
    """Write what was selected; a table that can't be begun leaves the others to be written."""
    import uuid
    from datetime import UTC, datetime

    from reconcile_assets.cli.arguments import load_configuration, selected
    from reconcile_assets.cli.project_database import project_connections

    config = load_configuration(args)
    selection = selected(args, config, datetime.now(UTC))
    run_id = str(uuid.uuid4())
    with project_connections(config) as connections:
        tallies = [_fill(args, connections, table, partitions, run_id) for table, partitions in selection]
    if args.json:
        print_json({"run_id": run_id, "tables": [_document(tally) for tally in tallies]})
    else:
        _print_summary(tallies)
        for tally in tallies:
            say_notes(tally.table, ((write.partition.key, note) for write in tally.written for note in write.notes))
    written = sum(len(tally.written) for tally in tallies)
    missed = sum(len(tally.failed) + tally.unbegun for tally in tallies)
    return 0 if not missed else 1 if written else 2


def _fill(
    args: argparse.Namespace,
    connections: "Connections",
    table: "TableConfig",
    partitions: "tuple[Partition, ...]",
    run_id: str,
) -> _Tally:
    import time

    from reconcile_assets.cli.arguments import current_user
    from reconcile_assets.engine.backfill import PartitionWrite, backfill_partitions

    tally = _Tally(table.name)
    started = time.monotonic()
    with Progress(f"backfill {table.name}", total=len(partitions)) as progress:
        try:
            for outcome in backfill_partitions(
                table,
                partitions,
                connections=connections,
                run_id=run_id,
                actor=args.actor or current_user(),
                reason=args.reason,
            ):
                if isinstance(outcome, PartitionWrite):
                    tally.written.append(outcome)
                else:
                    tally.failed.append(outcome)
                speed = tally.rows / max(time.monotonic() - started, 0.001)
                progress.advance(note=f"{outcome.partition.key}, {speed:,.0f} rows/s")
        except ReconcileAssetsError as error:
            tally.error = str(error)
            tally.unbegun = len(partitions) - len(tally.written) - len(tally.failed)
    tally.seconds = time.monotonic() - started
    _say_failures(tally)
    return tally


def _say_failures(tally: _Tally) -> None:
    if tally.error is not None:
        say(f"{tally.table}: {untold(tally.error, tally.table)}")
    for failure in tally.failed[:_SHOWN_FAILURES]:
        key = failure.partition.key
        say(f"{tally.table} {key}: {untold(failure.error, tally.table, key)}")
    if len(tally.failed) > _SHOWN_FAILURES:
        say(f"{tally.table}: {len(tally.failed) - _SHOWN_FAILURES} more partitions failed; --json lists them all")


def _print_summary(tallies: list[_Tally]) -> None:
    rows = [
        (
            tally.table,
            len(tally.written),
            len(tally.failed) + tally.unbegun,
            tally.rows,
            f"{tally.seconds:.1f}",
            f"{tally.rows / max(tally.seconds, 0.001):,.0f}",
        )
        for tally in tallies
    ]
    print_table(("table", "written", "failed", "rows", "seconds", "rows/s"), rows)


def _document(tally: _Tally) -> dict[str, Any]:
    document: dict[str, Any] = {
        "table": tally.table,
        "written": len(tally.written),
        "failed": len(tally.failed) + tally.unbegun,
        "rows": tally.rows,
        "seconds": round(tally.seconds, 3),
        "partitions": [_written(write) for write in tally.written] + [_failed(failure) for failure in tally.failed],
    }
    return document if tally.error is None else {**document, "error": tally.error}


def _written(write: "PartitionWrite") -> dict[str, Any]:
    return {
        "partition": write.partition.key,
        "status": "written",
        "batch_id": write.batch_id,
        "rows_read": write.rows_read,
        "rows_deleted": write.rows_deleted,
        "rows_inserted": write.rows_inserted,
        "checksum": write.checksum,
        "attempts": write.attempts,
        "committed_at": write.committed_at,
        "notes": list(write.notes),
    }


def _failed(failure: "PartitionFailure") -> dict[str, Any]:
    return {"partition": failure.partition.key, "status": "failed", "error": str(failure.error)}
