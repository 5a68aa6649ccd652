"""The chapters of the story; each claims only what it has read back."""

import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from reconcile_assets.cli.gap_calendar import draw_calendar, draw_legend, print_lines
from reconcile_assets.cli.output import say
from reconcile_assets.core.gaps import GapKind, GapReport
from reconcile_assets.demo import damage
from reconcile_assets.demo.alerts import expect_messages
from reconcile_assets.demo.claims import Claims
from reconcile_assets.demo.dagster_view import DagsterView
from reconcile_assets.demo.data import DATASETS, count_rows, create_target, load_source
from reconcile_assets.demo.stage import Stage
from reconcile_assets.demo.watching import (
    NO_WEATHER,
    bad_partitions,
    compare,
    expect_all_green,
    is_bad,
    latest_verdicts,
    partition_keys,
    wait_for_backfills,
    wait_until,
)

VERDICT_LIMIT, DELIVERY_LIMIT = 300.0, 60.0


@dataclass
class Findings:
    """Figures for the closing table."""

    claims: Claims = field(default_factory=Claims)
    rows_loaded: int = 0
    rows_filled: int = 0
    fill_seconds: float = 0.0
    gaps_found: int = 0
    seconds_to_verdict: float = 0.0
    seconds_to_delivery: float = 0.0


def load(stage: Stage, findings: Findings) -> None:
    """Real data into the source; the same tables, empty, in the target."""
    for dataset in DATASETS:
        seen = load_source(stage.urls["source"], dataset)
        findings.claims.expect(f"rows in source ops.{dataset.name}", expected=dataset.rows, seen=seen)
        create_target(stage.urls["target"], dataset)
        seen = count_rows(stage.urls["target"], "warehouse", dataset)
        findings.claims.expect(f"rows in target warehouse.{dataset.name}", expected=0, seen=seen)
        findings.rows_loaded += dataset.rows


def show_gaps(stage: Stage, findings: Findings) -> None:
    """What the target lacks, found by comparing the two databases."""
    expected = {"flights": 365, "weather": 364}
    reports = compare(stage)
    for name, report in reports.items():
        missing = report.counts()[GapKind.MISSING]
        findings.claims.expect(
            f"{name}: daily partitions missing in the target",
            expected=f"{expected[name]} of 365, other gaps 0",
            seen=f"{missing} of {len(report.partitions)}, other gaps {len(report.gaps) - missing}",
        )
        findings.gaps_found += len(report.gaps)
        _draw(stage, report)
    empty = next(state for state in reports["weather"].partitions if state.key == NO_WEATHER)
    findings.claims.expect(
        f"weather {NO_WEATHER}, empty on both sides",
        expected="matched: no rows on either side",
        seen=f"{empty.kind.value}: {'; '.join(empty.notes)}",
    )


def fill(stage: Stage, view: DagsterView, findings: Findings) -> None:
    """All partitions of both tables, by the mutation that the UI's button sends."""
    started = time.monotonic()
    names = [table.name for table in stage.config.tables]
    backfill = view.launch_backfill(names, partition_keys(stage))
    say(f"  backfill {backfill}: {len(partition_keys(stage))} days of {' and '.join(names)}, 100 partitions a run")
    wait_for_backfills(view, [backfill], filling=names, partitions=len(names) * len(partition_keys(stage)))
    findings.fill_seconds = time.monotonic() - started
    findings.rows_filled = sum(dataset.rows for dataset in DATASETS)
    for dataset in DATASETS:
        seen = count_rows(stage.urls["target"], "warehouse", dataset)
        findings.claims.expect(f"rows in target warehouse.{dataset.name}", expected=dataset.rows, seen=seen)
    expect_all_green(stage, view, findings.claims)


