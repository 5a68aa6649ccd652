"""What the story reads back: the databases, the ledger, and the UI, again and again until it is so."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from reconcile_assets.cli.output import Progress
from reconcile_assets.core.gaps import GapReport
from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.demo.claims import ClaimFailed, Claims
from reconcile_assets.demo.dagster_view import DagsterView
from reconcile_assets.demo.stage import Stage
from reconcile_assets.engine.gaps import find_gaps
from reconcile_assets.ledger import LatestVerdict

NO_WEATHER = "2013-12-31"
SUMMER_TIME_DAYS = ("2013-03-10", "2013-11-03")
_BACKFILL_SECONDS = 600.0
_POLL_SECONDS = 1.5


def partition_keys(stage: Stage) -> list[str]:
    """All days, in order; both tables have the same."""
    return [partition.key for partition in stage.config.tables[0].partition.scheme().partitions(datetime.now(UTC))]


def compare(stage: Stage) -> dict[str, GapReport]:
    """Both tables, compared in the databases now."""
    now = datetime.now(UTC)
    return {
        table.name: find_gaps(table, table.partition.scheme().partitions(now), connections=stage.connections)
        for table in stage.config.tables
    }


def latest_verdicts(stage: Stage) -> dict[tuple[str, str, str], LatestVerdict]:
    """By table, check and partition."""
    return {each.key: each for each in stage.connections.ledger().iterate_latest_verdicts()}


def is_bad(each: LatestVerdict) -> bool:
    """Whether it is anything but matched."""
    return each.verdict.verdict is not Verdict.MATCHED


def bad_partitions(stage: Stage) -> dict[tuple[str, str], frozenset[str]]:
    """Partitions whose latest verdict is not matched, by table and check."""
    found: dict[tuple[str, str], set[str]] = {}
    for (table, check, partition), each in latest_verdicts(stage).items():
        if is_bad(each):
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
            waited = time.monotonic() - started
            if waited > seconds:
                raise ClaimFailed(f"{what}: expected within {seconds:.0f} s, not seen")
            progress.advance(0, note=f"{waited:.0f} s")
            time.sleep(_POLL_SECONDS)
        progress.advance()


def wait_for_backfills(view: DagsterView, backfills: Sequence[str], *, filling: Sequence[str], partitions: int) -> None:
    """Until Dagster says that each completed.

    Args:
        filling: empty assets that are filled for the first time, whose materialized partitions the bar
            counts; none: it counts the backfills.
        partitions: of these assets, all told.

    Raises:
        ClaimFailed: one ended otherwise, or none of it ended in ten minutes.
    """
    started = time.monotonic()
    what = "materialized partitions" if filling else "completed backfills"
    with Progress(what, total=partitions if filling else len(backfills)) as progress:
        while True:
            states = [view.backfill_status(each) for each in backfills]
            complete = states.count("COMPLETED_SUCCESS")
            done = sum(view.count_materialized(name) for name in filling) if filling else complete
            progress.advance(done - progress.done)
            bad = [state for state in states if state not in ("REQUESTED", "COMPLETED_SUCCESS")]
            if bad:
                raise ClaimFailed(f"backfill: expected COMPLETED_SUCCESS, seen {bad[0]}")
            if complete == len(states):
                return
            if time.monotonic() - started > _BACKFILL_SECONDS:
                raise ClaimFailed(f"backfill: expected an end within {_BACKFILL_SECONDS:.0f} s, seen {states}")
            time.sleep(_POLL_SECONDS)


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
            summer_time = [key for key in SUMMER_TIME_DAYS if key in passed]
            claims.expect(
                f"{table.name}/{check.check_name}: partitions passed in the UI",
                expected=f"{len(keys)}, with {', '.join(SUMMER_TIME_DAYS)}",
                seen=f"{len(passed)}, with {', '.join(summer_time)}",
            )
    found = latest_verdicts(stage)
    checks = sum(len(table.checks) for table in stage.config.tables)
    matched = sum(1 for each in found.values() if not is_bad(each))
    claims.expect("verdicts matched in the ledger", expected=checks * len(keys), seen=matched)
    claims.expect(
        f"weather {NO_WEATHER}, empty on both sides: verdicts with a note",
        expected=["row_count", "rows"],
        seen=[check for check in ("row_count", "rows") if found["weather", check, NO_WEATHER].verdict.notes],
    )
