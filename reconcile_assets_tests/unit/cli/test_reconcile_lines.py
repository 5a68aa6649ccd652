"""What `reconcile` says about verdicts that are not green."""

import pytest

from reconcile_assets.cli.reconcile import _print
from reconcile_assets.core.verdicts import CheckVerdict, Verdict

DAYS = ("2024-01-01", "2024-01-02", "2024-01-03")


def unverified(check: str, day: str, why: str = "source: no such host") -> CheckVerdict:
    return CheckVerdict("orders", check, day, Verdict.INCONCLUSIVE, notes=(f"could not verify: {why}",))


def printed(verdicts: list[CheckVerdict], capsys: pytest.CaptureFixture[str]) -> list[str]:
    _print(verdicts)
    return [line for line in capsys.readouterr().out.splitlines() if ":" in line]


def test_one_trouble_is_one_line_however_many_verdicts_it_spoils(capsys: pytest.CaptureFixture[str]) -> None:
    verdicts = [unverified(check, day) for check in ("row_count", "rows") for day in DAYS]
    assert printed(verdicts, capsys) == [
        "orders 3 partitions, 2024-01-01 to 2024-01-03, row_count, rows: inconclusive "
        "(could not verify: source: no such host)"
    ]


def test_two_troubles_are_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed([unverified("rows", DAYS[0]), unverified("rows", DAYS[1], "target: time-out")], capsys)
    assert lines == [
        "orders 2024-01-01 rows: inconclusive (could not verify: source: no such host)",
        "orders 2024-01-02 rows: inconclusive (could not verify: target: time-out)",
    ]


def test_proven_differences_stand_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    verdicts = [CheckVerdict("orders", "rows", day, Verdict.MISMATCHED, missing_in_target=2) for day in DAYS]
    assert len(printed(verdicts, capsys)) == 3


def test_matched_verdicts_are_counted_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed([CheckVerdict("orders", "rows", DAYS[0], Verdict.MATCHED)], capsys) == []
