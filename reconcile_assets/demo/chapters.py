"""The chapters of the story, in order; each claims only what it has read back."""

import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from reconcile_assets.cli.gap_calendar import draw_calendar, draw_legend, print_lines
from reconcile_assets.cli.output import Progress, say
from reconcile_assets.core.gaps import GapKind, GapReport
from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.demo import damage
from reconcile_assets.demo.claims import ClaimFailed, Claims
from reconcile_assets.demo.dagster_view import DagsterView
from reconcile_assets.demo.data import DATASETS, count_rows, create_target, load_source
from reconcile_assets.demo.receiver import Received
from reconcile_assets.demo.stage import Stage
from reconcile_assets.engine.gaps import find_gaps
from reconcile_assets.ledger import LatestVerdict

NO_WEATHER = "2013-12-31"
SUMMER_TIME_DAYS = ("2013-03-10", "2013-11-03")
VERDICT_LIMIT, DELIVERY_LIMIT = 300.0, 60.0
_BACKFILL_SECONDS = 600.0
_POLL_SECONDS = 1.0


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
    for name, report in compare(stage).items():
        kinds = report.counts()
        findings.claims.expect(
            f"{name}: daily partitions missing in the target", expected=expected[name], seen=kinds[GapKind.MISSING]
        )
        findings.claims.expect(f"{name}: other gaps", expected=expected[name], seen=len(report.gaps))
        findings.gaps_found += len(report.gaps)
        _draw(stage, report)
    empty = next(state for state in compare_one(stage, "weather").partitions if state.key == NO_WEATHER)
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
    total = len(names) * len(partition_keys(stage))
    _wait_for_backfills(view, [backfill], names, total=total)
    findings.fill_seconds = time.monotonic() - started
    findings.rows_filled = sum(dataset.rows for dataset in DATASETS)
    for dataset in DATASETS:
        seen = count_rows(stage.urls["target"], "warehouse", dataset)
        findings.claims.expect(f"rows in target warehouse.{dataset.name}", expected=dataset.rows, seen=seen)
    expect_all_green(stage, view, findings.claims)


def expect_all_green(stage: Stage, view: DagsterView, claims: Claims) -> None:
    """In the UI and in the ledger, every partition of every check has passed."""
    keys = frozenset(partition_keys(stage))
    for table in stage.config.tables:
        page = view.open_asset(table.name)
        claims.expect(
            f"{table.name}: materialized in the UI",
            expected=f"{len(keys)} of {len(keys)}, 0 failed",
            seen=f"{page.materialized} of {page.partitions}, {page.failed} failed",
        )
        for check in table.checks:
            passed = page.checks.get(check.check_name, {}).get("SUCCEEDED", frozenset())
            claims.expect(
                f"{table.name}/{check.check_name}: partitions passed in the UI", expected=len(keys), seen=len(passed)
            )
            claims.expect(
                f"{table.name}/{check.check_name}: the days of the change of summer time passed",
                expected=True,
                seen=passed.issuperset(SUMMER_TIME_DAYS),
            )
    found = latest_verdicts(stage)
    matched = sum(1 for each in found.values() if each.verdict.verdict is Verdict.MATCHED)
    checks = sum(len(table.checks) for table in stage.config.tables)
    claims.expect("verdicts matched in the ledger", expected=checks * len(keys), seen=matched)
    empty = found["weather", "rows", NO_WEATHER].verdict
    claims.expect(f"weather {NO_WEATHER}: empty, with a note", expected=True, seen=bool(empty.notes))


