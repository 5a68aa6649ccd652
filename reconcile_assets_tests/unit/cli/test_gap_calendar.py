"""The calendar of gaps in a terminal."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from reconcile_assets.cli.gap_calendar import Line, draw_calendar, draw_legend, print_lines
from reconcile_assets.core.gaps import GapKind, GapReport, PartitionState
from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.core.windows import Every, Partition, PartitionScheme

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def _drawn(lines: Sequence[Line]) -> list[str]:
    return ["".join(piece.text for piece in line).rstrip() for line in lines]


def _report(partitions: Sequence[Partition], **kinds: GapKind) -> GapReport:
    marked = {key.removeprefix("p").replace("_", "-"): kind for key, kind in kinds.items()}
    states = tuple(
        PartitionState(each.key, marked.get(each.key, GapKind.MATCHED), 0 if each.key.endswith("-31") else 2, 2)
        for each in partitions
    )
    return GapReport("orders", states, 0, 0, (), Verdict.MISMATCHED)


def _scheme(by: Every, end: datetime) -> tuple[Partition, ...]:
    return PartitionScheme("at", by, datetime(2023, 12, 30), end).partitions(NOW)


def test_days_are_drawn_month_by_month() -> None:
    days = _scheme(Every.DAY, datetime(2024, 1, 4))
    report = _report(days, p2023_12_30=GapKind.MISSING, p2024_01_02=GapKind.DIFFERENT)
    lines = _drawn(draw_calendar(days, report, by=Every.DAY))
    assert lines[0].split() == ["1", "5", "10", "15", "20", "25", "30"]
    assert lines[1] == "2023-12  " + "  " * 29 + "M o"
    assert lines[2] == "2024-01  = D ="
    assert lines[0].index("30") == lines[1].index("M")


def test_weeks_and_months_are_drawn_year_by_year() -> None:
    months = _scheme(Every.MONTH, datetime(2024, 4, 1))
    lines = _drawn(draw_calendar(months, _report(months, p2024_02_01=GapKind.SHORT), by=Every.MONTH))
    assert lines[0].split()[:3] == ["Jan", "Feb", "Mar"]
    assert lines[1].split() == ["2024", "=", "S", "="]
    assert lines[0].index("Feb") == lines[1].index("S")
    weeks = _scheme(Every.WEEK, datetime(2024, 2, 1))
    assert _drawn(draw_calendar(weeks, _report(weeks), by=Every.WEEK))[-1].startswith("2024  ")


def test_of_hours_only_days_with_a_gap_are_drawn() -> None:
    hours = _scheme(Every.HOUR, datetime(2024, 1, 2))
    report = GapReport(
        "orders",
        tuple(
            PartitionState(each.key, GapKind.MISSING if each.key == "2023-12-31-07:00" else GapKind.MATCHED, 2, 2)
            for each in hours
        ),
        None,
        None,
        (),
        Verdict.MISMATCHED,
    )
    lines = _drawn(draw_calendar(hours, report, by=Every.HOUR))
    assert len(lines) == 3
    assert lines[1].index("M") == lines[0].index("6") + 2
    assert lines[2] == "2 days without a gap are not drawn"


def test_the_legend_counts_only_what_occurs() -> None:
    days = _scheme(Every.DAY, datetime(2024, 1, 4))
    (legend,) = _drawn(draw_legend(_report(days, p2024_01_02=GapKind.STALE)))
    assert legend == "= matched 3   T stale 1   o no rows on either side 1"


def test_nothing_asked_draws_nothing() -> None:
    report = GapReport("orders", (), None, None, (), Verdict.INCONCLUSIVE)
    assert draw_calendar((), report, by=Every.DAY) == []


def test_colours_are_for_terminals_only(capsys: pytest.CaptureFixture[str]) -> None:
    days = _scheme(Every.DAY, datetime(2024, 1, 4))
    print_lines(draw_legend(_report(days)), colour=False)
    assert "\x1b" not in capsys.readouterr().out
