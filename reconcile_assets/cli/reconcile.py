"""``reconcile``: run the configured checks for partitions, and record what they found."""

import argparse
from collections import Counter
from typing import TYPE_CHECKING, Any

from reconcile_assets.cli.output import Progress, print_json, print_table, say, say_notes
from reconcile_assets.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconcile_assets.configuration.models import Config, TableConfig
    from reconcile_assets.core.verdicts import CheckVerdict
    from reconcile_assets.core.windows import Partition
    from reconcile_assets.engine.connections import Connections

_EXAMPLES = """\
examples:
  reconcile-assets reconcile
  reconcile-assets reconcile flights --from 2013-01-01 --to 2013-02-01
  reconcile-assets reconcile flights --partition 2013-01-15 --check rows --json

exit codes: 0 all matched; 1 something is proved different; 2 something could not be verified
"""
_SHOWN = 20


def add_parser(subparsers: Any) -> None:
    """Add the command's parser."""
    from reconcile_assets.cli.arguments import add_selection  # not needed by --help of other commands

    parser = subparsers.add_parser("reconcile", help="run the configured checks for partitions", epilog=_EXAMPLES)
    add_selection(parser)
    parser.add_argument("--check", dest="checks", metavar="NAME", action="append", help="only this check; repeatable")


def run(args: argparse.Namespace) -> int:
    """Print a line for each check, and the partitions that did not match."""
    import uuid
    from datetime import UTC, datetime

    from reconcile_assets.cli.arguments import load_configuration, selected
    from reconcile_assets.cli.project_database import project_connections
    from reconcile_assets.core.verdicts import Verdict, worst_verdict

    config = load_configuration(args)
    selection = _with_checks(config, args.checks, selected(args, config, datetime.now(UTC)))
    run_id = str(uuid.uuid4())
    verdicts: list[CheckVerdict] = []
    outdated: dict[str, Mapping[str, Sequence[str]]] = {}
    with project_connections(config) as connections, Progress("reconcile", total=len(selection)) as progress:
        for table, partitions in selection:
            verdicts += _reconcile(connections, table, partitions, run_id, args.checks)
            outdated[table.name] = _find_outdated(connections, table)
            progress.advance(note=table.name)
    worst = worst_verdict(verdict.verdict for verdict in verdicts)
    if args.json:
        documents = [_document(each) for each in verdicts]
        changed = {table: {check: list(keys) for check, keys in found.items()} for table, found in outdated.items()}
        print_json({"run_id": run_id, "verdict": worst.value, "configuration_changed": changed, "verdicts": documents})
    else:
        _print(verdicts)
        _print_changes(verdicts, outdated)
    return {Verdict.MATCHED: 0, Verdict.MISMATCHED: 1}.get(worst, 2)


def _with_checks(
    config: "Config", names: list[str] | None, selection: "Sequence[tuple[TableConfig, tuple[Partition, ...]]]"
) -> "list[tuple[TableConfig, tuple[Partition, ...]]]":
    """The selection without tables that have none of the checks asked for."""
    known = {check.check_name for table, _ in selection for check in table.checks}
    for name in names or ():
        if name not in known:
            raise ConfigurationError(
                f"check: {name!r} is no check of these tables; they have {', '.join(sorted(known))}"
            )
    return [
        (table, partitions)
        for table, partitions in selection
        if names is None or any(check.check_name in names for check in table.checks)
    ]


def _reconcile(
    connections: "Connections",
    table: "TableConfig",
    partitions: "tuple[Partition, ...]",
    run_id: str,
    checks: list[str] | None,
) -> "tuple[CheckVerdict, ...]":
    from reconcile_assets.engine.reconcile import reconcile_partitions, run_and_record

    if not connections.has_ledger():
        return reconcile_partitions(table, partitions, connections=connections, checks=checks)
    return run_and_record(table, partitions, connections=connections, run_id=run_id, checks=checks)


def _find_outdated(connections: "Connections", table: "TableConfig") -> "Mapping[str, Sequence[str]]":
    """Partitions, by check, that still have a verdict of another configuration: they were not asked for."""
    from reconcile_assets.configuration.fingerprint import check_fingerprints

    if not connections.has_ledger():
        return {}
    return connections.ledger().fetch_outdated(table.name, check_fingerprints(connections.config, table))