def break_things(stage: Stage, view: DagsterView, findings: Findings) -> None:
    """Damage, found by the scheduled job, told by alerts."""
    claims = findings.claims
    for name, cadence in sorted(view.schedules().items()):
        say(f"  scheduled: {name}: {cadence}")
    before = latest_verdicts(stage)
    told_before = len(stage.receiver.messages)
    changed = damage.inflict(stage.urls)
    changed_at = datetime.now(UTC)
    for each in damage.DAMAGES:
        say(f"  {each.table} {each.partition}: {each.what} ({changed[each.what]} rows)")
        if each.rows is not None:
            claims.expect(f"rows changed: {each.what}", expected=each.rows, seen=changed[each.what])
    expected = damage.expected_red()
    wait_until("the scheduled job finds the damage", lambda: bad_partitions(stage) == expected, VERDICT_LIMIT)
    _expect_red(stage, view, claims, expected)
    red = [each for key, each in latest_verdicts(stage).items() if key not in before or _is_bad(each)]
    findings.seconds_to_verdict = max((each.since - changed_at).total_seconds() for each in red)
    claims.expect_below("from change to verdict", limit=VERDICT_LIMIT, seen=findings.seconds_to_verdict)
    messages = _wait_for_messages(stage, "failure", told_before, len(expected))
    _expect_alerts(messages, claims, expected, stage)
    written = {
        alert.table + " / " + alert.check: alert.created_at for alert in stage.connections.ledger().fetch_alerts()
    }
    waits = [(each.at - written[each.title.partition(":")[0]]).total_seconds() for each in messages]
    findings.seconds_to_delivery = max(waits)
    claims.expect_below("from verdict to delivery", limit=DELIVERY_LIMIT, seen=findings.seconds_to_delivery)
    total = findings.seconds_to_verdict + findings.seconds_to_delivery
    claims.expect_below("from change to alert", limit=VERDICT_LIMIT, seen=total)


def mend(stage: Stage, view: DagsterView, findings: Findings) -> None:
    """The bad partitions are backfilled again; all green; the recovery is told."""
    told_before = len(stage.receiver.messages)
    red = damage.red_partitions()
    backfills = [view.launch_backfill([table], keys) for table, keys in red.items()]
    for (table, keys), backfill in zip(red.items(), backfills, strict=True):
        say(f"  backfill {backfill}: {table} {', '.join(keys)}")
    _wait_for_backfills(view, backfills, list(red), total=0)
    expect_all_green(stage, view, findings.claims)
    for table, report in compare(stage).items():
        findings.claims.expect(f"{table}: gaps by comparing the databases", expected=0, seen=len(report.gaps))
    messages = _wait_for_messages(stage, "success", told_before, len(damage.expected_red()))
    told = {each.title.partition(":")[0] for each in messages}
    expected = {f"{table} / {check}" for table, check in damage.expected_red()}
    findings.claims.expect("recovery notices", expected=expected, seen=told)


def partition_keys(stage: Stage) -> list[str]:
    """All days, in order; both tables have the same."""
    return [partition.key for partition in stage.config.tables[0].partition.scheme().partitions(datetime.now(UTC))]


def compare(stage: Stage) -> dict[str, GapReport]:
    """Both tables, compared in the databases now."""
    return {table.name: compare_one(stage, table.name) for table in stage.config.tables}


def compare_one(stage: Stage, name: str) -> GapReport:
    """One table, compared in the databases now."""
    table = next(table for table in stage.config.tables if table.name == name)
    return find_gaps(table, table.partition.scheme().partitions(datetime.now(UTC)), connections=stage.connections)


def latest_verdicts(stage: Stage) -> dict[tuple[str, str, str], LatestVerdict]:
    """By table, check and partition."""
    return {each.key: each for each in stage.connections.ledger().iterate_latest_verdicts()}


def bad_partitions(stage: Stage) -> dict[tuple[str, str], frozenset[str]]:
    """Partitions whose latest verdict is not matched, by table and check."""
    found: dict[tuple[str, str], set[str]] = {}
    for (table, check, partition), each in latest_verdicts(stage).items():
        if _is_bad(each):
            found.setdefault((table, check), set()).add(partition)
    return {place: frozenset(keys) for place, keys in found.items()}


def wait_until(what: str, is_so: Callable[[], bool], seconds: float) -> None:
    """Ask again and again.

    Raises:
        ClaimFailed: it did not come true in this time.
    """
    started = time.monotonic()
    with Progress(what, total=1) as progress:
        while not is_so():
            if time.monotonic() - started > seconds:
                raise ClaimFailed(f"{what}: expected within {seconds:.0f} s, not seen")
            progress.advance(0, note=f"{time.monotonic() - started:.0f} s")
            time.sleep(_POLL_SECONDS)
        progress.advance()


def _is_bad(each: LatestVerdict) -> bool:
    return each.verdict.verdict is not Verdict.MATCHED


def _draw(stage: Stage, report: GapReport) -> None:
    partition = next(table.partition for table in stage.config.tables if table.name == report.table)
    partitions = partition.scheme().partitions(datetime.now(UTC))
    colour = sys.stdout.isatty()
    print(f"{report.table}: {len(report.gaps)} of {len(report.partitions)} partitions have gaps")
    print_lines(draw_calendar(partitions, report, by=partition.by), colour=colour)
    print_lines(draw_legend(report), colour=colour)
    sys.stdout.flush()


