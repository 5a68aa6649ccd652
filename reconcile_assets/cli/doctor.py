"""`reconcile-assets doctor`: what is ready, what is not, and how to mend it."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reconcile_assets.engine.findings import Finding

_STYLES = {"ok": "green", "warning": "yellow", "fail": "bold red"}

_EXAMPLES = """\
examples:
  reconcile-assets doctor
  reconcile-assets doctor flights --partition 2013-01-15
  reconcile-assets doctor --json

Looks only: nothing is created or written. Exit 0 when nothing failed (warnings may stand), else 2.
"""


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the program."""
    parser = subparsers.add_parser(
        "doctor",
        help="connections, privileges, keys, indexes and every check's query, with the mend",
        description="Look at everything that a run will need: variables, connections, TLS, privileges, tables, keys,\n"
        "indexes, storage; and run every check's query over one partition of both sides.",
        epilog=_EXAMPLES,
    )
    parser.add_argument("tables", nargs="*", metavar="TABLE", help="tables of the configuration (default: all)")
    parser.add_argument(
        "--partition", metavar="KEY", help="run the checks over this one (default: each table's latest)"
    )


def run(args: argparse.Namespace) -> int:
    """Print what was found, line by line as it is found; 0, or 2 when something failed."""
    import os
    from datetime import UTC, datetime
    from pathlib import Path

    from reconcile_assets.cli.arguments import load_configuration, select_tables
    from reconcile_assets.cli.output import print_json
    from reconcile_assets.engine.doctor import diagnose
    from reconcile_assets.engine.findings import Level, worst_level

    config = load_configuration(args, require_variables=False)
    tables = select_tables(config, args.tables) if args.tables else config.tables
    findings = []
    for finding in diagnose(
        config,
        environ=os.environ,
        cwd=Path.cwd(),
        now=datetime.now(UTC),
        tables=tables,
        partition=args.partition,
    ):
        findings.append(finding)
        if not args.json:
            _print_finding(finding)
    worst = worst_level(findings)
    if args.json:
        print_json({"status": worst, "findings": [_document(finding) for finding in findings]})
    else:
        counts = ", ".join(f"{sum(each.level is level for each in findings)} {level}" for level in Level)
        print(counts)
    return 2 if worst is Level.FAIL else 0


def _document(finding: "Finding") -> dict[str, str]:
    return {
        "level": finding.level.value,
        "subject": finding.subject,
        "message": finding.message,
        "mend": finding.mend,
    }


def _print_finding(finding: "Finding") -> None:
    from reconcile_assets.cli.output import printable

    mend = f" -> {finding.mend}" if finding.mend else ""
    line = printable(f"{finding.subject}: {finding.message}{mend}")
    if not sys.stdout.isatty():
        print(f"{finding.level.value:<8} {line}", flush=True)
        return
    from rich.console import Console
    from rich.text import Text

    mark = Text(f"{finding.level.value:<8} ", style=_STYLES[finding.level.value])
    Console().print(mark.append(line, style="default"))