def break_things(stage: Stage, view: DagsterView, findings: Findings) -> None:
    """Damage, found by the scheduled job, told by alerts."""
    claims = findings.claims
    for name, cadence in sorted(view.schedules().items()):
        say(f"  scheduled: {name}: {cadence}")
    told_before = len(stage.receiver.messages)
    changed = damage.inflict(stage.urls)
    changed_at = datetime.now(UTC)
    for each in damage.DAMAGES:
        say(f"  {each.table} {each.partition}: {each.what} ({changed[each.what]} rows)")
        if each.rows is not None:
            claims.expect(f"rows changed: {each.what}", expected=each.rows, seen=changed[each.what])
    expected = damage.expected_red()
    wait_until("the scheduled job finds the damage", lambda: bad_partitions(stage) == expected, VERDICT_LIMIT)
    _expect_red(stage, view, claims)
    found = [each for each in latest_verdicts(stage).values() if is_bad(each)]
    findings.seconds_to_verdict = max((each.since - changed_at).total_seconds() for each in found)
    claims.expect_below("from change to verdict", limit=VERDICT_LIMIT, seen=findings.seconds_to_verdict)
    findings.seconds_to_delivery = expect_messages(stage, claims, kind="failure", since=told_before)
    claims.expect_below("from verdict to delivery", limit=DELIVERY_LIMIT, seen=findings.seconds_to_delivery)
    total = findings.seconds_to_verdict + findings.seconds_to_delivery
    claims.expect_below("from change to delivery", limit=VERDICT_LIMIT, seen=total)


def mend(stage: Stage, view: DagsterView, findings: Findings) -> None:
    """The bad partitions are backfilled again; all green; the recovery is told."""
    told_before = len(stage.receiver.messages)
    backfills = []
    for table, keys in damage.red_partitions().items():
        backfills.append(view.launch_backfill([table], keys))
        say(f"  backfill {backfills[-1]}: {table} {', '.join(keys)}")
    wait_for_backfills(view, backfills, filling=(), partitions=0)
    expect_all_green(stage, view, findings.claims)
    for table, report in compare(stage).items():
        findings.claims.expect(f"{table}: gaps, by comparing the databases", expected=0, seen=len(report.gaps))
    expect_messages(stage, findings.claims, kind="success", since=told_before)


def _expect_red(stage: Stage, view: DagsterView, claims: Claims) -> None:
    """Exactly these partitions, in the UI too; what was changed within its tolerance is green, with a note."""
    everything = frozenset(partition_keys(stage))
    expected = damage.expected_red()
    places = [(table.name, check.check_name) for table in stage.config.tables for check in table.checks]
    red = {place: expected.get(place, frozenset()) for place in places}

    def shown(status: str) -> dict[tuple[str, str], frozenset[str]]:
        pages = {table.name: view.open_asset(table.name) for table in stage.config.tables}
        return {(table, check): pages[table].checks[check].get(status, frozenset()) for table, check in places}

    wait_until("the UI shows it", lambda: shown("FAILED") == red, DELIVERY_LIMIT)
    failed, passed = shown("FAILED"), shown("SUCCEEDED")
    for place in places:
        claims.expect(f"{'/'.join(place)}: red in the UI", expected=red[place], seen=failed[place])
        claims.expect(
            f"{'/'.join(place)}: all others green", expected=True, seen=passed[place] == everything - red[place]
        )
    for each in damage.tolerated():
        verdict = latest_verdicts(stage)[each.table, damage.ROWS, each.partition].verdict
        claims.expect(
            f"{each.table} {each.partition}: {each.what}",
            expected="matched, with a note",
            seen=f"{verdict.verdict.value}, {'with' if verdict.notes else 'without'} a note",
        )
        say(f"  note: {'; '.join(verdict.notes)}")


def _draw(stage: Stage, report: GapReport) -> None:
    partition = next(table.partition for table in stage.config.tables if table.name == report.table)
    partitions = partition.scheme().partitions(datetime.now(UTC))
    colour = sys.stdout.isatty()
    print(f"{report.table}: {len(report.gaps)} of {len(report.partitions)} partitions have gaps")
    print_lines(draw_calendar(partitions, report, by=partition.by), colour=colour)
    print_lines(draw_legend(report), colour=colour)
    sys.stdout.flush()
