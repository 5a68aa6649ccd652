"""``gaps``: what the target lacks, found by comparing the two databases partition by partition."""

import argparse
from typing import TYPE_CHECKING, Any

from reconcile_assets.cli.output import print_json, say, untold
from reconcile_assets.errors import ReconcileAssetsError

if TYPE_CHECKING:
    from reconcile_assets.configuration.models import TableConfig
    from reconcile_assets.core.gaps import GapReport
    from reconcile_assets.core.windows import Partition

_EXAMPLES = """\
examples:
  reconcile-assets gaps
  reconcile-assets gaps flights --from 2013-01-01 --to 2013-02-01
  reconcile-assets gaps flights --partition 2013-01-15 --json

exit codes: 0 no gaps; 1 gaps; 2 a table could not be asked or compared
"""


def add_parser(subparsers: Any) -> None:
    """Add the command's parser."""
    from reconcile_assets.cli.arguments import add_selection  # not needed by --help of other commands

    parser = subparsers.add_parser(
        "gaps", help="compare both databases per partition and classify what is missing", epilog=_EXAMPLES
    )
    add_selection(parser)


def run(args: argparse.Namespace) -> int:
    """Print a calendar for each table, or one JSON document."""
    from datetime import UTC, datetime

    from reconcile_assets.cli.arguments import load_configuration, selected
    from reconcile_assets.cli.project_database import project_connections
    from reconcile_assets.engine.gaps import find_gaps

    config = load_configuration(args)
    selection = selected(args, config, datetime.now(UTC))
    whole = not args.partitions and args.start is None and args.end is None
    reports: list[GapReport] = []
    errors: dict[str, str] = {}
    with project_connections(config, create=False) as connections:
        for table, partitions in selection:
            try:
                report = find_gaps(table, partitions, connections=connections, unpartitioned=whole)
            except ReconcileAssetsError as error:
                errors[table.name] = str(error)
                say(f"{table.name}: {untold(error, table.name)}")
                continue
            reports.append(report)
            if not args.json:
                _print_report(table, partitions, report)
    if args.json:
        print_json({"verdict": _verdict(reports, errors), "tables": _documents(reports, errors)})
    return {"matched": 0, "mismatched": 1}.get(_verdict(reports, errors), 2)


def _verdict(reports: "list[GapReport]", errors: dict[str, str]) -> str:
    """A table that could not be asked counts before a gap that was found: the command did not do what it should."""
    from reconcile_assets.core.verdicts import Verdict, worst_verdict

    return Verdict.INCONCLUSIVE if errors else worst_verdict(report.verdict for report in reports)


def _documents(reports: "list[GapReport]", errors: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "table": report.table,
            "verdict": report.verdict.value,
            "counts": {kind.value: count for kind, count in report.counts().items()},
            "unpartitioned": {"source": report.unpartitioned_source, "target": report.unpartitioned_target},
            "notes": list(report.notes),
            "configuration_changed": {check: list(found) for check, found in report.outdated.items()},
            "partitions": [
                {
                    "partition": state.key,
                    "kind": state.kind.value,
                    "source_rows": state.source_rows,
                    "target_rows": state.target_rows,
                    "notes": list(state.notes),
                    "source_checksum": state.source_checksum,
                    "target_checksum": state.target_checksum,
                    "unchanged_since": state.unchanged_since,
                    "change": None if state.change is None else state.change.to_dict(),
                }
                for state in report.partitions
            ],
        }
        for report in reports
    ]
    failed = [{"table": name, "verdict": "inconclusive", "error": error} for name, error in errors.items()]
    return found + failed


def _print_report(table: "TableConfig", partitions: "tuple[Partition, ...]", report: "GapReport") -> None:
    import sys

    from reconcile_assets.cli.change_lines import change_lines, outdated_lines, unchanged_lines
    from reconcile_assets.cli.gap_calendar import draw_calendar, draw_legend, print_lines

    found = len(report.gaps)
    print(f"{table.name}: {found} of {len(report.partitions)} partitions have gaps")
    print_lines(draw_calendar(partitions, report, by=table.partition.by), colour=sys.stdout.isatty())
    print_lines(draw_legend(report), colour=sys.stdout.isatty())
    changes = [(state.key, state.change) for state in report.partitions if state.change is not None]
    for line in (*change_lines(changes), *unchanged_lines([state.unchanged_since for state in report.partitions])):
        print(line)
    strays = {"source": report.unpartitioned_source, "target": report.unpartitioned_target}
    notes = [f"{count} rows of the {side} stand in no partition" for side, count in strays.items() if count]
    for note in (*notes, *report.notes, *outdated_lines(report.outdated)):
        say(f"note: {table.name}: {note}")
