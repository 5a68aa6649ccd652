"""``report``: the state of every partition, for someone who must trust the copy."""

import argparse
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconcile_assets.cli.files import write_whole
from reconcile_assets.cli.output import print_json, say

if TYPE_CHECKING:
    from reconcile_assets.core.report import Report
    from reconcile_assets.core.report_inputs import ReportPeriod

EXAMPLES = """\
examples:
  reconcile-assets report
  reconcile-assets report flights --from 2013-01-01 --to 2013-02-01 --output reports
  reconcile-assets report --html proof.html --compare
  reconcile-assets report --json

exit codes: 0 all proved equal; 1 something is proved different, or the audit log is broken;
2 something could not be verified, or the report could not be made
"""
_ELSEWHERE = "name another place with --output or --html"
FORMATS = ("html", "json", "csv", "markdown")


def add_parser(subparsers: Any) -> None:
    """Add the command's parser."""
    from reconcile_assets.cli.arguments import add_selection  # not needed by --help of other commands

    parser = subparsers.add_parser("report", help="the state of every partition as HTML or JSON", epilog=EXAMPLES)
    add_selection(parser)
    parser.add_argument("--output", metavar="DIR", help="folder to write to (default: reports in the state folder)")
    parser.add_argument("--html", metavar="FILE", help="write the HTML form to this file only")
    parser.add_argument(
        "--format", dest="formats", action="append", choices=FORMATS, help="repeatable (default: html and json)"
    )
    parser.add_argument(
        "--compare", action="store_true", help="also compare both databases now, to name the gaps' kinds"
    )


def run(args: argparse.Namespace) -> int:
    """Write the report and print where it is.

    Raises:
        ReconcileAssetsError: it could not be made or written.
    """
    from reconcile_assets.cli.arguments import load_configuration, selected
    from reconcile_assets.cli.project_database import project_connections
    from reconcile_assets.cli.report_figures import collect_report

    now = datetime.now(UTC)
    config = load_configuration(args)
    selection = selected(args, config, now)
    with project_connections(config) as connections:
        report = collect_report(selection, connections=connections, now=now, period=_period(args), compare=args.compare)
    paths = _write_all(report, args)
    if args.json:
        print_json({**report.to_dict(), "files": [str(path) for path in paths]})
    else:
        for path in paths:
            print(path)
        say(_summary(report))
    return report.exit_code


def _period(args: argparse.Namespace) -> "ReportPeriod":
    from reconcile_assets.core.report_inputs import ReportPeriod

    return ReportPeriod(
        start=args.start.isoformat() if args.start else None,
        end=args.end.isoformat() if args.end else None,
        partition=", ".join(args.partitions) if args.partitions else None,
    )


def _summary(report: "Report") -> str:
    from reconcile_assets.core.calendar_grid import PartitionStatus
    from reconcile_assets.core.report_html import format_percent

    matched = report.partitions(PartitionStatus.MATCHED)
    return (
        f"{report.verdict.value}: {matched} of {report.total_partitions} partitions proved equal; "
        f"success rate {format_percent(report.success_rate)}; {report.gaps_filled} of {report.gaps_found} gaps filled"
    )


def _write_all(report: "Report", args: argparse.Namespace) -> tuple[Path, ...]:
    """Write what was asked for; nothing but what goes to stdout when only ``--json`` was."""
    if args.html:
        return (write_whole(Path(args.html), [_render(report, "html")], hint=_ELSEWHERE),)
    if args.json and not args.output and not args.formats:
        return ()
    folder = Path(args.output) if args.output else _default_folder()
    formats = dict.fromkeys(args.formats or ("html", "json"))
    return tuple(
        write_whole(folder / f"report.{_SUFFIXES[name]}", [_render(report, name)], hint=_ELSEWHERE) for name in formats
    )


_SUFFIXES = {"html": "html", "json": "json", "csv": "csv", "markdown": "md"}


def _default_folder() -> Path:
    from reconcile_assets.configuration.environment import state_dir

    return state_dir(os.environ, Path.cwd()) / "reports"


def _render(report: "Report", form: str) -> str:
    import json

    from reconcile_assets.core.report_html import render_html
    from reconcile_assets.core.report_text import render_csv, render_markdown

    renderers: Mapping[str, Callable[[Report], str]] = {
        "html": render_html,
        "json": lambda made: json.dumps(made.to_dict(), ensure_ascii=False, allow_nan=False, indent=2) + "\n",
        "csv": render_csv,
        "markdown": render_markdown,
    }
    return renderers[form](report)