def _wait_for_backfills(view: DagsterView, backfills: Sequence[str], assets: Sequence[str], *, total: int) -> None:
    """Until Dagster says that each completed; a bar of materialized partitions where there are many."""
    started = time.monotonic()
    with Progress("materialized", total=total or len(backfills), quiet=False) as progress:
        while True:
            states = [view.backfill_status(each) for each in backfills]
            done = sum(view.count_materialized(name) for name in assets) if total else states.count("COMPLETED_SUCCESS")
            progress.advance(done - progress.done, note=", ".join(sorted(set(states))).lower())
            bad = [state for state in states if state not in ("REQUESTED", "COMPLETED_SUCCESS")]
            if bad:
                raise ClaimFailed(f"backfill: expected COMPLETED_SUCCESS, seen {bad[0]}")
            if states.count("COMPLETED_SUCCESS") == len(states):
                return
            if time.monotonic() - started > _BACKFILL_SECONDS:
                raise ClaimFailed(f"backfill: expected an end within {_BACKFILL_SECONDS:.0f} s, seen {states}")
            time.sleep(_POLL_SECONDS)


def _expect_red(
    stage: Stage, view: DagsterView, claims: Claims, expected: Mapping[tuple[str, str], frozenset[str]]
) -> None:
    """Exactly these partitions, in the UI too; what was changed within its tolerance is green, with a note."""
    keys = frozenset(partition_keys(stage))

    def shown() -> dict[tuple[str, str], tuple[frozenset[str], frozenset[str]]]:
        pages = {table.name: view.open_asset(table.name) for table in stage.config.tables}
        return {
            (table.name, check.check_name): (
                pages[table.name].checks[check.check_name].get("FAILED", frozenset()),
                pages[table.name].checks[check.check_name].get("SUCCEEDED", frozenset()),
            )
            for table in stage.config.tables
            for check in table.checks
        }

    wanted = {
        (table.name, check.check_name): expected.get((table.name, check.check_name), frozenset())
        for table in stage.config.tables
        for check in table.checks
    }
    wait_until("the UI shows it", lambda: {at: red for at, (red, _) in shown().items()} == wanted, DELIVERY_LIMIT)
    for (table, check), (red, green) in shown().items():
        claims.expect(f"{table}/{check}: red in the UI", expected=wanted[table, check], seen=red)
        claims.expect(f"{table}/{check}: green in the UI", expected=len(keys - wanted[table, check]), seen=len(green))
    for each in damage.tolerated():
        verdict = latest_verdicts(stage)[each.table, damage.ROWS, each.partition].verdict
        claims.expect(f"{each.table} {each.partition}, {each.what}", expected="matched", seen=verdict.verdict.value)
        claims.expect(f"{each.table} {each.partition}: with a note", expected=True, seen=bool(verdict.notes))
        say(f"  note: {'; '.join(verdict.notes)}")


def _wait_for_messages(stage: Stage, kind: str, told_before: int, count: int) -> Collection[Received]:
    def arrived() -> list[Received]:
        return [each for each in stage.receiver.messages[told_before:] if each.kind == kind]

    wait_until(f"{count} {'alerts' if kind == 'failure' else 'recovery notices'}", lambda: len(arrived()) >= count, 120)
    return arrived()


def _expect_alerts(
    messages: Collection[Received],
    claims: Claims,
    expected: Mapping[tuple[str, str], frozenset[str]],
    stage: Stage,
) -> None:
    """One for each asset and check, with the partitions' names, their count and a link."""
    claims.expect("alerts, one for each asset and check", expected=len(expected), seen=len(messages))
    for (table, check), keys in sorted(expected.items()):
        mine = [each for each in messages if each.title.startswith(f"{table} / {check}:")]
        claims.expect(f"alerts on {table}/{check}", expected=1, seen=len(mine))
        body = mine[0].body
        claims.expect(f"{table}/{check}: partitions named", expected=True, seen=all(key in body for key in keys))
        claims.expect(f"{table}/{check}: their count", expected=True, seen=f"({len(keys)})" in body)
        link = f"http://127.0.0.1:{stage.port}/assets/{table}"
        claims.expect(f"{table}/{check}: link to the UI", expected=True, seen=link in body)
        say(f"  {mine[0].title}")
