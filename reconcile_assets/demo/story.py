"""The story, from an empty machine to a proved, green partition, mended once."""

import contextlib
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from reconcile_assets.cli.dev import stay
from reconcile_assets.cli.output import print_table, say
from reconcile_assets.cli.report_figures import collect_report
from reconcile_assets.core.report import Report
from reconcile_assets.core.report_html import format_percent, render_html
from reconcile_assets.demo import chapters
from reconcile_assets.demo.chapters import Findings
from reconcile_assets.demo.dagster_view import DagsterView
from reconcile_assets.demo.stage import Stage, claim_place, set_stage
from reconcile_assets.demo.watching import partition_keys
from reconcile_assets.serving.interrupts import interrupted_once
from reconcile_assets.serving.services import DagsterServices

SUCCESS_RATE = 0.99


class Steps:
    """Names each step and times it.

    Attributes:
        seconds: by the step's name.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """One step."""
        say(f"{len(self.seconds) + 1}. {name}")
        started = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - started
        say(f"   {self.seconds[name]:.1f} s")


def tell(*, end: bool, port: int | None = None) -> int:
    """Tell it; return 0 when every claim was read back.

    Args:
        end: end afterwards; otherwise the UI stays up until Ctrl-C.
        port: of the UI; None takes 3000, or a free one.

    Raises:
        ClaimFailed: what was read back is not what the story says.
        ReconcileAssetsError: it could not be told.
        KeyboardInterrupt: on Ctrl-C, when everything is ended.
    """
    steps, findings = Steps(), Findings()
    with interrupted_once(), claim_place(port) as place, contextlib.ExitStack() as everything:
        with steps.step("embedded PostgreSQL, and real data in the source"):
            stage = everything.enter_context(set_stage(place))
            chapters.load(stage, findings)
        with steps.step("gaps, by comparing the two databases"):
            chapters.show_gaps(stage, findings)
        with steps.step("Dagster's UI and daemon"):
            services = everything.enter_context(_services(stage))
            say(f"  the UI is at {services.url} (logs: {services.logs})")
        view = DagsterView(services.dagster, partition_keys(stage))
        with steps.step("backfill of all partitions through Dagster"):
            chapters.fill(stage, view, findings)
        with steps.step("damage, found by the scheduled job"):
            chapters.break_things(stage, view, findings)
        with steps.step("the bad partitions are filled again"):
            chapters.mend(stage, view, findings)
        with steps.step("report and audit log"):
            report = _report(stage, findings)
        _close(steps, findings, report)
        if not end:
            say(f"the UI is at {services.url}; Ctrl-C ends everything")
            stay(services)
    return 0


def _services(stage: Stage) -> DagsterServices:
    return DagsterServices(
        stage.place.folder,
        database_url=stage.ledger_url,
        port=stage.place.port,
        environ=stage.environ,
        keep_open=(stage.place.lock,),
        working_folder=stage.place.folder,  # not the user's: a .env that lies there must change nothing
    )


def _report(stage: Stage, findings: Findings) -> Report:
    now = datetime.now(UTC)
    selection = [(table, table.partition.scheme().partitions(now)) for table in stage.config.tables]
    report = collect_report(selection, connections=stage.connections, now=now, compare=True)
    for path in _write(report, stage.place.folder / "reports"):
        say(f"  report: {path}")
    claims, (audit,) = findings.claims, report.audit
    claims.expect("the audit log verifies", expected=True, seen=audit.ok)
    claims.expect("audit entries = committed batches", expected=audit.batches, seen=audit.entries)
    claims.expect("gaps filled", expected=report.gaps_found, seen=report.gaps_filled)
    claims.expect_above("success rate", limit=100 * SUCCESS_RATE, seen=100 * (report.success_rate or 0.0), unit="%")
    return report


def _write(report: Report, folder: Path) -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    html, document = folder / "report.html", folder / "report.json"
    html.write_text(render_html(report), encoding="utf-8")
    document.write_text(json.dumps(report.to_dict(), indent=2, allow_nan=False) + "\n", encoding="utf-8")
    return html, document


def _close(steps: Steps, findings: Findings, report: Report) -> None:
    (audit,) = report.audit
    rate = findings.rows_filled / findings.fill_seconds
    figures = [
        ("claims read back", str(findings.claims.held)),
        ("gaps filled", f"{report.gaps_filled} of {report.gaps_found} ({_share(report)})"),
        ("success rate", format_percent(report.success_rate)),
        ("alert: change to verdict", f"{findings.seconds_to_verdict:.1f} s"),
        ("alert: verdict to delivery", f"{findings.seconds_to_delivery:.1f} s"),
        ("audit entries = committed batches", f"{audit.entries} = {audit.batches}"),
        ("backfill, from click to proof", f"{findings.rows_filled:,} rows, {rate:,.0f} rows/s"),
        *((f"{number}. {name}", f"{seconds:.1f} s") for number, (name, seconds) in enumerate(steps.seconds.items(), 1)),
        ("all", f"{sum(steps.seconds.values()):.1f} s"),
    ]
    print_table(["", "seen"], figures, title="Proved")


def _share(report: Report) -> str:
    return format_percent(report.gaps_filled / report.gaps_found if report.gaps_found else None)
