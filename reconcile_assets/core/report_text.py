"""The report as CSV (one line for each partition) and as Markdown (for a ticket or a chat)."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from reconcile_assets.core.calendar_grid import PartitionStatus
from reconcile_assets.core.page import format_number, format_seconds
from reconcile_assets.core.report import LISTED, Report
from reconcile_assets.core.report_html import format_percent
from reconcile_assets.core.report_inputs import iso_utc
from reconcile_assets.core.report_tables import TableReport, reason_of

CSV_COLUMNS = ("table", "partition", "status", "check", "verdict", "severity", "reason", "evaluated_at")


def render_csv(report: Report) -> str:
    """One line for each verdict that is not matched, else one for the partition, in the order of partitions."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for table in report.tables:
        writer.writerows(_csv_lines(table))
    return file.getvalue()


def _csv_lines(table: TableReport) -> Iterator[tuple[str, ...]]:
    bad: dict[str, list[tuple[str, ...]]] = {}
    for verdict in table.not_matched:
        told = (
            verdict.check,
            verdict.verdict.value,
            verdict.severity,
            reason_of(verdict),
            iso_utc(verdict.evaluated_at),
        )
        bad.setdefault(verdict.partition, []).append(tuple(_as_text(each) for each in told))
    for key, status in table.statuses.items():
        for cells in bad.get(key, [("",) * 5]):
            yield (_as_text(table.table.name), key, status.value, *cells)


def _as_text(value: str | None) -> str:
    """A cell that a spreadsheet does not take for a formula."""
    text = value or ""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def render_markdown(report: Report) -> str:
    """Headings, a summary and a table of what is not matched."""
    lines = [
        f"# Reconciliation report: {report.verdict.value}",
        "",
        f"Generated {iso_utc(report.generated_at)}.",
        "",
        f"- Success rate: {format_percent(report.success_rate)} of {format_number(report.verdicts)} latest verdicts",
        f"- Partitions proved equal: {report.partitions(PartitionStatus.MATCHED)} of {report.total_partitions}",
        f"- Gaps filled: {report.gaps_filled} of {report.gaps_found}",
        f"- Slowest alert: {format_seconds(report.alerts.latency()['worst'])} from verdict to delivery",
        *(
            f"- Audit log of {chain.target}: {_audit_words(chain.ok)}, {chain.entries} entries"
            for chain in report.audit
        ),
    ]
    for table in report.tables:
        lines.extend(_markdown_table(table))
    return "\n".join(lines) + "\n"


def _audit_words(ok: bool | None) -> str:
    return {True: "verified", False: "broken", None: "could not verify"}[ok]


def _markdown_table(table: TableReport) -> Iterator[str]:
    yield from ("", f"## {_escape(table.table.name)}: {table.verdict.value}", "")
    yield from (f"- {status.value}: {table.count(status)} partitions" for status in PartitionStatus)
    if table.not_matched:
        bad = ((each.partition, each.check, each.verdict.value, reason_of(each)) for each in table.not_matched)
        yield from _markdown_rows(("partition", "check", "verdict", "why"), bad, len(table.not_matched))
    if table.changes:
        changed = ((each.partition, each.check, each.change.sentence) for each in table.changes)
        yield from _markdown_rows(("partition", "check", "changed without a batch"), changed, len(table.changes))


def _markdown_rows(columns: Sequence[str], rows: Iterable[Sequence[str]], total: int) -> Iterator[str]:
    yield from ("", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|")
    for cells in islice(rows, LISTED):
        yield "| " + " | ".join(_escape(cell) for cell in cells) + " |"
    if total > LISTED:
        yield from ("", f"and {total - LISTED} more")


def _escape(text: str) -> str:
    """Text that Markdown shows as it is."""
    return "".join(f"\\{each}" if each in "\\`*_{}[]<>|#" else each for each in text).replace("\n", " ")