def _print_changes(verdicts: "list[CheckVerdict]", outdated: "Mapping[str, Mapping[str, Sequence[str]]]") -> None:
    from reconcile_assets.cli.change_lines import outdated_lines, unchanged_lines

    for table in dict.fromkeys(each.table for each in verdicts):
        known = [each for each in verdicts if each.table == table and each.checksum_form is not None]
        for check in dict.fromkeys(each.check for each in known):
            for line in unchanged_lines([each.unchanged_since for each in known if each.check == check]):
                print(f"{table} {check}: {line}")
        for line in outdated_lines(outdated.get(table, {})):
            say(f"note: {table}: {line}")


def _print(verdicts: "list[CheckVerdict]") -> None:
    from reconcile_assets.core.verdicts import Verdict

    counts = Counter((each.table, each.check, each.verdict.value) for each in verdicts)
    checks = dict.fromkeys((each.table, each.check) for each in verdicts)
    words = ("matched", "mismatched", "inconclusive")
    print_table(("table", "check", *words), [(*check, *(counts[*check, word] for word in words)) for check in checks])
    bad = [each for each in verdicts if each.verdict is not Verdict.MATCHED]
    lines = [*_unverified_lines(bad), *(_line(each) for each in bad if each.verdict is not Verdict.INCONCLUSIVE)]
    for line in lines[:_SHOWN]:
        print(line)
    if len(lines) > _SHOWN:
        print(f"and {len(lines) - _SHOWN} more; --json lists them all")
    good = [each for each in verdicts if each.verdict is Verdict.MATCHED]
    for table in dict.fromkeys(each.table for each in good):
        say_notes(table, ((each.partition, note) for each in good if each.table == table for note in each.notes))


def _unverified_lines(verdicts: "Sequence[CheckVerdict]") -> list[str]:
    """A line for each reason: one trouble with a database spoils many verdicts in the same way."""
    from reconcile_assets.core.verdicts import Verdict

    together: dict[tuple[str, str], list[CheckVerdict]] = {}
    for each in verdicts:
        if each.verdict is Verdict.INCONCLUSIVE:
            together.setdefault((each.table, _why(each)), []).append(each)
    lines = []
    for (table, why), found in together.items():
        if len(found) == 1:
            lines.append(_line(found[0]))
            continue
        keys, checks = sorted({each.partition for each in found}), sorted({each.check for each in found})
        span = keys[0] if len(keys) == 1 else f"{len(keys)} partitions, {keys[0]} to {keys[-1]}"
        lines.append(f"{table} {span}, {', '.join(checks)}: inconclusive{why}")
    return lines


def _line(verdict: "CheckVerdict") -> str:
    return f"{verdict.table} {verdict.partition} {verdict.check}: {verdict.verdict.value}{_why(verdict)}"


def _why(verdict: "CheckVerdict") -> str:
    found = [
        f"{count} {word}"
        for count, word in (
            (verdict.missing_in_target, "missing in the target"),
            (verdict.missing_in_source, "missing in the source"),
            (verdict.value_differs, "with other values"),
        )
        if count
    ]
    if verdict.source_rows is not None and verdict.source_rows != verdict.target_rows:
        found.append(f"{verdict.source_rows} rows in the source, {verdict.target_rows} in the target")
    figures = [f"{name} {value}" for name, value in verdict.measures.items() if not name.startswith("differs")]
    parts = [*found, *(figures if not found else []), *verdict.notes]
    return f" ({'; '.join(parts)})" if parts else ""


def _document(verdict: "CheckVerdict") -> dict[str, Any]:
    return {
        "table": verdict.table,
        "check": verdict.check,
        "partition": verdict.partition,
        "verdict": verdict.verdict.value,
        "severity": verdict.severity,
        "notes": list(verdict.notes),
        "source_rows": verdict.source_rows,
        "target_rows": verdict.target_rows,
        "missing_in_target": verdict.missing_in_target,
        "missing_in_source": verdict.missing_in_source,
        "value_differs": verdict.value_differs,
        "source_checksum": verdict.source_checksum,
        "target_checksum": verdict.target_checksum,
        "unchanged_since": verdict.unchanged_since,
        "change": None if verdict.change is None else verdict.change.to_dict(),
        "measures": dict(verdict.measures),
        "seconds": round(verdict.seconds, 6),
        "evaluated_at": verdict.evaluated_at,
    }
